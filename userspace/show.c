// SPDX-License-Identifier: GPL-2.0
/* esptrack show */
#include <err.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <stdio.h>

#include "esptrack.h"
#include "nl.h"
#include "output.h"
#include "sa.h"
#include "selector.h"

struct show {
	const struct options *opt;
	const struct selector *filter;
	bool printed;			/* an element of the JSON array */
};

static int show_sa(const struct nlmsghdr *nlh, void *data)
{
	static const uint16_t len[ESPTRACK_A_MAX + 1];
	const struct nlattr *tb[ESPTRACK_A_MAX + 1];
	struct show *show = data;
	struct sa sa;

	if (nl_parse_msg(nlh, len, tb, ESPTRACK_A_MAX) < 0 ||
	    sa_get(&sa, tb[ESPTRACK_A_SA]) < 0) {
		warnx("the kernel's answer makes no sense");
		return -1;
	}
	if (!sa_matches(&sa, show->filter))
		return 0;

	if (!show->opt->json) {
		sa_print(&sa);
		return 0;
	}
	fputs(show->printed ? ",\n" : "[", stdout);
	show->printed = true;
	json_print(sa_json(&sa), show->opt->pretty);
	return 0;
}

/* The kernel finds one SA by its key; else it sends all, and we choose. */
static struct nlmsghdr *show_request(struct nl *nl,
				     const struct selector *sel)
{
	struct nlmsghdr *req;
	struct nlattr *nest;

	if ((sel->given & SELECT_ID) != SELECT_ID)
		return nl_request(nl, ESPTRACK_CMD_SA_GET, NLM_F_DUMP);

	req = nl_request(nl, ESPTRACK_CMD_SA_GET, NLM_F_ACK);
	nest = mnl_attr_nest_start(req, ESPTRACK_A_SA);
	sa_put_key(req, sel);
	mnl_attr_nest_end(req, nest);
	return req;
}

int cmd_show(const struct options *opt, char **argv)
{
	struct selector sel;
	struct show show = { .opt = opt, .filter = &sel };
	struct nl nl;
	int ret;

	if (selector_parse(&sel, ~0U, &argv) < 0)
		return EXIT_USAGE;
	if (*argv) {
		warnx("unknown keyword \"%s\"", *argv);
		return EXIT_USAGE;
	}
	if (nl_open(&nl, opt->netns) < 0)
		return EXIT_REFUSED;

	ret = nl_talk(&nl, show_request(&nl, &sel), show_sa, &show);
	nl_close(&nl);
	if (opt->json && (show.printed || !ret))
		puts(show.printed ? "]" : "[]");
	return ret < 0 ? EXIT_REFUSED : 0;
}
