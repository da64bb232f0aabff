"""Pairing by an invite: one line, used once, and both sides know each other for certain."""

import pathlib
import re

import pytest

from harness import P2PCHATCTL, PATIENCE_S, eventually, pair, redirect
from screen import Screen

FRAGMENT = re.compile(r"#[A-Za-z0-9_-]{68}$")


def invite(daemon, *arguments):
    """The line that it prints."""
    [uri] = daemon.ctl("invite", *arguments).lines
    assert uri.startswith("p2pchat://") and FRAGMENT.search(uri)
    return uri


def open_invites(daemon):
    return daemon.rpc("invite.list")["invites"]


def assert_paired(one, other, name_there="alice", name_here="bob"):
    """Each has the other's key as verified, and messages pass both ways."""
    for daemon, name, peer in ((one, name_here, other), (other, name_there, one)):
        known = daemon.peer(name)
        assert (known["fingerprint"], known["trust"]) == (peer.fingerprint, "verified")
        assert known["invited"] is False
        daemon.ctl("send", "-p", name, "--wait", f"hello {name}")
    assert other.received() == [f"hello {name_here}"]


def test_one_line_pairs_two_newcomers(alice, bob):
    uri = invite(alice, "bob")
    assert alice.address in uri
    joined = bob.ctl("join", uri, "alice")
    assert alice.fingerprint in joined.out and "verified" in joined.out
    assert_paired(alice, bob)
    assert open_invites(alice) == []


def test_without_names_each_gets_one(alice, bob):
    bob.ctl("join", invite(alice))
    [peer] = alice.rpc("peer.list")["peers"]
    assert (peer["fingerprint"], peer["trust"]) == (bob.fingerprint, "verified")
    assert re.fullmatch("peer-[0-9a-f]{16}", peer["name"])
    [peer] = bob.rpc("peer.list")["peers"]
    assert (peer["fingerprint"], peer["trust"]) == (alice.fingerprint, "verified")


def test_the_line_may_come_from_standard_input(alice, bob):
    bob.ctl("join", "-", "alice", input=f"  {invite(alice, 'bob')}\n".strip(" "))
    assert_paired(alice, bob)


def test_join_for_programs_prints_the_peer(alice, bob):
    [created] = alice.ctl("--json", "invite", "bob").json
    assert {"id", "name", "created", "expires", "uri", "addresses"} == set(created)
    [peer] = bob.ctl("--json", "join", created["uri"], "alice").json
    assert (peer["name"], peer["link"], peer["trust"]) == ("alice", "online", "verified")


def test_both_sides_have_an_event_of_it(alice, bob):
    bob.ctl("join", invite(alice, "bob"), "alice")
    for daemon, name in ((alice, "bob"), (bob, "alice")):
        event = daemon.wait_for_event("peer.trust", peer=name)
        assert event["trust"] == "verified"


def test_an_invite_is_good_under_the_policy_reject(daemon, bob):
    alice = daemon("alice", config="unknown-peers = reject\n")
    bob.ctl("join", invite(alice, "bob"), "alice")
    assert_paired(alice, bob)


def test_an_invite_is_good_once(daemon, bob):
    alice, carol = daemon("alice", config="unknown-peers = reject\n"), daemon("carol")
    uri = invite(alice, "bob")
    bob.ctl("join", uri, "alice")
    refused = carol.ctl("--json", "join", uri, "alice", expect=76)
    assert refused.error["kind"] == "rejected"
    assert "used already, has expired or was revoked" in refused.error["message"]
    assert [p["name"] for p in alice.rpc("peer.list")["peers"]] == ["bob"]
    assert carol.peer("alice")["trust"] == "unpinned"
    assert f"({carol.fingerprint}) shows an invite that was used" in alice.text_of_log()
    assert bob.fingerprint not in alice.text_of_log().split("shows an invite")[0].splitlines()[-1]


def test_under_the_policy_ask_who_comes_second_has_to_ask(alice, bob, daemon):
    carol = daemon("carol")
    uri = invite(alice, "bob")
    bob.ctl("join", uri, "alice")
    refused = carol.ctl("--json", "join", uri, "alice", expect=76)
    assert carol.fingerprint in refused.error["message"]
    [request] = alice.rpc("peer.requests")["requests"]
    assert request["fingerprint"] == carol.fingerprint
    assert [p["name"] for p in alice.rpc("peer.list")["peers"]] == ["bob"]


