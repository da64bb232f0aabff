"""The daemon under a service manager, which is us: what it tells it, and the sockets it is given."""

import re
import signal
import socket
import subprocess

import pytest

from harness import P2PCHATD, PATIENCE_S, Control, RpcError, environment, eventually

if "libsystemd" not in subprocess.run(["ldd", P2PCHATD], capture_output=True, text=True).stdout:
    pytest.skip("built without systemd", allow_module_level=True)


class Manager:
    """Starts a daemon as systemd would, and hears what it says."""

    def __init__(self, home):
        self.home = home
        self.path = home / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(PATIENCE_S)
        self.control = home / "control.sock"
        self.config = home / "p2pchatd.conf"
        self.config.write_text("")
        self.process = None
        self.told = False

    def start(self, *options, sockets=(), listen=("--listen", "127.0.0.1:0"), **variables):
        """Hands over (name, socket) pairs; the shell is there because it knows the process id."""
        names = ":".join(name for name, _ in sockets)
        script = "".join(f"exec {3 + i}<&{s.fileno()}; " for i, (_, s) in enumerate(sockets))
        if sockets:
            script += f"LISTEN_PID=$$ LISTEN_FDS={len(sockets)} LISTEN_FDNAMES={names} "
        self.process = subprocess.Popen(
            ["bash", "-c", script + 'exec "$@"', "bash", P2PCHATD, "-c", self.config,
             "--state-dir", self.home / "state", "--control", self.control,
             *listen, *options],
            env=dict(environment(self.home), NOTIFY_SOCKET=str(self.path), **variables),
            pass_fds=[s.fileno() for _, s in sockets], stderr=subprocess.PIPE)

    def hear(self):
        """The next thing it says: {"READY": "1"}."""
        text = self.socket.recv(4096).decode()
        return dict(line.split("=", 1) for line in text.splitlines())

    def hear_of(self, *names):
        """The next that says one of these names; others are passed over."""
        while True:
            said = self.hear()
            if any(name in said for name in names):
                return said

    def ends(self, status):
        """What it has said when it has ended, with this status."""
        ended = self.process.wait(timeout=PATIENCE_S)
        said = self.process.stderr.read().decode()
        assert ended == status, said
        self.process.stderr.close()
        self.process = None
        return said

    def tell_to_stop(self):
        """Once only: a second signal could meet it when it no longer listens."""
        self.process.terminate()
        self.told = True

    def stop(self):
        if not self.told:
            self.tell_to_stop()
        self.told = False
        return self.ends(0)

    def end(self):
        if self.process is not None:
            self.stop()
        self.socket.close()


@pytest.fixture
def manager(home):
    made = Manager(home)
    yield made
    made.end()


def listening(family, address):
    made = socket.socket(family)
    made.bind(address)
    made.listen()
    return made


def call(path, method):
    control = Control(path)
    try:
        return control.call(method)
    finally:
        control.end()


def test_it_is_ready_when_it_answers(manager):
    manager.start()
    assert manager.hear_of("READY")["READY"] == "1"
    assert call(manager.control, "hello")["daemon"] == "p2pchatd"


def test_it_says_when_it_stops(manager):
    manager.start()
    manager.hear_of("READY")
    manager.tell_to_stop()
    assert manager.hear_of("STOPPING")["STOPPING"] == "1"


@pytest.mark.parametrize("text", ["log-level = debug\n", "no-such-key = 1\n"])
def test_a_reload_is_announced_and_ended_whatever_comes_of_it(manager, text):
    manager.start()
    manager.hear_of("READY")
    manager.config.write_text(text)
    manager.process.send_signal(signal.SIGHUP)
    assert int(manager.hear_of("RELOADING", "READY")["MONOTONIC_USEC"]) > 0
    assert manager.hear_of("RELOADING", "READY") == {"READY": "1"}


def test_its_status_has_counts_and_no_names(manager, alice):
    manager.start()
    assert manager.hear_of("STATUS")["STATUS"] == "0 of 0 peers online"
    control = Control(manager.control)
    control.call("peer.add", name="alice", address=[alice.address], fingerprint=alice.fingerprint)
    fingerprint = control.call("status")["fingerprint"]
    control.end()
    alice.ctl("peer", "add", "manager", "--fingerprint", fingerprint)
    seen = []
    while "1 of 1 peers online" not in seen:
        seen.append(manager.hear_of("STATUS")["STATUS"])
    assert all(re.fullmatch(r"\d+ of \d+ peers online(, \d+ .*)?", text) for text in seen)


def test_it_shows_signs_of_life_until_it_hangs(manager):
    manager.start(WATCHDOG_USEC="200000")
    for _ in range(3):
        assert manager.hear_of("WATCHDOG")["WATCHDOG"] == "1"
    manager.process.send_signal(signal.SIGSTOP)
    manager.socket.settimeout(1)
    with pytest.raises(TimeoutError):
        while True:
            manager.hear()
    manager.process.send_signal(signal.SIGCONT)
    manager.socket.settimeout(PATIENCE_S)
    assert manager.hear_of("WATCHDOG")


def test_it_is_silent_to_no_watchdog(manager):
    manager.start()
    manager.hear_of("READY")
    manager.tell_to_stop()
    assert "WATCHDOG" not in manager.hear_of("WATCHDOG", "STOPPING")


def test_it_asks_for_time_to_open_a_large_store(manager):
    manager.start()
    manager.hear_of("READY")
    manager.stop()
    with open(manager.home / "state" / "p2pchat.db", "ab") as database:
        database.truncate(100_000_000_000)  # a hole; what it holds does not matter
    manager.start()
    assert int(manager.hear_of("EXTEND_TIMEOUT_USEC", "READY")["EXTEND_TIMEOUT_USEC"]) > 100_000_000
    manager.hear_of("READY")


