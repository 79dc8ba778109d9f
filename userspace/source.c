// SPDX-License-Identifier: GPL-2.0
/* Network namespaces whose events are listened to: each numbers its own. */
#include <err.h>
#include <stdlib.h>

#include "esptrack.h"
#include "source.h"

/* Returns NULL if it is not there. */
struct source *source_find(struct source *list, int nsid)
{
	while (list && list->nsid != nsid)
		list = list->next;
	return list;
}

/* There are as many as there are namespaces. */
struct source *source_add(struct source **list, int nsid)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		errx(EXIT_REFUSED, "out of memory");

	source->nsid = nsid;
	source->next = *list;
	*list = source;
	return source;
}

void source_free(struct source *list)
{
	struct source *next;

	for (; list; list = next) {
		next = list->next;
		free(list);
	}
}
