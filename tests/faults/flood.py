#!/usr/bin/python3
"""Connects to ADDRESS so many times a second, from many addresses, says HELLO or ATTACH every other
time, and keeps the newest connections open, until its standard input ends. Then it says how many it
made, and in how many seconds.

    flood.py ADDRESS PER_SECOND hello|attach
"""

import collections
import contextlib
import select
import socket
import struct
import sys
import time

KEPT = 1500
HELLO = struct.pack(">IB", 80, 1) + (b"p2pchat\0" + bytes([1, 1]) + struct.pack(">H", 1) +
                                     bytes(32) + bytes([9]) + bytes(35))
ATTACH = struct.pack(">IB", 88, 8) + b"p2plane\0" + bytes(80)
WORDS = {"hello": HELLO, "attach": ATTACH}


def connect(host, port, number, words):
    one = socket.socket()
    one.setblocking(False)
    one.bind((f"127.1.{number // 250 % 250}.{1 + number % 250}", 0))
    one.connect_ex((host, port))
    if number % 2 == 0:
        with contextlib.suppress(OSError):
            one.send(words)
    return one


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    per_second = int(sys.argv[2])
    words = WORDS[sys.argv[3]]
    kept = collections.deque()
    made, start = 0, time.monotonic()
    while not select.select([sys.stdin], [], [], 0.001)[0]:
        while made < (time.monotonic() - start) * per_second:
            kept.append(connect(host, int(port), made, words))
            made += 1
            if len(kept) > KEPT:
                kept.popleft().close()
    print(made, time.monotonic() - start)


if __name__ == "__main__":
    main()
