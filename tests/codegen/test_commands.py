"""How the generator's command line finds its command."""

import contextlib
import io
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

from codegen import commands, place
from codegen.__main__ import main
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


class ManualTest(unittest.TestCase):
    """The man page and the completions know each command and each option."""

    def options(self):
        for command in commands.COMMANDS:
            for action in commands.parser_of(command, "bqsync-gen").declared:
                for option in action.option_strings:
                    yield command.name, option

    def test_the_man_page_says_what_help_says(self):
        page = call("--help=man").stdout.replace("\\-", "-")

        self.assertTrue(page.startswith('.TH BQSYNC-GEN 1 "" "bqsync %s"\n' % place.version()))
        for command in commands.COMMANDS:
            self.assertIn(".B %s\n%s\n.RS\n" % (command.name, command.summary), page)
        for name, option in self.options():
            self.assertIn(option, page.split("\n.B %s\n" % name)[1].split(".RE")[0])
        self.assertIn(".SH EXIT STATUS", page)

    def complete(self, *words):
        """What bash offers for the last word."""
        script = '''eval "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bqsync_gen; printf "%s\\n" "${COMPREPLY[@]}"'''
        ended = subprocess.run(["bash", "-c", script, "bash", call("--help=bash").stdout, "bqsync-gen", *words],
                               capture_output=True, encoding="utf-8", check=True)
        return set(ended.stdout.split())

    def test_bash_completes_commands_and_their_options(self):
        self.assertEqual({command.name for command in commands.COMMANDS}, self.complete(""))
        self.assertEqual({"init", "infer"}, self.complete("in"))
        self.assertEqual({"--help", "--version"}, self.complete("--"))
        for name in (command.name for command in commands.COMMANDS):
            self.assertEqual({option for owner, option in self.options() if owner == name and option[:2] == "--"}
                             | {"--help"}, self.complete(name, "--"))

    def test_zsh_and_fish_know_them_too(self):
        zsh, fish = call("--help=zsh").stdout, call("--help=fish").stdout
        for command in commands.COMMANDS:
            self.assertIn("\n    %s:'" % command.name, zsh)
            self.assertIn("__fish_use_subcommand -a %s " % command.name, fish)
        for name, option in self.options():
            self.assertRegex(zsh, r"(?m)^%s\) options=\(.*'%s'" % (name, option))
            self.assertRegex(fish, r"(?m)__fish_seen_subcommand_from %s'.* -%s %s " % (
                name, "l" if option[:2] == "--" else "s", option.lstrip("-")))


class InstalledTest(unittest.TestCase):
    """Where the package has been installed: without the tree, beside its layout.json."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        self.enterContext(unittest.mock.patch.object(place, "_PARENT", str(self.folder)))
        self.enterContext(unittest.mock.patch.object(place, "_CMAKE", str(self.folder / "CMakeLists.txt")))

    def lay_out(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"version": "9.8", "includes": ["../include", "/usr/include/x"], "archive": "lib.a",
                                    "compile": ["-O2"], "link": ["-lm"]}))

    def run_here(self, *arguments):
        stdout = io.TextIOWrapper(io.BytesIO())
        stderr = io.TextIOWrapper(io.BytesIO())
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            status = main(list(arguments), "bqsync-gen")
            stderr.flush()
        return status, stdout.buffer.getvalue().decode(), stderr.buffer.getvalue().decode()

    def test_the_layout_beside_it_says_its_version_and_where_the_libraries_are(self):
        self.lay_out(self.folder / "layout.json")

        self.assertEqual((0, "bqsync-gen 9.8\n", ""), self.run_here("--version"))
        self.assertEqual(
            place.Layout("9.8", [str(self.folder.parent / "include"), "/usr/include/x"], str(self.folder / "lib.a"),
                         ["-O2"], ["-lm"]), place.layout())

    def test_without_a_command_it_says_which_there_are(self):
        status, stdout, stderr = self.run_here()

        self.assertEqual((2, ""), (status, stdout))
        self.assertEqual(commands.help_text("bqsync-gen"), stderr)

    def test_in_the_tree_the_layout_is_that_of_the_build(self):
        (self.folder / "CMakeLists.txt").write_text("project(bqsync VERSION 3.2.1 LANGUAGES C)\n")
        self.assertIsNone(place.layout())
        self.lay_out(self.folder / "build" / "layout.json")

        self.assertEqual("3.2.1", place.version())
        self.assertEqual(str(self.folder / "build" / "lib.a"), place.layout().archive)

    def test_what_is_wrong_with_a_file_is_not_taken_for_a_broken_output(self):
        with self.assertRaises(FileNotFoundError):
            self.run_here("--version")


if __name__ == "__main__":
    unittest.main()
