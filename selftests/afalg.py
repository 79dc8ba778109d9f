#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Have the kernel make instances of AEAD algorithms, which stay.

afalg.py NAME...: as "pcrypt(rfc4106(gcm(aes)))". Where it has a higher priority
than others with its name, SAs that are added later will use it.
"""

import socket
import sys

for name in sys.argv[1:]:
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as sock:
        sock.bind(("aead", name))
