"""The daemon as a service: its options, its files, its configuration, its start and its end."""

import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import stat
import subprocess

import pytest

from harness import P2PCHATCTL, P2PCHATD, PATIENCE_S, SANITIZED, environment, eventually, pair, run


SHELL = pathlib.Path("/bin/sh")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def daemon_says(home, *arguments, expect=0):
    return run(P2PCHATD, *arguments, home=home, expect=expect)


def test_version_and_help(home):
    assert re.fullmatch(r"p2pchatd \d+\.\d+\.\d+\n"
                        r"control interface 1\.0, protocol 1, suites 1( 2)?, OpenSSL 3\.\d+\.\d+\n"
                        r"[+-]systemd [+-]sandbox\n", daemon_says(home, "--version").out)
    help = daemon_says(home, "--help").out
    for option in ("-c", "--state-dir", "--control", "--listen", "--log-level", "-t", "-T",
                   "--version"):
        assert option in help


def test_t_is_silent_about_a_good_configuration(home):
    config = home / "p2pchatd.conf"
    config.write_text('listen = {"127.0.0.1:0", "[::1]:0"}\nunknown-peers = reject\n'
                      "expire = 7d\nqueue-limit-bytes = 1MiB\nlog-level = debug\n")
    result = daemon_says(home, "-c", config, "-t")
    assert (result.out, result.err) == ("", "")


def test_T_prints_what_is_in_effect_and_can_be_read_again(home):
    config = home / "p2pchatd.conf"
    config.write_text("unknown-peers = accept\nidentity = '${HOME} \"\\\\'\n")
    printed = daemon_says(home, "-c", config, "--listen", "127.0.0.1:4321", "-T").out
    assert "accept" in printed and "127.0.0.1:4321" in printed
    for key in ("listen", "identity", "identity-bits", "default-peer", "unknown-peers", "expire",
                "queue-limit-messages", "queue-limit-bytes", "inbound-limit", "low-water", "max-links",
                "log-level"):
        assert re.search(rf"^{key}\b", printed, re.MULTILINE), key
    config.write_text(printed)
    assert daemon_says(home, "-c", config, "-T").out == printed


@pytest.mark.parametrize("line", [
    "no-such-key = 1",
    "unknown-peers = perhaps",
    "expire = 30parsecs",
    "expire = -1d",
    "expire = 0",
    'retention = "0s"',
    "retention-count = -1",
    "retention-count = 0x10",
    "queue-limit-bytes = plenty",
    "queue-limit-messages = 0",
    "log-level = loud",
    "inbound-limit = 0",
    "low-water = 5",
    "low-water = 51%",
    "low-water = %",
    "max-links = many",
    "max-links = 0",
    "identity-bits = 1024",
    'listen = {"127.0.0.1:99999"}',
    'listen = {"localhost:8766"}',
    "listen = {%s}" % ", ".join('"127.0.0.1:0"' for _ in range(17)),
    "log-level = ",
    'default-peer = "\\xff"',
    'default-peer = "unended',
    'default-peer = "a b"',
    f'default-peer = "{65 * "ü"}"',
])
def test_a_bad_line_of_the_configuration_is_named(home, line):
    config = home / "p2pchatd.conf"
    config.write_text(f"# a comment\n{line}\n")
    for option in ("-t", "-T"):
        result = daemon_says(home, "-c", config, option, expect=78)
        # What ends too early ends in the line after.
        assert re.match(rf"(p2pchatd: )?{re.escape(str(config))}:[23]: .+", result.err), result.err
        assert result.out == ""


@pytest.mark.parametrize("line, wanted", [
    ("require-pq = perhaps", "'perhaps' is not yes or no"),
    ("max-links = 70000", "'70000' is not a number between 1 and 65536"),
    ("queue-limit-messages = 0", "'0' is not a number of at least 1"),
    ("retention = 0", "'0' is not a duration above 0 like 7d, or forever"),
    ("default-peer = a:b", "'a:b' is not a peer's name (1 to 64 visible characters without space, '/' or ':', "
                           "not beginning with '-') or fingerprint"),
])
def test_a_bad_value_is_told_what_is_good(home, line, wanted):
    config = home / "p2pchatd.conf"
    config.write_text(line)
    assert wanted in daemon_says(home, "-c", config, "-t", expect=78).err


