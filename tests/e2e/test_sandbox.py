"""What the kernel lets `bqsync serve` do: probes from inside of the process, and its life as usual."""

import errno
import os
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import time
import unittest

from tests.e2e.serving import AT_START, INCREMENTAL, Service
from tests.support import foreign
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.kernel import landlock_version

# Starts a program under a filter that ends it if it asks for Landlock (calls 444 to 446), as an older systemd does.
SUPERVISOR = """#!{python}
import ctypes, os, struct, sys
program = b"".join(struct.pack("HBBI", *line) for line in (
    (0x20, 0, 0, 0), (0x35, 0, 2, 444), (0x25, 1, 0, 446), (0x06, 0, 0, 0x80000000), (0x06, 0, 0, 0x7fff0000)))
buffer = ctypes.create_string_buffer(program)
filter = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter, 0, 0) == 0
os.execv("{program}", ["{program}", *sys.argv[1:]])
"""
DENIED = (errno.EACCES, errno.EPERM)
SECONDS = 30


def kernel_says(pid):
    """What the kernel has on record of a process: the mode of its filter, and whether it may gain privileges."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return [int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1]) for name in ("Seccomp", "NoNewPrivs")]


class SandboxTest(unittest.TestCase):
    def setUp(self):
        if os.environ.get("BQSYNC_SANITIZE"):
            self.skipTest("a sanitizer has to be loaded before the probe")
        if landlock_version() == 0:
            foreign.absent("the kernel has no Landlock")
        # Not below TMPDIR, which the service may use.
        self.home = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="sandbox-", dir=foreign.BUILD)))
        self.outside = self.home / "secret"
        self.outside.write_text("s")
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))

    def probe(self, attempts, **settings):
        """The errno of each attempt in a service that has synced, 0 where it worked."""
        answers = self.home / "answers"
        with Service(self.app, LD_PRELOAD=str(foreign.BUILD / "tests/support/libprobe_shim.so"),
                     PROBE="\n".join(f"{word} {path}" for word, path in attempts), PROBE_OUT=str(answers),
                     BQ_SYNC_INTERVAL=AT_START, **settings) as service:
            service.wait_idle()
            self.record = kernel_says(service.process.pid)
            service.process.send_signal(signal.SIGUSR2)
            end = time.monotonic() + SECONDS
            while not answers.read_text().endswith("end\n"):
                self.assertLess(time.monotonic(), end, service.log)
                time.sleep(0.02)
            self.log = service.log
        found = [line.rsplit(" ", 1) for line in answers.read_text().splitlines()[:-1]]
        return {asked: int(number) for asked, number in found}

    def test_what_it_does_not_need_is_refused(self):
        attempts = [("read", self.outside), ("write", self.home / "new"), ("write", "/etc/bqsync-probe"),
                    ("execute", "/bin/true"), ("trace", os.getpid()), ("read", f"/proc/{os.getpid()}/environ")]

        answers = self.probe(attempts)

        self.assertEqual(len(attempts), len(answers))
        for asked, number in answers.items():
            self.assertIn(number, DENIED, f"{asked}: {os.strerror(number)}\n{self.log}")
        self.assertEqual([2, 1], self.record)
        self.assertIn(f"confined landlock={landlock_version()} seccomp=1", self.log)

    def test_what_it_needs_is_allowed(self):
        answers = self.probe([("read", "/etc/passwd"), ("read", "/usr/share/zoneinfo/Asia/Kolkata"),
                              ("read", "/proc/self/statm"), ("read", self.app.path), ("write", str(self.app.path) + "-x"),
                              ("write", f"{tempfile.gettempdir()}/bqsync-probe-{os.getpid()}"), ("read", "/dev/urandom")])
        os.unlink(f"{tempfile.gettempdir()}/bqsync-probe-{os.getpid()}")

        self.assertEqual({0}, set(answers.values()), answers)

    def test_a_setting_switches_it_off(self):
        answers = self.probe([("read", self.outside), ("execute", "/bin/true"), ("write", self.home / "new")],
                             BQ_SANDBOX="off")

        self.assertEqual({0}, set(answers.values()), answers)
        self.assertEqual([0, 0], self.record)
        self.assertIn("not confined off_by=BQ_SANDBOX", self.log)

    def test_an_older_kernel_is_told_and_is_no_obstacle(self):
        with Service(self.app, LD_PRELOAD=str(foreign.BUILD / "tests/support/libold_kernel_shim.so")) as service:
            run = service.sync(INCREMENTAL)
            record = kernel_says(service.process.pid)

        self.assertEqual("done", run["state"])
        self.assertEqual([0, 1], record)
        self.assertIn('files not confined landlock="Function not implemented"', service.log)
        self.assertIn('system calls not confined seccomp="Invalid argument"', service.log)

    def test_a_supervisor_that_forbids_it_is_no_obstacle(self):
        supervisor = self.home / "supervisor"
        supervisor.write_text(SUPERVISOR.format(python=sys.executable, program=self.app.program))
        supervisor.chmod(0o755)
        self.app.program = str(supervisor)

        with Service(self.app) as service:
            run = service.sync(INCREMENTAL)
            record = kernel_says(service.process.pid)

        self.assertEqual("done", run["state"])
        self.assertEqual([2, 1], record)
        self.assertIn('files not confined landlock="Operation not permitted"', service.log)
        self.assertIn("confined landlock=0 seccomp=1", service.log)

    def lead_elsewhere(self, other):
        """The line of a pass over a database whose path leads to that folder since the start."""
        link = self.app.folder / "link"
        real = self.app.folder / "real"
        for folder in (real, other):
            folder.mkdir(parents=True)
            shutil.copy(self.app.path, folder / "app.db")
        link.symlink_to(real)
        with Service(self.app, BQ_SQLITE_PATH=str(link / "app.db")) as service:
            self.assertEqual("done", service.sync(INCREMENTAL)["state"])
            link.unlink()
            link.symlink_to(other)
            service.post(INCREMENTAL)
            line = service.wait_line("pass ended early")
        self.assertIn("code=source", line)
        self.assertIn(f"{link}/app.db, now {other}/app.db c", line)
        self.assertIn("restart it: its sandbox keeps to the folders of the start", line)
        return line

    def test_a_path_that_leads_out_of_reach_since_the_start_is_told_with_the_fix(self):
        self.assertIn("cannot be opened: Permission denied", self.lead_elsewhere(self.home / "other"))

    def test_a_path_that_leads_to_what_may_only_be_read_is_told_with_the_fix(self):
        readable = self.home / "certificates"
        readable.mkdir()
        self.app.environment["SSL_CERT_DIR"] = str(readable)
        self.lead_elsewhere(readable / "other")

    def test_the_source_and_the_settings_may_be_replaced(self):
        """In folders that it may use for nothing else: a database behind a link that changes, and a .env file."""
        for name in ("one", "other"):
            (self.home / name).mkdir()
        shutil.copy(self.app.path, self.home / "one/app.db")
        (self.home / "current").symlink_to("one")
        settings = self.home / "settings"
        settings.mkdir()
        (settings / "app.env").write_text("BQ_SYNC_INTERVAL=off\n")
        with Service(self.app, ["--env-file", str(settings / "app.env")], BQ_SQLITE_PATH=str(self.home / "current/app.db"),
                     BQ_SYNC_INTERVAL="") as service:
            first = service.sync(INCREMENTAL)
            (self.home / "one/app.db").rename(self.home / "other/app.db")
            (self.home / "new").symlink_to("other")
            (self.home / "new").rename(self.home / "current")
            (settings / "new").write_text("BQ_SYNC_INTERVAL=2h\n")
            (settings / "new").rename(settings / "app.env")
            service.process.send_signal(signal.SIGHUP)
            service.wait_line("settings reloaded interval_ms=7200000")
            second = service.sync(INCREMENTAL)

        self.assertEqual(("done", "done"), (first["state"], second["state"]), service.log)


if __name__ == "__main__":
    unittest.main()
