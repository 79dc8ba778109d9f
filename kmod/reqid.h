/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_REQID_H
#define ESPTRACK_REQID_H

#include <linux/types.h>

struct esptrack_net;
struct esptrack_sa;
struct esptrack_switches;

int esptrack_reqid_set(struct esptrack_net *tn, u32 reqid,
		       const struct esptrack_switches *switches);
int esptrack_reqid_forget(struct esptrack_net *tn, u32 reqid);
void esptrack_reqid_apply(struct esptrack_sa *sa);
struct esptrack_switches esptrack_reqid_switches(const void *entry);

#endif /* ESPTRACK_REQID_H */
