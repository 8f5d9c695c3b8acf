"""The admin API as its users know it: routes, answers, who is let in."""

import datetime
import http.client
import json
import time
import unittest

from tests.e2e.serving import (
    AT_START, EVENTS, INCREMENTAL, MANUAL, RUNS, STATUS, TABLES, Service, half_a_day_from_now)
from tests.support import printed
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

KNOWN = ["accounts", "devices", "events", "everything", "invoices", "memberships", "people", "settings"]


class AdminTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into accounts values (1, 'a@x', 1, null), (2, 'b@x', 2, null)")

    def serve(self, **options):
        return self.enterContext(Service(self.app, **options))

    def assert_error(self, answer, status, code):
        self.assertEqual(status, answer.status, answer.body)
        self.assertEqual(code, answer.json["error"]["code"])
        self.assertTrue(answer.json["error"]["message"])
        self.assertEqual("application/json", answer.headers["Content-Type"])

    def test_a_manual_run_is_a_full_one_and_can_be_followed_to_its_end(self):
        service = self.serve()
        answer = service.post(MANUAL)

        self.assertEqual(202, answer.status)
        self.assertEqual({"run_id", "kind"}, set(answer.json))
        self.assertEqual("full", answer.json["kind"])
        run = service.wait_run(answer.json["run_id"])
        self.assertEqual(("full", True, "done"), (run["kind"], run["ok"], run["state"]))
        self.assertEqual(2, self.app.table(run, "accounts")["rows_inserted"])
        self.assertEqual(self.app.source_rows("accounts"), self.app.warehouse_rows("accounts"))

    def test_a_run_of_tables_syncs_those_and_no_others(self):
        service = self.serve()
        answer = service.post(TABLES, ["accounts", "events", "accounts"])

        self.assertEqual((202, "tables"), (answer.status, answer.json["kind"]))
        run = service.wait_run(answer.json["run_id"])
        self.assertEqual({"accounts", "events"}, {table["table"] for table in run["tables"]})
        self.assertEqual({"accounts", "events"}, set(self.bq.tables("d")) & set(KNOWN))

    def test_every_unknown_table_is_named_and_the_known_are_listed(self):
        service = self.serve()
        answer = service.post(TABLES, ["accounts", "acounts", "nothing"])

        self.assert_error(answer, 400, "unknown_table")
        self.assertEqual(["acounts", "nothing"], answer.json["error"]["unknown"])
        self.assertEqual(KNOWN, sorted(answer.json["error"]["known"]))
        self.assertIn("acounts, nothing", answer.json["error"]["message"])

    def test_bodies_that_are_no_list_of_names_are_refused(self):
        service = self.serve()
        for body in ("[]", "{}", "null", "\"users\"", "[1]", "[null]", "[[\"accounts\"]]"):
            with self.subTest(body=body):
                self.assert_error(service.post(TABLES, body), 400, "bad_request")
        for body in ("[\"accounts\"", "accounts", "[\"accounts\"] x", "[\"\\ud800\"]",
                     "[\"accounts\\u0000x\"]", "[\"a\",]", "\xff"):
            with self.subTest(body=body):
                self.assert_error(
                    service.post(TABLES, body.encode("latin-1")), 400, "malformed_json")
        self.assert_error(service.post(TABLES), 400, "bad_request")
        self.assert_error(service.post(MANUAL, "{"), 400, "malformed_json")
        for body in ('["accounts"]', '{"full": true}', "null"):
            for path in (MANUAL, INCREMENTAL):
                self.assert_error(service.post(path, body), 400, "bad_request")

    def test_a_second_request_gets_409_with_the_id_of_the_run_in_the_way(self):
        with Bqlocal(datasets=["d"], latency="2s") as self.app.bq:
            service = self.serve()
            first = service.post(MANUAL).json["run_id"]
            for path, body in ((MANUAL, None), (TABLES, ["accounts"]), (INCREMENTAL, None)):
                answer = service.post(path, body)
                self.assert_error(answer, 409, "already_running")
                self.assertEqual(first, answer.json["error"]["run_id"])
            running = service.status()["running"]
            self.assertEqual(first, running["run_id"])
            self.assertIn(running["state"], ("queued", "running"))
            self.assertIn(service.run(first)["state"], ("queued", "running"))
            self.assertEqual("done", service.wait_run(first)["state"])
            self.assertIsNone(service.status()["running"])

    def test_status_tells_jobs_last_run_and_every_table(self):
        began = time.monotonic()
        daily = half_a_day_from_now()
        service = self.serve(BQ_SYNC_INTERVAL=AT_START, BQ_SYNC_DAILY_AT=daily)
        service.wait_idle()
        status = service.status()

        self.assertIsNone(status["running"])
        self.assertEqual(
            [("incremental", "every 8784h"), ("full", daily + " Asia/Kolkata")],
            [(job["id"], job["schedule"]) for job in status["jobs"]])
        in_utc = datetime.datetime.strptime(daily, "%H:%M") - datetime.timedelta(hours=5, minutes=30)
        self.assertRegex(status["jobs"][1]["next_run"], rf"^\d{{4}}-\d\d-\d\dT{in_utc:%H:%M}:00\.000Z$")
        self.assertTrue(status["last_run"]["ok"])
        accounts = service.table("accounts")
        self.assertEqual(
            ("upsert", 2, 0, 0, None),
            tuple(accounts[name] for name in (
                "mode", "last_synced_row_id", "pending_changes", "rejected", "last_error")))
        self.assertLessEqual(accounts["lag_seconds"], time.monotonic() - began + 1)
        self.assertEqual(KNOWN, sorted(table["table"] for table in status["tables"]))

    def wait_pending(self, service, rows):
        """An answer may be a second old if reading for earlier ones took long."""
        service.wait(lambda: service.table("accounts")["pending_changes"] == rows, f"{rows} pending changes")

    def test_pending_changes_are_counted_by_row(self):
        service = self.serve()
        service.wait_run(service.post(MANUAL).json["run_id"])
        self.app.execute("insert into accounts values (3, 'c@x', 3, null)")
        self.wait_pending(service, 1)
        for note in ("x", "y", "z"):
            self.app.execute("update accounts set note = ? where id = 1", (note,))
        self.wait_pending(service, 2)
        self.app.execute("delete from accounts where id = 2")
        self.wait_pending(service, 3)
        service.wait_run(service.post(INCREMENTAL).json["run_id"])
        self.wait_pending(service, 0)

    def test_the_command_shows_what_the_route_shows(self):
        schedule = {"BQ_SYNC_INTERVAL": AT_START, "BQ_SYNC_DAILY_AT": half_a_day_from_now()}
        service = self.serve(**schedule)
        service.wait_idle()
        self.app.execute("insert into accounts values (3, 'c@x', 3, null)")
        self.wait_pending(service, 1)
        route = service.status()
        command = self.app.json("status", **schedule)

        for document in (route, command):
            del document["now"]
            for table in document["tables"]:
                del table["lag_seconds"]
        self.assertEqual(route, command)

    def test_no_run_is_promised_when_no_service_runs(self):
        schedule = {"BQ_SYNC_INTERVAL": "15m", "BQ_SYNC_DAILY_AT": half_a_day_from_now()}
        service = self.serve(**schedule)
        served = service.status()
        self.assertEqual(service.process.pid, served["service"]["pid"])
        self.assertIn(f"service      pid {service.process.pid}, since 2", self.app.run("status", **schedule)[1])
        status, _, err = self.app.run("serve", BQ_ADMIN_LISTEN="off")
        self.assertEqual(7, status)
        self.assertIn(f"another bqsync (pid {service.process.pid} on ", err)
        service.stop()

        status = self.app.json("status", **schedule)
        self.assertIsNone(status["service"])
        self.assertEqual([("every 15m", None), (served["jobs"][1]["schedule"], None)],
                         [(job["schedule"], job["next_run"]) for job in status["jobs"]])
        self.assertIn("none running: start `bqsync serve`", self.app.run("status", **schedule)[1])

    def test_a_service_that_cannot_say_that_it_runs_is_not_denied(self):
        said = self.app.path.with_name(self.app.path.name + ".bqsync-serve")
        said.mkdir()
        service = self.serve()
        service.wait_line("status cannot show this service")
        self.assertEqual(service.process.pid, service.status()["service"]["pid"])
        self.assertNotIn("service_unknown", service.status())

        status = self.app.json("status")
        self.assertIsNone(status["service"])
        self.assertIn(str(said), status["service_unknown"])
        text = self.app.run("status")[1]
        self.assertIn("service      not known: ", text)
        self.assertIn(str(said), text)
        self.assertNotIn("none running", text)

    def test_off_jobs_say_so(self):
        status = self.serve().status()

        self.assertEqual(
            [{"id": "incremental", "next_run": None, "schedule": "off"},
             {"id": "full", "next_run": None, "schedule": "off"}], status["jobs"])

    def test_history_is_newest_first_and_limited(self):
        service = self.serve()
        ids = []
        for path in (MANUAL, INCREMENTAL, INCREMENTAL):
            ids.append(service.post(path).json["run_id"])
            service.wait_run(ids[-1])

        runs = service.get(RUNS).json["runs"]
        self.assertEqual(ids[::-1], [run["run_id"] for run in runs])
        self.assertEqual(ids[:0:-1], [
            run["run_id"] for run in service.get(RUNS + "?limit=2").json["runs"]])
        for limit in ("0", "-1", "x", "501", "", "1x"):
            self.assert_error(service.get(RUNS + "?limit=" + limit), 400, "bad_request")
        self.assert_error(service.get(RUNS + "/nosuchrun"), 404, "unknown_run")

    def test_the_configured_tables_are_listed_with_their_columns(self):
        tables = self.serve().get("/admin/bigquery/tables").json["tables"]

        accounts = next(table for table in tables if table["table"] == "accounts")
        self.assertEqual("upsert", accounts["mode"])
        self.assertEqual(
            ["id", "email", "balance", "note"], [column["name"] for column in accounts["columns"]])

    def test_a_token_guards_everything_but_health_and_page(self):
        service = self.serve(token="s3cret-token")
        for path in ("/", "/healthz", "/readyz"):
            self.assertEqual(200, service.get(path, headers={"Authorization": None}).status)
        guarded = [STATUS, RUNS, RUNS + "/x", "/admin/bigquery/tables", "/metrics", EVENTS, "/nothing"]
        for wrong in (None, "Bearer wrong", "Bearer s3cret-toke", "Basic s3cret-token", "s3cret-token"):
            for path in guarded:
                answer = service.get(path, headers={"Authorization": wrong})
                self.assert_error(answer, 401, "unauthorized")
                self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
            self.assert_error(
                service.post(MANUAL, headers={"Authorization": wrong}), 401, "unauthorized")
        self.assertEqual(200, service.get(STATUS).status)
        self.assert_error(service.get("/nothing"), 404, "not_found")
        self.assertEqual("bearer", service.get("/healthz").json["auth"])
        service.stop()
        self.assertNotIn("s3cret-token", service.log)

    def test_unknown_routes_and_methods(self):
        service = self.serve()
        for path in ("/nothing", "/admin", STATUS + "/", RUNS + "/a/b", "/healthz%00", "//", "/HEALTHZ"):
            self.assert_error(service.get(path), 404, "not_found")
        for method, path, allow in (("GET", MANUAL, "POST"), ("DELETE", STATUS, "GET, HEAD"),
                                    ("POST", "/healthz", "GET, HEAD"), ("PUT", TABLES, "POST"),
                                    ("PATCH", "/", "GET, HEAD"), ("OPTIONS", RUNS, "GET, HEAD")):
            answer = service.request(method, path)
            self.assert_error(answer, 405, "method_not_allowed")
            self.assertEqual(allow, answer.headers["Allow"])
        head = service.request("HEAD", "/healthz")
        self.assertEqual((200, b""), (head.status, head.body))

    def test_bodies_have_a_ceiling(self):
        service = self.serve()
        for size in (65537, 200_000, 5_000_000):
            self.assert_error(service.post(TABLES, b"x" * size), 413, "too_large")
        name = "x" * (65536 - 4)
        self.assert_error(service.post(TABLES, json.dumps([name])), 400, "unknown_table")
        # Without a length in advance, the ceiling holds as well.
        self.assert_error(service.post(TABLES, iter([b"x" * 40_000] * 3)), 413, "too_large")

    def test_names_that_are_not_this_machine_are_refused(self):
        service = self.serve()
        for host in ("evil.example", "localhost.evil.example", "10.1.2.3"):
            self.assert_error(service.get("/healthz", headers={"Host": host}), 403, "forbidden")
        for host in ("localhost", "localhost:9", "[::1]:8001", "127.0.0.1"):
            self.assertEqual(200, service.get("/healthz", headers={"Host": host}).status)
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            self.assert_error(service.post(MANUAL, headers=headers), 403, "forbidden")
        origin = {"Origin": f"http://127.0.0.1:{service.port}", "Sec-Fetch-Site": "same-origin"}
        self.assertEqual(202, service.post(MANUAL, headers=origin).status)

    def test_answers_carry_the_headers_that_keep_browsers_safe(self):
        service = self.serve()
        for path in ("/", STATUS, "/nothing"):
            headers = service.get(path).headers
            self.assertEqual("nosniff", headers["X-Content-Type-Options"])
            self.assertEqual("no-store", headers["Cache-Control"])
            self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        policy = service.get("/").headers["Content-Security-Policy"]
        self.assertNotIn("unsafe", policy)

    def test_events_show_a_running_pass_and_its_end(self):
        with Bqlocal(datasets=["d"], latency="500ms") as self.app.bq:
            service = self.serve()
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
            connection.request("GET", EVENTS)
            answer = connection.getresponse()
            self.assertEqual("text/event-stream", answer.headers["Content-Type"])
            self.assertEqual({"running": None, "last_run_id": None}, self.next_event(answer))
            run_id = service.post(MANUAL).json["run_id"]
            phases = set()
            while True:
                message = self.next_event(answer)
                running = message["running"]
                if running is None:
                    self.assertEqual(run_id, message["last_run_id"])
                    break
                self.assertEqual(run_id, running["run_id"])
                phases |= {table["phase"] for table in running["tables"]}
            self.assertIn("running", phases)
            connection.close()
            service.wait_run(run_id)

    def next_event(self, answer):
        """The data of the next message; comments that keep the line open are skipped."""
        data = ""
        while True:
            line = answer.readline().decode()
            printed.keep("bqsync", "a line of " + EVENTS, line)
            self.assertTrue(line, "the stream has ended")
            if line.startswith("data: "):
                data += line[6:]
            elif line == "\n" and data:
                return json.loads(data)

    def test_streams_are_limited_and_end_with_the_service(self):
        service = self.serve()
        streams = []
        for _ in range(32):
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
            connection.request("GET", EVENTS)
            streams.append((connection, connection.getresponse()))
        self.assert_error(service.get(EVENTS), 503, "too_many")
        self.assertEqual(200, service.get(STATUS).status)
        self.assertEqual(0, service.stop())
        for connection, answer in streams:
            answer.read()
            answer.close()
            connection.close()


if __name__ == "__main__":
    unittest.main()
