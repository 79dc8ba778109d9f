// SPDX-License-Identifier: GPL-2.0
/*
 * A model of the world around the rules: a peer who roams and has several SAs, a
 * network that loses, doubles and reorders his packets, an attacker who copies,
 * replays, races and forges them, a daemon that makes SAs anew, an operator who
 * turns switches. Chance decides what happens next.
 *
 * The gateway in it is played in a few lines: what its SAs accept, and what the
 * module tells the rules. All that is decided is decided by kmod/rules.c. The
 * model knows the truth (who has sent what, when, and from where), and after
 * each step it looks whether what the rules promise was kept. The promises are
 * the texts in the calls of promise() below.
 */
#include "rules_model.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "../kmod/rules.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define BIT(n)			(1U << (n))

#define SECOND		1000000000ULL
#define BURST		8
#define LEFT_LATELY	(2 * SECOND)
#define SAS		3
#define PACKETS		32
#define PENDING		4
#define WINDOW		64
#define LOG		1024

/**
 * struct place - where a packet may come from
 * @address: which of some addresses
 * @port: which of some ports, 0 is port 0
 * @unicast: a peer may have the address
 */
struct place {
	unsigned int address;
	unsigned int port;
	bool unicast;
};

/* The attacker may be behind the same NAT as the peer. */
static const struct place places[] = {
	{ 1, 1, true }, { 1, 2, true }, { 2, 1, true }, { 2, 2, true },
	{ 1, 9, true }, { 8, 1, true }, { 8, 0, true }, { 9, 1, false },
};

#define PEER_PLACES	4
#define ATTACKER_PLACES	4

/**
 * struct packet - one that was sent
 * @sa: by which SA
 * @keys: of the SA at that time
 * @seq: its number
 * @from: place of who sent it
 * @forged: not by the peer
 * @accepted: the gateway has accepted it, or a copy
 * @moved: it has moved the flow, or a copy
 */
struct packet {
	unsigned int sa;
	unsigned int keys;
	uint64_t seq;
	unsigned int from;
	bool forged;
	bool accepted;
	bool moved;
};

/**
 * struct arrival - a packet at the gateway
 * @packet: which
 * @source: place from which it seems to come
 * @advanced: the replay window has it already
 */
struct arrival {
	struct packet *packet;
	unsigned int source;
	bool advanced;
};

/**
 * struct log - when something happened
 * @n: how often
 * @at: nanoseconds
 */
struct log {
	unsigned int n;
	uint64_t at[LOG];
};

/**
 * struct sa - an SA, at both ends
 * @integrity: has it
 * @window: has it
 * @esn: its numbers have 64 bits
 * @keys: which ones
 * @sent: the peer's last number
 * @newest: the highest number in the window
 * @seen: the window, its bit 0 is @newest
 * @history: for the rules
 * @left: where the flow was before another SA moved it, -1: not so
 * @left_at: when that was
 * @top: the two highest numbers that were accepted under these keys
 * @moved: the highest number that moved the flow under these keys
 * @reports: which were allowed
 * @pending: packets that are with an asynchronous crypto engine
 * @n_pending: how many
 */
struct sa {
	bool integrity;
	bool window;
	bool esn;
	unsigned int keys;
	uint64_t sent;
	uint64_t newest;
	uint64_t seen;
	struct esptrack_history history;
	int left;
	uint64_t left_at;
	uint64_t top[2];
	uint64_t moved;
	struct log reports;
	struct arrival pending[PENDING];
	unsigned int n_pending;
};

/**
 * struct world - all of it
 * @dice: whence chance comes
 * @counts: what was come across
 * @trace: where to tell, or NULL
 * @broken: the first promise that was not kept
 * @now: nanoseconds
 * @peer: the place where the peer is
 * @endpoint: the place where the gateway sends to
 * @been: places where the peer has been, one bit each
 * @static_nat: as in &struct esptrack_facts, also those below
 * @port_only: as above
 * @tunnel: as above
 * @shared_reqid: as above
 * @collision: as above
 * @offloaded: as above
 * @any_port: as above
 * @crowded: as above
 * @burst: how often the flow may be moved at once
 * @interval: nanoseconds until it may be once more
 * @sas: the SAs
 * @packets: what was sent lately; may arrive any number of times
 * @n_packets: how many were sent
 * @moves: of the flow
 * @mover: the SA that moved it last
 * @moved_from: where it was before
 */
