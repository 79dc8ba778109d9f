// SPDX-License-Identifier: GPL-2.0
/*
 * Unit test of the rules, over the same source file as the module's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../kmod/rules.h"

#define SECOND	1000000000ULL

static unsigned int passed, failed;

static void check(bool ok, const char *what)
{
	if (ok)
		passed++;
	else
		failed++;
	printf("%sok %u - rules: %s\n", ok ? "" : "not ", passed + failed, what);
}

/* A packet that may move the endpoint. */
static const struct esptrack_facts good = {
	.seq = 11,
	.newest = 10,
	.now = 100 * SECOND,
	.integrity = true,
	.replay_window = true,
	.source_valid = true,
	.tunnel = true,
	.static_nat = true,
};

struct outcome {
	enum esptrack_verdict verdict;
	enum esptrack_reason reason;
};

static struct outcome judge(const struct esptrack_facts *facts,
			    struct esptrack_history *history)
{
	struct outcome outcome = { .reason = 0 };

	outcome.verdict = esptrack_judge(facts, history, &outcome.reason);
	return outcome;
}

static bool moves(const struct esptrack_facts *facts,
		  struct esptrack_history *history)
{
	return judge(facts, history).verdict == ESPTRACK_MOVE;
}

static bool refused(const struct esptrack_facts *facts,
		    struct esptrack_history *history,
		    enum esptrack_reason reason)
{
	struct esptrack_history before = *history;
	struct outcome outcome = judge(facts, history);

	return outcome.verdict == ESPTRACK_REFUSE && outcome.reason == reason &&
	       !memcmp(&before, history, sizeof(before));
}

/* With one fact changed, the packet is refused for that fact. */
#define CHECK_ONLY(field, value, expected, what) do {			\
	struct esptrack_facts facts_ = good;				\
	struct esptrack_history history_ = { 0 };			\
									\
	facts_.field = value;						\
	check(refused(&facts_, &history_, expected), what);		\
} while (0)

static void test_each_rule(void)
{
	struct esptrack_history history = { 0 };
	struct esptrack_facts facts = good;
	struct outcome outcome;

	check(moves(&good, &history), "all rules hold: move");
	check(history.floor == good.seq, "a move is remembered");

	CHECK_ONLY(integrity, false, ESPTRACK_REASON_NO_INTEGRITY,
		   "no integrity: refused");
	CHECK_ONLY(replay_window, false, ESPTRACK_REASON_NO_REPLAY,
		   "no replay window: refused");
	CHECK_ONLY(seq, good.newest, ESPTRACK_REASON_STALE,
		   "as old as the newest: refused");
	CHECK_ONLY(seq, good.newest - 1, ESPTRACK_REASON_STALE,
		   "older than the newest: refused");
	CHECK_ONLY(left_lately, true, ESPTRACK_REASON_STALE,
		   "where another SA has just left: refused");
	CHECK_ONLY(source_valid, false, ESPTRACK_REASON_SOURCE,
		   "source is no peer: refused");
	CHECK_ONLY(offloaded, true, ESPTRACK_REASON_OFFLOAD,
		   "offloaded: refused");
	CHECK_ONLY(any_port, true, ESPTRACK_REASON_ANY_PORT,
		   "port 0 in the SA: refused");

	memset(&history, 0, sizeof(history));
	facts.static_nat = false;
	outcome = judge(&facts, &history);
	check(outcome.verdict == ESPTRACK_OBSERVE && !history.floor,
	      "static_nat off: observed, and nothing remembered");
}

