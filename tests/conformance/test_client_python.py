"""Google's own client for Python drives bqlocal, unmodified."""

import os
import re
import subprocess
import unittest

from tests.support import foreign
from tests.support.bqlocal import Bqlocal

HERE = foreign.CONFORMANCE / "clients" / "python"


class PythonClientTest(unittest.TestCase):
    def test_the_client_is_content(self):
        python = foreign.python_with("pip", "python3-pip")
        packages = foreign.installed(
            "python", [HERE / "requirements.txt"],
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
             "--target", "packages", "--requirement", "requirements.txt"], foreign.absent) / "packages"
        bq = self.enterContext(Bqlocal(project="python-project", datasets=[]))

        ended = subprocess.run([python, str(HERE / "core.py")], capture_output=True, text=True, timeout=600, env={
            **os.environ, "PYTHONPATH": str(packages), "BQLOCAL_URL": bq.url, "BQLOCAL_PROJECT": bq.project,
            "no_proxy": "*"})

        self.assertEqual(0, ended.returncode, ended.stderr[-8000:])
        self.assertGreaterEqual(int(re.search(r"^Ran (\d+) tests", ended.stderr, re.M)[1]), 20)


if __name__ == "__main__":
    unittest.main()
