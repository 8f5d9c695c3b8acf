"""The units of the Debian package under a real systemd: installed by dpkg in a Debian of its own, booted in a container.

Needs root, and rights that most containers do not give. What a unit says of restarts, users, credentials and
confinement is done by systemd here, and by nothing of ours; the service speaks to bqlocal.
"""

import contextlib
import os
import pathlib
import platform
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from tests.support import foreign, printed, sampledb
from tests.support.bqlocal import Bqlocal
from tests.support.debian import ROOM, base_root, run, skip
from tests.support.deployment import UNUSED_TOKEN
from tests.support.kernel import landlock_version

BOOT_SECONDS = 120
START_SECONDS = 60
APP = 4001
SYSTEM = ("systemd", "dbus")
# Only `bqsync-gen build` needs these, and they are large.
COMPILERS = ("gcc", "libc6-dev", "python3")


class Machine:
    """A Debian with systemd that has booted, and the package installed in it."""

    def __init__(self, folder, package):
        self.root = folder / "root"
        self.root.mkdir()
        depends = run("dpkg-deb", "-f", package, "Depends").stdout
        names = [re.split(r"[ |]", entry.strip())[0] for entry in depends.split(",")]
        tar = base_root((*SYSTEM, *sorted(set(names) - set(COMPILERS))))
        run("tar", "-C", self.root, "-xf", tar).check_returncode()
        installed = run("dpkg", f"--root={self.root}", "--force-depends", "-i", package)
        if installed.returncode != 0:
            raise AssertionError(installed.stdout + installed.stderr)
        run("chroot", self.root, "useradd", "--uid", APP, "--user-group", "app").check_returncode()

    def boot(self):
        """Ends when the machine has nothing more to start."""
        nspawn = foreign.tool("systemd-nspawn", "systemd-container")
        self.log = open(self.root.parent / "console", "w+")
        # nspawn's own filter leaves out Landlock, which a real machine has.
        self.process = subprocess.Popen([nspawn, "--directory", self.root, "--boot", "--register=no", "--keep-unit",
                                         "--resolv-conf=off", "--machine", f"bqsync-{os.getpid()}"],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env={**os.environ, "SYSTEMD_SECCOMP": "0"})
        end = time.monotonic() + BOOT_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            if self.inside("systemctl", "is-system-running", "--wait").stdout.strip() in ("running", "degraded"):
                return
            time.sleep(0.1)
        self.halt()
        skip("systemd does not boot in a container here: " + (self.root.parent / "console").read_text()[-600:])

    def leader(self):
        """The process that is number 1 in the machine."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            if pathlib.Path(f"/proc/{child}/comm").read_text().strip() in ("systemd", "init"):
                return child
        return None

    def inside(self, *command):
        leader = self.leader()
        if leader is None:
            return subprocess.CompletedProcess(command, 1, "", "not booted")
        return run("nsenter", "--target", leader, "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root", "--wd",
                   "--", *command, timeout=BOOT_SECONDS)

    def halt(self):
        if self.process.poll() is None:
            leader = self.leader()
            if leader is not None:
                os.kill(int(leader), signal.SIGKILL)
            try:
                self.process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


class UnitsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.environ.get("BQSYNC_SANITIZE"):
            raise unittest.SkipTest("the plain build does this")
        if os.geteuid() != 0:
            skip("only root may")
        if platform.freedesktop_os_release().get("VERSION_CODENAME") != "bookworm":
            skip("the programs are built for another system than the machine's, Debian 12")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bqsync-units-", dir=ROOM))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        packed = run("cpack", "-G", "DEB", "-B", cls.folder, cwd=foreign.BUILD)
        if packed.returncode != 0:
            raise AssertionError(packed.stdout[-3000:] + packed.stderr[-3000:])
        cls.machine = Machine(cls.folder, next(cls.folder.glob("*.deb")))
        cls.addClassCleanup(cls.machine.halt)
        cls.machine.boot()

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.addCleanup(self.forget)
        self.data = self.machine.root / "var/lib/app"
        self.data.mkdir()
        self.path = self.data / "app.db"
        sampledb.make(str(self.path), rows=300)
        for path in (self.data, self.path):
            os.chown(path, APP, APP)
        self.configure()
        (self.machine.root / "etc/bqsync/key.json").write_text("{}")

    def forget(self):
        """Nothing of a test is left to the next one."""
        self.systemctl("stop", "bqsync.timer", "bqsync-sync.service", "bqsync.service")
        printed.keep("bqsync", "journal of the units", self.journal())
        self.systemctl("reset-failed")
        shutil.rmtree(self.data)
        shutil.rmtree(self.machine.root / "var/lib/private/bqsync", ignore_errors=True)
        for folder in (self.machine.root / "etc/systemd/system").glob("bqsync*.d"):
            shutil.rmtree(folder)
        self.systemctl("daemon-reload")

    # What an operator does

    def configure(self, **settings):
        given = {"BIGQUERY_EMULATOR_HOST": self.bq.host, "BQ_PROJECT_NAME": "p", "BQ_DATASET_NAME": "d",
                 "BQ_SQLITE_PATH": "/var/lib/app/app.db", "BQ_ADMIN_TOKEN": UNUSED_TOKEN,
                 "BQ_ADMIN_LISTEN": "127.0.0.1:0", **settings}
        printed.ran()
        printed.secrets_of(given, self.folder)
        text = "".join(f"{name}={value}\n" for name, value in given.items())
        (self.machine.root / "etc/bqsync/bqsync.env").write_text(text)

    def override(self, unit, *lines):
        """What `systemctl edit` writes."""
        folder = self.machine.root / f"etc/systemd/system/{unit}.d"
        folder.mkdir(exist_ok=True)
        (folder / "override.conf").write_text("\n".join(lines) + "\n")
        self.systemctl("daemon-reload")

    def run_as_app(self, unit):
        self.override(unit, "[Service]", "User=app", "Group=app", "ReadWritePaths=/var/lib/app")

    def systemctl(self, *arguments):
        return self.machine.inside("systemctl", *arguments)

    def start(self, unit):
        done = self.systemctl("start", unit)
        self.assertEqual(0, done.returncode, done.stderr + self.journal())

    def show(self, unit, *names):
        shown = self.systemctl("show", unit, *(f"--property={name}" for name in names)).stdout
        values = dict(line.split("=", 1) for line in shown.splitlines())
        return [values[name] for name in names]

    def journal(self):
        return self.machine.inside("journalctl", "--no-pager", "--output=cat", "--unit=bqsync*").stdout

    def execute(self, sql):
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None, timeout=30)) as db:
            return db.execute(sql).fetchall()

    def wait(self, reached, words):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if reached():
                return
            time.sleep(0.05)
        self.fail(f"{words} within {START_SECONDS} s:\n{self.journal()}")

    def mirrored(self):
        """Whether BigQuery has the users that SQLite has."""
        with contextlib.suppress(Exception):
            return self.execute("select count(*) from users")[0][0] == self.bq.scalar("select count(*) from d.users")
        return False

    def recorded(self):
        """Whether a pass has ended that had something to send."""
        state = self.machine.root / "var/lib/private/bqsync/state.db"
        with contextlib.suppress(sqlite3.Error):
            with contextlib.closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as db:
                return db.execute("select count(*) from bq_sync_runs").fetchone() == (1,)
        return False

    # The service

    def test_the_service_mirrors_as_the_owner_of_the_database_and_stops_cleanly(self):
        self.run_as_app("bqsync.service")

        self.start("bqsync.service")
        self.wait(self.mirrored, "no first sync")
        self.execute("delete from user_organizations")
        self.systemctl("kill", "--signal=SIGUSR1", "bqsync.service")
        self.wait(lambda: self.bq.scalar("select count(*) from d.user_organizations") == 0, "no second sync")

        owners = {path.name: path.stat().st_uid for path in self.data.iterdir()}
        self.assertEqual({APP}, set(owners.values()), owners)
        self.assertEqual(0, self.systemctl("stop", "bqsync.service").returncode)
        self.assertEqual(["success", "0"], self.show("bqsync.service", "Result", "ExecMainStatus"), self.journal())
        # Its own sandbox and systemd's do not get in each other's way. A kernel without Landlock says so.
        self.assertIn(f"confined landlock={landlock_version()} seccomp=1" if landlock_version() else "files not confined",
                      self.journal())

    def test_a_killed_service_comes_back(self):
        self.run_as_app("bqsync.service")
        self.start("bqsync.service")
        [first] = self.show("bqsync.service", "MainPID")

        self.systemctl("kill", "--signal=SIGKILL", "--kill-who=main", "bqsync.service")

        self.wait(lambda: self.show("bqsync.service", "ActiveState", "NRestarts") == ["active", "1"], "no restart")
        self.assertNotEqual([first], self.show("bqsync.service", "MainPID"))
        self.wait(self.mirrored, "no sync")

    def test_what_a_person_must_put_right_is_not_tried_again(self):
        for status, words, settings in (
                ("3", "BQ_PROJECT_NAME", {"BQ_PROJECT_NAME": ""}),
                ("3", "BQ_ADMIN_LISTEN", {"BQ_ADMIN_LISTEN": "nowhere"}),
                ("4", "key.json", {"BIGQUERY_EMULATOR_HOST": ""})):
            with self.subTest(words):
                self.configure(**settings)
                self.run_as_app("bqsync.service")

                self.assertNotEqual(0, self.systemctl("start", "bqsync.service").returncode)

                shown = self.show("bqsync.service", "ActiveState", "ExecMainStatus", "NRestarts")
                self.assertEqual(["failed", status, "0"], shown, self.journal())
                self.assertIn(words, self.journal())
                self.systemctl("reset-failed")

    # The timer

    def test_the_installation_enables_nothing(self):
        for unit in ("bqsync.service", "bqsync.timer"):
            self.assertEqual("disabled", self.systemctl("is-enabled", unit).stdout.strip())
        self.assertEqual("static", self.systemctl("is-enabled", "bqsync-sync.service").stdout.strip())

    def test_the_timer_starts_single_syncs(self):
        self.run_as_app("bqsync-sync.service")
        # The documented times are minutes apart; what they start is the same.
        self.override("bqsync.timer", "[Timer]", "OnCalendar=", "RandomizedDelaySec=0", "OnActiveSec=0")

        self.start("bqsync.timer")

        self.wait(self.mirrored, "no sync")
        self.wait(lambda: self.show("bqsync-sync.service", "ActiveState") == ["inactive"], "the sync has not ended")
        self.assertEqual(["success", "0"], self.show("bqsync-sync.service", "Result", "ExecMainStatus"))

    def test_a_single_sync_that_fails_is_a_failed_unit(self):
        self.run_as_app("bqsync-sync.service")
        self.configure(BQ_DATASET_NAME="nowhere")

        self.assertNotEqual(0, self.systemctl("start", "bqsync-sync.service").returncode)

        self.assertEqual(["failed", "3"], self.show("bqsync-sync.service", "ActiveState", "ExecMainStatus"))

    def test_without_an_override_both_services_share_a_state_of_their_own(self):
        self.execute("pragma journal_mode = delete")
        self.configure(BQ_STATE_PATH="/var/lib/bqsync/state.db")
        self.start("bqsync.service")
        self.wait(self.recorded, "no first sync")
        self.systemctl("stop", "bqsync.service")
        self.execute("delete from user_organizations")
        self.bq.clear_requests()

        self.start("bqsync-sync.service")

        self.assertEqual(0, self.bq.scalar("select count(*) from d.user_organizations"))
        # With a state of its own it would have sent every table.
        self.assertEqual([], [request for request in self.bq.requests() if "/upload/" in request["path"]])
        owners = {path.name: path.stat().st_uid for path in self.data.iterdir()}
        self.assertEqual({"app.db": APP}, owners)


if __name__ == "__main__":
    unittest.main()
