#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Have peers send packets to the gateway, and say what comes of each.

espverdict.py EVENTS
To be run in the gateway's namespace; the peers send from "cloud". EVENTS is what
"esptrack -j monitor" writes. Reads lines from stdin, and answers each by one:

OPTIONS batch WHAT 1
    as of esppeers.py, but also run in this namespace: "done"
OPTIONS send SEQ WHERE...
    as of esppeers.py. The answer has what was delivered inside (pings are), what
    was reported about it and all before, how the counters of the peer's SA rose,
    whether any SA or policy of this namespace has changed, and where the peer's
    SA leads to now. Waits until each packet is delivered, and reported.
quiet OPTIONS send SEQ WHERE...
    the same, but reports are not waited for
"""

import collections
import ctypes
import json
import os
import re
import subprocess
import sys
import time

import esppeers

CLONE_NEWNET = 0x40000000
KNOBS = "/sys/kernel/esptrack"
# What changes with each packet that an SA takes: its replay window
VOLATILE = re.compile(r"^\s+(anti-replay|seq-hi|lastused|[0-9a-f]{8}\b).*\n", re.M)


def in_namespace(name, function):
    """Sockets belong to where they were made."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    for namespace in (os.open("/run/netns/" + name, os.O_RDONLY), home):
        if libc.setns(namespace, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        if namespace != home:
            result = function()
    return result


def run_ip(*words, text=None):
    run = subprocess.run(["ip", *words], input=text, capture_output=True, text=True,
                         check=False)
    if run.returncode:
        raise RuntimeError(run.stderr.strip())
    return run.stdout


def ends():
    return VOLATILE.sub("", run_ip("-batch", "-", text="xfrm state\nxfrm policy\n"))


def pings():
    with open("/proc/net/snmp", encoding="ascii") as file:
        names, values = [line.split() for line in file if line.startswith("Icmp:")]
    return int(values[names.index("InEchos")])


def refused():
    """Reason -> how often, in this namespace."""
    run = subprocess.run(["/payload/esptrack", "-j", "stats"], capture_output=True,
                         text=True, check=True)
    return collections.Counter(json.loads(run.stdout)["refused"])


def wait(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)


class Knobs:
    def __init__(self, peer):
        self.folder = f"{KNOBS}/0x{peer.spi_in:08x}@{peer.gateway}"

    def read(self, name):
        with open(f"{self.folder}/{name}", encoding="ascii") as file:
            return file.read().strip()

    def counters(self):
        return [int(self.read(name)) for name in ("moves", "refused")]


class Events:
    def __init__(self, path):
        self.file = open(path, encoding="ascii")
        self.line = ""
        self.new = []

    def read(self):
        while part := self.file.readline():
            self.line += part
            if self.line.endswith("\n"):
                self.new.append(json.loads(self.line))
                self.line = ""
        return self.new

    def take(self):
        self.read()
        new, self.new = self.new, []
        return new


def endpoint(end):
    return f"{end['address']}:{end['port']}"


def describe(event):
    what = event["name"].removeprefix("sa-").removesuffix("-ntf")
    msg = event["msg"]
    if "event" not in msg:
        return what
    event = msg["event"]
    if "reason" in event:
        what += " " + event["reason"]
    return (f"{what} {msg['sa']['spi']} {endpoint(event['old'])} > "
            f"{endpoint(event['new'])} number {event['esp-seq']}")


class Driver:
    def __init__(self, path):
        self.events = Events(path)
        self.wires = {}

    def wire(self, args):
        if not self.wires:
            self.wires = in_namespace("cloud", lambda: {
                unspecified: kind for unspecified, kind in
                ((False, esppeers.Wire(args.gateway)), (True, esppeers.Link(args)))})
        return self.wires

    def batch(self, args, peers):
        lines = [line for what in args.what.split(",") for peer in peers
                 for line in esppeers.BATCHES[what](peer)]
        run_ip("-batch", "-", text="\n".join(lines) + "\n")
        wait(lambda: os.path.isdir(Knobs(peers[0]).folder))
        return "done"

    def send(self, args, peers, quiet):
        knobs = Knobs(peers[0])
        pings_before, ends_before, refused_before = pings(), ends(), refused()
        before = knobs.counters()
        esppeers.send(args, peers, self.wire(args))
        wait(lambda: pings() >= pings_before + len(args.places))
        if not quiet:
            wait(lambda: len(self.events.read()) >= len(args.places))
        delivered = pings() - pings_before
        rose = [after - was for after, was in zip(knobs.counters(), before)]
        reasons = ", ".join(f"{reason} +{n}" for reason, n in
                            sorted((refused() - refused_before).items()))
        reasons = reasons and f" ({reasons})"
        changed = ends() != ends_before
        reported = ", ".join(map(describe, self.events.take())) or "nothing reported"
        return (f"{delivered} delivered; {reported}; "
                f"moves +{rose[0]} refused +{rose[1]}{reasons}; "
                f"SAs and policies {'changed' if changed else 'as before'}; "
                f"at {knobs.read('endpoint')}")

    def answer(self, words):
        quiet = words[0] == "quiet"
        args, peers = esppeers.parse(words[1:] if quiet else words)
        if args.function is esppeers.batch:
            return self.batch(args, peers)
        return self.send(args, peers, quiet)


def main():
    driver = Driver(sys.argv[1])
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            answer = driver.answer(line.split())
        except (OSError, RuntimeError) as error:
            answer = f"error: {error}"
        print(answer.replace("\n", " "), flush=True)


main()
