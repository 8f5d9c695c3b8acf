"""The queries of docs/history.md give the answers that stand there."""

import pathlib
import re
import unittest

from tests.e2e.test_history_target import SOURCE
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "history.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
VERSION = re.compile(r"(\S+ \S+) +(insert|update|delete) +(\d+)(?: (\w+) +(\d+))?")


class HistoryDocsTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, program="bqsync_history", schema=SOURCE))
        self.app.sync("users")
        self.bq.query("truncate table d.users_changes")
        self.blocks = BLOCK.findall(DOCUMENT.read_text())

    def fill(self):
        """The log as the document prints it. A snapshot's time has a generation of its own."""
        text = next(text for _, text in self.blocks if "_bqsync_operation id name age\n2026" in text)
        versions = VERSION.findall(text)
        self.assertEqual(len(text.splitlines()) - 1, len(versions))
        times = sorted({at for at, *_ in versions})
        rows = [f"({key}, {repr(name) if name else 'null'}, {age or 'null'}, '{operation}', timestamp '{at}+00', "
                f"{times.index(at) + 1}, 'r')" for at, operation, key, name, age in versions]
        self.bq.query("insert into d.users_changes (id, name, age, _bqsync_operation, _bqsync_at, _bqsync_generation, "
                      f"_bqsync_run) values {', '.join(rows)}")

    @staticmethod
    def printed(rows):
        """Rows as the document prints them, one space between the cells."""
        lines = [" ".join(rows[0])] if rows else []
        for row in rows:
            cells = ["NULL" if value is None else str(value) for value in row.values()]
            lines.append(" ".join(re.sub(r"\+00(:00)?$", " UTC", cell) for cell in cells))
        return lines

    def test_each_query_gives_the_answer_behind_it(self):
        self.fill()
        asked = 0
        for (kind, query), (_, answer) in zip(self.blocks, self.blocks[1:]):
            if kind != "sql":
                continue
            asked += 1
            with self.subTest(query=query):
                rows = self.bq.query(query.replace("`PROJECT`.`DATASET`", "`p`.`d`"))
                self.assertEqual([re.sub(" +", " ", line) for line in answer.splitlines()], self.printed(rows))
        self.assertEqual(3, asked)


if __name__ == "__main__":
    unittest.main()
