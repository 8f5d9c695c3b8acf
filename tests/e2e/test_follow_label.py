"""While passes follow one another, the label of a table stays behind: what the next process makes of that.

A label that is raised with each change tells a restored source from one that is not. Here it is not raised, so BigQuery
is asked for the job that the source would have to know (docs/architecture.md, "Series").
"""

import contextlib
import pathlib
import sqlite3
import unittest

from tests.e2e.serving import INCREMENTAL, RUNS, Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.following import (SETTINGS, commit_account, following, label_is_behind, leave_label_behind, wait)
from tests.support.killing import wait_until_held


class LabelTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into accounts values (1, 'a@x', 1, 'first')")
        self.app.sync("accounts")

    def label(self, table="accounts"):
        return int(self.bq.table("d", table)["labels"]["bqsync_generation"])

    def generation(self):
        with self.app.connect() as db:
            return db.execute("select generation from bq_sync_generations where table_name = 'accounts'").fetchone()[0]

    def patches(self):
        return [request for request in self.bq.requests() if request["method"] == "PATCH"]

    def backup(self):
        path = self.app.folder / "backup.db"
        path.unlink(missing_ok=True)
        with self.app.connect() as db, contextlib.closing(sqlite3.connect(path)) as copy:
            db.backup(copy)
        return path.read_bytes()

    def restore(self, backup):
        for suffix in ("-wal", "-shm"):
            pathlib.Path(f"{self.app.path}{suffix}").unlink(missing_ok=True)
        self.app.path.write_bytes(backup)

    def sync(self):
        """One pass over accounts; its report, once both sides are equal and the next pass is idle."""
        report = self.app.table(self.app.sync("accounts"), "accounts")
        self.assertEqual(self.app.source_rows("accounts"), self.app.warehouse_rows("accounts"))
        self.assertEqual(self.generation(), self.label())
        self.bq.clear_requests()
        self.assertEqual("unchanged", self.app.table(self.app.sync("accounts"), "accounts")["status"])
        self.assertEqual(1, len(self.bq.requests()))
        return report


class SeriesTest(LabelTest):
    def test_a_stream_of_passes_does_not_raise_the_label_each_time(self):
        with following(self.app):
            number = leave_label_behind(self.app)
            self.bq.clear_requests()
            for more in range(number, number + 10):
                commit_account(self.app, more)
            self.assertLess(len(self.patches()), 10)
        self.sync()

    def test_a_pass_that_follows_nothing_raises_it(self):
        with Service(self.app, **{**SETTINGS, "BQ_ADMIN_LISTEN": "127.0.0.1:0"}) as service:
            leave_label_behind(self.app)
            self.assertLess(self.label(), self.generation())
            service.sync(INCREMENTAL)
            self.assertEqual(self.generation(), self.label())
            self.assertFalse(label_is_behind(self.app))

    def test_after_a_kill_the_next_process_goes_on_where_it_ended(self):
        with following(self.app):
            leave_label_behind(self.app)
        self.app.execute("update accounts set note = 'later' where id = 1")
        report = self.sync()
        self.assertEqual(("synced", "merge", 1), (report["status"], report["mode"], report["rows_updated"]))

    def test_after_a_kill_a_pass_without_changes_raises_the_label(self):
        with following(self.app):
            leave_label_behind(self.app)
        self.assertEqual("unchanged", self.sync()["status"])

    def test_after_a_kill_a_pass_that_finds_only_rejected_rows_raises_it_too(self):
        with following(self.app):
            leave_label_behind(self.app)
        self.app.execute("insert into accounts values (9999, x'ff', 'no number', 'rejected')")
        self.app.run("sync", "accounts")
        self.assertEqual(self.generation(), self.label())

    def test_dry_runs_and_plans_change_nothing(self):
        with following(self.app):
            leave_label_behind(self.app)
        before = self.generation(), self.label()
        self.bq.clear_requests()
        self.assertEqual("unchanged", self.app.table(self.app.sync("--dry-run", "accounts"), "accounts")["status"])
        self.app.json("plan", "accounts")
        self.assertEqual(before, (self.generation(), self.label()))
        self.assertEqual(["GET"], sorted({request["method"] for request in self.bq.requests()}))


class AppendTest(LabelTest):
    """How new rows of an append table are sent, each after a commit."""

    def modes(self, **environment):
        self.app.sync()
        with Service(self.app, **{**SETTINGS, "BQ_ADMIN_LISTEN": "127.0.0.1:0", **environment}) as service:
            for number in range(1, 5):
                self.app.execute("insert into events(kind, at) values ('k', 1)")
                service.wait(lambda: len(self.app.warehouse_rows("events")) == number, "the row")
            service.wait_idle(1)
            return {table["mode"] for run in service.get(RUNS).json["runs"] for table in run["tables"]
                    if table["table"] == "events" and table["rows_inserted"] > 0}

    def test_rows_that_follow_one_another_travel_in_statements(self):
        self.assertIn("merge", self.modes())

    def test_with_a_budget_they_are_loaded(self):
        self.assertEqual({"append"}, self.modes(BQ_MAX_BYTES_BILLED_PER_DAY="1T"))


