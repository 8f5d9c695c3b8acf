"""The memory of a running bqsync, which holds keys and rows, goes to no disk and to no other program of its user."""

import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import unittest

from tests.e2e.serving import INCREMENTAL, Service
from tests.support import foreign
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

NOBODY = 65534


def dies_with_core(process):
    """Whether the kernel wrote a core of a process that is killed."""
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -os.WTERMSIG(status)
    return os.WCOREDUMP(status)


class MemoryTest(unittest.TestCase):
    def setUp(self):
        if os.environ.get("BQSYNC_SANITIZE"):
            self.skipTest("a sanitizer looks for leaks from another process")
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))

    def test_no_core_is_written(self):
        before = resource.getrlimit(resource.RLIMIT_CORE)
        if before[1] != resource.RLIM_INFINITY:
            foreign.absent("no process may write a core here")
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_CORE, before)
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="bqsync-core-"))
        other = subprocess.Popen([sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"], cwd=folder,
                                 stdout=subprocess.PIPE)
        self.addCleanup(other.stdout.close)
        other.stdout.readline()
        if not dies_with_core(other):
            foreign.absent("the kernel writes no core of any process here")

        with Service(self.app, token="a token of sixteen letters") as service:
            self.assertFalse(dies_with_core(service.process))

        self.assertEqual([], list(pathlib.Path(self.app.folder).glob("core*")))

    def test_other_programs_of_the_user_cannot_read_it(self):
        if os.geteuid() != 0:
            foreign.absent("only root can run programs of another user")
        for path in (pathlib.Path(self.app.folder), *pathlib.Path(self.app.folder).iterdir()):
            os.chown(path, NOBODY, NOBODY)
        asleep = subprocess.Popen(["sleep", "600"], user=NOBODY)
        self.addCleanup(asleep.wait)
        self.addCleanup(asleep.kill)

        with Service(self.app, user=NOBODY) as service:
            run = service.sync(INCREMENTAL)
            found = {what: self.as_nobody(f"/proc/{pid}/{file}")
                     for what, pid, file in (("memory", service.process.pid, "mem"),
                                             ("environment", service.process.pid, "environ"),
                                             ("another's", asleep.pid, "environ"))}

        self.assertEqual("done", run["state"])
        self.assertEqual({"memory": "refused", "environment": "refused", "another's": "open"}, found)

    def as_nobody(self, path):
        # Where the memory is open, reading it fails nevertheless: nothing is mapped at address 0.
        ended = subprocess.run(["head", "-c", "1", path], user=NOBODY, capture_output=True, text=True)
        return "refused" if "Permission denied" in ended.stderr else "open"


if __name__ == "__main__":
    unittest.main()
