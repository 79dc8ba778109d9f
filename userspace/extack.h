/* SPDX-License-Identifier: GPL-2.0 */
#ifndef EXTACK_H
#define EXTACK_H

struct nlmsghdr;

void kernel_error(int err);
void extack_error(const struct nlmsghdr *req, const struct nlmsghdr *answer,
		  int err);

#endif
