"""Two builds of the same sources give the same package and the same tarball, byte for byte."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from tests.support import foreign, sampling

# Neither of them is the time of the test.
EPOCH = "1700000000"
NOT_SOURCES = shutil.ignore_patterns("build", "build-*", ".git", "__pycache__", ".env", "compile_commands.json")
# What differs between two machines of two packagers.
MACHINES = (
    {"TZ": "Asia/Kolkata", "LC_ALL": "C", "umask": "022"},
    {"TZ": "America/New_York", "LC_ALL": "C.UTF-8", "umask": "077"},
)


def packed(folder, machine):
    """The files that ./dev package makes of a copy of the sources in a folder: name and content."""
    source = folder / "tree"
    # Without the times of the files, so that they are those of the copy.
    shutil.copytree(foreign.SOURCE, source, ignore=NOT_SOURCES, copy_function=shutil.copy)
    # A cache of objects would compare a build with itself.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "CCACHE_DISABLE": "1", "TZ": machine["TZ"],
                   "LC_ALL": machine["LC_ALL"]}
    ended = subprocess.run(["sh", "-c", f"umask {machine['umask']}; exec ./dev package"], cwd=source, env=environment,
                           capture_output=True, text=True)
    if ended.returncode != 0:
        raise AssertionError(ended.stdout[-3000:] + ended.stderr[-3000:])
    return {path.name: path.read_bytes() for path in (source / "build/package").iterdir()}


class ReproducibleTest(unittest.TestCase):
    def test_two_builds_in_different_folders_at_different_times_are_equal(self):
        if os.environ.get("BQSYNC_SANITIZE"):
            self.skipTest("the plain build does this")
        sampling.wait_for_turn("reproducible")
        foreign.tool("dpkg-shlibdeps", "dpkg-dev")
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bqsync-reproducible-",
                                                                            dir="/var/tmp")))

        one = packed(folder / "one", MACHINES[0])
        other = packed(folder / "another" / "and-deeper", MACHINES[1])

        self.assertEqual(2, len(one))
        self.assertEqual(one.keys(), other.keys())
        for name, content in one.items():
            self.assertTrue(content == other[name], f"{name} differs; diffoscope says where")
            self.assertNotIn(str(folder).encode(), content)


if __name__ == "__main__":
    unittest.main()
