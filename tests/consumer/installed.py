"""bqsync as it is installed, in a folder of its own, and projects that are built against it.

The tests of this folder see nothing of the tree or its build folder: what is missing from the installed files must
show. The installed files are moved once, so that a path which was written down shows, too.
"""

import os
import pathlib
import subprocess
import tempfile
import unittest

from tests.support import foreign

PROJECTS = foreign.SOURCE / "tests" / "consumer"
NOTES = """
create table notes(id integer primary key, body text, written_at text);
insert into notes values (1, 'milk', '2026-01-02T03:04:05Z'), (2, 'bread', null);
"""


def run(*command, timeout=600, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=timeout, **options)


def checked(*command, **options):
    """What a command prints; the test stops if it fails."""
    ended = run(*command, **options)
    if ended.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {(ended.stdout + ended.stderr)[-3000:]}")
    return ended.stdout


def clean_environment(**more):
    """The environment of a user, in which nothing points at the tree or sets up bqsync."""
    ours = ("BQ_", "BQSYNC_", "BIGQUERY_", "GOOGLE_", "SENTRY", "BUGSNAG", "PYTHON", "CMAKE_PREFIX", "CFLAGS", "LDFLAGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) and name != "CC"}
    return {**kept, **more}


class Installed:
    """`cmake --install` into a prefix that has been moved since."""

    def __init__(self, build=foreign.BUILD):
        if os.environ.get("BQSYNC_SANITIZE"):
            raise unittest.SkipTest("the plain build does this")
        self._folder = tempfile.TemporaryDirectory(prefix="bqsync-installed-")
        self.folder = pathlib.Path(self._folder.name)
        self.prefix = self.folder / "moved" / "here"
        checked("cmake", "--install", build, "--prefix", self.folder / "first")
        self.prefix.parent.mkdir()
        (self.folder / "first").rename(self.prefix)

    def close(self):
        self._folder.cleanup()

    @property
    def generator(self):
        return self.prefix / "bin" / "bqsync-gen"

    def build(self, project, *options, target=None):
        """A project of this folder, configured and built; its build folder."""
        build = self.folder / project
        checked("cmake", "-S", PROJECTS / project, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
                "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror", *options,
                env=clean_environment())
        checked("cmake", "--build", build, "-j", os.cpu_count(), *(["--target", target] if target else []),
                env=clean_environment())
        return build
