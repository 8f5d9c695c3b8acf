"""A pass that finds nothing to do writes nothing into the source, and is still known to status."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

ROWS = """
insert into events(kind, at) values ('a', 1), ('b', 2);
insert into accounts values (1, 'a@x', 1.5, 'one');
insert into settings values ('theme', 'dark');
"""


class IdlePass:
    state = None
    journal = "wal"
    environment = {}

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, state=self.state, journal=self.journal,
                                             environment=self.environment))
        self.app.script(ROWS)
        self.app.sync()

    def content(self):
        return {name: path.read_bytes() for name in ("app.db", "app.db-wal", "state.db")
                if (path := self.app.folder / name).exists()}

    def idle_sync(self):
        run = self.app.sync()
        self.assertEqual({"unchanged"}, {table["status"] for table in run["tables"]})
        return run

    def test_it_changes_no_byte(self):
        content = self.content()
        self.idle_sync()
        self.idle_sync()
        # Not assertEqual, which would compute the difference of two databases.
        self.assertTrue(content == self.content())

    def test_no_other_connection_sees_a_commit(self):
        with self.app.connect() as db:
            version = db.execute("pragma data_version").fetchall()
            self.idle_sync()
            self.assertEqual(version, db.execute("pragma data_version").fetchall())

    def test_status_knows_it(self):
        run = self.idle_sync()
        status = self.app.json("status")

        self.assertEqual((run["run_id"], "done"), (status["last_run"]["run_id"], status["last_run"]["state"]))
        self.assertEqual({run["started_at"]}, {table["fresh_at"] for table in status["tables"]})

    def test_status_knows_nothing_of_it_once_another_command_has_run(self):
        self.idle_sync()
        self.app.execute("insert into events(kind) values ('c')")
        run = self.app.sync()
        status = self.app.json("status")

        self.assertEqual(run["run_id"], status["last_run"]["run_id"])

    def test_it_is_recorded_if_the_last_record_says_that_passes_fail(self):
        failed = self.app.run("sync", BIGQUERY_EMULATOR_HOST="127.0.0.1:1", BQ_RETRY_BUDGET="100ms")
        self.assertEqual(5, failed[0])
        self.assertEqual("failed", self.app.json("status")["last_run"]["state"])
        run = self.idle_sync()
        with self.app.connect() as db:
            db.execute("attach ? as state", [str(self.app.folder / (self.state or "app.db"))])
            newest = db.execute("select run_id, state from state.bq_sync_runs order by number desc").fetchone()

        self.assertEqual((run["run_id"], "done"), newest)


class LeftOutRows:
    """Rows above the watermark that no filter lets through are looked at by one pass, not by each."""

    environment = {}

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, environment=self.environment))
        self.app.script("insert into people(id, name) values (1, 'Ada')")
        self.app.sync()

    def reached(self):
        return self.app.execute("select last_synced_row_id from bq_sync_tracking where table_name = 'people'")[0][0]

    def leave_out(self):
        self.app.script("insert into people(name, deleted) values ('Bob', 1), ('Eve', 1), ('Joe', 1)")
        return self.app.table(self.app.sync(), "people")

    def test_one_pass_reads_them_and_the_next_is_idle(self):
        self.bq.clear_requests()
        part = self.leave_out()

        self.assertEqual(("unchanged", 4), (part["status"], part["last_synced_row_id"]))
        self.assertEqual(4, self.reached())
        self.assertEqual(1, len(self.bq.requests()))
        with self.app.connect() as db:
            version = db.execute("pragma data_version").fetchall()
            self.app.sync()
            self.assertEqual(version, db.execute("pragma data_version").fetchall())

    def test_one_that_enters_the_filter_later_arrives(self):
        self.leave_out()
        self.app.execute("update people set deleted = 0 where name = 'Eve'")
        self.app.execute("insert into people(name) values ('Kim')")

        self.assertTrue(self.app.sync()["ok"])

        self.assertEqual([1, 3, 5], sorted(row["id"] for row in self.bq.rows("d", "people")))

    def test_a_dry_run_and_a_plan_say_unchanged(self):
        self.app.script("insert into people(name, deleted) values ('Bob', 1)")

        self.assertEqual("unchanged", self.app.table(self.app.sync("--dry-run"), "people")["status"])
        planned = self.app.table(self.app.json("plan"), "people")
        self.assertEqual((0, 0, 0), (planned["insert"], planned["update"], planned["delete"]))
        self.assertEqual(1, self.reached())


class LeftOutTest(LeftOutRows, unittest.TestCase):
    pass


class LeftOutOfATransactionTest(LeftOutRows, unittest.TestCase):
    environment = {"BQ_SYNC_ATOMIC": "1"}


class TestWal(IdlePass, unittest.TestCase):
    def test_a_transaction_that_read_before_it_can_write_after_it(self):
        with self.app.connect() as db:
            db.execute("begin")
            db.execute("select count(*) from accounts").fetchall()
            self.idle_sync()
            db.execute("update accounts set note = 'uno' where id = 1")
            db.execute("commit")


class TestRollbackJournal(IdlePass, unittest.TestCase):
    journal = "delete"


class TestScanInTheSource(IdlePass, unittest.TestCase):
    environment = {"BQ_CAPTURE": "manual"}


class TestStateElsewhere(IdlePass, unittest.TestCase):
    state = "state.db"


if __name__ == "__main__":
    unittest.main()
