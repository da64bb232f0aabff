"""What p2pchat-protocol(7) says of files, for the peer in p2ppeer.py: manifests, offers, how they end, and
what a stream of ".file" begins with.
"""

import struct
import uuid

from p2pcrypto import sha256

SERVICE = ".file"

# How a transfer ended, and why.
DONE, REFUSED, CANCELLED, FAILED, EXPIRED = range(1, 6)
NO_REASON, BY_PERSON, BY_POLICY, TOO_LARGE, GONE, CHANGED, DAMAGED, TOO_MANY = range(8)

# What a request is answered with.
COMING, UNKNOWN, _, _, IO_ERROR, BUSY = range(6)

REQUEST_SIZE = 25

# Types of entries.
FILE, DIRECTORY, SYMLINK = range(3)


def entry(path, type=FILE, mode=0o644, mtime_ns=1_600_000_000_000_000_000, size=0, target=None):
    """One entry of a manifest, as legal as what it is told."""
    made = struct.pack(">H", len(path)) + path + struct.pack(">BHQQ", type, mode, mtime_ns, size)
    return made if target is None else made + struct.pack(">H", len(target)) + target


class Transfer:
    """What one offer tells of."""

    def __init__(self, manifest, data=b"", entries=1, name=b"it", chunk_log2=20):
        self.manifest = manifest
        self.data = data
        self.entries = entries
        self.name = name
        self.chunk_log2 = chunk_log2
        self.id = uuid.uuid4().bytes

    @property
    def hashes(self):
        size = 1 << self.chunk_log2
        return b"".join(sha256(part[at:at + size]) for part in (self.data, self.manifest)
                        for at in range(0, len(part), size))

    @property
    def sizes(self):
        return struct.pack(">BQQ", self.chunk_log2, len(self.data), len(self.manifest))

    @property
    def root(self):
        return sha256(b"p2pchat/1 files\0", self.sizes, self.hashes)

    @property
    def offer(self):
        return (b"\1" + self.sizes + struct.pack(">I", self.entries) + self.root +
                struct.pack(">H", len(self.name)) + self.name + b"\0\0")

    def answer(self, offset=0):
        """All that comes behind a request that is granted."""
        return bytes([COMING]) + self.hashes + self.manifest + self.data[offset:]


def end(id, state, reason=NO_REASON):
    return id + bytes([state, reason])


def request(id, offset=0, version=1):
    return bytes([version]) + id + struct.pack(">Q", offset)
