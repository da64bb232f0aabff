"""The sandbox of the unit, tried from inside; that of the daemon itself is tried in unit tests."""

import pathlib


def test_in_the_unit_what_is_forbidden_does_not_work(machine):
    machine.run("useradd", "--create-home", "alice")
    machine.write("/usr/local/lib/probe.py", pathlib.Path(__file__).with_name("probe.py").read_text())
    machine.write("/etc/p2pchat/p2pchatd.conf", "")
    machine.systemctl("start", "p2pchatd-peer.socket")
    python = pathlib.Path("/usr/bin/python3").resolve()
    machine.write("/etc/systemd/system/p2pchatd.service.d/probe.conf", f"""[Service]
Type=oneshot
ExecStart=
ExecStart={python} -I /usr/local/lib/probe.py
ExecPaths={python}
Restart=no
StandardOutput=file:/run/p2pchat/probe
""")
    machine.systemctl("daemon-reload")
    machine.systemctl("start", "p2pchatd")
    assert machine.run("cat", "/run/p2pchat/probe").out == ""


def test_the_daemon_adds_a_filter_of_its_own(machine):
    machine.write("/etc/p2pchat/p2pchatd.conf", "log-level = debug\n")
    machine.systemctl("start", "p2pchatd")
    with_own = machine.path(f"/proc/{machine.show('MainPID')}/status").read_text()
    assert "NoNewPrivs:\t1\n" in with_own
    assert "CapEff:\t0000000000000000\n" in with_own
    assert "Seccomp:\t2\n" in with_own
    assert machine.journal("P2PCHAT_COMPONENT=daemon")
    assert machine.journal("P2PCHAT_COMPONENT=sandbox") == []  # it would say what it lacks
