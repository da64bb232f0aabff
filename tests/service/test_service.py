"""The system service."""


def test_status_right_after_enabling_tells_what_to_do_next(machine):
    machine.systemctl("enable", "--now", "p2pchatd")
    out = machine.ctl("status").out
    assert "SHA256:" in out
    assert "p2pchatctl peer add NAME ADDRESS" in out
