"""A relay on the way to a daemon that looks at nothing but the headers of the frames. It can hold a
frame back, so that a test knows exactly how far both sides have come, or spoil what passes.
"""

import socket
import struct
import threading


class Interceptor:
    """Leads from its own `address` to `target` ("host:port")."""

    def __init__(self, target):
        self.target = target
        self.held = threading.Event()  # a frame of the held type has come, and goes no further
        self.released = threading.Event()
        self.type = None
        self.spoilt_type = self.flip_at = None
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.threads = [threading.Thread(target=self._serve, daemon=True)]
        self.threads[0].start()

    def hold(self, type):
        """Lets no frame of this type through, and nothing after it."""
        self.type = type

    def spoil(self, type, at):
        """Flips a bit in the byte of this index of each frame of the type that goes to the target."""
        self.spoilt_type, self.flip_at = type, at

    def release(self):
        """Lets go on what is held."""
        self.type = None
        self.released.set()

    def open(self):
        """Lets everything through, on new connections; ends those that were held."""
        self.cut()
        self.release()

    def cut(self):
        for each in self.sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _serve(self):
        host, _, port = self.target.rpartition(":")
        while True:
            try:
                inner = self.listener.accept()[0]
            except OSError:
                return
            try:
                outer = socket.create_connection((host, int(port)))
            except OSError:
                inner.close()
                continue
            self.sockets += [inner, outer]
            for way in ((inner, outer, True), (outer, inner, False)):
                thread = threading.Thread(target=self._relay, args=way, daemon=True)
                self.threads.append(thread)
                thread.start()

    def _relay(self, source, sink, inward):
        try:
            with source.makefile("rb") as frames:
                while len(header := frames.read(5)) == 5:
                    size, type = struct.unpack(">IB", header)
                    body = frames.read(size)
                    if type == self.type:
                        self.held.set()
                        self.released.wait()
                    frame = bytearray(header + body)
                    if inward and type == self.spoilt_type:
                        frame[self.flip_at] ^= 1
                    sink.sendall(frame)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.open()
        for thread in self.threads:
            thread.join(timeout=10)
        for each in self.sockets:
            each.close()
