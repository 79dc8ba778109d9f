// SPDX-License-Identifier: GPL-2.0
/* esptrack show: a table of SAs; of one SPI all that is known. */
#include <err.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detail.h"
#include "esptrack.h"
#include "nl.h"
#include "output.h"
#include "sa.h"
#include "selector.h"
#include "spi.h"

struct show {
	const struct options *opt;
	const struct selector *filter;
	struct nlmsghdr **found;
	size_t n;
};

static int collect(const struct nlmsghdr *nlh, void *data)
{
	struct show *show = data;
	struct nlmsghdr **found;
	struct sa sa;

	if (sa_get_msg(&sa, nlh) < 0) {
		warnx("the kernel's answer makes no sense");
		return -1;
	}
	if (!sa_matches(&sa, show->filter))
		return 0;

	found = realloc(show->found, (show->n + 1) * sizeof(*found));
	if (!found)
		errx(EXIT_REFUSED, "out of memory");
	show->found = found;
	found[show->n] = malloc(nlh->nlmsg_len);
	if (!found[show->n])
		errx(EXIT_REFUSED, "out of memory");
	memcpy(found[show->n], nlh, nlh->nlmsg_len);
	show->n++;
	return 0;
}

static void show_free(struct show *show)
{
	size_t i;

	for (i = 0; i < show->n; i++)
		free(show->found[i]);
	free(show->found);
}

static struct sa sa_at(const struct show *show, size_t i)
{
	struct sa sa;

	/* It was looked at when it came. */
	sa_get_msg(&sa, show->found[i]);
	return sa;
}

#define COLUMNS 9

struct row {
	char cell[COLUMNS][64];
	enum color color[COLUMNS];
};

static void set_row(struct row *row, const struct sa *sa)
{
	size_t i = 0;

	/* Texts of fixed size, all of which fit. */
#define CELL(...) snprintf(row->cell[i++], sizeof(row->cell[0]), __VA_ARGS__)
	CELL("%s", spi_text(sa->spi).text);
	CELL("%s", addr_text(&sa->dst).text);
	CELL("%s", endpoint_text(&sa->endpoint).text);
	CELL("%" PRIu32, sa->reqid);
	CELL("%s", sa_mode(sa).text);
	CELL("%s", sa->static_nat ? "on" : "off");
	CELL("%s", sa->port_only ? "on" : "off");
	CELL("%" PRIu64, sa->moves);
	CELL("%" PRIu64, sa->refused);
#undef CELL
	memset(row->color, 0, sizeof(row->color));
	row->color[2] = COLOR_PLACE;
	row->color[5] = sa->static_nat ? COLOR_GOOD : COLOR_NONE;
	row->color[8] = sa->refused ? COLOR_BAD : COLOR_NONE;
}

static const struct row title = {
	{
		"SPI", "DST", "ENDPOINT", "REQID", "MODE", "STATIC_NAT",
		"PORT_ONLY", "MOVES", "REFUSED",
	}, {
		COLOR_BOLD, COLOR_BOLD, COLOR_BOLD, COLOR_BOLD, COLOR_BOLD,
		COLOR_BOLD, COLOR_BOLD, COLOR_BOLD, COLOR_BOLD,
	}
};

static void widen(int *width, const struct row *row)
{
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		if (width[i] < (int)strlen(row->cell[i]))
			width[i] = strlen(row->cell[i]);
}

static void print_row(const int *width, const struct row *row)
{
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		printf("%s%s%s%*s", color_on(row->color[i]), row->cell[i],
		       color_off(),
		       i < COLUMNS - 1 ? width[i] + 2 - (int)strlen(row->cell[i]) :
					 0, "");
	putchar('\n');
}

/* So many rows are laid out together: no screen shows more. */
#define ROWS 256

/* Lays out the rows of the SAs from @i on, and says how many they are. */
static size_t set_rows(const struct show *show, size_t i, struct row *rows)
{
	struct sa sa;
	size_t n;

	for (n = 0; n < ROWS && i + n < show->n; n++) {
		sa = sa_at(show, i + n);
		set_row(&rows[n], &sa);
	}
	return n;
}

