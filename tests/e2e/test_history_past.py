"""A log shows the table as it was, also where keys are shared or changed, or where the log was not kept all the time."""

import unittest

from tests.e2e.test_history_target import DATASET, SOURCE
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import BUILD, Deployment


class PastTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, program="bqsync_history", schema=SOURCE))

    def run_as(self, program):
        self.app.program = str(BUILD / program)

    def newest(self, table):
        """The time of the newest version."""
        return self.bq.query(f"select cast(max(_bqsync_at) as string) as newest from d.{table}_changes")[0]["newest"]

    def rows_at(self, table, time, *columns):
        return sorted(tuple(row[name] for name in columns) for row in self.bq.query(
            f"select {', '.join(columns)} from d.{table}_at(timestamp '{time}')"))

    def operations(self, table, key):
        return [(row["k"], row["o"]) for row in self.bq.query(
            f"select {key} as k, _bqsync_operation as o, _bqsync_generation as g from d.{table}_changes order by g, k, o")]


class SharedKeyTest(PastTest):
    def test_of_two_rows_with_one_key_in_mode_replace_the_later_is_rejected(self):
        self.app.script("insert into prices values ('1.0', 1, 'a'), ('1.00', 2, 'b')")

        status, _, err = self.app.run("sync", "prices")

        self.assertEqual(1, status, err)
        self.assertEqual([1], [row["number"] for row in self.bq.rows("d", "prices")])
        self.assertEqual(1, len(self.operations("prices", "number")))
        rejects = self.app.json("rejects", "prices")["rejects"]
        self.assertEqual([{"price": "1.00"}], [reject["key"] for reject in rejects])
        self.assertIn("1.0", rejects[0]["reason"])

        self.app.execute("delete from prices where number = 1")
        self.app.sync("prices")

        self.assertEqual([2], [row["number"] for row in self.bq.rows("d", "prices")])
        self.assertEqual([(1, "insert"), (2, "update")], self.operations("prices", "number"))


class ChangedKeyTest(PastTest):
    def set_aside(self, log):
        """What the statement of the message does; bqlocal renames no table."""
        self.bq.query(f"create table d.{log}_until_now as select * from d.{log}")
        self.bq.delete(f"{DATASET}/tables/{log}")

    def refused(self, table):
        planned = self.app.table(self.app.json("plan", table, status=1), table)
        self.assertIn("until_now", str(planned))
        return self.app.table(self.app.sync(table, status=1), table)["error"]["message"]

    def test_a_key_in_other_columns_needs_a_new_log(self):
        self.app.script("insert into prices values ('1', 1, 'a'), ('2', 2, 'b')")
        self.app.sync("prices")
        self.app.script("delete from prices where number = 1; update prices set price = '3' where number = 2")
        self.app.sync("prices")
        then = self.newest("prices")
        before = self.rows_at("prices", then, "number", "note")
        self.run_as("bqsync_history_changed")

        message = self.refused("prices")

        self.assertIn("alter table `p`.`d`.`prices_changes` rename to `prices_changes_until_now`", message)
        self.assertIn("key", message)
        self.assertEqual([(2, "b")], before)
        self.assertEqual(before, self.rows_at("prices", then, "number", "note"))

        self.set_aside("prices_changes")
        self.app.sync("prices")

        self.assertEqual([(2, "insert")], self.operations("prices", "number"))
        self.assertEqual(5, len(self.bq.rows("d", "prices_changes_until_now")))

    def test_a_key_that_is_hashed_from_now_on_needs_a_new_log(self):
        self.app.sync("settings")
        self.run_as("bqsync_history_changed")

        self.assertIn("`settings_changes_until_now`", self.refused("settings"))

        self.set_aside("settings_changes")
        self.app.sync("settings")

        self.assertNotIn("theme", repr(self.bq.rows("d", "settings_changes")))

    def test_the_definition_of_before_goes_on_with_the_log(self):
        self.app.sync("settings")
        self.run_as("bqsync_history_changed")
        self.refused("settings")
        self.run_as("bqsync_history")
        self.app.execute("update settings set value = 'light'")

        self.app.sync("settings")

        self.assertEqual([("theme", "insert"), ("theme", "update")], self.operations("settings", "name"))


class FilledLogTest(PastTest):
    """A log whose versions expire may lack rows that have not changed for long, but no others."""

    def setUp(self):
        super().setUp()
        self.run_as("bqsync_history_more")

    def assert_filled(self):
        self.assertEqual([(1, "insert"), (2, "insert")], self.operations("users", "id")[-2:])
        then = self.newest("users")
        self.app.script("delete from users where id = 1; update users set name = 'Rob' where id = 2")
        self.app.sync("users")
        self.assertEqual([(1, "Ann"), (2, "Bob")], self.rows_at("users", then, "id", "name"))
        self.assertEqual([(1, "delete"), (2, "update")], self.operations("users", "id")[-2:])

    def test_a_log_that_was_dropped(self):
        self.app.sync("users")
        self.bq.delete(f"{DATASET}/tables/users_changes")
        self.app.sync("users")

        self.assert_filled()

    def test_a_log_that_was_made_and_not_filled(self):
        self.app.sync("users")
        self.bq.delete(f"{DATASET}/tables/users_changes")
        self.bq.faults({"action": "job_fail", "job": "load", "reason": "accessDenied", "message": "Access Denied"},
                       {"action": "job_fail", "job": "query", "reason": "accessDenied", "message": "Access Denied"})
        self.assertNotEqual(0, self.app.run("sync", "users")[0])
        self.assertIn("users_changes", self.bq.tables("d"))
        self.bq.clear_faults()
        self.app.sync("users")

        self.assert_filled()

    def test_a_history_of_a_table_that_was_synced_without(self):
        self.run_as("bqsync_history_changed")
        self.app.sync("users")
        self.run_as("bqsync_history_more")
        self.app.sync("users")

        self.assert_filled()

    def test_a_history_that_is_switched_on_again(self):
        self.app.sync("users")
        self.run_as("bqsync_history_changed")
        self.app.execute("insert into users(id, name) values (3, 'Cid')")
        self.app.sync("users")
        self.run_as("bqsync_history_more")
        self.app.sync("users")

        self.assertEqual([(1, "insert"), (2, "insert"), (3, "insert")], self.operations("users", "id"))

    def test_versions_that_have_expired_are_not_logged_again(self):
        self.app.sync("users")
        self.app.execute("update users set name = 'Rob' where id = 2")
        self.app.sync("users")
        self.bq.query("delete from d.users_changes where id = 1")
        self.app.sync("users", "--full")

        self.assertEqual([(2, "insert"), (2, "update")], self.operations("users", "id"))

    def test_a_doubled_row_whose_versions_have_expired_is_logged_once(self):
        self.app.script("delete from users where id = 2; insert into users(id, name) values (3, 'Cid')")
        self.app.sync("users")
        self.bq.query("delete from d.users_changes where true")
        self.bq.query("insert into d.users select * from d.users")
        self.app.script("delete from users where id = 1; update users set name = 'Kid' where id = 3")
        self.app.sync("users", "--full")

        self.assertEqual([3], [row["id"] for row in self.bq.rows("d", "users")])
        self.assertEqual([(1, "delete"), (3, "update")], self.operations("users", "id"))


if __name__ == "__main__":
    unittest.main()