struct world {
	const struct rules_dice *dice;
	struct rules_counts *counts;
	FILE *trace;
	const char *broken;
	uint64_t now;
	unsigned int peer;
	unsigned int endpoint;
	unsigned int been;
	bool static_nat;
	bool port_only;
	bool tunnel;
	bool shared_reqid;
	bool collision;
	bool offloaded;
	bool any_port;
	bool crowded;
	unsigned int burst;
	uint64_t interval;
	struct sa sas[SAS];
	struct packet packets[PACKETS];
	unsigned int n_packets;
	struct log moves;
	unsigned int mover;
	unsigned int moved_from;
};

static void tell(const struct world *world, const char *format, ...)
{
	va_list args;

	if (!world->trace)
		return;
	va_start(args, format);
	vfprintf(world->trace, format, args);
	va_end(args);
}

static void promise(struct world *world, bool kept, const char *text)
{
	if (!kept && !world->broken) {
		world->broken = text;
		tell(world, "    NOT KEPT: %s\n", text);
	}
}

static uint64_t roll(const struct world *world)
{
	return world->dice->roll(world->dice->context);
}

static unsigned int below(const struct world *world, unsigned int n)
{
	return roll(world) % n;
}

static bool one_in(const struct world *world, unsigned int n)
{
	return !below(world, n);
}

/* May it happen once more, if @burst may happen at once and then one in each
 * @interval? Said of every span of time that ends now, not by a bucket.
 */
static bool is_due(const struct log *log, uint64_t now, unsigned int burst,
		   uint64_t interval)
{
	unsigned int i;

	for (i = 0; i < log->n; i++)
		if (log->n - i + 1 > burst + (now - log->at[i]) / interval)
			return false;
	return true;
}

/* Rules that say nothing about the flow */
#define OF_THE_PACKET	(BIT(ESPTRACK_REASON_NO_INTEGRITY) | \
			 BIT(ESPTRACK_REASON_NO_REPLAY) | \
			 BIT(ESPTRACK_REASON_STALE) | \
			 BIT(ESPTRACK_REASON_SOURCE) | \
			 BIT(ESPTRACK_REASON_ANY_PORT))

static bool may_move(const struct world *world)
{
	return is_due(&world->moves, world->now, world->burst,
		      world->interval);
}

static bool may_report(const struct world *world, const struct sa *sa)
{
	return is_due(&sa->reports, world->now, BURST, SECOND);
}

static void log_add(struct log *log, uint64_t now)
{
	if (log->n < LOG)
		log->at[log->n++] = now;
}

/* What of the table in the README does not hold for this packet: one bit for
 * each reason. This is the truth, and knows nothing of facts and histories.
 */
static unsigned int what_is_wrong(const struct world *world,
				  const struct sa *sa,
				  const struct arrival *arrival)
{
	const struct place *source = &places[arrival->source];
	const struct place *endpoint = &places[world->endpoint];
	uint64_t seq = arrival->packet->seq;
	uint64_t others = sa->top[0];
	unsigned int wrong = 0;

	if (!sa->integrity)
		wrong |= BIT(ESPTRACK_REASON_NO_INTEGRITY);
	if (!sa->window)
		wrong |= BIT(ESPTRACK_REASON_NO_REPLAY);

	/* Once for itself, where it was accepted already. */
	if (arrival->advanced && seq == others)
		others = sa->top[1];
	if (seq <= others || seq <= sa->moved)
		wrong |= BIT(ESPTRACK_REASON_STALE);
	if (world->moves.n && world->mover != arrival->packet->sa &&
	    world->moved_from == arrival->source &&
	    world->now - world->moves.at[world->moves.n - 1] < LEFT_LATELY)
		wrong |= BIT(ESPTRACK_REASON_STALE);

	if (!source->unicast || !source->port)
		wrong |= BIT(ESPTRACK_REASON_SOURCE);
	if (world->offloaded)
		wrong |= BIT(ESPTRACK_REASON_OFFLOAD);
	if (world->any_port)
		wrong |= BIT(ESPTRACK_REASON_ANY_PORT);
	if (world->crowded)
		wrong |= BIT(ESPTRACK_REASON_CROWDED);
	if (source->address == endpoint->address)
		return wrong;

	if (world->port_only)
		wrong |= BIT(ESPTRACK_REASON_ADDRESS);
	if (!world->tunnel)
		wrong |= BIT(ESPTRACK_REASON_MODE);
	if (world->shared_reqid)
		wrong |= BIT(ESPTRACK_REASON_SHARED_REQID);
	if (world->collision)
		wrong |= BIT(ESPTRACK_REASON_COLLISION);
	return wrong;
}

