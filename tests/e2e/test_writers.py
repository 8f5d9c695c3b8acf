"""The application's writers beside bqsync: none fails, however much bqsync has to write or however long BigQuery takes.

The longest waits are printed, not asserted: they depend on the machine."""

import sqlite3
import threading
import time
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

HELD_SECONDS = 60


class Writer(threading.Thread):
    """An impatient application: one small commit after the other, each with a timeout of one second."""

    def __init__(self, app):
        super().__init__()
        self.app = app
        self.done = threading.Event()
        self.waits = []
        self.failures = []

    def run(self):
        with sqlite3.connect(self.app.path, isolation_level=None, timeout=1) as db:
            while not self.done.wait(0.005):
                began = time.monotonic()
                try:
                    db.execute("update probe set n = n + 1")
                except sqlite3.OperationalError as error:
                    self.failures.append(str(error))
                self.waits.append(time.monotonic() - began)
        db.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()


class WritersTest(unittest.TestCase):
    def deploy(self, **options):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        app = self.enterContext(Deployment(self.bq, **options))
        app.script("create table probe(n integer); insert into probe values (0)")
        return app

    def assert_nobody_failed(self, writer, what):
        print(f"\n{what}: {len(writer.waits)} writes, longest wait {1000 * max(writer.waits):.0f} ms")
        self.assertEqual([], writer.failures)

    def test_a_scan_with_300000_changed_rows_whose_state_is_in_the_source(self):
        app = self.deploy(environment={"BQ_CAPTURE": "manual"})
        app.execute("with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000)"
                    " insert into accounts select i, i || '@x', i, 'one' from n")
        with Writer(app) as writer:
            app.sync()
        self.assert_nobody_failed(writer, "first scan of 300,000 rows")

        app.execute("update accounts set note = 'two'")
        with Writer(app) as writer:
            app.sync()
            app.sync()
        self.assert_nobody_failed(writer, "300,000 rows changed")

    def test_300000_dirty_keys(self):
        app = self.deploy()
        app.execute("with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000)"
                    " insert into accounts select i, i || '@x', i, 'one' from n")
        app.sync()
        app.execute("update accounts set note = 'two'")
        with Writer(app) as writer:
            app.sync()
        self.assertEqual([(0,)], app.execute("select count(*) from bq_sync_dirty_accounts"))
        self.assert_nobody_failed(writer, "300,000 dirty keys")

    def test_a_table_that_fails_while_it_is_read_with_a_rollback_journal(self):
        app = self.deploy(journal="delete")
        app.execute("insert into invoices values (1, 'nonsense')")
        with Writer(app) as writer:
            began = time.monotonic()
            run = app.sync(status=1)
            seconds = time.monotonic() - began
        self.assertEqual("failed", app.table(run, "invoices")["status"])
        self.assertIn("not a number", app.table(app.json("status"), "invoices")["last_error"])
        print(f"\na failing table: {seconds:.1f} s")
        self.assert_nobody_failed(writer, "a failing table")

    def test_a_verification_that_waits_for_bigquery_holds_no_snapshot(self):
        for journal in ("delete", "wal"):
            with self.subTest(journal=journal):
                app = self.deploy(journal=journal)
                app.execute("insert into accounts values (1, 'a@x', 1.5, 'one'), (2, 'b@x', 2, 'two')")
                app.sync()
                for different in (False, True):
                    if different:
                        self.bq.query("update d.accounts set note = 'by hand' where id = 2")
                    process, held = self.verify_until_bigquery_computes(app)
                    with sqlite3.connect(app.path, isolation_level=None, timeout=1) as db:
                        db.execute("update accounts set note = note || '!' where id = 1")
                        if journal == "wal":
                            self.assertEqual(0, db.execute("pragma wal_checkpoint(truncate)").fetchone()[0])
                    db.close()
                    self.bq.clear_faults()
                    out, err = process.communicate()
                    self.assertTrue(held, err)
                    self.assertEqual(int(different), process.returncode, out + err)
                    self.assertIn("accounts", out)

    def verify_until_bigquery_computes(self, app):
        """Starts a verification and returns when its query is held, and whether it is."""
        self.bq.faults({"method": "POST", "count": 1, "action": "hang_before"})
        process = app.start("verify", "accounts")
        end = time.monotonic() + HELD_SECONDS
        held = False
        while not held and process.poll() is None and time.monotonic() < end:
            held = any(rule["held"] for rule in self.bq.fault_state())
            time.sleep(0.005)
        return process, held


if __name__ == "__main__":
    unittest.main()
