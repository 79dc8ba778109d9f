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

#define SWITCHES 2

/* The switches of an SA, or of a reqid, and what the user wants of each. */
static struct {
	const char *name;
	uint16_t sa_attr;
	uint16_t reqid_attr;
	const char *value;
} switches[SWITCHES] = {
	{ "static_nat", ESPTRACK_A_SA_STATIC_NAT,
	  ESPTRACK_A_REQID_STATIC_NAT, NULL },
	{ "port_only", ESPTRACK_A_SA_PORT_ONLY,
	  ESPTRACK_A_REQID_PORT_ONLY, NULL },
};

/* Returns -1 after a message if @argv is not "SWITCH { on | off } ...". */
static int parse_switches(char **argv)
{
	size_t i;

	if (!*argv) {
		warnx("\"static_nat\" or \"port_only\" is missing");
		return -1;
	}
	for (; *argv; argv += 2) {
		for (i = 0; i < SWITCHES; i++)
			if (!strcmp(*argv, switches[i].name))
				break;
		if (i == SWITCHES) {
			warnx("expected \"static_nat\" or \"port_only\" instead of \"%s\"",
			      *argv);
			return -1;
		}
		if (switches[i].value) {
			warnx("\"%s\" is given twice", *argv);
			return -1;
		}
		if (!argv[1] || (strcmp(argv[1], "on") && strcmp(argv[1], "off"))) {
			warnx("\"%s\" must be \"on\" or \"off\"", *argv);
			return -1;
		}
		switches[i].value = argv[1];
	}
	return 0;
}

/* Is it one SA by its key, or all of a reqid? Returns -1 after a message. */
static int check_selector(const struct selector *sel)
{
	bool sa = (sel->given & SELECT_ID) == SELECT_ID;
	bool reqid = sel->given & SELECT_REQID;

	if (reqid && (sel->given & SELECT_KEY)) {
		warnx("\"reqid\" goes without \"spi\", \"dst\" and \"mark\"");
		return -1;
	}
	if (!reqid && !sa) {
		warnx("set needs \"spi SPI dst ADDR\" or \"reqid REQID\"");
		return -1;
	}
	if (reqid && !sel->reqid) {
		warnx("\"reqid 0\" means none");
		return -1;
	}
	return 0;
}

static struct nlmsghdr *set_request(struct nl *nl, const struct selector *sel)
{
	bool reqid = sel->given & SELECT_REQID;
	struct nlmsghdr *req;
	size_t i;

	req = nl_request(nl, reqid ? ESPTRACK_CMD_REQID_SET :
				     ESPTRACK_CMD_SA_SET, NLM_F_ACK);
	if (reqid)
		mnl_attr_put_u32(req, ESPTRACK_A_REQID_NUMBER, sel->reqid);
	else
		sa_put_key(req, sel);
	for (i = 0; i < SWITCHES; i++)
		if (switches[i].value)
			mnl_attr_put_u8(req, reqid ? switches[i].reqid_attr :
						     switches[i].sa_attr,
					!strcmp(switches[i].value, "on"));
	return req;
}

int cmd_set(const struct options *opt, char **argv)
{
	struct selector sel;
	struct nl nl;
	int ret;

	if (selector_parse(&sel, SELECT_KEY | SELECT_REQID | SELECT_PROTO,
			   &argv) < 0 ||
	    check_selector(&sel) < 0 || parse_switches(argv) < 0)
		return EXIT_USAGE;
	if (nl_open(&nl, opt->netns) < 0)
		return EXIT_REFUSED;

	ret = nl_talk(&nl, set_request(&nl, &sel), NULL, NULL);
	nl_close(&nl);
	return ret < 0 ? EXIT_REFUSED : 0;
}