/* As the module does it, in packet.c. */
static void gather(const struct world *world, const struct sa *sa,
		   const struct arrival *arrival, struct esptrack_facts *facts)
{
	const struct place *source = &places[arrival->source];

	memset(facts, 0, sizeof(*facts));
	facts->seq = arrival->packet->seq;
	facts->newest = sa->newest;
	facts->now = world->now;
	facts->advanced = arrival->advanced;
	facts->integrity = sa->integrity;
	facts->replay_window = sa->window;
	facts->source_valid = source->unicast && source->port;
	facts->left_lately = world->now - sa->left_at < LEFT_LATELY &&
			     sa->left == (int)arrival->source;
	facts->new_address = source->address != places[world->endpoint].address;
	facts->port_only = world->port_only;
	facts->tunnel = world->tunnel;
	facts->shared_reqid = world->shared_reqid;
	facts->collision = world->collision;
	facts->offloaded = world->offloaded;
	facts->any_port = world->any_port;
	facts->static_nat = world->static_nat;
	facts->crowded = world->crowded;
	/* 0 is the default. */
	facts->move_interval = world->interval == SECOND ? 0 : world->interval;
	facts->move_burst = world->burst == BURST ? 0 : world->burst;
}

static void move(struct world *world, struct sa *sa,
		 const struct arrival *arrival)
{
	unsigned int i;

	for (i = 0; i < SAS; i++) {
		world->sas[i].history.moves = sa->history.moves;
		world->sas[i].left = world->endpoint;
		world->sas[i].left_at = world->now;
	}
	sa->left = -1;
	world->mover = arrival->packet->sa;
	world->moved_from = world->endpoint;
	world->endpoint = arrival->source;
}

static void judge_move(struct world *world, struct sa *sa,
		       const struct arrival *arrival)
{
	struct packet *packet = arrival->packet;
	bool copy = arrival->source != packet->from;

	promise(world, !packet->forged,
		"nothing moves by what the peer has not sent");
	promise(world, packet->seq > sa->moved,
		"each move is by a newer packet than the one before");
	promise(world, !packet->moved, "no packet moves twice");
	promise(world, arrival->advanced || !packet->accepted,
		"what was accepted once never moves again");
	promise(world, copy || world->been & BIT(arrival->source),
		"without copies it only moves to where the peer has been");
	promise(world, may_move(world),
		"no more moves than a burst, and one for each second");

	packet->moved = true;
	sa->moved = packet->seq;
	log_add(&world->moves, world->now);
	world->counts->copies_moved += copy;
	world->counts->moved_back += arrival->source == world->moved_from;
	move(world, sa, arrival);
}

static void judge(struct world *world, const struct arrival *arrival)
{
	struct sa *sa = &world->sas[arrival->packet->sa];
	struct esptrack_history before = sa->history;
	enum esptrack_verdict verdict;
	struct esptrack_facts facts;
	enum esptrack_reason reason;
	unsigned int wrong;
	bool due, report;

	if (arrival->source == world->endpoint)
		return;

	wrong = what_is_wrong(world, sa, arrival);
	due = may_move(world);
	gather(world, sa, arrival, &facts);
	promise(world, esptrack_is_due(&facts, &sa->history) ==
		       (!(wrong & OF_THE_PACKET) &&
			(world->static_nat ? due : may_report(world, sa))),
		"the flow is looked at where it matters, and only there");
	verdict = esptrack_judge(&facts, &sa->history, &reason);
	tell(world, "    judged: verdict %d, reason %d, wrong %#x\n", verdict,
	     reason, wrong);
	world->counts->judged++;
	world->counts->verdicts[verdict]++;
	if (verdict == ESPTRACK_REFUSE)
		world->counts->reasons[reason]++;

	if (wrong) {
		promise(world, verdict == ESPTRACK_REFUSE,
			"who breaks a rule is refused");
		promise(world, wrong & BIT(reason),
			"the reason is a rule that was broken");
	} else if (!world->static_nat) {
		promise(world, verdict == ESPTRACK_OBSERVE,
			"with static_nat off, who breaks no rule is observed");
	} else if (!due) {
		promise(world,
			verdict == ESPTRACK_REFUSE &&
			reason == ESPTRACK_REASON_THROTTLED,
			"who breaks no rule, but is too quick, is throttled");
	} else {
		promise(world, verdict == ESPTRACK_MOVE,
			"who breaks no rule is followed");
	}
	promise(world, verdict == ESPTRACK_REFUSE || !reason,
		"only who is refused is told a reason");
	promise(world, !memcmp(&before.reports, &sa->history.reports,
			       sizeof(before.reports)),
		"verdicts do not use up reports");

	if (verdict == ESPTRACK_MOVE) {
		judge_move(world, sa, arrival);
		return;
	}
	promise(world, !memcmp(&before, &sa->history, sizeof(before)),
		"what does not move leaves no trace");
	report = esptrack_may_report(&facts, &sa->history);
	promise(world, report == may_report(world, sa),
		"reports: a burst, and one for each second");
	if (report)
		log_add(&sa->reports, world->now);
	promise(world,
		before.floor == sa->history.floor &&
		!memcmp(&before.moves, &sa->history.moves, sizeof(before.moves)),
		"reports do not use up moves");
}

