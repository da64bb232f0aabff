"""What the package for Debian says twice is the same. How it behaves: tests/service/package."""

import datetime
import re
import subprocess

from setup import SOURCE

DEBIAN = SOURCE / "contrib/debian"

# Every Debian that builds packages has these.
ESSENTIAL = {"gcc", "libc6-dev", "make"}


def test_program_package_and_changelog_are_of_one_version():
    """Of one day, too. What came after it is for the next one."""
    version = re.search(r"^AC_INIT\(\[p2pchat\], \[(.*?)\]", (SOURCE / "configure.ac").read_text(),
                        re.M)[1]
    newest, day = re.match(r"(.*)\n(?:.*\n)*? -- .*>  \w+, (\d+ \w+ \d+) ",
                           (DEBIAN / "changelog").read_text()).groups()
    assert re.fullmatch(rf"p2pchat \({re.escape(version)}-\d+\) \w+; urgency=\w+", newest)
    day = datetime.datetime.strptime(day, "%d %b %Y").date()
    headings = re.findall(r"^## (.*)", (SOURCE / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert [name for name in headings if name != "Unreleased"][0] == f"{version} - {day}"


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
