"""Copies of one database that are synced in turn: a backup that takes over, and the first one again.

Copies count their generations alike. Who wrote a target last, its label says by the name of its jobs.
"""

import pathlib
import unittest

from tests.support import backups, mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.killing import wait_until_held

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROWS = """
insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two'), (3, 'c@x', 3, 'three');
insert into events(kind, at) values ('first', 1);
insert into settings values ('theme', 'dark');
"""
CHANGE = """
update accounts set note = '{0}' where id = {1};
insert into accounts values ({1} + 10, '{0}@x', 1, '{0}');
insert into events(kind, at) values ('{0}', 2);
update settings set value = '{0}';
"""


class CopiesTest(unittest.TestCase):
    environment = {"BQ_PARALLEL": "1"}
    state = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, environment=self.environment, state=self.state))
        self.app.script(ROWS)

    def save(self, name):
        backups.save(self.app, name)

    def restore(self, name):
        backups.restore(self.app, name)

    def change(self, who, account):
        self.app.script(CHANGE.format(who, account))

    def kill_before_a_label(self):
        """A pass whose intent is on disk, and whose label never reaches BigQuery."""
        self.bq.faults({"method": "PATCH", "action": "hang_before", "count": 1})
        process = self.app.start("sync")
        self.assertTrue(wait_until_held(self.bq, process))
        process.kill()
        process.communicate()
        self.bq.clear_faults()

    def assert_mirrored(self):
        self.app.sync()
        reports = mirror.compare(str(self.app.path), self.bq.url, "p", "d", ROOT / "tests/schemas", ())
        self.assertEqual([], [str(report) for report in reports if not report.equal])
        self.assertEqual({"unchanged"}, {table["status"] for table in self.app.sync()["tables"]})

    def sync_and_let_the_backup_start_again(self):
        """Both make the targets and count up from there; the first one comes back last."""
        self.app.sync()
        self.save("first")
        for table in self.bq.tables("d"):
            self.bq.delete(f"datasets/d/tables/{table}")
        self.restore("backup")
        self.change("second", 2)
        self.app.sync()
        self.restore("first")
        self.assert_mirrored()

    def test_a_copy_takes_over_while_an_intent_is_open(self):
        self.app.sync()
        self.save("backup")
        self.change("first", 1)
        self.kill_before_a_label()
        self.save("first")
        self.restore("backup")
        self.change("second", 2)
        self.assert_mirrored()
        self.restore("first")
        self.assert_mirrored()

    def test_copies_that_reach_the_same_generation(self):
        self.app.sync()
        self.save("backup")
        self.change("first", 1)
        self.sync_and_let_the_backup_start_again()

    def test_two_databases_that_were_never_synced(self):
        self.save("backup")
        self.sync_and_let_the_backup_start_again()

    def test_a_target_is_made_again_by_hand_while_an_intent_is_open(self):
        self.app.sync()
        self.change("first", 1)
        self.kill_before_a_label()
        for table in ("accounts", "events"):
            made = self.bq.table("d", table)
            self.bq.delete(f"datasets/d/tables/{table}")
            self.bq.post("datasets/d/tables", {key: made[key] for key in ("tableReference", "schema")})
        self.assert_mirrored()

    def test_a_target_is_restored_to_an_older_version_while_an_intent_is_open(self):
        self.app.sync()
        self.change("first", 1)
        self.app.sync()
        older = {table: self.bq.table("d", table)["labels"] for table in ("accounts", "events")}
        self.change("later", 2)
        self.app.sync()
        self.change("last", 3)
        self.kill_before_a_label()
        for table, labels in older.items():
            self.bq.query(f"delete from d.{table} where true")
            self.bq.patch(f"datasets/d/tables/{table}", {"labels": labels})
        self.assert_mirrored()

    def test_the_same_machine_raises_its_label_after_a_kill(self):
        """No table is replaced for that."""
        self.app.sync()
        self.change("first", 1)
        self.kill_before_a_label()
        self.assertEqual("merge", self.app.table(self.app.sync(), "accounts")["mode"])
        self.assert_mirrored()


class TransactionTest(CopiesTest):
    environment = {**CopiesTest.environment, "BQ_SYNC_ATOMIC": "1"}


class ScannedTest(CopiesTest):
    """The state is a copy of neither: it stays, and the scan sees what has changed."""

    state = "state.db"


if __name__ == "__main__":
    unittest.main()
