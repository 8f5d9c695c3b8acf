"""docs/openapi.yaml and docs/operations.md, held to what the service does."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

from tests.e2e.serving import AT_START, MANUAL, RUNS, TABLES, Service, half_a_day_from_now
from tests.support import printed
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.foreign import tool

ROOT = pathlib.Path(__file__).resolve().parents[2]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def documented():
    """{path: {method: {status, ...}}} of openapi.yaml, read by its indentation."""
    paths, path, method = {}, None, None
    inside = False
    for line in (ROOT / "docs/openapi.yaml").read_text().splitlines():
        if re.match(r"\S", line):
            inside = line == "paths:"
        if not inside:
            continue
        if match := re.match(r"  (/\S*):$", line):
            path = paths.setdefault(match.group(1), {})
        elif match := re.match(r"    (get|post|put|patch|delete):$", line):
            method = path.setdefault(match.group(1).upper(), set())
        elif match := re.match(r'        "(\d{3})":', line):
            method.add(int(match.group(1)))
    return paths


class DocsTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.operations = (ROOT / "docs/operations.md").read_text()

    def serve(self, **options):
        return self.enterContext(Service(self.app, **options))

    def block(self, language):
        return re.search(rf"```{language}\n(.*?)```", self.operations, re.S).group(1)

    def test_every_route_is_documented_and_every_documented_one_exists(self):
        source = (ROOT / "runtime/service/routes.c").read_text()
        table = set(re.findall(r'^    \{"(/[^"]*)", (?:true|false)', source, re.M))
        self.assertEqual(table, set(documented()))

    def test_methods_and_statuses_are_those_documented(self):
        service = self.serve(token="token-of-the-documents")
        run_id = service.post(MANUAL).json["run_id"]
        service.wait_run(run_id)
        for path, methods in documented().items():
            live = path.replace("{id}", run_id)
            for method in METHODS:
                with self.subTest(path=path, method=method):
                    if path.endswith("/events") and method == "GET":
                        answer = service.request("HEAD", live)
                    else:
                        answer = service.request(method, live, "[]" if method == "POST" else None)
                    if method in methods:
                        self.assertIn(answer.status, methods[method])
                        self.assertIn(401 in methods[method], (
                            service.request(method, live, headers={"Authorization": None}).status == 401,))
                    else:
                        self.assertEqual(405, answer.status)
                        self.assertEqual(set(methods) | ({"HEAD"} if "GET" in methods else set()),
                                         set(answer.headers["Allow"].split(", ")))
                    service.wait(lambda: service.status()["running"] is None)

    def test_documented_errors_can_be_met(self):
        service = self.serve()
        paths = documented()
        run_id = service.post(MANUAL).json["run_id"]
        seen = [(TABLES, "POST", service.post(TABLES, ["nothing"])),
                (TABLES, "POST", service.post(TABLES, b"x" * 70000)),
                (MANUAL, "POST", service.post(MANUAL, "{")),
                (RUNS, "GET", service.get(RUNS + "?limit=0")),
                (RUNS + "/{id}", "GET", service.get(RUNS + "/nothing"))]
        self.assertEqual([400, 413, 400, 400, 404], [answer.status for _, _, answer in seen])
        for path, method, answer in seen:
            self.assertIn(answer.status, paths[path][method])
        service.wait_run(run_id)

    def test_the_shapes_have_what_the_schema_requires(self):
        text = (ROOT / "docs/openapi.yaml").read_text()

        def required(schema):
            body = text.split(f"\n    {schema}:\n")[1]
            return set(re.search(r"required: \[(.*?)\]", body).group(1).split(", "))

        service = self.serve()
        run_id = service.post(MANUAL).json["run_id"]
        run = service.wait_run(run_id)
        status = service.status()
        self.assertLessEqual(required("Run"), set(run))
        self.assertLessEqual(required("Status"), set(status))
        self.assertLessEqual(required("TableStatus"), set(status["tables"][0]))
        described = set(re.findall(r"^        (\w+): \{", text.split("\n    TableStatus:\n")[1].split("\n    Runs:")[0], re.M))
        self.assertEqual(described, set(status["tables"][0]))

    def test_the_curl_lines_do_what_they_say(self):
        service = self.serve()
        script = self.block("sh").replace("127.0.0.1:8001", f"127.0.0.1:{service.port}")
        script = script.replace("users", "people").replace("chat_history", "events")
        lines = [line for line in script.splitlines() if line.startswith("curl")]
        self.assertEqual(4, len(lines))
        answers = []
        for line in lines:
            done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60)
            self.assertEqual(0, done.returncode, done.stderr)
            printed.keep("bqsync", line, done.stdout)
            answers.append(json.loads(done.stdout))
            service.wait(lambda: service.status()["running"] is None)
        status, manual, tables, listing = answers
        self.assertIn("jobs", status)
        self.assertEqual("full", manual["kind"])
        self.assertEqual("tables", tables["kind"])
        self.assertIn("people", [table["table"] for table in listing["tables"]])
        self.assertEqual({"people", "events"},
                         {table["table"] for table in service.run(tables["run_id"])["tables"]})

    def test_metrics_in_documents_exist_and_existing_ones_are_documented(self):
        service = self.serve(BQ_SYNC_INTERVAL=AT_START, BQ_SYNC_DAILY_AT=half_a_day_from_now())
        service.wait_idle(1)
        text = service.get("/metrics").body.decode()
        live = set(re.findall(r"^# TYPE (bqsync_\w+)", text, re.M))
        named = set(re.findall(r"`(bqsync_\w+)`", self.operations))
        self.assertEqual(live, named)
        others = self.block("yaml") + (ROOT / "docs/grafana.json").read_text()
        for name in re.findall(r"\b(bqsync_\w+)", others):
            self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name), live | {"bqsync"})

    def test_the_alert_rules_satisfy_prometheus(self):
        json.loads((ROOT / "docs/grafana.json").read_text())
        tool("promtool", "prometheus")
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as rules:
            rules.write(self.block("yaml"))
            rules.flush()
            judged = subprocess.run(["promtool", "check", "rules", rules.name], capture_output=True, text=True)
        self.assertEqual(0, judged.returncode, judged.stdout + judged.stderr)


if __name__ == "__main__":
    unittest.main()
