#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Send ESP packets that were made beforehand, and time the kernel at it.

  record FILE COUNT LOCAL REMOTE   send COUNT datagrams through the tunnel from
                                   LOCAL, and keep the ESP packets that come of
                                   it and never arrive anywhere
  send FILE NETNS REMOTE PEER      send them to PEER in bursts; NETNS is where
                                   the datagrams to REMOTE arrive. --forged:
                                   from elsewhere, and with a wrong ICV, so that
                                   none arrives
  stream FILE NETNS REMOTE PEER    the same in a guest with several processors,
                                   where a burst may arrive later: its time ends
                                   when it has. Tells as well in how many
                                   nanoseconds NETNS has rejected how many
                                   packets for their ICV.
  transmit COUNT LOCAL REMOTE      send COUNT datagrams through the tunnel from
                                   LOCAL, in bursts
  move FILE NETNS REMOTE PEER SOURCE...
                                   send some one by one, all from the first
                                   SOURCE (address:port), and then one from
                                   each of the others; --pause SECONDS before
                                   each, so that what the last one left to do
                                   later is done

  flood FILE PEER RATE SOURCE SOURCE
                                   send all of them, RATE a second, from the one
                                   SOURCE and the other in turns

To be run in the client's namespace, transmit in the server's. With --plain the
packets are ESP without UDP. With --mark NUMBER a plugin of QEMU is told when the
bursts of send, or the packets of move that come from elsewhere, begin and end. send, stream, transmit and move print a JSON object with
the nanoseconds of each burst, or packet. Between two network namespaces on one processor all of a packet's way
is done when the call that sends it returns. That this is so is checked: all of a
burst must have come to the receiver's socket when the clock has been read.
"""

import argparse
import contextlib
import ctypes
import gc
import json
import os
import socket
import struct
import sys
import time

from mark import mark

PORT = 4500
PORT_INNER = 7000
PORT_FORGED = 4600
CLONE_NEWNET = 0x40000000
SO_ATTACH_FILTER = 26
SO_MEMINFO = 55
MEMINFO_DROPS = 8
BPF_RET = 6
ETH_P_ALL = 3
# Nanoseconds after which a burst that has not arrived is lost
ARRIVAL = 10_000_000_000

libc = ctypes.CDLL(None, use_errno=True)


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("len", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint),
                ("iov", ctypes.POINTER(Iovec)), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class Mmsghdr(ctypes.Structure):
    _fields_ = [("hdr", Msghdr), ("len", ctypes.c_uint)]


def check(result):
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    return result


@contextlib.contextmanager
def inside(netns):
    """What is opened in another network namespace stays there."""
    with open("/proc/self/ns/net", "rb") as home, \
            open("/run/netns/" + netns, "rb") as other:
        check(libc.setns(other.fileno(), CLONE_NEWNET))
        yield
        check(libc.setns(home.fileno(), CLONE_NEWNET))


def socket_in(netns, address):
    with inside(netns):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(address)
    # Nothing that arrives is kept, or slabs would grow and shrink in between.
    nothing = ctypes.create_string_buffer(struct.pack("=HBBI", BPF_RET, 0, 0, 0), 8)
    program = struct.pack("@HP", 1, ctypes.addressof(nothing))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    return sock


def arrived(sock):
    """How many packets a socket of socket_in() has been given."""
    info = sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36)
    return struct.unpack("=9I", info)[MEMINFO_DROPS]


def sender(args, source=("", PORT)):
    family = socket.AF_INET6 if ":" in args.peer else socket.AF_INET
    if args.plain:
        sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ESP)
    else:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.bind(source)
    sock.connect((args.peer, 0 if args.plain else PORT))
    return sock


def endpoint(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def load(path):
    packets = []
    with open(path, "rb") as file:
        while size := file.read(2):
            packets.append(file.read(struct.unpack("!H", size)[0]))
    return packets


def record(args):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                         socket.htons(ETH_P_ALL))
    wire.bind(("eth0", ETH_P_ALL))
    wire.settimeout(10)
    inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inner.bind((args.local, PORT_INNER))
    inner.connect((args.remote, PORT_INNER))
    wanted = socket.IPPROTO_ESP if args.plain else socket.IPPROTO_UDP
    header = 20 if args.plain else 28

    with open(args.file, "wb") as file:
        for _ in range(args.count):
            inner.send(bytes(args.size))
            while True:
                data, address = wire.recvfrom(2048)
                if (address[2] == socket.PACKET_OUTGOING and
                        address[1] == 0x0800 and data[9] == wanted):
                    break
            file.write(struct.pack("!H", len(data) - header) + data[header:])


def messages(packets):
    array = (Mmsghdr * len(packets))()
    for slot, packet in zip(array, packets):
        iov = Iovec(packet, len(packet))
        slot.hdr.iov = ctypes.pointer(iov)
        slot.hdr.iovlen = 1
    return array


def marks(number):
    """What to call before and after that which has this number, if any."""
    if number is None:
        return lambda: None, lambda: None
    return mark(number), mark(0)


def in_bursts(sock, packets, args, before, after):
    """Nanoseconds of each burst. What before() has returned after() is given."""
    fd = sock.fileno()
    bursts = [messages(packets[first:first + args.burst])
              for first in range(0, len(packets), args.burst)]
    times = []

    gc.disable()
    for number, burst in enumerate(bursts):
        state = before()
        begin, over = marks(args.mark if number >= args.warm_up else None)
        begin()
        start = time.monotonic_ns()
        sent = libc.sendmmsg(fd, burst, len(burst), 0)
        end = time.monotonic_ns()
        over()
        if check(sent) != len(burst):
            sys.exit(f"of {len(burst)} packets {sent} were sent")
        after(state, len(burst))
        times.append(end - start)

    return {"burst": args.burst, "ns": times[args.warm_up:]}


def send(args):
    receiver = socket_in(args.netns, (args.remote, PORT_INNER))
    packets = load(args.file)
    source = ("", PORT)
    if args.forged:
        packets = [packet[:-1] + bytes([packet[-1] ^ 1]) for packet in packets]
        source = ("", PORT_FORGED)

    def after(before, n):
        received = arrived(receiver) - before
        if received != (0 if args.forged else n):
            sys.exit(f"of {n} packets {received} were received")

    return in_bursts(sender(args, source), packets, args, lambda: arrived(receiver),
                     after)


def rejected(counters):
    """How many packets were, by a namespace's counters of xfrm."""
    counters.seek(0)
    return next(int(line.split()[1]) for line in counters
                if line.startswith("XfrmInStateProtoError"))


