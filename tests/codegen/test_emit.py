"""emit as a user runs it: the whole output for each tool, and which files it writes. Whether the tools take it is for
tests/conformance/test_emit_*.py."""

import json
import os
import pathlib
import tempfile
import unittest

from tests.codegen.golden import EMITTED, TOOLS, emit, files
from tests.codegen.support import definition


class EmitTest(unittest.TestCase):
    maxDiff = None

    def folder(self):
        return pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_each_tool_gets_exactly_the_expected_files(self):
        for tool in TOOLS:
            with self.subTest(tool):
                out = self.folder() / "made" / "if" / "missing"

                done = emit(tool, "--out", str(out))

                self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))
                expected = files(os.path.join(EMITTED, tool))
                self.assertTrue(expected)
                self.assertEqual(expected, files(out))

    def test_what_is_printed_is_the_one_file(self):
        for tool in ("dbt", "dataform", "terraform"):
            with self.subTest(tool):
                self.assertEqual(list(files(os.path.join(EMITTED, tool)).values()), [emit(tool).stdout])

    def test_printed_json_schemas_are_one_document(self):
        each = {name.split(".")[0]: json.loads(text)
                for name, text in files(os.path.join(EMITTED, "jsonschema")).items()}
        printed = json.loads(emit("jsonschema").stdout)
        for schema in each.values():
            self.assertEqual(printed["$schema"], schema.pop("$schema"))
            del schema["$comment"]
        self.assertEqual(each, printed["$defs"])

        folder = self.folder()
        (folder / "t.json").write_text(json.dumps(definition("t", ["id"], [("id", "INT64")])))
        self.assertEqual("t", json.loads(emit("jsonschema", schemas=str(folder)).stdout)["title"])

    def test_a_second_run_leaves_the_files_and_all_others_alone(self):
        out = self.folder()
        emit("dbt", "--out", str(out))
        (out / "models.yml").write_text("mine")
        before = (out / "bqsync_sources.yml").stat().st_mtime_ns

        emit("dbt", "--out", str(out))

        self.assertEqual(before, (out / "bqsync_sources.yml").stat().st_mtime_ns)
        self.assertEqual("mine", (out / "models.yml").read_text())

    def test_a_file_of_somebody_else_is_not_overwritten(self):
        out = self.folder()
        for name in ("bqsync_sources.yml", "ranges.row.schema.json"):
            (out / name).write_text("mine")

        for tool, name in (("dbt", "bqsync_sources.yml"), ("jsonschema", "ranges.row.schema.json")):
            done = emit(tool, "--out", str(out))

            self.assertEqual((1, ""), (done.returncode, done.stdout))
            self.assertIn(f"{name} was not made by emit and is left alone", done.stderr)
        self.assertEqual({"bqsync_sources.yml": "mine", "ranges.row.schema.json": "mine"}, files(out))

    def test_what_cannot_be_done_is_said(self):
        done = emit("dbt2")
        self.assertEqual((2, ""), (done.returncode, done.stdout))
        self.assertIn("dbt2", done.stderr)
        self.assertEqual(2, emit("dbt", "more").returncode)

        folder = self.folder()
        done = emit("dbt", schemas=str(folder))
        self.assertEqual((3, ""), (done.returncode, done.stdout))
        self.assertIn("no table definitions", done.stderr)
        self.assertEqual(3, emit("dbt", schemas=str(folder / "nowhere")).returncode)
        (folder / "file").write_text("")
        self.assertEqual(1, emit("dbt", "--out", str(folder / "file")).returncode)


if __name__ == "__main__":
    unittest.main()
