#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Let the first, the second, the third ... allocation of something fail.

faults.py load MODULE STEP
    of loading the module, each STEP-th of them. It must fail with ENOMEM, or
    work all the same; afterwards it is unloaded.
faults.py netlink
    of requests to the esptrack family. Each must be answered by "ok", by ENOMEM,
    or, where not even the answer can be made, by ENOBUFS.
Prints JSON: how many allocations have failed, and what came of that. Needs a kernel
with fault injection.
"""

import collections
import ctypes
import errno
import json
import os
import struct
import sys

import genl

FINIT_MODULE, DELETE_MODULE = 313, 176
libc = ctypes.CDLL(None, use_errno=True)
fail_nth = os.open("/proc/self/fail-nth", os.O_RDWR)


def with_fault(n, call):
    """What the call returns, or the errno of its exception; and if it came to the
    fault"""
    os.pwrite(fail_nth, b"%d" % n, 0)
    try:
        result = call()
    except OSError as error:
        # Silence, too, is an answer, but not one that is wanted.
        result = error.errno or errno.ETIMEDOUT
    left = int(os.pread(fail_nth, 16, 0))
    os.pwrite(fail_nth, b"0", 0)
    return result, left == 0


def syscall(*args):
    if libc.syscall(*args) < 0:
        raise OSError(ctypes.get_errno(), "syscall")
    return 0


def load(path, step):
    results = collections.Counter()
    n = 1
    while True:
        module = os.open(path, os.O_RDONLY)
        result, failed = with_fault(
            n, lambda: syscall(FINIT_MODULE, module, b"static_nat=1", 0))
        os.close(module)
        loaded = os.path.exists("/sys/module/esptrack/refcnt")
        if loaded != (not result):
            sys.exit(f"allocation {n}: {result}, but loaded: {loaded}")
        if loaded:
            syscall(DELETE_MODULE, b"esptrack", os.O_NONBLOCK)
        if not failed:
            break
        results[errno.errorcode.get(result, "ok")] += 1
        n += int(step)
    return results


def requests():
    yield genl.GET, genl.SPI + genl.IPV4, 0
    yield genl.SET, genl.SPI + genl.IPV4 + genl.ON, 0
    yield genl.GET, b"", genl.NLM_F_DUMP
    # Numbers far apart need memory each.
    numbers = [genl.attr(genl.REQID_NUMBER, struct.pack("=I", number))
               for number in range(1 << 10, 1 << 31, 1 << 28)]
    for number in numbers:
        yield genl.REQID_SET, number + genl.REQID_ON, 0
    yield genl.REQID_GET, b"", genl.NLM_F_DUMP
    for number in numbers:
        yield genl.REQID_DEL, number, 0


def netlink():
    results = collections.Counter()
    family = genl.Genl().family("esptrack")
    for cmd, data, flags in requests():
        n, failed = 1, True
        while failed:
            talk = genl.Genl()

            def ask():
                talk.send(family, cmd, data, flags)
                for kind, _, answer in talk.answers():
                    if kind in (genl.NLMSG_ERROR, genl.NLMSG_DONE):
                        return -struct.unpack_from("=i", answer)[0]
                return None

            result, failed = with_fault(n, ask)
            talk.sock.close()
            if failed:
                results[errno.errorcode.get(result, "ok")] += 1
            elif result and cmd != genl.REQID_DEL:
                sys.exit(f"without a fault: {result}")
            n += 1
    return results


results = load(*sys.argv[2:]) if sys.argv[1] == "load" else netlink()
print(json.dumps({"failed": sum(results.values()), "results": results}))
