"""The files for systemd and their surroundings, without starting anything."""

import os
import re
import shutil
import subprocess

import pytest

from machine import BUILD, SOURCE

UNITS = ["p2pchatd.service", "p2pchatd.socket", "p2pchatd-peer.socket", "p2pchat-serve.service",
         "p2pchat-files@.service"]


def analyze(*arguments, **variables):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True,
                          env=dict(os.environ, **variables))


@pytest.fixture(params=["", "user"])
def units(request, tmp_path):
    """The units in a folder, with the program where it was built."""
    for name in UNITS:
        text = (BUILD / "systemd" / request.param / name).read_text()
        (tmp_path / name).write_text(
            re.sub(r"/\S+/(p2pchatd|p2pchatctl)(?=\s)", rf"{BUILD}/\1", text))
    return tmp_path, ["--user"] if request.param else []


def test_systemd_finds_no_fault(units):
    folder, scope = units
    found = analyze("verify", "--man=no", *scope, *(folder / name for name in UNITS),
                    XDG_RUNTIME_DIR=str(folder))
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_a_fault_would_be_found(units):
    """What systemd only warns of has status 0, so silence is what counts."""
    folder, scope = units
    with open(folder / UNITS[0], "a", encoding="utf-8") as unit:
        unit.write("[Service]\nNoSuchKey=1\n")
    found = analyze("verify", "--man=no", *scope, folder / UNITS[0], XDG_RUNTIME_DIR=str(folder))
    assert "NoSuchKey" in found.stderr


def test_the_system_service_is_exposed_as_little_as_a_daemon_that_dials_can_be():
    """Without a user namespace, as before systemd 257, the exposure is 0.2 more."""
    unit = BUILD / "systemd" / "p2pchatd.service"
    threshold = 11 if "PrivateUsers=identity" in unit.read_text() else 13
    found = analyze("security", "--offline=true", "--no-pager", f"--threshold={threshold}", unit)
    assert found.returncode == 0, found.stdout


def test_the_user_service_has_all_that_the_system_service_has_and_a_user_may():
    """Each line left out is one that the manager of a user can't do."""
    beyond_a_user = {
        "After", "ConfigurationDirectory", "Group", "LimitNOFILE", "LimitNPROC", "LoadCredential",
        "ProtectHome", "ProtectKernelLogs", "RemoveIPC", "SecureBits",
        "User", "WantedBy",
    }

    def lines(name):
        return set(re.findall(r"^(\w+)=(.*)$", (BUILD / "systemd" / name).read_text(), re.M))

    missing = {key for key, _ in lines("p2pchatd.service") - lines("user/p2pchatd.service")
               if key not in beyond_a_user}
    assert missing == {"PrivateUsers", "RuntimeDirectoryMode",  # there with another value
                       # means another place on each release: p2pchatd --prepare makes one instead
                       "StateDirectory", "StateDirectoryMode"}
    user = lines("user/p2pchatd.service")
    assert any(key == "ExecStartPre" and value.endswith("p2pchatd --prepare") for key, value in user)


def test_what_is_installed_is_uninstalled(tmp_path):
    def make(goal):
        subprocess.run(["make", "-s", "-C", BUILD.parent, goal, f"DESTDIR={tmp_path}"], check=True,
                       capture_output=True, text=True)

    prefix = re.search(r"^prefix = (.*)$", (BUILD.parent / "config.mk").read_text(), re.M)[1]
    make("install")
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    for directory, name in [("sbin", "p2pchatd"), ("bin", "p2pchatctl"),
                            *(("lib/systemd/system", name) for name in UNITS),
                            *(("lib/systemd/user", name) for name in UNITS),
                            ("lib/sysusers.d", "p2pchat.conf"),
                            ("lib/tmpfiles.d", "p2pchat.conf"),
                            ("lib/systemd/catalog", "p2pchat.catalog")]:
        assert f"{prefix[1:]}/{directory}/{name}" in files
    make("uninstall")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def configured(tmp_path, *options):
    """Where files for systemd go in a configuration: {variable: directory}."""
    subprocess.run([SOURCE / "configure", "-q", *options], cwd=tmp_path, check=True)
    text = (tmp_path / "config.mk").read_text()
    return dict(re.findall(r"^(\w+dir) = (.*)$", text, re.M))


def test_a_package_of_the_system_goes_where_systemd_says(tmp_path):
    directories = configured(tmp_path, "--prefix=/usr", "--with-catalogdir=/elsewhere")

    def told(name):
        return subprocess.run(["pkg-config", f"--variable={name}", "systemd"], check=True,
                              capture_output=True, text=True).stdout.strip()

    assert directories["systemunitdir"] == told("systemdsystemunitdir")
    assert directories["userunitdir"] == told("systemduserunitdir")
    assert directories["sysusersdir"] == told("sysusersdir")
    assert directories["tmpfilesdir"] == told("tmpfilesdir")
    assert directories["catalogdir"] == "/elsewhere"


def events_in_code():
    """The events that the daemon can log, by the calls in its source."""
    text = "\n".join(path.read_text() for path in (SOURCE / "src").rglob("*.c"))
    calls = re.findall(r'log_event\([^"]*"([^"]+)"(?:\s*:\s*"([^"]+)")?', text)  # one of two, too
    return {name for call in calls for name in call if name}


def events_in_table():
    text = (SOURCE / "src/daemon/journal_events.def").read_text()
    return dict(re.findall(r'^EVENT\("([^"]+)", "([0-9a-f]{32})"\)$', text, re.M))


def test_every_event_has_a_message_id_of_its_own():
    table = events_in_table()
    assert set(table) == events_in_code()
    assert len(set(table.values())) == len(table)


def test_every_message_id_is_explained_in_the_catalog(tmp_path):
    text = (SOURCE / "systemd/p2pchat.catalog").read_text()
    entries = re.split(r"^-- ", text, flags=re.M)[1:]
    assert [entry[:32] for entry in entries] == list(events_in_table().values())
    for entry in entries:
        head, _, body = entry.partition("\n\n")
        assert re.search(r"^Subject: .+$", head, re.M), entry
        assert len(body) > 80, entry
        assert "@" not in body  # systemd fills in only names without digits
    catalog = tmp_path / "usr/lib/systemd/catalog"
    catalog.mkdir(parents=True)
    shutil.copy(SOURCE / "systemd/p2pchat.catalog", catalog)
    made = subprocess.run(["journalctl", f"--root={tmp_path}", "--update-catalog"],
                          capture_output=True, text=True)
    assert (made.returncode, made.stderr) == (0, "")


def test_the_manual_pages_that_files_name_exist():
    files = [*(SOURCE / "systemd").rglob("p2pchat*"), *(SOURCE / "contrib").rglob("p2pchat*")]
    named = {match for path in files if path.is_file()
             for match in re.findall(r"man:([\w.-]+)\((\d)\)", path.read_text())}
    assert named
    for page, section in named:
        assert (BUILD / "man" / f"{page}.{section}").exists(), page


def test_the_profile_for_apparmor_can_be_read():
    if shutil.which("apparmor_parser") is None:
        pytest.skip("needs apparmor_parser (Debian: apparmor)")
    read = subprocess.run(["apparmor_parser", "--skip-kernel-load", "--skip-cache", "--debug",
                           SOURCE / "contrib/p2pchatd.apparmor"], capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    assert "Name:\t\tp2pchatd\n" in read.stdout
