// SPDX-License-Identifier: GPL-2.0
/* A tracked SA: from a message, and as text and JSON. */
#include <inttypes.h>
#include <json-c/json.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <linux/genetlink.h>
#include <stdio.h>

#include "names.h"
#include "nl.h"
#include "output.h"
#include "sa.h"
#include "selector.h"
#include "spi.h"

/*
 * By value of XFRM_MODE_*, as ip-xfrm(8) says them. Only those that an SA with
 * ESP can have.
 */
static const char *const modes[] = {
	[0] = "transport",
	[1] = "tunnel",
	[4] = "beet",
	[5] = "iptfs",
};

static const struct names mode_names = NAMES(modes);

/* Returns -1 if @attrs make no SA. */
static int sa_get(struct sa *sa, const void *attrs, size_t size)
{
	static const uint16_t len[ESPTRACK_A_SA_MAX + 1] = {
		[ESPTRACK_A_SA_SPI] = 4,
		[ESPTRACK_A_SA_LOCAL_IPV4] = 4,
		[ESPTRACK_A_SA_LOCAL_IPV6] = 16,
		[ESPTRACK_A_SA_LOCAL_PORT] = 2,
		[ESPTRACK_A_SA_REQID] = 4,
		[ESPTRACK_A_SA_MARK] = 4,
		[ESPTRACK_A_SA_MARK_MASK] = 4,
		[ESPTRACK_A_SA_IF_ID] = 4,
		[ESPTRACK_A_SA_MODE] = 1,
		[ESPTRACK_A_SA_STATIC_NAT] = 1,
		[ESPTRACK_A_SA_MOVES] = 8,
		[ESPTRACK_A_SA_REFUSED] = 8,
		[ESPTRACK_A_SA_OUTBOUND] = 4,
		[ESPTRACK_A_SA_PORT_ONLY] = 1,
	};
	const struct nlattr *tb[ESPTRACK_A_SA_MAX + 1];

	if (nl_parse(attrs, size, len, tb, ESPTRACK_A_SA_MAX) < 0 ||
	    !tb[ESPTRACK_A_SA_SPI] ||
	    addr_get(&sa->dst, tb[ESPTRACK_A_SA_LOCAL_IPV4],
		     tb[ESPTRACK_A_SA_LOCAL_IPV6]) < 0 ||
	    endpoint_get(&sa->endpoint, tb[ESPTRACK_A_SA_REMOTE]) < 0)
		return -1;

	sa->spi = nl_get_be32(tb[ESPTRACK_A_SA_SPI]);
	sa->port = nl_get_be16(tb[ESPTRACK_A_SA_LOCAL_PORT]);
	sa->reqid = nl_get_u32(tb[ESPTRACK_A_SA_REQID]);
	sa->has_mark = tb[ESPTRACK_A_SA_MARK];
	sa->mark = nl_get_u32(tb[ESPTRACK_A_SA_MARK]);
	sa->mask = nl_get_u32(tb[ESPTRACK_A_SA_MARK_MASK]);
	sa->if_id = nl_get_u32(tb[ESPTRACK_A_SA_IF_ID]);
	sa->mode = nl_get_u8(tb[ESPTRACK_A_SA_MODE]);
	sa->static_nat = nl_get_u8(tb[ESPTRACK_A_SA_STATIC_NAT]);
	sa->port_only = nl_get_u8(tb[ESPTRACK_A_SA_PORT_ONLY]);
	sa->moves = nl_get_u64(tb[ESPTRACK_A_SA_MOVES]);
	sa->refused = nl_get_u64(tb[ESPTRACK_A_SA_REFUSED]);
	sa->attrs = attrs;
	sa->attrs_size = size;
	return 0;
}

int sa_get_msg(struct sa *sa, const struct nlmsghdr *nlh)
{
	if (mnl_nlmsg_get_payload_len(nlh) < GENL_HDRLEN)
		return -1;
	return sa_get(sa, mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN),
		      mnl_nlmsg_get_payload_len(nlh) - GENL_HDRLEN);
}

int sa_get_nest(struct sa *sa, const struct nlattr *nest)
{
	if (!nest)
		return -1;
	return sa_get(sa, mnl_attr_get_payload(nest),
		      mnl_attr_get_payload_len(nest));
}

/* Puts the part of @sel by which the kernel finds an SA. */
void sa_put_key(struct nlmsghdr *nlh, const struct selector *sel)
{
	mnl_attr_put_u32(nlh, ESPTRACK_A_SA_SPI, htonl(sel->spi));
	addr_put(nlh, &sel->dst, ESPTRACK_A_SA_LOCAL_IPV4,
		 ESPTRACK_A_SA_LOCAL_IPV6);
	if (sel->given & SELECT_MARK) {
		mnl_attr_put_u32(nlh, ESPTRACK_A_SA_MARK, sel->mark);
		mnl_attr_put_u32(nlh, ESPTRACK_A_SA_MARK_MASK, sel->mask);
	}
}

