"""Jobs that take long: what others see meanwhile, and what ends them."""

import unittest

from tests.bqlocal.tests.rest_case import RestCase
from tests.support.bqlocal import Bqlocal

LOAD = {"sourceFormat": "NEWLINE_DELIMITED_JSON"}
ROWS = 300_000
MEDIA = b"".join(b'{"id": %d, "name": "%s"}\n' % (n, b"x" * 60) for n in range(ROWS))
ENDLESS = "select count(*) as n from d.many a cross join d.many b cross join d.many c where a.id + b.id + c.id < 0"


class Beside(RestCase):
    def setUp(self):
        super().setUp()
        self.bq.query("create table d.t (id int64, name string)")
        self.bq.query("create table d.many (id int64)")

    def fill(self):
        rows = b"".join(b'{"id": %d}\n' % n for n in range(3000))
        self.assertNotIn("errorResult", self.bq.load("d", "many", rows, **LOAD)["status"])

    def upload(self):
        return self.bq.upload({**LOAD, "destinationTable": self.bq.reference("d", "t")}, MEDIA)["jobReference"]

    def watch(self, reference, table):
        """The numbers of rows that the table is seen to have while the job is not done."""
        seen = []
        while True:
            rows = int(self.bq.table("d", table)["numRows"])
            status = self.bq.get(f"jobs/{reference['jobId']}")["status"]
            if status["state"] == "DONE":
                self.assertNotIn("errorResult", status)
                return set(seen)
            seen.append(rows)

    def test_tables_are_read_as_they_were_while_a_load_or_a_copy_runs(self):
        self.assertEqual({0}, self.watch(self.upload(), "t"))
        self.assertEqual(ROWS, int(self.bq.table("d", "t")["numRows"]))
        reference = self.upload()
        self.assertEqual({ROWS}, self.watch(reference, "t"))
        self.assertEqual([{"n": 2 * ROWS}], self.bq.query("select count(*) as n from d.t"))
        copied = self.bq.run({"configuration": {"copy": {
            "sourceTable": self.bq.reference("d", "t"), "destinationTable": self.bq.reference("d", "copied")}}})
        self.assertEqual(str(2 * ROWS), copied["statistics"]["copy"]["copiedRows"])

    def test_what_changes_tables_waits_for_a_load(self):
        reference = self.upload()
        self.bq.query("insert into d.t values (-1, 'after')")
        self.assertEqual("DONE", self.bq.get(f"jobs/{reference['jobId']}")["status"]["state"])
        self.assertEqual(ROWS + 1, int(self.bq.table("d", "t")["numRows"]))

    def test_a_load_that_is_cancelled_changes_nothing(self):
        reference = self.upload()
        self.bq.post(f"jobs/{reference['jobId']}/cancel")
        self.assertEqual("stopped", self.bq.wait(reference)["status"]["errorResult"]["reason"])
        self.assertEqual([], self.bq.query("select * from d.t"))
        self.assertNotIn("errorResult", self.bq.load("d", "t", b'{"id": 1}', **LOAD)["status"])

    # jobTimeoutMs

    def timed_out(self, status):
        self.assertEqual("stopped", status["errorResult"]["reason"])
        self.assertIn("Job timed out after 0.3s", status["errorResult"]["message"])

    def test_a_query_that_computes_ends_after_its_time(self):
        self.fill()
        job = self.bq.run({"configuration": {"jobTimeoutMs": "300", "query": {"query": ENDLESS, "useLegacySql": False}}})
        self.timed_out(job["status"])
        error = self.refuse(400, "stopped", self.bq.post, "queries", {
            "query": f"insert into d.t select n, '' from ({ENDLESS})", "useLegacySql": False, "jobTimeoutMs": 300})
        self.assertIn("Job timed out after 0.3s", error.message)
        self.assertEqual([], self.bq.query("select * from d.t"))

    def test_a_job_that_waits_ends_after_its_time(self):
        with Bqlocal(latency="1s") as self.bq:
            for part in ({"query": {"query": "create table d.made (a int64)", "useLegacySql": False}},
                         {"copy": {"sourceTable": self.bq.reference("d", "t"),
                                   "destinationTable": self.bq.reference("d", "made")}}):
                self.timed_out(self.bq.run({"configuration": {"jobTimeoutMs": 300, **part}})["status"])
            self.assertEqual([], self.bq.tables("d"))
            done = self.bq.run({"configuration": {"jobTimeoutMs": "30000", "query": {
                "query": "select 1", "useLegacySql": False}}})
            self.assertEqual({"state": "DONE"}, done["status"])


if __name__ == "__main__":
    unittest.main()
