"""What the tests of the dashboard share: one browser, and axe-core to judge accessibility."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from tests.e2e import browser
from tests.support.foreign import unavailable

BUILD = pathlib.Path(os.environ.get("BQSYNC_BUILD", "build")).resolve()
SHOTS = BUILD / "screenshots"
STATE = "document.querySelector('#state').textContent"


def axe():
    """axe-core's script, installed by npm below the build folder; None if it cannot be had."""
    folder = BUILD / "axe"
    script = folder / "node_modules/axe-core/axe.min.js"
    if not script.exists() and shutil.which("npm"):
        folder.mkdir(exist_ok=True)
        try:
            subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder),
                            "axe-core@4"], timeout=120, capture_output=True)
        except subprocess.TimeoutExpired:
            return None
    return script.read_text() if script.exists() else None


class BrowserTest(unittest.TestCase):
    """Tests that share one browser; without Chromium there are none."""

    @classmethod
    def setUpClass(cls):
        SHOTS.mkdir(exist_ok=True)
        if browser.program() is None:
            unavailable("there is no Chromium (Debian: apt-get install chromium)")
        cls.browser = cls.enterClassContext(browser.Browser())

    def judge(self, page, name):
        """Fails for what axe-core finds on the page."""
        script = axe()
        if script is None:
            unavailable("axe-core cannot be installed (npm)")
        # Injected through the debugger, which the page's policy does not bind.
        page.run(script + "\n; true")
        found = page.run("axe.run().then((result) => result.violations.map((item) => item.id + ': ' +"
                         " item.nodes.map((node) => node.html + ' ' + node.failureSummary).join('; ').slice(0, 600)))")
        self.assertEqual([], found, name + json.dumps(found, indent=1))
