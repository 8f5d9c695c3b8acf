"""New rows of an append table are loaded, or inserted by a statement where a load would cost more."""

import contextlib
import pathlib
import time
import unittest

from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

FOLLOW = {"BQ_SYNC_FOLLOW": "1s"}
LEAST = 10 << 20
# As many hours ago that bqsync counts them, with so many loads that only the reserve is left.
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
        self.bq.clear_requests()
        report = self.app.table(self.app.sync(**environment), "events")
        self.requests = [(request["method"], request["path"].split("?")[0].rsplit("/", 1)[-1])
                         for request in self.bq.requests()]
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

    def use_quota(self, loads):
        self.app.execute("delete from bq_sync_loads where table_name = 'p.d.events'")
        self.app.execute("insert into bq_sync_loads values ('p.d.events', ?, ?)", (int(time.time()) // 3600 - 2, loads))

    def test_a_load_is_free_and_comes_first(self):
        jobs, report = self.sent("insert into events(kind) values ('b')")

        self.assertEqual((["load"], 0), (jobs, report["bytes_billed"]))

    def test_in_follow_mode_few_rows_travel_in_one_statement(self):
        jobs, report = self.sent("insert into events(kind, payload, at) values ('b', '{\"n\": 1.50, \"s\": \"\\u00e9\\n\"}', 1)",
                                 "insert into events(kind, payload, at) values ('\"''\\', '[0.1, 12345678901234567]', null)",
                                 "insert into events(kind) values ('')", **FOLLOW)

        self.assertEqual((["insert into"], 3), (jobs, report["rows_inserted"]))
        self.assertLessEqual(report["bytes_billed"], LEAST)
        self.assertEqual([("GET", "tables"), ("PATCH", "events"), ("POST", "jobs")], self.requests[:3])
        self.assertLessEqual(len(self.requests), 4)
        made = len(self.jobs())
        self.assertEqual("unchanged", self.app.table(self.app.sync(**FOLLOW), "events")["status"])
        self.assertEqual(made, len(self.jobs()))

    def test_many_rows_are_loaded_in_follow_mode_too(self):
        jobs, report = self.sent("with recursive n(i) as (select 1 union all select i + 1 from n where i <= 5000)"
                                 " insert into events(kind) select 'k' || i from n", **FOLLOW)

        self.assertEqual((["load"], 5001, 0), (jobs, report["rows_inserted"], report["bytes_billed"]))

    def test_rows_that_were_changed_are_merged(self):
        jobs, report = self.sent("update events set kind = 'z'", "insert into events(kind) values ('b')", mode="merge", **FOLLOW)

        self.assertEqual((["merge into"], 1, 1), (jobs, report["rows_inserted"], report["rows_updated"]))

    def test_near_the_quota_of_loads_new_rows_are_inserted_and_the_target_is_not_read(self):
        self.app.execute("with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000)"
                         " insert into events(kind) select hex(zeroblob(2000)) || i from n")
        self.app.sync()
        self.use_quota(USED)

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

    def test_rows_are_loaded_once_the_days_budget_is_used_up(self):
        budget = {"BQ_MAX_BYTES_BILLED_PER_DAY": "11M", **FOLLOW}
        self.app.execute("insert into accounts(email) values ('a@x')")
        self.app.sync()
        self.app.execute("update accounts set note = 'x'")
        self.assertEqual(LEAST, self.app.sync(BQ_MAX_BYTES_BILLED_PER_DAY="11M")["bytes_billed"])

        jobs, report = self.sent("insert into events(kind) values ('b')", **budget)
        self.assertEqual((["load"], 0), (jobs, report["bytes_billed"]))

    def test_a_target_that_was_altered_by_hand_is_compared_when_it_refuses_an_insert(self):
        self.bq.query("alter table d.events drop column payload")

        _, report = self.sent("insert into events(kind) values ('b')", mode="replace", **FOLLOW)
        self.assertEqual(2, report["rows_inserted"])

    def test_a_file_for_a_target_that_was_not_looked_at_is_made_again_when_it_is_refused(self):
        self.bq.query("alter table d.events alter column kind drop not null")

        jobs, _ = self.sent("with recursive n(i) as (select 1 union all select i + 1 from n where i <= 5000)"
                            " insert into events(kind) select 'k' || i from n", **FOLLOW)
        self.assertEqual({"load"}, set(jobs))

    def test_a_scan_inserts_what_it_finds(self):
        with Deployment(self.bq, dataset="d", state="state.db") as app:
            self.app = app
            app.execute("insert into events(kind) values ('a')")
            app.sync()
            jobs, _ = self.sent("insert into events(kind, payload) values ('b', '[1]')", **FOLLOW)
            self.assertEqual(["insert into"], jobs)
            jobs, _ = self.sent("delete from events where id = 1", "insert into events(kind) values ('c')", mode="merge", **FOLLOW)
            self.assertEqual(["merge into"], jobs)


if __name__ == "__main__":
    unittest.main()