def test_it_serves_the_sockets_that_it_is_given(manager, alice):
    path = manager.home / "given.sock"
    control, peer = listening(socket.AF_UNIX, str(path)), listening(socket.AF_INET, ("127.0.0.1", 0))
    second = listening(socket.AF_INET, ("127.0.0.1", 0))
    manager.start(sockets=[("peer", peer), ("control", control), ("peer", second)])
    status = call(path, "status")
    assert [listener["port"] for listener in status["listeners"]] == [
        peer.getsockname()[1], second.getsockname()[1]]
    assert not manager.control.exists()
    alice.ctl("peer", "add", "manager", f"127.0.0.1:{peer.getsockname()[1]}")
    eventually(lambda: call(path, "status")["requests"] == 1, "the request")


def test_connections_wait_in_a_given_socket_for_the_next_daemon(manager):
    path = manager.home / "given.sock"
    control = listening(socket.AF_UNIX, str(path))
    manager.start(sockets=[("control", control)])
    manager.hear_of("READY")
    manager.stop()
    early = Control(path)
    early.ask("hello")
    manager.start(sockets=[("control", control)])
    assert early.read()["result"]["daemon"] == "p2pchatd"
    early.end()


def test_a_socket_of_another_kind_is_refused(manager):
    given = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    manager.start(sockets=[("peer", given)])
    assert 'socket "peer"' in manager.ends(71)


@pytest.mark.parametrize("text", ['listen = {"127.0.0.1:4711"}\n', "listen = {}\n"])
def test_a_listen_that_does_not_count_is_told(manager, text):
    """The socket decides: what is asked for and what is so are both said, at each reload, too."""
    peer = listening(socket.AF_INET, ("127.0.0.1", 0))
    real = f"127.0.0.1:{peer.getsockname()[1]}"
    manager.config.write_text(text)
    control = listening(socket.AF_UNIX, str(manager.home / "given.sock"))
    manager.start(sockets=[("peer", peer), ("control", control)], listen=())
    manager.hear_of("READY")
    assert call(manager.home / "given.sock", "config.get")["listen"] == [real]
    [listener] = call(manager.home / "given.sock", "status")["listeners"]
    assert listener["inherited"] is True
    manager.process.send_signal(signal.SIGHUP)
    manager.hear_of("RELOADING")
    manager.hear_of("READY")
    assert call(manager.home / "given.sock", "config.get")["listen"] == [real]
    said = manager.stop()
    wanted = "127.0.0.1:4711" if "4711" in text else "nothing"
    assert said.count(f"listen ({wanted}) is ignored: systemd hands over {real}; ") == 2
    assert "edit p2pchatd-peer.socket" in said and "mask" in said
    assert "takes effect at the next start" not in said


def test_a_reload_follows_a_link(manager):
    """As those make them who keep all their settings in one folder."""
    real = manager.home / "dotfiles" / "settings"
    real.parent.mkdir()
    real.write_text("")
    manager.config = manager.home / "conf" / "p2pchatd.conf"
    manager.config.parent.mkdir()
    manager.config.symlink_to(real)
    manager.start()
    manager.hear_of("READY")
    real.with_name("new").write_text("expire = 3d\n")
    real.with_name("new").rename(real)
    assert call(manager.control, "daemon.reload") == {}
    assert call(manager.control, "config.get")["expire"] == "3d"


def test_a_folder_of_settings_that_was_replaced_is_read_or_the_reload_says_why_not(manager):
    folder = manager.home / "conf"
    manager.config = folder / "p2pchatd.conf"
    folder.mkdir()
    manager.config.write_text("")
    manager.start()
    manager.hear_of("READY")
    folder.rename(manager.home / "old")
    folder.mkdir()
    manager.config.write_text("expire = 3d\n")
    wanted = "3d"
    try:
        call(manager.control, "daemon.reload")
    except RpcError as error:  # where it is confined
        assert "its directory was replaced after the start" in str(error)
        assert "restart p2pchatd" in str(error)
        wanted = "1w"
    assert call(manager.control, "config.get")["expire"] == wanted


@pytest.mark.parametrize("same", [True, False])
def test_nothing_is_told_of_a_listen_that_is_the_default_or_says_the_same(manager, same):
    peer = listening(socket.AF_INET, ("127.0.0.1", 0))
    if same:
        manager.config.write_text(f'listen = {{"127.0.0.1:{peer.getsockname()[1]}"}}\n')
    manager.start(sockets=[("peer", peer)], listen=())
    manager.hear_of("READY")
    assert "ignored" not in manager.stop()


def test_clients_of_a_daemon_that_can_not_start_are_told(manager):
    """Else the service manager would start it again for each of them, until it gives up."""
    path = manager.home / "given.sock"
    control = listening(socket.AF_UNIX, str(path))
    manager.config.write_text("no-such-key = 1\n")
    early = [Control(path) for _ in range(3)]
    for one in early:
        one.ask("hello")
    manager.start(sockets=[("control", control)])
    assert "no-such-key" in manager.ends(78)
    for one in early:
        assert one.read()["error"]["data"]["kind"] == "not_started"
        one.end()
    control.setblocking(False)
    with pytest.raises(BlockingIOError):
        control.accept()


def test_clients_wait_for_a_daemon_that_is_started_again(manager):
    """Status 75 (another one has the store): the service manager tries again."""
    manager.start()
    manager.hear_of("READY")
    first, manager.process = manager.process, None
    path = manager.home / "given.sock"
    control = listening(socket.AF_UNIX, str(path))
    early = Control(path)
    early.ask("hello")
    manager.start(sockets=[("control", control)])
    manager.ends(75)
    manager.process = first
    assert control.accept()
    early.end()
