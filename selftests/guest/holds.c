// SPDX-License-Identifier: GPL-2.0
/*
 * holds.c: how long spinlocks are held, in instructions. A plugin for QEMU, so
 * that the kernel in the guest is the stock one and does not notice; for guests
 * with one processor.
 *
 *   -plugin holds.so,out=FILE
 *
 * The guest says what it is about to do by an instruction that does nothing and
 * holds a number (mark.py). When the next one comes, a line is written for each
 * place that has taken a lock meanwhile:
 *
 *   MARK ADDRESS LONGEST TIMES
 *
 * ADDRESS is where the function that takes locks has returned to. What interrupts
 * the holder does not count.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mark.h"
#include "qemu_plugin.h"

enum { WRITES = 2 };

EXPORT int qemu_plugin_version = 1;

/* A block of code begins in the upper half of the addresses, has less than 2^12
 * instructions, and may be nothing but a return: all of it fits into the pointer
 * that a callback gets.
 */
#define RETURN		0x8000000000000000ULL
#define LENGTH_SHIFT	51
#define ADDRESS_MASK	((1ULL << LENGTH_SHIFT) - 1)
#define IN_KERNEL	(1ULL << (LENGTH_SHIFT - 1))
#define LENGTH_MASK	((1ULL << (63 - LENGTH_SHIFT)) - 1)

#define SLOTS	4096

/**
 * struct held - a lock that was taken
 * @lock: its address
 * @since: instruction at which it was, without those of interrupts
 * @site: by whom
 */
struct held {
	uint64_t lock;
	uint64_t since;
	struct site *site;
};

/**
 * struct site - a place that takes locks
 * @address: where it is
 * @longest: instructions
 * @times: how often
 */
struct site {
	uint64_t address;
	uint64_t longest;
	uint64_t times;
};

static FILE *out;
static uint64_t now;
static unsigned int section;
static struct held held[SLOTS];
static struct site sites[SLOTS];
/* Taken in this block, by whom the next ones tell. */
static struct held *taken;
static uint64_t taken_in, block;
/* Interrupts that are not over, and when the first of them began. */
static unsigned int interrupts;
static uint64_t interrupted_at, interrupted;

static struct site *site_at(uint64_t address)
{
	size_t i = (address ^ address >> 12) % SLOTS, n;

	for (n = 0; n < SLOTS; n++, i = (i + 1) % SLOTS) {
		if (!sites[i].address)
			sites[i].address = address;
		if (sites[i].address == address)
			return &sites[i];
	}
	return &sites[0];
}

static void on_block(unsigned int cpu, void *data)
{
	uint64_t word = (uintptr_t)data;

	block = word & ADDRESS_MASK;
	now += word >> LENGTH_SHIFT & LENGTH_MASK;
	/* One that has put its task to sleep does not return before others. */
	if (!(block & IN_KERNEL))
		interrupts = 0;
	/* The function that takes the lock may go on, and return by a thunk. */
	if (!taken || word & RETURN || block - taken_in < 64)
		return;
	taken->site = site_at(block);
	taken = NULL;
}

static void on_lock(unsigned int cpu, meminfo info, uint64_t lock, void *data)
{
	taken = &held[(lock >> 2 ^ lock >> 14) % SLOTS];
	taken->lock = lock;
	taken->since = now - interrupted;
	taken->site = NULL;
	taken_in = block;
}

static void on_unlock(unsigned int cpu, meminfo info, uint64_t lock, void *data)
{
	struct held *h = &held[(lock >> 2 ^ lock >> 14) % SLOTS];
	const uint64_t time = now - interrupted - h->since;
	struct site *site = h->site;

	if (h->lock != lock)
		return;
	if (site) {
		site->times++;
		if (site->longest < time)
			site->longest = time;
	}
	if (taken == h)
		taken = NULL;
	h->lock = 0;
}

static void on_interrupt(unsigned int cpu, void *data)
{
	if (!interrupts++)
		interrupted_at = now;
}

static void on_return(unsigned int cpu, void *data)
{
	if (interrupts && !--interrupts)
		interrupted += now - interrupted_at;
}

static void on_mark(unsigned int cpu, void *data)
{
	size_t i;

	for (i = 0; i < SLOTS; i++)
		if (sites[i].times)
			fprintf(out, "%u %llx %llu %llu\n", section,
				sites[i].address | ~ADDRESS_MASK,
				(unsigned long long)sites[i].longest,
				(unsigned long long)sites[i].times);
	fflush(out);
	memset(sites, 0, sizeof(sites));
	memset(held, 0, sizeof(held));
	taken = NULL;
	section = (uintptr_t)data;
}

static void on_translation(plugin_id id, struct qemu_plugin_tb *tb)
{
	/* cmpxchg %edx, (%rdi) after a prefix: lock, or ds on one processor */
	static const uint8_t lock[] = { 0x0f, 0xb1, 0x17 };
	/* movb $0, (%rdi) */
	static const uint8_t unlock[] = { 0xc6, 0x07, 0x00 };
	static const uint8_t ret[] = { 0xc3 };
	/* How each interrupt begins (clac; cld), and ends (iretq). */
	static const uint8_t clac[] = { 0x0f, 0x01, 0xca }, cld[] = { 0xfc };
	static const uint8_t iretq[] = { 0x48, 0xcf };
	size_t n = qemu_plugin_tb_n_insns(tb), i;
	uint64_t word = (qemu_plugin_tb_vaddr(tb) & ADDRESS_MASK) |
			(n & LENGTH_MASK) << LENGTH_SHIFT;

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint8_t *data = qemu_plugin_insn_data(insn);

		if (is_insn(insn, lock, 1, sizeof(lock)) &&
		    (data[0] == 0xf0 || data[0] == 0x3e))
			qemu_plugin_register_vcpu_mem_cb(insn, on_lock, NO_REGISTERS,
							 WRITES, NULL);
		else if (is_insn(insn, unlock, 0, sizeof(unlock)))
			qemu_plugin_register_vcpu_mem_cb(insn, on_unlock, NO_REGISTERS,
							 WRITES, NULL);
		else if (is_mark(insn))
			watch_mark(insn, on_mark);
		else if (is_insn(insn, iretq, 0, sizeof(iretq)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_return,
							       NO_REGISTERS, NULL);
		else if (i + 1 < n && is_insn(insn, clac, 0, sizeof(clac)) &&
			 is_insn(qemu_plugin_tb_get_insn(tb, i + 1), cld, 0, sizeof(cld)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_interrupt,
							       NO_REGISTERS, NULL);
	}
	if (n == 1 && is_insn(qemu_plugin_tb_get_insn(tb, 0), ret, 0, 1))
		word |= RETURN;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGISTERS,
					     (void *)(uintptr_t)word);
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
