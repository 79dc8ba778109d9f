// SPDX-License-Identifier: GPL-2.0
/*
 * The same lives as in rules_property.c, but chosen by a fuzzer that sees which
 * branches of rules.c and of the model they take (libFuzzer, of clang).
 */
#include <stdlib.h>
#include <string.h>

#include "rules_model.h"

#define STEPS	1000

/**
 * struct input - what the fuzzer gives
 * @data: the bytes that are left
 * @size: how many
 */
struct input {
	const uint8_t *data;
	size_t size;
};

/* Two bytes for each choice, so that a change of one of them changes one choice;
 * where the first is 0xff all eight bits of the others count.
 */
static uint64_t next(void *context)
{
	struct input *input = context;
	uint64_t value = 0;
	size_t n = 2;

	if (input->size && *input->data == 0xff)
		n = 9;
	if (n > input->size)
		n = input->size;
	memcpy(&value, input->data + (n == 9), n == 9 ? 8 : n);
	input->data += n;
	input->size -= n;
	return value;
}

static bool ended(void *context)
{
	struct input *input = context;

	return !input->size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { .data = data, .size = size };
	struct rules_dice dice = {
		.roll = next,
		.ended = ended,
		.context = &input,
	};
	struct rules_counts counts = { 0 };
	struct input again = input;

	if (!rules_model_run(&dice, STEPS, &counts, NULL))
		return 0;

	/* Once more, and tell. */
	dice.context = &again;
	rules_model_run(&dice, STEPS, &counts, stderr);
	abort();
}
