"""Projects in C and C++ find bqsync with find_package, pkg-config and add_subdirectory, and sync."""

import re
import unittest

from tests.consumer.installed import NOTES, PROJECTS, Installed, checked, clean_environment, run
from tests.support import foreign
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment


class ProjectsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.installed = Installed()
        cls.addClassCleanup(cls.installed.close)
        cls.example = cls.installed.prefix / "share/doc/bqsync/examples/example.c"

    def assert_syncs(self, program, *arguments, says):
        """The program mirrors two notes, and says so."""
        with Bqlocal(datasets=["d"]) as bq, Deployment(bq, program=program, schema=NOTES) as app:
            status, out, err = app.run(*arguments, *([] if arguments else [str(app.path)]))

            self.assertEqual(0, status, err)
            self.assertIn(says, out)
            rows = bq.query("select body from d.notes order by id")
            self.assertEqual(["milk", "bread"], [row["body"] for row in rows])

    def test_a_project_builds_the_program_with_its_own_tables(self):
        build = self.installed.build("program")

        self.assert_syncs(build / "notes-sync", "sync", says="notes")

    def test_a_changed_definition_is_generated_again(self):
        build = self.installed.folder / "again"
        (build / "schemas").mkdir(parents=True)
        definition = (PROJECTS / "program/schemas/notes.json").read_text()
        (build / "schemas/notes.json").write_text(definition)
        (build / "CMakeLists.txt").write_text((PROJECTS / "program/CMakeLists.txt").read_text())
        self.installed_build(build)
        self.assertIn("upsert", checked(build / "out/notes-sync", "tables"))

        (build / "schemas/notes.json").write_text(definition.replace('"upsert"', '"replace"'))
        self.installed_build(build)

        self.assertIn("replace", checked(build / "out/notes-sync", "tables"))

    def installed_build(self, source):
        environment = clean_environment()
        checked("cmake", "-S", source, "-B", source / "out", f"-DCMAKE_PREFIX_PATH={self.installed.prefix}",
                env=environment)
        checked("cmake", "--build", source / "out", env=environment)

    def test_a_wrong_definition_stops_the_build_with_its_place(self):
        folder = self.installed.folder / "wrong"
        (folder / "schemas").mkdir(parents=True)
        definition = (PROJECTS / "program/schemas/notes.json").read_text()
        (folder / "schemas/notes.json").write_text(definition.replace('"STRING"', '"STRNG"'))
        (folder / "CMakeLists.txt").write_text((PROJECTS / "program/CMakeLists.txt").read_text())
        checked("cmake", "-S", folder, "-B", folder / "out", f"-DCMAKE_PREFIX_PATH={self.installed.prefix}",
                env=clean_environment())

        ended = run("cmake", "--build", folder / "out", env=clean_environment())

        self.assertNotEqual(0, ended.returncode)
        self.assertIn('schemas/notes.json:9: columns[1].type: unknown type "STRNG" (did you mean STRING?)',
                      ended.stdout + ended.stderr)

    def test_a_folder_without_definitions_is_named(self):
        folder = self.installed.folder / "empty"
        folder.mkdir()
        (folder / "CMakeLists.txt").write_text((PROJECTS / "program/CMakeLists.txt").read_text())

        ended = run("cmake", "-S", folder, "-B", folder / "out", f"-DCMAKE_PREFIX_PATH={self.installed.prefix}",
                    env=clean_environment())

        self.assertNotEqual(0, ended.returncode)
        self.assertIn(f"there are no table definitions (*.json) in {folder}/schemas", " ".join(ended.stderr.split()))

    def test_the_documented_example_syncs_inside_a_program_with_clashing_names(self):
        build = self.installed.build("embedded", f"-DEXAMPLE={self.example}")

        self.assert_syncs(build / "notes-app", says="notes: synced, 2 inserted, 0 updated, 0 deleted")

    def test_a_program_in_cxx_syncs_from_inside(self):
        build = self.installed.build("cxx")

        self.assert_syncs(build / "notes-app", says="notes: synced, 2 inserted")

    def test_the_documented_example_compiles_with_the_flags_of_pkg_config(self):
        folder = self.installed.folder / "pkg-config"
        folder.mkdir()
        environment = clean_environment(PKG_CONFIG_PATH=str(self.installed.prefix / "lib/pkgconfig"))
        checked(self.installed.generator, "--schemas", PROJECTS / "program/schemas", "--output", folder / "generated",
                env=environment)
        pkg_config = foreign.tool("pkg-config", "pkg-config")
        flags = checked(pkg_config, "--cflags", "--libs", "bqsync", env=environment).split()

        checked("cc", "-Wall", "-Wextra", "-Werror", "-o", folder / "app", self.example,
                *folder.glob("generated/*.c"), *flags, env=environment)

        self.assert_syncs(folder / "app", says="notes: synced, 2 inserted, 0 updated, 0 deleted")

    def test_the_tree_as_a_subdirectory_gives_the_same_functions(self):
        build = self.installed.build("subdirectory", f"-DBQSYNC={foreign.SOURCE}", "-DCMAKE_C_FLAGS=")

        self.assert_syncs(build / "notes-sync", "sync", says="notes")
        self.assert_syncs(build / "notes-app", says="notes: synced, 2 inserted")
        # Nothing passes through the tables of the tree.
        self.assertEqual([], [*build.rglob("libbqsync_sample_tables.a"), *build.rglob("bqlocal")])

    def test_the_codes_that_the_header_speaks_of_are_documented(self):
        self.assertIn("docs/operations.md", (self.installed.prefix / "include/bqsync/bqsync.h").read_text())
        document = (self.installed.prefix / "share/doc/bqsync/operations.md").read_text()
        codes = re.findall(r'\[ERROR_\w+\] =\s+\{"(\w+)",\s+(true|false),\s+(\d+),',
                           (foreign.SOURCE / "runtime/base/error.c").read_text())

        documented = re.findall(r"^\| `(\w+)` \| (\d) \| (yes|no) \|", document, re.M)

        self.assertEqual(
            [(code, status, "yes" if again == "true" else "no") for code, again, status in codes if code != "none"],
            documented)


if __name__ == "__main__":
    unittest.main()
