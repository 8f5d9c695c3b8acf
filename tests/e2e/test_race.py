"""What an operator, a restore or a migration does while a pass waits still counts when the pass is done.

A fault of bqlocal holds one request of the pass, the test does its thing, and the request goes on.
"""

import contextlib
import pathlib
import shutil
import sqlite3
import time
import unittest

from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROWS = """
insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two'), (3, 'c@x', 3, 'three');
insert into settings values ('theme', 'dark');
"""
# settings is replaced, so its target is looked at before the snapshot; its file is the larger one and is sent first.
CHANGE = """
update accounts set note = 'uno' where id = 1;
update settings set value = hex(randomblob(20000));
"""
DAMAGE = "update d.accounts set note = 'wrong' where id = 2"

# Between the plan and the snapshot; between the snapshot and the intent of accounts; between intent and acknowledgement.
BEFORE_SNAPSHOT = {"method": "GET", "path": "/datasets/d/tables/settings", "action": "hang_before"}
BEFORE_INTENT = {"method": "POST", "path": "^/upload", "action": "hang_before"}
BEFORE_ACKNOWLEDGEMENT = {"method": "POST", "path": "^/bigquery/v2/projects/p/jobs", "action": "hang_after"}
WINDOWS = {"before the snapshot": BEFORE_SNAPSHOT, "before the intent": BEFORE_INTENT,
           "before the acknowledgement": BEFORE_ACKNOWLEDGEMENT}


class RaceCase(unittest.TestCase):
    state = None
    environment = {"BQ_PARALLEL": "1"}

    def open(self, datasets=("d",)):
        self.bq = self.enterContext(Bqlocal(datasets=list(datasets)))
        self.app = self.enterContext(Deployment(self.bq, environment=self.environment, state=self.state))
        self.app.script(ROWS)
        self.app.sync()

    @contextlib.contextmanager
    def held(self, fault, *arguments, **environment):
        """A sync that waits at a request while the body runs; .status, .err afterwards."""
        self.bq.faults({**fault, "nth": 1})
        process = self.app.start("sync", *arguments, **environment)
        deadline = time.monotonic() + 60
        while self.bq.fault_state()[0]["held"] == 0:
            self.assertIsNone(process.poll(), "the sync ended without the request that was to be held")
            self.assertLess(time.monotonic(), deadline, "nothing was held")
            time.sleep(0.01)
        try:
            yield process
        finally:
            self.bq.clear_faults()
            self.out, self.err = process.communicate(timeout=60)
            self.status = process.returncode

    def assert_equal(self):
        reports = mirror.compare(str(self.app.path), self.bq.url, "p", "d", ROOT / "tests/schemas", ())
        self.assertEqual([], [str(report) for report in reports if not report.equal])

    def assert_made_good(self):
        """The sync that lost its race made it good itself; in any case the next one is equal."""
        self.assertTrue(self.app.sync()["ok"], self.err)
        self.assert_equal()
        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})

    def in_each_window(self, act, windows=WINDOWS):
        for name, fault in windows.items():
            with self.subTest(window=name):
                self.open()
                self.app.script(CHANGE)
                with self.held(fault):
                    act()
                self.assert_made_good()


class StateTest(RaceCase):
    """What changes the state."""

    def test_a_reset_while_a_pass_waits(self):
        def act():
            self.bq.query(DAMAGE)
            self.assertEqual(0, self.app.run("reset", "accounts")[0])

        self.in_each_window(act)

    def test_a_row_of_the_tracking_table_deleted_by_hand(self):
        def act():
            self.bq.query(DAMAGE)
            self.app_state("delete from bq_sync_tracking where table_name = 'accounts'")

        self.in_each_window(act)

    def test_a_repair_while_a_pass_waits(self):
        def act():
            # A key twice cannot be repaired by a MERGE, so the repair asks for a replacement.
            self.bq.query("insert into d.accounts(id, email, note) values (3, 'c@x', 'twice')")
            self.assertIn(self.app.run("verify", "--repair", "accounts")[0], (1, 7))

        self.in_each_window(act)

    def test_a_sync_that_is_interfered_with_again_and_again_says_so(self):
        self.open()
        self.app.script(CHANGE)
        with self.held(BEFORE_SNAPSHOT):
            self.app_state(
                "create trigger interferes after update of sequence on bq_sync_capture"
                " begin update bq_sync_tracking set epoch = epoch + 1 where table_name = new.table_name; end"
                if self.state is None else
                "create trigger interferes after update of generation on bq_sync_generations"
                " begin update bq_sync_tracking set epoch = epoch + 1; end")
        self.assertEqual(1, self.status, self.err)
        self.assertIn("marked to be sent again", self.err)
        self.assertIn("3 times", self.err)
        self.app_state("drop trigger interferes")
        self.assert_made_good()

    def app_state(self, sql):
        with contextlib.closing(sqlite3.connect(
                self.app.folder / (self.state or "app.db"), isolation_level=None, timeout=30)) as db:
            db.execute(sql)


