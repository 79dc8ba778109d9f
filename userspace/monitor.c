// SPDX-License-Identifier: GPL-2.0
/* esptrack monitor */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <libmnl/libmnl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "esptrack.h"
#include "event.h"
#include "nl.h"
#include "output.h"

struct monitor {
	const struct options *opt;
	uint64_t last;			/* event seen, 0: none yet */
};

static volatile sig_atomic_t told_to_stop;

static void on_stop(int sig)
{
	(void)sig;
	told_to_stop = 1;
}

struct stamp {
	char text[96];
};

/* The time of now, in the two forms that ip(8) has. */
static struct stamp stamp_now(enum timestamp form)
{
	struct stamp stamp = { "" };
	struct timespec now;
	struct tm tm;
	char date[64];
	long usec;

	clock_gettime(CLOCK_REALTIME, &now);
	usec = now.tv_nsec / 1000;
	localtime_r(&now.tv_sec, &tm);
	if (form == TIMESTAMP_SHORT) {
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(stamp.text, sizeof(stamp.text), "%s.%06ld", date,
			 usec);
	} else {
		strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y", &tm);
		snprintf(stamp.text, sizeof(stamp.text), "%s %ld usec", date,
			 usec);
	}
	return stamp;
}

static void print_stamp(enum timestamp form)
{
	if (form == TIMESTAMP_SHORT)
		printf("[%s] ", stamp_now(form).text);
	else if (form == TIMESTAMP_LONG)
		printf("Timestamp: %s ", stamp_now(form).text);
}

/* Takes over @msg. */
static void print_json(const struct options *opt, const char *name,
		       struct json_object *msg)
{
	struct json_object *obj = json_object_new_object();

	json_put(obj, "name", json_object_new_string(name));
	if (opt->timestamp != TIMESTAMP_NONE)
		json_put(obj, "timestamp",
			 json_object_new_string(stamp_now(opt->timestamp).text));
	json_put(obj, "msg", msg);
	json_print(obj, opt->pretty);
	putchar('\n');
}

static void print_event(const struct options *opt, const struct event *event)
{
	if (opt->json) {
		print_json(opt, event_json_name(event), event_json(event));
		return;
	}
	print_stamp(opt->timestamp);
	event_print(event);
	putchar('\n');
}

/*
 * Says that events were lost before the one that is numbered @seq. The kernel
 * tells at once that it dropped some, but how many is known only when the next
 * one comes: until then both are 0.
 */
static void print_overrun(const struct options *opt, uint64_t lost,
			  uint64_t seq)
{
	struct json_object *msg;

	if (opt->json) {
		msg = json_object_new_object();
		if (lost)
			json_put(msg, "lost", json_object_new_uint64(lost));
		print_json(opt, "overrun", msg);
		return;
	}
	print_stamp(opt->timestamp);
	if (lost)
		printf("overrun lost %" PRIu64 " event %" PRIu64 "\n", lost,
		       seq);
	else
		puts("overrun lost unknown");
}

static void handle_event(struct monitor *mon, const struct nlmsghdr *nlh)
{
	struct event event;

	if (event_get(&event, nlh) < 0) {
		warnx("an event makes no sense");
		return;
	}
	if (mon->last && event.seq > mon->last + 1)
		print_overrun(mon->opt, event.seq - mon->last - 1, event.seq);
	if (event.seq > mon->last)
		mon->last = event.seq;
	if (event_json_name(&event))
		print_event(mon->opt, &event);
}

/* Reads what is there. Returns -1 after a message if there is no going on. */
static int receive(struct monitor *mon, struct nl *nl)
{
	const struct nlmsghdr *nlh;
	ssize_t ret;
	int len;

	ret = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
	if (ret < 0 && errno == ENOBUFS) {
		print_overrun(mon->opt, 0, 0);
		return 0;
	}
	if (ret < 0 && errno == EINTR)
		return 0;
	if (ret < 0) {
		warn("netlink");
		return -1;
	}

	len = ret;
	for (nlh = nl->buf; mnl_nlmsg_ok(nlh, len);
	     nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_type == nl->family) {
			handle_event(mon, nlh);
		} else if (nl_is_farewell(nl, nlh)) {
			warnx("module esptrack was unloaded");
			return -1;
		}
	}
	return 0;
}

/*
 * Signals are let in while waiting and while printing, but not between the look
 * at told_to_stop and the wait. What arrived before the signal is printed.
 */
static int wait_and_print(struct monitor *mon, struct nl *nl)
{
	struct pollfd fd = {
		.fd = mnl_socket_get_fd(nl->sock),
		.events = POLLIN,
	};
	const struct timespec at_once = { 0 };
	sigset_t block, old;
	int ret;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	for (;;) {
		sigprocmask(SIG_BLOCK, &block, &old);
		ret = ppoll(&fd, 1, told_to_stop ? &at_once : NULL, &old);
		sigprocmask(SIG_SETMASK, &old, NULL);
		if (!ret)
			return 0;
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0) {
			warn("poll");
			return -1;
		}
		ret = receive(mon, nl);
		if (output_flush() < 0 || ret < 0)
			return -1;
	}
}

int cmd_monitor(const struct options *opt, char **argv)
{
	const struct sigaction stop = { .sa_handler = on_stop };
	struct monitor mon = { .opt = opt };
	struct nl nl;
	int ret;

	if (*argv) {
		warnx("nothing expected after monitor, but \"%s\"", *argv);
		return EXIT_USAGE;
	}
	if (nl_open(&nl, opt->netns) < 0)
		return EXIT_REFUSED;

	/* Even where a shell made background jobs ignore them. */
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	ret = nl_subscribe(&nl);
	if (!ret) {
		/* Scripts wait for this before they cause events. */
		fputs("esptrack: monitoring\n", stderr);
		ret = wait_and_print(&mon, &nl);
	}
	nl_close(&nl);
	return ret < 0 ? EXIT_REFUSED : 0;
}
