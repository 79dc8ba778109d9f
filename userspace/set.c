// SPDX-License-Identifier: GPL-2.0
/* esptrack set */
#include <err.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <string.h>

#include "esptrack.h"
#include "nl.h"
#include "sa.h"
#include "selector.h"

/* Returns -1 after a message if @argv is not "static_nat { on | off }". */
static int parse_static_nat(bool *on, char **argv)
{
	if (!*argv) {
		warnx("\"static_nat\" is missing");
		return -1;
	}
	if (strcmp(*argv, "static_nat")) {
		warnx("expected \"static_nat\" instead of \"%s\"", *argv);
		return -1;
	}
	argv++;
	if (!*argv || (strcmp(*argv, "on") && strcmp(*argv, "off"))) {
		warnx("\"static_nat\" must be \"on\" or \"off\"");
		return -1;
	}
	*on = !strcmp(*argv, "on");
	argv++;
	if (*argv) {
		warnx("nothing expected after static_nat, but \"%s\"", *argv);
		return -1;
	}
	return 0;
}

int cmd_set(const struct options *opt, char **argv)
{
	struct selector sel;
	struct nlmsghdr *req;
	struct nlattr *nest;
	struct nl nl;
	bool on;
	int ret;

	if (selector_parse(&sel, SELECT_KEY | SELECT_PROTO, &argv) < 0)
		return EXIT_USAGE;
	if ((sel.given & SELECT_ID) != SELECT_ID) {
		warnx("set needs \"spi SPI dst ADDR\"");
		return EXIT_USAGE;
	}
	if (parse_static_nat(&on, argv) < 0)
		return EXIT_USAGE;
	if (nl_open(&nl, opt->netns) < 0)
		return EXIT_REFUSED;

	req = nl_request(&nl, ESPTRACK_CMD_SA_SET, NLM_F_ACK);
	nest = mnl_attr_nest_start(req, ESPTRACK_A_SA);
	sa_put_key(req, &sel);
	mnl_attr_put_u8(req, ESPTRACK_A_SA_STATIC_NAT, on);
	mnl_attr_nest_end(req, nest);
	ret = nl_talk(&nl, req, NULL, NULL);
	nl_close(&nl);
	return ret < 0 ? EXIT_REFUSED : 0;
}