class ScannedStateTest(StateTest):
    """The same with the state in a file of its own, where changes are found by a scan."""

    state = "state.db"
    test_a_sync_that_is_interfered_with_again_and_again_says_so = None

    def in_each_window(self, act, windows=WINDOWS):
        # A scan prepares targets after the snapshot.
        super().in_each_window(act, {name: fault for name, fault in windows.items() if fault is not BEFORE_SNAPSHOT})


class SourceTest(RaceCase):
    """What changes the source."""

    def backed_up(self, restore, windows=WINDOWS):
        for name, fault in windows.items():
            with self.subTest(window=name):
                self.open()
                with contextlib.closing(sqlite3.connect(self.app.folder / "backup.db")) as copy, \
                        self.app.connect() as db:
                    db.backup(copy)
                self.app.script(CHANGE)
                with self.held(fault):
                    restore()
                self.assert_made_good()

    def restore_by_backup(self):
        with contextlib.closing(sqlite3.connect(self.app.folder / "backup.db")) as copy, self.app.connect() as db:
            copy.backup(db)

    def restore_by_file(self):
        for suffix in ("-wal", "-shm"):
            (self.app.folder / ("app.db" + suffix)).unlink(missing_ok=True)
        shutil.copy(self.app.folder / "backup.db", self.app.folder / "new.db")
        (self.app.folder / "new.db").rename(self.app.path)

    def test_a_backup_restored_over_the_live_file(self):
        self.backed_up(self.restore_by_backup)

    def test_a_backup_moved_into_the_place_of_the_live_file(self):
        self.backed_up(self.restore_by_file)

    def test_a_trigger_dropped_while_a_pass_waits(self):
        def act():
            name, = self.app.execute("select name from sqlite_master where type = 'trigger' and tbl_name = 'accounts'"
                                     " and sql like '%after update on%' limit 1")[0]
            self.app.script(f"drop trigger {name}; update accounts set note = 'unseen' where id = 3")

        self.in_each_window(act)


class TransactionTest(RaceCase):
    """An order and its lines, which change together, arrive together (BQ_SYNC_ATOMIC=1)."""

    environment = {"BQ_SYNC_ATOMIC": "1", "BQ_PARALLEL": "1"}
    # What this pass has to do for settings starts with this request, before its snapshot.
    held_at = BEFORE_SNAPSHOT

    def test_a_table_that_was_idle_comes_along(self):
        self.open()
        self.app.execute("update settings set value = 'light'")
        with self.held(self.held_at), self.app.connect() as db:
            db.execute("begin")
            db.execute("insert into settings values ('order', '1')")
            db.execute("insert into memberships values ('order', '1', 'line', null)")
            db.execute("insert into events(kind, at) values ('order', 1)")
            db.execute("commit")

        self.assertEqual(0, self.status, self.err)
        self.assert_equal()
        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})

    def test_an_idle_pass_writes_nothing_of_its_own(self):
        self.open()
        before = self.app.execute("select sequence from bq_sync_capture order by table_name")
        self.bq.clear_requests()

        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})

        self.assertEqual(1, len(self.bq.requests()))
        self.assertEqual(before, self.app.execute("select sequence from bq_sync_capture order by table_name"))

    def test_a_reset_of_one_table_is_made_good_for_all(self):
        for name, fault in WINDOWS.items():
            with self.subTest(window=name):
                self.open()
                self.app.script(CHANGE)
                with self.held(fault):
                    self.bq.query(DAMAGE)
                    self.assertEqual(0, self.app.run("reset", "accounts")[0])
                self.assertEqual(0, self.status, self.err)
                self.assert_equal()
                self.assert_made_good()


