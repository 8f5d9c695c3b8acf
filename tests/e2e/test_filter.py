"""A filter (`where`) that fails for one row: the table fails, and the error says for which row and what to do."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

SCHEMA = """
create table mails(email text primary key, n);
create table numbers(k primary key, v);
create table paths(id integer primary key, v);
create table drafts(team text not null, n integer not null, v, primary key (team, n));
create index drafts_by_n on drafts(n, team);
create table marks(v);
insert into mails values ('a@x', 1);
insert into drafts values ('blue-team', 1, '{}'), ('blue-team', 2, '{}'), ('red-team', 1, '{"gone": 1}');
insert into marks values ('{}'), ('[1]'), ('{"gone": 1}');
"""
UNFIT = "{not-json-text"
WORDS = "drafts.where: the filter fails for a row: malformed JSON. Correct the row, or let `where` in " \
        "schemas/drafts.json pass over it, and rebuild"
ROW = "(the row with team = red-team, n = 9)"
MARKS = "marks.where: the filter fails for a row: malformed JSON. Correct the row, or let `where` in " \
        "schemas/marks.json pass over it, and rebuild (the row number 4)"


class FilterTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))

    def deploy(self, **options):
        return self.enterContext(Deployment(self.bq, program="bqsync_hidden", schema=SCHEMA, **options))

    def assert_drafts_fail(self, app):
        """The table alone fails, the command names the row, and the log does not."""
        status, out, log = app.run("sync")
        self.assertEqual(1, status)
        self.assertIn(f"{WORDS} {ROW}", out)
        self.assertIn("drafts.where", log)
        self.assertNotIn("red-team", log)
        self.assertNotIn("not-json", out + log)
        run = app.sync(status=1)
        error = app.table(run, "drafts")["error"]
        self.assertEqual(("schema", f"{WORDS} {ROW}", False), (error["code"], error["message"], error["retryable"]))
        self.assertEqual(["drafts"], [table["table"] for table in run["tables"] if table["status"] == "failed"])

    def correct(self, app):
        app.execute("update drafts set v = '{}' where team = 'red-team' and n = 9")
        app.sync()
        self.assertEqual([("blue-team", 1), ("blue-team", 2), ("red-team", 9)],
                         sorted((row["team"], int(row["n"])) for row in self.bq.rows("d", "drafts")))

    def test_a_first_sync_names_the_row(self):
        app = self.deploy()
        app.execute("insert into drafts values ('red-team', 9, ?)", [UNFIT])

        self.assert_drafts_fail(app)

        self.correct(app)

    def test_a_changed_row_is_named(self):
        app = self.deploy()
        app.sync()
        app.execute("insert into drafts values ('red-team', 9, ?)", [UNFIT])

        self.assert_drafts_fail(app)

        self.correct(app)

    def test_a_scan_names_the_row(self):
        app = self.deploy(state="state.db")
        app.sync()
        app.execute("insert into drafts values ('red-team', 9, ?)", [UNFIT])

        self.assert_drafts_fail(app)

        self.correct(app)

    def test_a_new_row_is_named_by_the_look_of_an_idle_pass(self):
        app = self.deploy()
        app.sync()
        app.execute("insert into paths values (7, 'not-a-path')")

        error = app.table(app.sync(status=1), "paths")["error"]

        self.assertEqual("schema", error["code"])
        self.assertTrue(error["message"].startswith("paths.where: the filter fails for a row: "), error)
        self.assertTrue(error["message"].endswith("(the row with id = 7)"), error)

    def test_a_row_without_a_key_is_named_by_its_number(self):
        app = self.deploy()
        app.sync()
        app.execute("insert into marks values (?)", [UNFIT])

        error = app.table(app.sync(status=1), "marks")["error"]

        self.assertEqual(("schema", MARKS), (error["code"], error["message"]))

    def test_reports_name_the_row_as_well(self):
        app = self.deploy()
        app.sync()
        app.execute("insert into drafts values ('red-team', 9, ?)", [UNFIT])
        for command in (["verify", "drafts"], ["plan", "drafts"], ["check"]):
            with self.subTest(command=command[0]):
                status, out, log = app.run(*command)
                self.assertEqual(1, status, out + log)
                self.assertIn(f"{WORDS} {ROW}", out)
                self.assertNotIn("red-team", log)

    def test_status_says_why_nothing_can_be_counted(self):
        app = self.deploy()
        app.sync()
        app.execute("insert into paths values (7, 'not-a-path')")

        table = next(table for table in app.json("status")["tables"] if table["table"] == "paths")

        self.assertIsNone(table["pending_changes"])
        self.assertTrue(table["problem"].startswith("paths.where: the filter fails for a row: "), table)


if __name__ == "__main__":
    unittest.main()