@pytest.mark.parametrize("name", ["", 64 * "ü", 64 * "🐙", "SHA256:" + 43 * "A"])
def test_the_default_peer_may_have_any_name_that_a_peer_can(home, name):
    config = home / "p2pchatd.conf"
    config.write_text(f'default-peer = "{name}"\n')
    assert f'\ndefault-peer = "{name}"\n' in daemon_says(home, "-c", config, "-T").out


@pytest.mark.parametrize("bits", [0o020, 0o002])
def test_a_state_directory_that_others_can_write_is_refused(alice, home, bits):
    alice.stop()
    alice.state.chmod(0o700 | bits)
    result = daemon_says(home, "--state-dir", alice.state, "--control", home / "sock",
                         "--listen", "127.0.0.1:0", expect=78)
    assert f"chmod go-w '{alice.state}'" in result.err
    alice.state.chmod(0o755)  # reading does no harm
    alice.start()


def test_a_store_that_can_only_be_read_is_told(alice, home):
    alice.stop()
    if os.geteuid() != 0:
        pytest.skip("needs root for a read-only mount")
    command = (f"mount --bind {alice.state} {alice.state} && mount -o remount,bind,ro {alice.state} "
               f"&& exec {P2PCHATD} --state-dir {alice.state} --control {home}/sock "
               "--listen 127.0.0.1:0")
    result = run(pathlib.Path("/usr/bin/unshare"), "--mount", "sh", "-c", command, home=home, expect=74)
    assert "it can only be read" in result.err and "findmnt" in result.err


def test_of_two_that_make_an_identity_at_once_one_wins(home):
    both = [subprocess.Popen([P2PCHATD, "--state-dir", home / "state", "--generate-identity"],
                             env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True) for _ in range(2)]
    said = [process.communicate()[0].strip() for process in both]
    winners = [text for text, process in zip(said, both) if process.returncode == 0]
    assert len(winners) == 1, said
    assert sorted(process.returncode for process in both) == [0, 78]
    key = daemon_says(home, "--state-dir", home / "state", "--generate-identity", expect=78)
    assert "there is an identity already" in key.err
    assert os.listdir(home / "state") == ["identity.pem"]


def test_a_missing_configuration_that_was_asked_for_is_an_error(home):
    result = daemon_says(home, "-c", home / "nowhere.conf", "-t", expect=78)
    assert "nowhere.conf" in result.err


def test_a_bad_configuration_prevents_the_start(home):
    config = home / "p2pchatd.conf"
    config.write_text("no-such-key = 1\n")
    daemon_says(home, "-c", config, "--state-dir", home / "state", "--control", home / "sock",
                "--listen", "127.0.0.1:0", expect=78)
    assert not (home / "sock").exists()


def test_the_first_start_makes_private_files(alice):
    assert mode(alice.state) == 0o700
    assert mode(alice.state / "identity.pem") == 0o600
    for path in alice.state.iterdir():
        assert mode(path) & 0o077 == 0, path
    assert stat.S_ISSOCK(alice.socket.stat().st_mode)
    assert mode(alice.socket) & 0o007 == 0


def test_the_identity_stays(alice):
    before = alice.fingerprint
    alice.restart()
    assert alice.fingerprint == before


def test_an_identity_that_others_can_read_is_refused(alice):
    alice.stop()
    (alice.state / "identity.pem").chmod(0o644)
    result = daemon_says(alice.home, *alice.options, expect=78)
    assert "identity.pem" in result.err


def test_a_damaged_identity_is_never_replaced(alice):
    alice.stop()
    identity = alice.state / "identity.pem"
    identity.write_text("damaged")
    result = daemon_says(alice.home, *alice.options, expect=78)
    assert "identity.pem" in result.err
    assert identity.read_text() == "damaged"


def test_an_identity_of_another_size_can_be_configured(daemon, bob):
    alice = daemon("alice", config="identity-bits = 3072\n")
    assert alice.rpc("identity.get")["bits"] == 3072
    pair(alice, bob)
    alice.ctl("send", "-p", "bob", "--wait", "from a longer key")
    bob.ctl("send", "-p", "alice", "--wait", "to a longer key")
    assert bob.received() == ["from a longer key"]


def test_a_stale_socket_is_replaced(alice):
    alice.kill()
    assert alice.socket.exists()
    alice.start()
    assert alice.rpc("hello")


