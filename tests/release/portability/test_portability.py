"""Other processors, other compilers: builds without warnings, unit and dialogue tests, the demonstration."""

import shutil
import subprocess

import pytest

import roots

TOOLS = ("ccache", "make", "pkg-config", "python3")


def libraries():
    """What it is linked with, as packages."""
    return [name for name in roots.build_packages()
            if name.startswith("lib") and name != "libc6-dev"] + ["libcmocka-dev"]


def prove(folder, suite, configure):
    """Builds everything in the root of this suite, and shows that it works."""
    kept = folder.with_name(f"ccache-{suite.replace(':', '-')}")
    kept.mkdir(exist_ok=True)
    said = roots.run(folder, f"""
        mkdir build && cd build
        export CCACHE_DIR=/keep
        {configure}
        make -s -j$(nproc) all tests
        make check-built
        /source/tests/tools/demo build""", "--keep", kept)
    [(passed, failed, skipped)] = roots.totals(said)
    assert passed > 100
    assert failed == 0, said[-20000:]
    assert skipped < 30, said[-20000:]


@pytest.mark.parametrize("suite, architecture, triplet", [
    ("bookworm", "i386", "i686-linux-gnu"),
    ("bookworm", "s390x", "s390x-linux-gnu")])
def test_another_processor(suite, architecture, triplet):
    """Sizes of 32 bits, and dates of 32 unless one asks; bytes in the other order, and char unsigned."""
    if shutil.which("arch-test") is None or \
            subprocess.run(["arch-test", architecture], capture_output=True).returncode != 0:
        pytest.skip(f"can't run programs for {architecture} (Debian: arch-test, qemu-user-static)")
    folder = roots.make(f"{suite}:{architecture}", *TOOLS, f"crossbuild-essential-{architecture}",
                        *(f"{name}:{architecture}" for name in libraries()))
    prove(folder, f"{suite}:{architecture}", f"""
        export PKG_CONFIG_LIBDIR=/usr/lib/{architecture}-linux-gnu/pkgconfig
        /source/configure -q --enable-werror --host={triplet} CC="ccache {triplet}-gcc" """)


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
@pytest.mark.parametrize("compiler, flags", [
    ("gcc", "CFLAGS='-O2 -flto=auto'"),
    ("clang", "CFLAGS='-O2 -flto' LDFLAGS=-fuse-ld=lld")])
def test_another_compiler_that_optimises_when_it_links(suite, compiler, flags):
    folder = roots.make(suite, *TOOLS, *libraries(), "gcc", "libc6-dev", "clang", "lld", "llvm")
    prove(folder, suite, f"""/source/configure -q --enable-werror CC="ccache {compiler}" {flags}""")
