"""The application and bqsync run as two users: no file that bqsync leaves beside a database keeps its owner out.

Needs root, to become two users that the system has no entry of, and setpriv of util-linux."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.killing import commit_shim

APP, BQSYNC, GROUP = 4001, 4002, 4000
READS = (("status",), ("check",), ("plan",), ("verify",))
WRITE = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
db.execute("insert into events(kind) values ('w')")
if len(sys.argv) > 2:
    print("connected", flush=True)
    sys.stdin.read()
db.close()
"""


def missing():
    """Why the tests can't run here, or None."""
    if os.geteuid() != 0:
        return "only root can become two other users"
    if shutil.which("setpriv") is None:
        return "there is no setpriv (util-linux)"
    return None


def as_user(uid, *groups):
    """The start of a command line that runs the rest as this user, whose own group has the same number."""
    listed = ["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]
    return ["setpriv", "--reuid", str(uid), "--regid", str(uid), *listed, "--"]


class TwoUsers(Deployment):
    """A deployment whose database belongs to the application, and whose programs can be run as another user."""

    user = BQSYNC
    groups = ()

    def __enter__(self):
        super().__enter__()
        copy = self.folder / "program"
        copy.mkdir()
        self.program = shutil.copy(self.program, copy)
        (self.folder / "state").mkdir()
        self.own(APP, APP, 0o644, 0o777)
        os.chown(self.folder / "state", BQSYNC, BQSYNC)
        return self

    def own(self, uid, gid, mode, folder_mode):
        for path in self.folder.glob("app.db*"):
            os.chown(path, uid, gid)
            path.chmod(mode)
        os.chown(self.folder, uid, gid)
        self.folder.chmod(folder_mode)

    def share(self):
        """What docs/operations.md says for two users: one group that may write the database and its folder."""
        self.groups = (GROUP,)
        self.own(APP, GROUP, 0o660, 0o770)

    def start(self, *arguments, **environment):
        plain = self.program
        self.program = "setpriv"
        try:
            prefix = as_user(self.user, *self.groups)
            return super().start(*prefix[1:], plain, *arguments, **{"BQ_ADMIN_TOKEN": "unused-token", **environment})
        finally:
            self.program = plain

    def write(self):
        """One write of the application, as its own user, in a process of its own."""
        done = subprocess.run([*as_user(APP, GROUP), sys.executable, "-c", WRITE, self.path], capture_output=True,
                              text=True)
        return done.returncode, done.stderr.strip().splitlines()[-1:]

    def beside(self):
        """The files beside the database, with owner and group."""
        return {path.name: (path.stat().st_uid, path.stat().st_gid) for path in self.folder.glob("app.db-*")}


class TestTwoUsers(unittest.TestCase):
    def setUp(self):
        reason = missing()
        if reason is not None:
            self.assertIsNone(os.environ.get("BQSYNC_CI"), reason)
            self.skipTest(f"*** SKIPPED: {reason} ***")
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))

    def deploy(self, **options):
        app = self.enterContext(TwoUsers(self.bq, **options))
        self.addCleanup(app.folder.chmod, 0o700)
        return app

    def assert_app_writes(self, app, after):
        self.assertEqual((0, []), app.write(), f"after {after}: {app.beside()}")

    def modes(self, app):
        """Owner and mode of the files of bqsync's own beside the database."""
        return {path.name: (path.stat().st_uid, path.stat().st_mode & 0o777) for path in app.folder.glob("app.db.*")}

    def test_lock_files_have_the_mode_of_the_database_whoever_runs_bqsync(self):
        for user, umask in ((APP, 0o022), (APP, 0), (0, 0o022), (0, 0o777)):
            with self.subTest(user=user, umask=oct(umask)):
                app = self.deploy()
                app.own(APP, APP, 0o600, 0o755)
                app.user = user
                old = os.umask(umask)
                try:
                    status, _, err = app.run("sync")
                finally:
                    os.umask(old)
                self.assertEqual(0, status, err)
                self.assertEqual({"app.db.bqsync-lock": (APP, 0o600)}, self.modes(app))

    def test_what_everybody_may_write_may_be_shared_by_everybody(self):
        app = self.deploy()
        app.own(APP, APP, 0o666, 0o777)

        status, out, err = app.run("sync")
        self.assertEqual(0, status, err)
        self.assertEqual({"app.db.bqsync-lock": (BQSYNC, 0o666)}, self.modes(app))
        self.assert_app_writes(app, "sync")
        status, out, err = app.run("check")
        self.assertEqual(0, status, out + err)

    def test_a_lock_file_that_is_another_file_is_left_alone(self):
        app = self.deploy()
        app.user = 0
        victim = app.folder / "victim"
        victim.write_text("precious")
        os.link(victim, app.folder / "app.db.bqsync-lock")

        status, _, err = app.run("sync")

        self.assertEqual(6, status, err)
        self.assertIn("has 2 names (hard links)", err)
        self.assertEqual("precious", victim.read_text())

    def assert_refused(self, app, *arguments):
        status, out, err = app.run(*arguments)
        self.assertEqual(1 if arguments == ("check",) else 6, status, f"{arguments}: {out}{err}")
        for word in ("uid 4001", "uid 4002", "run bqsync as"):
            self.assertIn(word, out + err)

    def test_without_a_shared_group_nothing_is_created_and_the_message_names_both_users(self):
        app = self.deploy(state="state/state.db")

        for arguments in (*READS, ("sync",), ("sync", "--dry-run")):
            self.assert_refused(app, *arguments)
            self.assertEqual({}, app.beside(), arguments)
            self.assert_app_writes(app, arguments)

    def test_a_reader_works_beside_a_connected_application_and_leaves_nothing_of_its_own(self):
        app = self.deploy(state="state/state.db")
        connected = subprocess.Popen([*as_user(APP), sys.executable, "-c", WRITE, app.path, "stay"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with connected:
            connected.stdout.readline()
            self.assertEqual(1, len(app.source_rows("events")))
            run = app.sync()
            self.assertEqual("synced", app.table(run, "events")["status"])
            status, out, err = app.run("check")
            self.assertEqual(1, status, out + err)
            self.assertIn("run bqsync as uid 4001", out)
            connected.stdin.close()

        self.assert_app_writes(app, "a sync")
        self.assertTrue(all(owner == (APP, APP) for owner in app.beside().values()), app.beside())

    def test_with_a_shared_group_every_command_leaves_files_that_the_application_can_use(self):
        for journal in ("wal", "delete"):
            with self.subTest(journal=journal):
                app = self.deploy(journal=journal)
                app.share()
                self.assertEqual(0, app.run("sync")[0], app.last_stderr)
                self.assert_app_writes(app, "the first sync")
                for arguments in (*READS, ("sync",), ("sync", "--full")):
                    status, out, err = app.run(*arguments)
                    self.assertEqual(0, status, f"{arguments}: {out}{err}")
                    self.assertTrue(all(group == GROUP for _, group in app.beside().values()), app.beside())
                    self.assert_app_writes(app, arguments)

    def test_a_group_that_may_not_write_is_refused(self):
        app = self.deploy(state="state/state.db")
        app.share()
        app.own(APP, GROUP, 0o640, 0o770)

        self.assert_refused(app, "status")
        self.assertEqual({}, app.beside())

    def test_a_folder_in_which_only_owners_delete_is_refused(self):
        app = self.deploy(state="state/state.db")
        app.own(APP, APP, 0o666, 0o1777)
        os.chown(app.folder, 0, 0)

        self.assert_refused(app, "status")
        self.assertEqual({}, app.beside())

    def test_a_check_says_that_a_source_can_be_read_but_not_written(self):
        app = self.deploy(journal="delete")
        app.own(APP, APP, 0o644, 0o755)

        self.assertEqual(6, app.run("sync")[0])
        status, out, err = app.run("check")

        self.assertEqual(1, status, out + err)
        self.assertRegex(out, r"FAIL  control tables: uid 4002 may read but not write .*BQ_STATE_PATH")

    def test_a_rollback_journal_needs_no_files_for_reading(self):
        app = self.deploy(journal="delete", state="state/state.db")

        for arguments in (("sync",), *READS):
            status, out, err = app.run(*arguments)
            self.assertEqual(0, status, f"{arguments}: {out}{err}")
            self.assert_app_writes(app, arguments)
            app.run("sync")

    @unittest.skipIf(os.environ.get("BQSYNC_SANITIZE"), "the shim cannot be preloaded into a sanitizer build")
    def test_a_sync_killed_in_a_write_leaves_a_journal_that_the_application_can_roll_back(self):
        for journal in ("delete", "wal"):
            left = {}
            for commit in (1, 2, 3):
                with self.subTest(journal=journal, commit=commit):
                    app = self.deploy(journal=journal)
                    app.share()
                    shim = shutil.copy(commit_shim(), app.folder / "program")
                    status, _, err = app.run("sync", LD_PRELOAD=str(shim), BQSYNC_CRASH_COMMIT=str(commit),
                                             BQSYNC_CRASH_SIDE="before")
                    self.assertEqual(-signal.SIGKILL, status, err)
                    left.update(app.beside())
                    self.assert_app_writes(app, "a kill")
                    self.assertEqual(0, app.run("sync")[0], app.last_stderr)
            self.assertIn("app.db-journal" if journal == "delete" else "app.db-wal", left)

    def test_a_run_as_root_leaves_nothing_that_the_service_cannot_open(self):
        for state in (None, "state/state.db"):
            with self.subTest(state=state):
                app = self.deploy(state=state)
                os.chown(app.folder / "state", APP, APP)
                app.user = 0
                self.assertEqual(0, app.run("sync")[0], app.last_stderr)
                self.assert_app_writes(app, "a sync as root")
                app.user = APP
                for arguments in (("sync",), ("check",), ("status",)):
                    status, out, err = app.run(*arguments)
                    self.assertEqual(0, status, f"{arguments}: {out}{err}")

    def test_a_lock_file_of_root_is_named_and_the_next_run_as_root_gives_it_away(self):
        app = self.deploy()
        lock = pathlib.Path(f"{app.path}.bqsync-lock")
        lock.touch(0o600)
        app.user = APP

        status, _, err = app.run("sync")
        self.assertEqual(6, status)
        self.assertIn(str(lock), err)
        status, out, _ = app.run("check")
        self.assertEqual(1, status, out)
        self.assertIn(str(lock), out)
        app.user = 0
        self.assertEqual(0, app.run("sync")[0], app.last_stderr)
        app.user = APP
        self.assertEqual(0, app.run("sync")[0], app.last_stderr)
