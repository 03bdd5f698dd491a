// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <string.h>

#include "split.h"

void split_init(struct split *split, enum framing framing, uint32_t batch)
{
	memset(split, 0, sizeof(*split));
	split->framing = framing;
	split->max = batch / 2 < SPLIT_MAX ? batch / 2 : SPLIT_MAX;
}

uint32_t split_begin(struct split *split, uint8_t *to)
{
	uint32_t len = split->rest_len;

	memcpy(to, split->rest, len);
	split->rest_len = 0;
	return len;
}

/* Whole messages' bytes; @missing: how much the next one lacks. */
static uint32_t whole(const struct split *split, const uint8_t *data, uint32_t len,
		      uint64_t *missing)
{
	const uint8_t *newline;
	uint64_t pos = split->skip, next;
	uint32_t prefix;

	*missing = 0;
	if (split->framing == FRAMING_LINE) {
		newline = memrchr(data, '\n', len);
		return newline ? newline + 1 - data : 0;
	}
	while (pos + PREFIX_LEN <= len) {
		memcpy(&prefix, data + pos, PREFIX_LEN);
		next = pos + PREFIX_LEN + be32toh(prefix);
		if (next > len)
			break;
		pos = next;
	}
	if (pos > len || pos + PREFIX_LEN <= len)
		*missing = pos > len ? pos - len : next - len;
	return pos > len ? 0 : pos;
}

uint32_t split_end(struct split *split, const uint8_t *data, uint32_t len, bool end)
{
	uint64_t missing;
	uint32_t keep;

	split->cont = split->inside;
	if (split->framing == FRAMING_RAW || end)
		return len;
	keep = whole(split, data, len, &missing);
	if (split->skip < len && len - keep <= split->max) {
		split->rest_len = len - keep;
		memcpy(split->rest, data + keep, split->rest_len);
		split->skip = 0;
		split->inside &= !keep;
		return keep;
	}
	split->skip = missing;
	split->inside = keep != len;
	return len;
}
