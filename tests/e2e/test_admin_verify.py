"""Verifications that are asked for over the admin API."""

import json
import pathlib
import re
import subprocess
import unittest

from tests.e2e.serving import INCREMENTAL, MANUAL, Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERIFY = "/admin/bigquery/verify"
TOKEN = "token-of-the-verifications"


class AdminVerifyTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into accounts values (1, 'a@x', 1, null), (2, 'b@x', 2, null), (3, 'c@x', 3, null)")
        self.app.execute("insert into memberships values ('red', 'ann', 'lead', null)")
        self.app.sync()

    def serve(self, **options):
        return self.enterContext(Service(self.app, **options))

    def verify(self, service, body=None):
        """Starts one and waits for its result."""
        answer = service.post(VERIFY, body)
        self.assertEqual(202, answer.status, answer.body)
        return self.wait(service, answer.json["verify_id"])

    def wait(self, service, verify_id):
        def ended():
            state = service.get(VERIFY).json
            return state["running"] is None and state["last"]
        last = service.wait(ended, "the end of the verification")
        self.assertEqual(verify_id, last["verify_id"])
        return last

    def assert_error(self, answer, status, code):
        self.assertEqual(status, answer.status, answer.body)
        self.assertEqual(code, answer.json["error"]["code"])
        self.assertTrue(answer.json["error"]["message"])

    def metric(self, service, name):
        text = service.get("/metrics").body.decode()
        return re.findall(rf"^{re.escape(name)} (\S+)$", text, re.M)

    def test_equal_sides_are_told_as_the_command_tells_them(self):
        service = self.serve()
        self.assertEqual({"running": None, "last": None, "differing": []}, service.get(VERIFY).json)
        self.assertEqual([], self.metric(service, "bqsync_verify_ok"))

        last = self.verify(service)

        self.assertTrue(last["ok"])
        self.assertIsNone(last["error"])
        self.assertLessEqual(last["started_at"], last["finished_at"])
        command = self.app.json("verify")
        self.assertEqual(command["tables"], last["tables"])
        self.assertEqual(3, self.app.table(last, "accounts")["source_rows"])
        self.assertEqual(["1"], self.metric(service, "bqsync_verify_ok"))
        self.assertEqual(["0"], self.metric(service, 'bqsync_verify_differences{table="accounts"}'))
        self.assertNotIn("table differs", service.log)

    def test_what_was_changed_by_hand_is_found_named_counted_and_logged_once(self):
        service = self.serve()
        self.verify(service)
        self.bq.query("update d.accounts set email = 'x' where id = 2")
        self.bq.query("delete from d.accounts where id = 3")
        self.bq.query("insert into d.accounts (id, email) values (9, 'z')")
        self.bq.query("insert into d.accounts select * from d.accounts where id = 1")
        self.bq.query("delete from d.memberships where true")

        last = self.verify(service)

        self.assertFalse(last["ok"])
        accounts = self.app.table(last, "accounts")
        self.assertFalse(accounts["equal"])
        self.assertEqual(([3], [9], [2], [1]), tuple(
            accounts[kind] for kind in ("missing", "extra", "different", "duplicated")))
        self.assertEqual([["red", "ann"]], self.app.table(last, "memberships")["missing"])
        self.assertTrue(self.app.table(last, "events")["equal"])
        line = service.wait_line("table differs table=accounts")
        self.assertIn("missing=1 extra=1 different=1 duplicated=1", line)
        self.assertEqual(2, service.log.count("table differs"))
        self.assertEqual(["0"], self.metric(service, "bqsync_verify_ok"))
        self.assertEqual(["4"], self.metric(service, 'bqsync_verify_differences{table="accounts"}'))

        # A look at one table says nothing new of the others.
        self.assertEqual(0, self.app.run("verify", "--repair", "memberships")[0])
        self.assertTrue(self.verify(service, ["memberships"])["ok"])
        self.assertEqual({"accounts": 4}, self.differing(service))
        self.assertEqual(["0"], self.metric(service, "bqsync_verify_ok"))
        self.assertEqual(["4"], self.metric(service, 'bqsync_verify_differences{table="accounts"}'))
        self.assertEqual(["0"], self.metric(service, 'bqsync_verify_differences{table="memberships"}'))

    def differing(self, service):
        return {table["table"]: table["differences"] for table in service.get(VERIFY).json["differing"]}

    def tamper_and_verify(self, service):
        self.bq.query("delete from d.accounts where id = 3")
        self.bq.query("delete from d.memberships where true")
        last = self.verify(service)
        self.assertEqual({"accounts": 1, "memberships": 1}, self.differing(service))
        for table in service.get(VERIFY).json["differing"]:
            self.assertTrue(last["started_at"] <= table["verified_at"] <= last["finished_at"], table)

    def test_a_known_difference_stays_while_nothing_new_is_known(self):
        service = self.serve(BQ_RETRY_BUDGET="0s")
        self.tamper_and_verify(service)

        self.bq.faults({"path": "/queries", "count": 0, "action": "status", "status": 503})
        self.assertFalse(self.verify(service)["ok"])
        self.bq.clear_faults()
        self.assertEqual({"accounts": 1, "memberships": 1}, self.differing(service))
        self.app.script("drop table memberships; create table memberships(name text primary key)")
        self.assertFalse(self.verify(service, ["memberships"])["ok"])
        self.assertEqual({"accounts": 1, "memberships": 1}, self.differing(service))
        self.app.execute("insert into accounts values (4, 'd@x', 4, null)")
        service.wait_run(service.post(INCREMENTAL).json["run_id"])
        self.assertEqual({"accounts": 1, "memberships": 1}, self.differing(service))
        self.assertEqual(["1"], self.metric(service, 'bqsync_verify_differences{table="accounts"}'))

    def test_what_was_found_is_forgotten_with_a_replacement_by_any_process(self):
        service = self.serve()
        self.tamper_and_verify(service)

        self.app.sync("--full", "accounts")
        self.assertEqual({"memberships": 1}, self.differing(service))
        self.assertEqual([], self.metric(service, 'bqsync_verify_differences{table="accounts"}'))
        self.assertEqual(["0"], self.metric(service, "bqsync_verify_ok"))
        service.wait_run(service.post(MANUAL).json["run_id"])
        self.assertEqual({}, self.differing(service))
        self.assertEqual([], self.metric(service, 'bqsync_verify_differences{table="memberships"}'))
        self.assertEqual(["1"], self.metric(service, "bqsync_verify_ok"))

    def test_some_tables_are_verified_and_no_others(self):
        service = self.serve()
        last = self.verify(service, ["accounts", "events", "accounts"])
        self.assertEqual(["accounts", "events"], [table["table"] for table in last["tables"]])

    def test_bodies_are_refused_as_those_of_a_sync_are(self):
        service = self.serve()
        answer = service.post(VERIFY, ["accounts", "acounts"])
        self.assert_error(answer, 400, "unknown_table")
        self.assertEqual(["acounts"], answer.json["error"]["unknown"])
        self.assertIn("accounts", answer.json["error"]["known"])
        for body in ("[]", "{}", "null", "\"accounts\"", "[1]"):
            with self.subTest(body=body):
                self.assert_error(service.post(VERIFY, body), 400, "bad_request")
        for body in ("[", "accounts", "[\"accounts\",]"):
            with self.subTest(body=body):
                self.assert_error(service.post(VERIFY, body), 400, "malformed_json")
        self.assert_error(service.post(VERIFY, b"x" * 70_000), 413, "too_large")
        self.assertEqual({"running": None, "last": None, "differing": []}, service.get(VERIFY).json)

    def test_the_token_and_the_methods_are_minded(self):
        service = self.serve(token=TOKEN)
        for method in ("GET", "POST"):
            answer = service.request(method, VERIFY, headers={"Authorization": None})
            self.assert_error(answer, 401, "unauthorized")
        for method in ("PUT", "DELETE", "PATCH"):
            answer = service.request(method, VERIFY)
            self.assert_error(answer, 405, "method_not_allowed")
            self.assertEqual("GET, HEAD, POST", answer.headers["Allow"])
        self.assert_error(
            service.post(VERIFY, headers={"Origin": "http://evil.example"}), 403, "forbidden")
        self.assertTrue(self.verify(service)["ok"])

    def hang(self, service, nth=1):
        """Until clear_faults, BigQuery never answers the nth of the queries to come; returns once it has that one."""
        self.bq.faults({"method": "POST", "path": "/queries", "nth": nth, "action": "hang_before", "count": 0})
        verify_id = service.post(VERIFY, ["accounts", "events"]).json["verify_id"]
        service.wait(lambda: self.bq.fault_state()[0]["held"], "the query that hangs")
        return verify_id

    def test_it_can_be_followed_and_a_second_one_gets_its_id(self):
        service = self.serve()
        first = self.hang(service, nth=2)
        answer = service.post(VERIFY)
        self.assert_error(answer, 409, "already_running")
        self.assertEqual(first, answer.json["error"]["verify_id"])

        running = service.get(VERIFY).json["running"]
        self.assertEqual((first, ["accounts", "events"], 1, "events"), tuple(
            running[name] for name in ("verify_id", "tables", "tables_done", "table")))
        self.bq.clear_faults()
        self.assertTrue(self.wait(service, first)["ok"])

    def test_it_runs_beside_a_pass(self):
        service = self.serve()
        self.bq.faults({"action": "job_hang", "job": "load", "count": 0})
        self.app.execute("insert into accounts values (4, 'd@x', 4, null)")
        run_id = service.post(MANUAL).json["run_id"]
        service.wait(lambda: self.bq.fault_state()[0]["acted"], "a load job that hangs")

        last = self.verify(service)

        self.assertEqual(run_id, service.status()["running"]["run_id"])
        self.assertTrue(last["ok"], last)
        self.assertEqual(1, self.app.table(last, "accounts")["pending"])
        self.bq.clear_faults()
        self.assertEqual("done", service.wait_run(run_id)["state"])

    def test_the_service_ends_as_promised_while_one_runs(self):
        service = self.serve()
        self.hang(service)
        status = service.stop()
        self.assertEqual(0, status)
        self.assertNotIn("abandoned", service.log)
        self.assertIn("code=stopped", service.wait_line("verification failed"))

    def test_a_table_that_cannot_be_compared_is_told_and_the_others_go_on(self):
        service = self.serve()
        self.app.script("drop table settings; create table settings(name text primary key)")
        last = self.verify(service)
        self.assertFalse(last["ok"])
        self.assertIsNone(last["error"])
        settings = self.app.table(last, "settings")
        self.assertEqual((None, "schema"), (settings["equal"], settings["error"]["code"]))
        self.assertTrue(self.app.table(last, "accounts")["equal"])
        self.assertEqual(["0"], self.metric(service, "bqsync_verify_ok"))
        self.assertEqual([], self.metric(service, 'bqsync_verify_differences{table="settings"}'))

    def test_one_that_fails_as_a_whole_says_why(self):
        service = self.serve()
        self.app.path.rename(self.app.path.with_suffix(".gone"))
        last = self.verify(service)
        self.assertEqual((False, []), (last["ok"], last["tables"]))
        self.assertEqual("source", last["error"]["code"])
        self.assertIn("retryable", last["error"])

    def test_the_documents_say_what_it_does(self):
        service = self.serve()
        text = (ROOT / "docs/operations.md").read_text().replace("127.0.0.1:8001", f"127.0.0.1:{service.port}")
        lines = [line.replace("users", "people") for line in text.splitlines()
                 if line.startswith("curl") and "/verify" in line]
        self.assertEqual(2, len(lines))
        answers = []
        for line in lines:
            done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60)
            self.assertEqual(0, done.returncode, done.stderr)
            answers.append(json.loads(done.stdout))
            service.wait(lambda: service.get(VERIFY).json["running"] is None)
        self.assertEqual(answers[0]["verify_id"], service.get(VERIFY).json["last"]["verify_id"])

        schemas = (ROOT / "docs/openapi.yaml").read_text()

        def required(schema):
            return set(re.search(r"required: \[(.*?)\]", schemas.split(f"\n    {schema}:\n")[1]).group(1).split(", "))

        last = self.verify(service)
        self.assertEqual(required("Verifications"), set(answers[1]))
        self.assertEqual(required("VerificationStarted"), set(answers[0]))
        self.assertEqual(required("Verification"), set(last))
        self.bq.query("delete from d.accounts where true")
        self.verify(service)
        self.assertEqual(required("KnownDifference"), set(service.get(VERIFY).json["differing"][0]))
        self.assertEqual(required("VerifiedTable"), set(last["tables"][0]))
        self.hang(service)
        self.assertEqual(required("VerificationRunning"), set(service.get(VERIFY).json["running"]))


if __name__ == "__main__":
    unittest.main()
