"""The generator as a user runs it: whole output of good definitions, exact words about bad ones."""

import os
import tempfile
import unittest

from tests.codegen.golden import cases, files, generate


class GoldenTest(unittest.TestCase):
    maxDiff = None

    def test_good_definitions_give_exactly_the_expected_files(self):
        for name, directory in cases():
            expected = files(os.path.join(directory, "expected"))
            if not expected:
                continue
            with self.subTest(name), tempfile.TemporaryDirectory() as output:
                done = generate(directory, output)

                self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))
                found = files(output)
                self.assertEqual(sorted(expected), sorted(found))
                for file in expected:
                    self.assertEqual(expected[file], found[file], file)

    def test_bad_definitions_are_refused_in_the_expected_words(self):
        for name, directory in cases():
            path = os.path.join(directory, "stderr.txt")
            if not os.path.exists(path):
                continue
            with self.subTest(name), tempfile.TemporaryDirectory() as output:
                with open(path, encoding="utf-8") as file:
                    expected = file.read()

                done = generate(directory, output)

                self.assertEqual((3, ""), (done.returncode, done.stdout))
                self.assertEqual(expected, done.stderr)
                self.assertEqual({}, files(output))

    def test_each_case_expects_something(self):
        named = cases()

        self.assertGreaterEqual(len(named), 40)
        for name, directory in named:
            with self.subTest(name):
                kinds = [
                    kind for kind in ("expected", "stderr.txt")
                    if os.path.exists(os.path.join(directory, kind))]
                self.assertEqual(1, len(kinds), kinds)


if __name__ == "__main__":
    unittest.main()
