/*
 * codec.c - lz4 for LANs, zlib for slow links, nothing for the same host.
 */
#include "codec.h"

#include <lz4.h>
#include <zlib.h>

/* Level 1: on a link where zlib pays at all, the time of level 6 does not come back. */
enum { ZLIB_LEVEL = 1 };

static size_t pack_lz4(const void *p, size_t len, unsigned char *out, size_t room)
{
	int n = LZ4_compress_default(p, (char *)out, (int)len, (int)room);

	return n > 0 ? (size_t)n : 0;
}

static size_t pack_zlib(const void *p, size_t len, unsigned char *out, size_t room)
{
	uLongf n = room;

	return compress2(out, &n, p, len, ZLIB_LEVEL) == Z_OK ? n : 0;
}

static bool unpack_lz4(const void *p, size_t len, unsigned char *out, size_t raw)
{
	return LZ4_decompress_safe(p, (char *)out, (int)len, (int)raw) == (int)raw;
}

static bool unpack_zlib(const void *p, size_t len, unsigned char *out, size_t raw)
{
	uLongf n = raw, used = len;

	/* zlib is content with bytes behind the stream; we are not */
	return uncompress2(out, &n, p, &used) == Z_OK && n == raw && used == len;
}

static const struct {
	const char *name;
	size_t (*pack)(const void *p, size_t len, unsigned char *out, size_t room);
	bool (*unpack)(const void *p, size_t len, unsigned char *out, size_t raw);
} codecs[CODEC_COUNT] = {
	[CODEC_NONE] = { "none", NULL, NULL },
	[CODEC_LZ4] = { "lz4", pack_lz4, unpack_lz4 },
	[CODEC_ZLIB] = { "zlib", pack_zlib, unpack_zlib },
};

enum codec codec_pack(enum codec codec, const void *p, size_t len, struct buf *out)
{
	size_t n = 0;

	if (codec != CODEC_NONE && len > 1) {
		buf_reserve(out, len);
		/* room for one byte less: what does not shrink is sent as it is */
		n = codecs[codec].pack(p, len, out->p + out->len, len - 1);
	}
	if (!n) {
		buf_add(out, p, len);
		return CODEC_NONE;
	}
	out->len += n;
	return codec;
}

int codec_unpack(enum codec codec, const void *p, size_t len, size_t raw, struct buf *out, struct err *err)
{
	if (codec == CODEC_NONE) {
		if (raw != len)
			return err_set(err, ERR_WIRE, "chunk of %zu bytes said to be %zu", len, raw);
		buf_add(out, p, len);
		return 0;
	}
	buf_reserve(out, raw + 1);
	if (!codecs[codec].unpack(p, len, out->p + out->len, raw))
		return err_set(err, ERR_WIRE, "%s chunk does not hold %zu bytes", codecs[codec].name, raw);
	out->len += raw;
	return 0;
}

const char *codec_name(enum codec codec)
{
	return codec < CODEC_COUNT ? codecs[codec].name : "?";
}
