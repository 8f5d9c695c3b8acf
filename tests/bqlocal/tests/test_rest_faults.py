"""Scripted faults of bqlocal: what a client sees, and what the server has done."""

import http.client
import json
import pathlib
import socket
import tempfile
import threading
import time
import unittest

from tests.bqlocal.tests.rest_case import RestCase
from tests.support import avro_writer as avro
from tests.support.bqlocal import Bqlocal, HttpError

DATASETS = "/bigquery/v2/projects/p/datasets"


class RestFaults(RestCase):
    def make(self, name):
        return self.bq.post("datasets", {"datasetReference": {"datasetId": name}})

    def names(self):
        return [d["datasetReference"]["datasetId"] for d in self.bq.get("datasets")["datasets"]]

    def test_row_access_policies_are_listed_and_refuse_dml(self):
        self.bq.query("create table d.kept (a int64); create table d.other (a int64)")
        self.bq.faults({"action": "row_policies", "table": "d.kept"})

        listed = self.bq.get("datasets/d/tables/kept/rowAccessPolicies")["rowAccessPolicies"]
        self.assertEqual([self.bq.reference("d", "kept")], [
            {key: value for key, value in one["rowAccessPolicyReference"].items() if key != "policyId"} for one in listed])
        self.assertEqual([], self.bq.get("datasets/d/tables/other/rowAccessPolicies").get("rowAccessPolicies", []))
        for text in ("insert into d.kept values (1)", "delete from d.kept where true",
                     "insert into d.other values (1); update d.kept set a = 2 where true"):
            with self.subTest(text), self.assertRaises(HttpError) as caught:
                self.bq.query(text)
            self.assertEqual((403, "accessDenied"), (caught.exception.status, caught.exception.reason))
            self.assertIn("due to row access policies", caught.exception.message)
        self.assertEqual([], self.bq.query("select * from d.other"))

        self.bq.clear_faults()
        self.bq.query("insert into d.kept values (1)")
        self.assertEqual([{"a": 1}], self.bq.query("select * from d.kept"))

    def test_a_denied_permission_is_held_by_nobody(self):
        self.make("one")
        self.bq.query("create table one.t (a int64)")
        probe = f"{DATASETS}/one/tables/t:testIamPermissions"
        asked = {"permissions": ["bigquery.tables.get", "bigquery.tables.update"]}
        self.bq.faults({"action": "deny", "permission": "bigquery.tables.get"})

        self.assertEqual(self.bq.post(probe, asked), {"permissions": ["bigquery.tables.update"]})
        with self.assertRaises(HttpError) as refused:
            self.bq.get("datasets/one/tables/t")
        self.assertEqual((refused.exception.status, refused.exception.reason), (403, "accessDenied"))
        self.assertIn("bigquery.tables.get", refused.exception.message)
        self.bq.faults({"action": "deny", "permission": "bigquery.tables.create"})
        with self.assertRaises(HttpError) as refused:
            self.bq.query("create table one.u (a int64)")
        self.assertEqual(refused.exception.reason, "accessDenied")

        self.bq.clear_faults()
        self.assertEqual(self.bq.post(probe, asked), asked)
        self.assertEqual(self.bq.table("one", "t")["tableReference"]["tableId"], "t")

    def test_a_denial_without_a_permission_is_refused(self):
        with self.assertRaises(HttpError) as refused:
            self.bq.faults({"action": "deny"})
        self.assertIn("faults[0].permission", refused.exception.message)

    def test_a_denial_of_what_nobody_asks_for_is_refused_with_what_is_asked_for(self):
        for permission in ("bigquery.tables.getdata", "tables.get", "bigquery.tables", ""):
            with self.subTest(permission), self.assertRaises(HttpError) as refused:
                self.bq.faults({"action": "deny", "permission": permission})
            self.assertEqual(400, refused.exception.status)
            self.assertIn("faults[0].permission", refused.exception.message)
            self.assertIn("bigquery.tables.getData", refused.exception.message)

    def test_jobs_need_the_permissions_of_what_they_do(self):
        def ran(configuration):
            return self.bq.run({"configuration": configuration})["status"].get("errorResult", {})

        def query(text, **options):
            return lambda: ran({"query": {"query": text, "useLegacySql": False, **options}})

        def copy(destination):
            return lambda: ran({"copy": {"sourceTable": self.bq.reference("d", "t"), "writeDisposition": "WRITE_APPEND",
                                         "destinationTable": self.bq.reference("d", destination)}})

        def load(table):
            return lambda: self.bq.load("d", table, b'{"a": 1}', sourceFormat="NEWLINE_DELIMITED_JSON", schema={
                "fields": [{"name": "a", "type": "INT64"}]})["status"].get("errorResult", {})

        self.bq.query("create table d.t (a int64); create table d.u (a int64)")
        into = {"destinationTable": self.bq.reference("d", "t"), "writeDisposition": "WRITE_APPEND"}
        new = {"destinationTable": self.bq.reference("d", "fresh")}
        needs = {
            "bigquery.tables.getData": [
                query("select * from d.t"), query("create table d.x as select a from d.t"), copy("u"),
                query("select 1; select a from d.t"), query("insert into d.u select a from d.t"),
                query("create table d.x (a int64); select a from d.x"), query("select exists(select 1 from d.t)"),
                query("merge d.t t using d.u u on t.a = u.a when matched then delete")],
            "bigquery.tables.updateData": [
                load("t"), copy("u"), query("select 1 as a", **into), query("delete from d.t where true"),
                query(" -- a comment\n truncate table d.t"), query("select 1; insert into d.t values (1)"), load("fresh")],
            "bigquery.tables.create": [
                query("create or replace table d.t (a int64)"), query("select 1 as a", **new), copy("fresh"),
                load("fresh"), query("/* so */ create table d.x (a int64)")],
            "bigquery.tables.update": [query("alter table d.t set options (description = 'x')")],
            "bigquery.tables.delete": [query("drop table d.t"), query("select 1; drop table if exists d.nosuch")],
        }
        for permission, calls in needs.items():
            self.bq.faults({"action": "deny", "permission": permission})
            for number, call in enumerate(calls):
                with self.subTest(permission, number=number):
                    error = call()
                    self.assertEqual("accessDenied", error.get("reason"), error)
                    self.assertIn(permission, error["message"])
        self.bq.clear_faults()
        self.assertEqual((["t", "u"], []), (self.bq.tables("d"), self.bq.query("select * from d.t")))

        self.bq.faults(*({"action": "deny", "permission": f"bigquery.tables.{one}"}
                         for one in ("getData", "create", "update", "delete")))
        for call in (load("t"), query("select 1"), query("insert into d.t values (1)"), query("truncate table d.t")):
            self.assertEqual({}, call())
        for method, permission in (("PATCH", "datasets.update"), ("PUT", "datasets.update"), ("DELETE", "datasets.delete")):
            self.bq.faults({"action": "deny", "permission": "bigquery." + permission})
            self.refuse(403, "accessDenied", self.bq.request, method, "datasets/d", {})

    def test_the_nth_request_that_matches_is_answered_with_a_status(self):
        self.bq.faults({"method": "POST", "path": "/datasets$", "nth": 2, "count": 2,
                        "action": "status", "status": 429, "reason": "rateLimitExceeded",
                        "message": "slow down", "retry_after": 7})

        self.make("one")
        for _ in range(2):
            status, headers, body = self.bq.raw("POST", DATASETS,
                                                {"datasetReference": {"datasetId": "two"}})
            self.assertEqual((status, headers["Retry-After"]), (429, "7"))
            error = json.loads(body)["error"]
            self.assertEqual((error["code"], error["errors"][0]["reason"], error["message"]),
                             (429, "rateLimitExceeded", "slow down"))
        self.make("two")

        self.assertEqual(self.names(), ["d", "one", "two"])
        state = self.bq.fault_state()[0]
        self.assertEqual((state["matched"], state["acted"]), (4, 2))

    def test_a_status_may_hide_what_was_done(self):
        self.bq.faults({"path": "/datasets$", "method": "POST", "action": "status", "status": 503,
                        "processed": True})

        with self.assertRaises(HttpError) as caught:
            self.make("one")

        self.assertEqual((caught.exception.status, caught.exception.reason), (503, "backendError"))
        self.assertEqual(self.names(), ["d", "one"])

    def test_a_connection_is_reset_before_or_after_the_work(self):
        for action, done in (("reset_before", False), ("reset_after", True)):
            with self.subTest(action):
                self.bq.faults({"method": "POST", "path": "/datasets$", "action": action})
                with self.assertRaises((ConnectionError, http.client.HTTPException, OSError)):
                    self.make(action)
                self.assertEqual(action in self.names(), done)
        self.assertEqual([r["status"] for r in self.bq.requests() if r["method"] == "POST"], [0, 0])

    def test_a_connection_is_reset_in_the_middle_of_a_body(self):
        self.bq.faults({"path": "/upload/", "action": "reset_before", "after_bytes": 100000})
        media = avro.container([("b", "bytes")], [(bytes(1 << 20),)])

        with self.assertRaises((ConnectionError, http.client.HTTPException, OSError)):
            self.bq.load("d", "t", media)

        log = self.bq.requests()[0]
        self.assertEqual(log["status"], 0)
        self.assertLess(log["request_bytes"], len(media))
        self.assertEqual(self.bq.tables("d"), [])

    def test_an_answer_is_cut_or_no_json(self):
        self.bq.faults({"path": "/datasets/d$", "action": "truncate"})
        with self.assertRaises(http.client.IncompleteRead):
            self.bq.get("datasets/d")

        self.bq.faults({"path": "/datasets/d$", "action": "not_json", "status": 502})
        status, headers, body = self.bq.raw("GET", DATASETS + "/d")
        self.assertEqual((status, headers["Content-Type"]), (502, "text/html; charset=UTF-8"))
        self.assertTrue(body.startswith(b"<!DOCTYPE html>"))

    def test_an_answer_is_about_something_else(self):
        for processed in (False, True):
            self.bq.faults({"action": "answer_of_another", "path": "/datasets$", "processed": processed})
            answer = self.bq.post("datasets", {"datasetReference": {"projectId": "p", "datasetId": f"e{processed}"}})
            self.assertEqual("another", answer["datasetReference"]["datasetId"])
            self.assertEqual(processed, f"e{processed}" in self.names())
        for path, member in (("/jobs/", "jobReference"), ("/queries/", "jobReference"), ("/tables/", "tableReference")):
            self.bq.faults({"action": "answer_of_another", "path": path})
            below = "datasets/d/tables/t" if path == "/tables/" else path.strip("/") + "/j"
            self.assertIn("another", self.bq.get(below)[member].values())

    def test_each_answer_of_a_connection_comes_one_request_late(self):
        connection = http.client.HTTPConnection(self.bq.host)
        self.addCleanup(connection.close)
        self.bq.faults({"action": "answer_twice"})
        seen = []
        for path in ("d", "none", "d", "d"):
            connection.request("GET", f"{DATASETS}/{path}")
            answer = connection.getresponse()
            answer.read()
            seen.append(answer.status)
        self.assertEqual([200, 200, 404, 200], seen)
        self.assertEqual("d", self.bq.get("datasets/d")["datasetReference"]["datasetId"])

    def test_an_answer_is_delayed(self):
        self.bq.faults({"path": "/datasets/d$", "action": "delay", "ms": 300})

        start = time.monotonic()
        self.bq.get("datasets/d")

        self.assertGreaterEqual(time.monotonic() - start, 0.3)

    def test_a_request_is_held_on_either_side_of_its_work(self):
        for action, done in (("hang_before", False), ("hang_after", True)):
            with self.subTest(action):
                self.bq.faults({"method": "POST", "path": "/datasets$", "action": action})
                caller = threading.Thread(target=self.make, args=(action,))
                caller.start()
                self.wait_for_held(1)
                self.assertEqual(action in self.names(), done)
                self.bq.clear_faults()
                caller.join(20)
                self.assertFalse(caller.is_alive())
                self.assertIn(action, self.names())

    def wait_for_held(self, count):
        end = time.monotonic() + 60
        while self.bq.fault_state()[0]["held"] != count:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def test_a_held_request_of_a_client_that_dies_is_not_done(self):
        self.bq.faults({"method": "POST", "path": "/datasets$", "action": "hang_before"})
        body = b'{"datasetReference": {"datasetId": "never"}}'
        with socket.create_connection(("127.0.0.1", self.bq.port)) as raw:
            raw.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
                        % (DATASETS.encode(), len(body), body))
            self.wait_for_held(1)
        self.wait_for_held(0)

        self.bq.clear_faults()

        self.assertEqual(self.names(), ["d"])

    def test_tokens_and_quotas_run_out(self):
        self.bq.faults({"path": "/datasets/d$", "action": "token_expired"},
                       {"path": "/tables$", "action": "quota"})

        status, headers, _ = self.bq.raw("GET", DATASETS + "/d")
        self.assertEqual(status, 401)
        self.assertIn("Bearer", headers["WWW-Authenticate"])
        with self.assertRaises(HttpError) as caught:
            self.bq.tables("d")
        self.assertEqual((caught.exception.status, caught.exception.reason), (403, "quotaExceeded"))

    def test_a_table_vanishes(self):
        self.bq.query("create table d.t (a int64)")
        self.bq.faults({"path": "/queries$", "action": "table_vanish", "table": "d.t"})

        with self.assertRaises(HttpError) as caught:
            self.bq.query("select * from d.t")

        self.assertEqual(caught.exception.reason, "notFound")

    def test_the_clock_is_shifted_until_the_rules_go(self):
        self.bq.faults({"path": "/datasets", "action": "clock_skew", "ms": -86400000 * 2})
        _, skewed, _ = self.bq.raw("GET", DATASETS)
        self.bq.clear_faults()
        _, right, _ = self.bq.raw("GET", DATASETS)

        def seconds(headers):
            return time.mktime(time.strptime(headers["Date"], "%a, %d %b %Y %H:%M:%S GMT"))

        self.assertAlmostEqual(seconds(right) - seconds(skewed), 2 * 86400, delta=60)

    def test_a_job_fails_at_the_stage_it_is_told(self):
        self.bq.faults({"action": "job_fail", "job": "load", "reason": "backendError",
                        "message": "try again", "at": "PENDING"})
        media = avro.container([("id", "long")], [(1,)])

        failed = self.bq.load("d", "t", media, "first")
        done = self.bq.load("d", "t", media, "second")

        self.assertEqual(failed["status"]["errorResult"],
                         {"reason": "backendError", "message": "try again"})
        self.assertEqual(done["status"], {"state": "DONE"})
        self.assertEqual(self.bq.table("d", "t")["numRows"], "1")

    def test_a_job_hangs_until_the_rule_goes(self):
        self.bq.faults({"action": "job_hang", "job_id": "slow"})
        media = avro.container([("id", "long")], [(1,)])
        job = self.bq.upload({"sourceFormat": "AVRO", "destinationTable": self.bq.reference("d", "t")},
                             media, "slow-one")
        self.assertEqual(job["status"]["state"], "RUNNING")
        self.assertEqual(self.bq.get("jobs/slow-one")["status"]["state"], "RUNNING")
        self.assertEqual(self.bq.tables("d"), [])

        self.bq.clear_faults()

        self.assertEqual(self.bq.wait(job["jobReference"])["status"], {"state": "DONE"})
        self.assertEqual(self.bq.table("d", "t")["numRows"], "1")

    def test_a_job_takes_longer(self):
        self.bq.faults({"action": "job_delay", "job": "query", "ms": 300})

        start = time.monotonic()
        self.bq.query("select 1")

        self.assertGreaterEqual(time.monotonic() - start, 0.3)

    def test_bad_rules_are_refused_by_name_and_the_old_ones_stay(self):
        self.bq.faults({"path": "/kept", "action": "delay", "ms": 1})
        cases = [
            ({"action": "explode"}, 'faults[0].action: unknown action "explode"'),
            ({}, 'faults[0].action: unknown action ""'),
            ({"action": "delay", "ms": "1"}, "faults[0].ms: expected a number"),
            ({"action": "delay", "msec": 1}, 'faults[0]: action delay does not take "msec"'),
            ({"action": "status", "status": 99}, "faults[0].status: expected 200 to 599"),
            ({"action": "delay", "path": "("}, "faults[0].path: "),
            ({"action": "delay", "nth": 0}, "faults[0]: nth starts at 1"),
            ({"action": "table_vanish"}, 'faults[0].table: expected "dataset.table"'),
            ({"action": "job_fail", "at": "DONE"}, 'faults[0].at: expected "PENDING" or "RUNNING"'),
        ]
        for rule, words in cases:
            with self.subTest(words):
                with self.assertRaises(HttpError) as caught:
                    self.bq.faults(rule)
                self.assertEqual(caught.exception.status, 400)
                self.assertIn(words, caught.exception.message)
        with self.assertRaises(HttpError):
            self.bq.request("PUT", "/bqlocal/faults", {"rules": []})
        self.assertEqual([r["path"] for r in self.bq.fault_state()], ["/kept"])