def test_a_stop_removes_the_socket(alice):
    alice.stop()
    alice.socket = alice.home / "run" / "control.sock"  # where nothing else may be
    alice.socket.parent.mkdir()
    alice.start()
    alice.stop()
    assert not alice.socket.exists()


def test_a_socket_that_stays_behind_in_the_home_directory_is_replaced(alice):
    for _ in range(2):
        alice.restart()
        assert alice.rpc("hello")


def test_a_second_daemon_does_not_displace_the_first(alice, home):
    for options in (["--state-dir", alice.state, "--control", home / "other.sock"],
                    ["--state-dir", home / "other", "--control", alice.socket]):
        result = daemon_says(home, *options, "--listen", "127.0.0.1:0", expect=None)
        assert result.status > 0
        assert result.err
    assert alice.rpc("status")["fingerprint"] == alice.fingerprint
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")


def test_a_file_that_is_no_socket_is_not_removed(home):
    path = home / "precious"
    path.write_text("data")
    result = daemon_says(home, "--state-dir", home / "state", "--control", path,
                         "--listen", "127.0.0.1:0", expect=None)
    assert result.status > 0
    assert path.read_text() == "data"


def listening_fails(home, address):
    """What is said about an address that can't be listened on."""
    result = daemon_says(home, "--state-dir", home / "state", "--control", home / "sock",
                         "--listen", address, expect=71)
    return next(line for line in result.err.splitlines() if f"can't listen on {address}: " in line)


def test_a_port_that_is_taken_is_named(home):
    with socket.create_server(("127.0.0.1", 0)) as server:
        complaint = listening_fails(home, f"127.0.0.1:{server.getsockname()[1]}")
    assert "another program listens there" in complaint and "ss -ltnp" in complaint


def test_an_interface_that_does_not_exist_is_named(home):
    complaint = listening_fails(home, "[fe80::1%nowhere]:8766")
    assert "no such interface" in complaint and "ip link" in complaint


def ports(daemon):
    return [listener["port"] for listener in daemon.rpc("status")["listeners"]]


def test_an_address_that_the_machine_may_get_later_does_not_prevent_the_start(daemon):
    alice = daemon("alice", listen=None,
                   config='listen = {"192.0.2.1:8766", "127.0.0.1:0"}\nlog-level = "info"\n')
    assert len(ports(alice)) == 2
    assert "no address 192.0.2.1 yet" in alice.text_of_log()


def test_one_address_that_is_taken_does_not_prevent_the_start(daemon):
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = f"127.0.0.1:{server.getsockname()[1]}"
        alice = daemon("alice", listen=None, config=f'listen = {{"{taken}", "127.0.0.1:0"}}\n')
        assert len(ports(alice)) == 1
        assert f"can't listen on {taken}: another program" in alice.text_of_log()


@pytest.mark.parametrize("addresses", [("[::]", "0.0.0.0"), ("0.0.0.0", "[::]"),
                                       ("127.0.0.1", "[::]"), ("127.0.0.1", "127.0.0.1")])
def test_an_address_that_belongs_to_another_is_listened_on_once(daemon, addresses):
    port = random.randrange(10000, 30000)  # below those that the kernel chooses for others
    wanted = ", ".join(f'"{address}:{port}"' for address in addresses)
    alice = daemon("alice", listen=None, config=f"listen = {{{wanted}}}\n")
    assert ports(alice) == [port]
    assert "which we listen on already" in alice.text_of_log()
    assert "another program" not in alice.text_of_log()


def test_it_starts_while_its_peers_can_not_be_reached(daemon):
    alice = daemon("alice")
    for name, address in (("bob", "127.0.0.1:1"), ("carol", "no-such-host.invalid"),
                          ("dave", "[2001:db8::1]:8766")):
        alice.ctl("peer", "add", name, address)
    alice.restart()
    alice.ctl("send", "-p", "carol", "for when there is a network")
    assert alice.peer("carol")["queued"] == 1
    eventually(lambda: alice.peer("bob").get("last_error"), "the reason")


def test_it_talks_over_ipv6(daemon):
    if not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("no IPv6 here")
    alice = daemon("alice", listen="[::1]:0")
    bob = daemon("bob", listen="[::1]:0")
    pair(alice, bob)
    alice.ctl("send", "-p", "bob", "--wait", "six")
    assert bob.received() == ["six"]


