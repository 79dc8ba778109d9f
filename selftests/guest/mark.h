/* SPDX-License-Identifier: GPL-2.0 */
/*
 * By which the guest says what it is about to do (mark.py): an instruction that does
 * nothing, and whose last byte is a number.
 */
#ifndef MARK_H
#define MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "qemu_plugin.h"

#define MARK_SIZE	8

/* The file in a plugin's one argument, out=FILE; NULL if it has others. */
static inline FILE *open_out(int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4))
		return NULL;
	return fopen(argv[0] + 4, "w");
}

static inline bool is_insn(const struct qemu_plugin_insn *insn, const void *bytes,
			   size_t from, size_t n)
{
	const uint8_t *data = qemu_plugin_insn_data(insn);

	return qemu_plugin_insn_size(insn) >= from + n &&
	       !memcmp(data + from, bytes, n);
}

static inline bool is_mark(const struct qemu_plugin_insn *insn)
{
	/* nopl 0xNN345678(%rax,%rax,1) */
	static const uint8_t mark[] = { 0x0f, 0x1f, 0x84, 0x00, 0x78, 0x56, 0x34 };

	return qemu_plugin_insn_size(insn) == MARK_SIZE &&
	       is_insn(insn, mark, 0, sizeof(mark));
}

/* on_mark() is called with the number when a processor comes to the mark. */
static inline void watch_mark(struct qemu_plugin_insn *insn,
			      void (*on_mark)(unsigned int cpu, void *number))
{
	const uint8_t *data = qemu_plugin_insn_data(insn);

	qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, NO_REGISTERS,
					       (void *)(uintptr_t)data[MARK_SIZE - 1]);
}

#endif /* MARK_H */
