/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELECTOR_H
#define SELECTOR_H

#include <stdint.h>

#include "addr.h"

enum {
	SELECT_SPI = 1 << 0,
	SELECT_DST = 1 << 1,
	SELECT_MARK = 1 << 2,
	SELECT_MASK = 1 << 3,
	SELECT_SRC = 1 << 4,
	SELECT_REQID = 1 << 5,
	SELECT_PROTO = 1 << 6,
	SELECT_IF_ID = 1 << 7,

	/* What makes up the key of an SA, and what it cannot do without. */
	SELECT_ID = SELECT_SPI | SELECT_DST,
	SELECT_KEY = SELECT_ID | SELECT_MARK | SELECT_MASK,
};

struct selector {
	unsigned int given;	/* SELECT_* of those below that count */
	uint32_t spi;
	struct addr dst;	/* local address */
	uint32_t mark;
	uint32_t mask;
	struct addr src;	/* address of the endpoint */
	uint32_t reqid;
	uint32_t if_id;
};

int selector_parse_spi(struct selector *sel, const char *text);
int selector_parse(struct selector *sel, unsigned int allowed, char ***argv);

#endif
