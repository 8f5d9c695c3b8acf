"""Follow mode: what the application commits arrives by itself, and while it commits nothing, nothing is asked.

The delay is short, so that a test is. No outcome depends on it: a pass too many would be in the history whenever it
came.
"""

import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
import unittest

from tests.e2e.serving import INCREMENTAL, RUNS, TABLES, Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.watching import resident_kib

DELAY = "100ms"
# Long compared with the delay and with the pauses after which the service looks again.
SILENCE_SECONDS = 1.5
ALL = ("accounts", "events", "settings", "memberships", "devices", "people", "invoices", "everything")


class FollowTest(unittest.TestCase):
    journal = "wal"
    state = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, journal=self.journal, state=self.state))

    def serve(self, **settings):
        """A service that has synced what was there before."""
        service = self.enterContext(Service(self.app, **{"BQ_SYNC_FOLLOW": DELAY, **settings}))
        service.wait_idle(1)
        return service

    def runs(self, service):
        return service.get(RUNS).json["runs"]

    def is_equal(self, *tables):
        return all(self.app.warehouse_rows(table) == self.app.source_rows(table) for table in tables)

    def wait_equal(self, service, *tables):
        service.wait(lambda: self.is_equal(*tables), f"{tables} as in the source")

    def follow_job(self, service):
        return next(job for job in service.status()["jobs"] if job["id"] == "follow")


class CommitsTest(FollowTest):
    def test_rows_committed_by_another_process_arrive(self):
        service = self.serve()
        subprocess.run([sys.executable, "-c", "import sqlite3, sys\n"
                        "db = sqlite3.connect(sys.argv[1])\n"
                        "db.execute(\"insert into accounts values (1, 'a@x', 1, null)\")\n"
                        "db.execute(\"insert into events(kind) values ('k')\")\n"
                        "db.commit()\n", str(self.app.path)], check=True)
        service.wait(lambda: len(self.app.warehouse_rows("accounts")) == 1 == len(self.app.warehouse_rows("events")),
                     "the rows in BigQuery")

    def test_each_commit_makes_one_pass_and_then_nothing_is_asked(self):
        service = self.serve()
        statements = [
            "insert into accounts values (1, 'a@x', 1, null)",
            "update accounts set note = 'n'",
            "insert into events(kind, at) values ('k', 1)",
            "insert into settings values ('a', 'b')",
            "insert into devices values ('s', 1, 2.5)",
            # Rejected, by its column and by its key.
            "insert into accounts values (2, x'00', 1, null)",
            "insert into events(kind, at) values ('k', 'never')",
            # A row that leaves the filter of its table.
            "insert into people values (1, 'e', 'n', 'p', 0)",
            "update people set deleted = 1",
            "delete from accounts where id = 2",
            # A table that is not synced.
            "create table sessions(id integer primary key)",
            "insert into sessions default values",
        ]
        for count, statement in enumerate(statements, start=2):
            self.app.execute(statement)
            service.wait_idle(count)
        self.bq.clear_requests()
        time.sleep(SILENCE_SECONDS)
        self.assertEqual([], self.bq.requests())
        self.assertEqual(1 + len(statements), len(self.runs(service)), service.log)
        self.assertTrue(self.is_equal("accounts", "settings", "devices"))

    def test_a_commit_during_a_pass_is_followed_by_another(self):
        service = self.serve()
        # The second is held at the job that commits, after its snapshot.
        self.bq.faults({"method": "POST", "path": "/jobs", "action": "hang_before", "count": 1})
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        service.wait(lambda: self.bq.fault_state()[0]["held"], "the job of the pass")
        self.app.execute("insert into accounts values (2, 'b@x', 1, null)")
        self.bq.clear_faults()
        self.wait_equal(service, "accounts")
        service.wait_idle(3)
        self.bq.clear_requests()
        time.sleep(SILENCE_SECONDS)
        self.assertEqual([], self.bq.requests())
        self.assertEqual(3, len(self.runs(service)))

    def test_a_stream_of_commits_is_synced_while_it_flows(self):
        service = self.serve()
        ended = threading.Event()

        def write():
            with self.app.connect() as db:
                for _ in range(100):
                    db.execute("insert into events(kind, at) values ('k', 1)")
                    time.sleep(0.02)
            ended.set()

        writer = threading.Thread(target=write)
        writer.start()
        self.addCleanup(writer.join)
        service.wait(lambda: self.app.warehouse_rows("events"), "the first rows")
        while_it_flowed = not ended.is_set()
        writer.join()
        service.wait(lambda: len(self.app.warehouse_rows("events")) == 100, "all rows")
        print(f"100 commits in {len(self.runs(service)) - 1} passes; rows arrived while it flowed: {while_it_flowed}")
        self.assertLess(len(self.runs(service)), 100)

    def test_how_long_a_commit_takes_to_be_visible(self):
        """Prints; asserts nothing about time."""
        service = self.serve(BQ_SYNC_FOLLOW="1s")
        seconds = []
        for number in range(5):
            self.app.execute("insert into accounts values (?, ?, 1, null)", (number, f"{number}@x"))
            began = time.monotonic()
            service.wait(lambda: len(self.app.warehouse_rows("accounts")) > number, "the row")
            seconds.append(time.monotonic() - began)
        print("commit to visible, within 1 s: " + ", ".join(f"{value:.2f} s" for value in seconds)
              + f"; median {statistics.median(seconds):.2f} s")

    def restore(self, put):
        """A backup from before the last change, put in the place of the source while `serve` runs."""
        service = self.serve()
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.wait_equal(service, "accounts")
        backup = self.app.folder / "backup.db"
        with self.app.connect() as db, sqlite3.connect(backup) as copy:
            db.backup(copy)
        copy.close()
        self.app.execute("update accounts set note = 'later'")
        self.wait_equal(service, "accounts")
        # The rows are there before the pass has ended. A pass whose file is taken away fails, and is repeated a minute
        # later.
        service.wait_idle(3)
        for name in ("app.db-wal", "app.db-shm"):
            (self.app.folder / name).unlink(missing_ok=True)
        put(backup)
        self.wait_equal(service, "accounts")
        self.assertEqual([None], [row[3] for row in self.app.source_rows("accounts")])
        # And the file that is there now.
        self.app.execute("insert into accounts values (3, 'c@x', 1, null)")
        self.wait_equal(service, "accounts")

    def test_a_source_that_is_replaced_by_a_backup_is_followed(self):
        self.restore(lambda backup: backup.rename(self.app.path))

    def test_a_backup_that_is_copied_over_the_source_is_followed(self):
        """In place, as cp does it: the same file, and nothing that SQLite would notice."""
        def copy(backup):
            content = backup.read_bytes()
            # In one write: a pass over half a copy would fail.
            with open(self.app.path, "r+b", buffering=0) as file:
                self.assertEqual(len(content), file.write(content))
                file.truncate()

        self.restore(copy)

    def test_a_source_that_is_gone_for_a_while_is_followed_when_it_is_back(self):
        service = self.serve()
        away = self.app.folder / "away"
        away.mkdir()
        for name in ("app.db", "app.db-wal", "app.db-shm"):
            if (self.app.folder / name).exists():
                shutil.move(self.app.folder / name, away / name)
        service.wait_line("source not followed")
        with sqlite3.connect(away / "app.db") as db:
            db.execute("insert into accounts values (1, 'a@x', 1, null)")
        db.close()
        for name in ("app.db-wal", "app.db-shm", "app.db"):
            if (away / name).exists():
                shutil.move(away / name, self.app.folder / name)
        service.wait_line("source followed again")
        self.wait_equal(service, "accounts")


