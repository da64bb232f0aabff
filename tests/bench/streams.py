"""Streams: how fast, at which price, and what they do to messages meanwhile."""

import contextlib
import os
import resource
import shutil
import socket
import subprocess
import time

import limits
from harness import environment, eventually
from process import processor_seconds, resident
from scene import linked
from table import Row

BULK = 256 << 20
ROUNDS = 3
MESSAGES = 200
STALLED = 250
FULL = 200 << 10  # more than a stream and its sockets take at once


def serve(daemon, name, command, *options):
    process = subprocess.Popen(daemon.command("serve", name, "-p", "alice", "--trust", "tofu",
                                              "--exec", command, *options),
                               env=environment(daemon.home), stderr=subprocess.DEVNULL)
    eventually(lambda: any(service["name"] == name and service["provided"]
                           for service in daemon.rpc("service.list")["services"]), "the service")
    return process


def zeros(size):
    return subprocess.Popen(["head", "-c", str(size), "/dev/zero"], stdout=subprocess.PIPE)


def through_stream(alice):
    source = zeros(BULK)
    subprocess.run(alice.command("stream", "bob", "sink"), stdin=source.stdout, check=True,
                   env=environment(alice.home))
    source.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return str(taken.getsockname()[1])


def through_tls(listen, connect, port):
    """Both programs between the same two pipes; the seconds that their processes ran."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    sink = subprocess.Popen(listen, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with contextlib.suppress(ConnectionError):
        eventually(lambda: subprocess.run(["ss", "-Hltn", f"sport = :{port}"], text=True,
                                          capture_output=True).stdout, "the listener")
    source = zeros(BULK)
    start = time.perf_counter()
    subprocess.run(connect, stdin=source.stdout, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    source.wait()
    sink.wait()
    took = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def ncat():
    port = free_port()
    return through_tls(["ncat", "--ssl", "--recv-only", "-l", "127.0.0.1", port],
                       ["ncat", "--ssl", "--send-only", "127.0.0.1", port], port)


def bulk_rows(alice, bob):
    ours, theirs, spent = [], [], 0
    for _ in range(ROUNDS):
        before = [processor_seconds(daemon.pid) for daemon in (alice, bob)]
        ours.append(limits.timed(lambda: through_stream(alice)))
        spent += sum(processor_seconds(daemon.pid) for daemon in (alice, bob)) - sum(before)
        theirs.append(ncat())
    yield Row("bulk through a stream", BULK / limits.middle(ours), "B/s",
              BULK / limits.middle([took for took, _ in theirs]), "ncat --ssl, in turn with it")
    yield Row("the same, processor time of both daemons a MiB", spent / ROUNDS / (BULK >> 20), "s",
              limits.middle([cpu for _, cpu in theirs]) / (BULK >> 20),
              "both ends of ncat --ssl, with what feeds them")


def latencies(alice):
    control, times = alice.control(), []
    for number in range(MESSAGES):
        start = time.perf_counter()
        [message] = control.call("message.send", peer="bob", body=str(number))["messages"]
        control.call("message.wait", id=message["id"], state="delivered", timeout_ms=60000)
        times.append(time.perf_counter() - start)
    return times


def latency_rows(alice):
    idle = latencies(alice)
    flood = subprocess.Popen(alice.command("stream", "bob", "sink"), stdin=open("/dev/zero", "rb"),
                             env=environment(alice.home), stderr=subprocess.DEVNULL)
    eventually(lambda: any(stream["sent"] > BULK // 8 for stream in
                           alice.rpc("stream.list")["streams"]), "the flood")
    busy = latencies(alice)
    flood.kill()
    flood.wait()
    for percent in (50, 99):
        yield Row(f"a message during bulk, {percent} %", limits.percentile(busy, percent), "s",
                  limits.percentile(idle, percent), "the same without bulk")


def open_stream(alice):
    one = subprocess.Popen(alice.command("stream", "bob", "stuck"), stdin=subprocess.PIPE,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           env=environment(alice.home))
    os.set_blocking(one.stdin.fileno(), False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(one.stdin.fileno(), bytes(FULL))
    return one


def memory_rows(alice, bob):
    before = [resident(daemon.pid) for daemon in (alice, bob)]
    streams = [open_stream(alice) for _ in range(STALLED)]
    eventually(lambda: sum(stream["state"] == "open" and stream["sent"] >= 16384
                           for stream in alice.rpc("stream.list")["streams"]) == STALLED,
               "all of them full")
    for daemon, start in zip((alice, bob), before):
        yield Row(f"{STALLED} streams whose readers sleep, {daemon.name}'s daemon",
                  resident(daemon.pid) - start, "B", STALLED * (64 << 20) / 1000, "their share of 64 MiB for 1,000")
    for one in streams:
        one.kill()
        one.wait()


def call(alice):
    subprocess.run(alice.command("stream", "bob", "empty"), stdin=subprocess.DEVNULL, check=True,
                   env=environment(alice.home))


def opening_rows(alice):
    first = limits.timed(lambda: call(alice))
    later = limits.middle([limits.timed(lambda: call(alice)) for _ in range(20)])
    yield Row("the first stream, with its lane", first, "s", later, "a later one, program and all")


def rows(_):
    with linked() as (alice, bob):
        servers = [serve(bob, "empty", "true"), serve(bob, "sink", "exec cat >/dev/null"),
                   serve(bob, "stuck", "exec sleep 1000", "--max", "1024")]
        yield from opening_rows(alice)
        yield from memory_rows(alice, bob)  # before the daemons have grown by bulk
        if shutil.which("ncat"):
            yield from bulk_rows(alice, bob)
        yield from latency_rows(alice)
        for server in servers:
            server.kill()
            server.wait()