class OtherDatasetTest(RaceCase):
    """An open intent of a dataset that is not the configured one any more."""

    def leave_open(self):
        """A sync into d is killed while the request that starts its MERGE is on its way."""
        self.open(datasets=("d", "e"))
        self.app.execute("update accounts set note = 'uno' where id = 1")
        with self.held({**BEFORE_ACKNOWLEDGEMENT, "action": "hang_before"}) as process:
            process.kill()
            process.wait()
        self.assertEqual([(1,)], self.app.execute("select count(*) from bq_sync_intents"))

    def test_it_is_resolved_there_before_anything_else_is_planned(self):
        self.leave_open()
        job, = self.app.execute("select commit_job from bq_sync_intents")[0]
        self.app.execute("update accounts set note = 'dos' where id = 1")

        self.assertTrue(self.app.sync(BQ_DATASET_NAME="e")["ok"])

        # The id is used up: a request that arrives late finds the job there.
        self.assertEqual("DONE", self.bq.get(f"jobs/{job}?location=US")["status"]["state"])
        self.assertEqual("dos", self.bq.scalar("select note from e.accounts where id = 1"))
        self.assertTrue(self.app.sync()["ok"])
        self.assert_equal()

    def test_two_programs_that_share_a_state_read_why_each_sends_everything(self):
        self.open(datasets=("d", "e"))

        self.assertTrue(self.app.sync(BQ_DATASET_NAME="e")["ok"])
        for dataset in ("d", "e"):
            status, _, err = self.app.run("sync", BQ_DATASET_NAME=dataset)
            self.assertEqual(0, status)
            line = next(line for line in err.splitlines() if "whole table sent" in line)
            self.assertIn("another target than before", line)
            self.assertIn("BQ_STATE_PATH", line)

    def test_a_project_that_refuses_jobs_leaves_no_intent(self):
        self.open()
        self.app.execute("update accounts set note = 'uno' where id = 1")

        self.bq.faults({"method": "POST", "path": "/jobs", "count": 0, "action": "status", "status": 403})
        self.app.sync(status=1)
        self.bq.clear_faults()
        self.assertEqual([(0,)], self.app.execute("select count(*) from bq_sync_intents"))

        self.assertTrue(self.app.sync()["ok"])
        self.assert_equal()

    def test_a_refusal_after_a_lost_answer_proves_nothing(self):
        self.open()
        self.app.execute("update accounts set note = 'uno' where id = 1")
        self.bq.faults({**BEFORE_ACKNOWLEDGEMENT, "action": "reset_after", "count": 1},
                       {"method": "POST", "path": "/projects/p/jobs", "action": "status", "status": 403,
                        "reason": "accessDenied", "nth": 2, "count": 100})

        self.app.sync("accounts", status=4)
        self.bq.clear_faults()

        self.assertEqual([(1,)], self.app.execute("select count(*) from bq_sync_intents"))
        self.assertTrue(self.app.sync()["ok"])
        self.assert_equal()

    def test_if_that_is_impossible_the_table_fails_and_says_whose_it_is(self):
        self.leave_open()
        self.bq.faults({"method": "GET", "path": "/projects/p/jobs/bqsync_accounts", "action": "status", "status": 403,
                        "count": 100})

        run = self.app.sync(status=1, BQ_DATASET_NAME="e")
        self.bq.clear_faults()

        failed = self.app.table(run, "accounts")
        self.assertEqual("failed", failed["status"])
        self.assertIn("has left open for p.d.accounts", failed["error"]["message"])
        self.assertIn("run bqsync reset accounts", failed["error"]["message"])
        self.assertEqual("synced", self.app.table(run, "settings")["status"])
        # Nothing was given up.
        self.assertEqual([(1,)], self.app.execute("select count(*) from bq_sync_intents"))
        self.assertTrue(self.app.sync()["ok"])
        self.assert_equal()

    def refuse(self):
        self.bq.faults({"method": "GET", "path": "/projects/p/jobs/bqsync_accounts", "action": "status", "status": 403,
                        "count": 100})

    def test_a_reset_gives_up_an_intent_that_bigquery_refuses_to_resolve(self):
        self.leave_open()
        self.refuse()
        self.app.sync(status=1, BQ_DATASET_NAME="e")

        self.assertEqual(0, self.app.run("reset", "accounts")[0])
        self.assertTrue(self.app.sync(BQ_DATASET_NAME="e")["ok"])
        self.assertEqual([(0,)], self.app.execute("select count(*) from bq_sync_intents"))
        self.assertEqual("uno", self.bq.scalar("select note from e.accounts where id = 1"))

        self.bq.clear_faults()
        self.assertTrue(self.app.sync()["ok"])
        self.assert_equal()

    def test_a_reset_gives_up_nothing_that_can_be_resolved(self):
        self.leave_open()
        job, = self.app.execute("select commit_job from bq_sync_intents")[0]

        self.assertEqual(0, self.app.run("reset", "accounts")[0])
        self.assertTrue(self.app.sync(BQ_DATASET_NAME="e")["ok"])

        self.assertEqual("DONE", self.bq.get(f"jobs/{job}?location=US")["status"]["state"])

    def test_an_outage_gives_up_nothing(self):
        self.leave_open()
        self.bq.faults({"method": "GET", "path": "/projects/p/jobs/bqsync_accounts", "action": "status", "status": 503,
                        "count": 100})
        self.assertEqual(0, self.app.run("reset", "accounts")[0])

        _, out, _ = self.app.run("sync", BQ_DATASET_NAME="e", BQ_RETRY_BUDGET="1s")

        self.assertIn("resolving the intent that an earlier sync has left open for p.d.accounts", out)
        self.assertNotIn("bqsync reset", out)
        self.assertEqual([(1,)], self.app.execute("select count(*) from bq_sync_intents"))

    def test_a_deleted_project_is_given_up_in_the_same_way(self):
        """bqlocal knows no job of another project, and lets nobody start one there."""
        self.leave_open()
        self.app.execute("update bq_sync_intents set project = 'gone', target = 'gone.d.accounts'")

        failed = self.app.table(self.app.sync(status=1), "accounts")
        self.assertIn("run queries in project gone again", failed["error"]["message"])
        self.assertIn("run bqsync reset accounts", failed["error"]["message"])

        self.assertEqual(0, self.app.run("reset", "accounts")[0])
        self.assertTrue(self.app.sync()["ok"])
        self.assert_equal()

    def test_plan_and_check_say_that_the_table_waits(self):
        for place in ("e", "gone"):
            with self.subTest(place=place):
                self.leave_open()
                if place == "e":
                    self.refuse()
                else:
                    self.bq.faults({"method": "POST", "path": "/projects/gone/queries", "action": "status",
                                    "status": 403, "count": 100})
                    self.app.execute("update bq_sync_intents set project = 'gone', target = 'gone.d.accounts'")
                environment = {"BQ_DATASET_NAME": "e"} if place == "e" else {}
                for command in ("plan", "check"):
                    status, out, _ = self.app.run(command, **environment)
                    self.assertEqual(1, status, out)
                    self.assertIn("accounts waits for an intent that an earlier sync has left open for", out)
                    self.assertIn("run bqsync reset accounts", out)
                self.assertEqual(0, self.app.run("reset", "accounts")[0])
                for command in ("plan", "check"):
                    self.assertNotIn("waits for an intent", self.app.run(command, **environment)[1])
                self.bq.clear_faults()


