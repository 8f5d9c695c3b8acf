"""Columns that a definition does not list: refused or ignored, as it says, and by that table alone."""

import json
import time
import unittest

from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

SCHEMA = """
create table users(id integer primary key, email text, password_hash text, "last seen" text);
create view active as select id, email from users;
create table notes(id integer primary key, body text, draft text);
"""
ROWS = """
insert into users(id, email) values (1, 'a@x'), (2, 'b@x');
insert into notes(id, body) values (1, 'one');
"""


class UnlistedTest(unittest.TestCase):
    state = None

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, program="bqsync_unlisted", schema=SCHEMA, state=self.state))
        self.app.script(ROWS)

    def checked(self, status=0):
        return {one["name"]: (one["status"], one["message"])
                for one in self.app.json("check", status=status)["checks"]}

    def failures(self, run):
        return {table["table"]: table["error"]["message"] for table in run["tables"] if table["status"] == "failed"}

    def assert_refused(self, *lines, table="users", others=("notes",)):
        """One table fails in check, plan and sync, and each time says what to add; the others go on."""
        finding, message = self.checked(status=1)[f"table {table}"]
        run = self.app.sync(status=1)
        planned = self.app.table(self.app.json("plan", status=1), table)["blocked"]
        self.assertEqual(("fail", [table]), (finding, list(self.failures(run))))
        self.assertEqual("schema", self.app.table(run, table)["error"]["code"])
        for line in lines:
            for text in (message, self.failures(run)[table], planned):
                self.assertIn(line, text)
        self.assertLessEqual({self.app.table(run, name)["status"] for name in others}, {"synced", "unchanged"})

    def test_columns_that_are_ignored_or_listed_are_no_trouble(self):
        checks = self.checked()

        self.assertEqual("ok", checks["table users"][0])
        self.assertEqual("ok", checks["table notes"][0])
        self.assertEqual([], [name for name in checks if name.startswith("ignored")])
        self.app.sync()
        self.assertEqual([(1, "a@x"), (2, "b@x")], self.app.warehouse_rows("users"))

    def test_a_new_column_fails_its_table_until_it_is_dropped(self):
        self.app.sync()
        self.app.execute("alter table users add column phone varchar(20)")
        self.app.execute("insert into users(id, email, phone) values (3, 'c@x', '555')")
        self.app.execute("insert into notes(id, body) values (2, 'two')")

        self.assert_refused(
            'neither lists nor ignores: phone. Add {"name": "phone", "type": "STRING"} to `columns` in '
            'schemas/users.json, or "phone" to `sync.ignore`, and rebuild')
        self.assertEqual([(1, "a@x"), (2, "b@x")], self.app.warehouse_rows("users"))
        self.assertEqual([(1, "one"), (2, "two")], self.app.warehouse_rows("notes"))

        self.app.execute("alter table users drop column phone")
        self.assertEqual({}, self.failures(self.app.sync()))
        self.assertEqual([(1, "a@x"), (2, "b@x"), (3, "c@x")], self.app.warehouse_rows("users"))

    def test_each_column_is_named_with_a_line_for_it(self):
        self.app.script('alter table users add column "2nd ""mail" text; alter table users add column born date;'
                        "alter table users add column seen datetime; alter table users add column score;"
                        "alter table users add column logins bigint")

        self.assert_refused(
            'columns that the definition neither lists nor ignores: 2nd "mail, born, seen, score, logins. Add '
            r'{"name": "_2nd__mail", "source": "2nd \"mail", "type": "STRING"}, {"name": "born", "type": "DATE"}, '
            '{"name": "seen", "type": "TIMESTAMP"}, {"name": "score", "type": "STRING"}, '
            '{"name": "logins", "type": "INT64"} to `columns` in schemas/users.json, or their names to `sync.ignore`')

    def test_more_columns_than_a_message_can_hold_are_cut_with_the_advice_kept(self):
        self.app.script(";".join(f"alter table users add column column_of_number_{n} text" for n in range(200)))

        self.assert_refused("column_of_number_0,", " and so on to `columns` in schemas/users.json, or their names to")

    def test_generated_columns_count_and_rowid_does_not(self):
        self.app.execute("alter table users add column domain text as (substr(email, 3))")

        self.assert_refused('{"name": "domain", "type": "STRING"}')

    def test_a_view_that_shows_more_is_refused(self):
        self.app.sync()
        self.app.script("drop view active; create view active as select id, email, password_hash from users")

        self.assert_refused('{"name": "password_hash", "type": "STRING"}', table="active", others=("notes", "users"))

    def test_a_definition_that_says_nothing_of_it_takes_new_columns(self):
        self.app.sync()
        self.app.execute("alter table notes add column extra text")

        self.assertEqual({}, self.failures(self.app.sync()))
        finding, message = self.checked()["table notes"]
        self.assertEqual("warn", finding)
        self.assertIn("not synced: extra", message)
        self.assertNotIn("draft", message)

    def test_check_warns_of_names_that_are_ignored_in_vain(self):
        self.app.script('alter table users drop column "last seen"; alter table notes drop column draft')

        checks = self.checked()

        for table, column in (("users", "Last Seen"), ("notes", "draft")):
            finding, message = checks[f"ignored {table}"]
            self.assertEqual("warn", finding)
            self.assertIn(f"SQLite has no such column(s): {column}. Correct `sync.ignore` in schemas/{table}.json",
                          message)

    def test_a_pass_that_remembers_the_schema_refuses_all_the_same(self):
        self.app.sync()
        self.app.sync()
        self.bq.clear_requests()
        self.app.sync()
        self.assertEqual(1, len(self.bq.requests()))

        self.app.execute("alter table users add column phone text")
        self.app.execute("insert into notes(id, body) values (2, 'so that the pass notes what it saw')")

        self.assert_refused("phone")
        self.assert_refused("phone")

    def test_a_column_that_comes_between_plan_and_snapshot_fails_the_table(self):
        self.app.sync()
        self.app.execute("insert into users(id, email) values (3, 'c@x')")
        self.bq.faults({"method": "GET", "path": "/datasets/d/tables/active", "action": "hang_before", "nth": 1})
        process = self.app.start("sync", "--json")
        deadline = time.monotonic() + 60
        while self.bq.fault_state()[0]["held"] == 0:
            self.assertLess(time.monotonic(), deadline, "nothing was held")
            time.sleep(0.01)
        self.app.execute("alter table users add column phone text")
        self.bq.clear_faults()
        out, _ = process.communicate(timeout=60)

        self.assertIn("phone", self.failures(json.loads(out))["users"])
        self.assertEqual([(1, "a@x"), (2, "b@x")], self.app.warehouse_rows("users"))


class ScannedTest(UnlistedTest):
    """The same with a source that is not written."""

    state = "state.db"


if __name__ == "__main__":
    unittest.main()
