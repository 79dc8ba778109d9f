// SPDX-License-Identifier: GPL-2.0
/*
 * esptrack show: a table of SAs; of one SPI, or with "history", all that is known.
 */
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

#define COLUMNS 10
/* The last column: it is there if an SA has one. */
#define MARK (COLUMNS - 1)

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
	CELL("%s", sa_mark(sa).text);
#undef CELL
	memset(row->color, 0, sizeof(row->color));
	row->color[2] = COLOR_PLACE;
	row->color[5] = sa->static_nat ? COLOR_GOOD : COLOR_NONE;
	row->color[8] = sa->refused ? COLOR_BAD : COLOR_NONE;
}

static const struct row title = {
	{
		"SPI", "DST", "ENDPOINT", "REQID", "MODE", "STATIC_NAT",
		"PORT_ONLY", "MOVES", "REFUSED", "MARK",
	}, {
		COLOR_BOLD, COLOR_BOLD, COLOR_BOLD, COLOR_BOLD, COLOR_BOLD,
		COLOR_BOLD, COLOR_BOLD, COLOR_BOLD, COLOR_BOLD, COLOR_BOLD,
	}
};

static void widen(int *width, const struct row *row)
{
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		if (width[i] < (int)strlen(row->cell[i]))
			width[i] = strlen(row->cell[i]);
}

static void print_row(const int *width, size_t columns, const struct row *row)
{
	size_t i;

	for (i = 0; i < columns; i++)
		printf("%s%s%s%*s", color_on(row->color[i]), row->cell[i],
		       color_off(),
		       i < columns - 1 ? width[i] + 2 - (int)strlen(row->cell[i]) :
					 0, "");
	putchar('\n');
}

/* So many rows are laid out together: no screen shows more. */
#define ROWS 256

struct show {
	const struct options *opt;
	const struct selector *filter;
	bool history;			/* all of those that have one */
	bool found;			/* an SA that is meant */
	bool begun;			/* the array of JSON */
	struct row rows[ROWS];		/* of the table, to be printed */
	size_t n;
	size_t columns;			/* that the title has */
	int width[COLUMNS];
};

static void flush_rows(struct show *show)
{
	size_t columns = show->columns ? show->columns : MARK;
	size_t i;

	if (!show->n)
		return;
	for (i = 0; i < show->n; i++) {
		widen(show->width, &show->rows[i]);
		if (*show->rows[i].cell[MARK])
			columns = COLUMNS;
	}
	if (columns != show->columns)
		print_row(show->width, columns, &title);
	show->columns = columns;
	for (i = 0; i < show->n; i++)
		print_row(show->width, columns, &show->rows[i]);
	show->n = 0;
}

static void add_row(struct show *show, const struct sa *sa)
{
	set_row(&show->rows[show->n++], sa);
	if (show->n == ROWS)
		flush_rows(show);
}

static void print_line(const struct sa *sa)
{
	sa_print(sa);
	putchar('\n');
}

static void print_element(struct show *show, const struct sa *sa)
{
	fputs(show->begun ? ",\n" : "[", stdout);
	json_print(detail_json(sa), show->opt->pretty);
	show->begun = true;
}

static void print_detail(const struct show *show, const struct sa *sa)
{
	detail_print(sa, show->opt->oneline ? "\\" : "\n");
	if (show->opt->oneline)
		putchar('\n');
}

static void show_sa(struct show *show, const struct sa *sa)
{
	show->found = true;
	if (show->history && !detail_has_history(sa))
		return;
	if (show->opt->json)
		print_element(show, sa);
	else if (show->history || (show->filter->given & SELECT_SPI))
		print_detail(show, sa);
	else if (show->opt->oneline)
		print_line(sa);
	else
		add_row(show, sa);
}

static void show_end(struct show *show)
{
	if (show->opt->json)
		puts(show->begun ? "]" : "[]");
	else
		flush_rows(show);
}

