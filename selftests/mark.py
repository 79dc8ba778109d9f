#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
mark.py NUMBER: tell QEMU's plugins what begins now, by a number from 1 to 255; 0 ends
it. It is the last byte of an address that an instruction has which does nothing
(guest/mark.h).
"""

import ctypes
import mmap
import sys

# nopl 0xNN345678(%rax,%rax,1); ret
CODE = "0f 1f 84 00 78 56 34 {:02x} c3"


def mark(number):
    """A function that does it, again and again if need be."""
    page = mmap.mmap(-1, mmap.PAGESIZE,
                     prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex(CODE.format(number)))
    code = ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    code.page = page
    return code


if __name__ == "__main__":
    mark(int(sys.argv[1]))()
