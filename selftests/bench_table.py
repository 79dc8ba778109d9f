#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
bench_table.py RELEASE FOLDER JSON: make figures from the results in what the parts
of bench.sh have printed into FOLDER, print them as tables, and write them to a file.
Fails if one misses its goal.
"""

import base64
import bisect
import collections
import gzip
import json
import os
import statistics
import sys

# Goal of what is received, of what is while asynchronous crypto is tracked, and of
# what is sent. Two runs of the same differ by 2.
RECEIVED, ASYNC, SENT = 40, 110, 2

# Name, figure and variant to compare with the stock kernel, goal
PACKETS = [
    ("received, IPv4", "in4", "on", RECEIVED),
    ("received, IPv4, static_nat off", "in4", "off", RECEIVED),
    ("received, IPv6", "in6", "on", RECEIVED),
    ("received, IPv4, GRO", "in4-gro", "on", RECEIVED),
    ("received, IPv6, GRO", "in6-gro", "on", RECEIVED),
    ("received, IPv4, async-capable crypto", "in4-async", "on", ASYNC),
    ("received, IPv6, async-capable crypto", "in6-async", "on", ASYNC),
    ("received, IPv4, async-capable crypto, GRO", "in4-gro-async", "on", ASYNC),
    ("received, IPv6, async-capable crypto, GRO", "in6-gro-async", "on", ASYNC),
    ("plain ESP, a synchronous SA tracked", "beside", "on", SENT),
    ("plain ESP, an async-capable SA tracked", "beside-async", "on", ASYNC),
    ("received, IPv4, beside 1,000 SAs", "in4-1000", "on", RECEIVED),
    ("received, IPv4, beside 100,000 SAs", "in4-100000", "on", RECEIVED),
    ("sent, IPv4", "out4", "on", SENT),
    ("sent, IPv6", "out6", "on", SENT),
    ("sent, IPv4, beside 1,000 SAs", "out4-1000", "on", SENT),
    ("sent, IPv4, beside 100,000 SAs", "out4-100000", "on", SENT),
    ("noise: not loaded, measured again", "in4", "again", None),
]

# Name, figure, goal
MOVES = [
    ("new port", "port", 2500),
    ("new address", "address", 10000),
    ("new address, and somebody listens", "heard", None),
]

# A forged packet from elsewhere, until it is rejected
HOSTILE = [
    ("forged, static_nat off", "forged-sync", "off", 60),
    ("forged, static_nat on", "forged-sync", "on", 60),
    ("forged, async-capable crypto", "forged-async", "on", 60),
]

# The least share of a peer's throughput under a flood that he must keep with the
# module, of that without it
FLOOD_GOAL = 0.95

# Instructions for which a lock may be held
LOCK_GOAL = 20000

# The cache of what the module keeps for an SA besides its directory; and its part of
# the tree by number, of 64 slots in 576 bytes
BARE, BARE_MORE = "esptrack_sa", 9

# Bytes for each SA, in all and without sysfs; seconds for a list of all SAs
MEMORY_GOAL, MEMORY_BARE_GOAL = 4096, 512
DUMP_GOAL = 2

# By how many per cent the cost of a move may differ beside many SAs from that
# beside few
GROWTH_GOAL = 20

# What differs by fewer instructions a packet, or a smaller part of all of them, is not
# listed in a profile.
PROFILE_LEAST, PROFILE_PART = 1, 0.01

# Counters of what is dropped while a daemon reinstalls SAs and policies
DAEMON = ("XfrmOutPolBlock", "XfrmInNoPols", "XfrmInNoStates")

METHOD = """\
Instructions: the guest has one processor and a clock that counts them, and each
turn of those that repeat. A burst of packets (datagrams of 64 bytes in tunnel mode)
goes over one veth pair. Received are ESP packets made beforehand: counted is
sendmmsg() from call to return, and with it all that the kernel does with them up to
the receiver's socket. Sent are datagrams that the other end drops at once. Of each
measurement the burst with the fewest counts (interrupts only add), per packet. The
variants take turns, each measurement with an SA of its own; "added" is the median,
lowest and highest difference between any two of them, and the median is what has a
goal. Forged packets: the same, from another port, with a wrong ICV.
Flood: two processors, and real time, which is noisy: the machine lends them its own,
which others use as well. On one the peer's packets are received, made beforehand; on
the other forged ones for the same SA, from random sources, as fast as it can. Of each
measurement the rate of the burst in the middle; stock and loaded take turns, and only
neighbours are compared.
Moves: the same with single packets two seconds apart, each from a new port or
address, less one from the known endpoint: of each measurement the medians of 12.
The peer has two SAs and three policies; there are three times as many other
policies as other SAs. The stock kernel's part is its own mapping message. Who
listens, listens to updates of SAs, as "ip xfrm monitor" does.
Locks: a plugin of QEMU notes each spinlock of the stock kernel when it is taken and
let go; interrupts of the holder do not count. Beside 100,000 SAs.
Profile: another plugin counts the instructions of each function of the kernel, for
each burst; of each function the least.
Memory: what is free less before the module is loaded than after, when all caches
are dropped; without sysfs: what is in its own cache of SAs, and in that of the tree
by number. A second is 1,000,000,000 instructions there.
Rebindings: 100 datagrams a second each way, strongSwan or static keys, or WireGuard
at the same port; then the NAT gives the client's port 4500 a new one. "After news":
sent by the server 20 ms or more after the first packet from the new mapping had
reached it, and after what was in that had been read; "in flight": before. Control
packets: IKE, or handshakes, since then. First reply: from that news until a datagram
sent after it has arrived; it is real time, and as slow as the guest is. Daemon:
datagrams either way that the server dropped while its daemon reinstalled the SAs; how
many depends on how long that takes. Otherwise: lost after the news, and not by the
daemon."""


def results(path):
    found = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("result: "):
                found.append(json.loads(line.removeprefix("result: ")))
    return found


def select(found, figure, variant):
    return [r for r in found
            if r["figure"] == figure and r.get("variant") == variant]


def spread(values, digits=1):
    return {"median": round(statistics.median(values), digits),
            "lowest": round(min(values), digits), "highest": round(max(values), digits)}


def packet_figures(found, table):
    def per_packet(figure, variant):
        return [min(r["ns"]) / r["burst"] for r in select(found, figure, variant)]

    figures = []
    for name, figure, variant, goal in table:
        stock = per_packet(figure, "stock")
        other = per_packet(figure, variant)
        if not other:
            continue
        added = spread([b - a for a in stock for b in other])
        figures.append({"name": name,
                        "figure": f"{figure}-{variant}",
                        "stock": round(statistics.median(stock), 1),
                        "other": round(statistics.median(other), 1),
                        "added": added, "goal": goal,
                        "met": goal is None or added["median"] <= goal})
    return figures


def flood_figures(found):
    """By the burst in the middle: others of this machine have made some of them slow."""
    runs = {(r["variant"], r["load"], r["round"]): r for r in found}
    rounds = sorted({r["round"] for r in found})

    def rates(variant, load):
        return [r["burst"] * 1e9 / statistics.median(r["ns"])
                for r in (runs[variant, load, n] for n in rounds)]

    def shares(part, whole):
        return spread([a / b for a, b in zip(part, whole)], 3)

    figures = []
    for name, variant in (("not loaded", "stock"), ("loaded", "on")):
        alone, flood = rates(variant, "alone"), rates(variant, "flood")
        forged = [r["rejected"] * 1e9 / r["ns_all"]
                  for r in (runs[variant, "flood", n] for n in rounds)]
        figures.append({"name": name, "alone": spread(alone), "flood": spread(flood),
                        "forged": spread(forged), "share": shares(flood, alone)})
    kept = shares(rates("on", "flood"), rates("stock", "flood"))
    figures.append({"name": "loaded, of not loaded", "share": kept, "goal": FLOOD_GOAL,
                    "met": kept["median"] >= FLOOD_GOAL})
    return figures


def move_figures(found):
    """What a packet costs more than one that moves nothing."""
    def beyond(kind, variant, sas):
        return [statistics.median(r["moving"]) - statistics.median(r["still"])
                for r in select(found, "move-" + kind, variant) if r["sas"] == sas]

    figures = []
    for name, kind, goal in MOVES:
        for sas in sorted({r["sas"] for r in found}):
            stock = beyond(kind, "stock", sas)
            loaded = beyond(kind, "esptrack", sas)
            added = spread([b - a for a in stock for b in loaded])
            figures.append({"name": f"{name}; {sas:,} other SAs", "kind": kind,
                            "figure": f"move-{kind}-{sas}",
                            "sas": sas, "policies": 3 * sas,
                            "stock": round(statistics.median(stock), 1),
                            "other": round(statistics.median(loaded), 1),
                            "added": added, "goal": goal,
                            "met": goal is None or added["median"] <= goal})
    return figures


def growth_figures(moves):
    figures = []
    for name, kind, _ in MOVES:
        few, *more = [f["added"]["median"] for f in moves if f["kind"] == kind]
        if not more:
            continue
        many = more[-1]
        percent = round((many / few - 1) * 100, 1)
        figures.append({"name": name, "kind": kind, "percent": percent,
                        "goal": GROWTH_GOAL, "met": abs(percent) <= GROWTH_GOAL})
    return figures


class Symbols:
    """Where the functions of the kernel are, as the guest has said."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            data = "".join(line.split()[1] for line in file if line.startswith("symbols "))
        lines = gzip.decompress(base64.b64decode(data)).decode().splitlines()
        self.names = sorted((int(line.split()[0], 16), " ".join(line.split()[1:]))
                            for line in lines)

    def name(self, address):
        at = bisect.bisect_right(self.names, (address, "~")) - 1
        return self.names[at][1] if at >= 0 else hex(address)


