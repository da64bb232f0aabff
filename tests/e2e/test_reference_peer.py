"""The daemon talks to a peer that was written from p2pchat-protocol(7) alone, in both roles; and does
not fall for one that breaks the rules of the page, one at a time.
"""

import ipaddress
import os
import pathlib
import socket
import struct
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harness import eventually

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import p2ppeer
from p2pcrypto import SPKI_END, SPKI_STARTS, Identity, PublicKey, safety_number, sha256
from p2ppeer import Ended, Invite, Message, Peer, record


@pytest.fixture(scope="module")
def python():
    """The identity of the peer in Python."""
    return Identity()


@pytest.fixture(scope="module")
def stranger():
    return Identity()


@pytest.fixture(scope="module")
def alice_pem():
    """Alice's private key."""
    return Identity().key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@pytest.fixture
def alice(daemon, alice_pem):
    """A daemon whose identity need not be made anew for each test."""
    made = daemon("alice", started=False)
    made.state.mkdir(mode=0o700)
    key = made.state / "identity.pem"
    key.touch(mode=0o600)
    key.write_bytes(alice_pem)
    return made.start()


@pytest.fixture
def links():
    """Closes the connections of the peers that are put in."""
    made = []
    yield made
    for link in made:
        link.end()


@pytest.fixture
def join(alice, python, links):
    """join(…): dials alice, who knows us, and shakes hands."""
    alice.ctl("peer", "add", "python", "--fingerprint", python.text)

    def connect(identity=python, handshake=True, **options):
        link = Peer.join(identity, alice.address, **options)
        links.append(link)
        return link.handshake() if handshake else link

    return connect


@pytest.fixture
def host(alice, python, links):
    """host(…): lets alice dial us, once, who knows us, and shakes hands."""
    listener = socket.create_server(("127.0.0.1", 0))
    alice.ctl("peer", "add", "python", f"127.0.0.1:{listener.getsockname()[1]}",
              "--fingerprint", python.text)

    def accept(identity=python, handshake=True, **options):
        link = Peer.accept(identity, listener, **options)
        links.append(link)
        return link.handshake() if handshake else link

    yield accept
    listener.close()


@pytest.fixture(params=["join", "host"])
def link(request):
    """An open session, in either role."""
    return request.getfixturevalue(request.param)()


def ended(link):
    """The code with which the daemon ends the link."""
    with pytest.raises(Ended) as end:
        while True:
            link.receive()
    return end.value.code


def code_of_handshake(link):
    with pytest.raises(Ended) as end:
        link.handshake()
    return end.value.code


# --- honest -------------------------------------------------------------------------------------------

def test_it_knows_the_daemon_s_identity(link, alice, python):
    assert alice.fingerprint == link.other.text
    number = safety_number(python.public.fingerprint, link.other.fingerprint)
    assert alice.peer("python")["safety_number"] == number


def test_messages_go_both_ways(link, alice):
    link.say("from python")
    assert alice.received() == ["from python"]
    sent = alice.client("send", "-p", "python", "--wait", "to python: grüß dich")
    assert link.hear().text == "to python: grüß dich"
    sent.wait()
    [message] = alice.history(limit=1)
    assert message["state"] == "delivered"


