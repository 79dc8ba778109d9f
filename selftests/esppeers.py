#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Many peers of one gateway, each behind a NAT of his own, in one program.

They speak real ESP in UDP, without encryption but with HMAC-SHA-256-128, which
is all that the standard library can do, and need no addresses: they send from
any, and listen to the wire. What they send are pings through the tunnel.

esppeers.py [--gateway A] [--first I] [OPTIONS OF THE SAS] batch WHAT,... N [--home J]
    lines for "ip -batch" about the peers I to I + N - 1: states-in, states-out
    and policies add SAs and policies of the gateway, with the peers' first
    place, or that of peer J; delete-in and delete-policies delete them again
... flood N [--cpu C]
    until ended: each peer in turn sends a packet, always from another place
... ping N [--place P] [--at I] [--tries T]
    each peer sends from place P, or that of peer I, until he is answered there.
    JSON: how many were, and how many packets that took
... race COUNT
    peer I sends COUNT packets, while an attacker sends copies of each from
    two other places, on two processors. JSON: their first and last number
... replay FIRST LAST
    the attacker sends the packets FIRST to LAST again, on two processors
... copy PLACE...
    peer I sends a packet; copies of it arrive first, from these places
... send SEQ WHERE...
    peer I sends a packet with this number, and if there is more than one WHERE
    the next ones: each is a place, or ADDRESS:PORT; K@WHERE: for SA K of his
... audit N
    compare what the gateway's kernel has with what the batches have set up.
    JSON: numbers of what is wrong, all 0 if nothing is
serve
    what each line of stdin says, one after the other, as to start this program takes
    longer than most of it. A line begins with the names of two files, for output
    and errors, and is answered by the exit status
To be run in a namespace next to the gateway's, which is called NETNS (server).

By the family of the gateway's address ESP comes; what is in it is always IPv4.

Other SAs than tunnels with HMAC and a replay window of 32:
    --auth hmac|null|none  null: digest_null; none: no algorithm is given
    --mode tunnel|transport
    --window N
    --esn                  extended sequence numbers; SEQ may exceed 32 bits
    --ports REMOTE,LOCAL   of the encapsulation, instead of the first place's
    --source A             of inbound SAs, instead of the first place
    --child K              another SA of the same peer, beside the first (0)
