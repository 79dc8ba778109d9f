/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTRACK_RULES_MODEL_H
#define ESPTRACK_RULES_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct rules_dice - whence chance comes
 * @roll: a number of 64 bits
 * @ended: there is no more of it; NULL: there always is
 * @context: for both
 */
struct rules_dice {
	uint64_t (*roll)(void *context);
	bool (*ended)(void *context);
	void *context;
};

/**
 * struct rules_counts - what a run has come across, to see that it was no idle
 *	one
 */
struct rules_counts {
	uint64_t steps;
	uint64_t judged;
	uint64_t verdicts[3];
	uint64_t reasons[16];
	uint64_t copies_moved;
	uint64_t moved_back;
};

const char *rules_model_run(const struct rules_dice *dice, unsigned int steps,
			    struct rules_counts *counts, FILE *trace);

#endif /* ESPTRACK_RULES_MODEL_H */
