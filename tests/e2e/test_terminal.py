"""What the commands print for people: columns that line up, and progress that fits the terminal."""

import re
import unicodedata
import unittest

from tests.e2e import terminal
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

COMBINED = "mu\u0308ll"
WIDE = f"""
create table 日本(id integer primary key, note text);
create table {COMBINED}(id integer primary key, note text);
create table plain(id integer primary key, note text);
insert into 日本 values (1, 'a');
insert into {COMBINED} values (1, 'a');
insert into plain values (1, 'a');
"""


def columns(text):
    """The columns of a terminal that the text takes."""
    return sum(0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
               for letter in text)


def second_column(line, name):
    """Where what follows the table's name begins."""
    before = line[:line.index(name) + len(name)]
    behind = line[len(before):]
    return columns(before) + len(behind) - len(behind.lstrip())


class ColumnsTest(unittest.TestCase):
    def test_rows_line_up_whatever_their_names_are_made_of(self):
        bq = self.enterContext(Bqlocal(datasets=["d"]))
        app = self.enterContext(Deployment(bq, program="bqsync_wide", schema=WIDE))
        # What C calls the locale must not matter.
        for locale in ("C", "C.UTF-8"):
            for arguments in (["plan", "--full"], ["sync", "--full"], ["status"], ["verify"], ["tables"], ["capture", "show"]):
                with self.subTest(locale=locale, arguments=arguments):
                    status, out, err = app.run(*arguments, LC_ALL=locale)

                    self.assertEqual(0, status, err)
                    lines = {name: line for line in out.splitlines() for name in ("日本", COMBINED, "plain")
                             if re.match(rf"(?:[+~!] |  )?{name} ", line)}
                    self.assertEqual(3, len(lines), out)
                    self.assertEqual(1, len({second_column(line, name) for name, line in lines.items()}), out)


class ProgressTest(unittest.TestCase):
    def setUp(self):
        # Jobs that take longer than several redraws.
        bq = self.enterContext(Bqlocal(datasets=["d"], latency="2s"))
        self.app = self.enterContext(Deployment(bq))
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")

    def frames(self, rows, width):
        status, seen = terminal.run(self.app, rows, width, "sync")
        self.assertEqual(0, status, seen)
        # What is drawn before the picture is deleted for the result.
        drawn = re.split(r"\x1b\[\d+A\x1b\[J", seen)[0]
        self.assertIn("tables done", drawn)
        return [frame.replace("\r", "").split("\n")[:-1] for frame in re.split(r"\x1b\[\d+A", drawn)]

    def test_lines_are_cut_to_a_narrow_terminal(self):
        for frame in self.frames(24, 40):
            for line in frame:
                self.assertLess(columns(re.sub(r"\x1b\[\w", "", line)), 40, line)

    def test_a_picture_is_lower_than_the_terminal(self):
        frames = self.frames(4, 100)

        for frame in frames:
            self.assertLess(len(frame), 4, frame)
        self.assertTrue(any(re.search(r"of \d+ tables done, \d+ more in work", frame[-1]) for frame in frames), frames)

    def test_a_terminal_of_unknown_size_has_24_lines_of_80_columns(self):
        for frame in self.frames(0, 0):
            self.assertLess(len(frame), 24)
            for line in frame:
                self.assertLess(columns(re.sub(r"\x1b\[\w", "", line)), 80, line)


if __name__ == "__main__":
    unittest.main()
