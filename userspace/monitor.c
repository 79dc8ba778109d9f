// SPDX-License-Identifier: GPL-2.0
/*
 * esptrack monitor: what happens, without a word left out. The kernel numbers
 * the events of each network namespace. Where a number is missing, or the socket
 * was full, the loss is printed with its size, and then all SAs as they are.
 */
#include <err.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "esptrack.h"
#include "event.h"
#include "line.h"
#include "netns.h"
#include "nl.h"
#include "output.h"
#include "sa.h"
#include "source.h"
#include "stats.h"

struct monitor {
	struct line_style style;
	struct nl nl;			/* the events come here */
	unsigned int wanted;		/* bits of enum esptrack_cmd, 0: all */
	bool sync;			/* begin with the SAs as they are */
	bool full;			/* the socket was */
	int own_nsid;			/* NSID_OWN as long as none is known */
	struct source *sources;
};

static volatile sig_atomic_t told_to_stop;

/* That an event is missing shows when the next one comes. After so long without one
 * the kernel is asked: it may have had no room for the last.
 */
static const struct timespec silence = { .tv_sec = 60 };

/* More messages than a socket holds. */
#define DRAIN_LAST 65536

static void on_stop(int sig)
{
	(void)sig;
	told_to_stop = 1;
}

/*
 * Our own namespace can have a number in itself, and get it at any time: it is among
 * those with a name then, and some kernels call it so in its own events.
 */
static struct source *source_of(struct monitor *mon, int nsid)
{
	struct source *source = source_find(mon->sources, nsid);

	if (source)
		return source;
	if (nsid != NSID_OWN && mon->own_nsid == NSID_OWN)
		mon->own_nsid = netns_own_nsid();
	if (nsid != NSID_OWN && nsid == mon->own_nsid)
		return source_of(mon, NSID_OWN);
	return source_add(&mon->sources, nsid);
}

/* Events up to @last have happened: those that we have not had are lost. */
static void account(struct monitor *mon, struct source *source, uint64_t last)
{
	if (source->known && last <= source->last)
		return;
	/* Without a beginning nothing can be missing. */
	if (source->known) {
		line_overrun(&mon->style, source, last - source->last);
		source->gap = true;
	}
	source->known = true;
	source->last = last;
}

/* A namespace that has gone has left its number to another one. */
static void count_anew(struct source *source)
{
	source->last = 0;
	source->anew++;
}

static void handle_event(struct monitor *mon, struct source *source,
			 const struct nlmsghdr *nlh)
{
	struct event event;

	if (event_get(&event, nlh) < 0) {
		warnx("an event makes no sense");
		return;
	}
	/* All that were there when the namespace was asked have been read. */
	if (source->known && event.seq <= source->last)
		count_anew(source);
	account(mon, source, event.seq - 1);
	source->last = event.seq;
	if (!mon->wanted ||
	    (event.cmd < 32 && mon->wanted & 1U << event.cmd))
		line_event(&mon->style, source, &event);
}

/*
 * Reads all that is there; but if it is to end, not what comes then without end.
 * Returns -1 after a message if there is no going on.
 */
static int drain(struct monitor *mon)
{
	unsigned int left = DRAIN_LAST;
	const struct nlmsghdr *nlh;
	int nsid, len;
	ssize_t ret;

	while (!told_to_stop || left--) {
		ret = nl_recv(&mon->nl, &nsid);
		if (ret < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (ret < 0 && errno == ENOBUFS) {
			mon->full = true;
			continue;
		}
		if (ret < 0) {
			warn("netlink");
			return -1;
		}

		len = ret;
		for (nlh = mon->nl.buf; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_type == mon->nl.family) {
				handle_event(mon, source_of(mon, nsid), nlh);
			} else if (nl_is_farewell(&mon->nl, nlh)) {
				warnx("module esptrack was unloaded");
				return -1;
			}
		}
		if (output_flush() < 0)
			return -1;
	}
	return 0;
}

struct sync {
	const struct monitor *mon;
	const struct source *source;
	uint64_t sas;
};

