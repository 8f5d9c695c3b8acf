"""Google's analyzer takes the log, the view and the function of each table with history, and what `forget` sends."""

import pathlib
import re
import tempfile
import unittest

from tests.conformance import statements
from tests.e2e.test_forget import VERSION
from tests.e2e.test_history_target import SOURCE
from tests.support import foreign
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

TABLES = {"users": "17", "visits": "17", "settings": "gone", "lines": '[17, "00ff"]'}


class HistoryTest(unittest.TestCase):
    def setUp(self):
        self.stage = foreign.Stage("googlesql")
        self.addCleanup(self.stage.close)
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bqsync-history-")))
        (self.folder / "ddl").mkdir()

    def collect(self):
        """The statements to judge, by name; the tables are written beside."""
        found = {}
        with Bqlocal(datasets=["d"]) as bq, Deployment(bq, program="bqsync_history", schema=SOURCE) as app:
            for table in TABLES:
                target, log, *readers = statements.split(app.run("ddl", table)[1])
                (self.folder / "ddl" / f"{table}.sql").write_text(f"{target};\n{log};\n")
                found.update({f"{table}_{number}": sql for number, sql in enumerate(readers)})
            app.sync()
            bq.query(VERSION.format(log="users_changes", names="id", values="17"))
            bq.clear_requests()
            for table, key in TABLES.items():
                app.run("forget", table, key)
            for number, job in enumerate(bq.get("jobs?projection=full&maxResults=1000")["jobs"]):
                sql = job["configuration"].get("query", {}).get("query", "")
                if "key_hash" in sql or "delete from" in sql:
                    found[f"forget_{number}"] = sql
        return found

    def judge(self, named):
        """Those that the analyzer refuses."""
        for name, sql in named.items():
            (self.folder / f"{name}.sql").write_text(sql.rstrip(";") + ";\n")
        ended = self.stage.run("googlesql-check.js", "--project", "p", "--ddl", self.folder / "ddl",
                               *(self.folder / f"{name}.sql" for name in named), timeout=300)
        self.assertIn(ended.returncode, (0, 1), ended.stderr)
        return {name: ended.stdout for name in named if f"{self.folder}/{name}.sql:" in ended.stdout}

    def test_every_statement_is_accepted_and_its_mutant_refused(self):
        found = self.collect()
        self.assertEqual(8, len([name for name in found if "forget" not in name]))
        self.assertTrue(any("begin transaction" in sql for sql in found.values()))
        self.assertGreaterEqual(len(found), 8 + 2 * len(TABLES))

        self.assertEqual({}, self.judge(found))

        mutants = {name: re.sub(r"`(id|order_id|name)`", "`nope`", sql) for name, sql in found.items()}
        self.assertEqual(sorted(mutants), sorted(self.judge(mutants)))


if __name__ == "__main__":
    unittest.main()
