"""Starts bqlocal on a free port for a test and talks to it in few words.

    with Bqlocal(datasets=["d"]) as bq:
        bq.query("create table d.t (a int64)")
        bq.faults({"method": "POST", "path": "/jobs", "action": "status", "status": 503})
        environment = {"BIGQUERY_EMULATOR_HOST": bq.host}

The program is $BQSYNC_BUILD/bqlocal. It helps to set up and to look; it asserts nothing.
"""

import base64
import datetime
import decimal
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from tests.support import printed

START_SECONDS = 60
STOP_SECONDS = 60


class HttpError(Exception):
    """An answer that is no success: .status, .body (parsed JSON or text), .reason, .message."""

    def __init__(self, status, body):
        error = body.get("error", {}) if isinstance(body, dict) else {}
        self.status = status
        self.body = body
        self.message = error.get("message", str(body)) if isinstance(error, dict) else str(error)
        errors = error.get("errors") or [{}] if isinstance(error, dict) else [{}]
        self.reason = errors[0].get("reason")
        super().__init__(f"HTTP {status}: {self.reason}: {self.message}")


def program():
    """Where the binary under test lies."""
    return str(pathlib.Path(os.environ.get("BQSYNC_BUILD", "build")) / "bqlocal")


class Client:
    """BigQuery's REST API at .url, in few words."""

    poll_seconds = 0.01
    job_seconds = 60

    def __init__(self, project, url=None, token=None):
        self.project = project
        self.url = url
        self.context = None  # an ssl.SSLContext where the server speaks TLS
        self.token = token  # sent as bearer token where set

    # Requests

    def raw(self, method, path, body=None, headers=None, timeout=60):
        """One request; returns (status, headers, bytes) whatever the status is."""
        url = path if "://" in path else self.url + path
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
        if self.token is not None:
            request.add_header("Authorization", "Bearer " + self.token)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _NoRedirect(),
            *([urllib.request.HTTPSHandler(context=self.context)] if self.context else []))
        try:
            with opener.open(request, timeout=timeout) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def request(self, method, path, body=None, headers=None, timeout=60):
        """One request; the parsed answer, or HttpError. A path that starts with "datasets",
        "jobs" or "queries" is taken below the project."""
        if not path.startswith("/") and "://" not in path:
            path = f"/bigquery/v2/projects/{self.project}/{path}"
        status, _, data = self.raw(method, path, body, headers, timeout)
        try:
            parsed = json.loads(data) if data else None
        except ValueError:
            parsed = data.decode(errors="replace")
        if status >= 300:
            raise HttpError(status, parsed)
        return parsed

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, {} if body is None else body, **options)

    def patch(self, path, body, **options):
        return self.request("PATCH", path, body, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    # Jobs

    def run(self, job, timeout=60):
        """Inserts a job and waits until it is done; returns it, failed or not."""
        job = self.post("jobs", job)
        return self.wait(job["jobReference"], timeout)

    def wait(self, reference, timeout=None):
        """Waits until a job is done, for job_seconds unless told otherwise; returns it, failed or not."""
        end = time.monotonic() + (self.job_seconds if timeout is None else timeout)
        location = urllib.parse.quote(reference.get("location", "US"))
        while True:
            job = self.get(f"jobs/{reference['jobId']}?location={location}")
            if job["status"]["state"] == "DONE":
                return job
            if time.monotonic() > end:
                raise TimeoutError(f"job {reference['jobId']} is {job['status']['state']}")
            time.sleep(self.poll_seconds)

    def upload(self, configuration, media, job_id=None):
        """Sends media by a multipart upload; returns the job as it is then."""
        job = {"configuration": {"load": configuration}}
        if job_id is not None:
            job["jobReference"] = {"projectId": self.project, "jobId": job_id}
        boundary = b"bqlocal-boundary-7d1c"
        body = b"".join([
            b"--", boundary, b"\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n",
            json.dumps(job).encode(), b"\r\n--", boundary,
            b"\r\nContent-Type: application/octet-stream\r\n\r\n", media,
            b"\r\n--", boundary, b"--\r\n"])
        return self.request(
            "POST", f"/upload/bigquery/v2/projects/{self.project}/jobs?uploadType=multipart", body,
            {"Content-Type": "multipart/related; boundary=" + boundary.decode()})

    def load(self, dataset, table, media, job_id=None, **configuration):
        """Uploads media into a table and waits; returns the job, failed or not."""
        configuration = {
            "sourceFormat": "AVRO", "useAvroLogicalTypes": True,
            "destinationTable": self.reference(dataset, table), **configuration}
        return self.wait(self.upload(configuration, media, job_id)["jobReference"])

    def reference(self, dataset, table):
        return {"projectId": self.project, "datasetId": dataset, "tableId": table}

    # Content

    def query(self, sql, dataset=None, parameters=None):
        """Runs GoogleSQL; returns the rows as dicts of Python values (HttpError if it fails)."""
        # Shorter than a request may take: one that runs longer is asked for again.
        body = {"query": sql, "useLegacySql": False, "timeoutMs": 30000,
                "formatOptions": {"useInt64Timestamp": True}}
        if dataset is not None:
            body["defaultDataset"] = {"projectId": self.project, "datasetId": dataset}
        if parameters is not None:
            body["queryParameters"] = parameters
        answer = self.post("queries", body)
        job_id = answer["jobReference"]["jobId"]
        location = urllib.parse.quote(answer["jobReference"].get("location", "US"))
        path = f"queries/{job_id}?location={location}&formatOptions.useInt64Timestamp=true&maxResults=10000"
        while not answer.get("jobComplete"):
            answer = self.get(path)
        fields = answer.get("schema", {}).get("fields", [])
        rows = answer.get("rows", [])
        while answer.get("pageToken"):
            token = urllib.parse.quote(answer["pageToken"])
            answer = self.get(f"{path}&pageToken={token}")
            rows += answer.get("rows", [])
        return [parse_row(row, fields) for row in rows]

    def scalar(self, sql, dataset=None):
        """The only value of a query's only row."""
        return next(iter(self.query(sql, dataset)[0].values()))

    def table(self, dataset, table):
        """The Table resource."""
        return self.get(f"datasets/{dataset}/tables/{urllib.parse.quote(table)}")

    def tables(self, dataset):
        """The names of a dataset's tables."""
        listed = self.get(f"datasets/{dataset}/tables?maxResults=10000").get("tables", [])
        return [item["tableReference"]["tableId"] for item in listed]

    def rows(self, dataset, table):
        """All rows of a table as dicts of Python values, by tabledata.list."""
        path = f"datasets/{dataset}/tables/{urllib.parse.quote(table)}"
        fields = self.get(path).get("schema", {}).get("fields", [])
        rows, token = [], ""
        while token is not None:
            answer = self.get(f"{path}/data?formatOptions.useInt64Timestamp=true&maxResults=10000"
                              + (f"&pageToken={urllib.parse.quote(token)}" if token else ""))
            rows += answer.get("rows", [])
            token = answer.get("pageToken")
        return [parse_row(row, fields) for row in rows]


class Bqlocal(Client):
    """A running bqlocal; .url ("http://127.0.0.1:4711"), .host ("127.0.0.1:4711"), .port."""

    def __init__(self, datasets=("d",), project="p", data=None, latency=None, faults_file=None,
                 args=()):
        super().__init__(project)
        self.datasets = list(datasets)
        self.scheme = "http"
        self._command = ["--project", project]
        for dataset in self.datasets:
            self._command += ["--dataset", dataset]
        if data is not None:
            self._command += ["--data", str(data)]
        if latency is not None:
            self._command += ["--job-latency", latency]
        if faults_file is not None:
            self._command += ["--faults", str(faults_file)]
        self._command += [str(arg) for arg in args]
        self._process = None
        self._folder = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, port=0):
        """Starts it (again); returns when it accepts connections."""
        self._folder = tempfile.TemporaryDirectory(prefix="bqlocal-")
        port_file = pathlib.Path(self._folder.name) / "port"
        self.log_file = pathlib.Path(self._folder.name) / "stderr"
        with open(self.log_file, "wb") as log:
            self._process = subprocess.Popen(
                [program(), "--listen", f"127.0.0.1:{port}", "--port-file", str(port_file)]
                + self._command,
                stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL)
        # The line with the URL is printed when it is ready; an early end closes the pipe.
        self.ready_line = self._process.stdout.readline().decode().rstrip("\n")
        if not self.ready_line:
            status = self._process.wait(START_SECONDS)
            self.stop()
            raise RuntimeError(f"bqlocal ended with {status}: {self.last_log}")
        self.port = int(port_file.read_text())
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"{self.scheme}://{self.host}"

    def stop(self):
        """Ends it in order and returns its exit status."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        out = self._process.stdout.read()
        self._process.stdout.close()
        self._process = None
        self.last_log = self.log()
        printed.keep("bqlocal", "bqlocal", self.ready_line, "\n", out, self.last_log)
        self._folder.cleanup()
        return status

    def kill(self):
        """Ends it at once, as a crash does."""
        self._process.kill()
        self._process.wait()
        self.stop()

    @property
    def pid(self):
        return self._process.pid

    def log(self):
        """What it wrote to stderr so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    # bqlocal's own routes

    def requests(self):
        """The log of requests, oldest first."""
        return self.get("/bqlocal/requests")["requests"]

    def clear_requests(self):
        self.delete("/bqlocal/requests")

    def faults(self, *rules):
        """Replaces the fault rules."""
        return self.request("PUT", "/bqlocal/faults", {"faults": list(rules)})

    def fault_state(self):
        """The rules, each with how often it has "matched" and "acted" and what it has "held" now."""
        return self.get("/bqlocal/faults")["faults"]

    def clear_faults(self):
        self.delete("/bqlocal/faults")

    def wait_until_idle(self):
        """Until no job waits or runs."""
        end = time.monotonic() + self.job_seconds
        while any(self.get(f"jobs?stateFilter={state}").get("jobs") for state in ("pending", "running")):
            if time.monotonic() > end:
                raise TimeoutError("a job does not end")
            time.sleep(self.poll_seconds)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """308 is an answer of resumable uploads, not a redirection."""

    def redirect_request(self, *_):
        return None

    def http_error_308(self, *_):
        return None


