"""Instructions that a program executes, from the loader on. They repeat, whatever else runs."""

import re
import subprocess

from harness import environment


def command(output):
    """What to put before a program, so that instructions() can read `output` when it has ended."""
    return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}"]


def instructions(output):
    return int(re.search(r"^(?:summary|totals): (\d+)", output.read_text(), re.M)[1])


def instructions_of(words, home):
    output = home / "callgrind.out"
    subprocess.run([*command(output), *map(str, words)], check=True, capture_output=True,
                   env=environment(home))
    return instructions(output)