class DroppedColumnTest(RaceCase):
    """A column that somebody drops in BigQuery, found by a pass that has a few changes to send, and made good in it."""

    def dropped(self, **environment):
        self.environment = environment
        self.open()
        self.bq.query("alter table d.accounts drop column note")
        self.app.execute("insert into accounts values (4, 'd@x', 4, 'four')")
        self.assertTrue(self.app.sync()["ok"])
        self.assert_equal()
        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})
        self.assertEqual(["four", "one", "three", "two"], sorted(row["note"] for row in self.bq.rows("d", "accounts")))

    def test_with_triggers(self):
        self.dropped()

    def test_in_a_transaction(self):
        self.dropped(BQ_SYNC_ATOMIC="1")

    def test_if_the_pass_is_killed_once_the_column_is_back(self):
        for state in (None, "state.db"):
            with self.subTest(state=state):
                self.state = state
                self.open()
                self.bq.query("alter table d.accounts drop column note")
                self.app.execute("insert into accounts values (4, 'd@x', 4, 'four')")
                # The first PATCH raises the generation, the second one adds the column.
                self.bq.faults({"method": "PATCH", "path": "/tables/accounts", "action": "hang_after", "nth": 2})
                process = self.app.start("sync")
                deadline = time.monotonic() + 60
                while self.bq.fault_state()[0]["held"] == 0:
                    self.assertLess(time.monotonic(), deadline, "nothing was held")
                    time.sleep(0.01)
                process.kill()
                process.communicate()
                self.bq.clear_faults()

                self.err = ""
                self.assert_made_good()

    def test_by_a_scan(self):
        self.state = "state.db"
        self.dropped()

    def test_by_a_scan_in_a_transaction(self):
        self.state = "state.db"
        self.dropped(BQ_SYNC_ATOMIC="1")


class DroppedTargetTest(RaceCase):
    """A table that somebody drops in BigQuery after the pass has listed what is there."""

    def dropped(self, windows=WINDOWS, **environment):
        self.environment = {"BQ_PARALLEL": "1", **environment}

        def act():
            self.bq.query("drop table d.accounts")

        for name, fault in windows.items():
            with self.subTest(window=name):
                self.open()
                self.app.script(CHANGE)
                with self.held(fault):
                    act()
                self.assertEqual(0, self.status, self.err)
                self.assert_equal()
                self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})

    def test_with_triggers(self):
        self.dropped({"before the snapshot": BEFORE_SNAPSHOT, "before the intent": BEFORE_INTENT})

    def test_in_a_transaction(self):
        self.dropped({"before the snapshot": BEFORE_SNAPSHOT, "before the intent": BEFORE_INTENT}, BQ_SYNC_ATOMIC="1")

    def test_before_it_is_looked_at(self):
        self.open()
        self.app.execute("insert into events(kind, at) values ('a', 1)")
        with self.held({"method": "GET", "path": "/datasets/d/tables/events", "action": "hang_before"}):
            self.bq.query("drop table d.events")
        self.assertEqual(0, self.status, self.err)
        self.assert_equal()


if __name__ == "__main__":
    unittest.main()
