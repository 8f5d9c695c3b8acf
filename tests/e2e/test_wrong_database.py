"""A setting that names another database: nothing is written there, and the setting is named."""

import hashlib
import pathlib
import sqlite3
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

REFUSED = "has none of the tables of the definitions ("


class WrongDatabaseTest(unittest.TestCase):
    state = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, schema="create table another(id integer primary key)",
                                                journal="delete", state=self.state))

    def files(self):
        folder = pathlib.Path(self.app.path).parent
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
                for path in folder.iterdir() if path.suffix != ".env"}

    def test_no_command_writes_to_a_database_of_somebody_else(self):
        before = self.files()
        commands = [("sync",), ("sync", "--full"), ("sync", "accounts"), ("reset", "accounts")]
        if self.state is None:
            commands.append(("capture", "install"))
        for command in commands:
            with self.subTest(command):
                status, _, log = self.app.run(*command)
                self.assertEqual(1, status, log)
                self.assertIn(REFUSED, log)
                self.assertIn("BQ_SQLITE_PATH", log)
                self.assertEqual(before, self.files())
        self.assertEqual([], self.bq.tables("d"))

    def test_one_table_or_view_is_enough(self):
        for made in ("create table ACCOUNTS(id integer primary key, email text, balance integer, note text)",
                     "create view accounts as select 1 as id"):
            with self.subTest(made):
                self.app.execute(made)
                self.assertNotIn(REFUSED, self.app.run("sync")[2])
                with sqlite3.connect(self.app.path) as db:
                    db.execute("drop %s accounts" % made.split()[1])
                # Its control tables are there: it is the database, and each table says that it is missing.
                self.assertIn("accounts does not exist in", self.app.run("sync")[2])


class WrongSourceOfAStateElsewhereTest(WrongDatabaseTest):
    state = "state.db"


if __name__ == "__main__":
    unittest.main()