class RollbackJournalTest(CommitsTest):
    journal = "delete"


class StateElsewhereTest(CommitsTest):
    """All tables are scanned, and nothing is written to the source."""
    state = "state.db"

    def test_the_source_is_not_written(self):
        service = self.serve()
        with sqlite3.connect(f"file:{self.app.path}?mode=ro", uri=True) as db:
            before = db.execute("select * from sqlite_master").fetchall()
            version = db.execute("pragma data_version").fetchall()
            # A row that another program committed is a change of this connection's view; ours are none.
            service.sync(INCREMENTAL)
            self.assertEqual(version, db.execute("pragma data_version").fetchall())
            self.assertEqual(before, db.execute("select * from sqlite_master").fetchall())
        db.close()


class TroubleTest(FollowTest):
    def test_commits_wait_while_bigquery_fails(self):
        service = self.serve(BQ_RETRY_BUDGET="50ms")
        self.bq.faults({"action": "status", "status": 503, "count": 0})
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        runs = service.wait_idle(2)
        self.assertFalse(runs[0]["ok"])
        self.bq.clear_requests()
        for number in range(2, 7):
            self.app.execute("insert into accounts values (?, ?, 1, null)", (number, f"{number}@x"))
        time.sleep(SILENCE_SECONDS)
        self.assertEqual([], self.bq.requests())
        self.assertEqual(2, len(self.runs(service)))
        # The retry is that of any pass, a minute later; a request of a person does not wait.
        self.assertIsNotNone(self.follow_job(service)["next_run"])
        self.bq.clear_faults()
        service.sync(INCREMENTAL)
        self.assertTrue(self.is_equal("accounts"))

    def test_a_table_that_fails_keeps_no_other_from_being_followed(self):
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        service = self.serve()
        self.app.execute("alter table accounts drop column note")
        failed = service.wait_idle(2)[0]
        self.assertEqual(["accounts"], [table["table"] for table in failed["tables"] if table["status"] == "failed"])
        self.app.execute("insert into events(kind, at) values ('k', 1)")
        run = service.wait_idle(3)[0]
        self.assertEqual(("tables", True), (run["kind"], run["ok"]))
        self.assertNotIn("accounts", [table["table"] for table in run["tables"]])
        self.assertEqual(1, len(self.app.warehouse_rows("events")))
        self.assertIn("lacks the column", service.table("accounts")["last_error"])
        # It is tried again with all others.
        self.app.execute("alter table accounts add column note text")
        service.wait_idle(4)
        service.sync(INCREMENTAL)
        self.app.execute("update accounts set note = 'again'")
        self.wait_equal(service, "accounts")

    def test_a_commit_waits_while_another_process_holds_the_lock(self):
        service = self.serve()
        self.bq.faults({"method": "POST", "path": "/jobs", "action": "hang_before", "count": 1})
        command = self.app.start("sync", "--full", "--json", "accounts")
        service.wait(lambda: self.bq.fault_state()[0]["held"], "the other sync")
        self.app.execute("insert into events(kind, at) values ('k', 1)")
        service.wait_line("pass postponed")
        self.bq.clear_faults()
        out, err = command.communicate(timeout=60)
        self.assertEqual(0, command.returncode, err)
        service.wait(lambda: len(self.app.warehouse_rows("events")) == 1, "the event")

    def test_a_sync_of_some_tables_does_not_count_for_the_others(self):
        service = self.serve()
        self.bq.faults({"method": "GET", "path": "/datasets/d/tables", "action": "hang_before", "count": 1})
        run_id = service.post(TABLES, ["accounts"]).json["run_id"]
        service.wait(lambda: self.bq.fault_state()[0]["held"], "the pass over accounts")
        self.app.execute("insert into events(kind, at) values ('k', 1)")
        self.bq.clear_faults()
        service.wait_run(run_id)
        service.wait(lambda: len(self.app.warehouse_rows("events")) == 1, "the event")