def test_a_race_for_one_invite_has_one_winner(daemon):
    alice = daemon("alice", config="unknown-peers = reject\n")
    others = [daemon(f"joiner{i}") for i in range(3)]
    uri = invite(alice, "bob")
    joins = [other.client("join", uri, "alice") for other in others]
    statuses = sorted(join.process.wait(timeout=PATIENCE_S) for join in joins)
    assert statuses == [0, 76, 76]
    [peer] = alice.rpc("peer.list")["peers"]
    assert (peer["name"], peer["trust"]) == ("bob", "verified")
    [winner] = [other for other in others if other.peer("alice")["trust"] == "verified"]
    assert winner.fingerprint == peer["fingerprint"]


def test_an_expired_invite_is_none(daemon, bob):
    alice = daemon("alice", config="unknown-peers = reject\n")
    uri = invite(alice, "--expires", "1", "bob")
    eventually(lambda: open_invites(alice) == [], "the end of the invite")
    refused = bob.ctl("--json", "join", uri, "alice", expect=76)
    assert "expired" in refused.error["message"]
    assert alice.rpc("peer.list")["peers"] == []


def test_a_revoked_invite_is_none(daemon, bob):
    alice = daemon("alice", config="unknown-peers = reject\n")
    uri = invite(alice, "bob")
    [row] = alice.ctl("--json", "invite", "list").json
    assert row["name"] == "bob" and "uri" not in row
    alice.ctl("invite", "revoke", row["id"])
    assert open_invites(alice) == []
    bob.ctl("join", uri, "alice", expect=76)
    assert alice.rpc("peer.list")["peers"] == []


def test_revoking_what_is_not_there(alice):
    result = alice.ctl("--json", "invite", "revoke", "00" * 16, expect=67)
    assert result.error["kind"] == "no_such_invite"
    alice.ctl("invite", "revoke", "nonsense", expect=67)


def test_a_blocked_key_gets_nothing_by_an_invite(daemon, bob):
    alice = daemon("alice")
    alice.ctl("peer", "add", "mallory", "--fingerprint", bob.fingerprint)
    alice.ctl("peer", "block", "mallory")
    uri = invite(alice, "friend")
    bob.ctl("join", uri, "alice", expect=76)
    assert alice.peer("mallory")["trust"] == "blocked"
    assert len(open_invites(alice)) == 1


def test_a_known_key_does_not_use_up_an_invite(paired):
    alice, bob = paired
    bob.ctl("join", invite(alice, "friend"))
    assert len(open_invites(alice)) == 1
    assert [p["name"] for p in alice.rpc("peer.list")["peers"]] == ["bob"]


def test_an_invite_makes_a_known_tofu_key_verified(alice, bob):
    alice.add(bob)
    bob.add(alice, pin=False)
    bob.wait_online(alice)
    assert bob.peer("alice")["trust"] == "tofu"
    bob.ctl("join", invite(alice))
    assert bob.peer("alice")["trust"] == "verified"


def test_an_own_invite_is_refused_before_dialling(alice):
    refused = alice.ctl("--json", "join", invite(alice), expect=64)
    assert refused.error["kind"] == "usage"
    assert alice.rpc("peer.list")["peers"] == []


@pytest.mark.parametrize("spoil", [
    lambda uri: uri[:-1],
    lambda uri: uri + "A",
    lambda uri: uri[:-1] + "!",
    lambda uri: uri[:-1] + ("B" if uri[-1] == "A" else "A"),
    lambda uri: uri.replace("127.", "128."),
    lambda uri: uri[:-1] + "=",
    lambda uri: uri.split("#")[0],
    lambda uri: uri.replace("p2pchat://", "http://"),
    lambda uri: "p2pchat:///" + uri[uri.index("#"):],
    lambda uri: "p2pchat://host:port/" + uri[uri.index("#"):],
    lambda uri: "p2pchat://" + ",".join(["h:1"] * 9) + "/" + uri[uri.index("#"):],
    lambda uri: "",
])
def test_a_spoiled_line_is_refused_before_dialling(alice, bob, spoil):
    refused = bob.ctl("--json", "join", "--", spoil(invite(alice)), "alice", expect=64)
    assert "this is no invite: " in refused.error["message"]
    assert bob.rpc("peer.list")["peers"] == []


