"""Building as a packager does: out of the tree, with options and flags of one's own."""

import os
import pathlib
import re
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]


class Setup:
    """A folder that was configured with these options."""

    def __init__(self, folder, *options, **environment):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.run(SOURCE / "configure", "-q", *options, **environment)

    def run(self, *command, expect=0, **environment):
        """What a command says that is run here."""
        without_make = {name: value for name, value in os.environ.items()
                        if not name.startswith(("MAKE", "MFLAGS"))}
        done = subprocess.run(command, cwd=self.folder, env=dict(without_make, **environment),
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == expect, done.stdout
        return done.stdout

    def make(self, *arguments, **options):
        return self.run("make", "--no-print-directory", *arguments, **options)

    def variables(self):
        """What configure found."""
        text = (self.folder / "config.mk").read_text()
        return dict(re.findall(r"^(\w+) = (.*?) *$", text, re.M))
