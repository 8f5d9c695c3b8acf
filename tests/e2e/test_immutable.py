"""A copy of the database in a folder that bqsync may not write."""

import os
import pathlib
import shutil
import subprocess
import unittest

from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "schemas"
NOBODY = "65534"


class ImmutableTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, state="state.db"))
        self.app.execute("insert into accounts values (1, 'a@x', 1.5, 'one')")
        self.uri = f"file:{self.app.path}?immutable=1"

    def test_a_copy_is_synced_and_nothing_is_left_beside_it(self):
        before = sorted(path.name for path in self.app.folder.glob("app.db*"))

        for arguments in (["sync"], ["verify"], ["status"], ["check"], ["plan"], ["sync"]):
            status, out, err = self.app.run(*arguments, BQ_SQLITE_PATH=self.uri)
            self.assertEqual(0, status, out + err)

        self.assertEqual(before, sorted(path.name for path in self.app.folder.glob("app.db*")))
        reports = mirror.compare(str(self.app.path), self.bq.url, "p", "d", SCHEMAS, ())
        self.assertEqual([], [str(report) for report in reports if not report.equal])

    def test_the_state_has_to_be_elsewhere(self):
        for state in ("", str(self.app.path)):
            status, _, err = self.app.run("sync", BQ_SQLITE_PATH=self.uri, BQ_STATE_PATH=state)
            self.assertEqual(3, status)
            self.assertIn("set BQ_STATE_PATH to another file", err)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "only root can become another user")
    def test_a_folder_that_may_not_be_written_leads_to_this_way(self):
        state = self.app.folder / "state"
        state.mkdir()
        state.chmod(0o777)
        self.app.folder.chmod(0o755)
        program = shutil.copy(self.app.program, self.app.folder)

        def sync(path):
            environment = {**self.app.environment, "BQ_SQLITE_PATH": path, "BQ_STATE_PATH": str(state / "state.db")}
            return subprocess.run(
                ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--", program, "sync"],
                cwd=state, env=environment, capture_output=True, text=True, timeout=60)

        refused = sync(str(self.app.path))
        self.assertEqual(6, refused.returncode)
        self.assertIn("?immutable=1", refused.stderr)
        self.assertNotIn("BQ_STATE_PATH", refused.stderr)
        self.assertEqual(0, sync(self.uri).returncode)


if __name__ == "__main__":
    unittest.main()