class RestoredSourceTest(LabelTest):
    def commit_under_one_label(self, number):
        """A backup, and a row that came later while the label has stayed what it was; returns the backup."""
        while True:
            backup, label = self.backup(), self.label()
            commit_account(self.app, number)
            if self.label() == label:
                return backup
            number = leave_label_behind(self.app, number + 1)

    def test_a_backup_from_the_time_in_which_the_label_stayed_behind(self):
        with following(self.app):
            backup = self.commit_under_one_label(leave_label_behind(self.app))
        self.restore(backup)
        self.assertTrue(label_is_behind(self.app))
        self.assertEqual("replace", self.sync()["mode"])

    def test_a_pass_that_replaces_one_raises_the_label_of_the_other(self):
        """The backup lacks the last event, and the label of events is what it was then; that of accounts is behind."""
        self.app.execute("insert into events(kind, at) values ('k', 1)")
        self.app.sync("events")
        with following(self.app):
            number, event, labels = 1000, 1, [None, ""]
            while labels[0] != labels[1] or not label_is_behind(self.app):
                number, event = leave_label_behind(self.app, number), event + 1
                backup, labels[0] = self.backup(), self.label("events")
                self.app.execute("insert into events(kind, at) values ('k', 1)")
                wait(lambda last=event: self.is_settled("events", last), "the event in BigQuery")
                labels[1] = self.label("events")
        self.restore(backup)
        tables = {table["table"]: table for table in self.app.sync("accounts", "events")["tables"]}
        self.assertEqual(("unchanged", "replace"), (tables["accounts"]["status"], tables["events"]["mode"]))
        self.assertEqual(self.generation(), self.label())

    def is_settled(self, table, last_row_id):
        with self.app.connect() as db:
            return db.execute("select (select last_synced_row_id from bq_sync_tracking where table_name = ?) >= ?"
                              " and not exists (select 1 from bq_sync_intents)", (table, last_row_id)).fetchone()[0] == 1

    def test_its_table_is_replaced_by_a_service_as_well(self):
        with following(self.app):
            backup = self.commit_under_one_label(leave_label_behind(self.app))
        self.restore(backup)
        with following(self.app):
            wait(lambda: self.app.source_rows("accounts") == self.app.warehouse_rows("accounts"), "equality")
        self.sync()

    def test_a_dry_run_does_not_ask(self):
        with following(self.app):
            backup = self.commit_under_one_label(leave_label_behind(self.app))
        self.restore(backup)
        self.bq.clear_requests()
        self.app.sync("--dry-run", "accounts")
        self.assertEqual(["GET"], sorted({request["method"] for request in self.bq.requests()}))
        self.assertEqual("replace", self.sync()["mode"])

    def test_a_backup_from_right_after_the_label_was_raised(self):
        """Its state does not say that anything is behind."""
        with following(self.app):
            label = self.label()
            number = 1000
            backups = {}
            while not label_is_behind(self.app):
                commit_account(self.app, number)
                backups[self.label()] = backups.get(self.label()) or self.backup()
                number += 1
            label = self.label()
        self.restore(backups[label])
        self.assertFalse(label_is_behind(self.app))
        self.assertEqual("replace", self.sync()["mode"])

    def test_a_backup_with_an_open_intent_of_a_series(self):
        """The job of its intent has succeeded, and so has one that came later."""
        with following(self.app) as process:
            number = leave_label_behind(self.app)
            while True:
                label = self.label()
                self.bq.faults({"method": "POST", "path": "/jobs", "action": "hang_after", "count": 1})
                self.app.execute("insert into accounts values (?, ?, 1, null)", (number, f"{number}@x"))
                self.assertTrue(wait_until_held(self.bq, process))
                backup = self.backup()
                self.bq.clear_faults()
                commit_account(self.app, number + 1)
                if self.label() == label:
                    break
                number = leave_label_behind(self.app, number + 2)
        self.restore(backup)
        self.assertEqual([(1,)], self.app.execute("select count(*) from bq_sync_intents"))
        with following(self.app):
            wait(lambda: self.app.source_rows("accounts") == self.app.warehouse_rows("accounts"), "equality")
        self.sync()

    def test_a_backup_that_is_restored_under_the_service(self):
        with following(self.app):
            number = leave_label_behind(self.app)
            self.backup()
            commit_account(self.app, number)
            with contextlib.closing(sqlite3.connect(self.app.folder / "backup.db")) as copy, self.app.connect() as db:
                copy.backup(db)
            wait(lambda: self.app.source_rows("accounts") == self.app.warehouse_rows("accounts"), "equality")
        self.sync()


class KilledTest(LabelTest):
    def kill_at_job(self, side):
        with following(self.app) as process:
            number = leave_label_behind(self.app)
            self.bq.faults({"method": "POST", "path": "/jobs", "action": f"hang_{side}", "count": 1})
            self.app.execute("insert into accounts values (?, 'last@x', 1, null)", (number,))
            self.assertTrue(wait_until_held(self.bq, process))
        self.bq.clear_faults()

    def test_before_its_job_has_reached_bigquery(self):
        self.kill_at_job("before")
        self.app.execute("update accounts set note = 'later'")
        self.assertEqual("merge", self.sync()["mode"])

    def test_after_its_job_has_reached_bigquery(self):
        self.kill_at_job("after")
        self.app.execute("update accounts set note = 'later'")
        self.assertEqual("merge", self.sync()["mode"])

    def test_a_job_that_fails_ends_the_series(self):
        with following(self.app):
            number = leave_label_behind(self.app)
            self.bq.faults({"method": "POST", "path": "/jobs", "action": "reset_before", "count": 1})
            for more in range(number, number + 3):
                commit_account(self.app, more)
        self.sync()

    def test_a_table_that_is_dropped_meanwhile_is_made_again(self):
        with following(self.app):
            number = leave_label_behind(self.app)
            self.bq.delete("datasets/d/tables/accounts")
            commit_account(self.app, number)
        self.sync()


if __name__ == "__main__":
    unittest.main()
