"""The command build: what it refuses before it compiles anything. tests/consumer compiles."""

import contextlib
import io
import json
import os
import tempfile
import unittest
import unittest.mock

from codegen import commands
from codegen.place import Layout
from codegen.project import build, compiler
from tests.codegen.support import definition


class BuildTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        os.mkdir("schemas")
        with open("schemas/users.json", "w", encoding="utf-8") as file:
            json.dump(definition("users", ["id"], [("id", "INT64")]), file)

    def build(self, *arguments):
        """Exit status, stderr, and whether the builder was asked for a program."""
        stdout, stderr = io.StringIO(), io.StringIO()
        layout = Layout("1", [], "libbqsync.a", [], [])
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr), \
                unittest.mock.patch("codegen.place.layout", return_value=layout), \
                unittest.mock.patch.object(build, "Builder") as builder:
            builder.return_value.build.return_value = ""
            status = commands.main(["build", *arguments], "bqsync-gen", {})
        return status, stderr.getvalue(), builder.called

    def write(self, path, content):
        with open(path, "wb") as file:
            file.write(content)

    def test_a_file_of_somebody_else_is_left_alone(self):
        for content in (b"#!/bin/sh\nexec bq_sync_tracking\n", b"\x7fELF\0\0 another program"):
            self.write("bqsync", content)

            self.assertEqual(
                (1, "bqsync-gen build: bqsync: was not made by a build and is left alone: move it, or name another "
                 "program with --program\n", False), self.build())
            with open("bqsync", "rb") as file:
                self.assertEqual(content, file.read())
        self.assertFalse(os.path.exists("generated"))

    def test_a_folder_is_left_alone(self):
        os.mkdir("bqsync")

        self.assertEqual(
            (1, "bqsync-gen build: bqsync: is a folder and is left alone: move it, or name another program with "
             "--program\n", False), self.build())

    def test_another_program_can_be_named(self):
        os.mkdir("bqsync")

        self.assertEqual((0, "", True), self.build("--program", "mirror"))

    def test_a_program_of_an_earlier_build_is_replaced(self):
        for content in (b"\x7fELF\0\0" + b"\0" * 2000 + b"from bq_sync_tracking", b""):
            self.write("bqsync", content)

            self.assertEqual((0, "", True), self.build())

    def test_a_generated_file_of_somebody_else_is_left_alone(self):
        os.mkdir("generated")
        self.write("generated/users.c", b"mine")

        status, stderr, called = self.build()

        self.assertEqual((1, False), (status, called))
        self.assertIn("generated/users.c: was not generated and is left alone", stderr)

    def test_what_each_file_fails_for_is_said_once(self):
        for name in ("a.c", "a.h", "b.c", "b.h", "c.c", "c.h"):
            self.write(name, b"")
        builder = compiler.Builder(Layout("1", [], "none.a", [], []), compiler.Tools(["false"], [], []), "objects")

        with self.assertRaises(compiler.Failed) as caught:
            builder.build(["a.c", "b.c", "c.c"], "program")

        self.assertEqual("false failed with status 1: false -c -o objects/a.o.new a.c\n2 other files failed too",
                         str(caught.exception))

    def test_what_the_compiler_says_stands_alone_and_warnings_are_passed_on(self):
        layout = Layout("1", [], "none.a", [], [])
        for name, text in (("a.c", b"int main(void) { return left; }\n"), ("a.h", b""), ("none.a", b"")):
            self.write(name, text)

        with self.assertRaises(compiler.Failed) as caught:
            compiler.Builder(layout, compiler.Tools(["cc"], [], []), "objects").build(["a.c"], "program")
        self.assertRegex(caught.exception.said, r"(?m)^a\.c:1:25: error: ")
        self.assertEqual("cc failed with status 1: cc -c -o objects/a.o.new a.c", str(caught.exception))

        self.write("a.c", b"int main(void) { int left; return 0; }\n")
        self.write("none.a", b"!<arch>\n")
        said = compiler.Builder(layout, compiler.Tools(["cc"], ["-Wall"], []), "objects").build(["a.c"], "program")
        self.assertRegex(said, r"(?m)^a\.c:1:22: warning: ")

    def test_what_has_not_changed_is_neither_compiled_nor_linked_again(self):
        for folder in ("include/base", "include/encode"):
            os.makedirs(folder)
        self.write("include/base/one.h", b"#define ONE 0\n")
        for name, text in (("a.c", b'#include "base/one.h"\nint main(void) { return ONE; }\n'), ("a.h", b""),
                           ("b.c", b"int b = 1;\n"), ("b.h", b""), ("none.a", b"!<arch>\n")):
            self.write(name, text)

        def made(*sources):
            """What a build makes again."""
            builder = compiler.Builder(
                Layout("1", ["include"], "none.a", [], []), compiler.Tools(["cc"], [], []), "objects")
            with unittest.mock.patch.object(compiler, "_run", side_effect=compiler._run) as run:
                builder.build(sources, "program")
            return sorted(call.args[1] for call in run.call_args_list)

        self.assertEqual(["objects/a.o", "objects/b.o", "program"], made("a.c", "b.c"))
        self.assertEqual([], made("a.c", "b.c"))
        self.write("b.c", b"int b = 2;\n")
        self.assertEqual(["objects/b.o", "program"], made("a.c", "b.c"))
        self.write("include/base/one.h", b"#define ONE 1\n")
        self.assertEqual(["objects/a.o", "objects/b.o", "program"], made("a.c", "b.c"))
        self.assertEqual(["program"], made("a.c"))
        self.assertEqual(["a.o", "state.json"], sorted(os.listdir("objects")))

    def test_a_compiler_that_is_not_there_is_named(self):
        with unittest.mock.patch.dict(os.environ, CC="no-such-cc -O2"):
            self.assertEqual(
                (1, "bqsync-gen build: there is no C compiler no-such-cc; install one (Debian: apt-get install gcc "
                 "libc6-dev), or name another in CC\n", False), self.build())

    def test_without_definitions_nothing_is_built(self):
        status, stderr, called = self.build("--schemas", "other")
        self.assertEqual((3, False), (status, called))
        self.assertIn("bqsync-gen build: there is no folder other; bqsync-gen init DATABASE makes it\n", stderr)

        self.write("schemas/users.json", b"{")
        status, stderr, called = self.build()
        self.assertEqual((3, False), (status, called))
        self.assertIn("schemas/users.json:1", stderr)

    def test_a_tree_that_is_not_built_yet_says_so(self):
        stderr = io.StringIO()
        with contextlib.redirect_stderr(stderr), unittest.mock.patch("codegen.place.layout", return_value=None):
            status = commands.main(["build"], "bqsync-gen", {})

        self.assertEqual(
            (1, "bqsync-gen build: the libraries of this tree are not built yet; run ./dev build\n"),
            (status, stderr.getvalue()))


if __name__ == "__main__":
    unittest.main()