class Program(unittest.TestCase):
    def test_rules_come_from_a_file_too(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "faults.json"
            file.write_text(json.dumps({"faults": [
                {"path": "/datasets/d$", "action": "status", "status": 500}]}))
            with Bqlocal(faults_file=file) as bq:
                with self.assertRaises(HttpError) as caught:
                    bq.get("datasets/d")
                self.assertEqual(caught.exception.status, 500)
                bq.get("datasets/d")

    def test_a_bad_command_line_is_refused_in_words(self):
        with tempfile.TemporaryDirectory() as folder:
            broken = pathlib.Path(folder) / "broken.json"
            broken.write_text("{")
            cases = [
                (["--job-latency", "soon"], 2, "--job-latency soon: expected a time"),
                (["--listen", "nowhere"], 2, "expected HOST:PORT"),
                (["--listen", "127.0.0.1:99999"], 2, "expected HOST:PORT, 0 to 65535"),
                (["--listen", "127.0.0.1:-1"], 2, "expected HOST:PORT, 0 to 65535"),
                (["--listen", "127.0.0.1:80x"], 2, "expected HOST:PORT, 0 to 65535"),
                (["--faults", str(broken)], 2, "is not JSON"),
                (["--data", folder], 6, "cannot open"),
                (["stray"], 2, "unexpected argument stray"),
                (["--port", "19250"], 2, "unknown option --port (did you mean --port-file?)"),
                (["--data=x", "--discar"], 2, "unknown option --discar (did you mean --discard?)"),
                (["--zzz=1"], 2, "unknown option --zzz: see bqlocal --help"),
                (["-v"], 2, "unexpected argument -v"),
            ]
            for args, status, words in cases:
                with self.subTest(args):
                    with self.assertRaises(RuntimeError) as caught:
                        Bqlocal(args=args).start()
                    self.assertIn(f"ended with {status}", str(caught.exception))
                    self.assertIn(words, str(caught.exception))

    def test_a_port_is_not_shared(self):
        with Bqlocal() as first:
            with self.assertRaises(RuntimeError) as caught:
                Bqlocal(args=["--listen", first.host]).start()
            self.assertIn("ended with 5", str(caught.exception))
            self.assertIn(f"cannot listen on {first.host}: Address already in use", str(caught.exception))

    def test_it_ends_in_order_with_requests_held(self):
        bq = Bqlocal()
        bq.start()
        bq.faults({"path": "/datasets$", "action": "hang_before", "count": 0})
        callers = [threading.Thread(target=self.swallow, args=(bq,)) for _ in range(3)]
        for caller in callers:
            caller.start()
        end = time.monotonic() + 60
        while bq.fault_state()[0]["held"] != 3:
            self.assertLess(time.monotonic(), end)

        status = bq.stop()
        for caller in callers:
            caller.join(20)

        self.assertEqual(status, 0)
        self.assertEqual(bq.last_log, "")

    @staticmethod
    def swallow(bq):
        try:
            bq.get("datasets")
        except OSError:
            pass

    def test_a_listener_for_everybody_is_warned_of(self):
        bq = Bqlocal(args=["--listen", "0.0.0.0:0"])
        bq.start()
        bq.stop()

        self.assertIn("warning: 0.0.0.0:0 is not a loopback address", bq.last_log)


if __name__ == "__main__":
    unittest.main()
