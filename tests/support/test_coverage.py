"""What tests/check_coverage.py makes of counts, limits and reasons."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

from tests import check_coverage

SOURCE = """int half(int n)
{
    if (n < 0)
        return 0;
    return n / 2;
}

int twice(int n)
{
    if (n < 0)
        return 0;
    return n * 2;
}
"""
# Lines that hold code, with how often they ran; the first condition of each function has two branches.
COUNTS = {1: 3, 3: 3, 4: 0, 5: 3, 8: 1, 10: 1, 11: 0, 12: 1}


class CoverageTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.write("runtime/base/a.c", SOURCE)
        self.write("codegen/b.py", "x = 1\nif x:\n    y = 2\n")
        self.write("tests/unreached.txt", "")
        self.limit(lines=10, branches=10)
        self.count(COUNTS)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def limit(self, **runtime):
        self.write("tests/coverage.json", json.dumps({"some": {"runtime": runtime}}))

    def count(self, counts):
        lines = [{"line_number": number, "count": count,
                  "branches": [{"count": 1}, {"count": 0}] if number in (3, 10) else []}
                 for number, count in counts.items()]
        self.runtime = self.write("runtime.json", json.dumps({"files": [{"file": "runtime/base/a.c", "lines": lines}]}))

    def judge(self, *more):
        """(exit status, printed lines)"""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = check_coverage.main(["some", str(self.runtime), *map(str, more)], self.root)
        return status, out.getvalue().splitlines()

    def test_lines_that_did_not_run_are_shown_with_their_function(self):
        status, lines = self.judge()

        self.assertEqual(0, status)
        self.assertEqual(["runtime/base/a.c:4: half: return 0;", "runtime/base/a.c:11: twice: return 0;"], lines[:2])
        self.assertIn("8 lines  75.00 %       4 branches  50.00 %", "\n".join(lines))

    def test_a_share_below_its_limit_fails(self):
        self.limit(lines=75, branches=51)
        status, lines = self.judge()

        self.assertEqual(1, status)
        self.assertEqual("tests/coverage.json: runtime/: 50.00 % of the branches ran, less than 51 %", lines[-1])
        self.limit(lines=75, branches=50)
        self.assertEqual(0, self.judge()[0])

    def test_a_folder_of_which_nothing_was_counted_fails(self):
        self.write("tests/coverage.json", '{"some": {"codegen": {"lines": 0}}}')

        self.assertEqual((1, "tests/coverage.json: nothing was counted in codegen/"), (self.judge()[0], self.judge()[1][-1]))

    def test_the_generator_counts_with_the_runtime(self):
        self.write("tests/coverage.json", '{"some": {"codegen": {"lines": 100}}}')
        counts = self.write("codegen.json", json.dumps(
            {"files": {"codegen/b.py": {"executed_lines": [1, 2], "missing_lines": [3]}}}))
        status, lines = self.judge(counts)

        self.assertEqual(1, status)
        self.assertIn("codegen/b.py:3: : y = 2", lines)
        self.assertEqual("tests/coverage.json: codegen/: 66.67 % of the lines ran, less than 100 %", lines[-1])

    def test_a_reason_stands_for_its_line_of_its_function(self):
        self.write("tests/unreached.txt", "# never: nobody asks for it\nruntime/base/a.c: half: return 0;\n")
        status, lines = self.judge()

        self.assertEqual((0, "runtime/base/a.c:11: twice: return 0;"), (status, lines[0]))
        self.assertEqual("1 lines did not run, and 1 that tests/unreached.txt gives a reason for", lines[1])

    def test_a_reason_stands_for_what_follows_up_to_a_line_that_ran(self):
        self.count({**COUNTS, 5: 0, 8: 0, 10: 1})
        self.write("tests/unreached.txt", "# never: nobody asks for it\nruntime/base/a.c: half: return 0;\n")

        self.assertEqual(["runtime/base/a.c:8: twice: int twice(int n)", "runtime/base/a.c:11: twice: return 0;",
                          "2 lines did not run, and 2 that tests/unreached.txt gives a reason for"], self.judge()[1][:3])

    def test_a_reason_without_its_line_fails_and_so_does_one_that_is_no_longer_true(self):
        self.write("tests/unreached.txt", "# never: so\nruntime/base/a.c: half: return 1;\nruntime/base/a.c: half: return n / 2;\n")
        status, lines = self.judge()

        self.assertEqual(1, status)
        self.assertEqual(["tests/unreached.txt:2: runtime/base/a.c has no such line in half",
                          "tests/unreached.txt:3: the line has run: runtime/base/a.c: return n / 2;"], lines[-2:])

    def test_a_reason_may_be_one_for_all_lines_of_a_text(self):
        self.write("tests/unreached.txt", "# sometimes: passed on\n*: return 0;\n*: return n / 3...\n")
        status, lines = self.judge()

        self.assertEqual((1, "0 lines did not run, and 2 that tests/unreached.txt gives a reason for"), (status, lines[0]))
        self.assertEqual("tests/unreached.txt:3: no file has such a line", lines[-1])

    def test_what_runs_only_sometimes_may_run(self):
        self.write("tests/unreached.txt", "# sometimes: by chance\nruntime/base/a.c: half: return n / 2;\n")

        self.assertEqual(0, self.judge()[0])

    def test_what_is_no_entry_fails(self):
        self.write("tests/unreached.txt", "runtime/base/a.c: half: return 0;\n# never: so\nhm\n")
        status, lines = self.judge()

        self.assertEqual(1, status)
        self.assertEqual(["tests/unreached.txt:1: neither a heading nor an entry: runtime/base/a.c: half: return 0;",
                          "tests/unreached.txt:3: neither a heading nor an entry: hm"], lines[-2:])


if __name__ == "__main__":
    unittest.main()
