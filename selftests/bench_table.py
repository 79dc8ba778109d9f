#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
bench_table.py RELEASE PACKETS MOVES REBINDING JSON: make figures from the results
in what bench_packets.sh, bench_moves.sh and bench_rebinding.sh have printed, print
them as a table, and write them to a file. Fails if one misses its goal.
"""

import json
import statistics
import sys

# Name, figure and variant to compare with the stock kernel, goal
PACKETS = [
    ("known endpoint, synchronous crypto", "sync", "esptrack", 40),
    ("known endpoint, async-capable crypto", "async", "esptrack", 110),
    ("other SA (plain ESP), a synchronous one tracked", "beside-sync", "esptrack", None),
    ("other SA (plain ESP), an async-capable one tracked", "beside-async", "esptrack", None),
    ("noise: not loaded, measured again", "again", "stock", None),
]

# Name, figure, goal
MOVES = [
    ("new port", "port", None),
    ("new address", "address", 10000),
    ("new address, and somebody listens", "heard", None),
]

# By how many per cent the cost of a move may differ beside many SAs from that
# beside few
GROWTH_GOAL = 20

# Counters of what is dropped while a daemon reinstalls SAs and policies
DAEMON = ("XfrmOutPolBlock", "XfrmInNoPols", "XfrmInNoStates")

METHOD = """\
Instructions: the guest has one processor and a clock that counts them, and each
turn of those that repeat. A burst
of ESP packets made beforehand (datagrams of 64 bytes in tunnel mode) is sent
over one veth pair. What is counted is sendmmsg() from call to return, and with
it all that the kernel does with them up to the receiver's socket, per packet.
Of each measurement the burst with the fewest counts (interrupts only add). The
variants take turns, each measurement with an SA of its own; "added" is the
median, lowest and highest difference between any two of them.
Moves: the same with single packets two seconds apart, each from a new port or
address, less one from the known endpoint: of each measurement the medians of 12.
The peer has two SAs and three policies; there are three times as many other
policies as other SAs. The stock kernel's part is its own mapping message. Who
listens, listens to updates of SAs, as "ip xfrm monitor" does.
Rebindings: 100 datagrams a second each way, strongSwan or static keys; then the
NAT gives the client's port 4500 a new one. "After news": sent by the server
20 ms or more after the first packet from the new mapping had reached it; "in
flight": before.
First reply: from that news until a datagram sent after it has arrived; it is
real time, and as slow as the guest is. Daemon: datagrams either way that the
server dropped while its daemon reinstalled the SAs; how many depends on how long
that takes. Otherwise: lost after the news, and not by the daemon."""


def results(path):
    found = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("result: "):
                found.append(json.loads(line.removeprefix("result: ")))
    return found


def select(found, figure, variant):
    return [r for r in found if r["figure"] == figure and r["variant"] == variant]


def spread(values):
    return {"median": round(statistics.median(values), 1),
            "lowest": round(min(values), 1), "highest": round(max(values), 1)}


def packet_figures(found):
    def per_packet(result):
        return min(result["ns"]) / result["burst"]

    figures = []
    for name, figure, variant, goal in PACKETS:
        base = "sync" if figure == "again" else figure
        stock = [per_packet(r) for r in select(found, base, "stock")]
        other = [per_packet(r) for r in select(found, figure, variant)]
        if not other:
            continue
        added = spread([b - a for a in stock for b in other])
        figures.append({"name": name, "stock": round(statistics.median(stock), 1),
                        "other": round(statistics.median(other), 1),
                        "added": added, "goal": goal,
                        "met": goal is None or added["highest"] <= goal})
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
            figures.append({"name": f"{name}; {sas} other SAs", "kind": kind,
                            "sas": sas, "policies": 3 * sas,
                            "stock": round(statistics.median(stock), 1),
                            "other": round(statistics.median(loaded), 1),
                            "added": added, "goal": goal,
                            "met": goal is None or added["highest"] <= goal})
    return figures


def growth_figures(moves):
    figures = []
    for name, kind, _ in MOVES:
        few, *_, many = [f["added"]["median"] for f in moves if f["kind"] == kind]
        percent = round((many / few - 1) * 100, 1)
        figures.append({"name": name, "kind": kind, "percent": percent,
                        "goal": GROWTH_GOAL, "met": abs(percent) <= GROWTH_GOAL})
    return figures


def rebinding_figure(result):
    client = result["since_news"]["to_client"]
    to_server = result["since_news"]["to_server"]["lost"]
    daemon = sum(result["dropped"].get(name, 0) for name in DAEMON)
    otherwise = client["lost_after"] + to_server - daemon
    loaded = result["variant"] == "esptrack"
    return {"scenario": result["scenario"], "variant": result["variant"],
            "sent": client["sent"], "in_flight": client["lost_before"],
            "lost_to_client": client["lost_after"], "lost_to_server": to_server,
            "first_reply": client["recovery"], "mapping": result["mapping"],
            "newsa": result["newsa"], "delsa": result["delsa"],
            "daemon": daemon, "otherwise": otherwise,
            "goal": 0 if loaded else None,
            "met": not loaded or otherwise <= 0}


def verdict(figure):
    if figure["goal"] is None:
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
    print(f"Instructions per received packet (ChaCha20-Poly1305: {guest['sync']};")
    print(f"AES-GCM: {guest['async']}; {guest['packets']};")
    print(f"spectre v2: {guest['spectre'].split(';')[0]})")
    print_header("")
    for figure in figures:
        print_added(figure, 1)


def print_moves(figures, growth):
    print_header("Packet that moves its peer, beyond a normal one")
    for figure in figures:
        print_added(figure, 0)
    for f in growth:
        print(f"{f['name'] + '; growth in per cent':73}{f['percent']:+9.1f}"
              f"{'':20}{verdict(f)}")


def print_rebindings(figures):
    form = "{:10} {:11} {:>6} {:>9} {:>9} {:>11} {:>9} {:>9} {:>11} {:>7} {:>10}  {}"
    print("\nRebindings\n")
    print(form.format("", "", "server", "lost to", "client", "first", "lost to",
                      "mapping", "SAs deleted", "lost by", "lost", "").rstrip())
    print(form.format("scenario", "module", "sent", "in flight", "after news",
                      "reply", "server", "messages", "and added", "daemon",
                      "otherwise", "goal"))
    for f in figures:
        module = "not loaded" if f["variant"] == "stock" else "loaded"
        reply = "never"
        if f["first_reply"] is not None:
            reply = f"{f['first_reply'] * 1000:.0f} ms"
        print(form.format(f["scenario"], module, f["sent"], f["in_flight"],
                          f["lost_to_client"], reply, f["lost_to_server"],
                          f["mapping"], f["newsa"] + f["delsa"], f["daemon"],
                          f["otherwise"], verdict(f)).rstrip())


def main():
    release, packets, moves, rebinding, output = sys.argv[1:]
    found = results(packets)
    guest = next(r for r in found if r["figure"] == "guest")
    figures = packet_figures(found)
    moves = move_figures(results(moves))
    growth = growth_figures(moves)
    rebindings = [rebinding_figure(r) for r in results(rebinding)]

    print(f"esptrack on {release}\n")
    print_packets(guest, figures)
    print_moves(moves, growth)
    print_rebindings(rebindings)
    print(f"\n{METHOD}")
    with open(output, "w", encoding="utf-8") as file:
        json.dump({"release": release, "guest": guest, "packets": figures,
                   "moves": moves, "growth": growth, "rebindings": rebindings}, file, indent=1)
        file.write("\n")
    sys.exit(not all(f["met"] for f in figures + moves + growth + rebindings))


main()
