"""Keys that the service manager hands over: plain and encrypted, from the credential stores."""

import os

import pytest


def hand_over(machine, name, content, encrypted):
    """Puts a credential where the unit looks for it."""
    store = "/etc/credstore.encrypted" if encrypted else "/etc/credstore"
    machine.run("install", "-d", "-m", "700", store)
    if encrypted:
        machine.run("systemd-creds", "encrypt", "--with-key=host", f"--name={name}", "-",
                    f"{store}/p2pchat.{name}", input=content)
        machine.write(f"/etc/systemd/system/p2pchatd.service.d/{name}.conf",
                      f"[Service]\nLoadCredentialEncrypted={name}:p2pchat.{name}\n")
        machine.systemctl("daemon-reload")
    else:
        machine.run("cp", "/dev/stdin", f"{store}/p2pchat.{name}", input=content)


def start(machine):
    """Starts the service; its own fingerprint."""
    machine.systemctl("start", "p2pchatd")
    return machine.ctl("fingerprint").out.split()[0]


def new_identity(machine, *options):
    """A private key from elsewhere, and its fingerprint as p2pchat shows it."""
    machine.run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                "-out", "/root/key.pem", *options)
    return machine.run("cat", "/root/key.pem").out


@pytest.mark.parametrize("encrypted", [False, True])
def test_the_identity_is_the_one_handed_over(machine, encrypted):
    pem = new_identity(machine)
    hand_over(machine, "identity", pem, encrypted)
    fingerprint = start(machine)
    assert not machine.path("/var/lib/p2pchat/identity.pem").exists()
    public = machine.run("openssl", "pkey", "-pubout", input=pem).out
    assert public.split() == machine.ctl("rpc", "identity.get").out.encode().decode(
        "unicode_escape").split('"public_key":')[1].split('"')[1].split()
    machine.systemctl("restart", "p2pchatd")
    assert machine.ctl("fingerprint").out.split()[0] == fingerprint


@pytest.mark.parametrize("encrypted", [False, True])
def test_the_passphrase_opens_the_identity(machine, encrypted):
    pem = new_identity(machine, "-aes-256-cbc", "-pass", "pass:plugh")
    assert "ENCRYPTED" in pem
    hand_over(machine, "identity", pem, False)
    hand_over(machine, "passphrase", "plugh\n", encrypted)
    assert start(machine).startswith("SHA256:")


def test_without_the_passphrase_it_says_what_is_missing(machine):
    hand_over(machine, "identity", new_identity(machine, "-aes-256-cbc", "-pass", "pass:plugh"),
              False)
    machine.systemctl("start", "p2pchatd", expect=1)
    assert machine.show("ExecMainStatus") == "78"
    # Not by its unit, which the journal can no longer find out of a process that has ended.
    assert any('hand over the credential "passphrase"' in entry["MESSAGE"]
               for entry in machine.journal("SYSLOG_IDENTIFIER=p2pchatd"))
    assert not machine.path("/var/lib/p2pchat/identity.pem").exists()


def test_an_identity_made_with_a_passphrase_is_encrypted(machine):
    hand_over(machine, "passphrase", "plugh", False)
    fingerprint = start(machine)
    assert "BEGIN ENCRYPTED PRIVATE KEY" in \
        machine.path("/var/lib/p2pchat/identity.pem").read_text()
    machine.systemctl("restart", "p2pchatd")
    assert machine.ctl("fingerprint").out.split()[0] == fingerprint


@pytest.mark.parametrize("encrypted", [False, True])
def test_the_store_key_seals_the_texts(machine, encrypted):
    key = os.urandom(32)
    hand_over(machine, "store-key", key, encrypted)
    start(machine)
    assert not machine.path("/var/lib/p2pchat/store.key").exists()
    machine.ctl("peer", "add", "bob", "[2001:db8::1]:8766")
    machine.ctl("send", "-p", "bob", "sealed")
    machine.systemctl("restart", "p2pchatd")
    assert machine.ctl("history", "-o", "cat").out == "sealed\n"


def test_a_damaged_credential_is_not_replaced_by_a_new_key(machine):
    hand_over(machine, "identity", "damaged", False)
    machine.systemctl("start", "p2pchatd", expect=1)
    assert machine.show("ExecMainStatus") == "78"
    assert not machine.path("/var/lib/p2pchat/identity.pem").exists()


def test_what_is_handed_over_stays_out_of_the_journal_and_the_environment(machine):
    pem = new_identity(machine)
    for name, content in (("identity", pem), ("passphrase", "plugh-xyzzy")):
        hand_over(machine, name, content, True)
    start(machine)
    journal = machine.journalctl("-o", "export", "--all")
    environment = machine.run("cat", f"/proc/{machine.show('MainPID')}/environ").out
    for secret in ["plugh-xyzzy", *pem.splitlines()[1:-1]]:
        assert secret not in journal
        assert secret not in environment
