"""From an empty folder to a mirror, with the installed generator and a C compiler and nothing else."""

import os
import pathlib
import sqlite3
import stat
import sys
import tempfile
import time
import unittest

from tests.consumer.installed import NOTES, PROJECTS, Installed, clean_environment, run
from tests.support import hardened
from tests.support.bqlocal import Bqlocal

NOTES_JSON = (PROJECTS / "program/schemas/notes.json").read_text()
# Calls the compiler, and notes each call.
CC = """#!/bin/sh
echo "$@" >>"{log}"
exec cc "$@"
"""


class NewProjectTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.installed = Installed()
        cls.addClassCleanup(cls.installed.close)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bqsync-project-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name) / "my app"
        self.folder.mkdir()
        self.log = pathlib.Path(folder.name) / "cc.log"
        cc = pathlib.Path(folder.name) / "noting-cc"
        cc.write_text(CC.format(log=self.log))
        cc.chmod(cc.stat().st_mode | stat.S_IXUSR)
        self.environment = clean_environment(CC=str(cc))

    def generator(self, *arguments, status=0, **environment):
        ended = run(self.installed.generator, *arguments, cwd=self.folder, env={**self.environment, **environment})
        self.assertEqual(status, ended.returncode, ended.stdout + ended.stderr)
        return ended

    def compiled(self):
        """What the compiler was called for since the last question."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return sorted(line.split()[-1] if " -c " in line else "link" for line in lines)

    def define(self, name="notes", text=NOTES_JSON):
        (self.folder / "schemas").mkdir(exist_ok=True)
        (self.folder / f"schemas/{name}.json").write_text(text)

    def test_a_database_is_mirrored_by_three_commands(self):
        with sqlite3.connect(self.folder / "app.db") as db:
            db.executescript(NOTES)
        started = time.monotonic()

        self.generator("init", "app.db")
        self.generator("build")
        with Bqlocal(datasets=["d"]) as bq:
            ended = run(self.folder / "bqsync", "sync", cwd=self.folder, env={
                **self.environment, "BIGQUERY_EMULATOR_HOST": bq.host, "BQ_PROJECT_NAME": bq.project,
                "BQ_DATASET_NAME": "d", "BQ_SQLITE_PATH": "app.db"})
            seconds = time.monotonic() - started

            self.assertEqual(0, ended.returncode, ended.stderr)
            rows = bq.query("select body from d.notes order by id")
            self.assertEqual(["milk", "bread"], [row["body"] for row in rows])
        print(f"\ninit, build and sync took {seconds:.1f} s", file=sys.stderr)

    def test_init_lays_out_a_repository(self):
        ended = self.generator("init")

        made = sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())
        self.assertEqual([".env.example", ".gitattributes", ".github/workflows/bqsync.yml", ".gitignore",
                          "CMakeLists.txt", "schemas/table.schema.json"], made)
        self.assertIn("made: schemas/table.schema.json, CMakeLists.txt", ended.stdout)
        self.assertIn("project(my-app LANGUAGES C)", (self.folder / "CMakeLists.txt").read_text())

    def test_init_changes_no_file_that_is_there(self):
        for name in ("CMakeLists.txt", ".env.example", ".gitignore", ".gitattributes"):
            (self.folder / name).write_text("mine\n")

        ended = self.generator("init")

        for name in ("CMakeLists.txt", ".env.example", ".gitignore", ".gitattributes"):
            self.assertEqual("mine\n", (self.folder / name).read_text())
        self.assertEqual(".gitignore is there already; add to it: /bqsync  /build/  .env\n"
                         ".gitattributes is there already; add to it: /generated/** linguist-generated=true\n",
                         ended.stderr)

    def test_init_makes_nothing_for_a_database_that_cannot_be_read(self):
        text = pathlib.Path(self.folder.parent) / "text.db"
        text.write_text("This is no database.\n" * 100)

        for database in ("nowhere.db", str(text)):
            with self.subTest(database=database):
                self.assertIn(database, self.generator("init", database, status=2).stderr)
                self.assertEqual([], list(self.folder.iterdir()))

    def test_init_lays_out_what_is_missing_and_says_how_a_database_has_changed(self):
        with sqlite3.connect(self.folder / "app.db") as db:
            db.executescript(NOTES)
        self.generator("init", "app.db")
        definition = (self.folder / "schemas/notes.json").read_text()
        (self.folder / ".gitattributes").unlink()
        with sqlite3.connect(self.folder / "app.db") as db:
            db.execute("alter table notes add colour text")

        ended = self.generator("init", "app.db", status=1)

        self.assertIn("made: .gitattributes\n", ended.stdout)
        self.assertIn('+    { "name": "colour", "type": "STRING" }', ended.stdout)
        self.assertEqual(definition, (self.folder / "schemas/notes.json").read_text())

    def test_the_project_of_init_builds_with_cmake_too(self):
        self.generator("init")
        self.define()

        for command in (("-B", "build", f"-DCMAKE_PREFIX_PATH={self.installed.prefix}"), ("--build", "build")):
            ended = run("cmake", *command, cwd=self.folder, env=clean_environment())
            self.assertEqual(0, ended.returncode, ended.stdout + ended.stderr)

        self.assertIn("notes", run(self.folder / "build/bqsync", "tables").stdout)

    def test_a_build_says_one_line_and_makes_a_program(self):
        self.define()

        ended = self.generator("build")

        self.assertEqual(("built ./bqsync: 1 table from schemas/\n", ""), (ended.stdout, ended.stderr))
        self.assertIn("notes", run(self.folder / "bqsync", "tables").stdout)
        # Hardened, and known by its build id, as the installed program is.
        self.assertEqual([], hardened.missing(self.folder / "bqsync"))

    def test_a_wrong_definition_is_all_that_is_said(self):
        self.define(text=NOTES_JSON.replace('"STRING"', '"STRNG"'))

        ended = self.generator("build", status=3)

        self.assertEqual(
            ("", 'schemas/notes.json:9: columns[1].type: unknown type "STRNG" (did you mean STRING?)\n'),
            (ended.stdout, ended.stderr))
        self.assertEqual([], self.compiled())

    def test_only_what_has_changed_is_compiled_again(self):
        self.define()
        self.define("tags", NOTES_JSON.replace('"notes"', '"tags"'))
        self.generator("build")
        self.assertEqual(["generated/notes.c", "generated/registry.c", "generated/tags.c", "link"], self.compiled())

        self.generator("build")
        self.assertEqual([], self.compiled())

        self.define(text=NOTES_JSON.replace('"upsert"', '"replace"'))
        self.generator("build")
        self.assertEqual(["generated/notes.c", "link"], self.compiled())

        (self.folder / "schemas/tags.json").unlink()
        self.generator("build")
        self.assertEqual(["generated/registry.c", "link"], self.compiled())
        self.assertNotIn("tags", run(self.folder / "bqsync", "tables").stdout)

        self.generator("build", CFLAGS="-O1")
        self.assertEqual(["generated/notes.c", "generated/registry.c", "link"], self.compiled())

    def test_a_compiler_that_fails_is_quoted_and_its_work_is_done_again(self):
        self.define()

        ended = self.generator("build", status=1, CFLAGS="-Dstatic=nonsense")

        self.assertEqual("", ended.stdout)
        self.assertIn("error:", ended.stderr)
        self.assertFalse((self.folder / "bqsync").exists())
        self.generator("build")

    def test_a_machine_without_a_compiler_is_told_what_to_install(self):
        self.define()

        self.assertIn("apt-get install gcc libc6-dev", self.generator("build", status=1, CC="no-such-cc").stderr)

    def test_a_program_that_runs_is_replaced(self):
        self.define()
        self.generator("build")
        before = os.stat(self.folder / "bqsync").st_ino
        self.generator("build", LDFLAGS="-Wl,-O1")

        self.assertNotEqual(before, os.stat(self.folder / "bqsync").st_ino)
        self.assertEqual([], list(self.folder.glob("*.new")))

    def test_a_folder_without_definitions_is_answered_with_the_way_on(self):
        self.assertEqual("bqsync-gen build: there is no folder schemas; bqsync-gen init DATABASE makes it\n",
                         self.generator("build", status=3).stderr)

    def test_help_and_version(self):
        self.assertRegex(self.generator("--version").stdout, r"^bqsync-gen \d+\.\d+\.\d+\n$")
        self.assertIn("\n  build ", self.generator("--help").stdout)
        self.assertIn("\n  build ", self.generator(status=2).stderr)
        self.assertIn("unknown command bulid (did you mean build?)", self.generator("bulid", status=2).stderr)

    def test_nothing_is_written_where_the_package_manager_works(self):
        self.define()
        self.generator("build")

        self.assertEqual([], list(self.installed.prefix.rglob("*.pyc")))


if __name__ == "__main__":
    unittest.main()
