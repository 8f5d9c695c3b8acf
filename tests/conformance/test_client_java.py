"""Google's own client for Java drives bqlocal, unmodified."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from tests.support import foreign, sampling
from tests.support.bqlocal import Bqlocal

HERE = foreign.CONFORMANCE / "clients" / "java"


class JavaClientTest(unittest.TestCase):
    def test_the_client_is_content(self):
        sampling.wait_for_turn("client for Java")
        java, javac = foreign.toolchain("java"), foreign.toolchain("javac")
        library = foreign.installed(
            "java", [HERE / "pom.xml"], [foreign.toolchain("mvn"), "--batch-mode", "--quiet", "dependency:copy-dependencies",
                                         "-DoutputDirectory=lib"], foreign.absent) / "lib"
        classes = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        subprocess.run([javac, "-cp", f"{library}/*", "-d", str(classes), str(HERE / "Core.java")], check=True,
                       capture_output=True, timeout=300)
        bq = self.enterContext(Bqlocal(project="java-project", datasets=[]))

        ended = subprocess.run([java, "-cp", f"{library}/*:{classes}", "Core"], capture_output=True, text=True,
                               timeout=600, env={**os.environ, "BQLOCAL_URL": bq.url, "BQLOCAL_PROJECT": bq.project})

        self.assertEqual(0, ended.returncode, ended.stdout[-8000:] + ended.stderr[-2000:])
        self.assertGreaterEqual(sum(line.startswith("ok ") for line in ended.stdout.splitlines()), 10)


if __name__ == "__main__":
    unittest.main()
