"""The admin API under hostile clients. BQSYNC_FUZZ=1000000 sends so many requests."""

import collections
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import unittest

from tests.e2e.serving import MANUAL, Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.watching import open_descriptors, resident_kib

ROOT = pathlib.Path(__file__).resolve().parents[2]
FUZZ_REQUESTS = int(os.environ.get("BQSYNC_FUZZ", "6000"))
CLIENTS = 4
SANITIZED = bool(os.environ.get("BQSYNC_SANITIZE"))


class HostileTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))

    def serve(self, **options):
        return self.enterContext(Service(self.app, BQ_LOG_LEVEL="info", **options))

    def test_clients_that_never_finish_a_request_do_not_disturb_others(self):
        service = self.serve()
        slow = []
        try:
            for _ in range(600):
                client = socket.create_connection(("127.0.0.1", service.port), timeout=10)
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
                slow.append(client)
            for _ in range(50):
                self.assertEqual(200, service.get("/healthz", timeout=30).status)
            # One byte now and then does not keep a connection.
            stubborn = slow[-1]
            stubborn.settimeout(1)
            end = time.monotonic() + 120
            while time.monotonic() < end:
                try:
                    stubborn.sendall(b"x")
                    if stubborn.recv(1024) is not None:
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
            self.assertLess(time.monotonic(), end)
        finally:
            for client in slow:
                client.close()
        service.wait(lambda: open_descriptors(service.process.pid) < 60, "closed connections")

    def test_hostile_requests_neither_crash_nor_leak_nor_get_a_wrong_status(self):
        service = self.serve()
        service.wait_run(service.post(MANUAL).json["run_id"])
        service.status()
        statuses, wrong = collections.Counter(), []

        def send(count, first_seed):
            clients = [subprocess.Popen([sys.executable, "-m", "tests.e2e.fuzz", str(service.port),
                                         str(count // CLIENTS), str(first_seed + number)],
                                        cwd=ROOT, stdout=subprocess.PIPE, text=True) for number in range(CLIENTS)]
            for client in clients:
                told = json.loads(client.communicate()[0])
                statuses.update(told["statuses"])
                wrong.extend(told["wrong"])

        send(FUZZ_REQUESTS // 3, 0)
        service.wait(lambda: open_descriptors(service.process.pid) < 60, "closed connections")
        memory, descriptors = resident_kib(service.process.pid), open_descriptors(service.process.pid)
        send(FUZZ_REQUESTS - FUZZ_REQUESTS // 3, CLIENTS)

        self.assertIsNone(service.process.poll())
        self.assertEqual(200, service.get("/healthz").status)
        self.assertEqual([], wrong)
        allowed = {"None", "100", "200", "202", "400", "401", "403", "404", "405", "409", "411", "413", "414", "417", "431",
                   "501", "505"}
        self.assertLessEqual(set(statuses), allowed, statuses)
        service.wait(lambda: open_descriptors(service.process.pid) <= descriptors + 8, "closed connections")
        grown = resident_kib(service.process.pid) - memory
        if not SANITIZED:
            self.assertLess(grown, 8192)
        print(f"{sum(statuses.values())} hostile requests: {dict(statuses)}; memory {memory} KiB {grown:+d}, "
              f"descriptors {descriptors} {open_descriptors(service.process.pid) - descriptors:+d}")


if __name__ == "__main__":
    unittest.main()
