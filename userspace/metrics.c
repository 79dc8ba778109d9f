// SPDX-License-Identifier: GPL-2.0
/*
 * esptrack metrics: counters and gauges of a network namespace, for Prometheus.
 * All is asked for before anything is printed, so that there is no half of it.
 */
#include <err.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/esptrack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esptrack.h"
#include "event.h"
#include "nl.h"
#include "sa.h"
#include "spi.h"
#include "stats.h"

struct metrics {
	const char *netns;		/* NULL: the one that we are in */
	bool text;			/* the format before OpenMetrics */
	bool per_sa;
	struct stats stats;
	struct sa *sas;			/* without what repeats in an SA */
	size_t n;
};

enum type {
	TYPE_COUNTER,
	TYPE_GAUGE,
	TYPE_INFO,
};

struct family {
	const char *name;		/* as OpenMetrics has it */
	enum type type;
	const char *unit;
	const char *help;
};

struct label {
	const char *name;
	const char *value;
};

/* What a sample has behind the name of its family. */
static const char *suffix(enum type type)
{
	static const char *const suffixes[] = {
		[TYPE_COUNTER] = "_total",
		[TYPE_GAUGE] = "",
		[TYPE_INFO] = "_info",
	};

	return suffixes[type];
}

/* The older format has no families: a name is that of the samples. */
static void print_family(const struct metrics *metrics,
			 const struct family *family)
{
	static const char *const types[] = {
		[TYPE_COUNTER] = "counter",
		[TYPE_GAUGE] = "gauge",
		[TYPE_INFO] = "info",
	};
	const char *end = metrics->text ? suffix(family->type) : "";
	enum type type = family->type;

	if (metrics->text && type == TYPE_INFO)
		type = TYPE_GAUGE;
	printf("# HELP %s%s %s\n", family->name, end, family->help);
	printf("# TYPE %s%s %s\n", family->name, end, types[type]);
	if (family->unit && !metrics->text)
		printf("# UNIT %s %s\n", family->name, family->unit);
}

static void print_label(const struct label *label, const char *before)
{
	const char *c;

	printf("%s%s=\"", before, label->name);
	for (c = label->value; *c; c++) {
		if (*c == '\n') {
			fputs("\\n", stdout);
			continue;
		}
		if (*c == '\\' || *c == '"')
			putchar('\\');
		putchar(*c);
	}
	putchar('"');
}

/* @labels end with one that has no name. A value of NULL: it has no such label. */
static void print_sample(const struct metrics *metrics,
			 const struct family *family,
			 const struct label *labels, uint64_t value)
{
	const struct label netns = { "netns", metrics->netns };
	const char *before = "{";

	printf("%s%s", family->name, suffix(family->type));
	/* Files of several namespaces can be served together. */
	if (netns.value) {
		print_label(&netns, before);
		before = ",";
	}
	for (; labels && labels->name; labels++) {
		if (!labels->value)
			continue;
		print_label(labels, before);
		before = ",";
	}
	printf("%s %" PRIu64 "\n", *before == ',' ? "}" : "", value);
}

/* What is loaded may be older, or newer, than the tool. Returns whether it is known. */
static bool module_version(char *version, int size)
{
	FILE *file = fopen("/sys/module/esptrack/version", "re");
	bool known = file && fgets(version, size, file);

	if (file)
		fclose(file);
	if (known)
		version[strcspn(version, "\n")] = '\0';
	return known;
}

static void print_version(const struct metrics *metrics)
{
	static const struct family family = {
		"esptrack", TYPE_INFO, NULL,
		"Versions of the tool and of the module that is loaded.",
	};
	char module[32];
	const struct label labels[] = {
		{ "version", VERSION },
		{ "module", module_version(module, sizeof(module)) ? module : NULL },
		{ 0 }
	};

	print_family(metrics, &family);
	print_sample(metrics, &family, labels, 1);
}

static void print_counts(const struct metrics *metrics)
{
	const struct stats *stats = &metrics->stats;
	const struct {
		struct family family;
		uint64_t value;
	} counts[] = {
		{ { "esptrack_sas", TYPE_GAUGE, NULL,
		    "Inbound ESP-in-UDP SAs that are tracked." },
		  stats->sas },
		{ { "esptrack_sas_following", TYPE_GAUGE, NULL,
		    "Those of them that have static_nat on." },
		  stats->following },
		{ { "esptrack_packets", TYPE_COUNTER, "packets",
		    "Packets that the SAs have accepted." },
		  stats->packets },
		{ { "esptrack_elsewhere_packets", TYPE_COUNTER, "packets",
		    "Accepted packets that did not come from the endpoint of their SA." },
		  stats->elsewhere },
		{ { "esptrack_forged_packets", TYPE_COUNTER, "packets",
		    "Packets that failed the integrity check of their SA." },
		  stats->forged },
		{ { "esptrack_malformed_packets", TYPE_COUNTER, "packets",
		    "Packets from elsewhere that were of no use to their SA." },
		  stats->malformed },
		{ { "esptrack_moves", TYPE_COUNTER, NULL,
		    "Moves of a flow to a new endpoint." },
		  stats->moved },
		{ { "esptrack_seen_packets", TYPE_COUNTER, "packets",
		    "Packets that would have moved their flow, but static_nat is off." },
		  stats->seen },
		{ { "esptrack_unreported_packets", TYPE_COUNTER, "packets",
		    "Packets, seen or refused, that had no event of their own." },
		  stats->unreported },
		{ { "esptrack_events", TYPE_COUNTER, NULL, "Events." },
		  stats->events },
		{ { "esptrack_events_lost", TYPE_COUNTER, NULL,
		    "Events that the kernel had no memory for." },
		  stats->events_lost },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		print_family(metrics, &counts[i].family);
		print_sample(metrics, &counts[i].family, NULL, counts[i].value);
	}
}

