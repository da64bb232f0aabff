"""A link between two networks that does what bad links do.

Each end is a TUN device in a network namespace, and a thread carries the packets from one to the
other: late, twice, out of order, slowly, or not at all, in each direction as it is told.
"""

import concurrent.futures
import ctypes
import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import threading
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
TCP = 6


class Way:
    """One direction of a wire. Everything may change while it is in use."""

    def __init__(self):
        self.open = True
        self.loss = 0.0  # the share of packets that vanish
        self.repeats = 0.0  # the share of packets that come twice
        self.delay_s = 0.0
        self.jitter_s = 0.0  # at most so much more, different for each packet
        self.rate = None  # bytes a second
        self.queue_s = 20.0  # what a narrow wire would have to keep for longer is dropped
        self.longest = 65535  # bytes; longer packets vanish without a word
        self.left = None  # bytes of TCP payload that it still lets through before it is cut
        self.swallowed = 0  # how many packets have vanished
        self.free_at = 0.0  # when the last byte of a narrow wire's queue is out

    def arrivals(self, size):
        """The times at which a packet of this size comes out at the other end."""
        now = time.monotonic()
        full = self.rate is not None and self.free_at - now > self.queue_s
        if not self.open or size > self.longest or full or random.random() < self.loss:
            self.swallowed += 1
            return []
        if self.rate is not None:
            self.free_at = max(self.free_at, now) + size / self.rate
            now = self.free_at
        copies = 2 if random.random() < self.repeats else 1
        return [now + self.delay_s + random.random() * self.jitter_s for _ in range(copies)]


class Wire:
    """Leads from the device `name` of one namespace to that of another; packets of 1500 bytes.

    `there` is the way from the first namespace, `back` the way to it.
    """

    def __init__(self, namespaces, name):
        self.ends = [open_tun(namespace, name) for namespace in namespaces]
        self.there, self.back = self.ways = Way(), Way()
        self.was_cut = threading.Event()
        self.stop, self.stopped = os.pipe()
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def set(self, **traits):
        """The same for both ways: set(loss=0.1, delay_s=0.05)."""
        for way in self.ways:
            for name, value in traits.items():
                assert hasattr(way, name)
                setattr(way, name, value)

    def cut_after(self, way, size):
        """Closes both ways when `size` more bytes of TCP payload have gone this way."""
        self.was_cut.clear()
        way.left = size

    def mend(self):
        self.set(open=True, left=None)

    def end(self):
        os.close(self.stopped)
        self.thread.join()
        for fd in (self.stop, *self.ends):
            os.close(fd)

    # --- the thread ---

    def _carry(self):
        under_way, serial = [], itertools.count()  # (arrival, serial, way, packet)
        poll = select.poll()
        for fd in (self.stop, *self.ends):
            poll.register(fd, select.POLLIN)
        while True:
            wait_ms = None
            if under_way:
                wait_ms = max(0, (under_way[0][0] - time.monotonic()) * 1000)
            for fd, _ in poll.poll(wait_ms):
                if fd == self.stop:
                    return
                way = self.ends.index(fd)
                for packet in read_packets(fd):
                    for arrival in self._arrivals(self.ways[way], packet):
                        heapq.heappush(under_way, (arrival, next(serial), way, packet))
            while under_way and under_way[0][0] <= time.monotonic():
                _, _, way, packet = heapq.heappop(under_way)
                self._deliver(way, packet)

    def _arrivals(self, way, packet):
        if way.left is not None and way.open:
            way.left -= tcp_payload(packet)
            if way.left < 0:
                self.set(open=False)
                self.was_cut.set()
        return way.arrivals(len(packet))

    def _deliver(self, way, packet):
        if not self.ways[way].open:
            return
        try:
            os.write(self.ends[1 - way], packet)
        except OSError:
            pass  # that end is down


def inside(namespace, act):
    """What a function returns that is called in a network namespace, given by its path."""

    def go():
        with open(namespace) as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"can't enter {namespace}")
        return act()

    with concurrent.futures.ThreadPoolExecutor(1) as thread:  # only it goes there
        return thread.submit(go).result()


def open_tun(namespace, name):
    """A new TUN device in a network namespace, which is named by its file."""

    def make():
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
        return fd

    return inside(namespace, make)


def read_packets(fd):
    """What a device has to say, but not for ever."""
    for _ in range(64):
        try:
            yield os.read(fd, 65536)
        except OSError:  # there is no more, or the device is down
            return


def tcp_payload(packet):
    """How many bytes of a packet are TCP's load."""
    version = packet[0] >> 4
    header = (packet[0] & 15) * 4 if version == 4 else 40
    protocol = packet[9] if version == 4 else packet[6]
    if protocol != TCP:
        return 0
    return len(packet) - header - (packet[header + 12] >> 4) * 4
