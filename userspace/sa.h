/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SA_H
#define SA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "names.h"

struct json_object;
struct nlattr;
struct nlmsghdr;
struct selector;

struct sa {
	uint32_t spi;
	struct addr dst;
	uint16_t port;
	struct endpoint endpoint;
	uint32_t reqid;
	bool has_mark;
	uint32_t mark;
	uint32_t mask;
	uint32_t if_id;			/* 0: none */
	uint8_t mode;
	bool static_nat;
	bool port_only;
	uint64_t moves;
	uint64_t refused;
	const void *attrs;		/* what repeats is read from here */
	size_t attrs_size;
};

struct mark_text {
	char text[sizeof("0xffffffff/0xffffffff")];
};

int sa_get_msg(struct sa *sa, const struct nlmsghdr *nlh);
int sa_get_nest(struct sa *sa, const struct nlattr *nest);
void sa_put_key(struct nlmsghdr *nlh, const struct selector *sel);
struct selector sa_key(const struct sa *sa);
bool sa_matches(const struct sa *sa, const struct selector *sel);
struct mark_text sa_mark(const struct sa *sa);
void sa_print_id(const struct sa *sa);
void sa_print_outbound(const struct sa *sa);
struct name sa_mode(const struct sa *sa);
void sa_print(const struct sa *sa);
struct json_object *sa_json(const struct sa *sa);

#endif
