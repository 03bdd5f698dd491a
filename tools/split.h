/* SPDX-License-Identifier: GPL-2.0 */
/* Records that end where messages do, made of bytes that the process has in its hands. */
#ifndef SPLIT_H
#define SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#include "framing.h"

/**
 * struct split - where a stream is divided into records
 * @framing: how
 * @max: bytes of a message that may wait for the rest of it
 * @rest: the beginning of a message, for the next record
 * @rest_len: bytes of it
 * @skip: bytes of a message, a part of which has gone, that are still to come
 * @inside: the next record begins inside of a message
 * @cont: so did the last
 */
struct split {
	enum framing framing;
	uint32_t max;
	uint8_t rest[SPLIT_MAX];
	uint32_t rest_len;
	uint64_t skip;
	bool inside;
	bool cont;
};

/* For records of up to @batch bytes. */
void split_init(struct split *split, enum framing framing, uint32_t batch);

/* Puts what has waited at @to, where the next record begins. Returns how much it is. */
uint32_t split_begin(struct split *split, uint8_t *to);

/*
 * How much of the @len bytes at @data is the record; what follows waits, which is
 * 2 * rest_len bytes copied. At the stream's @end nothing waits.
 */
uint32_t split_end(struct split *split, const uint8_t *data, uint32_t len, bool end);

/* bpf.arg of a record, which may begin inside of a message, for the program 'split'. */
static inline uint32_t split_arg(bool cont, uint32_t len)
{
	return len | (cont ? ARG_CONT : 0);
}

#endif /* SPLIT_H */