def test_nobody_there_is_told_with_the_addresses(alice, bob):
    nowhere = ["127.0.0.1:1", "[::1]:1"]
    uri = invite(alice, *(word for address in nowhere for word in ("--address", address)), "bob")
    failed = bob.ctl("--json", "join", "--timeout", "0.5", uri, "alice", expect=75)
    assert failed.error["kind"] == "timeout"
    for address in nowhere:
        assert re.search(re.escape(address) + r" \([^)]+\)", failed.error["message"])
    eventually(lambda: [a["address"] for a in bob.peer("alice")["attempts"]] == nowhere, "both dials")
    assert bob.peer("alice")["trust"] == "unpinned"


def test_one_good_address_among_bad_ones_is_enough(alice, bob, daemon):
    carol = daemon("carol")
    uri = invite(alice, "--address", "127.0.0.1:1", "--address", carol.address,
                 "--address", alice.address, "bob")
    bob.ctl("join", uri, "alice")
    assert_paired(alice, bob)


def test_a_wrong_host_is_told_and_the_invite_stays_good(alice, bob, daemon):
    carol = daemon("carol", config="unknown-peers = accept\n")
    uri = invite(alice, "bob")
    misled = redirect(uri, alice.address, carol.address)
    failed = bob.ctl("--json", "join", misled, "alice", expect=77)
    assert failed.error["kind"] == "mismatch"
    assert carol.fingerprint in failed.error["message"]
    assert carol.rpc("peer.list")["peers"] == []
    assert bob.peer("alice")["trust"] == "changed"
    assert len(open_invites(alice)) == 1
    bob.ctl("join", uri, "alice")
    assert_paired(alice, bob)


def test_an_invite_outlives_the_inviter(alice, bob):
    uri = invite(alice, "bob")
    alice.kill()
    alice.start()
    bob.ctl("join", uri, "alice")
    assert_paired(alice, bob)


def test_who_joins_goes_on_after_a_crash(alice, bob):
    """Nobody answers at first; what was taken up is not forgotten."""
    uri = invite(alice, "bob")
    alice.kill()
    bob.ctl("join", "--timeout", "0.2", uri, "alice", expect=75)
    bob.kill()
    bob.start()
    assert bob.peer("alice")["invited"] is True
    alice.start()
    bob.ctl("peer", "connect", "alice")
    bob.wait_online(alice)
    assert_paired(alice, bob)


def test_an_invite_for_a_name_that_exists_is_refused(paired):
    alice, bob = paired
    refused = alice.ctl("--json", "invite", "bob", expect=64)
    assert refused.error["kind"] == "name_taken"


def test_a_peer_that_is_joined_again_keeps_its_name_and_that_is_told(paired):
    alice, bob = paired
    joined = bob.ctl("join", invite(alice), "carol")
    assert joined.out.startswith(f"connected to alice ({alice.fingerprint}), verified")
    assert "p2pchatctl peer rename alice carol" in joined.err
    assert [peer["name"] for peer in bob.rpc("peer.list")["peers"]] == ["alice"]
    assert bob.ctl("join", invite(alice), "alice").err == ""
    assert bob.ctl("-q", "join", invite(alice), "carol").err == ""


def test_an_invite_that_a_peer_takes_up_is_good_for_another_one(alice, bob, daemon):
    """Bob must not become Carol by taking up what was meant for her."""
    carol = daemon("carol")
    alice.add(bob, address=False)
    uri = invite(alice, "carol")
    bob.ctl("join", uri)
    assert [peer["name"] for peer in alice.rpc("peer.list")["peers"]] == ["bob"]
    assert "bob shows an invite and is a peer already" in alice.text_of_log()
    carol.ctl("join", uri)
    assert alice.peer("carol")["fingerprint"] == carol.fingerprint


@pytest.mark.parametrize("arguments", [["a b"], ["--expires", "0"], ["--expires", "500d"],
                                       ["--address", "nowhere:0"], ["--address", "a b"]])
def test_what_makes_no_invite(alice, arguments):
    alice.ctl("invite", *arguments, expect=64)
    assert open_invites(alice) == []


@pytest.mark.parametrize("address, flaw", [
    ("::", "every address"), ("0.0.0.0", "every address"), ("[::]:8766", "every address"),
    ("alice.example:0", "no port"), ("224.0.0.1:8766", "many machines")])