def lock_figures(log, holds):
    """Of each thing that was done the three longest locks of ours and of xfrm."""
    symbols = Symbols(log)
    sites = {}
    with open(holds, encoding="utf-8") as file:
        for line in file:
            mark, address, longest, times = line.split()
            site = int(mark), symbols.name(int(address, 16))
            was = sites.get(site, (0, 0))
            sites[site] = max(was[0], int(longest)), was[1] + int(times)

    figures = []
    for r in select(results(log), "mark", None):
        those = sorted(((longest, name, times) for (mark, name), (longest, times)
                        in sites.items() if mark == r["mark"] and
                        ("[esptrack]" in name or name.startswith("xfrm_"))), reverse=True)
        for longest, name, times in those[:3]:
            ours = "[esptrack]" in name or r["ours"]
            figures.append({"during": r["name"], "by": name, "longest": longest,
                            "times": times, "goal": LOCK_GOAL if ours else None,
                            "met": not ours or longest <= LOCK_GOAL})
    return figures


def profile_figures(log, seen):
    """By which functions a packet costs more or less with the module."""
    symbols = Symbols(log)
    sections = collections.defaultdict(lambda: collections.defaultdict(collections.Counter))
    with open(seen, encoding="utf-8") as file:
        for line in file:
            section, mark, address, instructions = line.split()
            function = symbols.name(int(address, 16))
            sections[int(mark)][section][function] += int(instructions)

    def spent(run, function):
        """Per packet, in the burst with the fewest: interrupts only add."""
        return min(section[function] for section in
                                 sections[run["mark"]].values()) / run["burst"]

    runs = {(r["name"], r["variant"]): r for r in results(log)}
    figures = []
    for name in dict.fromkeys(name for name, _ in runs):
        stock, loaded = (runs[name, variant] for variant in ("stock", "loaded"))
        functions = {function for run in (stock, loaded)
                     for section in sections[run["mark"]].values() for function in section}
        added = {function: spent(loaded, function) - spent(stock, function)
                 for function in functions}
        total = sum(added.values())
        least = max(PROFILE_LEAST, PROFILE_PART * total)
        figures.append({"name": name, "added": round(total, 1),
                        "functions": {function: round(n, 1) for function, n in
                                      sorted(added.items(), key=lambda a: (-a[1], a[0]))
                                      if abs(n) >= least}})
    return figures


