// SPDX-License-Identifier: GPL-2.0
/* esptrack conf: what holds for a network namespace. */
#include <err.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <stdio.h>
#include <string.h>

#include "esptrack.h"
#include "nl.h"
#include "number.h"
#include "output.h"

struct conf {
	uint8_t static_nat;
	uint8_t port_only;
	uint32_t interval;		/* milliseconds */
	uint32_t burst;
};

struct rate_text {
	char text[32];
};

static const struct unit {
	const char *name;
	uint32_t msec;
} units[] = {
	{ "second", 1000 },
	{ "minute", 60000 },
};

/* "N/UNIT" if that is exact, else "1/Nms". */
static struct rate_text rate_text(uint32_t interval)
{
	struct rate_text text;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (!interval || units[i].msec % interval)
			continue;
		snprintf(text.text, sizeof(text.text), "%" PRIu32 "/%s",
			 units[i].msec / interval, units[i].name);
		return text;
	}
	snprintf(text.text, sizeof(text.text), "1/%" PRIu32 "ms", interval);
	return text;
}

/* What "/UNIT" is in milliseconds, 0 if it is none; nothing is a second. */
static uint32_t parse_unit(const char *text)
{
	char number[16];
	uint32_t msec;
	size_t i, len;

	if (!*text)
		return units[0].msec;
	if (*text++ != '/')
		return 0;
	for (i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(text, units[i].name))
			return units[i].msec;

	len = strlen(text);
	if (len < 3 || len >= sizeof(number) || strcmp(text + len - 2, "ms"))
		return 0;
	memcpy(number, text, len - 2);
	number[len - 2] = '\0';
	return number_parse(&msec, number) ? 0 : msec;
}

static int put_rate(struct nlmsghdr *req, uint16_t type, const char *text)
{
	size_t digits = strspn(text, "0123456789");
	char number[16];
	uint32_t count, msec;

	if (digits >= sizeof(number))
		return -1;
	memcpy(number, text, digits);
	number[digits] = '\0';
	msec = parse_unit(text + digits);
	if (number_parse(&count, number) || !count || msec < count)
		return -1;
	mnl_attr_put_u32(req, type, msec / count);
	return 0;
}

static int put_number(struct nlmsghdr *req, uint16_t type, const char *text)
{
	uint32_t number;

	if (number_parse(&number, text))
		return -1;
	mnl_attr_put_u32(req, type, number);
	return 0;
}

static int put_switch(struct nlmsghdr *req, uint16_t type, const char *text)
{
	bool on = !strcmp(text, "on");

	if (!on && strcmp(text, "off"))
		return -1;
	mnl_attr_put_u8(req, type, on);
	return 0;
}

static const struct key {
	const char *name;
	uint16_t attr;
	int (*put)(struct nlmsghdr *req, uint16_t type, const char *text);
	const char *expected;
} keys[] = {
	{ "static_nat", ESPTRACK_A_CONF_STATIC_NAT, put_switch,
	  "\"on\" or \"off\"" },
	{ "port_only", ESPTRACK_A_CONF_PORT_ONLY, put_switch,
	  "\"on\" or \"off\"" },
	{ "rate", ESPTRACK_A_CONF_THROTTLE_INTERVAL, put_rate,
	  "N/second, N/minute or N/Tms, and at most one a millisecond" },
	{ "burst", ESPTRACK_A_CONF_THROTTLE_BURST, put_number, "a number" },
};

static const struct key *find_key(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(name, keys[i].name))
			return &keys[i];
	return NULL;
}

/* Puts "KEY VALUE ..." into @req. Returns -1 after a message. */
static int put_keys(struct nlmsghdr *req, char **argv)
{
	unsigned int given = 0;
	const struct key *key;

	if (!*argv) {
		warnx("conf set needs static_nat, port_only, rate or burst");
		return -1;
	}
	for (; *argv; argv += 2) {
		key = find_key(*argv);
		if (!key) {
			warnx("unknown keyword \"%s\" after conf set", *argv);
			return -1;
		}
		if (given & 1U << key->attr) {
			warnx("\"%s\" is given twice", *argv);
			return -1;
		}
		given |= 1U << key->attr;
		if (!argv[1] || key->put(req, key->attr, argv[1]) < 0) {
			warnx("\"%s\" must be %s", *argv, key->expected);
			return -1;
		}
	}
	return 0;
}

static int get_conf(const struct nlmsghdr *nlh, void *data)
{
	static const uint16_t len[ESPTRACK_A_CONF_MAX + 1] = {
		[ESPTRACK_A_CONF_STATIC_NAT] = 1,
		[ESPTRACK_A_CONF_PORT_ONLY] = 1,
		[ESPTRACK_A_CONF_THROTTLE_INTERVAL] = 4,
		[ESPTRACK_A_CONF_THROTTLE_BURST] = 4,
	};
	const struct nlattr *tb[ESPTRACK_A_CONF_MAX + 1];
	struct conf *conf = data;

	if (nl_parse_msg(nlh, len, tb, ESPTRACK_A_CONF_MAX) < 0)
		return nl_nonsense();
	conf->static_nat = nl_get_u8(tb[ESPTRACK_A_CONF_STATIC_NAT]);
	conf->port_only = nl_get_u8(tb[ESPTRACK_A_CONF_PORT_ONLY]);
	conf->interval = nl_get_u32(tb[ESPTRACK_A_CONF_THROTTLE_INTERVAL]);
	conf->burst = nl_get_u32(tb[ESPTRACK_A_CONF_THROTTLE_BURST]);
	return 0;
}

static void print_conf(const struct options *opt, const struct conf *conf)
{
	struct json_object *obj;

	if (!opt->json) {
		printf("static_nat %s port_only %s rate %s burst %" PRIu32 "\n",
		       output_switch(conf->static_nat),
		       output_switch(conf->port_only),
		       rate_text(conf->interval).text, conf->burst);
		return;
	}
	obj = json_object_new_object();
	json_put(obj, "static_nat", json_object_new_boolean(conf->static_nat));
	json_put(obj, "port_only", json_object_new_boolean(conf->port_only));
	json_put(obj, "throttle_interval",
		 json_object_new_int64(conf->interval));
	json_put(obj, "throttle_burst", json_object_new_int64(conf->burst));
	json_print(obj, opt->pretty);
	putchar('\n');
}

int cmd_conf(const struct options *opt, char **argv)
{
	bool set = *argv && !strcmp(*argv, "set");
	struct conf conf = { 0 };
	struct nlmsghdr *req;
	struct nl nl = { 0 };
	int ret;

	if (*argv && (set || !strcmp(*argv, "show")))
		argv++;
	/* A typing error is found before the module is asked for anything. */
	if (set && put_keys(nl_request(&nl, 0, 0), argv) < 0)
		return EXIT_USAGE;
	if (!set && *argv) {
		warnx("unknown keyword \"%s\": expected show or set", *argv);
		return EXIT_USAGE;
	}
	if (nl_open(&nl, opt->netns) < 0)
		return EXIT_REFUSED;

	req = nl_request(&nl, set ? ESPTRACK_CMD_CONF_SET :
				    ESPTRACK_CMD_CONF_GET, NLM_F_ACK);
	if (set)
		put_keys(req, argv);
	ret = nl_talk(&nl, req, set ? NULL : get_conf, &conf);
	nl_close(&nl);
	if (!ret && !set)
		print_conf(opt, &conf);
	return ret < 0 ? EXIT_REFUSED : 0;
}