static void print_table(const struct show *show)
{
	static struct row rows[ROWS];
	int width[COLUMNS] = { 0 };
	size_t i, j, n;

	widen(width, &title);
	for (i = 0; i < show->n; i += n) {
		n = set_rows(show, i, rows);
		for (j = 0; j < n; j++)
			widen(width, &rows[j]);
		if (!i)
			print_row(width, &title);
		for (j = 0; j < n; j++)
			print_row(width, &rows[j]);
	}
}

static void print_lines(const struct show *show)
{
	struct sa sa;
	size_t i;

	for (i = 0; i < show->n; i++) {
		sa = sa_at(show, i);
		sa_print(&sa);
		putchar('\n');
	}
}

static void print_json(const struct show *show)
{
	struct sa sa;
	size_t i;

	putchar('[');
	for (i = 0; i < show->n; i++) {
		if (i)
			fputs(",\n", stdout);
		sa = sa_at(show, i);
		json_print(detail_json(&sa), show->opt->pretty);
	}
	puts("]");
}

static void print_details(const struct show *show)
{
	struct sa sa;
	size_t i;

	for (i = 0; i < show->n; i++) {
		sa = sa_at(show, i);
		detail_print(&sa, show->opt->oneline ? "\\" : "\n");
		if (show->opt->oneline)
			putchar('\n');
	}
}

static void print(const struct show *show)
{
	if (show->opt->json)
		print_json(show);
	else if (show->filter->given & SELECT_SPI)
		print_details(show);
	else if (show->opt->oneline)
		print_lines(show);
	else
		print_table(show);
}

static int get_one(struct nl *nl, const struct selector *key, struct show *show)
{
	struct nlmsghdr *req = nl_request(nl, ESPTRACK_CMD_SA_GET, NLM_F_ACK);

	sa_put_key(req, key);
	return nl_talk(nl, req, collect, show);
}

static int get_all(struct nl *nl, struct show *show)
{
	return nl_talk(nl, nl_request(nl, ESPTRACK_CMD_SA_GET, NLM_F_DUMP),
		       collect, show);
}

/*
 * The kernel finds one SA by its key, and then tells all of it; else it sends
 * all, and we choose. Returns -1 after a message.
 */
static int get(struct nl *nl, struct show *show)
{
	struct show all = { .opt = show->opt, .filter = show->filter };
	struct selector key;
	struct sa sa;
	int ret = 0;
	size_t i;

	if ((show->filter->given & SELECT_ID) == SELECT_ID)
		return get_one(nl, show->filter, show);
	if (!(show->filter->given & SELECT_SPI))
		return get_all(nl, show);

	if (get_all(nl, &all) < 0)
		ret = -1;
	for (i = 0; !ret && i < all.n; i++) {
		sa = sa_at(&all, i);
		key = sa_key(&sa);
		ret = get_one(nl, &key, show);
	}
	if (!ret && !all.n) {
		warnx("no inbound ESP-in-UDP SA with this SPI");
		ret = -1;
	}
	show_free(&all);
	return ret;
}

/* "show 0x1001" is short for "show spi 0x1001". */
static int parse(struct selector *sel, char **argv)
{
	struct selector spi = { 0 };

	if (*argv && strspn(*argv, "0123456789") &&
	    !selector_parse_spi(&spi, *argv))
		argv++;
	if (selector_parse(sel, ~0U, &argv) < 0)
		return -1;
	if (*argv) {
		warnx("unknown keyword \"%s\"", *argv);
		return -1;
	}
	if (spi.spi && (sel->given & SELECT_SPI)) {
		warnx("\"spi\" is given twice");
		return -1;
	}
	if (spi.spi) {
		sel->given |= SELECT_SPI;
		sel->spi = spi.spi;
	}
	return 0;
}

int cmd_show(const struct options *opt, char **argv)
{
	struct selector sel;
	struct show show = { .opt = opt, .filter = &sel };
	struct nl nl;
	int ret;

	if (parse(&sel, argv) < 0)
		return EXIT_USAGE;
	if (nl_open(&nl, opt->netns) < 0)
		return EXIT_REFUSED;

	ret = get(&nl, &show);
	nl_close(&nl);
	if (!ret)
		print(&show);
	show_free(&show);
	return ret < 0 ? EXIT_REFUSED : 0;
}