"""

import argparse
import collections
import hashlib
import hmac
import json
import mmap
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import types

PORT = 4500
ICV = 16
HOME = 0
NET = "10.10.0.1"   # what the gateway protects: an address of its own
PLACES = 32
PLACES_IPV6 = socket.inet_pton(socket.AF_INET6, "2001:db8:64::")[:6]

USUAL = types.SimpleNamespace(auth="hmac", mode="tunnel", window=32, esn=False,
                              ports=None, source=None, child=0)


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip_header(src, dst, proto, size, check=0):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + size, 0, 0, 64, proto, check,
                       socket.inet_aton(src), socket.inet_aton(dst))


def is_ipv6(address):
    return ":" in address


def family(address):
    return socket.AF_INET6 if is_ipv6(address) else socket.AF_INET


class Peer:
    last_seq = 0

    def __init__(self, number, gateway, sa=USUAL):
        self.sa = sa
        low = f"{number >> 8}.{number & 255}"
        self.low = low
        self.gateway = gateway
        self.net = "10.30." + low
        self.home = self.place(HOME)[0]
        self.reqid = 1000 + number
        self.spi_in = (sa.child << 20) + 0x10000 + number
        self.spi_out = (sa.child << 20) + 0x20000 + number
        self.key = hashlib.sha256(str(number).encode()).digest()
        inner = ip_header(self.net, NET, socket.IPPROTO_ICMP, 8)
        inner = ip_header(self.net, NET, socket.IPPROTO_ICMP, 8, checksum(inner))
        echo = struct.pack("!BBHHH", 8, 0, 0, number & 0xffff, 1)
        echo = struct.pack("!BBHHH", 8, 0, checksum(echo), number & 0xffff, 1)
        # Padding to a multiple of four, its length, and the next header
        if sa.mode == "tunnel":
            self.inner = inner + echo + b"\x01\x02\x02\x04"
        else:
            self.inner = echo + b"\x01\x02\x02\x01"

    def place(self, number):
        """Address and port; the address differs from that of the next place."""
        port, net = divmod(number % PLACES, 16)
        address = f"100.{64 + net}.{self.low}"
        if is_ipv6(self.gateway):
            address = socket.inet_ntop(socket.AF_INET6, PLACES_IPV6 + bytes(6) +
                                       socket.inet_aton(address))
        return address, PORT + port

    def next_seq(self):
        """Rises from one run of this program to the next, too."""
        now = time.monotonic_ns() >> 16 & 0x7fffffff
        self.last_seq = max(self.last_seq + 1, now)
        return self.last_seq

    def packet(self, seq):
        esp = struct.pack("!II", self.spi_in, seq & 0xffffffff) + self.inner
        if self.sa.auth != "hmac":
            return esp
        # The high half is not sent, but proven.
        high = struct.pack("!I", seq >> 32) if self.sa.esn else b""
        return esp + hmac.digest(self.key, esp + high, "sha256")[:ICV]

    def is_mine(self, esp):
        return hmac.compare_digest(
            esp[-ICV:], hmac.digest(self.key, esp[:-ICV], "sha256")[:ICV])


class Wire:
    def __init__(self, gateway):
        self.gateway = gateway
        self.sock = socket.socket(family(gateway), socket.SOCK_RAW, socket.IPPROTO_RAW)

    def packet(self, esp, place, check=0):
        address, port = place
        udp = struct.pack("!HHHH", port, PORT, 8 + len(esp), 0) + esp
        if not is_ipv6(self.gateway):
            return ip_header(address, self.gateway, socket.IPPROTO_UDP, len(udp), check) + udp
        ends = b"".join(socket.inet_pton(socket.AF_INET6, end)
                        for end in (address, self.gateway))
        # Here UDP must have its checksum, over these as well.
        check = checksum(ends + struct.pack("!II", len(udp), socket.IPPROTO_UDP) + udp)
        udp = udp[:6] + struct.pack("!H", check or 0xffff) + udp[8:]
        return struct.pack("!IHBB", 6 << 28, len(udp), socket.IPPROTO_UDP, 64) + ends + udp

    def send(self, esp, place):
        # The kernel fills in the checksum.
        self.sock.sendto(self.packet(esp, place), (self.gateway, 0))


class Link(Wire):
    """Sends past the IP layer, which would fill in a source of 0.0.0.0."""

    def __init__(self, args):
        super().__init__(args.gateway)
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
        text = subprocess.run(["ip", "-n", args.netns, "-j", "link", "show", "eth0"],
                              check=True, capture_output=True).stdout
        mac = bytes.fromhex(json.loads(text)[0]["address"].replace(":", ""))
        self.to = (args.device, 0x0800, 0, 0, mac)

    def send(self, esp, place):
        header = self.packet(esp, place)[:20]
        self.sock.sendto(self.packet(esp, place, checksum(header)), self.to)


class Tap:
    def __init__(self, device, gateway):
        # What it is, and where in the packet the protocol, the destination and UDP are
        if is_ipv6(gateway):
            ether, self.protocol, self.dst, self.udp = 0x86dd, 6, slice(24, 40), 40
        else:
            ether, self.protocol, self.dst, self.udp = 0x0800, 9, slice(16, 20), 20
        self.family = family(gateway)
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ether))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sock.bind((device, ether))

    def replies(self, seconds):
        """(SPI, place, ESP) of what the gateway sends"""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                data, address = self.sock.recvfrom(2048)
            except TimeoutError:
                return
            if (address[2] == socket.PACKET_OUTGOING or
                    data[self.protocol] != socket.IPPROTO_UDP):
                continue
            sport, dport = struct.unpack_from("!HH", data, self.udp)
            if sport == PORT:
                esp = data[self.udp + 8:]
                yield (struct.unpack_from("!I", esp)[0],
                       (socket.inet_ntop(self.family, data[self.dst]), dport), esp)


def state(peer, src, dst, spi, ports):
    auth = {"hmac": f"auth-trunc hmac(sha256) 0x{peer.key.hex()} {ICV * 8}",
            "null": "auth digest_null ''", "none": ""}[peer.sa.auth]
    # In IPv6, a tunnel for IPv4 must be said to be one for any.
    flags = " ".join(["esn"] * peer.sa.esn + ["af-unspec"] * is_ipv6(peer.gateway))
    yield (f"xfrm state add src {src} dst {dst} proto esp spi {spi} "
           f"reqid {peer.reqid} mode {peer.sa.mode} replay-window {peer.sa.window} "
           f"{flags and 'flag ' + flags} {auth} enc ecb(cipher_null) '' "
           f"encap espinudp {ports[0]} {ports[1]} 0.0.0.0")


def states_in(peer):
    return state(peer, peer.sa.source or peer.home, peer.gateway, peer.spi_in,
                 peer.sa.ports or (PORT, PORT))


def states_out(peer):
    return state(peer, peer.gateway, peer.home, peer.spi_out,
                 (peer.sa.ports or (PORT, PORT))[::-1])


def delete_in(peer):
    yield f"xfrm state delete dst {peer.gateway} proto esp spi {peer.spi_in}"


def policy_sides(peer):
    home = peer.home
    return ((f"src {NET} dst {peer.net} dir out", peer.gateway, home),
            (f"src {peer.net} dst {NET} dir in", home, peer.gateway))


def policies(peer):
    for what, src, dst in policy_sides(peer):
        yield (f"xfrm policy update {what} tmpl src {src} dst {dst} proto esp "
               f"reqid {peer.reqid} mode tunnel")


def delete_policies(peer):
    for what, _, _ in policy_sides(peer):
        yield f"xfrm policy delete {what}"


BATCHES = {"states-in": states_in, "states-out": states_out,
           "delete-in": delete_in, "policies": policies,
           "delete-policies": delete_policies}


def batch(args, peers):
    if args.home:
        for peer in peers:
            peer.home = Peer(args.home, args.gateway).home
    for what in args.what.split(","):
        for peer in peers:
            print("\n".join(BATCHES[what](peer)))


def flood(args, peers):
    wire = Wire(args.gateway)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    os.sched_setaffinity(0, {args.cpu})
    print("ready", flush=True)
    sent = 0
    while not ended:
        for peer in peers:
            if ended:
                break
            wire.send(peer.packet(peer.next_seq()), peer.place(random.randrange(PLACES)))
            sent += 1
    return {"sent": sent}


def ping(args, peers):
    def at(peer):
        return (Peer(args.at, args.gateway) if args.at else peer).place(args.place)

    wire, tap = Wire(args.gateway), Tap(args.device, args.gateway)
    silent = {peer.spi_out: peer for peer in peers}
    sent = 0
    for _ in range(args.tries):
        for peer in list(silent.values()):
            wire.send(peer.packet(peer.next_seq()), at(peer))
            sent += 1
        for spi, place, esp in tap.replies(args.wait):
            peer = silent.get(spi)
            if peer and place == at(peer) and peer.is_mine(esp):
                del silent[spi]
            if not silent:
                break
        if not silent:
            break
    return {"sent": sent, "answered": args.n - len(silent),
            "silent": [peer.reqid for peer in silent.values()][:10]}


def on_two_cpus(first, second):
    """Both at once; each is called with a function that waits for the other."""
    steps = mmap.mmap(-1, 16)
    parent = os.fork()
    me = 0 if parent else 1
    os.sched_setaffinity(0, {me})
    mine, others = slice(8 * me, 8 * me + 8), slice(8 - 8 * me, 16 - 8 * me)
    step = 0

    def meet():
        nonlocal step
        step += 1
        steps[mine] = struct.pack("=Q", step)
        while struct.unpack("=Q", steps[others])[0] < step:
            pass

    if me:
        second(meet)
        os._exit(0)
    first(meet)
    if os.waitpid(parent, 0)[1]:
        sys.exit("the other processor failed")


ATTACKER = 1, 2   # places


def race(args, peers):
    peer, wire = peers[0], Wire(args.gateway)
    first = peer.next_seq()
    numbers = range(first, first + args.count)
    order = random.Random(1)

    def peer_and_one(meet):
        for seq in numbers:
            esp = peer.packet(seq)
            places = [HOME, ATTACKER[0]]
            order.shuffle(places)
            meet()
            for place in places:
                wire.send(esp, peer.place(place))

    def the_other(meet):
        for seq in numbers:
            esp = peer.packet(seq)
            meet()
            wire.send(esp, peer.place(ATTACKER[1]))

    on_two_cpus(peer_and_one, the_other)
    # The next run must not use their numbers again.
    while peer.next_seq() <= numbers[-1] + 1:
        time.sleep(0.01)
    return {"first": first, "last": numbers[-1]}


def replay(args, peers):
    peer, wire = peers[0], Wire(args.gateway)

    def attack(place):
        def send(meet):
            for seq in range(args.first_seq, args.last_seq + 1):
                esp = peer.packet(seq)
                meet()
                wire.send(esp, peer.place(place))
        return send

    on_two_cpus(*map(attack, ATTACKER))


def copy(args, peers):
    peer, wire = peers[0], Wire(args.gateway)
    esp = peer.packet(peer.next_seq())
    for place in args.places + [HOME]:
        wire.send(esp, peer.place(place))


def where(text):
    """The number of an SA, and a place by its number, or (address, port)"""
    text, _, child = text.rpartition("@")[::-1]
    address, colon, port = text.partition(":")
    return child and int(child), (address, int(port)) if colon else int(text)


def send(args, peers, wires=None):
    wires = wires or {False: Wire(args.gateway)}
    for i, (child, place) in enumerate(args.places):
        peer = peers[0]
        if child:
            peer = Peer(args.first, args.gateway,
                        argparse.Namespace(**{**vars(args), "child": child}))
        if isinstance(place, int):
            place = peer.place(place)
        unspecified = place[0] == "0.0.0.0"
        if unspecified not in wires:
            wires[unspecified] = Link(args)
        wires[unspecified].send(peer.packet(args.seq + i), place)


def ip_xfrm(args, what):
    text = subprocess.run(["ip", "-n", args.netns, "xfrm", what], check=True,
                          capture_output=True, text=True).stdout
    # Each begins at the beginning of a line.
    return re.findall(r"^src .*(?:\n\s.*)*", text, re.M)


def audit(args, peers):
    wrong = collections.Counter(missing=0, doubled=0, unknown=0, apart=0,
                                not_found=0, policies=0)
    by_spi = collections.defaultdict(list)
    for text in ip_xfrm(args, "state"):
        src, dst = re.match(r"src (\S+) dst (\S+)", text).groups()
        spi = int(re.search(r"spi (0x\w+)", text)[1], 16)
        sport, dport = re.search(r"encap type espinudp sport (\d+) dport (\d+)",
                                 text + "encap type espinudp sport 0 dport 0").groups()
        by_spi[spi].append(((src, sport), (dst, dport)))
    by_reqid = collections.defaultdict(list)
    for text in ip_xfrm(args, "policy"):
        for src, dst, reqid in re.findall(
                r"tmpl src (\S+) dst (\S+)\s+proto esp reqid (\d+)", text):
            by_reqid[int(reqid)].append(src if dst == args.gateway else dst)

    lookups = []
    for peer in peers:
        ins, outs = by_spi.pop(peer.spi_in, []), by_spi.pop(peer.spi_out, [])
        tmpls = by_reqid.pop(peer.reqid, [])
        wrong["missing"] += (not ins) + (not outs)
        wrong["doubled"] += (len(ins) > 1) + (len(outs) > 1)
        wrong["policies"] += len(tmpls) != 2
        if ins and outs and (ins[0][0] != outs[0][1] or
                             set(tmpls) - {ins[0][0][0]}):
            wrong["apart"] += 1
            print("apart:", ins, outs, tmpls, file=sys.stderr)
        for spi, found in ((peer.spi_in, ins), (peer.spi_out, outs)):
            for (src, _), (dst, _) in found:
                lookups.append(f"xfrm state get src {src} dst {dst} proto esp spi {spi}")
    wrong["unknown"] = sum(map(len, by_spi.values())) + sum(map(len, by_reqid.values()))

    found = subprocess.run(["ip", "-n", args.netns, "-force", "-batch", "-"],
                           input="\n".join(lookups) + "\n", capture_output=True,
                           text=True, check=False).stdout
    wrong["not_found"] = len(lookups) - len(re.findall(r"^src ", found, re.M))
    return wrong


def serve(_args, _peers):
    print("ready", flush=True)
    for line in sys.stdin:
        out, err, *words = line.split()
        # In a process of its own, as some change what belongs to the process.
        child = os.fork()
        if not child:
            for number, name in ((1, out), (2, err)):
                os.dup2(os.open(name, os.O_WRONLY | os.O_APPEND), number)
            return run(words)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status & 0xff, flush=True)
    return None


def parse(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--gateway", default="10.128.0.2")
    parser.add_argument("--device", default="lan")
    parser.add_argument("--netns", default="server")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--auth", choices=("hmac", "null", "none"), default=USUAL.auth)
    parser.add_argument("--mode", choices=("tunnel", "transport"), default=USUAL.mode)
    parser.add_argument("--window", type=int, default=USUAL.window)
    parser.add_argument("--esn", action="store_true")
    parser.add_argument("--ports", type=lambda text: tuple(map(int, text.split(","))))
    parser.add_argument("--source")
    parser.add_argument("--child", type=int, default=USUAL.child)
    commands = parser.add_subparsers(required=True)

    def command(function, *arguments):
        sub = commands.add_parser(function.__name__)
        sub.set_defaults(function=function, n=1)
        for name, kind, *default in arguments:
            extra = {"default": default[0]} if default else {}
            sub.add_argument(name, type=kind, **extra)
        return sub

    command(batch, ("what", str), ("n", int), ("--home", int, 0))
    command(flood, ("n", int), ("--cpu", int, 0))
    command(ping, ("n", int), ("--place", int, HOME), ("--at", int, 0),
            ("--tries", int, 1), ("--wait", float, 2))
    command(race, ("count", int))
    command(replay, ("first_seq", int), ("last_seq", int))
    command(copy).add_argument("places", type=int, nargs="+")
    command(send, ("seq", lambda text: int(text, 0))).add_argument(
        "places", type=where, nargs="+")
    command(audit, ("n", int))
    command(serve)
    args = parser.parse_args(words)
    return args, [Peer(args.first + i, args.gateway, args) for i in range(args.n)]


def run(words):
    args, peers = parse(words)
    result = args.function(args, peers)
    if result is not None:
        print(json.dumps(result))


if __name__ == "__main__":
    run(sys.argv[1:])