def test_no_address_is_offered_or_kept_that_nobody_can_dial(alice, address, flaw):
    calls = (["invite", "--address", "alice.example", "--address", address],
             ["peer", "add", "bob", address])
    for arguments in calls:
        refused = alice.ctl(*arguments, expect=64)
        assert f"nobody can dial '{address}'" in refused.err and flaw in refused.err
    assert open_invites(alice) == []
    assert alice.rpc("peer.list")["peers"] == []


def test_without_an_option_all_interfaces_are_named(daemon):
    alice = daemon("alice", listen="0.0.0.0:0")
    port = alice.rpc("status")["listeners"][0]["port"]
    result = alice.ctl("--json", "invite", expect=None)
    if result.status == 0:
        [created] = result.json
        assert all(a.endswith(f":{port}") for a in created["addresses"])
        assert not any(a.startswith("127.") for a in created["addresses"])
    else:  # a machine without a network has nothing to name, and says what to do
        assert result.status == 64 and "--address" in result.error["message"]


def test_the_secret_stays_out_of_list_log_and_status(alice, bob):
    uri = invite(alice, "bob")
    bob.ctl("join", uri, "alice")
    secret = uri[-26:-4]  # what follows is the check
    for daemon in (alice, bob):
        assert secret not in daemon.text_of_log()
        assert secret not in str(daemon.rpc("status"))


@pytest.mark.parametrize("name", ["alice%E2%80%8B", "A1ice", "al-ice", ";reboot;", "-x", "%C3%A9"])
def test_a_suggested_name_that_misleads_is_not_taken(daemon, alice, bob, name):
    """Bob knows an alice; what mallory suggests to be called looks like her, or like a command."""
    pair(alice, bob)
    mallory = daemon("mallory")
    line = mallory.ctl("-q", "invite", "--address", mallory.address).out.strip()
    scheme, _, rest = line.partition("p2pchat://")
    forged = "p2pchat://" + rest[:rest.index("/")] + "/" + name + rest[rest.index("#"):][:65]
    bob.ctl("join", "--timeout", "30", forged)
    names = {peer["name"] for peer in bob.rpc("peer.list")["peers"]}
    assert len(names) == 2 and "alice" in names
    assert (names - {"alice"}).pop().startswith("peer-")


@pytest.mark.parametrize("spoil", [
    lambda line: " " + line, lambda line: "\n" + line, lambda line: line + "\r\n",
    lambda line: "\n".join(line[i:i + 60] for i in range(0, len(line), 60)),
])
def test_white_space_of_mail_programs_means_nothing(alice, bob, spoil):
    line = invite(alice, "bob", "--address", alice.address)
    bob.ctl("join", "--timeout", "30", "-", "alice", input=spoil(line))
    assert alice.peer("bob")["trust"] == "verified"


@pytest.mark.parametrize("width", [None, 60])
def test_on_a_terminal_the_invite_is_asked_for(alice, bob, width):
    """Only that line is read, be it broken; what is typed after it is the shell's."""
    line = invite(alice, "bob", "--address", alice.address)
    screen = Screen(bob.home, f"{P2PCHATCTL} -s {bob.socket} join - alice", columns=200,
                    environment={"HOME": str(bob.home)})
    try:
        screen.expect_line(lambda shown: shown.startswith("Paste the invite"))
        for start in range(0, len(line), width or len(line)):
            screen.enter(line[start:start + (width or len(line))])
        screen.expect_line("exit status 0")
    finally:
        screen.end()
    assert alice.peer("bob")["trust"] == "verified"


def test_a_part_that_a_tracker_has_added_is_told_and_leaves_no_peer(alice, bob):
    line = invite(alice, "bob", "--address", alice.address).replace("#", "?utm_source=mail#")
    assert "link trackers" in bob.ctl("join", line, expect=64).err
    assert bob.rpc("peer.list")["peers"] == []


def test_an_address_without_a_port_gets_the_one_that_is_listened_on(alice):
    port = alice.address.rpartition(":")[2]
    made = alice.ctl("--json", "invite", "--address", "192.0.2.7", "--address", "192.0.2.8:1").json[0]
    assert made["addresses"] == [f"192.0.2.7:{port}", "192.0.2.8:1"]


def test_an_invite_is_not_left_in_the_list_of_processes(alice, bob):
    line = invite(alice, "bob", "--address", "127.0.0.1:1")
    joining = bob.client("join", "--timeout", "30", line, "alice")
    shown = pathlib.Path(f"/proc/{joining.process.pid}/cmdline")
    eventually(lambda: line not in shown.read_text(), "an overwritten argument")
    joining.process.kill()
