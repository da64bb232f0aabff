"""What the package for Debian says twice is the same. How it behaves: tests/service/package."""

import re
import subprocess

from setup import SOURCE

DEBIAN = SOURCE / "contrib/debian"

# Every Debian that builds packages has these.
ESSENTIAL = {"gcc", "libc6-dev", "make"}


def test_its_version_is_that_of_the_program():
    version = re.search(r"^AC_INIT\(\[p2pchat\], \[(.*?)\]", (SOURCE / "configure.ac").read_text(),
                        re.M)[1]
    newest = (DEBIAN / "changelog").read_text().splitlines()[0]
    assert re.fullmatch(rf"p2pchat \({re.escape(version)}-\d+\) \w+; urgency=\w+", newest)


def test_it_is_built_with_what_make_needs_and_what_its_tests_need():
    control = (DEBIAN / "control").read_text()
    field = re.search(r"^Build-Depends:(.*?)^\S", control, re.M | re.S)[1]
    always, tests = set(), set()
    for entry in field.strip().split(",\n"):
        name = re.match(r"[a-z0-9+.-]+", entry.strip())[0]
        (tests if "<!nocheck>" in entry else always).add(name)
    needed = {of: set(subprocess.check_output([SOURCE / "tests/tools/dependencies", "list", of],
                                              text=True).split()) for of in ("build", "deb")}
    packaging = {"debhelper-compat", "dh-apparmor", "systemd-dev"}
    assert always == needed["build"] - ESSENTIAL | packaging
    assert tests <= needed["deb"]
