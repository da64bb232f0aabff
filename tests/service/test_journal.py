"""What the journal has about the service: what a person would search for, and nothing secret."""

import pytest

from machine import eventually
from visitor import Visitor


@pytest.fixture
def server(machine):
    """The service, which logs all that it can."""
    machine.write("/etc/p2pchat/p2pchatd.conf", "log-level = debug\n")
    machine.systemctl("enable", "--now", "p2pchatd")
    return machine


@pytest.fixture
def visitor(server):
    made = Visitor(server)
    made.pair()
    return made


def test_entries_have_the_fields_to_search_by(server):
    [entry] = server.journal("P2PCHAT_EVENT=ready")
    assert entry["_SYSTEMD_UNIT"] == "p2pchatd.service"
    assert entry["PRIORITY"] == "5"
    assert entry["P2PCHAT_COMPONENT"] == "daemon"
    assert entry["SYSLOG_IDENTIFIER"] == "p2pchatd"
    assert entry["MESSAGE_ID"] == "78437f482cbc4aedb5f76dfb9e280162"
    assert server.ctl("fingerprint").out.split()[0] in entry["MESSAGE"]
    assert "P2PCHAT_PEER" not in entry


def test_a_peer_can_be_followed_by_its_name(server, visitor):
    visitor.ctl("peer", "disconnect", "server")
    seen = eventually(lambda: [entry["P2PCHAT_EVENT"]
                               for entry in server.journal("P2PCHAT_PEER=bob")
                               if "P2PCHAT_EVENT" in entry][2:], "three events")
    assert seen == ["peer-offline"]
    for entry in server.journal("P2PCHAT_PEER=bob"):
        assert entry["MESSAGE"].startswith("bob: ")
        assert ("MESSAGE_ID" in entry) == ("P2PCHAT_EVENT" in entry)


def test_the_catalog_explains_what_happened(server, visitor):
    out = server.journalctl("-x", "-u", "p2pchatd", "--no-hostname")
    for subject in ("p2pchatd is ready", "A new identity was made", "p2pchatd listens for peers",
                    "An unknown key asks to be let in", "The trust in a peer has changed",
                    "A peer is online"):
        assert f"Subject: {subject}\n" in out, subject


def test_nothing_secret_is_in_the_whole_journal(server, visitor):
    """Texts, keys and what was mistaken for them, with every line that the daemon can log."""
    server.ctl("send", "-p", "bob", "--wait", "xyzzy-sent")
    visitor.ctl("send", "-p", "server", "--wait", "xyzzy-received")
    server.ctl("rpc", "message.send", '{"peer":"xyzzy-nobody","body":"xyzzy-refused"}', expect=67)
    server.ctl("rpc", '{"xyzzy-malformed', expect=None)
    server.run("kill", "-SEGV", server.show("MainPID"))
    server.wait_for("NRestarts", "1")
    server.systemctl("stop", "p2pchatd")
    journal = server.journalctl("-o", "export", "--all").encode(errors="surrogateescape")
    assert b"p2pchatd" in journal
    key = server.path("/var/lib/p2pchat/identity.pem").read_bytes().split(b"\n")
    store_key = server.path("/var/lib/p2pchat/store.key").read_bytes()
    for secret in [b"xyzzy", b"PRIVATE KEY", *key[1:-2], store_key, store_key.hex().encode()]:
        assert secret not in journal, secret


def test_a_crash_leaves_no_core_file(server):
    server.run("kill", "-SEGV", server.show("MainPID"))
    server.wait_for("NRestarts", "1")
    [entry] = server.journal("UNIT=p2pchatd.service", "EXIT_CODE=killed")
    assert entry["EXIT_STATUS"] == "11"
    assert server.journal("EXIT_CODE=dumped") == []
    found = server.run("find", "/var/lib/p2pchat", "/var/lib/systemd/coredump", "-type", "f", "-name",
                     "core*", expect=None).out
    assert found == ""


def test_its_memory_is_closed_to_its_own_user(server):
    pid = server.show("MainPID")
    for name in ("mem", "environ", "maps"):
        refused = server.run("head", "-c1", f"/proc/{pid}/{name}", user="p2pchat", expect=1)
        assert "denied" in refused.err
