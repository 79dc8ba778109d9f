/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETNS_H
#define NETNS_H

typedef int netns_fn(int nsid, void *data);

int netns_enter(const char *name);
int netns_own(void);
int netns_return(int own);
int netns_own_nsid(void);
int netns_enter_nsid(int nsid);
int netns_each_nsid(netns_fn *fn, void *data);

#endif