def stream(args):
    receiver = socket_in(args.netns, (args.remote, PORT_INNER))
    with inside(args.netns):
        counters = open("/proc/self/net/xfrm_stat", encoding="ascii")
    sock = sender(args)
    packets = load(args.file)
    bursts = [messages(packets[first:first + args.burst])
              for first in range(0, len(packets), args.burst)]
    times = []

    gc.disable()
    for number, burst in enumerate(bursts):
        if number == args.warm_up:
            forged, begin = rejected(counters), time.monotonic_ns()
        wanted = arrived(receiver) + len(burst)
        start = time.monotonic_ns()
        if check(libc.sendmmsg(sock.fileno(), burst, len(burst), 0)) != len(burst):
            sys.exit("not all packets were sent")
        while arrived(receiver) != wanted:
            if time.monotonic_ns() > start + ARRIVAL:
                sys.exit(f"of {len(burst)} packets {wanted - arrived(receiver)} were lost")
        times.append(time.monotonic_ns() - start)
    forged = rejected(counters) - forged
    return {"burst": args.burst, "ns": times[args.warm_up:], "rejected": forged,
            "ns_all": time.monotonic_ns() - begin}


def transmit(args):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((args.local, PORT_INNER))
    sock.connect((args.remote, PORT_INNER))
    return in_bursts(sock, [bytes(args.size)] * args.count, args, lambda: None,
                     lambda before, n: None)


def move(args):
    packets = iter(load(args.file))
    receiver = socket_in(args.netns, (args.remote, PORT_INNER))
    home, *others = [sender(args, source) for source in args.source]

    def timed(sock, number=None):
        packet = next(packets)
        begin, over = marks(number)
        time.sleep(args.pause)
        # What the namespace did meanwhile may have made the socket's route old:
        # to look it up again is not the server's cost.
        sock.connect((args.peer, PORT))
        before = arrived(receiver)
        begin()
        start = time.monotonic_ns()
        sock.send(packet)
        end = time.monotonic_ns()
        over()
        if arrived(receiver) - before != 1:
            sys.exit("a packet was not received")
        return end - start

    gc.disable()
    for i in range(args.warm_up):
        timed(home)
    still = [timed(home) for _ in others]
    moving = [timed(other, args.mark) for other in others]
    return {"still": still, "moving": moving}


def flood(args):
    packets = load(args.file)
    pair = [sender(args, source) for source in args.source]
    start = time.monotonic()
    for number, packet in enumerate(packets):
        time.sleep(max(0, start + number / args.rate - time.monotonic()))
        pair[number % 2].send(packet)
    return {"packets": len(packets), "seconds": time.monotonic() - start}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--mark", type=int)
    commands = parser.add_subparsers(required=True)
    sub = commands.add_parser("record")
    sub.add_argument("file")
    sub.add_argument("count", type=int)
    sub.add_argument("local")
    sub.add_argument("remote")
    sub.add_argument("--size", type=int, default=64)
    sub.set_defaults(function=record)
    for name, function in (("send", send), ("stream", stream), ("move", move)):
        sub = commands.add_parser(name)
        sub.add_argument("file")
        sub.add_argument("netns")
        sub.add_argument("remote")
        sub.add_argument("peer")
        sub.add_argument("--warm-up", type=int, required=True)
        sub.set_defaults(function=function)
        if name != "move":
            sub.add_argument("--burst", type=int, required=True)
        if name == "send":
            sub.add_argument("--forged", action="store_true")
        if name == "move":
            sub.add_argument("--pause", type=float, default=0)
            sub.add_argument("source", type=endpoint, nargs="+")
    sub = commands.add_parser("flood")
    sub.add_argument("file")
    sub.add_argument("peer")
    sub.add_argument("rate", type=float)
    sub.add_argument("source", type=endpoint, nargs=2)
    sub.set_defaults(function=flood)
    sub = commands.add_parser("transmit")
    sub.add_argument("count", type=int)
    sub.add_argument("local")
    sub.add_argument("remote")
    sub.add_argument("--size", type=int, default=64)
    sub.add_argument("--burst", type=int, required=True)
    sub.add_argument("--warm-up", type=int, required=True)
    sub.set_defaults(function=transmit)
    args = parser.parse_args()
    result = args.function(args)
    if result:
        print(json.dumps(result))


main()
