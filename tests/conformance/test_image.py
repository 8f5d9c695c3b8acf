"""The image of runtime/deploy/Dockerfile, really built and really run: by buildah, without a daemon or a registry.

What stands for debian:bookworm-slim is installed by debootstrap, so that only Debian's mirror is needed. The programs
of the image run in a root of their own as the image's user, and speak to bqlocal.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from tests.support import foreign, printed, sampledb, sampling
from tests.support.bqlocal import Bqlocal
from tests.support.debian import ROOM, base_root, run, skip
from tests.support.deployment import UNUSED_TOKEN

DOCKERFILE = foreign.SOURCE / "runtime" / "deploy" / "Dockerfile"
BASE = "docker.io/library/debian:bookworm-slim"
START_SECONDS = 60
USER = 10001
# Beyond the base, uncompressed: libraries, certificates, time zones and the program.
ADDED_BYTES_MAX = 60_000_000


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.environ.get("BQSYNC_SANITIZE"):
            raise unittest.SkipTest("the plain build does this")
        if os.geteuid() != 0:
            skip("only root may")
        sampling.wait_for_turn("images")
        cls.buildah_program = foreign.tool("buildah", "buildah")
        tar = base_root()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bqsync-image-", dir=ROOM))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.addClassCleanup(cls.buildah, "rm", "--all")

        base = cls.buildah("from", "scratch")
        if base.returncode != 0:
            skip(base.stderr.strip()[-600:])
        container = base.stdout.strip()
        cls.need("add", "--quiet", container, tar, "/")
        cls.need("commit", "--quiet", container, BASE)
        built = cls.build(DOCKERFILE, "bqsync")
        if built.returncode != 0:
            said = built.stdout + built.stderr
            if "operation not permitted" in said.lower() or "Temporary failure resolving" in said:
                skip(said.strip()[-600:])
            raise AssertionError(said[-5000:])
        cls.container = cls.need("from", "--pull-never", "localhost/bqsync").strip()
        cls.root = pathlib.Path(cls.need("mount", cls.container).strip())
        cls.config = json.loads(cls.need("inspect", "--type", "image", "localhost/bqsync"))

    @classmethod
    def build(cls, dockerfile, name, *options):
        return cls.buildah("bud", "--isolation", "chroot", "--pull-never", "--format", "docker", "--network", "host",
                           "-f", dockerfile, "-t", name, *options, foreign.SOURCE)

    @classmethod
    def buildah(cls, *arguments, **options):
        return run(cls.buildah_program, "--root", cls.folder / "store", "--runroot", cls.folder / "run",
                   "--storage-driver", "vfs", *arguments, **options)

    @classmethod
    def need(cls, *arguments):
        done = cls.buildah(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"buildah {arguments}: {done.stderr}")
        return done.stdout

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.data = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bqsync-data-")))
        os.chown(self.data, USER, USER)
        self.data.chmod(0o755)
        sampledb.make(str(self.data / "app.db"), rows=300)
        for path in self.data.iterdir():
            os.chown(path, USER, USER)

    def command(self, *program, **environment):
        """How a program of the image is run: as the image says, with a folder of the machine at /data."""
        given = {"BIGQUERY_EMULATOR_HOST": self.bq.host, "BQ_PROJECT_NAME": "p", "BQ_DATASET_NAME": "d",
                 "BQ_SQLITE_PATH": "/data/app.db", "BQ_ADMIN_TOKEN": UNUSED_TOKEN, **environment}
        printed.ran()
        printed.secrets_of(given, self.data)
        variables = [f"--env={name}={value}" for name, value in given.items()]
        return [self.buildah_program, "--root", self.folder / "store", "--runroot", self.folder / "run",
                "--storage-driver", "vfs", "run", "--isolation", "chroot", *variables, "-v", f"{self.data}:/data",
                self.container, "--", *program]

    def run_program(self, *arguments, **environment):
        done = run(*self.command("/usr/bin/bqsync", *arguments, **environment), timeout=120)
        printed.keep("bqsync", "bqsync of the image", done.stdout, done.stderr)
        return done

    def test_the_image_says_who_runs_what_and_how_it_stops(self):
        config = self.config["Docker"]["config"]

        self.assertEqual(["/usr/bin/bqsync"], config["Entrypoint"])
        self.assertEqual(["serve"], config["Cmd"])
        self.assertEqual(("bqsync", "/data"), (config["User"], config["WorkingDir"]))
        self.assertEqual("SIGTERM", config["StopSignal"])
        self.assertEqual(["CMD", "/usr/lib/bqsync/healthy"], config["Healthcheck"]["Test"])

    def test_it_holds_neither_sources_nor_secrets_nor_archives_and_is_small(self):
        for name in ("src", "build", "usr/bin/gcc", "usr/bin/cmake"):
            self.assertFalse((self.root / name).exists(), name)
        for pattern in ("**/.git", "**/.env", "var/cache/apt/archives/*.deb", "var/lib/apt/lists/*_Packages*"):
            self.assertEqual([], list(self.root.glob(pattern)))
        base = self.need("from", "--pull-never", BASE).strip()
        sizes = [int(run("du", "-sxb", root).stdout.split()[0])
                 for root in (self.root, self.need("mount", base).strip())]
        print(f"image: {sizes[0] / 1e6:.1f} MB, {(sizes[0] - sizes[1]) / 1e6:.1f} MB of it on top of its base")
        self.assertLess(sizes[0] - sizes[1], ADDED_BYTES_MAX)

    def test_check_and_sync_run_as_the_user_of_the_image(self):
        who = run(*self.command("id", "-u"))
        self.assertEqual(str(USER), who.stdout.strip(), who.stderr)

        synced = self.run_program("sync", "--json")
        checked = self.run_program("check")

        self.assertEqual(0, synced.returncode, synced.stdout + synced.stderr)
        self.assertEqual(0, checked.returncode, checked.stdout + checked.stderr)
        run_document = json.loads(synced.stdout)
        self.assertEqual({"synced"}, {table["status"] for table in run_document["tables"]})
        for table in run_document["tables"]:
            self.assertEqual(table["rows_inserted"], self.bq.scalar(f"select count(*) from d.`{table['table']}`"))
        self.assertGreater(sum(table["rows_inserted"] for table in run_document["tables"]), 200)

    def test_where_the_database_may_not_be_written_the_state_goes_into_a_volume(self):
        (self.data / "state").mkdir()
        os.chown(self.data / "state", USER, USER)
        # In WAL mode SQLite writes beside the database even to read it.
        with contextlib.closing(sqlite3.connect(self.data / "app.db")) as db:
            db.execute("pragma journal_mode = delete")
        for path in (self.data, self.data / "app.db"):
            os.chown(path, 0, 0)

        refused = self.run_program("sync")
        synced = self.run_program("sync", BQ_STATE_PATH="/data/state/state.db")

        self.assertEqual(6, refused.returncode, refused.stderr)
        self.assertEqual(0, synced.returncode, synced.stdout + synced.stderr)

    def test_serve_is_healthy_until_it_is_asked_to_stop(self):
        script = "echo $$ > /data/pid; exec /usr/bin/bqsync serve"
        options = {"BQ_ADMIN_LISTEN": "127.0.0.1:0", "BQ_SYNC_INTERVAL": "off", "BQ_SYNC_DAILY_AT": "07:30",
                   "BQ_SYNC_TIMEZONE": "Europe/Berlin"}
        with open(self.data.parent / f"{self.data.name}.log", "w+") as log:
            self.addCleanup(os.unlink, log.name)
            process = subprocess.Popen(list(map(str, self.command("/bin/sh", "-c", script, **options))),
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.addCleanup(process.kill)
            line = self.wait_line(process, log.name, "admin api listening")
            port = line.rsplit(":", 1)[1].strip()
            healthy = run(*self.command("/usr/lib/bqsync/healthy", BQ_ADMIN_LISTEN=f"0.0.0.0:{port}"))
            os.kill(int((self.data / "pid").read_text()), signal.SIGTERM)
            status = process.wait(START_SECONDS)
            text = pathlib.Path(log.name).read_text()
        printed.keep("bqsync", "bqsync serve of the image", text)
        sick = run(*self.command("/usr/lib/bqsync/healthy", BQ_ADMIN_LISTEN=f"0.0.0.0:{port}"))

        self.assertEqual(0, healthy.returncode, healthy.stdout + healthy.stderr)
        self.assertEqual(0, status, text)
        self.assertNotEqual(0, sick.returncode)

    def wait_line(self, process, path, words):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            for line in pathlib.Path(path).read_text().splitlines():
                if words in line:
                    return line
            time.sleep(0.02)
        self.fail(f"no {words!r} in:\n{pathlib.Path(path).read_text()}")

    def test_the_images_of_the_compose_example_have_its_programs_and_its_tables(self):
        compose = DOCKERFILE.parent / "compose"
        images = (("bqlocal", compose / "bqlocal.Dockerfile", (), ("bqlocal", "--version"), "bqlocal "),
                  ("bqsync-example", DOCKERFILE, ("--build-arg", "SCHEMAS=runtime/deploy/compose/schemas"),
                   ("bqsync", "tables"), "orders"))
        print(sampling.told(len(images), "image"))
        for name, dockerfile, options, arguments, words in sampling.chosen(images, len(images), "images"):
            with self.subTest(name):
                built = self.build(dockerfile, name, *options)
                self.assertEqual(0, built.returncode, (built.stdout + built.stderr)[-5000:])
                container = self.need("from", "--pull-never", f"localhost/{name}").strip()

                ended = self.buildah("run", "--isolation", "chroot", "--env=BQ_PROJECT_NAME=p", "--env=BQ_DATASET_NAME=d",
                                     "--env=BQ_SQLITE_PATH=/data/app.db", container, "--", *arguments)

                self.assertEqual(0, ended.returncode, ended.stderr)
                self.assertIn(words, ended.stdout)

    def test_certificates_of_the_web_are_there(self):
        """Without an emulator the first thing asked for are credentials; TLS has what it verifies with."""
        bundle = self.root / "etc/ssl/certs/ca-certificates.crt"

        self.assertGreater(bundle.read_text().count("BEGIN CERTIFICATE"), 100)
        self.assertTrue((self.root / "usr/share/zoneinfo/Asia/Kolkata").exists())


if __name__ == "__main__":
    unittest.main()
