"""Google's own client for Go drives bqlocal, unmodified."""

import os
import subprocess
import unittest

from tests.support import foreign, sampling
from tests.support.bqlocal import Bqlocal

HERE = foreign.CONFORMANCE / "clients" / "go"


class GoClientTest(unittest.TestCase):
    def test_the_client_is_content(self):
        sampling.wait_for_turn("client for Go")
        go = foreign.toolchain("go")
        environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "no_proxy": "*"}
        got = subprocess.run([go, "mod", "download"], cwd=HERE, capture_output=True, text=True, timeout=foreign.INSTALL_SECONDS,
                             env={name: value for name, value in environment.items() if name != "no_proxy"})
        if got.returncode != 0:
            foreign.absent(f"go could not fetch its modules: {got.stderr.strip()[-600:]}")
        bq = self.enterContext(Bqlocal(project="go-project", datasets=[]))

        ended = subprocess.run([go, "test", "-count=1", "-v", "."], cwd=HERE, capture_output=True, text=True, timeout=800,
                               env={**environment, "BQLOCAL_URL": bq.url, "BQLOCAL_PROJECT": bq.project})

        self.assertEqual(0, ended.returncode, ended.stdout[-8000:] + ended.stderr[-2000:])
        self.assertGreaterEqual(ended.stdout.count("--- PASS"), 10)


if __name__ == "__main__":
    unittest.main()
