"""Files on disk: written only when they differ, removed with their table, compared by --check."""

import json
import os
import re
import shutil
import tempfile
import unittest

from tests.codegen.golden import files, generate
from tests.codegen.support import definition


class OutputTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)
        self.output = os.path.join(self.directory, "out")
        os.mkdir(os.path.join(self.directory, "schemas"))
        self.define("users")
        self.define("orders")

    def define(self, name, columns=(("id", "INT64"), ("note", "STRING")), **more):
        path = os.path.join(self.directory, "schemas", name + ".json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(definition(name, ["id"], columns, **more), file)

    def generate(self, *more):
        return generate(self.directory, self.output, *more)

    def test_a_second_run_touches_no_file(self):
        self.generate()
        before = {
            name: os.stat(os.path.join(self.output, name)).st_mtime_ns
            for name in os.listdir(self.output)}

        done = self.generate()

        self.assertEqual(0, done.returncode)
        self.assertEqual(before, {
            name: os.stat(os.path.join(self.output, name)).st_mtime_ns
            for name in os.listdir(self.output)})

    def test_only_the_files_of_a_changed_table_are_written(self):
        self.generate()
        before = files(self.output)
        self.define("users", columns=(("id", "INT64"), ("note", "JSON")))

        self.generate()

        changed = {name for name, text in files(self.output).items() if before[name] != text}
        self.assertEqual(
            {"users.c", "users.h", "users.ddl.sql", "users.merge.sql", "users.capture.sql",
             "users.schema.json"}, changed)

    def test_a_table_without_history_has_no_file_of_it(self):
        def with_files():
            return [name for name in sorted(files(self.output)) if name.endswith(".history.sql")]

        self.define("users", sync={"mode": "upsert", "history": True})
        self.generate()
        self.assertEqual(["users.history.sql"], with_files())
        self.define("users", sync={"mode": "upsert", "history": False})
        self.generate()
        self.assertEqual([], with_files())

    def test_files_of_a_removed_table_go_and_other_files_stay(self):
        self.generate()
        for name in ("notes.txt", "mine.c", "mine.schema.json"):
            with open(os.path.join(self.output, name), "w", encoding="utf-8") as file:
                file.write("mine\n")
        os.remove(os.path.join(self.directory, "schemas", "orders.json"))

        self.generate()

        names = sorted(files(self.output))
        self.assertEqual([], [name for name in names if name.startswith("orders")])
        self.assertEqual(
            ["mine.c", "mine.schema.json", "notes.txt"],
            [name for name in names if name.startswith(("mine", "notes"))])

    def test_a_file_of_somebody_else_is_never_overwritten(self):
        self.generate()
        for name in ("users.c", "orders.ddl.sql"):
            with open(os.path.join(self.output, name), "w", encoding="utf-8") as file:
                file.write("mine\n")
        self.define("users", columns=(("id", "INT64"),))
        before = files(self.output)

        done = self.generate()

        self.assertEqual(1, done.returncode)
        self.assertEqual("%s, %s: was not generated and is left alone: move it, or choose another --output\n" % (
            os.path.join(self.output, "orders.ddl.sql"), os.path.join(self.output, "users.c")), done.stderr)
        self.assertEqual(before, files(self.output))

    def test_json_of_somebody_else_is_never_overwritten(self):
        os.mkdir(self.output)
        with open(os.path.join(self.output, "users.schema.json"), "w", encoding="utf-8") as file:
            file.write("[]\n")

        self.assertIn("users.schema.json: was not generated", self.generate().stderr)
        self.assertEqual({"users.schema.json": "[]\n"}, files(self.output))

    def test_generated_files_are_known_though_others_of_the_table_are_gone(self):
        self.generate()
        for name in ("users.ddl.sql", "users.c"):
            os.remove(os.path.join(self.output, name))
        open(os.path.join(self.output, "orders.c"), "w").close()
        self.define("users", columns=(("id", "INT64"),))

        self.assertEqual((0, ""), (self.generate().returncode, self.generate("--check").stdout))

    def test_check_is_silent_when_nothing_would_change(self):
        self.generate()

        done = self.generate("--check")

        self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))

    def test_check_prints_a_diff_and_writes_nothing(self):
        self.generate()
        with open(os.path.join(self.output, "users.c"), "a", encoding="utf-8") as file:
            file.write("int by_hand;\n")
        os.remove(os.path.join(self.directory, "schemas", "orders.json"))
        before = files(self.output)

        done = self.generate("--check")

        self.assertEqual(1, done.returncode)
        self.assertIn("\n-int by_hand;\n", done.stdout)
        self.assertIn("+++ /dev/null", done.stdout)
        self.assertIn("--- %s" % os.path.join(self.output, "orders.schema.json"), done.stdout)
        self.assertIn("run python3 -m codegen", done.stderr)
        self.assertEqual(before, files(self.output))

    def test_check_of_an_empty_directory_shows_every_file(self):
        done = self.generate("--check")

        self.assertEqual(1, done.returncode)
        self.assertEqual(14, done.stdout.count("--- /dev/null"))
        self.assertFalse(os.path.exists(self.output))

    def test_wrong_definitions_leave_the_output_alone(self):
        self.generate()
        before = files(self.output)
        self.define("users", columns=(("id", "INT"),))

        done = self.generate()

        self.assertEqual(3, done.returncode)
        self.assertEqual(before, files(self.output))

    def test_a_directory_that_is_missing_is_named(self):
        done = self.generate("--schemas", "nowhere")

        self.assertEqual(3, done.returncode)
        self.assertEqual(
            "nowhere: cannot be read: No such file or directory; name another directory with --schemas, or let the "
            "command init make it\n", done.stderr)

    def test_an_output_that_cannot_be_written_is_named(self):
        with open(self.output, "w", encoding="utf-8"):
            pass

        done = self.generate()

        self.assertEqual(1, done.returncode)
        self.assertEqual("%s: File exists\n" % self.output, done.stderr)

    def test_unknown_options_are_a_usage_error(self):
        self.assertEqual(2, self.generate("--frobnicate").returncode)

    def test_a_new_column_adds_lines_and_changes_none_but_the_hashes(self):
        columns = [("id", "INT64"), ("note", "STRING"), ("size", "FLOAT64")]
        # At the end and in between. (The first item of an SQL list has no comma in front, so a
        # column that becomes the first of its list gives one to the former first.)
        for place in (3, 2):
            with self.subTest(place=place):
                self.define("users", columns)
                self.generate()
                before = files(self.output)
                self.define("users", columns[:place] + [("born", "DATE")] + columns[place:])

                self.generate()

                for name, text in files(self.output).items():
                    kept = iter(text.splitlines())
                    lost = [
                        line for line in before[name].splitlines()
                        if not re.search(r"schema [0-9a-f]{12}|_hash = ", line)
                        and line not in kept]
                    self.assertEqual([], lost, name)

    def test_what_rows_hold_and_what_only_shows_have_different_hashes(self):
        def hashes():
            self.generate()
            text = files(self.output)["users.c"]
            return [
                line.split('"')[1] for line in text.splitlines()
                if line.startswith(("    .content_hash", "    .shape_hash"))]

        content, shape = hashes()
        self.define("users", description="People")
        self.assertEqual([content], hashes()[:1])
        self.assertNotEqual(shape, hashes()[1])
        self.define("users", columns=(("note", "STRING"), ("id", "INT64")))
        self.assertEqual(content, hashes()[0])
        self.define("users", where="note is not null")
        self.assertNotEqual(content, hashes()[0])


if __name__ == "__main__":
    unittest.main()
