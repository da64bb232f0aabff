"""What tests of lanes share: a session of a daemon with the peer in Python, in both roles."""

import os
import pathlib
import socket
import subprocess
import sys

import pytest

from harness import P2PCHATCTL, environment

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

from p2pformat import PING, PONG, STREAMS, record
from p2planes import Lane
from p2ppeer import Peer
from test_streams import Serving


class Stage:
    """A session with alice's daemon in one of the two roles, and what makes lanes of it."""

    def __init__(self, daemon, link, listener=None):
        self.daemon = daemon
        self.link = link
        self.listener = listener
        self.instance = os.urandom(16)

    def attach(self, **options):
        """A lane on which nothing was said yet."""
        options.setdefault("instance", self.instance)
        if self.listener is None:
            return Lane.join(self.link, self.daemon.address, **options)
        return Lane.host(self.link, self.listener, **options)

    def lane(self, *resumes, **options):
        lane = self.attach(**options)
        lane.greeted = lane.greet(*resumes)
        return lane

    def serve(self, command="cat", name="echo", peers=("python",), options=()):
        """A service of the daemon."""
        named = [word for peer in peers for word in ("-p", peer)]
        return Serving(self.daemon, name, *named, *options, "--exec", command, name=name)

    def call(self, service="echo", *options):
        """A client of the daemon that calls a service of ours."""
        return subprocess.Popen(
            [P2PCHATCTL, "-s", self.daemon.socket, "stream", *options, "python", service],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(self.daemon.home))

    def check_link(self):
        """The session goes on as if nothing had been."""
        self.link.send(record(PING, b"still on"))
        assert self.link.wait(PONG) == b"still on"


@pytest.fixture
def joined(alice, python, links):
    alice.ctl("peer", "add", "python", "--fingerprint", python.text)
    link = Peer.join(python, alice.address, features=STREAMS)
    links.append(link)
    return Stage(alice, link.handshake())


@pytest.fixture
def hosted(alice, python, links):
    listener = socket.create_server(("127.0.0.1", 0))
    alice.ctl("peer", "add", "python", f"127.0.0.1:{listener.getsockname()[1]}",
              "--fingerprint", python.text)
    link = Peer.accept(python, listener, features=STREAMS)
    links.append(link)
    yield Stage(alice, link.handshake(), listener)
    listener.close()


@pytest.fixture(params=["joined", "hosted"])
def stage(request):
    return request.getfixturevalue(request.param)
