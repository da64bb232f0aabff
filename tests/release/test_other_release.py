"""What works on this machine works on the other release of Debian, and the two work together."""

import os
import pathlib
import shutil

import pytest

import roots

BUILD = pathlib.Path(os.environ.get("P2PCHAT_BUILD", roots.SOURCE / "build"))
PACKAGES = ("ccache", "libcmocka-dev", "python3")

# Where there is no ML-KEM, and who demands it.
UNABLE = ("p2pchatctl: OpenSSL here has no ML-KEM-768, so other would be shut out: run on OpenSSL 3.5 or "
          "later (Debian 13)")
TOO_OLD = "127.0.0.1:8766: it has to speak a post-quantum suite, and can't"


@pytest.fixture(scope="module")
def other():
    """What a root of the other release says, in which p2pchat was built and tried. Its programs are in
    a folder of that name beside it, with its OpenSSL."""
    name = roots.other()
    folder = roots.make(name, *roots.build_packages(), *PACKAGES)
    kept = folder.with_name(f"kept-{name}")
    kept.mkdir(exist_ok=True)
    said = roots.run(folder, f"""
        mkdir build && cd build
        export CCACHE_DIR=/keep/ccache
        /source/configure -q --enable-werror CC="ccache gcc"
        make check-built
        make demo
        rm -rf /keep/{name} && mkdir -p /keep/{name}/lib
        cp build/p2pchatd build/p2pchatctl /keep/{name}
        cp -L "$(ldd build/p2pchatd | awk '$1 ~ "libcrypto" {{ print $3 }}')" /keep/{name}/lib""",
                     "--keep", kept)
    return name, kept, said


def test_the_other_release_builds_passes_and_shows(other):
    """Out of the tree, which is read-only there, without warnings, and without a network."""
    said = other[2]
    [(passed, failed, skipped)] = roots.totals(said)
    assert passed > 100
    assert failed == 0, said[-20000:]
    assert skipped < 30, said[-20000:]  # only one release has ML-KEM, and each lacks tests of the other


def keep_ours(kept, name):
    """Our programs and OpenSSL beside those of the other release."""
    shutil.rmtree(kept / name, ignore_errors=True)
    (kept / name / "lib").mkdir(parents=True)
    for program in ("p2pchatd", "p2pchatctl"):
        shutil.copy(BUILD / program, kept / name)
    shutil.copy(roots.library_of(BUILD / "p2pchatd", "libcrypto"), kept / name / "lib")


def test_two_builds_speak_the_best_suite_of_both(other):
    """One built for Debian 12, with its OpenSSL and with that of Debian 13, and one built there: each
    dials each."""
    name, kept, _ = other
    [ours] = {"bookworm", "trixie"} - {name}
    keep_ours(kept, ours)
    said = roots.run(roots.make("trixie", *roots.build_packages(), *PACKAGES),
                     "/source/tests/release/two_builds.py /keep bookworm=bookworm bookworm trixie",
                     "--keep", kept)
    old, moved, new = "bookworm=bookworm", "bookworm", "trixie"
    assert said.splitlines() == [
        f"{old} <- {old}: suite 1",
        f"{old} <- {moved}: suite 1",
        f"{old} <- {new}: suite 1",
        f"{moved} <- {old}: suite 1",
        f"{moved} <- {moved}: suite 2",
        f"{moved} <- {new}: suite 2",
        f"{new} <- {old}: suite 1",
        f"{new} <- {moved}: suite 2",
        f"{new} <- {new}: suite 2",
        f"--require-pq=yes {old} <- {old}: {UNABLE}",
        f"--require-pq=yes {old} <- {moved}: {TOO_OLD}",
        f"--require-pq=yes {old} <- {new}: {TOO_OLD}",
        f"--require-pq=yes {moved} <- {old}: {UNABLE}",
        f"--require-pq=yes {moved} <- {moved}: suite 2",
        f"--require-pq=yes {moved} <- {new}: suite 2",
        f"--require-pq=yes {new} <- {old}: {UNABLE}",
        f"--require-pq=yes {new} <- {moved}: suite 2",
        f"--require-pq=yes {new} <- {new}: suite 2"]