class SettingTest(FollowTest):
    def test_it_is_off_unless_it_is_set(self):
        service = self.enterContext(Service(self.app))
        self.assertEqual(["incremental", "full"], [job["id"] for job in service.status()["jobs"]])
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        time.sleep(SILENCE_SECONDS)
        self.assertEqual([], self.bq.requests())

    def test_status_and_metrics_show_it(self):
        service = self.serve(BQ_SYNC_FOLLOW="2s")
        self.assertEqual({"id": "follow", "next_run": None, "schedule": "2s after a commit", "slowed_until": None},
                         self.follow_job(service))
        self.assertNotIn('job="follow"', service.get("/metrics").body.decode())
        service.wait_line("following commits within_ms=2000")
        self.assertRegex(self.app.run("status", BQ_SYNC_FOLLOW="2s")[1],
                         r"(?m)^follow       2s after a commit +next at the next commit$")

    def test_it_can_be_turned_on_and_off_while_it_runs(self):
        env_file = self.app.folder / ".env"
        env_file.write_text("BQ_SYNC_FOLLOW=off\n")
        service = self.enterContext(Service(self.app, BQ_SYNC_FOLLOW=""))
        env_file.write_text(f"BQ_SYNC_FOLLOW={DELAY}\n")
        service.process.send_signal(signal.SIGHUP)
        service.wait_line("settings reloaded")
        # What was committed before is not known, so it begins with a pass.
        service.wait_idle(1)
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")
        self.wait_equal(service, "accounts")
        service.wait_idle(2)
        env_file.write_text("BQ_SYNC_FOLLOW=off\n")
        service.process.send_signal(signal.SIGHUP)
        service.wait_line("settings reloaded", count=2)
        runs = len(self.runs(service))
        self.app.execute("insert into accounts values (2, 'b@x', 1, null)")
        time.sleep(SILENCE_SECONDS)
        self.assertEqual(runs, len(self.runs(service)))
        self.assertEqual(["incremental", "full"], [job["id"] for job in service.status()["jobs"]])

    def test_sigterm_ends_it_while_it_waits_and_leaves_no_files(self):
        service = self.serve()
        self.assertEqual(0, service.stop())
        self.assertEqual([], sorted(path.name for path in self.app.folder.glob("app.db-*")))

    def test_the_application_can_truncate_the_wal_and_use_the_whole_file(self):
        service = self.serve()
        with self.app.connect() as db:
            db.execute("insert into events(kind, at) values ('k', 1)")
            service.wait_idle(2)
            self.assertEqual(0, db.execute("pragma wal_checkpoint(truncate)").fetchone()[0])
            db.execute("begin exclusive")
            db.execute("commit")
            db.execute("vacuum")

    def test_memory_is_what_it_is_without(self):
        """Prints both; the bound is generous, because a page more or less is no matter."""
        with Service(self.app, BQ_SYNC_INTERVAL="8784h") as service:
            service.wait_idle(1)
            without = resident_kib(service.process.pid)
        service = self.serve(BQ_SYNC_INTERVAL="8784h")
        with_follow = resident_kib(service.process.pid)
        print(f"resident: {without} KiB without, {with_follow} KiB with follow mode")


if __name__ == "__main__":
    unittest.main()