def test_it_listens_on_every_address_given(home, daemon):
    alice = daemon("alice", listen=None, config='listen = {"127.0.0.1:0", "127.0.0.2:0"}\n')
    listeners = alice.rpc("status")["listeners"]
    assert [listener["address"] for listener in listeners] == ["127.0.0.1", "127.0.0.2"]
    for listener in listeners:
        socket.create_connection((listener["address"], listener["port"])).close()


def reload(daemon, sign):
    """Asks for a reload and waits until the log says what came of it."""
    before = len(daemon.text_of_log())
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: re.search(sign, daemon.text_of_log()[before:]), f"{sign} in the log")


def test_a_reload_takes_new_settings(daemon, bob):
    alice = daemon("alice", config="unknown-peers = reject\n")
    bob.add(alice)
    eventually(lambda: bob.peer("alice").get("last_error"), "a refusal")
    alice.configure("unknown-peers = accept\n")
    reload(alice, "(?i)reload")
    bob.ctl("peer", "connect", "alice")
    bob.ctl("send", "-p", "alice", "--wait", "now I may")
    assert alice.received() == ["now I may"]


def test_a_bad_reload_keeps_the_old_settings_and_says_so(daemon, bob):
    alice = daemon("alice", config="unknown-peers = accept\n")
    alice.configure("unknown-peers = perhaps\n")
    reload(alice, rf"{re.escape(str(alice.config))}:1: ")
    bob.add(alice)
    bob.ctl("send", "-p", "alice", "--wait", "still open")
    result = alice.ctl("rpc", "daemon.reload", expect=None)
    assert result.status != 0


def test_a_reload_cuts_no_link(paired):
    alice, bob = paired
    alice.configure("expire = 10d\n")
    since = alice.peer("bob")["since"]
    alice.rpc("daemon.reload")
    assert alice.peer("bob")["link"] == "online"
    assert alice.peer("bob")["since"] == since


def test_a_control_socket_that_was_deleted_is_told_once(paired):
    alice, bob = paired
    alice.socket.unlink()
    eventually(lambda: "was deleted" in alice.text_of_log(), "the complaint")
    assert f"the control socket {alice.socket} was deleted" in alice.text_of_log()
    assert "to make it again: restart p2pchatd" in alice.text_of_log()
    bob.ctl("send", "-p", "alice", "--wait", "still there")


def test_strangers_on_the_port_disturb_nobody(paired):
    alice, bob = paired
    host, port = alice.address.rsplit(":", 1)
    sockets = []
    for data in (b"", b"\0", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 5, b"\0\0\0\x50\x01",
                 b"\0\0\0\x50\x01p2pchat\0" + b"\0" * 72, b"\x7f\xff\xff\xff\x10", os.urandom(4096)):
        for _ in range(4):
            stranger = socket.create_connection((host, int(port)))
            with contextlib.suppress(ConnectionError):  # it may have been turned away already
                stranger.sendall(data)
            sockets.append(stranger)
    bob.ctl("send", "-p", "alice", "--wait", "through the crowd")
    assert alice.received() == ["through the crowd"]
    for stranger in sockets:
        stranger.close()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_at_a_signal(alice, sign):
    alice.process.send_signal(sign)
    assert alice.process.wait(timeout=PATIENCE_S) == 0
    alice.process = None


def deaf(*signals):
    """A prefix under which a program ignores and blocks these signals."""
    return ["/usr/bin/python3", "-c", "import os, signal, sys\n"
            f"for sign in {[int(sign) for sign in signals]}:\n"
            "    signal.signal(sign, signal.SIG_IGN)\n"
            "    signal.pthread_sigmask(signal.SIG_BLOCK, [sign])\n"
            "os.execvp(sys.argv[1], sys.argv[1:])"]


def test_signals_that_its_parent_ignored_and_blocked_are_heard(daemon):
    alice = daemon("alice", prefix=deaf(signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD))
    reload(alice, "configuration reloaded")
    alice.stop()


def test_a_limit_of_file_sizes_does_not_kill_it(daemon, bob):
    """Under a hard one the store fails as a disk does; without, the soft one is lifted."""
    soft = daemon("soft", prefix=["sh", "-c", 'ulimit -S -f 64; exec "$@"', "sh"])
    soft.ctl("peer", "add", "bob", bob.address)
    for _ in range(8):
        soft.ctl("send", "-p", "bob", "-", input="x" * 60000)
    assert "ulimit -f" not in soft.text_of_log()


