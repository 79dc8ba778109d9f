// SPDX-License-Identifier: GPL-2.0
/* Which SAs are meant, in the words of ip-xfrm(8). */
#include <err.h>
#include <string.h>

#include "esptrack.h"
#include "number.h"
#include "selector.h"

/* Returns -1 if @text is no SPI. */
int selector_parse_spi(struct selector *sel, const char *text)
{
	return number_parse(&sel->spi, text) || !sel->spi ? -1 : 0;
}

static int parse_dst(struct selector *sel, const char *text)
{
	return addr_parse(&sel->dst, text);
}

static int parse_mark(struct selector *sel, const char *text)
{
	return number_parse(&sel->mark, text);
}

static int parse_mask(struct selector *sel, const char *text)
{
	return number_parse(&sel->mask, text);
}

static int parse_src(struct selector *sel, const char *text)
{
	return addr_parse(&sel->src, text);
}

static int parse_reqid(struct selector *sel, const char *text)
{
	return number_parse(&sel->reqid, text);
}

static int parse_if_id(struct selector *sel, const char *text)
{
	return number_parse(&sel->if_id, text);
}

static int parse_proto(struct selector *sel, const char *text)
{
	(void)sel;
	return strcmp(text, "esp") ? -1 : 0;
}

static const struct keyword {
	const char *name;
	unsigned int select;
	int (*parse)(struct selector *sel, const char *text);
	const char *expected;
} keywords[] = {
	{ "spi", SELECT_SPI, selector_parse_spi,
	  "a number from 1 to 0xffffffff, decimal or 0x..." },
	{ "dst", SELECT_DST, parse_dst, "an IPv4 or IPv6 address" },
	{ "mark", SELECT_MARK, parse_mark,
	  "a number up to 0xffffffff, decimal or 0x..." },
	{ "mask", SELECT_MASK, parse_mask,
	  "a number up to 0xffffffff, decimal or 0x..." },
	{ "src", SELECT_SRC, parse_src, "an IPv4 or IPv6 address" },
	{ "reqid", SELECT_REQID, parse_reqid,
	  "a number up to 0xffffffff, decimal or 0x..." },
	{ "if_id", SELECT_IF_ID, parse_if_id,
	  "a number up to 0xffffffff, decimal or 0x..." },
	{ "proto", SELECT_PROTO, parse_proto, "esp" },
};

static const struct keyword *find_keyword(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keywords); i++)
		if (!strcmp(name, keywords[i].name))
			return &keywords[i];
	return NULL;
}

/*
 * Takes from @argv what speaks of SAs, and moves it to the first word that does
 * not, or that is not @allowed. Returns -1 after a message.
 */
int selector_parse(struct selector *sel, unsigned int allowed, char ***argv)
{
	const struct keyword *keyword;
	const char *value;

	memset(sel, 0, sizeof(*sel));
	while (**argv) {
		keyword = find_keyword(**argv);
		if (!keyword || !(keyword->select & allowed))
			break;
		if (sel->given & keyword->select) {
			warnx("\"%s\" is given twice", keyword->name);
			return -1;
		}
		(*argv)++;

		value = **argv;
		if (!value) {
			warnx("\"%s\" needs a value: %s", keyword->name,
			      keyword->expected);
			return -1;
		}
		if (keyword->parse(sel, value) < 0) {
			warnx("wrong %s \"%s\": expected %s", keyword->name,
			      value, keyword->expected);
			return -1;
		}
		sel->given |= keyword->select;
		(*argv)++;
	}

	if ((sel->given & SELECT_MASK) && !(sel->given & SELECT_MARK)) {
		warnx("\"mask\" needs a \"mark\"");
		return -1;
	}
	if ((sel->given & SELECT_MARK) && !(sel->given & SELECT_MASK))
		sel->mask = UINT32_MAX;
	/* As the kernel keeps it. */
	sel->mark &= sel->mask;
	return 0;
}