def scale_figures(found):
    figures = []
    for r in select(found, "memory", None):
        bare = r["grown"][BARE] + BARE_MORE
        for name, value, goal in (("in all", r["bytes"], MEMORY_GOAL),
                                  ("without sysfs", round(bare), MEMORY_BARE_GOAL)):
            figures.append({"name": f"bytes for each of {r['sas']:,} SAs, {name}",
                            "value": value, "goal": goal, "met": value <= goal})
    for r in select(found, "time", None):
        goal = DUMP_GOAL if r["name"].startswith("show") else None
        figures.append({"name": f"seconds of {r['name']}", "value": r["seconds"],
                        "system": r["system"], "kib": r["kib"], "goal": goal,
                        "met": goal is None or r["seconds"] <= goal})
    return figures


def rebinding_figure(result):
    client = result["since_news"]["to_client"]
    to_server = result["since_news"]["to_server"]["lost"]
    daemon = sum(result["dropped"].get(name, 0) for name in DAEMON)
    # What the daemon has cost counts as in flight where nobody could know better.
    otherwise = max(0, client["lost_after"] + to_server - daemon)
    loaded = result["variant"] == "esptrack"
    return {"scenario": result["scenario"], "variant": result["variant"],
            "program": result["daemon"],
            "sent": client["sent"], "in_flight": client["lost_before"],
            "lost_to_client": client["lost_after"], "lost_to_server": to_server,
            "first_reply": client["recovery"], "mapping": result["mapping"],
            "control": result["control"], "gaps": result["since_rebinding"]["to_client"]["gaps"],
            "newsa": result["newsa"], "delsa": result["delsa"],
            "daemon": daemon, "otherwise": otherwise,
            "goal": 0 if loaded else None,
            "met": not loaded or not otherwise}


