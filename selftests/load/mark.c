// SPDX-License-Identifier: GPL-2.0
/*
 * mark NUMBER: tell QEMU's plugin holds.c what begins now, by a number from 1 to 255;
 * 0 ends it. It is the last byte of an address that an instruction has which does
 * nothing.
 */
#include <err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	/* nopl 0xNN345678(%rax,%rax,1); ret */
	uint8_t code[] = { 0x0f, 0x1f, 0x84, 0x00, 0x78, 0x56, 0x34, 0x00, 0xc3 };
	void *page;

	if (argc != 2)
		errx(2, "usage: mark NUMBER");
	code[7] = atoi(argv[1]);
	page = mmap(NULL, sizeof(code), PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		err(1, "mmap");
	memcpy(page, code, sizeof(code));
	((void (*)(void))page)();
	return 0;
}
