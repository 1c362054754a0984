/*
 * frame.c - the header's encoder and decoder.
 */
#include "frame.h"

/* What a byte of a codec can become at the most: lz4 adds 255 to a length with each byte, deflate's limit is its format's. */
static const uint32_t ratio_max[CODEC_COUNT] = { [CODEC_NONE] = 1, [CODEC_LZ4] = 255, [CODEC_ZLIB] = 1032 };

void frame_header_put(unsigned char out[FRAME_HEADER], const struct frame *f)
{
	autobuf struct buf b = { 0 };

	put_u32(&b, f->length);
	put_u32(&b, f->raw);
	put_u32(&b, f->id);
	put_u8(&b, f->type);
	put_u8(&b, f->codec);
	put_u8(&b, f->flags);
	put_u8(&b, (uint8_t)f->fd_count);
	memcpy(out, b.p, FRAME_HEADER);
}

int frame_header_get(const unsigned char in[FRAME_HEADER], const struct protocol *protocol,
		     struct frame *f, struct err *err)
{
	struct reader r = reader_of(in, FRAME_HEADER);
	const struct frame_rule *rule;

	*f = (struct frame){ 0 };
	f->length = get_u32(&r);
	f->raw = get_u32(&r);
	f->id = get_u32(&r);
	f->type = get_u8(&r);
	f->codec = get_u8(&r);
	f->flags = get_u8(&r);
	f->fd_count = get_u8(&r);

	if (f->type >= protocol->rule_count || !protocol->rules[f->type].name)
		return err_set(err, ERR_WIRE, "%s: unknown frame type %u", protocol->name, f->type);
	rule = &protocol->rules[f->type];
	if (f->fd_count > rule->max_fds)
		return err_set(err, ERR_WIRE, "%s: %s: %zu descriptors", protocol->name, rule->name, f->fd_count);
	if (f->flags & ~FRAME_FLAGS)
		return err_set(err, ERR_WIRE, "%s: %s: unknown flags", protocol->name, rule->name);
	if (f->length > FRAME_MAX || f->raw > FRAME_MAX || f->length > rule->max)
		return err_set(err, ERR_WIRE, "%s: %s: %u bytes", protocol->name, rule->name, f->length);
	if (f->codec >= CODEC_COUNT || (f->codec != CODEC_NONE && !rule->bulk))
		return err_set(err, ERR_WIRE, "%s: %s: codec %u", protocol->name, rule->name, f->codec);
	if (f->codec == CODEC_NONE && f->raw != f->length)
		return err_set(err, ERR_WIRE, "%s: %s: %u bytes said to be %u", protocol->name, rule->name,
			       f->length, f->raw);
	if (f->raw > (uint64_t)f->length * ratio_max[f->codec])
		return err_set(err, ERR_WIRE, "%s: %s: codec %u cannot make %u bytes of %u", protocol->name, rule->name,
			       f->codec, f->raw, f->length);
	if ((f->flags & FRAME_MORE) && rule->bulk)
		return err_set(err, ERR_WIRE, "%s: %s: bulk data in parts", protocol->name, rule->name);
	return 0;
}
