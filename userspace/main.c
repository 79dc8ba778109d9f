// SPDX-License-Identifier: GPL-2.0
/* Options, and which command is meant. */
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "esptrack.h"
#include "number.h"
#include "output.h"

static const char usage_text[] =
	"Usage: esptrack [ OPTIONS ] [ COMMAND ]\n"
	"COMMAND := { show [ SPI ] [ history ] [ FILTER ] |\n"
	"             set SELECTOR SWITCH ... |\n"
	"             del reqid REQID | reqids | conf [ show ] | conf set SETTING ... |\n"
	"             stats | metrics [ per-sa ] [ text ] |\n"
	"             monitor [ EVENT ... ] [ sync ] [ all-nsid ] | help }\n"
	"SWITCH := { static_nat | port_only } { on | off }\n"
	"SETTING := { SWITCH | rate N/{ second | minute } | burst N }\n"
	"EVENT := { moved | seen | refused }\n"
	"SELECTOR := { spi SPI dst ADDR [ mark MARK [ mask MASK ] ] [ proto esp ] |\n"
	"              reqid REQID }\n"
	"FILTER := [ spi SPI ] [ dst ADDR ] [ mark MARK [ mask MASK ] ]\n"
	"          [ src ADDR ] [ reqid REQID ] [ if_id IF_ID ] [ proto esp ]\n"
	"OPTIONS := { -j | --json | -p | --pretty | -t | --timestamp |\n"
	"             -ts | --tshort | -o | --oneline | -n | --netns NETNS |\n"
	"             -rc | --rcvbuf BYTES | -V | --version | -h | --help }\n"
	"\n"
	"Without a command: show, as a table. With a SPI it tells all of that SA, with\n"
	"history of each to which packets came from elsewhere. dst is the local address\n"
	"of an inbound SA, src the address of its endpoint. What is set for a reqid\n"
	"holds for the SAs that it has, and for those that it gets later, until it is\n"
	"deleted; reqids lists it. What conf sets holds for the network namespace:\n"
	"switches of SAs to come, and how often a flow may be moved. metrics prints\n"
	"OpenMetrics; with text the older format of Prometheus. monitor sync begins\n"
	"with the SAs as they are.\n"
	"NETNS is a name as in ip-netns(8), or a path with a slash. See esptrack(8).\n"
	"Exit status: 0 success, 1 wrong usage, 2 the kernel refused.\n";

static int cmd_help(const struct options *opt, char **argv)
{
	(void)opt;
	(void)argv;
	fputs(usage_text, stdout);
	return 0;
}

static int cmd_version(const struct options *opt, char **argv)
{
	(void)opt;
	(void)argv;
	puts("esptrack " VERSION);
	return 0;
}

typedef int command_fn(const struct options *opt, char **argv);

static const struct {
	const char *name;
	command_fn *run;
} commands[] = {
	{ "show", cmd_show },
	{ "set", cmd_set },
	{ "del", cmd_del },
	{ "reqids", cmd_reqids },
	{ "conf", cmd_conf },
	{ "stats", cmd_stats },
	{ "metrics", cmd_metrics },
	{ "monitor", cmd_monitor },
	{ "help", cmd_help },
};

static command_fn *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].run;
	return NULL;
}

/* As in ip(8), long names take one dash or two, and nothing is clustered. */
static bool is_option(const char *arg, const char *brief, const char *full)
{
	arg += strncmp(arg, "--", 2) ? 1 : 2;
	return !strcmp(arg, brief) || !strcmp(arg, full);
}

/*
 * Returns the command that the options ask for, or the one after them, and
 * moves @argv to what is left. NULL if they make no sense.
 */
static command_fn *parse_options(struct options *opt, char ***argv)
{
	uint32_t size;
	char *arg;

	while ((arg = **argv) && *arg == '-') {
		(*argv)++;
		if (is_option(arg, "V", "version"))
			return cmd_version;
		if (is_option(arg, "h", "help"))
			return cmd_help;
		if (is_option(arg, "j", "json")) {
			opt->json = true;
		} else if (is_option(arg, "p", "pretty")) {
			opt->pretty = true;
		} else if (is_option(arg, "o", "oneline")) {
			opt->oneline = true;
		} else if (is_option(arg, "t", "timestamp")) {
			opt->timestamp = TIMESTAMP_LONG;
		} else if (is_option(arg, "ts", "tshort")) {
			opt->timestamp = TIMESTAMP_SHORT;
		} else if (is_option(arg, "rc", "rcvbuf")) {
			if (!**argv || number_parse(&size, **argv) ||
			    !size || size > INT_MAX / 2) {
				warnx("option \"%s\" needs a number of bytes",
				      arg);
				return NULL;
			}
			opt->rcvbuf = size;
			(*argv)++;
		} else if (is_option(arg, "n", "netns")) {
			opt->netns = **argv;
			if (!opt->netns || !*opt->netns) {
				warnx("option \"%s\" needs a network namespace",
				      arg);
				return NULL;
			}
			(*argv)++;
		} else {
			warnx("unknown option \"%s\"", arg);
			return NULL;
		}
	}

	if (!arg)
		return cmd_show;
	(*argv)++;
	if (!find_command(arg))
		warnx("unknown command \"%s\"", arg);
	return find_command(arg);
}

int main(int argc, char **argv)
{
	struct options opt = { 0 };
	command_fn *run;
	int ret = EXIT_USAGE;

	/* Or a socket would be the standard output. */
	if (fcntl(STDOUT_FILENO, F_GETFD) < 0)
		err(EXIT_REFUSED, "standard output");
	/* A reader that went away is then a write error like any other. */
	signal(SIGPIPE, SIG_IGN);

	if (argc > 0)
		argv++;
	run = parse_options(&opt, &argv);
	if (run)
		ret = run(&opt, argv);
	if (ret == EXIT_USAGE)
		fputs("Try \"esptrack help\".\n", stderr);
	if (!ret && output_flush() < 0)
		ret = EXIT_REFUSED;
	return ret;
}
