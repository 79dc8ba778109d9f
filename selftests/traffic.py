#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Numbered datagrams in both directions, and what became of them.

traffic.py run LOCAL REMOTE REPORT [--port P] [--rate R] [--count N] [--echo]
    One end. Prints "ready", waits for SIGUSR1, then sends a datagram with the
    numbers 0, 1, 2 ... R times a second (default 100; 0: none), N of them or
    until SIGTERM. --echo: instead answer each datagram at once with its own
    number. After SIGTERM it goes on to receive until the line is quiet, and
    writes REPORT. REPORT.count always holds "SENT RECEIVED".

traffic.py summary SERVER_REPORT CLIENT_REPORT [TIME]
    Prints JSON: for "to_client" and "to_server": sent, received, lost,
    duplicated, reordered, behind (by how many numbers at most), gaps (runs of lost
    numbers: first, last, count, and when the first and the last of them were sent).
    What was sent after the receiver was told to stop does not count. With TIME
    (seconds since 1970, of a rebinding) the times count from it, and there are
    lost_before (sent until a MOMENT after TIME, or before the sender had itself
    received a datagram since TIME), lost_after (sent later), recovery: seconds until
    the first datagram that was sent after TIME arrived; null if none.
"""

import argparse
import json
import os
import select
import signal
import socket
import struct
import sys
import time

SO_RCVBUFFORCE = 33
QUIET = 0.5     # seconds without a datagram mean that none is under way
# Between a packet on the wire and what it brings about, another processor may
# be sending: that is in flight as well. As in wirewatch.py.
MOMENT = 0.02 * int(os.environ.get("SLOWNESS", "1"))
PATIENCE = 5    # seconds after which an end that goes on sending is not waited for
FORM = struct.Struct("!Q")


def run(args):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # On a busy machine this program may stand still for seconds: what arrives
    # meanwhile is not lost.
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    sock.bind((args.local, args.port))
    sock.setblocking(False)
    peer = (args.remote, args.port)
    sent, received = {}, []
    errors = 0
    count = os.open(args.report + ".count", os.O_CREAT | os.O_RDWR)
    stopping = until = None

    def counts():
        os.pwrite(count, b"%010d %010d\n" % (len(sent), len(received)), 0)

    def send(number):
        nonlocal errors
        now = time.time()
        try:
            sock.sendto(FORM.pack(number) + bytes(56), peer)
        except OSError:
            # Without an SA the kernel may refuse; that is a lost datagram.
            errors += 1
        sent[number] = now

    def stop(_signal, _frame):
        nonlocal stopping, until
        stopping, until = time.monotonic(), time.time()

    counts()
    signal.signal(signal.SIGTERM, stop)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    print("ready", flush=True)
    signal.sigwait([signal.SIGUSR1])

    period = 1 / args.rate if args.rate and not args.echo else None
    due = time.monotonic()
    last = due
    number = 0
    while True:
        now = time.monotonic()
        sending = (period and stopping is None and
                   (not args.count or number < args.count))
        if sending and now >= due:
            send(number)
            number += 1
            due += period
            counts()
        # What has come is read even by an end that is late with sending, and all of
        # it before the end.
        over = stopping is not None and (now - max(last, stopping) >= QUIET or
                                         now - stopping >= PATIENCE)
        wait = max(0, due - now) if sending else QUIET / 5
        if not select.select([sock], [], [], 0 if over else wait)[0]:
            if over:
                break
            continue
        try:
            data = sock.recv(2048)
        except OSError:
            continue
        got = FORM.unpack_from(data)[0]
        if args.echo:
            send(got)
        received.append((got, time.time()))
        last = time.monotonic()
        counts()

    with open(args.report, "w", encoding="ascii") as report:
        json.dump({"sent": sorted(sent.items()), "received": received,
                   "until": until, "send_errors": errors}, report)


def direction(sender, receiver, start):
    sent = {number: when for number, when in sender["sent"] if when <= receiver["until"]}
    zero = start or 0
    seen = set()
    duplicated = reordered = behind = 0
    highest = -1
    recovery = None
    for number, when in receiver["received"]:
        if number not in sent:
            continue
        if number in seen:
            duplicated += 1
        elif number < highest:
            reordered += 1
            behind = max(behind, highest - number)
        seen.add(number)
        highest = max(highest, number)
        if start and recovery is None and sent[number] >= start:
            recovery = round(when - start, 6)
    lost = [number for number in sorted(sent) if number not in seen]
    gaps = []
    previous = None
    order = {number: place for place, number in enumerate(sorted(sent))}
    for number in lost:
        when = round(sent[number] - zero, 6)
        if previous is not None and order[number] == order[previous] + 1:
            gaps[-1]["last"] = number
            gaps[-1]["count"] += 1
            gaps[-1]["until"] = when
        else:
            gaps.append({"first": number, "last": number, "count": 1,
                         "from": when, "until": when})
        previous = number
    result = {"sent": len(sent), "received": len(seen), "lost": len(lost),
              "duplicated": duplicated, "reordered": reordered, "behind": behind,
              "send_errors": sender["send_errors"], "gaps": gaps}
    if start:
        known = min((when for _, when in sender["received"] if when >= start), default=start)
        result["lost_before"] = sum(sent[number] < max(start + MOMENT, known) for number in lost)
        result["lost_after"] = len(lost) - result["lost_before"]
        result["recovery"] = recovery
    return result


def summary(args):
    with open(args.server, encoding="ascii") as report:
        server = json.load(report)
    with open(args.client, encoding="ascii") as report:
        client = json.load(report)
    json.dump({"to_client": direction(server, client, args.time),
               "to_server": direction(client, server, args.time)}, sys.stdout)
    print()


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    sub = commands.add_parser("run")
    sub.add_argument("local")
    sub.add_argument("remote")
    sub.add_argument("report")
    sub.add_argument("--port", type=int, default=7000)
    sub.add_argument("--rate", type=float, default=100)
    sub.add_argument("--count", type=int, default=0)
    sub.add_argument("--echo", action="store_true")
    sub.set_defaults(function=run)
    sub = commands.add_parser("summary")
    sub.add_argument("server")
    sub.add_argument("client")
    sub.add_argument("time", type=float, nargs="?")
    sub.set_defaults(function=summary)
    args = parser.parse_args()
    args.function(args)


main()
