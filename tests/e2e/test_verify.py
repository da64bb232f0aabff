"""What people compare: fingerprints and safety numbers, whole or not at all, also as QR codes; and what
becomes of a key that changed.
"""

import ctypes
import ctypes.util
import re

import pytest



@pytest.fixture
def tofu(alice, bob):
    """Alice has met Bob, and not verified him."""
    bob.add(alice, address=False)
    alice.add(bob, pin=False)
    alice.wait_online(bob)
    assert alice.peer("bob")["trust"] == "tofu"
    return alice, bob


def number_of(daemon, name):
    return daemon.peer(name)["safety_number"]


def verify(daemon, *arguments, expect=0):
    return daemon.ctl("--json", "peer", "verify", *arguments, expect=expect)


# --- comparing ---------------------------------------------------------------------------------------

def test_the_number_has_sixty_digits_and_is_the_same_on_both_sides(tofu):
    alice, bob = tofu
    number = number_of(alice, "bob")
    assert re.fullmatch(r"(\d{5} ){11}\d{5}", number)
    assert number == number_of(bob, "alice")
    assert number in alice.ctl("fingerprint", "bob").out


@pytest.mark.parametrize("form", [
    lambda alice, bob: [number_of(bob, "alice")],
    lambda alice, bob: number_of(bob, "alice").split(),
    lambda alice, bob: [number_of(bob, "alice").replace(" ", "")],
    lambda alice, bob: ["\t" + number_of(bob, "alice").replace(" ", "\n")],
    lambda alice, bob: [bob.fingerprint],
    lambda alice, bob: [bob.peer("alice")["safety_code"]],
])
def test_what_is_equal_verifies(tofu, form):
    alice, bob = tofu
    [peer] = verify(alice, "bob", *form(alice, bob)).json
    assert peer["trust"] == "verified"
    assert alice.wait_for_event("peer.trust", peer="bob", trust="verified")
    alice.restart()
    assert alice.peer("bob")["trust"] == "verified"


def one_digit_off(text, place):
    return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1:]


@pytest.mark.parametrize("place", [0, 4, 6, 36, 64, 70])
def test_one_wrong_digit_changes_nothing(tofu, place):
    alice, bob = tofu
    refused = verify(alice, "bob", one_digit_off(number_of(bob, "alice"), place), expect=77)
    assert refused.error["kind"] == "mismatch"
    assert alice.peer("bob")["trust"] == "tofu"


@pytest.mark.parametrize("other", ["SHA256:" + "A" * 43, "p2pchat1:" + "0" * 64])
def test_another_key_changes_nothing(tofu, other):
    alice, bob = tofu
    refused = verify(alice, "bob", other, expect=77)
    assert refused.error["kind"] == "mismatch"
    assert alice.peer("bob")["trust"] == "tofu"


@pytest.mark.parametrize("spoil", [
    lambda number: number[:-1],
    lambda number: number[:5],
    lambda number: number + "0",
    lambda number: number.replace(" ", "-"),
    lambda number: "",
    lambda number: "p2pchat1:00",
    lambda number: "SHA256:short",
])
def test_less_than_all_of_it_is_no_comparison(tofu, spoil):
    alice, bob = tofu
    refused = verify(alice, "bob", spoil(number_of(bob, "alice")), expect=64)
    assert refused.error["kind"] == "usage"
    assert alice.peer("bob")["trust"] == "tofu"


def test_there_is_nothing_to_compare_before_the_first_contact(alice):
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    refused = verify(alice, "bob", "0" * 60, expect=77)
    assert refused.error["kind"] == "not_trusted"
    verify(alice, "nobody", "0" * 60, expect=67)


def test_verifying_lets_no_blocked_key_in(tofu):
    alice, bob = tofu
    alice.ctl("peer", "block", "bob")
    verify(alice, "bob", bob.fingerprint, expect=77)
    assert alice.peer("bob")["trust"] == "blocked"


def test_trust_is_seen_everywhere(tofu):
    alice, bob = tofu
    bob.ctl("send", "-p", "alice", "--wait", "before")
    verify(alice, "bob", bob.fingerprint)
    bob.ctl("send", "-p", "alice", "--wait", "after")
    events = alice.ctl("follow", "-o", "json", "--after", "0", "--no-follow").json
    assert [(e["message"]["body"], e["trust"]) for e in events] == [
        ("before", "tofu"), ("after", "verified")]
    assert [m["trust"] for m in alice.history()] == ["tofu", "verified"]
    assert alice.rpc("status")["peers"][0]["trust"] == "verified"
    for verb in (["status"], ["peer", "list"], ["peer", "show", "bob"]):
        assert "verified" in alice.ctl(*verb).out


# --- QR codes ----------------------------------------------------------------------------------------

class QrCode(ctypes.Structure):
    _fields_ = [("version", ctypes.c_int), ("width", ctypes.c_int),
                ("data", ctypes.POINTER(ctypes.c_ubyte))]


