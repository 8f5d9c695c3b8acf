"""The admin API under hostile and heavy use. BQSYNC_FUZZ and BQSYNC_SOAK_SECONDS make it longer."""

import http.client
import os
import random
import re
import socket
import threading
import time
import unittest

from tests.e2e.serving import INCREMENTAL, MANUAL, RUNS, STATUS, TABLES, Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

FUZZ_REQUESTS = int(os.environ.get("BQSYNC_FUZZ", "1800"))
SOAK_SECONDS = float(os.environ.get("BQSYNC_SOAK_SECONDS", "8"))
SANITIZED = bool(os.environ.get("BQSYNC_SANITIZE"))


def open_descriptors(service):
    return len(os.listdir(f"/proc/{service.process.pid}/fd"))


def resident_kib(service):
    with open(f"/proc/{service.process.pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


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
            began = time.monotonic()
            for _ in range(50):
                self.assertEqual(200, service.get("/healthz", timeout=5).status)
            self.assertLess(time.monotonic() - began, 5)
            # One byte now and then does not keep a connection.
            stubborn = slow[-1]
            stubborn.settimeout(1)
            end = time.monotonic() + 30
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
        service.wait(lambda: open_descriptors(service) < 60, "closed connections")

    def fuzz_bytes(self, source):
        """A request that is wrong in one of many ways, and the statuses it may get (None: no answer)."""
        paths = ["/", "/healthz", "/readyz", "/metrics", STATUS, RUNS, RUNS + "/x", TABLES, MANUAL,
                 "/admin/bigquery/tables", "/%", "/%zz", "/%00", "/..%2f..", "/" + "a" * 3000, "*", "",
                 RUNS + "?limit=" + "9" * 30, RUNS + "?" + "&" * 200, RUNS + "/%2e%2e", "http://x/healthz"]
        methods = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "G E T", "", "X" * 500]
        headers = ["Host: localhost", "Host: evil.example", "Content-Length: 5", "Content-Length: -1",
                   "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked", "Expect: 100-continue",
                   "Authorization: Bearer " + "x" * 2000, "Cookie: " + "c" * 40000, "A" * 2000, ": x", "\x00: y",
                   "Connection: close", "Connection: upgrade", "Origin: null", "X: \xff\xfe"]
        bodies = ["", "[]", "[\"accounts\"]", "{", "[" * 2000, "5\r\nhello\r\n0\r\n\r\n", "\x00" * 50, "x" * 70000]
        line = f"{source.choice(methods)} {source.choice(paths)} HTTP/{source.choice(['1.1', '1.0', '9', ''])}"
        chosen = source.sample(headers, source.randint(0, 4))
        text = line + "\r\n" + "".join(header + "\r\n" for header in chosen) + "\r\n" + source.choice(bodies)
        data = bytearray(text.encode("latin-1"))
        for _ in range(source.choice([0, 0, 0, 1, 5, 50])):
            data[source.randrange(len(data))] = source.randrange(256)
        return bytes(data[:source.choice([len(data), len(data), source.randrange(len(data) + 1)])])

    def test_nonsense_neither_crashes_nor_leaks_nor_gets_a_server_error(self):
        service = self.serve()
        service.wait_run(service.post(MANUAL).json["run_id"])
        service.status()
        statuses = {}
        lock = threading.Lock()

        def send_some(count, seed):
            source = random.Random(seed)
            for _ in range(count):
                data = self.fuzz_bytes(source)
                try:
                    # What is cut off short is never answered, and not waited for.
                    with socket.create_connection(("127.0.0.1", service.port), timeout=0.15) as client:
                        client.sendall(data)
                        answer = client.recv(65536)
                except OSError:
                    answer = b""
                match = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
                status = int(match.group(1)) if match else None
                with lock:
                    statuses[status] = statuses.get(status, 0) + 1

        def send(count):
            threads = [threading.Thread(target=send_some, args=(count // 6, count + seed)) for seed in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        send(FUZZ_REQUESTS // 3)
        memory, descriptors = resident_kib(service), open_descriptors(service)
        send(FUZZ_REQUESTS - FUZZ_REQUESTS // 3)

        self.assertIsNone(service.process.poll())
        self.assertEqual(200, service.get("/healthz").status)
        known = {None, 100, 200, 202, 400, 401, 403, 404, 405, 409, 411, 413, 414, 417, 431, 501, 505}
        self.assertLessEqual(set(statuses), known, statuses)
        service.wait(lambda: open_descriptors(service) <= descriptors + 8, "closed connections")
        if not SANITIZED:
            self.assertLess(resident_kib(service), memory + 8192)
        print(f"{FUZZ_REQUESTS} nonsense requests: {statuses}")

    def test_it_stays_fast_and_small_while_clients_and_a_writer_never_rest(self):
        service = self.serve(BQ_SYNC_INTERVAL="2s")
        service.wait_idle(1)
        stop = threading.Event()
        times, wrong = [], []

        def write():
            number = 0
            with self.app.connect() as db:
                while not stop.wait(0.02):
                    number += 1
                    db.execute("insert into accounts(email, note) values (?, 'n')", (f"{number}@x",))
                    if number % 3 == 0:
                        db.execute("update accounts set note = 'm' where id = ?", (number // 2 + 1,))
                    if number % 5 == 0:
                        db.execute("delete from accounts where id = ?", (number // 3 + 1,))

        def ask(seed):
            source = random.Random(seed)
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
            while not stop.wait(0.02):
                method, path, fine = source.choice([
                    ("GET", STATUS, {200}), ("GET", STATUS, {200}), ("GET", RUNS + "?limit=5", {200}),
                    ("GET", "/metrics", {200}), ("GET", "/healthz", {200}), ("GET", "/readyz", {200}),
                    ("GET", "/", {200}), ("POST", INCREMENTAL, {202, 409}), ("GET", "/nothing", {404})])
                began = time.monotonic()
                connection.request(method, path)
                answer = connection.getresponse()
                answer.read()
                if path == STATUS:
                    times.append(time.monotonic() - began)
                if answer.status not in fine:
                    wrong.append((path, answer.status))
            connection.close()

        threads = [threading.Thread(target=write)]
        threads += [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(SOAK_SECONDS / 3)
        memory, descriptors = resident_kib(service), open_descriptors(service)
        time.sleep(SOAK_SECONDS * 2 / 3)
        stop.set()
        for thread in threads:
            thread.join()

        self.assertEqual([], wrong)
        times.sort()
        p99 = times[len(times) * 99 // 100]
        grown = resident_kib(service) - memory
        print(f"{len(times)} statuses, p50 {times[len(times) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms; "
              f"memory {memory} KiB {grown:+d}, descriptors {descriptors} {open_descriptors(service) - descriptors:+d}")
        if not SANITIZED:
            self.assertLess(grown, 8192)
        service.wait(lambda: self.app.source_rows("accounts") == self.app.warehouse_rows("accounts"),
                     "an equal mirror")
        self.assertLessEqual(open_descriptors(service), descriptors + 8)


if __name__ == "__main__":
    unittest.main()
