// SPDX-License-Identifier: GPL-2.0
/*
 * rules_property [-s SEED] [-n LIVES] [-v]: property test of the rules, see
 * rules_model.c. LIVES of peers (100000), the first one by SEED, which is taken
 * from the clock by default, the others by the numbers after it. A life that
 * breaks a promise is told in full; -s with its seed, and -n 1, repeats it. -v
 * tells every life.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../kmod/rules.h"
#include "rules_model.h"

#define STEPS	300

/* Splitmix64: any seed is as good as any other. */
static uint64_t next(void *context)
{
	uint64_t *state = context, z;

	z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static const char *live(uint64_t seed, struct rules_counts *counts, FILE *trace)
{
	struct rules_dice dice = { .roll = next };

	/* Seeds that follow each other must not give the same numbers, shifted. */
	seed = next(&seed);
	dice.context = &seed;
	return rules_model_run(&dice, STEPS, counts, trace);
}

static uint64_t parse(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (!*text || *end) {
		fprintf(stderr, "rules_property: not a number: %s\n", text);
		exit(2);
	}
	return value;
}

static int report(const struct rules_counts *counts, uint64_t lives)
{
	static const char * const verdicts[] = { "moved", "observed", "refused" };
	bool idle = false;
	unsigned int i;

	printf("# %" PRIu64 " lives, %" PRIu64 " steps, %" PRIu64 " packets judged:",
	       lives, counts->steps, counts->judged);
	for (i = 0; i < 3; i++)
		printf(" %" PRIu64 " %s", counts->verdicts[i], verdicts[i]);
	printf("\n# %" PRIu64 " copies that came first moved it, ",
	       counts->copies_moved);
	printf("%" PRIu64 " moves led back; refused by reason:",
	       counts->moved_back);
	/* The last one is not for the rules to say. */
	for (i = 1; i < ESPTRACK_REASON_NO_MEMORY; i++) {
		printf(" %" PRIu64, counts->reasons[i]);
		idle |= !counts->reasons[i];
	}
	puts("");
	for (i = 0; i < 3; i++)
		idle |= !counts->verdicts[i];
	if (idle && lives >= 1000) {
		puts("not ok - rules: a verdict or a reason was never met");
		return 1;
	}
	puts("ok - rules: every promise was kept");
	return 0;
}

int main(int argc, char **argv)
{
	struct rules_counts counts = { 0 };
	uint64_t lives = 100000, i, seed;
	FILE *trace = NULL;
	struct timespec now;
	int option;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = now.tv_sec * 1000000000ULL + now.tv_nsec;
	while ((option = getopt(argc, argv, "s:n:v")) != -1) {
		switch (option) {
		case 's':
			seed = parse(optarg);
			break;
		case 'n':
			lives = parse(optarg);
			break;
		case 'v':
			trace = stdout;
			break;
		default:
			return 2;
		}
	}

	printf("# seed %" PRIu64 "\n", seed);
	for (i = 0; i < lives; i++) {
		const char *broken = live(seed + i, &counts, trace);

		if (!broken)
			continue;
		printf("# life of seed %" PRIu64 ":\n", seed + i);
		live(seed + i, &counts, stdout);
		printf("not ok - rules: %s\n", broken);
		return 1;
	}
	return report(&counts, lives);
}
