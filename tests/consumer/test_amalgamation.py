"""bqsync with an SQLite of its own: -DBQSYNC_SQLITE names the folder of an amalgamation.

The amalgamation is the one in a package of npm's, so a version of SQLite that is not the system's.
"""

import hashlib
import json
import os
import pathlib
import re
import sqlite3
import sys
import tempfile
import unittest
from unittest import mock

from tests.consumer.installed import NOTES, PROJECTS, Installed, checked, clean_environment, run
from tests.support import foreign, sampledb, sampledb_change, sampling
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

PACKAGE = "better-sqlite3@12.11.1"
SHA256 = "60d2f39a3726cd6b9021da6f4e868608d66fbb6528a9f513dc8ffcc640493422"
# What depends most on the version of SQLite: whether triggers change what the application sees, how numbers become texts.
# Of the matrix one kind of key, which takes a fifth of the time of all three: the conflicts are the same for each.
TARGETS = ("installable", "unit_encode_test_column", "unit_source_test_database", "unit_source_test_capture",
           "unit_source_test_capture_matrix_pair")


def amalgamation():
    """The folder with sqlite3.c and sqlite3.h; skips the tests if the package cannot be had."""
    npm = foreign.tool("npm", "npm")
    home = foreign.installed("amalgamation", [], [
        "sh", "-c", f"'{npm}' pack --ignore-scripts --loglevel=error {PACKAGE} && tar -xzf better-sqlite3-*.tgz"],
        foreign.unavailable)
    folder = home / "package/deps/sqlite3"
    found = hashlib.sha256((folder / "sqlite3.c").read_bytes()).hexdigest()
    if found != SHA256:
        raise AssertionError(f"{folder}/sqlite3.c has the SHA-256 {found}, not {SHA256}")
    return folder


class AmalgamationTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.environ.get("BQSYNC_SANITIZE"):
            raise unittest.SkipTest("the plain build does this")
        sampling.wait_for_turn("amalgamation")
        cls.sqlite = amalgamation()
        folder = tempfile.TemporaryDirectory(prefix="bqsync-amalgamation-")
        cls.addClassCleanup(folder.cleanup)
        cls.build = pathlib.Path(folder.name) / "build"
        # Not optimised: half of the time goes into compiling.
        checked("cmake", "-S", foreign.SOURCE, "-B", cls.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                "-DBQSYNC_WERROR=ON", f"-DBQSYNC_SQLITE={cls.sqlite}")
        checked("cmake", "--build", cls.build, "-j", os.cpu_count(), "--target", *TARGETS, timeout=1500)

    def version(self, program, **environment):
        return json.loads(checked(program, "version", "--json", env={**os.environ, **environment}))["sqlite"]

    def assert_is_ours(self, found):
        header = (self.sqlite / "sqlite3.h").read_text()
        source_id = re.search(r'#define SQLITE_SOURCE_ID +"(.*)"', header)[1]
        self.assertEqual((source_id, True), (found["source_id"], found["compiled_in"]))

    def assert_needs_no_sqlite(self, program):
        """Neither does it need the system's, nor could another library find the functions of its own."""
        self.assertNotIn("sqlite", checked("objdump", "-p", program))
        self.assertNotIn("sqlite3_", checked("nm", "-D", "--defined-only", program))

    def test_it_is_compiled_into_each_program(self):
        self.assert_is_ours(self.version(self.build / "bqsync"))
        for program in ("bqsync", "bqlocal"):
            self.assert_needs_no_sqlite(self.build / program)

    def test_the_bill_of_materials_has_it(self):
        header = (self.sqlite / "sqlite3.h").read_text()
        libraries = json.loads((self.build / "described/sbom.json").read_text())["libraries"]
        [sqlite] = [library for library in libraries if library["name"] == "libsqlite3"]

        self.assertEqual((re.search(r'#define SQLITE_VERSION +"(.*)"', header)[1], "STATIC_LINK"),
                         (sqlite["version"], sqlite["link"]))

    def test_it_mirrors_a_database_also_beside_the_systems_sqlite(self):
        # As if a library that bqsync links with had brought it.
        beside = {"LD_PRELOAD": self.systems_sqlite()}
        with mock.patch.dict(os.environ, BQSYNC_BUILD=str(self.build)):
            with Bqlocal(datasets=["d"]) as bq, Deployment(bq, program=self.build / "bqsync", schema="") as app:
                sampledb.make(str(app.path), rows=2000)
                app.sync()
                sampledb_change.change(str(app.path))
                app.sync(**beside)

                self.assert_is_ours(self.version(self.build / "bqsync", **beside))
                mirrored = run(sys.executable, "-m", "tests.support.mirror", "--sqlite", app.path, "--endpoint", bq.url,
                               "--project", bq.project, "--dataset", "d", "--schemas", "schemas", cwd=foreign.SOURCE)
                self.assertEqual(0, mirrored.returncode, mirrored.stdout + mirrored.stderr)

    def systems_sqlite(self):
        """The file that Python's own module has loaded."""
        sqlite3.connect(":memory:").close()
        maps = pathlib.Path("/proc/self/maps").read_text()
        found = re.search(r"/\S*libsqlite3\S*", maps)
        return found[0] if found else foreign.unavailable("this Python has no shared SQLite")

    def test_the_tests_that_depend_on_sqlite_pass_with_it(self):
        for test in TARGETS[1:]:
            with self.subTest(test=test):
                # Each makes its databases in its working directory.
                ended = run(next(self.build.rglob(test)), cwd=self.build)
                self.assertEqual(0, ended.returncode, ended.stdout[-3000:] + ended.stderr[-3000:])

    def test_an_installed_generator_builds_programs_that_have_it(self):
        installed = Installed(self.build)
        self.addCleanup(installed.close)

        program = installed.build("program") / "notes-sync"

        self.assert_is_ours(self.version(program))
        self.assert_needs_no_sqlite(program)

    def test_a_program_that_syncs_from_inside_has_one_sqlite_its_own(self):
        installed = Installed(self.build)
        self.addCleanup(installed.close)
        library = installed.prefix / "lib/libbqsync.a"
        self.assertIn(" U sqlite3_step", checked("nm", library))
        folder = installed.folder / "own"
        folder.mkdir()
        environment = clean_environment(PKG_CONFIG_PATH=str(installed.prefix / "lib/pkgconfig"))
        checked(installed.generator, "--schemas", PROJECTS / "program/schemas", "--output", folder / "generated",
                env=environment)
        flags = checked(foreign.tool("pkg-config", "pkg-config"), "--cflags", "--libs", "bqsync", env=environment).split()

        checked("cc", "-o", folder / "app", installed.prefix / "share/doc/bqsync/examples/example.c",
                *folder.glob("generated/*.c"), *flags, next(self.build.rglob("libbqsync_sqlite.a")), "-lm",
                env=environment)

        with Bqlocal(datasets=["d"]) as bq, Deployment(bq, program=folder / "app", schema=NOTES) as app:
            status, out, err = app.run(str(app.path))
            self.assertEqual(0, status, err)
            self.assertIn("notes: synced, 2 inserted", out)

    def test_a_folder_without_an_amalgamation_is_named(self):
        ended = run("cmake", "-S", foreign.SOURCE, "-B", self.build.parent / "wrong", "-G", "Ninja",
                    f"-DBQSYNC_SQLITE={PROJECTS}")

        self.assertNotEqual(0, ended.returncode)
        self.assertIn(f"BQSYNC_SQLITE: there is no sqlite3.c in {PROJECTS}.", " ".join(ended.stderr.split()))


if __name__ == "__main__":
    unittest.main()
