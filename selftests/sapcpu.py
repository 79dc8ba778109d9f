#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""sapcpu.py CPU SPI...: bind SAs to a processor, as no "ip" can do yet.

They are deleted, and added again as the kernel has shown them, with the number of the
processor. Exit status 3 if this kernel does not know SAs of a processor.
"""

import os
import socket
import struct
import sys

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_CREATE = 1, 4, 0x300, 0x400
NLMSG_ERROR, NLMSG_DONE = 2, 3
XFRM_MSG_NEWSA, XFRM_MSG_DELSA, XFRM_MSG_GETSA = 0x10, 0x11, 0x12
XFRMA_SA_PCPU = 35
# struct xfrm_usersa_info: its size, where it has daddr, spi and proto, and its family
INFO, ID, FAMILY = 224, 56, 212


def attributes(data):
    """(type, value) of each"""
    while data:
        size, kind = struct.unpack_from("=HH", data)
        yield kind, data[4:size]
        data = data[(size + 3) & ~3:]


class Xfrm:
    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_XFRM)

    def request(self, kind, flags, body):
        self.sock.send(struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST | flags,
                                   0, 0) + body)
        while True:
            data = self.sock.recv(1 << 16)
            while data:
                size, kind = struct.unpack_from("=IH", data)
                answer, data = data[16:size], data[(size + 3) & ~3:]
                if kind == NLMSG_ERROR:
                    error = -struct.unpack_from("=i", answer)[0]
                    if error:
                        raise OSError(error, os.strerror(error))
                    return
                if kind == NLMSG_DONE:
                    return
                yield answer

    def states(self):
        """SPI -> what the kernel says of the SA"""
        return {struct.unpack_from("!I", state, ID + 16)[0]: state
                for state in self.request(XFRM_MSG_GETSA, NLM_F_DUMP, b"")}

    def do(self, *request):
        for _ in self.request(*request):
            pass


def main():
    cpu = int(sys.argv[1])
    spis = [int(spi, 0) for spi in sys.argv[2:]]
    xfrm = Xfrm()
    for spi in spis:
        state = xfrm.states()[spi]
        # struct xfrm_usersa_id: daddr, spi, family, proto
        xfrm.do(XFRM_MSG_DELSA, NLM_F_ACK, state[ID:ID + 20] +
                state[FAMILY:FAMILY + 2] + state[ID + 20:ID + 21] + b"\0")
        xfrm.do(XFRM_MSG_NEWSA, NLM_F_ACK | NLM_F_CREATE, state +
                struct.pack("=HHI", 8, XFRMA_SA_PCPU, cpu))
    states = xfrm.states()
    for spi in spis:
        if struct.pack("=I", cpu) != dict(attributes(states[spi][INFO:])).get(XFRMA_SA_PCPU):
            sys.exit(3)


main()