def test_a_hard_limit_of_file_sizes_is_told(home):
    result = run(SHELL, "-c", f'ulimit -f 64; exec {P2PCHATD} --state-dir state --generate-identity',
                 home=home, cwd=home)
    assert "at most 65536 bytes" in result.err or "at most 32768 bytes" in result.err


@pytest.mark.parametrize("arguments", [["-T"], ["--version"], ["--help"]])
def test_output_that_is_lost_is_an_error(home, arguments):
    for redirection in (">/dev/full", ">&-"):
        result = run(SHELL, "-c", f'exec "$0" "$@" {redirection}', P2PCHATD, *arguments,
                     home=home, expect=74)
        assert "can't write to standard output" in result.err


def test_it_ends_although_clients_are_connected(paired):
    alice, bob = paired
    waiting = alice.control()
    waiting.ask("follow", after=0)
    idle = alice.control()
    idle.call("hello")
    partial = alice.control()
    partial.write(b'{"id":')
    alice.stop()
    assert idle.read() is None


def test_the_log_has_no_text_and_no_key(paired):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", "xyzzy-secret-text")
    for one in (alice, bob):
        assert "xyzzy" not in one.text_of_log()
        assert "PRIVATE KEY" not in one.text_of_log()


def test_the_text_is_sealed_on_the_disk(paired):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", "xyzzy-secret-text")
    for one in (alice, bob):
        one.stop()
        for path in filter(pathlib.Path.is_file, one.state.rglob("*")):
            assert b"xyzzy" not in path.read_bytes(), path


def test_directories_of_the_environment_are_used(home):
    state, runtime = home / "xdg-state", home / "xdg-runtime"
    settings = dict(environment(home), XDG_STATE_HOME=str(state), XDG_RUNTIME_DIR=str(runtime))
    if os.geteuid() == 0:
        settings |= {"STATE_DIRECTORY": str(state / "p2pchat"),
                     "RUNTIME_DIRECTORY": str(runtime / "p2pchat")}
    process = subprocess.Popen([P2PCHATD, "--listen", "127.0.0.1:0"], env=settings,
                               stderr=subprocess.PIPE)
    try:
        status = [P2PCHATCTL, "status"]
        eventually(lambda: subprocess.run(status, env=settings, capture_output=True).returncode == 0
                   or process.poll() is not None, "an answer")
        assert process.poll() is None, process.stderr.read().decode()
        assert (runtime / "p2pchat" / "control.sock").exists()
        assert (state / "p2pchat" / "identity.pem").exists()
    finally:
        process.terminate()
        assert process.wait(timeout=PATIENCE_S) == 0
        process.stderr.close()


def test_restarting_under_a_client_s_eyes_gives_a_clear_answer(paired):
    """Requests that are open when the daemon stops are answered, not dropped."""
    alice, bob = paired
    bob.stop()
    id = alice.ctl("send", "-p", "bob", "x").out.strip()
    control = alice.control()
    control.ask("message.wait", id=id, state="delivered")
    assert "result" in control.reply(control.ask("hello"))  # so the other one has been read, too
    alice.stop()
    assert control.read()["error"]["data"]["kind"] == "stopping"


@pytest.mark.skipif(SANITIZED, reason="LeakSanitizer can't run under strace")
def test_objects_are_hashed_by_randomness_that_needs_no_device(alice, home):
    """Jansson would open /dev/urandom, and in the sandbox, or without it, take the time instead."""
    alice.stop()
    alice.prefix = ("strace", "-D", "-e", "trace=open,openat", "-o", home / "daemon.trace")
    alice.start()
    run(pathlib.Path("/usr/bin/strace"), "-e", "trace=open,openat", "-o", home / "client.trace",
        P2PCHATCTL, "-s", alice.socket, "--json", "status", home=home)
    alice.rpc("peer.list")
    alice.stop()
    for name, most in (("daemon.trace", 1), ("client.trace", 0)):  # once by SQLite, at its start
        trace = (home / name).read_text()
        assert "libjansson" in trace and trace.count("/dev/urandom") <= most