def verdict(figure):
    if figure.get("goal") is None:
        return ""
    return f"{figure['goal']:>5} {'met' if figure['met'] else 'MISSED'}"


def print_header(name):
    print(f"\n{name:52}{'not loaded':>11}{'loaded':>10}{'added':>9}  {'(range)':20}goal")


def print_added(figure, digits):
    added = figure["added"]
    between = f"({added['lowest']:+.{digits}f} .. {added['highest']:+.{digits}f})"
    print(f"{figure['name']:52}{figure['stock']:11.{digits}f}{figure['other']:10.{digits}f}"
          f"{added['median']:+9.{digits}f}  {between:18}{verdict(figure)}".rstrip())


def print_packets(guest, figures):
    print(f"\nInstructions per packet (ChaCha20-Poly1305: {guest['sync']};")
    print(f"AES-GCM: {guest['async']}; {guest['packets']};")
    print(f"spectre v2: {guest['spectre'].split(';')[0]})")
    print_header("")
    for figure in figures:
        print_added(figure, 1)


def print_flood(figures):
    print(f"\n{'Packets a second of a peer whose SA is flooded':52}{'alone':>11}{'flooded':>10}"
          f"{'share':>9}  {'(range)':20}{'goal':14}forged")
    for f in figures:
        rates, forged, share = " " * 21, "", f["share"]
        if "alone" in f:
            rates = f"{f['alone']['median']:11,.0f}{f['flood']['median']:10,.0f}"
            forged = f"{f['forged']['median']:,.0f} a second"
        between = f"({share['lowest']:.2f} .. {share['highest']:.2f})"
        print(f"{f['name']:52}{rates}{share['median']:9.2f}  {between:18}"
              f"{verdict(f):16}{forged}".rstrip())


def print_moves(figures, growth):
    print_header("Packet that moves its peer, beyond a normal one")
    for figure in figures:
        print_added(figure, 0)
    for f in growth:
        print(f"{f['name'] + '; growth in per cent':73}{f['percent']:+9.1f}"
              f"{'':20}{verdict(f)}")


