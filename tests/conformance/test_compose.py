"""The example of runtime/deploy/compose. Its file is read by the library of docker compose; then its three parts run
as it says (user, variables, commands, a root that cannot be written, tmpfs), as processes instead of containers."""

import contextlib
import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest

from tests.support import foreign, printed
from tests.support.bqlocal import Client, HttpError

DEPLOY = foreign.SOURCE / "runtime/deploy"
EXAMPLE = DEPLOY / "compose"
READER = foreign.CONFORMANCE / "clients/compose"
START_SECONDS = 60
USER = 10001
# Runs a program in a root of its own: the system and $1 as /programs to read, $2 as the volume at $3, a tmpfs at /tmp,
# and nothing else to write. The program is $5, run as the user $4 without any capability.
ROOT = """
programs=$1 volume=$2 target=$3 user=$4; shift 4
root=/mnt
mount -t tmpfs tmpfs $root
for name in usr bin lib lib64 etc dev proc; do
    [ -e /$name ] || continue
    mkdir $root/$name
    mount --rbind /$name $root/$name
done
mkdir $root/programs $root/tmp $root$target
mount --bind "$programs" $root/programs
mount --bind "$volume" $root$target
mount -t tmpfs -o mode=1777 tmpfs $root/tmp
mount -o remount,ro $root
case $1 in *.py) set -- /usr/bin/python3 -u "$@" ;; esac
cd $root
exec /usr/sbin/chroot $root \\
    setpriv --reuid $user --regid $user --clear-groups --no-new-privs --bounding-set -all -- "$@"
"""


def read(**variables):
    """What the library of docker compose makes of the file: (JSON, "") or (None, what it says is wrong)."""
    go = foreign.toolchain("go")
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", **variables}
    with tempfile.TemporaryDirectory() as folder:
        reader = pathlib.Path(folder) / "reader"
        made = subprocess.run([go, "build", "-o", reader, "."], cwd=READER, env=environment, capture_output=True,
                              text=True, timeout=foreign.INSTALL_SECONDS)
        if made.returncode != 0:
            foreign.absent(f"go could not build the reader of compose files: {made.stderr.strip()[-600:]}")
        ended = subprocess.run([reader, EXAMPLE / "compose.yaml"], env=environment, capture_output=True, text=True)
    return (json.loads(ended.stdout) if ended.returncode == 0 else None), ended.stderr


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class ComposeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.token = "compose-" + secrets.token_hex(16)
        cls.project, said = read(BQ_ADMIN_TOKEN=cls.token)
        if cls.project is None:
            raise AssertionError(said)

    def test_the_token_has_to_be_set(self):
        project, said = read(BQ_ADMIN_TOKEN="")

        self.assertIsNone(project)
        self.assertIn("BQ_ADMIN_TOKEN", said)

    def test_each_part_is_confined_and_every_file_it_names_is_there(self):
        services = self.project["services"]
        self.assertEqual({"app", "bqsync", "bqlocal"}, set(services))
        for name, service in services.items():
            with self.subTest(name):
                self.assertTrue(service["read_only"])
                self.assertEqual((f"{USER}:{USER}", ["ALL"]), (service["user"], service["cap_drop"]))
                self.assertTrue(any(entry.startswith("/tmp:") for entry in service["tmpfs"]))
                for port in service.get("ports", []):
                    self.assertEqual("127.0.0.1", port["host_ip"])
                context = pathlib.Path(service["build"]["context"])
                dockerfile = (context / service["build"]["dockerfile"]).read_text()
                for source in re.findall(r"^COPY ([^-]\S*) ", dockerfile, re.M):
                    self.assertTrue((context / source).exists(), source)
        schemas = services["bqsync"]["build"]["args"]["SCHEMAS"]
        self.assertEqual(EXAMPLE / "schemas", foreign.SOURCE / schemas)

    def test_the_three_parts_work_together(self):
        if os.environ.get("BQSYNC_SANITIZE"):
            self.skipTest("the plain build does this")
        if os.geteuid() != 0:
            foreign.absent("only root can make a root that cannot be written")
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bqsync-compose-")))
        self.folder.chmod(0o755)
        (self.folder / "programs").mkdir()
        shutil.copy(EXAMPLE / "app/app.py", self.folder / "programs")
        self.ports = {"8001": free_port(), "9050": free_port()}
        client = Client("demo", f"http://127.0.0.1:{self.ports['9050']}")

        self.start("bqlocal", foreign.build_output("bqlocal"))
        self.wait(lambda: client.get("datasets"), "bqlocal did not start")
        self.start("app", EXAMPLE / "app/app.py")
        self.wait(self.has_orders, "the application did not start")
        self.start("bqsync", foreign.build_output("bqsync_compose"), "serve")

        self.wait(lambda: client.scalar("select count(*) from shop.orders where status = 'shipped'") > 1, "no orders")
        self.assertEqual({USER}, {path.stat().st_uid for path in (self.folder / "data").iterdir()})
        port = self.ports["8001"]
        for listen, status in ((f"0.0.0.0:{port}", 0), (f"127.0.0.1:{port}", 0), ("off", 0), ("0.0.0.0:1", 1)):
            with self.subTest(listen=listen):
                ended = subprocess.run([DEPLOY / "healthy"], env={**os.environ, "BQ_ADMIN_LISTEN": listen},
                                       capture_output=True, text=True)
                self.assertEqual(status, ended.returncode, ended.stderr)

    def has_orders(self):
        path = self.folder / "data/app.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return db.execute("select count(*) from orders").fetchone()

    def start(self, name, program, *arguments):
        """A part of the example in a root that cannot be written, as its user, with its variables and its volume."""
        service = self.project["services"][name]
        given = dict(service.get("environment") or {})
        arguments = [*arguments, *(service.get("command") or [])]
        for port, free in self.ports.items():
            arguments = [argument.replace(f"0.0.0.0:{port}", f"127.0.0.1:{free}") for argument in arguments]
            given = {key: value.replace(f":{port}", f":{free}").replace("//bqlocal", "//127.0.0.1")
                     for key, value in given.items()}
        [volume] = service["volumes"]
        source = self.folder / volume["source"]
        if not source.exists():
            source.mkdir()
            os.chown(source, USER, USER)
        shutil.copy(program, self.folder / "programs")
        printed.ran()
        printed.secrets_of(given, self.folder)
        log = self.folder / f"{name}.log"
        with open(log, "w") as file:
            process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-ec", ROOT, "sh", self.folder / "programs", source, volume["target"],
                 str(USER), f"/programs/{pathlib.Path(program).name}", *arguments],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, env={"PATH": "/usr/bin:/bin", **given})
        self.addCleanup(self.end, process, name, log)

    def end(self, process, name, log):
        process.terminate()
        try:
            process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if name != "app":
            printed.keep(name, f"{name} of the compose example", log.read_text())

    def wait(self, reached, words):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(OSError, HttpError, sqlite3.Error):
                if reached():
                    return
            time.sleep(0.05)
        logs = "\n".join(f"{log.name}:\n{log.read_text()[-2000:]}" for log in self.folder.glob("*.log"))
        self.fail(f"{words} within {START_SECONDS} s\n{logs}")


if __name__ == "__main__":
    unittest.main()
