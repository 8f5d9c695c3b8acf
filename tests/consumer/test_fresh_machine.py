"""A Debian that has nothing but our package and what apt installs for it: from a database to a mirror.

The machine is a root of its own. What it installs comes from Debian's mirror.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from tests.support import foreign
from tests.support.bqlocal import Client
from tests.support.debian import ROOM, base_root, run, skip

NOTES = """
import sqlite3
db = sqlite3.connect("/work/app.db")
db.executescript('''
create table notes(id integer primary key, body text, written_at text);
insert into notes values (1, 'milk', '2026-01-02T03:04:05Z'), (2, 'bread', null);
''')
"""


class FreshMachineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.environ.get("BQSYNC_SANITIZE"):
            raise unittest.SkipTest("the plain build does this")
        if os.geteuid() != 0:
            skip("only root may")
        tar = base_root()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bqsync-machine-", dir=ROOM))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.root = cls.folder / "root"
        cls.root.mkdir()
        run("tar", "-C", cls.root, "-xf", tar).check_returncode()
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", cls.root / "etc" / name)
        packed = run("cpack", "-G", "DEB", "-B", cls.folder, cwd=foreign.BUILD)
        if packed.returncode != 0:
            raise AssertionError(packed.stdout[-3000:] + packed.stderr[-3000:])
        shutil.copy(next(cls.folder.glob("*.deb")), cls.root / "bqsync.deb")
        updated = cls.inside("apt-get", "update")
        if updated.returncode != 0:
            skip("apt-get update: " + updated.stderr[-600:])
        installed = cls.inside("apt-get", "install", "-y", "--no-install-recommends", "/bqsync.deb")
        if installed.returncode != 0:
            raise AssertionError(installed.stdout[-3000:] + installed.stderr[-3000:])
        (cls.root / "work").mkdir()

    @classmethod
    def command(cls, *command, folder="/work"):
        """A program of that machine, in a folder of it."""
        return ["chroot", str(cls.root), "/bin/sh", "-c", 'cd "$0" && exec "$@"', folder, *map(str, command)]

    @classmethod
    def inside(cls, *command, **settings):
        return run(*cls.command(*command, folder="/work" if (cls.root / "work").exists() else "/"),
                   env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", **settings})

    def start_bqlocal(self):
        process = subprocess.Popen(self.command(
            "bqlocal", "--listen", "127.0.0.1:0", "--port-file", "/work/port", "--project", "p", "--dataset", "d"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        port = self.root / "work/port"
        until = time.monotonic() + 60
        while not (port.exists() and port.read_text()):
            self.assertLess(time.monotonic(), until, "bqlocal does not start")
            self.assertIsNone(process.poll())
            time.sleep(0.05)
        return f"127.0.0.1:{port.read_text().strip()}"

    def test_a_database_is_mirrored_without_a_clone(self):
        for program in ("cmake", "pkg-config", "git"):
            self.assertNotEqual(0, self.inside("which", program).returncode, f"{program} is not needed")
        made = self.inside("python3", "-c", NOTES)
        self.assertEqual(0, made.returncode, made.stderr)
        endpoint = self.start_bqlocal()
        started = time.monotonic()

        for command in (("bqsync-gen", "init", "app.db"), ("bqsync-gen", "build"), ("./bqsync", "sync", "--json")):
            ended = self.inside(*command, BIGQUERY_EMULATOR_HOST=endpoint, BQ_PROJECT_NAME="p", BQ_DATASET_NAME="d",
                                BQ_SQLITE_PATH="app.db")
            self.assertEqual(0, ended.returncode, ended.stdout + ended.stderr)

        seconds = time.monotonic() - started
        print(f"\ninit, build and sync took {seconds:.1f} s", file=sys.stderr)
        self.assertTrue(json.loads(ended.stdout)["ok"])
        rows = Client("p", f"http://{endpoint}").query("select body from d.notes order by id")
        self.assertEqual(["milk", "bread"], [row["body"] for row in rows])


if __name__ == "__main__":
    unittest.main()
