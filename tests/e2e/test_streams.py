"""Streams: services of a peer through the link, by the real programs."""

import os
import signal
import socket
import subprocess
import threading

import pytest

from harness import P2PCHATCTL, PATIENCE_S, environment, eventually


class Serving:
    """A `serve` that runs on."""

    def __init__(self, daemon, *arguments, name, **options):
        self.daemon = daemon
        self.process = subprocess.Popen(
            [P2PCHATCTL, "-s", daemon.socket, "serve", *map(str, arguments)], env=environment(daemon.home),
            stderr=subprocess.PIPE, **options)
        eventually(lambda: self.process.poll() is not None or provided(daemon, name),
                   f"service {name}")
        assert self.process.poll() is None, self.process.stderr.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def provided(daemon, name):
    return any(service["name"] == name and service["provided"]
               for service in daemon.rpc("service.list")["services"])


def stream(daemon, *arguments, input=b"", expect=0):
    """Runs `stream` to its end; its output as bytes."""
    done = subprocess.run([P2PCHATCTL, "-s", daemon.socket, "stream", *arguments], input=input, capture_output=True,
                          env=environment(daemon.home), timeout=PATIENCE_S)
    assert expect is None or done.returncode == expect, (done.returncode, done.stderr)
    return done


def test_a_command_answers_over_a_stream(paired):
    alice, bob = paired
    with Serving(bob, "shout", "-p", "alice", "--trust", "tofu", "--exec", "tr a-z A-Z",
                 name="shout"):
        assert stream(alice, "bob", "shout", input=b"hello\n").stdout == b"HELLO\n"
        assert stream(alice, "-p", "bob", "shout", input=b"again").stdout == b"AGAIN"
