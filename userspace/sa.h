/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SA_H
#define SA_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

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
	const struct nlattr *nest;	/* its outbound SPIs are read from here */
};

int sa_get(struct sa *sa, const struct nlattr *nest);
void sa_put_key(struct nlmsghdr *nlh, const struct selector *sel);
bool sa_matches(const struct sa *sa, const struct selector *sel);
void sa_print_id(const struct sa *sa);
void sa_print(const struct sa *sa);
struct json_object *sa_json(const struct sa *sa);

#endif
