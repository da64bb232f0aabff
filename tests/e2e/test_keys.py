"""The daemon's secrets: made, encrypted, handed over, and refused when others can reach them."""

import os
import re
import resource
import stat
import subprocess

import pytest

from harness import P2PCHATD, PATIENCE_S, environment, run

PASSPHRASE = "correct horse battery staple"


def generate(daemon, expect=0, **options):
    return run(P2PCHATD, "--state-dir", daemon.state, *(["-c", daemon.config] if daemon.config else []),
               "--generate-identity", home=daemon.home, expect=expect, **options)


def start_fails(daemon, *remedies, **variables):
    """It does not start (78), and says on the way out what helps."""
    done = subprocess.run([P2PCHATD, *map(str, daemon.options)], capture_output=True, text=True,
                          env=dict(environment(daemon.home), **variables), timeout=PATIENCE_S)
    assert done.returncode == 78, done.stderr
    for remedy in remedies:
        assert remedy in done.stderr
    return done.stderr


def secret_file(path, text):
    path.touch(mode=0o600)
    path.write_text(text)
    return path


@pytest.fixture
def alice(daemon):
    return daemon("alice", started=False)


@pytest.fixture
def encrypted(alice):
    """A daemon whose identity has a passphrase, made by itself."""
    passphrase = secret_file(alice.home / "passphrase", PASSPHRASE + "\n")
    alice.configure(f'identity-passphrase-file = "{passphrase}"\n')
    [alice.fingerprint] = generate(alice).lines
    return alice


def test_an_identity_can_be_made_ahead(alice):
    [fingerprint] = generate(alice).lines
    assert re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", fingerprint)
    assert stat.S_IMODE((alice.state / "identity.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(alice.state.stat().st_mode) == 0o700
    assert alice.start().fingerprint == fingerprint


def test_an_identity_is_never_made_over_another(alice):
    [fingerprint] = generate(alice).lines
    refused = generate(alice, expect=78)
    assert refused.out == "" and "there is an identity already" in refused.err
    assert alice.start().fingerprint == fingerprint


def test_a_passphrase_encrypts_what_is_made(encrypted):
    pem = (encrypted.state / "identity.pem").read_text()
    assert pem.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    fingerprint = encrypted.fingerprint
    assert encrypted.start().fingerprint == fingerprint


def test_an_encrypted_identity_needs_its_passphrase(encrypted):
    encrypted.configure("")
    said = start_fails(encrypted, "identity-passphrase-file")
    assert PASSPHRASE not in said


@pytest.mark.parametrize("text, complaint", [("wrong\n", "the passphrase is wrong"),
                                             ("", "no passphrase in its first line"),
                                             ("\n", "no passphrase in its first line")])
def test_a_wrong_passphrase_is_told(encrypted, text, complaint):
    (encrypted.home / "passphrase").write_text(text)
    start_fails(encrypted, complaint)


def test_a_passphrase_comes_as_a_credential(encrypted):
    credentials = encrypted.home / "credentials"
    credentials.mkdir()
    (encrypted.home / "passphrase").rename(credentials / "passphrase")
    (credentials / "passphrase").chmod(0o440)  # as the service manager leaves it
    encrypted.configure("")
    encrypted.prefix = ["env", f"CREDENTIALS_DIRECTORY={credentials}"]
    fingerprint = encrypted.fingerprint
    assert encrypted.start().fingerprint == fingerprint


def test_identity_and_store_key_come_as_credentials(alice):
    [fingerprint] = generate(alice).lines
    credentials = alice.home / "credentials"
    credentials.mkdir()
    (alice.state / "identity.pem").rename(credentials / "identity")
    (credentials / "store-key").write_bytes(os.urandom(32))
    alice.prefix = ["env", f"CREDENTIALS_DIRECTORY={credentials}"]
    assert alice.start().fingerprint == fingerprint
    assert not (alice.state / "identity.pem").exists()
    assert not (alice.state / "store.key").exists()


def test_a_store_key_of_another_size_is_refused(alice):
    credentials = alice.home / "credentials"
    credentials.mkdir()
    for size in (31, 33):
        (credentials / "store-key").write_bytes(bytes(size))
        start_fails(alice, "not a store key of 32 bytes", CREDENTIALS_DIRECTORY=str(credentials))


@pytest.fixture
def queueing(alice):
    """A daemon with a message that waits for a peer that is not there."""
    alice.start()
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    alice.ctl("send", "-p", "bob", "precious")
    alice.stop()
    return alice


def still_has_it(daemon):
    daemon.start()
    assert "precious" in daemon.ctl("queue").out


def test_no_store_key_is_made_beside_messages(queueing):
    key, away = queueing.state / "store.key", queueing.state / "away"
    key.rename(away)
    said = start_fails(queueing, "store.key is missing")
    assert f"mv '{queueing.state}/p2pchat.db'" in said
    assert not key.exists()
    away.rename(key)
    still_has_it(queueing)


def test_another_store_key_is_refused_and_takes_nothing_out_of_the_queue(queueing):
    key = queueing.state / "store.key"
    right = key.read_bytes()
    key.write_bytes(os.urandom(32))
    start_fails(queueing, "not the one that the messages")
    key.write_bytes(right)
    still_has_it(queueing)


def test_a_store_without_messages_takes_a_new_key(alice):
    alice.start().stop()
    (alice.state / "store.key").unlink()
    alice.start().ctl("peer", "add", "bob", "127.0.0.1:1")
    alice.ctl("send", "-p", "bob", "precious")
    alice.restart()
    assert "precious" in alice.ctl("queue").out


def test_an_identity_is_never_made_anew_beside_peers(alice, home):
    fingerprint = alice.start().fingerprint
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    alice.stop()
    (alice.state / "identity.pem").rename(home / "kept")
    start_fails(alice, "identity.pem is missing", "--generate-identity")
    assert not (alice.state / "identity.pem").exists()
    (home / "kept").rename(alice.state / "identity.pem")
    assert alice.start().fingerprint == fingerprint


def test_no_new_identity_is_left_beside_a_store_that_could_not_be_told(alice):
    alice.start().ctl("peer", "add", "bob", "127.0.0.1:1")
    alice.stop()
    (alice.state / "identity.pem").unlink()
    done = subprocess.run([P2PCHATD, "--state-dir", alice.state, "--generate-identity"],
                          capture_output=True, text=True, env=environment(alice.home),
                          timeout=PATIENCE_S, restore_signals=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3500, 3500)))
    assert done.returncode == 74, done.stderr
    assert not (alice.state / "identity.pem").exists()
    generate(alice)
    assert "bob" in alice.start().ctl("peer", "list").out


