/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct options;
struct sa;
struct source;

struct line_style {
	const struct options *opt;
	bool all_nsid;			/* a line tells of which namespace it is */
};

void line_event(const struct line_style *style, const struct source *source,
		const struct event *event);
void line_overrun(const struct line_style *style, const struct source *source,
		  uint64_t lost);
void line_sa(const struct line_style *style, const struct source *source,
	     const struct sa *sa);
void line_synced(const struct line_style *style, const struct source *source,
		 uint64_t sas, uint64_t seq);

#endif