def modules_of(text):
    """The rows of the code for a text, as libqrencode makes it: True is dark."""
    library = ctypes.CDLL(ctypes.util.find_library("qrencode"))
    library.QRcode_encodeString.restype = ctypes.POINTER(QrCode)
    code = library.QRcode_encodeString(text.encode(), 0, 0, 2, 1).contents
    return [[bool(code.data[y * code.width + x] & 1) for x in range(code.width)]
            for y in range(code.width)]


def modules_in(lines):
    """The rows that are drawn with two to a line, light on dark, without their margin."""
    rows = []
    for line in lines:
        rows.append([c in " ▄" for c in line])
        rows.append([c in " ▀" for c in line])
    size = len(rows[0])
    margin = [row for row in rows[:4] + rows[size - 4:size]]
    assert not any(any(row) for row in margin), "a code needs a light margin"
    assert not any(any(row[:4] + row[-4:]) for row in rows)
    return [row[4:-4] for row in rows[4:size - 4]]


def drawn(out):
    return [line for line in out.splitlines() if set(line) <= set(" ▀▄█") and line]


def test_an_invite_as_a_qr_code(alice):
    out = alice.ctl("invite", "--qr").out
    assert modules_in(drawn(out)) == modules_of(out.splitlines()[0])


def test_a_fingerprint_as_a_qr_code(alice):
    out = alice.ctl("fingerprint", "--qr").out
    assert out.splitlines()[0] == alice.fingerprint
    assert modules_in(drawn(out)) == modules_of(alice.fingerprint)


def test_a_pair_of_keys_as_a_qr_code(tofu):
    alice, bob = tofu
    code = alice.peer("bob")["safety_code"]
    assert re.fullmatch(r"p2pchat1:[0-9a-f]{64}", code)
    assert code == bob.peer("alice")["safety_code"]
    assert modules_in(drawn(alice.ctl("fingerprint", "--qr", "bob").out)) == modules_of(code)


@pytest.mark.parametrize("verb", ["invite", "fingerprint"])
def test_a_qr_code_is_for_people(alice, verb):
    alice.ctl("--json", verb, "--qr", expect=64)


# --- a key that changed ------------------------------------------------------------------------------

def swap_identity(daemon):
    daemon.stop()
    daemon.lose_state()
    daemon.start()


@pytest.fixture
def changed(paired):
    """Bob has a new key; Alice has noticed."""
    alice, bob = paired
    bob.old = bob.fingerprint
    swap_identity(bob)
    bob.add(alice, address=False)
    alice.wait_for_event("peer.key_changed", peer="bob", offered=bob.fingerprint)
    return alice, bob


def test_send_says_what_to_do(changed):
    alice, bob = changed
    refused = alice.ctl("send", "-p", "bob", "secret", expect=77)
    assert "p2pchatctl peer show" in refused.err
    alice.ctl("peer", "accept", "bob", "--fingerprint", alice.peer("bob")["offered"])
    alice.ctl("send", "-p", "bob", "--wait", "welcome back")
    assert bob.received() == ["welcome back"]


def test_the_old_key_stays_in_the_record(changed):
    alice, bob = changed
    assert alice.peer("bob")["former_keys"] == []
    alice.ctl("peer", "accept", "bob", "--fingerprint", bob.fingerprint)
    [former] = alice.peer("bob")["former_keys"]
    assert former["fingerprint"] == bob.old
    alice.restart()
    assert alice.peer("bob")["former_keys"] == [former]
    assert bob.old in alice.ctl("peer", "show", "bob").out


def test_comparing_what_was_changed_to_is_no_acceptance(changed):
    alice, bob = changed
    verify(alice, "bob", bob.fingerprint, expect=77)
    assert alice.peer("bob")["trust"] == "changed"
    assert alice.peer("bob")["fingerprint"] == bob.old


def test_what_waited_for_the_old_key_is_not_sent_to_the_new_one(paired):
    alice, bob = paired
    bob.stop()
    alice.ctl("send", "-p", "bob", "for the old key's owner")
    bob.lose_state()
    bob.start()
    bob.add(alice, address=False)
    alice.wait_for_event("peer.key_changed", peer="bob")
    assert bob.history() == []
    assert alice.peer("bob")["queued"] == 1


def test_an_accepted_request_gets_its_name(alice, bob):
    alice.add(bob)
    bob.wait_for_request(alice)
    bob.ctl("peer", "accept", alice.fingerprint, "--name", "alice")
    assert bob.peer("alice")["fingerprint"] == alice.fingerprint
    assert bob.wait_for_event("peer.trust", peer="alice")["trust"] == "tofu"


@pytest.mark.parametrize("arguments", [[], ["a", "b", "c"], ["--name", "x", "SHA256:y", "z"]])
def test_accept_takes_one_key_and_one_name(alice, arguments):
    alice.ctl("peer", "accept", *arguments, expect=64)
