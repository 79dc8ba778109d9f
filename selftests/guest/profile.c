// SPDX-License-Identifier: GPL-2.0
/*
 * profile.c: in which functions of the kernel the guest spends its instructions. A
 * plugin for QEMU; for guests with one processor.
 *
 *   -plugin profile.so,out=FILE
 *
 * What is done between a mark (mark.h) and the next one is counted, if its number is not
 * 0. A line is written for each block of code that has run meanwhile:
 *
 *   SECTION MARK ADDRESS INSTRUCTIONS
 *
 * SECTION is how many marks there were.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"
#include "qemu_plugin.h"

EXPORT int qemu_plugin_version = 1;

/* In the upper half of the addresses. */
static bool is_kernel(uint64_t address)
{
	return (int64_t)address < 0;
}

/**
 * struct block - instructions without a jump, as they were translated
 * @next: translated before it; what QEMU forgets stays in this list
 * @address: of the first one
 * @length: how many they are
 * @times: how often they have run since the last mark
 */
struct block {
	struct block *next;
	uint64_t address;
	uint64_t length;
	uint64_t times;
};

static FILE *out;
static unsigned int section, number;
static struct block *blocks;

static void on_block(unsigned int cpu, void *data)
{
	struct block *block = data;

	block->times++;
}

static void on_mark(unsigned int cpu, void *data)
{
	struct block *block;

	for (block = blocks; block; block = block->next) {
		if (number && block->times)
			fprintf(out, "%u %u %llx %llu\n", section, number,
				(unsigned long long)block->address,
				(unsigned long long)(block->times * block->length));
		block->times = 0;
	}
	fflush(out);
	section++;
	number = (uintptr_t)data;
}

static void on_translation(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb), i;
	struct block *block;

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (is_mark(insn))
			watch_mark(insn, on_mark);
	}
	if (!is_kernel(qemu_plugin_tb_vaddr(tb)))
		return;
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	block->address = qemu_plugin_tb_vaddr(tb);
	block->length = n;
	block->next = blocks;
	blocks = block;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGISTERS, block);
}

static void on_end(plugin_id id, void *data)
{
	on_mark(0, NULL);
	fclose(out);
}

EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc,
			       char **argv)
{
	out = open_out(argc, argv);
	if (!out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_end, NULL);
	return 0;
}
