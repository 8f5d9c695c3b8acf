"""What the tests of tables with history share: a deployment of them, and the judge of their logs."""

import shutil
import unittest

from tests.support import changelog, mirror
from tests.support.bqlocal import Bqlocal
from tests.support.crash_world import DEFINITIONS
from tests.support.deployment import Deployment


class HistoryTest(unittest.TestCase):
    maxDiff = None
    schema = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.deploy()

    def deploy(self, **options):
        if self.schema is not None:
            options["schema"] = self.schema
        return self.enterContext(Deployment(self.bq, program="bqsync_histories", **options))

    def sync(self, *arguments, **options):
        return self.app.sync(*arguments, **options)

    def log(self, table="accounts"):
        return changelog.ChangeLog(mirror.Endpoint(self.bq.url, "p", "d"), DEFINITIONS[table])

    def operations(self, table="accounts", since=0):
        """(key, operation) of the versions, in the order of their generations; the keys of one are in order."""
        return [(version.key[0], version.operation) for version in sorted(
            self.log(table).versions, key=lambda version: (version.generation, version.key))][since:]

    def check(self, *tables):
        """The log is sound and shows what the table holds, and that is what SQLite holds."""
        endpoint = mirror.Endpoint(self.bq.url, "p", "d")
        source = mirror.open_source(str(self.app.path))
        self.addCleanup(source.close)
        for table in tables or ["accounts"]:
            self.assertEqual([], changelog.problems(endpoint, DEFINITIONS[table]))
            report = changelog.compare(source, endpoint, DEFINITIONS[table], None)
            self.assertTrue(report.equal, report)

    def save(self, name):
        """A copy of the source as it is."""
        copy = self.app.folder / name
        with self.app.connect() as db:
            db.execute(f"vacuum into '{copy}'")
        return copy

    def restore(self, copy):
        for suffix in ("-wal", "-shm"):
            self.app.path.with_name(self.app.path.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(copy, self.app.path)
