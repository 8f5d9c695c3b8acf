"""How the generator's command line finds its command."""

import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from codegen import commands
from tests.codegen.support import ROOT


def call(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "codegen", *arguments], cwd=ROOT, capture_output=True, encoding="utf-8",
        env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))


class CommandsTest(unittest.TestCase):
    def test_help_lists_every_command(self):
        ended = call("--help")

        self.assertEqual((0, ""), (ended.returncode, ended.stderr))
        for command in commands.COMMANDS:
            self.assertRegex(ended.stdout, r"(?m)^  %s +%s$" % (command.name, command.summary))

    def test_every_command_says_what_it_takes(self):
        for command in commands.COMMANDS:
            with self.subTest(command=command.name):
                ended = call(command.name, "--help")

                self.assertEqual((0, ""), (ended.returncode, ended.stderr))
                self.assertIn("usage: python3 -m codegen %s" % command.name, ended.stdout)

    def test_an_unknown_command_is_answered_with_the_known_ones(self):
        ended = call("frobnicate")

        self.assertEqual((2, ""), (ended.returncode, ended.stdout))
        self.assertIn("python3 -m codegen: unknown command frobnicate", ended.stderr)
        for command in commands.COMMANDS:
            self.assertIn(command.name, ended.stderr)

    def test_a_misspelt_command_is_answered_with_the_nearest(self):
        self.assertIn("(did you mean generate?)", call("genrate").stderr)

    def test_the_workflow_of_a_new_repository_calls_commands_that_exist(self):
        with open(os.path.join(ROOT, "codegen/project/templates/workflow.yml"), encoding="utf-8") as file:
            called = set(re.findall(r"bqsync-gen (\w+)", file.read()))

        self.assertEqual({"generate", "build", "explain"}, called)
        self.assertLessEqual(called, {command.name for command in commands.COMMANDS})

    def test_a_full_disk_is_one_line(self):
        for arguments in (["--help"], ["emit", "dbt"], ["--version"]):
            with self.subTest(arguments=arguments), open("/dev/full", "wb") as full:
                ended = subprocess.run(
                    [sys.executable, "-m", "codegen", *arguments], cwd=ROOT, stdout=full, stderr=subprocess.PIPE,
                    encoding="utf-8", env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))

                self.assertEqual(
                    (1, "python3 -m codegen: the output cannot be written: No space left on device\n"),
                    (ended.returncode, ended.stderr))

    def test_a_reader_that_has_gone_is_none(self):
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "wb") as gone:
            ended = subprocess.run(
                [sys.executable, "-m", "codegen", "--help"], cwd=ROOT, stdout=gone, stderr=subprocess.PIPE,
                encoding="utf-8", env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))

        self.assertEqual((1, ""), (ended.returncode, ended.stderr))

    def test_a_database_whose_name_is_no_utf8(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.fsencode(folder) + b"/\xff.db"
            sqlite3.connect(path).executescript("create table t(id integer primary key)").close()

            ended = subprocess.run(
                [sys.executable, "-m", "codegen", "init", b"\xff.db"], cwd=folder, capture_output=True,
                env=dict(os.environ, PYTHONPATH=ROOT, PYTHONDONTWRITEBYTECODE="1"))

            self.assertEqual(0, ended.returncode, ended.stderr)
            with open(os.path.join(folder, ".env.example"), "rb") as file:
                self.assertIn(b"\xff.db", file.read())
            ended = subprocess.run(
                [sys.executable, "-m", "codegen", "infer", b"\xfe.db"], cwd=folder, capture_output=True,
                env=dict(os.environ, PYTHONPATH=ROOT, PYTHONDONTWRITEBYTECODE="1"))
            self.assertEqual((2, b"\\udcfe.db: cannot be read: No such file or directory\n"),
                             (ended.returncode, ended.stderr))

    def test_an_unknown_option_is_a_usage_error(self):
        self.assertEqual(2, call("generate", "--outptu", "x").returncode)

    def test_options_alone_mean_generate(self):
        self.assertEqual((0, "", ""), tuple(
            getattr(call("--check"), name) for name in ("returncode", "stdout", "stderr")))


if __name__ == "__main__":
    unittest.main()