/* Also those that there were none of: a series should not begin with an event. */
static void print_refused(const struct metrics *metrics)
{
	static const struct family family = {
		"esptrack_refused_packets", TYPE_COUNTER, "packets",
		"Authenticated packets from elsewhere that broke a rule.",
	};
	uint32_t reason;

	print_family(metrics, &family);
	for (reason = 0; reason < STATS_REASONS; reason++) {
		struct name name = reason_name(reason);
		const struct label labels[] = { { "reason", name.text }, { 0 } };
		uint64_t value = metrics->stats.refused[reason];
		bool known = reason && reason <= ESPTRACK_REASON_MAX;

		if (known || value)
			print_sample(metrics, &family, labels, value);
	}
}

static void print_sa_sample(const struct metrics *metrics,
			    const struct family *family, const struct sa *sa,
			    uint64_t value)
{
	struct spi_text spi = spi_text(sa->spi);
	struct addr_text dst = addr_text(&sa->dst);
	char reqid[sizeof("4294967295")];
	struct mark_text mark = sa_mark(sa);
	const struct label labels[] = {
		{ "spi", spi.text },
		{ "dst", dst.text },
		/* It is part of the key: others may have the rest in common. */
		{ "mark", sa->has_mark ? mark.text : NULL },
		{ "reqid", reqid },
		{ 0 }
	};

	snprintf(reqid, sizeof(reqid), "%" PRIu32, sa->reqid);
	print_sample(metrics, family, labels, value);
}

static void print_per_sa(const struct metrics *metrics)
{
	static const struct family moves = {
		"esptrack_sa_moves", TYPE_COUNTER, NULL,
		"How often the SA was moved.",
	};
	static const struct family refused = {
		"esptrack_sa_refused_packets", TYPE_COUNTER, "packets",
		"Authenticated packets of the SA from elsewhere that broke a rule.",
	};
	static const struct family following = {
		"esptrack_sa_static_nat", TYPE_GAUGE, NULL,
		"Is the peer followed? 1 or 0.",
	};
	const struct sa *sas = metrics->sas;
	size_t i;

	/* A family is in one piece. */
	print_family(metrics, &moves);
	for (i = 0; i < metrics->n; i++)
		print_sa_sample(metrics, &moves, &sas[i], sas[i].moves);
	print_family(metrics, &refused);
	for (i = 0; i < metrics->n; i++)
		print_sa_sample(metrics, &refused, &sas[i], sas[i].refused);
	print_family(metrics, &following);
	for (i = 0; i < metrics->n; i++)
		print_sa_sample(metrics, &following, &sas[i],
				sas[i].static_nat);
}

static int collect(const struct nlmsghdr *nlh, void *data)
{
	struct metrics *metrics = data;
	struct sa *sas, *sa;

	sas = realloc(metrics->sas, (metrics->n + 1) * sizeof(*sas));
	if (!sas)
		errx(EXIT_REFUSED, "out of memory");
	metrics->sas = sas;
	sa = &sas[metrics->n];
	if (sa_get_msg(sa, nlh) < 0)
		return nl_nonsense();
	/* The message does not last. */
	sa->attrs = NULL;
	sa->attrs_size = 0;
	metrics->n++;
	return 0;
}

/* Returns -1 after a message. */
static int get(struct metrics *metrics)
{
	struct nl nl;
	int ret;

	if (nl_open(&nl, metrics->netns) < 0)
		return -1;
	ret = stats_get(&nl, &metrics->stats);
	if (!ret && metrics->per_sa)
		ret = nl_talk(&nl, nl_request(&nl, ESPTRACK_CMD_SA_GET,
					      NLM_F_DUMP), collect, metrics);
	nl_close(&nl);
	return ret;
}

static void print(const struct metrics *metrics)
{
	print_version(metrics);
	print_counts(metrics);
	print_refused(metrics);
	if (metrics->per_sa)
		print_per_sa(metrics);
	if (!metrics->text)
		puts("# EOF");
}

/* Returns -1 after a message. */
static int parse(struct metrics *metrics, const struct options *opt,
		 char **argv)
{
	metrics->netns = opt->netns;
	for (; *argv; argv++) {
		if (!strcmp(*argv, "per-sa")) {
			metrics->per_sa = true;
		} else if (!strcmp(*argv, "text")) {
			metrics->text = true;
		} else {
			warnx("unknown keyword \"%s\": expected per-sa or text",
			      *argv);
			return -1;
		}
	}
	if (opt->json) {
		warnx("metrics have a format of their own: see \"esptrack -j stats\"");
		return -1;
	}
	return 0;
}

int cmd_metrics(const struct options *opt, char **argv)
{
	struct metrics metrics = { 0 };
	int ret;

	if (parse(&metrics, opt, argv) < 0)
		return EXIT_USAGE;
	ret = get(&metrics);
	if (!ret)
		print(&metrics);
	free(metrics.sas);
	return ret < 0 ? EXIT_REFUSED : 0;
}
