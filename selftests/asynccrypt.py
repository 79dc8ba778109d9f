#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Have the crypto of SAs that are added from now on done asynchronously.

asynccrypt.py cryptd|pcrypt ALGORITHM
    has the kernel build the template around the algorithm, as
    "authenc(hmac(sha256),ecb(cipher_null))", in whose stead it is then used;
    until ended, when nobody uses it any more.
"""

import re
import signal
import socket
import struct
import sys
import time

NETLINK_CRYPTO = 21
CRYPTO_MSG_DELALG = 0x11
REQUEST_ACK = 5


def hold(name):
    sock = socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)
    sock.bind(("aead", name))
    return sock


def best_driver(name):
    """The one that the kernel takes: that of the highest priority"""
    with open("/proc/crypto", encoding="ascii") as file:
        entries = [dict(re.findall(r"(\S+) *: (.*)", text))
                   for text in file.read().split("\n\n")]
    return max((entry for entry in entries if entry.get("name") == name),
               key=lambda entry: int(entry["priority"]))["driver"]


def delete(name, driver):
    """Returns what the kernel says: 0 or an errno"""
    alg = struct.pack("=64s64s64sIIII", name.encode(), driver.encode(), b"", 0, 0, 0, 0)
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_CRYPTO)
    sock.send(struct.pack("=IHHII", 16 + len(alg), CRYPTO_MSG_DELALG, REQUEST_ACK,
                          1, 0) + alg)
    return -struct.unpack_from("=i", sock.recv(4096), 16)[0]


def main():
    template, algorithm = sys.argv[1:]
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    # The template takes an algorithm that is there already, and is found by the
    # name of its driver.
    below = hold(algorithm)
    driver = f"{template}({best_driver(algorithm)})"
    above = hold(driver)
    print("ready", flush=True)
    signal.sigwait([signal.SIGTERM])
    above.close()
    below.close()
    # SAs are freed a while after they have been deleted.
    for _ in range(100):
        error = delete(algorithm, driver)
        if not error:
            return
        time.sleep(0.1)
    sys.exit(f"{driver} stays: {error}")


main()
