"""An active man in the middle: host to one daemon, joiner to the other, with his own key for both.

He passes on what he is told, so nobody misses anything, and remembers it. He is as good as he can
be: he also shows the invite that he saw, and tries every connection anew.
"""

import socket
import threading

from p2pcrypto import Identity, ProtocolError
from p2ppeer import Ended, Peer


class Relay(Peer):
    """The link to the dialled side. It shows whatever invite the other link was shown."""

    seen = bytes(48)

    def ident(self, hash):
        honest = super().ident(hash)
        size = 54 + len(self.self.public.spki)
        prefix = honest[:4] + self.seen + honest[52:size]
        return (prefix + self.sign_ident(hash, prefix)).ljust(1152, b"\0")


class Impostor(Peer):
    """The link to the side that dialled him. It keeps the invite that it is shown."""

    seen = bytes(48)

    def _take_ident(self, ident, hash):
        super()._take_ident(ident, hash)
        self.seen = ident[4:52]


class Mallory:
    """Stands in for `target` ("host:port") at his own `address` until end()."""

    def __init__(self, target, identity=None):
        self.identity = identity or Identity()
        self.target = target
        self.heard = []     # texts that went through his hands
        self.victims = []   # fingerprints that believed him
        self.refusals = []  # what the target said to him
        self.tries = threading.Semaphore(0)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.links = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @property
    def fingerprint(self):
        return self.identity.text

    def wait_for_tries(self, count):
        """Waits until so many connections have come to nothing or to their end."""
        for _ in range(count):
            assert self.tries.acquire(timeout=60)

    def _serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            link = Impostor(self.identity, connection, b"H")
            self.links.append(link)
            try:
                link.handshake()
                self.victims.append(link.other.text)
                self._pass_on(link)
            except (Ended, ProtocolError, OSError):
                pass
            self._try_the_invite(link)
            link.end()
            self.tries.release()

    def _pass_on(self, link):
        onward = Relay.join(self.identity, self.target)
        self.links.append(onward)
        onward.handshake()
        while True:
            text = link.hear().text
            self.heard.append(text)
            onward.say(text)

    def _try_the_invite(self, link):
        """What he saw may open the other door."""
        try:
            relay = Relay.join(self.identity, self.target)
            relay.seen = link.seen
            self.links.append(relay)
            relay.handshake()
        except Ended as end:
            self.refusals.append(end.code)
        except (ProtocolError, OSError):
            pass

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for link in list(self.links):
            try:
                link.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            link.end()
        self.thread.join(timeout=10)
