/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#define NSID_OWN (-1)

/* A network namespace whose events are listened to. */
struct source {
	int nsid;			/* NSID_OWN, or as in ip-netns(8) */
	bool known;			/* last is */
	bool gap;			/* events were lost, SAs are to be told */
	uint64_t last;			/* number of the last event */
	unsigned int anew;		/* how often it began to count anew */
	struct source *next;
};

struct source *source_find(struct source *list, int nsid);
struct source *source_add(struct source **list, int nsid);
void source_free(struct source *list);

#endif
