"""The counters of requests and of what had to be repeated, met with scripted mishaps."""

import collections
import re
import subprocess
import unittest

from tests.e2e.serving import AT_START, INCREMENTAL, Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.foreign import tool

LISTING = {"method": "GET", "path": "/datasets/d/tables$"}
START = {"method": "POST", "path": "^/bigquery/v2/projects/p/jobs$"}
MULTIPART = {"method": "POST", "path": "uploadType=multipart"}
SESSION = {"method": "PUT", "path": "upload_id="}
# More than travels in a statement, so that a load precedes the MERGE.
WIDE = "update accounts set balance = balance + 1, note = hex(randomblob(600000))"


class ServeMetricsTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")

    def serve(self, **options):
        service = self.enterContext(Service(self.app, **options))
        service.wait_idle(1)
        return service

    def sync(self, service):
        """One pass, counted; its document."""
        run = service.wait_run(service.post(INCREMENTAL).json["run_id"])
        service.wait(lambda: service.status()["running"] is None, "the end of the pass")
        return run

    def series(self, service, family):
        """The family's samples that are not zero, by their label values."""
        text = service.get("/metrics").body.decode()
        found = collections.Counter()
        for labels, value in re.findall(family + r"\{(.*)\} (\S+)\n", text):
            found[",".join(re.findall(r'"([^"]*)"', labels))] = float(value)
        self.assertTrue(found, text)
        return +found

    def repeated(self, service, *faults, sql="update accounts set balance = balance + 1"):
        """One pass with a change and these mishaps: what it repeated, by reason."""
        before = self.series(service, "bqsync_retries_total")
        self.app.execute(sql)
        self.bq.faults(*faults)
        self.sync(service)
        self.assertEqual(self.app.source_rows("accounts"), self.app.warehouse_rows("accounts"))
        for rule in self.bq.fault_state():
            self.assertEqual(rule.get("count", 1), rule["acted"], rule)
        self.bq.clear_faults()
        return self.series(service, "bqsync_retries_total") - before

    def test_requests_are_counted_by_call_and_outcome_as_bigquery_saw_them(self):
        service = self.serve(BQ_SYNC_INTERVAL=AT_START)
        counted = self.series(service, "bqsync_requests_total")
        log = self.bq.requests()
        listings = sum(request["path"].split("?")[0].endswith("/datasets/d/tables")
                       and request["method"] == "GET" for request in log)

        self.assertEqual(1, counted["datasets.get,ok"])
        self.assertEqual(listings, counted["tables.list,ok"])
        self.assertEqual(1, counted["load,ok"])
        self.assertEqual(len(log), sum(counted.values()))
        self.assertFalse([name for name in counted if not name.endswith(",ok")], counted)
        self.assertEqual({}, self.series(service, "bqsync_retries_total"))

    def test_each_mishap_is_counted_under_its_reason(self):
        service = self.serve(BQ_SYNC_INTERVAL=AT_START)
        for reason, fault in (
                ("http_503", {**LISTING, "action": "status", "status": 503, "reason": "none"}),
                ("backendError", {**LISTING, "action": "status", "status": 503, "reason": "backendError"}),
                ("rateLimitExceeded", {**START, "action": "quota", "reason": "rateLimitExceeded"}),
                ("broken", {**LISTING, "action": "reset_before"}),
                ("broken", {**START, "action": "truncate"}),
                ("broken", {**MULTIPART, "action": "reset_after"}),
                ("not_json", {**LISTING, "action": "not_json"}),
                ("internalError", {"action": "job_fail", "job": "query", "reason": "internalError"}),
                ("concurrent_update", {"action": "job_fail", "job": "query", "reason": "invalidQuery",
                                       "message": "Could not serialize access to table p:d.accounts"})):
            with self.subTest(reason=reason, fault=fault):
                self.assertEqual({reason: 1}, self.repeated(service, fault, sql=WIDE))

        outcomes = self.series(service, "bqsync_requests_total")
        self.assertEqual(1, outcomes["tables.list,no_answer"])
        self.assertEqual(2, outcomes["tables.list,error"])
        self.assertEqual(1, outcomes["load,no_answer"])
        # The two starts whose answers were lost were sent again and found to exist.
        self.assertEqual(1, outcomes["load,error"])
        self.assertEqual(1, outcomes["jobs.insert,no_answer"])
        self.assertEqual(2, outcomes["jobs.insert,error"])
        tool("promtool", "prometheus")
        judged = subprocess.run(["promtool", "check", "metrics"], text=True, capture_output=True,
                                input=service.get("/metrics").body.decode())
        self.assertEqual((0, ""), (judged.returncode, judged.stdout + judged.stderr))

    def test_several_mishaps_of_one_pass_add_up(self):
        service = self.serve(BQ_SYNC_INTERVAL=AT_START)
        self.assertEqual({"http_429": 2, "broken": 1}, self.repeated(
            service, {**LISTING, "action": "status", "status": 429, "reason": "none", "count": 2},
            {**START, "action": "truncate"}))

    def test_what_an_upload_in_parts_repeats_is_counted(self):
        service = self.serve(BQ_SYNC_INTERVAL=AT_START)
        # More than goes in one request, and nothing that could be compressed.
        grow = """insert into accounts(email, note)
            with recursive n(i) as (select 2 union all select i + 1 from n where i < 11)
            select 'm' || max(id, 1) || i, hex(randomblob(1000000)) from n, (select max(id) id from accounts)"""
        self.assertEqual({"session_lost": 1},
                         self.repeated(service, {**SESSION, "action": "upload_vanish"}, sql=grow))
        self.assertEqual({"broken": 1},
                         self.repeated(service, {**SESSION, "action": "reset_before"}, sql=grow))

    def test_where_nobody_listens_every_try_is_refused(self):
        service = self.serve(BQ_SYNC_INTERVAL=AT_START, BQ_RETRY_BUDGET="2s")
        port = self.bq.port
        self.bq.kill()
        try:
            self.assertFalse(self.sync(service)["ok"])
            reasons = self.series(service, "bqsync_retries_total")
            self.assertEqual({"refused"}, set(reasons))
            self.assertEqual(reasons["refused"] + 1,
                             self.series(service, "bqsync_requests_total")["tables.list,no_answer"])
            # One warning tells them all.
            service.stop()
            service.wait_line("(end of log)")
            warned = [line for line in service.lines if "request failed, trying again" in line]
            self.assertEqual(2, len(warned), service.log)
            self.assertIn(f"again repeated={reasons['refused'] - 1:.0f} since={warned[0].split()[0]}", warned[1])
        finally:
            self.bq.start(port)


if __name__ == "__main__":
    unittest.main()
