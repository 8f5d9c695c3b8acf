"""A log that nobody reads: stderr is a pipe or socket that is full, or whose reader has gone."""

import contextlib
import fcntl
import os
import re
import socket
import subprocess
import unittest

from tests.e2e.serving import INCREMENTAL, Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment


class Unread(Service):
    """`serve` whose log goes into a pipe or socket that is full from the start."""

    def __init__(self, app, port, stderr, **environment):
        super().__init__(app, **environment)
        self.port = port
        self._stderr = stderr
        self._environment["BQ_ADMIN_LISTEN"] = f"127.0.0.1:{port}"

    def __enter__(self):
        self.process = subprocess.Popen(
            [self.app.program, "serve"], cwd=self.app.folder, env={**self.app.environment, **self._environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._stderr)
        self.wait(self._listens, "the admin API")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _listens(self):
        with contextlib.suppress(OSError):
            return self.get("/healthz").status == 200


def fill(descriptor):
    """Fills a pipe or socket to its last byte; what is in it."""
    os.set_blocking(descriptor, False)
    filled = 0
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                filled += os.write(descriptor, b"." * size)
    # The program shares the open file, and is given an ordinary one.
    os.set_blocking(descriptor, True)
    return filled


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def read_to_end(descriptor):
    parts = []
    while part := os.read(descriptor, 65536):
        parts.append(part)
    return b"".join(parts).decode()


class LogUnreadTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")

    def pipe(self, size=4096):
        """(end to read, end to write), both open until the test ends."""
        ends = os.pipe()
        for end in ends:
            self.addCleanup(self.close, end)
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, size)
        return ends

    def close(self, descriptor):
        with contextlib.suppress(OSError):
            os.close(descriptor)

    def synced(self):
        return "accounts" in self.bq.tables("d") and (
            self.app.warehouse_rows("accounts") == self.app.source_rows("accounts"))

    def check_service(self, writing):
        with Unread(self.app, free_port(), writing) as service:
            service.sync(INCREMENTAL)
            self.assertTrue(self.synced())
            self.assertEqual(0, service.stop())

    def test_passes_and_sigterm_do_not_wait_for_the_reader_of_a_pipe(self):
        _, writing = self.pipe()
        fill(writing)
        self.check_service(writing)

    def test_passes_and_sigterm_do_not_wait_for_the_reader_of_a_socket(self):
        reading, writing = socket.socketpair()
        self.addCleanup(reading.close)
        self.addCleanup(writing.close)
        fill(writing.fileno())
        self.check_service(writing.fileno())

    def test_a_reader_that_has_gone_disturbs_nothing(self):
        reading, writing = self.pipe()
        os.close(reading)
        self.check_service(writing)

    def test_the_next_line_that_is_read_tells_how_many_were_lost(self):
        # As large as it is by default, so that what comes later has room.
        reading, writing = self.pipe(65536)
        filled = fill(writing)
        with Unread(self.app, free_port(), writing) as service:
            service.sync(INCREMENTAL)
            os.close(writing)
            self.assertEqual(b"." * filled, os.read(reading, filled))
            self.assertEqual(0, service.stop())
            log = read_to_end(reading)
        first = log.splitlines()[0]
        self.assertRegex(first, r'^\S+ warn log lines lost lines=\d+ reason="nobody read them" since=\S+Z$')
        self.assertGreater(int(re.search(r"lines=(\d+)", first)[1]), 5)
        self.assertIn("info stopped", log)

    def test_a_service_that_cannot_start_says_so_to_nobody(self):
        _, writing = self.pipe()
        fill(writing)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            process = subprocess.Popen(
                [self.app.program, "serve"], cwd=self.app.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=writing, env={**self.app.environment, "BQ_SYNC_INTERVAL": "off",
                                     "BQ_ADMIN_LISTEN": f"127.0.0.1:{taken.getsockname()[1]}"})
            try:
                self.assertEqual(3, process.wait(60))
            finally:
                process.kill()
                process.wait()

    def test_a_log_on_a_full_disk_disturbs_nothing(self):
        with open("/dev/full", "wb") as full:
            ended = subprocess.run([self.app.program, "sync"], cwd=self.app.folder, env=self.app.environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=full, timeout=60)
        self.assertEqual(0, ended.returncode)
        self.assertTrue(self.synced())


if __name__ == "__main__":
    unittest.main()