/* RFC 4303, section 3.4.3. */
static bool window_takes(const struct sa *sa, uint64_t seq)
{
	if (!sa->window)
		return true;
	if (!seq)
		return false;
	if (seq > sa->newest)
		return true;
	return sa->newest - seq < WINDOW &&
	       !(sa->seen >> (sa->newest - seq) & 1);
}

static bool window_advance(struct sa *sa, struct packet *packet)
{
	uint64_t seq = packet->seq;

	if (!window_takes(sa, seq))
		return false;
	packet->accepted = true;
	if (seq >= sa->top[0]) {
		sa->top[1] = sa->top[0];
		sa->top[0] = seq;
	} else if (seq > sa->top[1]) {
		sa->top[1] = seq;
	}

	if (!sa->window)
		return true;
	if (seq > sa->newest) {
		uint64_t shift = seq - sa->newest;

		sa->seen = shift < WINDOW ? sa->seen << shift : 0;
		sa->newest = seq;
	}
	sa->seen |= 1ULL << (sa->newest - seq);
	return true;
}

/* Does it come as far as to ESP, and is the ICV good? */
static bool is_taken(struct world *world, const struct arrival *arrival)
{
	const struct packet *packet = arrival->packet;
	struct sa *sa = &world->sas[packet->sa];

	if (!window_takes(sa, packet->seq))
		return false;
	return !sa->integrity || (!packet->forged && packet->keys == sa->keys);
}

static void arrive(struct world *world, const struct arrival *arrival)
{
	struct sa *sa = &world->sas[arrival->packet->sa];

	tell(world, "  SA %u, number %#" PRIx64 ", sent from %u, arrives from %u\n",
	     arrival->packet->sa, arrival->packet->seq, arrival->packet->from,
	     arrival->source);
	if (!is_taken(world, arrival))
		return;
	judge(world, arrival);
	window_advance(sa, arrival->packet);
}

/* On two processors: the replay window has none of them when both are looked
 * up, and maybe not when they are judged.
 */
static void arrive_both(struct world *world, const struct arrival *one,
			const struct arrival *other)
{
	bool take_one = is_taken(world, one), take_other = is_taken(world, other);
	bool at_once = one_in(world, 2);

	tell(world, "  at once: SA %u, number %#" PRIx64 ", from %u;",
	     one->packet->sa, one->packet->seq, one->source);
	tell(world, " SA %u, number %#" PRIx64 ", from %u\n",
	     other->packet->sa, other->packet->seq, other->source);
	if (take_one)
		judge(world, one);
	if (take_one && !at_once)
		window_advance(&world->sas[one->packet->sa], one->packet);
	if (take_other)
		judge(world, other);
	if (take_one && at_once)
		window_advance(&world->sas[one->packet->sa], one->packet);
	if (take_other)
		window_advance(&world->sas[other->packet->sa], other->packet);
}

static struct packet *send_packet(struct world *world, unsigned int sa,
				  uint64_t seq, unsigned int from, bool forged)
{
	struct packet *packet = &world->packets[world->n_packets++ % PACKETS];
	struct sa *old = &world->sas[packet->sa];
	unsigned int i = 0;

	/* What was sent so long ago is lost. */
	while (i < old->n_pending)
		if (old->pending[i].packet == packet)
			old->pending[i] = old->pending[--old->n_pending];
		else
			i++;

	*packet = (struct packet) {
		.sa = sa,
		.keys = world->sas[sa].keys,
		.seq = seq,
		.from = from,
		.forged = forged,
	};
	return packet;
}

static struct packet *peer_sends(struct world *world, struct sa *sa)
{
	uint64_t step = one_in(world, 8) ? below(world, 2 * WINDOW) + 1 : 1;

