"""A running `bqsync serve` for end-to-end tests.

    with Service(app, BQ_SYNC_INTERVAL="off") as service:
        service.wait_idle()
        answer = service.post("/admin/bigquery/sync/manual")

It starts the real binary, talks HTTP to it and reads its log; it asserts nothing.
"""

import datetime
import http.client
import http.server
import json
import re
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse

from tests.support import printed

DEADLINE_SECONDS = 60
# The longest interval: what runs is the pass at the start. Passes are aligned to the clock, so that one of an hour
# would start in the middle of some test.
AT_START = "8784h"
STATUS = "/admin/bigquery/sync/status"
RUNS = "/admin/bigquery/sync/runs"
MANUAL = "/admin/bigquery/sync/manual"
INCREMENTAL = "/admin/bigquery/sync/incremental"
TABLES = "/admin/bigquery/sync/tables"
EVENTS = "/admin/bigquery/sync/events"


def half_a_day_from_now():
    """A time for the daily pass, in the zone that the service takes for it: no test runs across it."""
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))  # Asia/Kolkata
    return (datetime.datetime.now(zone) + datetime.timedelta(hours=12)).strftime("%H:%M")


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


class Service:
    def __init__(self, app, arguments=(), token=None, user=None, **environment):
        self.app = app
        self._user = user
        self.token = token
        self._arguments = arguments
        self._environment = {"BQ_ADMIN_LISTEN": "127.0.0.1:0", "BQ_SYNC_INTERVAL": "off",
                             "BQ_SYNC_DAILY_AT": "off", "BQ_LOG_LEVEL": "debug", **environment}
        if token is not None:
            self._environment["BQ_ADMIN_TOKEN"] = token
        self.lines = []
        self._changed = threading.Condition()
        self.process = None

    def __enter__(self):
        printed.ran()
        environment = {**self.app.environment, **self._environment}
        printed.secrets_of(environment, self.app.folder)
        self._out = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [self.app.program, "serve", *self._arguments], cwd=self.app.folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=self._out, stderr=subprocess.PIPE, text=True, errors="replace", user=self._user)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        line = self.wait_line("admin api listening")
        self.url = line.split("url=")[1].split()[0]
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(10)
        self.process.stderr.close()
        self._out.seek(0)
        printed.keep("bqsync", "bqsync serve", self._out.read(), self.log)
        self._out.close()

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self.lines.append("(end of log)")
            self._changed.notify_all()

    # The log

    @property
    def log(self):
        return "\n".join(self.lines)

    def wait_line(self, text, count=1, timeout=DEADLINE_SECONDS):
        """The count-th line with this text, once it is there."""
        def found():
            return [line for line in self.lines if text in line]
        end = time.monotonic() + timeout
        with self._changed:
            while len(found()) < count:
                left = end - time.monotonic()
                if left <= 0 or (self.lines and self.lines[-1] == "(end of log)"):
                    raise TimeoutError(f"no line with {text!r} in\n{self.log}")
                self._changed.wait(left)
            return found()[count - 1]

    # HTTP

    def request(self, method, path, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = dict(headers or {})
        if self.token is not None and "Authorization" not in headers:
            headers["Authorization"] = "Bearer " + self.token
        if headers.get("Authorization", "x") is None:
            del headers["Authorization"]
        if isinstance(body, (list, dict)):
            body = json.dumps(body)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            kept = Answer(answer.status, answer.headers, answer.read())
            printed.keep("bqsync", f"{method} {path[:200]}", str(kept.headers), kept.body)
            return kept
        finally:
            connection.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)

    def status(self):
        return self.get(STATUS).json

    def table(self, name):
        return next(table for table in self.status()["tables"] if table["table"] == name)

    def wait(self, condition, what="the condition", timeout=DEADLINE_SECONDS):
        """Waits until condition() is true and returns its value."""
        end = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not come in {timeout} s:\n{self.log}")
            time.sleep(0.02)

    def wait_idle(self, runs=1):
        """Until so many runs have ended and none is queued or running."""
        def idle():
            if self.status()["running"] is not None:
                return None
            ended = [run for run in self.get(RUNS).json["runs"] if run["state"] in ("done", "failed")]
            return ended if len(ended) >= runs else None
        return self.wait(idle, f"{runs} ended runs")

    def run(self, run_id):
        return self.get(RUNS + "/" + urllib.parse.quote(run_id)).json

    def wait_run(self, run_id):
        """The run's document once it has ended."""
        def ended():
            run = self.run(run_id)
            return run if run.get("state") in ("done", "failed") else None
        return self.wait(ended, f"the end of run {run_id}")

    def sync(self, path):
        """Asks for a pass until none is running, as a pass that follows a commit may be; its document once it has
        ended."""
        def accepted():
            answer = self.post(path)
            return answer.json if answer.status == 202 else None
        return self.wait_run(self.wait(accepted, "a moment without a pass")["run_id"])

    def stop(self, with_signal=signal.SIGTERM):
        """Asks it to stop; its exit status. It takes ten seconds at most, on a machine that is not busy."""
        self.process.send_signal(with_signal)
        return self.process.wait(DEADLINE_SECONDS)


class Collector:
    """Takes what reporters send."""

    def __enter__(self):
        self.requests = []
        self._changed = threading.Condition()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                # Bugsnag wants its key in the body too: that one place is not what leaks.
                printed.keep("bqsync", "report", re.sub(r'^\{"apiKey":"\w+",', "{", body))
                with collector._changed:
                    collector.requests.append(
                        {"path": self.path, "headers": dict(self.headers), "body": body})
                    collector._changed.notify_all()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, path):
        def found():
            return next((request for request in self.requests if request["path"] == path), None)
        with self._changed:
            self._changed.wait_for(found, 30)
            return found()
