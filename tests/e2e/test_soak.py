"""`serve` under everything at once: a writer, clients of its API, and a BigQuery that fails at random.

BQSYNC_SOAK_SECONDS=600 is the real thing; what it measured is printed and kept in <build>/soak.json.
"""

import collections
import http.client
import json
import multiprocessing
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

from tests.e2e.serving import EVENTS, STATUS, Service
from tests.support import mirror
from tests.support.bad_day import some_fault
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import BUILD, Deployment
from tests.support.watching import open_descriptors, resident_kib
from tests.support.workload import BUSY_SECONDS, Application

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "tests" / "schemas"
SECONDS = float(os.environ.get("BQSYNC_SOAK_SECONDS", "12"))
SANITIZED = bool(os.environ.get("BQSYNC_SANITIZE"))
SEED = int(os.environ.get("BQSYNC_SEED", time.time_ns() % 10**6))
CLIENTS, RATE = 4, 50
WRITES_A_SECOND = 50
TABLES = ["accounts", "devices", "events", "everything", "memberships", "people", "settings"]
TARGETS = [f"d.{table}" for table in TABLES]
GROWTH_KIB = 8192
# With a rollback journal, readers and writers wait for each other.
JOURNAL = os.environ.get("BQSYNC_SOAK_JOURNAL", random.Random(SEED).choice(["wal", "delete"]))


def write(path, seed, stop):
    """The application, in a process of its own; makes all values valid at its end."""
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
    app = Application(db, random.Random(seed), TABLES, collections.deque(maxlen=100))
    while not stop.wait(1 / WRITES_A_SECOND):
        app.act()
    app.fix_values()
    db.close()


class SoakTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, journal=JOURNAL))
        self.stop = threading.Event()
        self.threads = []

    def in_background(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments)
        thread.start()
        self.threads.append(thread)

    def fail_at_random(self):
        source = random.Random(SEED)
        while not self.stop.wait(source.uniform(0.2, 1.5)):
            self.bq.faults(*(some_fault(source, TARGETS) for _ in range(source.randrange(1, 4))))
            self.fault_sets += 1
        self.bq.clear_faults()

    def watch_events(self, port):
        """A dashboard that is left open."""
        while not self.stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", EVENTS)
            stream = connection.getresponse()
            while not self.stop.is_set() and (line := stream.readline()):
                self.events += line.startswith(b"data:")
            connection.close()

    def take_samples(self, pid):
        while not self.stop.wait(SECONDS / 60):
            self.samples.append((resident_kib(pid), open_descriptors(pid)))

    def start_clients(self, port):
        return [subprocess.Popen([sys.executable, "-m", "tests.e2e.hammer", str(port), str(RATE), str(SEED + number)],
                                 cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                for number in range(CLIENTS)]

    def end_clients(self, clients):
        times, wrong = collections.defaultdict(list), []
        for client in clients:
            told = json.loads(client.communicate("")[0])
            wrong += told["wrong"]
            for route, taken in told["times"].items():
                times[route] += taken
        return {route: sorted(taken) for route, taken in times.items()}, wrong

    def live(self, service):
        """Everything at once for so many seconds; (times by route, wrong answers)."""
        self.fault_sets, self.events, self.samples = 0, 0, []
        ended = multiprocessing.Event()
        writer = multiprocessing.get_context("fork").Process(target=write, args=(self.app.path, SEED, ended))
        writer.start()
        clients = self.start_clients(service.port)
        try:
            self.in_background(self.fail_at_random)
            self.in_background(self.watch_events, service.port)
            self.in_background(self.take_samples, service.process.pid)
            self.stop.wait(SECONDS)
        finally:
            self.stop.set()
            answers = self.end_clients(clients)
            ended.set()
            writer.join(60)
            for thread in self.threads:
                thread.join(60)
        self.assertEqual(0, writer.exitcode)
        return answers

    def assert_equal_in_the_end(self, service):
        def unequal():
            reports = mirror.compare(str(self.app.path), self.bq.url, "p", "d", SCHEMAS, TABLES)
            return [str(report) for report in reports if not report.equal]

        # The pass after a good one sees everything that the writer did.
        service.wait(lambda: not any(row["pending_changes"] or row["rejected"] or row["last_error"]
                                     for row in service.status()["tables"]), "a pass in which all went well", 120)
        self.assertEqual([], unequal())
        verified = self.app.json("verify")
        self.assertTrue(verified["ok"], verified)
        self.assertEqual([], [table for table in self.bq.tables("d") if table.startswith("_bqsync_staging")])

    def assert_nothing_grows(self):
        """Later samples are not above those of the middle; the first third is for warming up."""
        third = len(self.samples) // 3
        middle, late = self.samples[third:2 * third], self.samples[2 * third:]
        memory = max(kib for kib, _ in late) - max(kib for kib, _ in middle)
        descriptors = max(count for _, count in late) - max(count for _, count in middle)
        if not SANITIZED:
            self.assertLess(memory, GROWTH_KIB, self.samples)
        # A sample may meet all eight workers at once, each with its files and connections, or none.
        self.assertLessEqual(descriptors, 48, self.samples)
        return {"resident_kib": max(kib for kib, _ in late), "resident_growth_kib": memory,
                "descriptors": max(count for _, count in late), "descriptor_growth": descriptors}

    def test_nothing_is_missed_or_doubled_and_nothing_grows(self):
        print(f"seed {SEED}, journal {JOURNAL}")
        service = self.enterContext(Service(self.app, BQ_SYNC_INTERVAL="2s", BQ_LOG_LEVEL="info", BQ_RETRY_BUDGET="20s"))
        times, wrong = self.live(service)
        self.assertEqual([], wrong)
        self.assertIsNone(service.process.poll())
        used = self.assert_nothing_grows()
        self.assert_equal_in_the_end(service)

        runs = service.get("/admin/bigquery/sync/runs?limit=500").json["runs"]
        status = times[f"GET {STATUS}"]
        figures = {
            "seconds": SECONDS, "seed": SEED, "journal": JOURNAL, "answers": sum(map(len, times.values())),
            "answers_a_second": round(sum(map(len, times.values())) / SECONDS), "fault_sets": self.fault_sets,
            "faults_met": len([line for line in service.lines if "trying again" in line]), "events": self.events,
            "runs": len(runs), "runs_ended_early": len([run for run in runs if "error" in run]),
            "tables_failed": len([table for run in runs for table in run["tables"] if table["status"] == "failed"]),
            "status_p50_ms": status[len(status) // 2], "status_p99_ms": status[len(status) * 99 // 100],
            "status_max_ms": status[-1], **used}
        (BUILD / "soak.json").write_text(json.dumps(figures, indent=1) + "\n")
        print(json.dumps(figures))


if __name__ == "__main__":
    unittest.main()