	/* Others that were lost, so many that ESN matters. */
	if (one_in(world, 32))
		step = 0xffffff00;
	if (!sa->esn && sa->sent + step > UINT32_MAX)
		return NULL;
	sa->sent += step;
	return send_packet(world, sa - world->sas, sa->sent, world->peer, false);
}

/* Mostly one of the last ones. */
static struct packet *any_packet(struct world *world)
{
	unsigned int n = world->n_packets < PACKETS ? world->n_packets : PACKETS;

	if (!n)
		return NULL;
	if (!one_in(world, 4) && n > 4)
		n = 4;
	return &world->packets[(world->n_packets - 1 - below(world, n)) % PACKETS];
}

static struct arrival any_arrival(struct world *world)
{
	struct arrival arrival = { .packet = any_packet(world) };

	if (!arrival.packet)
		return arrival;
	arrival.source = arrival.packet->from;
	if (one_in(world, 3))
		arrival.source = PEER_PLACES + below(world, ATTACKER_PLACES);
	else if (one_in(world, 8))
		arrival.source = below(world, PEER_PLACES);
	return arrival;
}

/* The crypto engine takes a packet, or gives one back, in any order. Then first
 * the window advances, and others may come before the packet is judged.
 */
static void take_or_return(struct world *world)
{
	struct sa *sa = &world->sas[below(world, SAS)];
	struct arrival arrival, *pending;

	if (one_in(world, 2) && sa->n_pending) {
		pending = &sa->pending[below(world, sa->n_pending)];
		if (!pending->advanced) {
			pending->advanced = true;
			/* If not, its copy was quicker, and it is dropped. */
			if (window_advance(sa, pending->packet))
				return;
		} else {
			tell(world, "  back from the engine: SA %u, number %#" PRIx64 ", from %u\n",
			     pending->packet->sa, pending->packet->seq,
			     pending->source);
			judge(world, pending);
		}
		*pending = sa->pending[--sa->n_pending];
		return;
	}

	arrival = any_arrival(world);
	if (!arrival.packet)
		return;
	sa = &world->sas[arrival.packet->sa];
	if (sa->n_pending < PENDING && is_taken(world, &arrival))
		sa->pending[sa->n_pending++] = arrival;
}

/* A daemon deletes an SA and adds it again. With the same keys it may give it
 * the window of some time ago, or an empty one; see take_over() in sa.c.
 */
static void add_again(struct world *world, struct sa *sa, bool new_keys)
{
	tell(world, "  SA %u is added again, %s keys\n",
	     (unsigned int)(sa - world->sas), new_keys ? "with new" : "same");
	sa->n_pending = 0;
	if (new_keys) {
		sa->keys++;
		sa->history.floor = 0;
		sa->sent = 0;
		sa->top[0] = 0;
		sa->top[1] = 0;
		sa->moved = 0;
	} else if (sa->newest > sa->history.floor) {
		sa->history.floor = sa->newest;
	}
	if (new_keys || one_in(world, 2))
		sa->newest = 0;
	else
		sa->newest -= sa->newest > WINDOW ? below(world, WINDOW) : 0;
	sa->seen = 0;
}

static void forge(struct world *world)
{
	struct sa *sa = &world->sas[below(world, SAS)];
	uint64_t seq = sa->sent + below(world, 1000);
	struct arrival arrival;

	if (one_in(world, 4))
		seq = roll(world) & (sa->esn ? UINT64_MAX : UINT32_MAX);
	arrival.source = PEER_PLACES + below(world, ATTACKER_PLACES);
	arrival.advanced = false;
	arrival.packet = send_packet(world, sa - world->sas, seq,
				     arrival.source, true);
	arrive(world, &arrival);
}

static void flip(struct world *world)
{
	bool *switches[] = {
		&world->static_nat, &world->port_only, &world->tunnel,
		&world->shared_reqid, &world->collision, &world->offloaded,
		&world->any_port, &world->crowded,
	};
	unsigned int i = below(world, ARRAY_SIZE(switches));

	*switches[i] = !*switches[i];
	tell(world, "  switch %u is %d now\n", i, *switches[i]);
}

static void all_well(struct world *world)
{
	world->static_nat = true;
	world->tunnel = true;
	world->port_only = false;
	world->shared_reqid = false;
	world->collision = false;
	world->offloaded = false;
	world->any_port = false;
	world->crowded = false;
}