/* By which the kernel finds @sa. */
struct selector sa_key(const struct sa *sa)
{
	struct selector sel = {
		.given = SELECT_ID,
		.spi = sa->spi,
		.dst = sa->dst,
		.mark = sa->mark,
		.mask = sa->mask,
	};

	if (sa->has_mark)
		sel.given |= SELECT_MARK | SELECT_MASK;
	return sel;
}

bool sa_matches(const struct sa *sa, const struct selector *sel)
{
	if ((sel->given & SELECT_SPI) && sa->spi != sel->spi)
		return false;
	if ((sel->given & SELECT_DST) && !addr_equal(&sa->dst, &sel->dst))
		return false;
	if ((sel->given & SELECT_SRC) &&
	    !addr_equal(&sa->endpoint.addr, &sel->src))
		return false;
	if ((sel->given & SELECT_REQID) && sa->reqid != sel->reqid)
		return false;
	if ((sel->given & SELECT_IF_ID) && sa->if_id != sel->if_id)
		return false;
	if ((sel->given & SELECT_MARK) &&
	    (!sa->has_mark || sa->mark != sel->mark || sa->mask != sel->mask))
		return false;
	return true;
}

/* Empty if it has none. */
struct mark_text sa_mark(const struct sa *sa)
{
	struct mark_text mark = { "" };

	if (sa->has_mark)
		snprintf(mark.text, sizeof(mark.text), "0x%x/0x%x", sa->mark,
			 sa->mask);
	return mark;
}

/* The beginning of a line, without a blank behind it. */
void sa_print_id(const struct sa *sa)
{
	printf("spi %s dst %s", spi_text(sa->spi).text,
	       addr_text(&sa->dst).text);
	if (sa->has_mark)
		printf(" mark %s", sa_mark(sa).text);
	if (sa->if_id)
		printf(" if_id 0x%x", sa->if_id);
	printf(" reqid %" PRIu32, sa->reqid);
}

/* The SPIs of the outbound SAs; "none" if there are none. */
void sa_print_outbound(const struct sa *sa)
{
	const struct nlattr *attr;
	const char *before = "";

	mnl_attr_for_each_payload(sa->attrs, sa->attrs_size) {
		if (mnl_attr_get_type(attr) != ESPTRACK_A_SA_OUTBOUND)
			continue;
		printf("%s%s", before, spi_text(nl_get_be32(attr)).text);
		before = ",";
	}
	if (!*before)
		printf("none");
}

struct name sa_mode(const struct sa *sa)
{
	return name_of(&mode_names, sa->mode);
}

/* All in one line, without its end. */
void sa_print(const struct sa *sa)
{
	sa_print_id(sa);
	printf(" mode %s endpoint %s static_nat %s%s moves %" PRIu64
	       " refused %" PRIu64 " outbound ", sa_mode(sa).text,
	       endpoint_text(&sa->endpoint).text, sa->static_nat ? "on" : "off",
	       sa->port_only ? " port_only on" : "", sa->moves, sa->refused);
	sa_print_outbound(sa);
}

static struct json_object *outbound_json(const struct sa *sa)
{
	struct json_object *array = json_object_new_array();
	const struct nlattr *attr;

	mnl_attr_for_each_payload(sa->attrs, sa->attrs_size)
		if (mnl_attr_get_type(attr) == ESPTRACK_A_SA_OUTBOUND)
			json_append(array, spi_json(nl_get_be32(attr)));
	return array;
}

struct json_object *sa_json(const struct sa *sa)
{
	struct json_object *obj = json_object_new_object();

	json_put(obj, "spi", spi_json(sa->spi));
	json_put(obj, "dst",
		 json_object_new_string(addr_text(&sa->dst).text));
	json_put(obj, "port", json_object_new_int(sa->port));
	if (sa->has_mark) {
		json_put(obj, "mark", json_hex(sa->mark));
		json_put(obj, "mask", json_hex(sa->mask));
	}
	if (sa->if_id)
		json_put(obj, "if_id", json_hex(sa->if_id));
	json_put(obj, "reqid", json_object_new_int64(sa->reqid));
	json_put(obj, "mode",
		 json_object_new_string(sa_mode(sa).text));
	json_put(obj, "endpoint", endpoint_json(&sa->endpoint));
	json_put(obj, "static_nat", json_object_new_boolean(sa->static_nat));
	json_put(obj, "port_only", json_object_new_boolean(sa->port_only));
	json_put(obj, "moves", json_object_new_uint64(sa->moves));
	json_put(obj, "refused", json_object_new_uint64(sa->refused));
	json_put(obj, "outbound", outbound_json(sa));
	return obj;
}
