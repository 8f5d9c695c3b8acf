"""A pass that finds nothing to do writes nothing into the source, and is still known to status."""

import contextlib
import os
import pathlib
import sqlite3
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
    rows = ROWS
    rejected = 0  # rows

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, state=self.state, journal=self.journal,
                                             environment=self.environment))
        self.app.script(self.rows)
        self.sync()

    def content(self):
        return {name: path.read_bytes() for name in ("app.db", "app.db-wal", "state.db")
                if (path := self.app.folder / name).exists()}

    def sync(self):
        return self.app.sync(status=1 if self.rejected else 0)

    def idle_sync(self):
        self.bq.clear_requests()
        run = self.sync()
        self.assertEqual({"unchanged"}, {table["status"] for table in run["tables"]})
        self.assertEqual(self.rejected, sum(table["rows_rejected"] for table in run["tables"]))
        self.assertEqual(1, len(self.bq.requests()))
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

        self.assertEqual((run["run_id"], "failed" if self.rejected else "done"),
                         (status["last_run"]["run_id"], status["last_run"]["state"]))
        self.assertEqual({run["started_at"]}, {table["fresh_at"] for table in status["tables"]})

    def test_status_knows_nothing_of_it_once_another_command_has_run(self):
        self.idle_sync()
        self.app.execute("insert into events(kind) values ('c')")
        run = self.sync()
        status = self.app.json("status")

        self.assertEqual(run["run_id"], status["last_run"]["run_id"])

    def test_it_is_recorded_if_the_last_record_says_that_passes_fail(self):
        if self.rejected:
            self.skipTest("it is not ok itself")
        failed = self.app.run("sync", BIGQUERY_EMULATOR_HOST="127.0.0.1:1", BQ_RETRY_BUDGET="100ms")
        self.assertEqual(5, failed[0])
        self.assertEqual("failed", self.app.json("status")["last_run"]["state"])
        run = self.idle_sync()
        with self.app.connect() as db:
            db.execute("attach ? as state", [str(self.app.folder / (self.state or "app.db"))])
            newest = db.execute("select run_id, state from state.bq_sync_runs order by number desc").fetchone()

        self.assertEqual((run["run_id"], "done"), newest)

    def test_the_first_one_after_a_failure_writes_once_that_it_is_over(self):
        self.app.execute("alter table settings rename to away")
        self.app.sync(status=1)
        self.app.execute("alter table away rename to settings")
        self.sync()
        self.assertIsNone(self.app.table(self.app.json("status"), "settings")["last_error"])
        with self.app.connect() as db:
            version = db.execute("pragma data_version").fetchall()
            self.idle_sync()
            self.assertEqual(version, db.execute("pragma data_version").fetchall())



class WithRejects(IdlePass):
    rows = ROWS + """
insert into events(kind, payload) values ('c', 'no json');
insert into accounts values (2, 'b@x', 'much', null), (3, 'c@x', 'more', null);
insert into memberships values ('core', 'ann', 'lead', 'never'), ('core', 'bob', 'lead', null);
"""
    rejected = 4

    def test_a_rejected_row_that_fits_again_is_found(self):
        self.idle_sync()
        self.app.execute("update accounts set balance = 2 where id = 2")
        self.app.execute("delete from memberships where person = 'ann'")
        self.sync()
        self.rejected = 2
        self.idle_sync()
        self.assertEqual([1, 2], sorted(row["id"] for row in self.bq.rows("d", "accounts")))

    def test_passes_over_some_tables_write_nothing_either(self):
        with self.app.connect() as db:
            self.app.sync("settings")
            self.app.sync("accounts", status=1)
            version = db.execute("pragma data_version").fetchall()
            for _ in range(2):
                self.app.sync("settings")
                self.app.sync("accounts", status=1)
            self.assertEqual(version, db.execute("pragma data_version").fetchall())

    def test_rejects_that_somebody_has_deleted_come_back(self):
        with self.app.connect() as db:
            db.execute("attach ? as state", [str(self.app.folder / (self.state or "app.db"))])
            db.execute("delete from state.bq_sync_rejects where table_name = 'accounts'")
        self.sync()
        self.idle_sync()
        self.assertEqual(2, len(self.app.json("rejects", "accounts")["rejects"]))


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

    def test_a_rejected_row_is_not_forgotten(self):
        self.app.execute("update people set name = x'00ff' where id = 1")
        for _ in range(2):
            run = self.app.sync(status=1)
            self.assertEqual(1, self.app.table(run, "people")["rows_rejected"])
            self.app.script("insert into people(name, deleted) values ('Bob', 1)")
        self.app.execute("update people set name = 'Eva' where id = 1")

        self.assertTrue(self.app.sync()["ok"])

        self.assertEqual(["Eva"], [row["name"] for row in self.bq.rows("d", "people")])

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


class RememberedSchemaTest(unittest.TestCase):
    """What a pass has noted of the schema is believed only of the very same schema."""

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.script(ROWS)
        self.app.sync()

    def expect_arrival(self):
        self.app.sync()
        self.assertEqual(["unseen"], [row["note"] for row in self.bq.rows("d", "accounts")])
        run = self.app.sync()
        self.assertEqual({"unchanged"}, {table["status"] for table in run["tables"]})

    def test_it_is_noted_by_the_pass_that_writes(self):
        noted = self.app.execute("select name from bq_sync_meta where name like 'shape %' order by name")
        self.assertIn(("shape accounts",), noted)
        self.assertIn(("shape events",), noted)

    def test_a_trigger_dropped_behind_an_unchanged_cookie_is_noticed(self):
        self.app.script(self.unseen())
        self.expect_arrival()

    def unseen(self):
        """A row changes while its trigger is gone, and the cookie is as it was."""
        cookie = self.app.execute("pragma schema_version")[0][0]
        return ("drop trigger bq_sync_update_accounts; update accounts set note = 'unseen' where id = 1;"
                f"pragma schema_version = {cookie}")

    def test_another_file_with_the_same_cookie_and_other_triggers_is_looked_at(self):
        copy = self.app.folder / "copy.db"
        self.app.execute("vacuum into ?", [str(copy)])
        with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as db:
            db.executescript(self.unseen())
        for end in ("-wal", "-shm"):
            pathlib.Path(f"{self.app.path}{end}").unlink(missing_ok=True)
        os.replace(copy, self.app.path)
        self.expect_arrival()

    def test_a_counter_deleted_by_hand_is_noticed(self):
        self.app.execute("delete from bq_sync_capture where table_name = 'accounts'")
        self.app.execute("update accounts set note = 'unseen' where id = 1")
        self.expect_arrival()

    def test_an_edited_trigger_is_noticed(self):
        self.app.script("""
            pragma writable_schema = on;
            update sqlite_master set sql = 'CREATE TRIGGER bq_sync_update_accounts after update on accounts'
                || ' begin select 1; end' where name = 'bq_sync_update_accounts';
            pragma writable_schema = reset;
            update accounts set note = 'unseen' where id = 1""")
        self.expect_arrival()


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


class TestRejects(WithRejects, unittest.TestCase):
    pass


class TestRejectsByScan(WithRejects, unittest.TestCase):
    environment = {"BQ_CAPTURE": "manual"}


class TestRejectsOfATransaction(WithRejects, unittest.TestCase):
    environment = {"BQ_SYNC_ATOMIC": "1"}


class TestRejectsStateElsewhere(WithRejects, unittest.TestCase):
    state = "state.db"


if __name__ == "__main__":
    unittest.main()
