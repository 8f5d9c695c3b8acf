"""New rows of an append table are loaded, or inserted by a statement where loads run short (tests/e2e/test_follow_label.py
has the passes that follow commits)."""

import contextlib
import pathlib
import sqlite3
import time
import unittest

from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

LEAST = 10 << 20
# Loads of the last hours, so many that only the reserve is left.
USED = 1480
EVENTS = next(definition for definition in mirror.load_definitions(pathlib.Path(__file__).resolve().parent.parent / "schemas")
              if definition["table"] == "events")


class AppendTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into events(kind, payload, at) values ('a', '{\"n\": 1}', 1)")
        self.app.sync()

    def sent(self, *statements, mode="append", **environment):
        """Syncs these changes of the application. The jobs that this takes: "load", "staging" for a load into a
        staging table, or the first words of a statement; and the table's report."""
        before = {job["jobReference"]["jobId"] for job in self.jobs()}
        for sql in statements:
            self.app.execute(sql)
        report = self.app.table(self.app.sync(**environment), "events")
        self.assertEqual(("synced", mode), (report["status"], report["mode"]))
        with contextlib.closing(mirror.open_source(str(self.app.path))) as source:
            compared = mirror.compare_table(source, mirror.Endpoint(self.bq.url, "p", "d"), EVENTS, {})
        self.assertTrue(compared.equal, str(compared))
        jobs = [self.kind(job) for job in reversed(self.jobs()) if job["jobReference"]["jobId"] not in before]
        return jobs, report

    def jobs(self):
        return self.bq.get("jobs?maxResults=1000&projection=full")["jobs"]

    def kind(self, job):
        load = job["configuration"].get("load")
        if load is None:
            return " ".join(job["configuration"]["query"]["query"].split()[:2])
        return "staging" if "staging" in load["destinationTable"]["tableId"] else "load"

    def use_quota(self, state="app.db"):
        with contextlib.closing(sqlite3.connect(self.app.folder / state, isolation_level=None)) as db:
            db.execute("insert into bq_sync_loads values ('p.d.events', ?, ?)", (int(time.time()) // 3600 - 2, USED))

    def test_a_load_is_free_and_comes_first(self):
        jobs, report = self.sent("insert into events(kind) values ('b')")

        self.assertEqual((["load"], 0), (jobs, report["bytes_billed"]))

    def test_near_the_quota_of_loads_new_rows_are_inserted_and_the_target_is_not_read(self):
        self.app.execute("with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000)"
                         " insert into events(kind) select hex(zeroblob(2000)) || i from n")
        self.app.sync()
        self.use_quota()

        jobs, report = self.sent("insert into events(kind) values ('b')", mode="merge")
        self.assertEqual((["insert into"], 1), (jobs, report["rows_inserted"]))
        self.assertLessEqual(report["bytes_billed"], LEAST)
        # More than a statement carries: a load into a staging table is not counted.
        jobs, report = self.sent("with recursive n(i) as (select 1 union all select i + 1 from n where i <= 5000)"
                                 " insert into events(kind) select 'k' || i from n", mode="merge")
        self.assertEqual((["staging", "insert into"], 5001), (jobs, report["rows_inserted"]))
        self.assertLessEqual(report["bytes_billed"], 2 * LEAST)

    def test_a_transaction_inserts_new_rows(self):
        jobs, _ = self.sent("insert into events(kind) values ('b')", mode="merge", BQ_SYNC_ATOMIC="1")
        self.assertEqual("staging", jobs[0])
        script = next(job["configuration"]["query"]["query"] for job in self.jobs()
                      if "begin transaction" in job["configuration"].get("query", {}).get("query", ""))
        self.assertIn("\ninsert into `p`.`d`.`events`", script)
        self.assertNotIn("merge into", script)

    def test_a_scan_inserts_what_it_finds(self):
        with Deployment(self.bq, dataset="d", state="state.db") as app:
            self.app = app
            app.execute("insert into events(kind) values ('a')")
            app.sync()
            self.use_quota("state.db")
            jobs, _ = self.sent("insert into events(kind, payload) values ('b', '[1]')", mode="merge")
            self.assertEqual(["insert into"], jobs)
            jobs, _ = self.sent("delete from events where id = 1", "insert into events(kind) values ('c')", mode="merge")
            self.assertEqual(["merge into"], jobs)


if __name__ == "__main__":
    unittest.main()
