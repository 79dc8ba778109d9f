/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_H
#define ESPTRACK_H

#include <stdbool.h>

#define VERSION "0.1"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Exit statuses beside 0. */
enum {
	EXIT_USAGE = 1,		/* the command line is wrong */
	EXIT_REFUSED = 2,	/* the kernel, or the output, refused */
};

enum timestamp {
	TIMESTAMP_NONE,
	TIMESTAMP_LONG,
	TIMESTAMP_SHORT,
};

struct options {
	const char *netns;	/* NULL: the one that we are in */
	bool json;
	bool pretty;
	bool oneline;
	int rcvbuf;			/* of the monitor, 0: the default */
	enum timestamp timestamp;
};

/* The commands take what follows their name and return the exit status. */
int cmd_show(const struct options *opt, char **argv);
int cmd_set(const struct options *opt, char **argv);
int cmd_del(const struct options *opt, char **argv);
int cmd_reqids(const struct options *opt, char **argv);
int cmd_conf(const struct options *opt, char **argv);
int cmd_stats(const struct options *opt, char **argv);
int cmd_metrics(const struct options *opt, char **argv);
int cmd_monitor(const struct options *opt, char **argv);

#endif