static void pass_time(struct world *world)
{
	static const uint64_t spans[] = {
		1000, SECOND / 100, SECOND, SECOND, 4 * SECOND, 3600 * SECOND,
	};
	uint64_t span = spans[below(world, ARRAY_SIZE(spans))];

	/* Also such that a whole number of seconds is over, or about to be. */
	if (one_in(world, 4))
		world->now += span - below(world, 2);
	else
		world->now += roll(world) % span;
	tell(world, "  it is %" PRIu64 " now\n", world->now);
}

static void roam(struct world *world)
{
	world->peer = below(world, PEER_PLACES);
	world->been |= BIT(world->peer);
	tell(world, "  the peer is at %u now\n", world->peer);
}

static void speak(struct world *world)
{
	struct arrival arrival = { 0 };

	arrival.packet = peer_sends(world, &world->sas[below(world, SAS)]);
	if (!arrival.packet || one_in(world, 4))
		return;
	arrival.source = world->peer;
	arrive(world, &arrival);
}

static void step(struct world *world)
{
	struct arrival one, other;

	switch (below(world, 16)) {
	case 0: case 1: case 2: case 3: case 4:
		speak(world);
		break;
	case 5: case 6: case 7:
		one = any_arrival(world);
		if (one.packet)
			arrive(world, &one);
		break;
	case 8:
		one = any_arrival(world);
		other = any_arrival(world);
		if (one.packet)
			arrive_both(world, &one, &other);
		break;
	case 9: case 10:
		take_or_return(world);
		break;
	case 11:
		forge(world);
		break;
	case 12: case 13:
		roam(world);
		break;
	case 14:
		pass_time(world);
		break;
	case 15:
		if (one_in(world, 3))
			add_again(world, &world->sas[below(world, SAS)],
				  one_in(world, 4));
		else if (one_in(world, 2))
			all_well(world);
		else
			flip(world);
		break;
	}
}

/* Whatever has happened, whoever has attacked: it must leave no damage. */
static void recover(struct world *world)
{
	struct sa *sa = &world->sas[below(world, SAS)];
	struct arrival arrival = { 0 };

	tell(world, "  an hour of rest, and all is well\n");
	all_well(world);
	world->now += 3600 * SECOND;
	if (!sa->integrity || !sa->window)
		return;
	if (!sa->esn && sa->sent == UINT32_MAX)
		add_again(world, sa, true);
	sa->sent++;
	arrival.packet = send_packet(world, sa - world->sas, sa->sent,
				     world->peer, false);
	arrival.source = world->peer;
	arrive(world, &arrival);
	promise(world, world->endpoint == world->peer,
		"after an hour of rest the peer's next packet finds him");
}

static void begin(struct world *world)
{
	static const uint64_t numbers[] = {
		0, 0, 1, 1000, 0xffffff80, 0xfffffffe, 0x1ffffffc0,
	};
	unsigned int i;

	all_well(world);
	world->burst = one_in(world, 2) ? BURST : 3;
	world->interval = one_in(world, 2) ? SECOND : 2 * SECOND;
	world->been = BIT(world->peer);
	world->now = one_in(world, 2) ? 0 : roll(world) >> 8;
	for (i = 0; i < SAS; i++) {
		struct sa *sa = &world->sas[i];

		sa->integrity = !one_in(world, 8);
		sa->window = !one_in(world, 8);
		sa->esn = one_in(world, 2);
		sa->left = -1;
		sa->sent = numbers[below(world, ARRAY_SIZE(numbers))];
		if (!sa->esn)
			sa->sent &= UINT32_MAX;
		if (sa->window) {
			sa->newest = sa->sent;
			sa->seen = UINT64_MAX;
		}
		sa->top[0] = sa->sent;
		tell(world, "  SA %u: integrity %d, window %d, ESN %d, at %#" PRIx64 "\n",
		     i, sa->integrity, sa->window, sa->esn, sa->sent);
	}
}

/**
 * rules_model_run() - one life of a peer
 * @dice: decides what happens
 * @steps: how many things happen, at most
 * @counts: added to
 * @trace: where to tell what happens, or NULL
 *
 * Return: NULL, or what was promised and not kept.
 */
const char *rules_model_run(const struct rules_dice *dice, unsigned int steps,
			    struct rules_counts *counts, FILE *trace)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	world.dice = dice;
	world.counts = counts;
	world.trace = trace;

	begin(&world);
	while (steps-- && !world.broken &&
	       !(dice->ended && dice->ended(dice->context))) {
		step(&world);
		counts->steps++;
	}
	if (!world.broken)
		recover(&world);
	return world.broken;
}