def print_rebindings(figures):
    form = ("{:10} {:16} {:11} {:>6} {:>9} {:>9} {:>11} {:>9} {:>9} {:>9} {:>11} {:>7} {:>10}"
            "  {}")
    print("\nRebindings\n")
    print(form.format("", "", "", "server", "lost to", "client", "first", "lost to",
                      "control", "mapping", "SAs deleted", "lost by", "lost", "").rstrip())
    print(form.format("scenario", "daemon", "module", "sent", "in flight", "after news",
                      "reply", "server", "packets", "messages", "and added", "daemon",
                      "otherwise", "goal"))
    for f in figures:
        module = "not loaded" if f["variant"] == "stock" else "loaded"
        if f["scenario"] == "wireguard":
            module = ""
        reply = "never"
        if f["first_reply"] is not None:
            reply = f"{f['first_reply'] * 1000:.0f} ms"
        print(form.format(f["scenario"], f["program"], module, f["sent"], f["in_flight"],
                          f["lost_to_client"], reply, f["lost_to_server"],
                          f["control"], f["mapping"], f["newsa"] + f["delsa"], f["daemon"],
                          f["otherwise"], verdict(f)).rstrip())


def print_locks(figures):
    print("\nInstructions for which a spinlock was held, the longest ones\n")
    for f in figures:
        print(f"{f['during']:16} {f['by']:44} {f['longest']:12,} {f['times']:9,}"
              f" times  {verdict(f)}".rstrip())


def print_profile(figures):
    print("\nInstructions that a packet costs with the module beyond those without, by function")
    for f in figures:
        rest = f["added"] - sum(f["functions"].values())
        print(f"\n{f['name']:52} {f['added']:+9.1f}")
        for name, added in f["functions"].items():
            print(f"    {name:48} {added:+9.1f}")
        print(f"    {'all others':48} {rest:+9.1f}")


def print_scale(figures):
    print("\nMemory and time\n")
    for f in figures:
        size = f"  {f['kib']:,} KiB" if "kib" in f else ""
        print(f"{f['name']:52} {f['value']:12,} {verdict(f):14}{size}".rstrip())


def main():
    release, folder, output = sys.argv[1:]

    def part(name):
        path = os.path.join(folder, name)
        return results(path) if os.path.exists(path) else []

    figures = {"release": release}
    print(f"esptrack on {release}")
    if found := part("packets"):
        figures["guest"] = next(r for r in found if r["figure"] == "guest")
        figures["packets"] = packet_figures(found, PACKETS)
        print_packets(figures["guest"], figures["packets"])
    if found := part("hostile"):
        figures["hostile"] = packet_figures(found, HOSTILE)
        print_header("Forged packet from elsewhere")
        for figure in figures["hostile"]:
            print_added(figure, 1)
    if found := part("flood"):
        figures["flood"] = flood_figures(found)
        print_flood(figures["flood"])
    if found := part("moves"):
        figures["moves"] = move_figures(found)
        figures["growth"] = growth_figures(figures["moves"])
        print_moves(figures["moves"], figures["growth"])
    if part("locks"):
        figures["locks"] = lock_figures(os.path.join(folder, "locks"),
                                        os.path.join(folder, "holds.seen"))
        print_locks(figures["locks"])
    if part("profile"):
        figures["profile"] = profile_figures(os.path.join(folder, "profile"),
                                             os.path.join(folder, "profile.seen"))
        print_profile(figures["profile"])
    if found := part("scale"):
        figures["scale"] = scale_figures(found)
        print_scale(figures["scale"])
    if found := part("events"):
        figures["events"] = found
        print("\nMoves a second, and how many of their events a listener lost\n")
        for f in found:
            print(f"{f['rate']:8,}  {f['lost']:6,} of {f['packets']:,}"
                  f"  ({f['packets'] / f['seconds']:,.0f} a second)")
    if found := part("rebinding"):
        figures["rebindings"] = [rebinding_figure(r) for r in found]
        print_rebindings(figures["rebindings"])
    print(f"\n{METHOD}")
    with open(output, "w", encoding="utf-8") as file:
        json.dump(figures, file, indent=1)
        file.write("\n")
    sys.exit(not all(f.get("met", True) for part in figures.values()
                     if isinstance(part, list) for f in part))


if __name__ == "__main__":
    main()
