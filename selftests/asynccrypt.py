#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Have the crypto of SAs that are added from now on done asynchronously.

asynccrypt.py cryptd|pcrypt ALGORITHM
    has the kernel build the template around the algorithm, as
    "authenc(hmac(sha256),ecb(cipher_null))", in whose stead it is then used;
    until ended, when nobody uses it any more.
"""

import errno
import os
import re
import signal
import socket
import struct
import sys
import time

NETLINK_CRYPTO = 21
CRYPTO_MSG_NEWALG = 0x10
CRYPTO_MSG_DELALG = 0x11
CRYPTO_ALG_TYPE_AEAD = 3
CRYPTO_ALG_TYPE_MASK = 0xf
REQUEST_ACK = 5


def ask(message, name, driver=""):
    """Returns what the kernel says: 0 or an errno"""
    alg = struct.pack("=64s64s64sIIII", name.encode(), driver.encode(), b"",
                      CRYPTO_ALG_TYPE_AEAD, CRYPTO_ALG_TYPE_MASK, 0, 0)
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_CRYPTO)
    sock.send(struct.pack("=IHHII", 16 + len(alg), message, REQUEST_ACK, 1, 0) + alg)
    return -struct.unpack_from("=i", sock.recv(4096), 16)[0]


def build(name, driver=""):
    error = ask(CRYPTO_MSG_NEWALG, name, driver)
    if error not in (0, errno.EEXIST):
        sys.exit(f"{driver or name}: {os.strerror(error)}")


def best_driver(name):
    """The one that the kernel takes: that of the highest priority"""
    with open("/proc/crypto", encoding="ascii") as file:
        entries = [dict(re.findall(r"(\S+) *: (.*)", text))
                   for text in file.read().split("\n\n")]
    return max((entry for entry in entries if entry.get("name") == name),
               key=lambda entry: int(entry["priority"]))["driver"]


def main():
    template, algorithm = sys.argv[1:]
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    # The template takes an algorithm that is there already, and is found by the
    # name of its driver.
    build(algorithm)
    driver = f"{template}({best_driver(algorithm)})"
    build(algorithm, driver)
    print("ready", flush=True)
    signal.sigwait([signal.SIGTERM])
    # SAs are freed a while after they have been deleted.
    for _ in range(100):
        error = ask(CRYPTO_MSG_DELALG, algorithm, driver)
        if not error:
            return
        time.sleep(0.1)
    sys.exit(f"{driver} stays: {os.strerror(error)}")


main()
