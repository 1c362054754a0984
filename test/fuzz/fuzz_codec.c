/*
 * fuzz_codec.c - any bytes as a chunk of each codec, and through each codec and back.
 */
#include <stdint.h>

#include "codec.h"

static void unpack(enum codec codec, const uint8_t *p, size_t len, size_t raw)
{
	autobuf struct buf out = { 0 };
	int rc = codec_unpack(codec, p, len, raw, &out, NULL);

	if (out.len != (rc < 0 ? 0 : raw))
		abort();
}

static void round_trip(enum codec codec, const uint8_t *p, size_t len)
{
	autobuf struct buf packed = { 0 }, out = { 0 };
	enum codec used = codec_pack(codec, p, len, &packed);

	if (packed.len > len || codec_unpack(used, packed.p, packed.len, len, &out, NULL) < 0)
		abort();
	if (out.len != len || (len && memcmp(out.p, p, len) != 0))
		abort();
}

/* The first two bytes say what length is claimed. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	if (len < 2 || len > FRAME_MAX)
		return 0;
	for (enum codec codec = CODEC_NONE; codec < CODEC_COUNT; codec++) {
		unpack(codec, p + 2, len - 2, p[0] | (size_t)p[1] << 8);
		round_trip(codec, p, len);
	}
	return 0;
}