/* Returns 1 if @nlh is of an SA that is meant, or -1 after a message. */
static int get_match(const struct nlmsghdr *nlh, const struct selector *filter,
		     struct sa *sa)
{
	if (sa_get_msg(sa, nlh) < 0)
		return nl_nonsense();
	return sa_matches(sa, filter);
}

static int show_reply(const struct nlmsghdr *nlh, void *data)
{
	struct show *show = data;
	struct sa sa;
	int ret = get_match(nlh, show->filter, &sa);

	if (ret > 0)
		show_sa(show, &sa);
	return ret;
}

static struct nlmsghdr *get_request(struct nl *nl, const struct selector *key)
{
	struct nlmsghdr *req = nl_request(nl, ESPTRACK_CMD_SA_GET, NLM_F_ACK);

	sa_put_key(req, key);
	return req;
}

static int get_all(struct nl *nl, nl_reply_fn *fn, void *data)
{
	return nl_talk(nl, nl_request(nl, ESPTRACK_CMD_SA_GET, NLM_F_DUMP),
		       fn, data);
}

struct keys {
	const struct selector *filter;
	struct selector *keys;
	size_t n;
};

static int add_key(const struct nlmsghdr *nlh, void *data)
{
	struct keys *found = data;
	struct selector *keys;
	struct sa sa;
	int ret = get_match(nlh, found->filter, &sa);

	if (ret <= 0)
		return ret;
	keys = realloc(found->keys, (found->n + 1) * sizeof(*keys));
	if (!keys)
		errx(EXIT_REFUSED, "out of memory");
	found->keys = keys;
	keys[found->n++] = sa_key(&sa);
	return 0;
}

/* One by one, with all that the kernel tells of one SA only; but for one that goes
 * meanwhile.
 */
static int get_each(struct nl *nl, struct show *show)
{
	struct keys found = { .filter = show->filter };
	int ret = get_all(nl, add_key, &found);
	size_t i;

	for (i = 0; ret >= 0 && i < found.n; i++)
		ret = nl_find(nl, get_request(nl, &found.keys[i]), show_reply,
			      show);
	free(found.keys);
	return ret < 0 ? ret : 0;
}

/*
 * The kernel finds one SA by its key, and then tells all of it; else it sends
 * all, and we choose. To the kernel an SA without mark is meant where none is given,
 * here any. Returns -1 after a message.
 */
static int get(struct nl *nl, struct show *show)
{
	const unsigned int key = SELECT_ID | SELECT_MARK;
	int ret;

	if (!(show->filter->given & SELECT_SPI))
		return show->history ? get_each(nl, show) :
				       get_all(nl, show_reply, show);
	if ((show->filter->given & key) == key)
		ret = nl_talk(nl, get_request(nl, show->filter), show_reply,
			      show);
	else
		ret = get_each(nl, show);
	if (!ret && !show->found) {
		warnx("no inbound ESP-in-UDP SA with this SPI, or not such a one");
		ret = -1;
	}
	return ret;
}

static bool take_word(char ***argv, const char *word)
{
	bool found = **argv && !strcmp(**argv, word);

	if (found)
		(*argv)++;
	return found;
}

/* "show 0x1001" is short for "show spi 0x1001". */
static int parse(struct selector *sel, bool *history, char **argv)
{
	struct selector spi = { 0 };

	if (*argv && strspn(*argv, "0123456789") &&
	    !selector_parse_spi(&spi, *argv))
		argv++;
	*history = take_word(&argv, "history");
	if (selector_parse(sel, ~0U, &argv) < 0)
		return -1;
	*history |= take_word(&argv, "history");
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
	static struct show show;
	struct selector sel;
	struct nl nl;
	int ret;

	if (parse(&sel, &show.history, argv) < 0)
		return EXIT_USAGE;
	if (nl_open(&nl, opt->netns) < 0)
		return EXIT_REFUSED;

	show.opt = opt;
	show.filter = &sel;
	widen(show.width, &title);
	ret = get(&nl, &show);
	nl_close(&nl);
	if (!ret)
		show_end(&show);
	return ret < 0 ? EXIT_REFUSED : 0;
}
