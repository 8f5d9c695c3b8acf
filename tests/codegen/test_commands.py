"""How the generator's command line finds its command."""

import os
import re
import subprocess
import sys
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

    def test_an_unknown_option_is_a_usage_error(self):
        self.assertEqual(2, call("generate", "--outptu", "x").returncode)

    def test_options_alone_mean_generate(self):
        self.assertEqual((0, "", ""), tuple(
            getattr(call("--check"), name) for name in ("returncode", "stdout", "stderr")))


if __name__ == "__main__":
    unittest.main()
