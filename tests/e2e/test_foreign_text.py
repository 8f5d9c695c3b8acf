"""What others write: a token endpoint that quotes its request, and a job's error that quotes a row. None of it stands
in a log, in what a command prints, in the application's database, in the admin API or in a report."""

import base64
import http.server
import json
import threading
import unittest
import urllib.parse

from tests.e2e.serving import INCREMENTAL, RUNS, STATUS, Collector, Service
from tests.support import printed
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

CLIENT_SECRET = "GOCSPX-client+secret/of=a&test"
REFRESH_TOKEN = "1//0gRefresh-token+of/a\"test\\0123456789"
BUGSNAG_KEY = "0123456789abcdef0123456789abcdef"
RUN = 16


class Echo:
    """A token endpoint that quotes what it was sent, in the form that is set."""

    def __enter__(self):
        self.answer = None
        self.asked = 0
        echo = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                echo.asked += 1
                sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, document = echo.answer(sent)
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/token"
        threading.Thread(target=self._server.serve_forever).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def decoded(sent):
    return " ".join(f"{name} is {value}" for name, value in urllib.parse.parse_qsl(sent))


def in_base64(sent):
    return base64.b64encode(decoded(sent).encode()).decode()


def base64_of_a_part(secret):
    """What Base64 of a longer text shows of it, wherever it begins there."""
    return {base64.b64encode(b" " * shift + secret.encode()).decode()[4:-4] for shift in range(3)}


ANSWERS = {
    "as sent, 400": lambda sent: (400, {"error": "invalid_grant", "error_description": f"Bad: {sent}"}),
    "as sent, 401": lambda sent: (401, {"error": sent}),
    "decoded, 403": lambda sent: (403, {"error": {"status": "DENIED", "message": decoded(sent)}}),
    "JSON in JSON, 400": lambda sent: (400, {"error": "x", "error_description": json.dumps(decoded(sent))}),
    "Base64, 400": lambda sent: (400, {"error": "x", "error_description": in_base64(sent)}),
    "as sent, 500": lambda sent: (500, {"error": "server_error", "error_description": sent}),
}
# Each begins with the value or says what it is of; ROWVALUE77 is the row's.
JOB_ERRORS = (
    "Could not parse 'ROWVALUE77' as INT64 for field name",
    "Bad double value: ROWVALUE77",
    "Error while reading data, error message: Could not convert value 'string_value: \"ROWVALUE77\"' to integer. "
    "Field: name; Value: ROWVALUE77",
    "Invalid value ROWVALUE77 for column name",
    "Failed to parse input string \"ROWVALUE77\"",
    "Invalid JSON: syntax error while parsing value; last read: 'ROWVALUE77",
)


class ForeignTextTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into settings values ('a', 'b')")

    def state(self):
        """All that the control tables about runs and tables hold."""
        tables = ("bq_sync_runs", "bq_sync_tracking")
        text = json.dumps([self.app.execute(f"select * from {table}") for table in tables], default=str)
        printed.keep("bqsync", "control tables", text)
        return text

    def everything_said(self, **environment):
        """What a failed pass leaves for anybody to read."""
        said = {}
        said["sync --json"] = "".join(self.app.run("sync", "--json", **environment)[1:])
        said["sync"] = "".join(self.app.run("sync", "--verbose", **environment)[1:])
        said["status"] = self.app.run("status", **environment)[1]
        said["status --why"] = self.app.run("status", "--why", **environment)[1]
        said["status --json"] = self.app.run("status", "--json", **environment)[1]
        said["the state"] = self.state()
        return said

    def everything_served(self, expected, **environment):
        """The same of the service and of a report."""
        with Collector() as collector:
            with Service(self.app, BUGSNAG_API_KEY=BUGSNAG_KEY, BUGSNAG_ENDPOINT=collector.url + "/bugsnag",
                         **environment) as service:
                self.assertEqual("failed", service.sync(INCREMENTAL)["state"])
                report = collector.wait("/bugsnag")["body"]
                said = {"status": json.dumps(service.status()), "runs": service.get(RUNS).body.decode(),
                        "the page of the status": service.get(STATUS).body.decode()}
                service.stop()
                said["log"] = service.log
        self.assertIn(expected, report)
        return {**said, "report": report}

    def assert_no_run(self, said, secret):
        """No 16 characters in a row of the secret, as it is or in another form."""
        forms = {secret, urllib.parse.quote(secret, safe=""), json.dumps(secret)[1:-1], *base64_of_a_part(secret)}
        parts = {form[at:at + RUN] for form in forms for at in range(len(form) - RUN + 1)}
        for place, text in said.items():
            for form in (text, text.replace("\\\\", "\\").replace('\\"', '"')):
                self.assertEqual([], [part for part in parts if part in form], f"{place}: {text}")

    def with_user(self, echo):
        path = self.app.folder / "user.json"
        path.write_text(json.dumps({"type": "authorized_user", "client_id": "an-id", "token_uri": echo.url,
                                    "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN}))
        printed.secret("client_secret", CLIENT_SECRET)
        printed.secret("refresh_token", REFRESH_TOKEN)
        return {"GOOGLE_APPLICATION_CREDENTIALS": str(path), "BQ_ALLOW_ANY_TOKEN_HOST": "1",
                "BIGQUERY_EMULATOR_HOST": "", "BQ_RETRY_BUDGET": "1s"}

    def test_an_endpoint_that_quotes_its_request_brings_no_secret_into_any_text(self):
        with Echo() as echo:
            environment = self.with_user(echo)
            for label, answer in ANSWERS.items():
                with self.subTest(label):
                    echo.answer = answer
                    said = self.everything_said(**environment)
                    self.assertGreater(echo.asked, 0)
                    self.assertIn("http " + label[-3:], said["sync --json"])
                    self.assertIn("[secret]", said["sync --json"])
                    self.assertIn("[secret]", said["the state"])
                    for secret in (CLIENT_SECRET, REFRESH_TOKEN):
                        self.assert_no_run(said, secret)

    def test_a_service_tells_and_reports_no_secret(self):
        with Echo() as echo:
            echo.answer = ANSWERS["as sent, 400"]
            said = self.everything_served("[secret]", **self.with_user(echo))
        for secret in (CLIENT_SECRET, REFRESH_TOKEN):
            self.assert_no_run(said, secret)

    def test_the_value_of_a_row_stands_nowhere_and_its_column_does(self):
        self.app.sync()
        for message in JOB_ERRORS:
            with self.subTest(message):
                self.app.execute("update settings set value = value || 'x'")
                self.bq.faults(*({"action": "job_fail", "job": job, "reason": "invalidQuery", "message": message,
                                  "count": 0} for job in ("query", "load")))
                said = self.everything_said()
                for place, text in said.items():
                    self.assertNotIn("ROWVALUE77", text, place)
                self.assertIn("invalidQuery", said["sync --json"])
                if "name" in message:
                    self.assertRegex(said["sync --json"], r"(field|Field:|column) name")

    def test_a_service_tells_and_reports_no_value(self):
        self.app.sync()
        self.app.execute("update settings set value = 'y'")
        self.bq.faults(*({"action": "job_fail", "job": job, "reason": "invalidQuery", "message": JOB_ERRORS[1],
                          "count": 0} for job in ("query", "load")))
        for place, text in self.everything_served("Bad double value: ..").items():
            self.assertNotIn("ROWVALUE77", text, place)

    def test_no_character_that_turns_a_text_around_reaches_a_terminal(self):
        turning = "".join(map(chr, [*range(0x202a, 0x202f), *range(0x2066, 0x206a), 0x1b, *range(0x80, 0xa0)]))
        self.bq.faults({"method": "GET", "path": "/datasets/d/tables", "action": "status", "status": 403, "count": 0,
                        "message": f"before {turning} after"})
        for place, text in self.everything_said().items():
            self.assertEqual([], [hex(ord(c)) for c in turning if c in text], place)
            self.assertNotRegex(text, r"\\u(202[a-e]|206[6-9]|00[89]|001b)", place)


if __name__ == "__main__":
    unittest.main()