static int sync_sa(const struct nlmsghdr *nlh, void *data)
{
	struct sync *sync = data;
	struct sa sa;

	if (sa_get_msg(&sa, nlh) < 0)
		return nl_nonsense();
	sync->sas++;
	line_sa(&sync->mon->style, sync->source, &sa);
	return 0;
}

/* Prints the SAs of a namespace as they are. Returns -1 after a message. */
static int print_sas(const struct monitor *mon, const struct source *source,
		     struct nl *nl)
{
	struct sync sync = { .mon = mon, .source = source };
	struct stats stats;

	if (stats_get(nl, &stats) < 0 ||
	    nl_talk(nl, nl_request(nl, ESPTRACK_CMD_SA_GET, NLM_F_DUMP),
		    sync_sa, &sync) < 0)
		return -1;
	line_synced(&mon->style, source, sync.sas, stats.events);
	return output_flush();
}

static int open_socket(const struct source *source, struct nl *nl)
{
	int own, ret;

	if (source->nsid == NSID_OWN)
		return nl_open(nl, NULL);

	own = netns_own();
	if (own < 0)
		return -1;
	ret = netns_enter_nsid(source->nsid);
	if (ret) {
		close(own);
		return ret;
	}
	ret = nl_open(nl, NULL);
	if (netns_return(own) < 0) {
		if (!ret)
			nl_close(nl);
		return -1;
	}
	return ret;
}

/*
 * Opens a second socket, for questions, in the namespace of @source. One without
 * a name cannot be entered, nor any without CAP_SYS_ADMIN. Returns -1 after a
 * message, 1 if that is the case.
 */
static int open_source(const struct monitor *mon, const struct source *source,
		       struct nl *nl)
{
	int ret = open_socket(source, nl);

	/* The news that it was unloaded may have been lost, too. */
	if (!ret && (nl->family != mon->nl.family ||
		     nl->events != mon->nl.events)) {
		nl_close(nl);
		warnx("module esptrack was loaded anew");
		return -1;
	}
	return ret;
}

/* Which number has the last event? 1 if that cannot be asked. */
static int ask_last(const struct monitor *mon, const struct source *source,
		    uint64_t *last)
{
	struct stats stats;
	struct nl nl;
	int ret = open_source(mon, source, &nl);

	if (ret)
		return ret;
	ret = stats_get(&nl, &stats);
	nl_close(&nl);
	*last = stats.events;
	return ret;
}

static int add_source(int nsid, void *data)
{
	struct monitor *mon = data;

	source_of(mon, nsid);
	return 0;
}

/*
 * What came before something was lost has been read and printed, and is followed by
 * what comes after: so the last number tells what is missing. @full: the socket was.
 */
static int count_lost_of(struct monitor *mon, struct source *source, bool full)
{
	const struct source before = *source;
	uint64_t last;
	int ret = ask_last(mon, source, &last);

	if (ret < 0)
		return -1;
	if (ret) {
		if (full)
			line_overrun(&mon->style, source, 0);
		return 0;
	}
	/* All up to the last one are here, or lost. */
	if (drain(mon) < 0)
		return -1;
	/* Since when it can be heard here nobody knows. */
	if (!before.known && full && last) {
		line_overrun(&mon->style, source, 0);
		source->gap = true;
		if (!source->known || source->last < last)
			source->last = last;
		source->known = true;
		return 0;
	}
	if (before.known && last < before.last && source->anew == before.anew)
		count_anew(source);
	account(mon, source, last);
	return 0;
}

/* @look: even if the socket was not full. */
static int count_lost(struct monitor *mon, bool look)
{
	struct source *source;
	bool full;

	while (mon->full || look) {
		full = mon->full;
		mon->full = false;
		look = false;
		if (mon->style.all_nsid && netns_each_nsid(add_source, mon) < 0)
			return -1;
		for (source = mon->sources; source; source = source->next)
			if (count_lost_of(mon, source, full) < 0)
				return -1;
	}
	return 0;
}

