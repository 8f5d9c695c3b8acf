"""Rows that BigQuery cannot hold, and what becomes of them."""

import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment


class BadRowsTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))

    def rejects(self):
        return [(reject["table"], reject["column"], reject["storage_class"])
                for reject in self.app.json("rejects")["rejects"]]

    def outcome(self, run):
        table = self.app.table(run, "devices")
        return table["error"], table["rows_rejected"]

    def test_a_rejected_row_whose_key_does_not_fit_is_forgotten_once_it_is_deleted(self):
        self.app.execute("insert into devices values ('s-1', 1, 1), (x'00ff', 0, 2)")
        self.assertEqual(1, self.app.table(self.app.sync(status=1), "devices")["rows_rejected"])
        self.app.execute("delete from devices where typeof(serial) = 'blob'")

        run = self.app.sync()

        self.assertEqual(0, self.app.table(run, "devices")["rows_rejected"])
        self.assertEqual([], self.rejects())
        self.assertEqual(["s-1"], [row["serial"] for row in self.bq.rows("d", "devices")])

    def test_a_row_whose_key_is_too_long_is_forgotten_once_it_is_deleted(self):
        for environment in ({}, {"BQ_STATE_PATH": "state.db"}):
            with self.subTest(environment):
                self.app = self.enterContext(Deployment(self.bq, environment=environment))
                self.app.script("insert into devices values ('s-1', 1, 1), (printf('%.17000000c', 'x'), 0, 2)")
                for _ in range(2):
                    self.assertEqual((None, 1), self.outcome(self.app.sync("devices", "--full", status=1)))
                self.app.execute("delete from devices where length(serial) > 100")

                self.assertEqual((None, 0), self.outcome(self.app.sync("devices")))

                self.assertEqual([], self.rejects())
                self.assertEqual((None, 0), self.outcome(self.app.sync("devices")))
                self.assertEqual(["s-1"], [row["serial"] for row in self.bq.rows("d", "devices")])

    def test_two_keys_of_latin_1_are_two_rejects(self):
        one, other = "cast(x'4dfc6c6c6572' as text)", "cast(x'4df66c6c6572' as text)"
        self.app.script(f"insert into devices values ({one}, 1, 1), ({other}, 0, 2)")
        self.assertEqual(2, self.app.table(self.app.sync(status=1), "devices")["rows_rejected"])
        self.app.execute("update devices set serial = 'M\u00fcller' where reading = 1")

        self.assertEqual(1, self.app.table(self.app.sync(status=1), "devices")["rows_rejected"])

        self.assertEqual([other], [reject["key"]["serial"] for reject in self.app.json("rejects")["rejects"]])
        self.assertEqual(["M\u00fcller"], [row["serial"] for row in self.bq.rows("d", "devices")])

    def test_a_null_key_is_a_reject_until_it_is_gone(self):
        self.app.execute("insert into settings values (null, 'nameless')")
        for _ in range(3):
            self.assertEqual(1, self.app.table(self.app.sync(status=1), "settings")["rows_rejected"])
        self.app.execute("delete from settings where name is null")

        self.assertEqual(0, self.app.table(self.app.sync(), "settings")["rows_rejected"])
        self.assertEqual([], self.rejects())

    def test_a_null_key_that_comes_in_later_is_noticed(self):
        self.app.execute("insert into settings values ('theme', 'dark')")
        self.app.sync()
        self.app.execute("insert into settings values (null, 'nameless')")

        self.assertEqual(1, self.app.table(self.app.sync(status=1), "settings")["rows_rejected"])
        self.assertEqual([("settings", "name", "null")], self.rejects())


if __name__ == "__main__":
    unittest.main()