def test_another_identity_does_not_get_the_peers_of_the_first(alice, daemon, home):
    fingerprint = alice.start().fingerprint
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    alice.stop()
    other = daemon("other")
    (alice.state / "identity.pem").rename(home / "kept")
    secret_file(alice.state / "identity.pem", (other.state / "identity.pem").read_text())
    start_fails(alice, f"put back that of {fingerprint}")
    (home / "kept").rename(alice.state / "identity.pem")
    assert alice.start().fingerprint == fingerprint


def test_a_new_identity_can_be_meant(alice):
    alice.start().ctl("peer", "add", "bob", "127.0.0.1:1")
    alice.stop()
    (alice.state / "identity.pem").unlink()
    [fingerprint] = generate(alice).lines
    assert alice.start().fingerprint == fingerprint
    assert alice.peer("bob")
    alice.restart()


def test_a_new_identity_is_not_made_under_a_running_daemon(alice):
    alice.start().ctl("peer", "add", "bob", "127.0.0.1:1")
    (alice.state / "identity.pem").unlink()
    assert "stop p2pchatd first" in generate(alice, expect=75).err
    assert not (alice.state / "identity.pem").exists()


def test_without_peers_any_identity_will_do(alice):
    before = alice.start().fingerprint
    alice.stop()
    (alice.state / "identity.pem").unlink()
    assert alice.start().fingerprint != before
    alice.restart()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o602])
@pytest.mark.parametrize("name", ["identity.pem", "store.key"])
def test_a_key_that_others_can_reach_is_refused_with_the_command_that_helps(alice, name, mode):
    alice.start().stop()
    path = alice.state / name
    path.chmod(mode)
    said = start_fails(alice, f"chmod 600 '{path}'")
    [command] = re.findall(r"chmod 600 '[^']+'", said)
    subprocess.run(command, shell=True, check=True)
    alice.start()


def test_a_passphrase_that_others_can_read_is_refused(encrypted):
    (encrypted.home / "passphrase").chmod(0o644)
    start_fails(encrypted, "chmod 600")


def test_what_is_no_key_is_told(alice):
    alice.state.mkdir(mode=0o700)
    secret_file(alice.state / "identity.pem", "nothing\n")
    start_fails(alice, "not a PEM private key")


def test_the_private_key_is_not_to_be_had_over_the_socket(alice):
    alice.start()
    methods = alice.ctl("rpc").out
    assert not re.search(r"identity\.(export|import)", methods)
    assert "PRIVATE" not in str(alice.rpc("identity.get"))