EPOCH = datetime.datetime(1970, 1, 1)


def parse_value(text, kind):
    """One cell to Python: int, float, bool, str, bytes, Decimal, date, time, datetime (naive for
    DATETIME, UTC for TIMESTAMP, asked for as microseconds), JSON as its text."""
    if text is None:
        return None
    if kind in ("INTEGER", "INT64"):
        return int(text)
    if kind in ("FLOAT", "FLOAT64"):
        return float(text)
    if kind in ("BOOLEAN", "BOOL"):
        return text == "true"
    if kind == "BYTES":
        return base64.b64decode(text)
    if kind in ("NUMERIC", "BIGNUMERIC"):
        return decimal.Decimal(text)
    if kind == "DATE":
        return datetime.date.fromisoformat(text)
    if kind == "TIME":
        return datetime.time.fromisoformat(text)
    if kind == "DATETIME":
        return datetime.datetime.fromisoformat(text)
    if kind == "TIMESTAMP":
        moment = EPOCH + datetime.timedelta(microseconds=int(text))
        return moment.replace(tzinfo=datetime.timezone.utc)
    return text


def parse_row(row, fields):
    """{"f": [{"v": ...}]} and the schema's fields to a dict."""
    return {field["name"]: parse_value(cell["v"], field["type"])
            for field, cell in zip(fields, row["f"])}