static int resync(struct monitor *mon, bool look)
{
	struct source *source;
	struct nl nl;
	int ret;

	if (count_lost(mon, look) < 0)
		return -1;
	for (source = mon->sources; source; source = source->next) {
		if (!source->gap)
			continue;
		source->gap = false;
		ret = open_source(mon, source, &nl);
		if (ret < 0)
			return -1;
		if (ret)
			continue;
		ret = print_sas(mon, source, &nl);
		nl_close(&nl);
		if (ret < 0)
			return -1;
	}
	return 0;
}

/* From which number on are events missing if they do not come? */
static int begin(struct monitor *mon)
{
	struct source *source;
	uint64_t last;
	int ret;

	source_of(mon, NSID_OWN);
	if (mon->style.all_nsid && netns_each_nsid(add_source, mon) < 0)
		return -1;
	for (source = mon->sources; source; source = source->next) {
		ret = ask_last(mon, source, &last);
		if (ret < 0)
			return -1;
		if (ret)
			continue;
		/* What has happened since we listen is to be printed. */
		if (drain(mon) < 0)
			return -1;
		account(mon, source, last);
		source->gap |= mon->sync;
	}
	return resync(mon, false);
}

/*
 * Signals are let in while waiting, but not between the look at told_to_stop and
 * the wait. What arrived before the signal is printed.
 */
static int wait_and_print(struct monitor *mon)
{
	/* A reader who has gone is noticed also while there is nothing to print. */
	struct pollfd fds[] = {
		{ .fd = mnl_socket_get_fd(mon->nl.sock), .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};
	const struct timespec at_once = { 0 };
	sigset_t block, old;
	bool stopping;
	int ret;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	for (;;) {
		sigprocmask(SIG_BLOCK, &block, &old);
		stopping = told_to_stop;
		ret = ppoll(fds, 2, stopping ? &at_once : &silence, &old);
		sigprocmask(SIG_SETMASK, &old, NULL);
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0) {
			warn("poll");
			return -1;
		}
		if (fds[1].revents) {
			warnx("nobody reads standard output any more");
			return -1;
		}
		if (ret && drain(mon) < 0)
			return -1;
		if (resync(mon, !ret && !stopping) < 0 || output_flush() < 0)
			return -1;
		if (stopping)
			return 0;
	}
}

/* Returns -1 after a message. */
static int parse(struct monitor *mon, char **argv)
{
	int cmd;

	for (; *argv; argv++) {
		if (!strcmp(*argv, "all-nsid")) {
			mon->style.all_nsid = true;
			continue;
		}
		if (!strcmp(*argv, "sync")) {
			mon->sync = true;
			continue;
		}
		cmd = event_cmd(*argv);
		if (cmd < 0) {
			warnx("unknown event \"%s\": not moved, seen, refused, sync or all-nsid",
			      *argv);
			return -1;
		}
		mon->wanted |= 1U << cmd;
	}
	return 0;
}

int cmd_monitor(const struct options *opt, char **argv)
{
	/* No line is torn by a signal; but the second one ends a monitor that
	 * nobody reads from.
	 */
	const struct sigaction stop = {
		.sa_handler = on_stop,
		.sa_flags = SA_RESTART | SA_RESETHAND,
	};
	struct monitor mon = { .style.opt = opt, .own_nsid = NSID_OWN };
	int ret;

	if (parse(&mon, argv) < 0)
		return EXIT_USAGE;
	if (nl_open(&mon.nl, opt->netns) < 0)
		return EXIT_REFUSED;

	/* Even where a shell made background jobs ignore them. */
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	/* A line is a whole one, whoever reads it. */
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	ret = nl_subscribe(&mon.nl, mon.style.all_nsid, opt->rcvbuf);
	if (!ret)
		ret = begin(&mon);
	if (!ret) {
		/* Scripts wait for this before they cause events. */
		fputs("esptrack: monitoring\n", stderr);
		ret = wait_and_print(&mon);
	}
	nl_close(&mon.nl);
	source_free(mon.sources);
	return ret < 0 ? EXIT_REFUSED : 0;
}