static void test_address(void)
{
	struct esptrack_history history = { 0 };
	struct esptrack_facts facts = good;

	facts.tunnel = false;
	facts.port_only = true;
	facts.shared_reqid = true;
	facts.collision = true;
	check(moves(&facts, &history),
	      "a new port: what is about addresses does not matter");

	facts = good;
	facts.new_address = true;
	facts.seq++;
	check(moves(&facts, &history), "a new address: move");

	memset(&history, 0, sizeof(history));
	facts.port_only = true;
	check(refused(&facts, &history, ESPTRACK_REASON_ADDRESS),
	      "a new address, port_only: refused");
	facts.port_only = false;
	facts.tunnel = false;
	check(refused(&facts, &history, ESPTRACK_REASON_MODE),
	      "a new address, transport mode: refused");
	facts.tunnel = true;
	facts.shared_reqid = true;
	check(refused(&facts, &history, ESPTRACK_REASON_SHARED_REQID),
	      "a new address, another peer has the reqid: refused");
	facts.shared_reqid = false;
	facts.collision = true;
	check(refused(&facts, &history, ESPTRACK_REASON_COLLISION),
	      "a new address, another SA has the key: refused");
}

static void test_newest(void)
{
	struct esptrack_history history = { 0 };
	struct esptrack_facts facts = good;

	facts.seq = 1;
	facts.newest = 0;
	check(moves(&facts, &history), "first packet of an SA: move");
	check(refused(&facts, &history, ESPTRACK_REASON_STALE),
	      "its copy, before the window advanced: refused");

	memset(&history, 0, sizeof(history));
	facts.advanced = true;
	facts.seq = 11;
	facts.newest = 11;
	check(moves(&facts, &history),
	      "asynchronous, the window has advanced to it: move");
	facts.newest = 12;
	facts.seq = 12;
	history.floor = 12;
	check(refused(&facts, &history, ESPTRACK_REASON_STALE),
	      "asynchronous, the packet of the last move: refused");
	facts.seq = 13;
	facts.newest = 14;
	check(refused(&facts, &history, ESPTRACK_REASON_STALE),
	      "asynchronous, overtaken by a newer one: refused");

	memset(&history, 0, sizeof(history));
	facts = good;
	facts.newest = 0xffffffffULL;
	facts.seq = 0x100000000ULL;
	check(moves(&facts, &history), "ESN, over the edge of 32 bits: move");
	facts.seq = 5;
	check(refused(&facts, &history, ESPTRACK_REASON_STALE),
	      "ESN, low half newer but high half older: refused");

	memset(&history, 0, sizeof(history));
	history.floor = 20;
	facts = good;
	facts.seq = 15;
	check(refused(&facts, &history, ESPTRACK_REASON_STALE),
	      "newer than the window, older than the last move: refused");
}

static void test_throttle(void)
{
	struct esptrack_history history = { 0 };
	struct esptrack_facts facts = good;
	unsigned int i, n = 0;
	bool steady = true;

	for (i = 0; i < 8; i++, facts.seq++)
		n += moves(&facts, &history);
	check(n == 8, "a burst of 8 moves");
	check(refused(&facts, &history, ESPTRACK_REASON_THROTTLED),
	      "the ninth: throttled");

	facts.now += SECOND - 1;
	check(refused(&facts, &history, ESPTRACK_REASON_THROTTLED),
	      "less than a second later: throttled");
	facts.now += 1;
	check(moves(&facts, &history), "a second later: move");

	/* At packet rate, for a thousand seconds: one a second passes. */
	n = 0;
	for (i = 0; i < 1000 * 100; i++) {
		facts.now += SECOND / 100;
		facts.seq++;
		n += moves(&facts, &history);
	}
	check(n == 1000, "100 a second for 1,000 seconds: 1,000 moves");

	facts.now += 3600 * SECOND;
	for (i = 0; i < 9; i++) {
		facts.seq++;
		steady = steady && moves(&facts, &history) == (i < 8);
	}
	check(steady, "an hour of rest: again 8, and no more");

	memset(&history, 0, sizeof(history));
	for (i = 0, n = 0; i < 100; i++)
		n += esptrack_may_report(&good, &history);
	check(n == 8, "reports have the same throttle");
	check(moves(&good, &history), "reports do not use up moves");
}

int main(void)
{
	puts("TAP version 13");
	test_each_rule();
	test_address();
	test_newest();
	test_throttle();
	printf("1..%u\n", passed + failed);
	return failed ? 1 : 0;
}
