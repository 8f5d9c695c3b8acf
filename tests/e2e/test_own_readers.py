"""Verifications and passes of one `serve`, beside an application, on a database with a rollback journal.

There a commit waits until nobody reads, and keeps everybody out while it waits. So a pass must not wait in a commit for a
verification of the same process. What is asserted is that nobody fails, not how long anything takes."""

import random
import sqlite3
import threading
import unittest

from tests.e2e.serving import Service
from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.e2e.test_soak import SCHEMAS

VERIFY = "/admin/bigquery/verify"
VERIFICATIONS = 12
ROWS = 200
TABLES = ["accounts", "devices", "events", "memberships", "settings"]
CHANGES = ["update accounts set note = ? where id = ?", "update events set payload = json_quote(?) where id = ?",
           "update settings set value = ? where name = ?", "update devices set reading = ? where serial = ?",
           "update memberships set role = ? where team = 'red' and person = ?"]


class Application(threading.Thread):
    """Changes one row after the other, in a random table, each change in a transaction of its own."""

    def __init__(self, path, journal):
        super().__init__()
        self._path, self._journal = path, journal
        self._ended = threading.Event()
        self.writes, self.failures = 0, []

    def run(self):
        db = sqlite3.connect(self._path, isolation_level=None, timeout=5)
        db.execute(f"pragma journal_mode = {self._journal}")
        source = random.Random(1)
        while not self._ended.wait(0.01):
            try:
                db.execute(source.choice(CHANGES), (str(self.writes), str(source.randrange(ROWS))))
                self.writes += 1
            except sqlite3.OperationalError as error:
                self.failures.append(str(error))
        db.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self.join()


class OwnReadersTest(unittest.TestCase):
    def deploy(self, journal, **options):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        app = self.enterContext(Deployment(self.bq, journal=journal, **options))
        with app.connect() as db:
            for i in range(ROWS):
                db.execute("insert into accounts values (?, ?, 1, 'one')", (i, f"{i}@x"))
                db.execute("insert into events values (?, 'k', '1', 1)", (i,))
                db.execute("insert into settings values (?, 'v')", (str(i),))
                db.execute("insert into devices values (?, 1, 1)", (str(i),))
                db.execute("insert into memberships values ('red', ?, 'r', null)", (str(i),))
        app.sync()
        return app

    def verify(self, service):
        answer = service.post(VERIFY, TABLES)
        self.assertEqual(202, answer.status, answer.body)

        def ended():
            state = service.get(VERIFY).json
            return state["running"] is None and state["last"]
        return service.wait(ended, "the end of a verification")

    def passes(self, service):
        return service.log.count("pass done")

    def live(self, app, journal):
        """Verifications one after the other until there were many, and many passes too."""
        with Service(app, BQ_SYNC_FOLLOW="100ms") as service, Application(app.path, journal) as application:
            at, began = 0, self.passes(service)
            while at < VERIFICATIONS or self.passes(service) - began < VERIFICATIONS // 4:
                last = self.verify(service)
                self.assertEqual([], [table["error"] for table in last["tables"] if table.get("error")])
                service.get("/admin/bigquery/sync/status")
                at += 1
                self.assertEqual([], application.failures)
        self.assertEqual([], application.failures)
        self.assertNotIn("locked", service.log)
        self.assertEqual(0, service.process.returncode)
        print(f"\n{journal}: {application.writes} writes, {at} verifications, {self.passes(service)} passes")

    def assert_equal_in_the_end(self, app):
        app.sync()
        reports = mirror.compare(str(app.path), self.bq.url, "p", "d", SCHEMAS, TABLES)
        self.assertEqual([], [str(report) for report in reports if not report.equal])

    def test_no_write_of_the_application_fails(self):
        for journal in ("delete", "truncate", "persist", "wal"):
            with self.subTest(journal=journal):
                app = self.deploy(journal)
                self.live(app, journal)
                self.assert_equal_in_the_end(app)

    def test_nor_with_scans_whose_state_is_in_the_source(self):
        app = self.deploy("delete", environment={"BQ_CAPTURE": "manual"})
        self.live(app, "delete")
        self.assert_equal_in_the_end(app)


if __name__ == "__main__":
    unittest.main()
