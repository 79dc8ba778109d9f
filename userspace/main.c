// SPDX-License-Identifier: GPL-2.0
/* Options, and which command is meant. */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "esptrack.h"
#include "output.h"

#define VERSION "0.1"

static const char usage_text[] =
	"Usage: esptrack [ OPTIONS ] [ COMMAND ]\n"
	"COMMAND := { show [ FILTER ] | set SELECTOR SWITCH ... | del reqid REQID |\n"
	"             reqids | monitor | help }\n"
	"SWITCH := { static_nat | port_only } { on | off }\n"
	"SELECTOR := { spi SPI dst ADDR [ mark MARK [ mask MASK ] ] [ proto esp ] |\n"
	"              reqid REQID }\n"
	"FILTER := [ spi SPI ] [ dst ADDR ] [ mark MARK [ mask MASK ] ]\n"
	"          [ src ADDR ] [ reqid REQID ] [ proto esp ]\n"
	"OPTIONS := { -j | --json | -p | --pretty | -t | --timestamp |\n"
	"             -ts | --tshort | -n | --netns NETNS |\n"
	"             -V | --version | -h | --help }\n"
	"\n"
	"Without a command: show. dst is the local address of an inbound SA,\n"
	"src the address of its endpoint. What is set for a reqid holds for the\n"
	"SAs that it has, and for those that it gets later, until it is deleted;\n"
	"reqids lists it. NETNS is a name as in ip-netns(8), or\n"
	"a path with a slash.\n"
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
