"""`serve` does not read a table that it scans as long as nobody commits, and misses nothing because of that.

What is read is counted by the kernel: /proc/PID/io of the service, next to the bytes of the table.
"""

import contextlib
import pathlib
import shutil
import sqlite3
import types
import unittest

from tests.e2e.serving import INCREMENTAL, MANUAL, TABLES, Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

ROWS = 6_000
# Far more than a pass reads besides, far less than the rows have.
ROWS_BYTES = ROWS * 400
LITTLE_BYTES = ROWS_BYTES // 8


@contextlib.contextmanager
def bytes_read(service):
    """What the service reads meanwhile."""
    counts = pathlib.Path(f"/proc/{service.process.pid}/io")

    def count():
        return int(counts.read_text().split("rchar: ")[1].split()[0])

    read = types.SimpleNamespace()
    before = count()
    yield read
    read.bytes = count() - before


class ScanMemoryTest(unittest.TestCase):
    journal = "wal"

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, journal=self.journal, state="state.db"))
        with self.app.connect() as db:
            db.executemany("insert into accounts values (?, ?, 1, ?)",
                           ((number, f"{number}@x", "n" * 400) for number in range(ROWS)))
            # Of mode replace.
            db.execute("insert into settings values ('a', 'b')")
            db.commit()

    def serve(self, **settings):
        service = self.enterContext(Service(self.app, BQ_SYNC_INTERVAL="8784h", **settings))
        service.wait_idle(1)
        # A file that was written at this moment may be written again within the same tick of its clock.
        service.wait(lambda: self.read_by_a_pass(service) < LITTLE_BYTES, "a pass that reads little")
        return service

    def read_by_a_pass(self, service):
        with bytes_read(service) as read:
            run = service.sync(INCREMENTAL)
        self.assertTrue(run["ok"], run)
        return read.bytes

    def assert_mirrored(self):
        for table in ("accounts", "settings"):
            self.assertEqual(self.app.source_rows(table), self.app.warehouse_rows(table))

    def assert_rests(self, service):
        self.assertLess(self.read_by_a_pass(service), LITTLE_BYTES)

    def test_nothing_is_read_until_something_is_committed(self):
        service = self.serve()
        for _ in range(3):
            self.assert_rests(service)
        self.app.execute("update accounts set note = 'changed' where id = 7")
        self.assertGreater(self.read_by_a_pass(service), ROWS_BYTES)
        self.assert_mirrored()
        self.app.execute("delete from settings")
        self.read_by_a_pass(service)
        self.assert_mirrored()
        service.wait(lambda: self.read_by_a_pass(service) < LITTLE_BYTES, "a pass that reads little")

    def test_a_full_sync_reads_all(self):
        service = self.serve()
        before = self.read_by_a_pass(service)
        run = service.sync(MANUAL)
        self.assertEqual(ROWS, next(table for table in run["tables"] if table["table"] == "accounts")["rows_inserted"])
        self.assertLess(before, LITTLE_BYTES)
        self.assert_mirrored()

    def test_a_backup_that_is_copied_over_the_file_is_read(self):
        backup = self.app.folder / "backup.db"
        with self.app.connect() as db, sqlite3.connect(backup) as copy:
            db.backup(copy)
        copy.close()
        self.app.execute("update accounts set note = 'later' where id = 7")
        service = self.serve()
        self.assert_mirrored()
        for name in ("app.db-wal", "app.db-shm"):
            (self.app.folder / name).unlink(missing_ok=True)
        shutil.copyfile(backup, self.app.path)
        self.assertGreater(self.read_by_a_pass(service), ROWS_BYTES)
        self.assert_mirrored()

    def test_what_another_process_repairs_is_read(self):
        service = self.serve()
        self.bq.query("delete from d.accounts where id = 7")
        self.assertEqual(1, self.app.run("verify", "accounts")[0])
        self.assertEqual(0, self.app.run("verify", "--repair", "accounts")[0])
        self.read_by_a_pass(service)
        self.assert_mirrored()

    def test_a_table_that_was_dropped_in_bigquery_is_read(self):
        service = self.serve()
        self.bq.query("drop table d.accounts")
        self.read_by_a_pass(service)
        self.assert_mirrored()

    def test_commits_while_the_service_is_stopped_are_read(self):
        service = self.serve()
        self.assertEqual(0, service.stop())
        self.app.execute("update accounts set note = 'changed' where id = 7")
        self.serve()
        self.assert_mirrored()

    def test_the_application_may_close_and_come_back(self):
        service = self.serve()
        for number in range(5):
            # Each connection is the application's only one: when it closes, it checkpoints.
            self.app.execute("update accounts set note = ? where id = 7", (f"changed {number}",))
            self.read_by_a_pass(service)
            self.assert_mirrored()

    def test_it_follows_commits_too(self):
        service = self.serve(BQ_SYNC_FOLLOW="100ms")
        self.app.execute("update accounts set note = 'changed' where id = 7")
        service.wait(lambda: self.app.source_rows("accounts") == self.app.warehouse_rows("accounts"), "the row")


class RollbackJournalTest(ScanMemoryTest):
    journal = "delete"


class StateInSourceTest(unittest.TestCase):
    """A table that is scanned because its definition says so, with the state in the same file."""
    journal = "wal"

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(
            self.bq, program="bqsync_lives", journal=self.journal,
            schema="create table key_scanned(at text primary key not null, v text);"))
        with self.app.connect() as db:
            db.execute("begin")
            db.executemany("insert into key_scanned values (datetime(?, 'unixepoch'), ?)",
                           ((number, "n" * 400) for number in range(ROWS)))
            db.commit()

    def read_by_a_pass(self, service):
        with bytes_read(service) as read:
            run = service.wait_run(service.post(TABLES, ["key_scanned"]).json["run_id"])
        self.assertTrue(run["ok"], run)
        return read.bytes

    def count(self):
        return self.bq.scalar("select count(*) from d.key_scanned")

    def test_our_own_state_is_no_commit(self):
        service = self.enterContext(Service(self.app, BQ_SYNC_INTERVAL="8784h"))
        service.wait_idle(1)
        service.wait(lambda: self.read_by_a_pass(service) < LITTLE_BYTES, "a pass that reads little")
        self.app.execute("delete from key_scanned where rowid = 1")
        # This one writes the state, and what it has read is as good for the next.
        self.assertGreater(self.read_by_a_pass(service), ROWS_BYTES)
        self.assertEqual(ROWS - 1, self.count())
        service.wait(lambda: self.read_by_a_pass(service) < LITTLE_BYTES, "a pass that reads little")
        self.app.execute("delete from key_scanned")
        self.read_by_a_pass(service)
        self.assertEqual(0, self.count())


class StateInSourceRollbackTest(StateInSourceTest):
    journal = "delete"


if __name__ == "__main__":
    unittest.main()
