"""A database file that has a second name: SQLite would have a -wal for each."""

import os
import shutil
import subprocess
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

SOURCE = 6  # the exit status for the source (docs/operations.md)


class SecondNameTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into accounts values (1, 'a@x', 1, 'first')")
        self.second = self.app.folder / "second" / "app.db"
        self.second.parent.mkdir()

    def assert_refused(self, *words, **environment):
        for command, expected in ("sync", SOURCE), ("plan", SOURCE), ("check", 1), ("verify", SOURCE), ("status", SOURCE):
            with self.subTest(command):
                status, out, err = self.app.run(command, **environment)
                self.assertEqual(expected, status, out + err)
                for word in words:
                    self.assertIn(word, out + err)
        self.assertEqual([self.second] if self.second.exists() else [], list(self.second.parent.iterdir()))
        self.assertEqual([], self.bq.tables("d"))
        self.assertEqual([("ok",)], self.app.execute("pragma integrity_check"))

    def test_a_hard_link_of_the_source(self):
        os.link(self.app.path, self.second)
        self.assert_refused(str(self.second), "has 2 names", "-samefile", BQ_SQLITE_PATH=str(self.second))
        # The first name is no better.
        self.assertEqual(SOURCE, self.app.run("sync")[0])
        self.second.unlink()
        self.assertEqual(0, self.app.run("sync")[0])

    def test_a_hard_link_of_the_source_as_the_state(self):
        os.link(self.app.path, self.second)
        self.assert_refused("has 2 names", BQ_STATE_PATH=str(self.second))

    def test_a_hard_link_that_nobody_changes_is_read(self):
        copy = self.app.folder / "copy.db"
        self.app.execute("pragma wal_checkpoint(truncate)")
        shutil.copyfile(self.app.path, copy)
        os.link(copy, self.second)
        status, _, err = self.app.run("sync", BQ_SQLITE_PATH=f"file:{self.second}?immutable=1", BQ_STATE_PATH="state.db")
        self.assertEqual(0, status, err)
        self.assertEqual(1, len(self.bq.rows("d", "accounts")))

    def test_a_symbolic_link_is_followed(self):
        self.second.symlink_to(self.app.path)
        self.assertEqual(0, self.app.run("sync", BQ_SQLITE_PATH=str(self.second))[0])
        self.app.execute("insert into accounts values (2, 'b@x', 1, 'in the wal')")
        self.assertEqual(0, self.app.run("sync", BQ_SQLITE_PATH=str(self.second))[0])
        self.assertEqual(2, len(self.bq.rows("d", "accounts")))

    def test_a_file_that_is_mounted_alone(self):
        self.second.touch()
        if subprocess.run(["unshare", "--mount", "mount", "--bind", self.app.path, self.second], capture_output=True).returncode:
            self.skipTest("nothing can be mounted here")
        mounted = ["unshare", "--mount", "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh", self.app.path,
                   self.second]
        run = subprocess.run([*mounted, self.app.program, "sync"], cwd=self.app.folder, capture_output=True, text=True,
                             env=self.app.environment | {"BQ_SQLITE_PATH": str(self.second)})
        self.assertEqual(SOURCE, run.returncode, run.stderr)
        self.assertIn(f"{self.second} is mounted alone", run.stderr)
        self.assertIn("mount the folder", run.stderr)


if __name__ == "__main__":
    unittest.main()
