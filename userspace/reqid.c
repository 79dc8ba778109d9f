// SPDX-License-Identifier: GPL-2.0
/* esptrack del and esptrack reqids: what is set for later SAs of a reqid. */
#include <err.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <stdio.h>

#include "esptrack.h"
#include "nl.h"
#include "output.h"
#include "selector.h"

int cmd_del(const struct options *opt, char **argv)
{
	struct selector sel;
	struct nlmsghdr *req;
	struct nl nl;
	int ret;

	if (selector_parse(&sel, SELECT_REQID, &argv) < 0)
		return EXIT_USAGE;
	if (!sel.given || *argv) {
		warnx("del needs \"reqid REQID\", and nothing else");
		return EXIT_USAGE;
	}
	if (nl_open(&nl, opt->netns) < 0)
		return EXIT_REFUSED;

	req = nl_request(&nl, ESPTRACK_CMD_REQID_DEL, NLM_F_ACK);
	mnl_attr_put_u32(req, ESPTRACK_A_REQID_NUMBER, sel.reqid);
	ret = nl_talk(&nl, req, NULL, NULL);
	nl_close(&nl);
	return ret < 0 ? EXIT_REFUSED : 0;
}

static void print_switch(const char *name, const struct nlattr *attr)
{
	if (attr)
		printf(" %s %s", name, nl_get_u8(attr) ? "on" : "off");
}

static void json_put_switch(struct json_object *obj, const char *name,
			    const struct nlattr *attr)
{
	if (attr)
		json_put(obj, name, json_object_new_boolean(nl_get_u8(attr)));
}

struct list {
	const struct options *opt;
	struct json_object *array;
};

static int list_reqid(const struct nlmsghdr *nlh, void *data)
{
	static const uint16_t len[ESPTRACK_A_REQID_MAX + 1] = {
		[ESPTRACK_A_REQID_NUMBER] = 4,
		[ESPTRACK_A_REQID_STATIC_NAT] = 1,
		[ESPTRACK_A_REQID_PORT_ONLY] = 1,
	};
	const struct nlattr *tb[ESPTRACK_A_REQID_MAX + 1];
	struct list *list = data;
	struct json_object *obj;
	uint32_t reqid;

	if (nl_parse_msg(nlh, len, tb, ESPTRACK_A_REQID_MAX) < 0 ||
	    !tb[ESPTRACK_A_REQID_NUMBER])
		return nl_nonsense();
	reqid = nl_get_u32(tb[ESPTRACK_A_REQID_NUMBER]);

	if (!list->opt->json) {
		printf("reqid %" PRIu32, reqid);
		print_switch("static_nat", tb[ESPTRACK_A_REQID_STATIC_NAT]);
		print_switch("port_only", tb[ESPTRACK_A_REQID_PORT_ONLY]);
		putchar('\n');
		return 0;
	}
	obj = json_object_new_object();
	json_put(obj, "reqid", json_object_new_int64(reqid));
	json_put_switch(obj, "static_nat", tb[ESPTRACK_A_REQID_STATIC_NAT]);
	json_put_switch(obj, "port_only", tb[ESPTRACK_A_REQID_PORT_ONLY]);
	json_append(list->array, obj);
	return 0;
}

int cmd_reqids(const struct options *opt, char **argv)
{
	struct list list = { .opt = opt };
	struct nl nl;
	int ret;

	if (*argv) {
		warnx("nothing expected after reqids, but \"%s\"", *argv);
		return EXIT_USAGE;
	}
	if (nl_open(&nl, opt->netns) < 0)
		return EXIT_REFUSED;

	list.array = json_object_new_array();
	ret = nl_talk(&nl, nl_request(&nl, ESPTRACK_CMD_REQID_GET, NLM_F_DUMP),
		      list_reqid, &list);
	nl_close(&nl);
	if (opt->json && !ret) {
		json_print(list.array, opt->pretty);
		putchar('\n');
	} else {
		json_object_put(list.array);
	}
	return ret < 0 ? EXIT_REFUSED : 0;
}