@pytest.mark.parametrize("size", [1, 600, 5000, 65000, 65536])
def test_messages_of_all_sizes(join, alice, size):
    link = join()
    link.say("x" * size)
    sent = alice.client("send", "-p", "python", "--wait", *["y" * 1000] * (size // 2000), "y")
    assert set(link.hear().text) <= {"y", " "}
    sent.wait()
    assert [len(text) for text in alice.received()] == [size]


def test_many_messages_in_one_packet(link, alice):
    link.send(*[link.message(str(number)) for number in range(500)])
    while link.acked < 500:
        link.receive()
    assert alice.received() == [str(number) for number in range(500)]


def test_pings_are_answered(link, alice):
    link.send(record(p2ppeer.PING, b"12345678"))
    assert link.wait(p2ppeer.PONG) == b"12345678"
    control = alice.control()
    control.ask("peer.ping", name="python")
    link.wait(p2ppeer.PING)
    assert "rtt_ms" in control.read()["result"]


def test_what_was_not_acknowledged_comes_again_with_the_same_id(join, alice):
    link = join()
    link.acknowledgement = lambda ordinal: b""
    alice.ctl("send", "-p", "python", "first")
    alice.ctl("send", "-p", "python", "second")
    lost = [link.hear(), link.hear()]
    link.end()
    link = join()
    again = [link.hear(), link.hear()]
    assert [m.body for m in again] == [m.body for m in lost]
    assert again[0].previous == bytes(16) and again[1].previous == again[0].id
    eventually(lambda: alice.peer("python")["queued"] == 0, "an empty queue")


def test_a_message_that_the_peer_can_not_take_does_not_block_the_next(join, alice):
    """Three sessions in a row end by the same one."""
    for text in ("indigestible", "good"):
        alice.ctl("send", "-p", "python", text)
    for _ in range(3):
        link = join()
        link.acknowledgement = lambda ordinal: b""
        assert link.hear().text == "indigestible"
        link.close(p2ppeer.BAD_ITEM)
    link = join()
    assert link.hear().text == "good"
    eventually(lambda: alice.peer("python")["queued"] == 0, "an empty queue")
    assert [message["state"] for message in alice.history()] == ["failed", "delivered"]
    assert "taken out of the queue: the peer can't take it" in alice.text_of_log()


def test_a_repeated_message_is_acknowledged_and_stored_once(link, alice):
    first = record(p2ppeer.MESSAGE, Message("once", id=b"i" * 16).body)
    link.items_out += 3
    link.send(first, first)
    link.send(record(p2ppeer.MESSAGE, Message("other text", id=b"i" * 16).body))
    while link.acked < 3:
        link.receive()
    assert alice.received() == ["once"]
    assert alice.text_of_log().count("again with another content") == 1


def test_the_joiner_gets_a_rekey_when_it_wants_one(join, alice):
    link = join()
    link.say("before")
    link.send(record(p2ppeer.REKEY_WANT))
    link.wait(p2ppeer.REKEY_DONE)  # ten seconds after the handshake, and not earlier
    assert (link.sending.epoch, link.receiving.epoch) == (1, 1)
    link.say("after")
    alice.ctl("send", "-p", "python", "back")
    assert link.hear().text == "back"
    assert alice.received() == ["before", "after"]


def test_the_host_may_rekey_at_any_time(host, alice):
    link = host()
    for epoch in (1, 2, 3):
        link.start_rekey()
        link.wait(p2ppeer.REKEY_RESP)
        assert (link.sending.epoch, link.receiving.epoch) == (epoch, epoch)
        link.say(f"in epoch {epoch}")
    sent = alice.client("send", "-p", "python", "--wait", "back")
    assert link.hear().text == "back"
    sent.wait()
    assert alice.received() == ["in epoch 1", "in epoch 2", "in epoch 3"]


def test_data_crosses_a_rekey(host, alice):
    link = host()
    alice.ctl("send", "-p", "python", "on its way")
    link.start_rekey()
    link.send(link.message("in the old epoch"))
    link.wait(p2ppeer.REKEY_RESP)
    link.say("in the new epoch")
    assert link.hear().text == "on its way"
    assert alice.received() == ["in the old epoch", "in the new epoch"]


def test_close_is_understood_and_said(link, alice):
    alice.ctl("peer", "disconnect", "python")
    assert ended(link) == p2ppeer.NORMAL


def test_our_close_ends_the_session(join, alice):
    join().close()
    eventually(lambda: alice.peer("python")["link"] != "online", "the end of the link")
    assert alice.peer("python").get("last_error") is None


def test_a_new_link_of_the_same_joiner_replaces_the_old_one(join):
    old = join()
    new = join()
    assert ended(old) == p2ppeer.REPLACED
    new.say("still here")


@pytest.fixture
def larger(alice, python):
    """An identity with a larger fingerprint than Alice's: of crossing links, hers stays."""
    while True:
        identity = Identity()
        if identity.public.fingerprint > alice.key:
            return identity


@pytest.mark.parametrize("named", [True, False])
def test_a_link_that_is_named_as_gone_gives_way(alice, larger, links, named):
    listener = socket.create_server(("127.0.0.1", 0))
    alice.ctl("peer", "add", "larger", f"127.0.0.1:{listener.getsockname()[1]}",
              "--fingerprint", larger.text)
    old = Peer.accept(larger, listener).handshake()
    links.append(old)
    gone = [os.urandom(32), old.tag] if named else [os.urandom(32)] * 4
    new = Peer.join(larger, alice.address, gone=gone)
    links.append(new)
    if named:
        new.handshake().say("the old one is gone")
        assert ended(old) == p2ppeer.REPLACED
    else:
        assert code_of_handshake(new) == p2ppeer.DUPLICATE
        old.say("still here")
    listener.close()


def test_somebody_else_cannot_say_that_a_link_is_gone(alice, host, stranger, links):
    old = host()
    alice.ctl("peer", "add", "stranger", "--fingerprint", stranger.text)
    other = Peer.join(stranger, alice.address, gone=[old.tag])
    links.append(other)
    other.handshake().say("who has seen the tag of another's link")
    old.say("still here")


def test_the_daemon_names_the_links_that_are_gone(host):
    tags = []
    for _ in range(3):
        link = host(handshake=False) if tags else host()
        if tags:
            link.handshake()
        names = [link.names[at:at + 8] for at in range(0, len(link.names), 8)]
        assert len(set(names)) == 4  # however many mean something
        assert all(link.name_of(tag, link.joiner_random) in names for tag in tags)
        tags.append(link.tag)
        link.end()


@pytest.mark.parametrize("size", [0, 7, 12, 40])
def test_names_of_another_size_end_the_handshake(join, size):
    link = join(handshake=False)
    hello = link.hello_j()
    link.hello_j = lambda: (hello[:78] + struct.pack(">HHH", 4 + size, 2, size) + bytes(size))
    assert code_of_handshake(link) == p2ppeer.PROTOCOL_ERROR


@pytest.mark.parametrize("bits", [3072, 4096])
def test_larger_keys(alice, links, bits):
    identity = Identity(bits=bits)
    alice.ctl("peer", "add", "large", "--fingerprint", identity.text)
    link = Peer.join(identity, alice.address).handshake()
    links.append(link)
    link.say("x" * 2000)
    alice.ctl("send", "-p", "large", "back")
    assert link.hear().text == "back"


def test_an_unknown_key_waits_until_a_person_says_yes(alice, stranger, links):
    link = Peer.join(stranger, alice.address).handshake()
    links.append(link)
    assert not link.approved_there
    alice.ctl("peer", "accept", stranger.text, "stranger")
    link.wait(p2ppeer.APPROVE)
    link.say("thank you")
    assert alice.received() == ["thank you"]


def test_a_host_may_take_its_time_to_approve(host, alice):
    link = host(approved=False)
    assert link.approved_there
    assert alice.peer("python")["link"] == "handshake"
    link.approve()
    link.say("welcome")
    assert alice.received() == ["welcome"]


def test_the_daemon_s_invite_lets_us_in(alice, stranger, links):
    alice.configure('unknown-peers = "reject"\n')
    alice.restart()
    text = alice.ctl("invite", "--address", alice.address, "stranger").out.strip()
    invite = Invite.parse(text)
    assert invite.addresses == [alice.address]
    link = Peer.join(stranger, invite.addresses[0], invite=invite.secret).handshake()
    links.append(link)
    assert link.other.fingerprint == invite.fingerprint and link.open
    link.say("thank you for the invitation")
    assert alice.peer("stranger")["trust"] == "verified"


@pytest.mark.parametrize("secret", ["used", "wrong", "of another key"])
def test_an_invite_is_good_once_and_for_who_has_its_secret(alice, stranger, python, links, secret):
    alice.configure('unknown-peers = "reject"\n')
    alice.restart()
    invite = Invite.parse(alice.ctl("invite", "--address", alice.address, "friend").out.strip())
    if secret == "used":
        links.append(Peer.join(python, alice.address, invite=invite.secret).handshake())
    link = Peer.join(stranger, alice.address, invite=invite.secret)
    if secret == "wrong":
        link.invite = bytes(16)
    elif secret == "of another key":
        honest = link.ident
        link.ident = lambda hash: with_proof_of(honest, link, python, hash)
    links.append(link)
    assert code_of_handshake(link) == p2ppeer.REFUSED


def with_proof_of(ident, link, other, hash):
    """An IDENT with the proof of somebody else, properly signed by ourselves."""
    prefix = bytearray(ident(hash)[:54 + 294])
    prefix[20:52] = Invite.proof(link.invite, hash, other.public.fingerprint)
    return (bytes(prefix) + link.sign_ident(hash, bytes(prefix))).ljust(1152, b"\0")


def test_the_daemon_shows_our_invite(alice, python, links):
    listener = socket.create_server(("127.0.0.1", 0))
    invite = Invite(python.public.fingerprint, [f"127.0.0.1:{listener.getsockname()[1]}"], "a friend")
    joining = alice.client("join", "-", "python", stdin=subprocess.PIPE)
    joining.process.stdin.write(f"{invite}\n".encode())
    joining.process.stdin.close()
    link = Peer.accept(python, listener, invite=invite.secret)
    links.append(link)
    link.handshake()
    assert link.invited and link.open
    joining.wait()
    listener.close()
    assert alice.peer("python")["trust"] == "verified"


# --- the post-quantum suite, required of a peer -----------------------------------------------------------

@pytest.fixture
def post_quantum(alice):
    """For tests in which alice has to speak suite 2."""
    if 2 not in alice.rpc("status")["suites"]:
        pytest.skip("OpenSSL here has no ML-KEM-768")


def require(alice, answer):
    alice.ctl("peer", "set", "python", f"--require-pq={answer}")
    assert alice.peer("python")["require_pq"] == (answer == "yes")


def test_who_can_not_speak_it_can_not_require_it(join, alice):
    link = join()
    if 2 in alice.rpc("status")["suites"]:
        pytest.skip("OpenSSL here has ML-KEM-768")
    alice.ctl("peer", "add", "later", "127.0.0.1:1", "--require-pq=yes", expect=76)
    assert "later" not in alice.ctl("-q", "peer", "list").lines
    refused = alice.ctl("peer", "set", "python", "--require-pq=yes", expect=76)
    assert "OpenSSL here has no ML-KEM-768, so python would be shut out" in refused.err
    assert alice.peer("python")["require_pq"] is False
    link.say("nothing has changed")


def test_a_peer_that_is_held_to_it_joins_in_no_other(post_quantum, join, alice):
    link = join(suites=1)
    require(alice, "yes")
    assert ended(link) == p2ppeer.REFUSED
    assert code_of_handshake(join(handshake=False, suites=1)) == p2ppeer.REFUSED
    assert "python has to speak a post-quantum suite, and can't" in alice.text_of_log()
    alice.restart()
    assert code_of_handshake(join(handshake=False, suites=1)) == p2ppeer.REFUSED
    link = join(suites=3)
    assert link.suite == 2
    link.say("post-quantum")
    assert alice.received() == ["post-quantum"]
    assert "required       a post-quantum suite" in alice.ctl("peer", "show", "python").out
    require(alice, "no")
    link.say("on the same link")
    assert alice.received()[-1] == "on the same link"


def test_a_host_that_is_held_to_it_gets_no_message_in_another(post_quantum, host, alice):
    require(alice, "yes")
    alice.ctl("send", "-p", "python", "for a safe link")
    assert code_of_handshake(host(handshake=False, suites=1)) == p2ppeer.REFUSED
    eventually(lambda: "has to speak a post-quantum suite" in
               alice.ctl("peer", "show", "python").out, "the reason in peer show")
    require(alice, "no")
    assert host(suites=1).hear().text == "for a safe link"


@pytest.mark.parametrize("suites", [1, 3], ids=["classic", "both"])
def test_bits_and_extensions_of_the_future_do_no_harm(join, suites):
    link = join(handshake=False, suites=suites)
    hello = link.hello_j()
    extensions = struct.pack(">HHHH", 7, 0, 9, 3) + b"abc"
    link.hello_j = lambda: (hello[:9] + b"\x09" + struct.pack(">H", 0x8000 | suites) + hello[12:-2] +
                            struct.pack(">H", len(extensions)) + extensions)
    link.handshake().say("all the same")


def told(*addresses, source=1):
    """An ADDRESSES record of (address, port)."""
    entries = b""
    for address, port in addresses:
        packed = ipaddress.ip_address(address).packed
        entries += struct.pack(">BBHB", 1 if len(packed) == 4 else 2, source, port, len(packed)) + packed
    return record(0x90, bytes([len(addresses)]) + entries)


NOT_PUBLIC = [("127.0.0.1", 8766), ("10.0.0.1", 8766), ("192.168.0.1", 8766),
              ("169.254.169.254", 8766), ("203.0.113.9", 80), ("::1", 8766), ("fe80::1", 8766),
              ("::ffff:10.0.0.1", 8766), ("64:ff9b::a00:1", 8766)]


def test_of_what_a_peer_tells_the_public_addresses_are_kept(link, alice):
    link.send(told(*NOT_PUBLIC, ("203.0.113.9", 8766), ("2a00::9", 1024)))
    eventually(lambda: alice.peer("python")["told"] == ["203.0.113.9:8766", "[2a00::9]:1024"],
               "what was told")
    assert "203.0.113.9:8766" not in alice.peer("python")["addresses"]
    alice.restart()
    assert alice.peer("python")["told"] == ["203.0.113.9:8766", "[2a00::9]:1024"]


def test_a_peer_cannot_name_many_machines_of_one_network(join, alice):
    link = join()
    link.send(told(*((f"203.0.113.{i}", 8766) for i in range(1, 17))))
    eventually(lambda: alice.peer("python")["told"] == ["203.0.113.1:8766", "203.0.113.2:8766"],
               "two of sixteen")


def test_a_flood_of_addresses_is_not_listened_to(join, alice):
    link = join()
    for i in range(1, 101):
        link.send(told((f"203.0.{i}.1", 8766)))
    link.say("and now a message")
    assert alice.received() == ["and now a message"]
    assert alice.peer("python")["told"] == ["203.0.12.1:8766"]


@pytest.mark.parametrize("body", [b"", b"\x11" + bytes(5 * 17), b"\x01", b"\x01\x01\x01\x22\x3e\x03abc",
                                  b"\x00\x00", b"\x01\x03\x01\x22\x3e\x02a!"])
def test_a_malformed_list_of_addresses_ends_the_session(join, body):
    link = join()
    link.send(record(0x90, body))
    assert ended(link) == p2ppeer.PROTOCOL_ERROR


def test_optional_records_of_the_future_are_ignored(link):
    link.send(record(0xFE), record(0xFF, b"x" * 100), link.message("read on"))
    link.wait(p2ppeer.ACK)


# --- dishonest in the handshake -------------------------------------------------------------------------

def wrong_signature(link):
    link.sign_ident = lambda hash, prefix: link.self.sign(b"p2pchat/1 key\0", hash, prefix)


def signature_of_another_handshake(link):
    honest = link.sign_ident
    link.sign_ident = lambda hash, prefix: honest(bytes(32), prefix)


def padding_not_zero(link):
    honest = link.ident
    link.ident = lambda hash: honest(hash)[:-1] + b"\1"


def confirm_of_other_keys(link):
    honest = link.confirm
    link.confirm = lambda key, hash: honest(bytes(32), hash)


def confirm_with_unknown_flags(link):
    honest = link.confirm
    link.confirm = lambda key, hash: b"\2" + honest(key, hash)[1:]


def point_of_low_order(link):
    hello = link.hello_j()
    link.hello_j = lambda: hello[:44] + bytes(32) + hello[76:]


def no_common_version(link):
    hello = link.hello_j()
    link.hello_j = lambda: hello[:8] + b"\2\2" + hello[10:]


def no_common_suite(link):
    hello = link.hello_j()
    link.hello_j = lambda: hello[:10] + b"\0\4" + hello[12:]


def second_key_without_its_bit(link):
    hello = link.hello_j()
    link.hello_j = lambda: hello[:76] + struct.pack(">H", 1184) + bytes(1184 + 2)


@pytest.mark.parametrize("lie, code", [
    (wrong_signature, p2ppeer.HANDSHAKE_FAILED),
    (signature_of_another_handshake, p2ppeer.HANDSHAKE_FAILED),
    (padding_not_zero, p2ppeer.PROTOCOL_ERROR),
    (confirm_of_other_keys, p2ppeer.HANDSHAKE_FAILED),
    (confirm_with_unknown_flags, p2ppeer.PROTOCOL_ERROR),
    (point_of_low_order, p2ppeer.HANDSHAKE_FAILED),
    (no_common_version, p2ppeer.UNSUPPORTED),
    (no_common_suite, p2ppeer.UNSUPPORTED),
    (second_key_without_its_bit, p2ppeer.PROTOCOL_ERROR),
])
def test_a_joiner_that_lies_in_the_handshake(join, alice, lie, code):
    link = join(handshake=False)
    lie(link)
    assert code_of_handshake(link) == code
    assert alice.peer("python")["link"] == "offline"
    join().say("and an honest one comes in")


def test_an_unknown_key_under_reject_learns_nothing(alice, stranger, links):
    alice.configure('unknown-peers = "reject"\n')
    alice.restart()
    link = Peer.join(stranger, alice.address)
    links.append(link)
    assert code_of_handshake(link) == p2ppeer.REFUSED
    assert link.other is None
    assert alice.rpc("peer.requests")["requests"] == []


class WeakIdentity:
    """A key of legal form whose modulus has 3 as a factor: no library would use it, so RSA is here
    without one.
    """

    def __init__(self):
        large = rsa.generate_private_key(65537, 4092).private_numbers().p
        self.modulus = 3 * large
        self.exponent = pow(65537, -1, 2 * (large - 1))
        self.public = PublicKey(SPKI_STARTS[0] + self.modulus.to_bytes(256, "big") + SPKI_END)

    def apply(self, block):
        return pow(int.from_bytes(block, "big"), self.exponent, self.modulus).to_bytes(256, "big")

    @staticmethod
    def mask(seed, block):
        stream = b"".join(sha256(seed, struct.pack(">I", i)) for i in range(len(block) // 32 + 1))
        return bytes(a ^ b for a, b in zip(block, stream))

    def sign(self, context, *parts):
        salt = os.urandom(32)
        hash = sha256(bytes(8), sha256(context, *parts), salt)
        masked = self.mask(hash, bytes(190) + b"\1" + salt)
        return self.apply(bytes([masked[0] & 0x7F]) + masked[1:] + hash + b"\xbc")

    def unwrap(self, wrapped):
        block = self.apply(wrapped)
        seed = self.mask(block[33:], block[1:33])
        return self.mask(seed, block[33:])[-32:]


@pytest.mark.parametrize("policy", ["ask", "accept"])
def test_a_key_that_is_no_good_is_told_so_and_not_kept(alice, links, policy):
    alice.configure(f'unknown-peers = "{policy}"\n')
    alice.restart()
    link = Peer.join(WeakIdentity(), alice.address)
    links.append(link)
    assert code_of_handshake(link) == p2ppeer.BAD_KEY
    assert alice.rpc("peer.list")["peers"] == alice.rpc("peer.requests")["requests"] == []


def test_another_key_at_the_peer_s_address_is_refused(host, alice, stranger):
    link = host(identity=stranger, handshake=False)
    assert code_of_handshake(link) == p2ppeer.REFUSED
    peer = eventually(lambda: alice.peer("python") if "offered" in alice.peer("python") else None,
                      "the alarm")
    assert (peer["trust"], peer["offered"]) == ("changed", stranger.text)


@pytest.mark.parametrize("byte", [0x00, 0x01, 0xff])
def test_a_joiner_does_not_tell_a_wrong_wrapping_from_wrong_keys(host, byte):
    """It goes on with a secret of its own, so its CONFIRM can't match."""
    link = host(handshake=False)
    link.wrap = lambda secret: bytes([byte]) * 256
    with pytest.raises(p2ppeer.ProtocolError, match="CONFIRM does not match"):
        link.handshake()


# --- dishonest in a session -----------------------------------------------------------------------------

def forged_signature(link):
    link.sign_packet = lambda nonce, content: bytes(256)
    link.send(record(p2ppeer.PING, bytes(8)))


def signature_of_the_other_role(link):
    honest, link.role = link.role, link.other_role
    packet = link.packet(record(p2ppeer.PING, bytes(8)))
    link.role = honest
    link.write(p2ppeer.PACKET, packet)


def replayed_packet(link):
    packet = link.packet(record(p2ppeer.PING, bytes(8)))
    link.write(p2ppeer.PACKET, packet)
    link.write(p2ppeer.PACKET, packet)


def skipped_packet(link):
    link.packet(record(p2ppeer.PING, bytes(8)))
    link.send(record(p2ppeer.PING, bytes(8)))


def flipped_bit(link):
    packet = bytearray(link.packet(record(p2ppeer.PING, bytes(8))))
    packet[500] ^= 1
    link.write(p2ppeer.PACKET, bytes(packet))


def bad_padding(link):
    honest = link.content
    link.content = lambda records: honest(records)[:-1] + b"\1"
    link.send(record(p2ppeer.PING, bytes(8)))


def no_records(link):
    link.send()


def half_a_record(link):
    link.send(record(p2ppeer.PING, bytes(8)), b"\0\0\0\1")


def acknowledgement_beyond_sent(link):
    link.send(record(p2ppeer.ACK, struct.pack(">Q", 1)))


def acknowledgement_of_nothing(link):
    link.send(record(p2ppeer.ACK, bytes(8)))


def unasked_pong(link):
    link.send(record(p2ppeer.PONG, bytes(8)))


def flood_of_pings(link):
    link.send(*[record(p2ppeer.PING, bytes(8))] * 11)


def text_that_is_not_utf8(link):
    link.send(record(p2ppeer.MESSAGE, Message(b"\xc0\xaf").body))


def text_with_nul(link):
    link.send(record(p2ppeer.MESSAGE, Message("a\0b").body))


def message_without_id(link):
    link.send(record(p2ppeer.MESSAGE, Message("x", id=bytes(16)).body))


def close_that_is_not_last(link):
    link.send(record(p2ppeer.CLOSE, b"\0"), record(p2ppeer.PING, bytes(8)))


def approval_again(link):
    link.send(record(p2ppeer.APPROVE))


def step_of_a_rekey_of_the_other_side(link):
    type = p2ppeer.REKEY_INIT if link.role == p2ppeer.JOINER else p2ppeer.REKEY_RESP
    link.send(record(type, b"\x09" + bytes(31)))


def frame_of_the_handshake(link):
    link.write(p2ppeer.CONFIRM_J, bytes(81))


def length_that_is_no_power_of_two(link):
    link.connection.sendall(struct.pack(">IB", 32 + 3072, p2ppeer.PACKET))


LIES = [forged_signature, signature_of_the_other_role, replayed_packet, skipped_packet, flipped_bit,
        bad_padding, no_records, half_a_record, acknowledgement_beyond_sent,
        acknowledgement_of_nothing, unasked_pong, flood_of_pings, close_that_is_not_last,
        approval_again, step_of_a_rekey_of_the_other_side, frame_of_the_handshake,
        length_that_is_no_power_of_two]
BAD_ITEMS = [text_that_is_not_utf8, text_with_nul, message_without_id]


@pytest.mark.parametrize("lie", LIES)
def test_a_peer_that_lies_in_a_session(link, alice, lie):
    lie(link)
    assert ended(link) == p2ppeer.PROTOCOL_ERROR
    assert alice.received() == []


@pytest.mark.parametrize("item", BAD_ITEMS)
def test_an_item_that_can_not_be_taken_has_a_code_of_its_own(link, alice, item):
    item(link)
    assert ended(link) == p2ppeer.BAD_ITEM
    assert alice.received() == []


def test_an_unknown_critical_record_has_a_code_of_its_own(link):
    link.send(record(0x7e))
    assert ended(link) == p2ppeer.UNSUPPORTED_RECORD


def test_a_packet_with_one_bad_record_has_no_effect(link, alice):
    link.send(link.message("not this one"), record(p2ppeer.ACK, b"short"))
    assert ended(link) == p2ppeer.PROTOCOL_ERROR
    assert alice.received() == []


def test_a_stranger_may_not_send_before_approval(alice, stranger, links):
    link = Peer.join(stranger, alice.address).handshake()
    links.append(link)
    link.send(link.message("let me in"))
    assert ended(link) == p2ppeer.PROTOCOL_ERROR
    assert alice.history() == []


def test_after_every_lie_an_honest_peer_comes_in(join, alice):
    for lie in LIES[:8]:
        link = join()
        lie(link)
        ended(link)
    join().say("honestly")
    assert alice.received() == ["honestly"]
