"""What frameworks really store, on its way into the warehouse: each form that a definition can ask for, changed and
verified, with triggers and by scan."""

import datetime
import unittest

from codegen.forms import OPTIONS, TIME_FORMATS
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

# Column, the stored value as SQL, what BigQuery shows.
COLUMNS = [(row.name, row.example, row.reads) for row in TIME_FORMATS] + [
    ("mixed", "1704103200500", "2024-01-01 10:00:00.500000"),
    ("fraction", "'2024-01-01 10:00:00.123456789 +00:00'", "2024-01-01 10:00:00.123456"),
    ("zone", "'2024-07-01 12:00:00'", "2024-07-01 10:00:00.000000"),
    ("empty", "''", None),
    ("date", "'2000-01-01 10:00:00'", "10:00:00.000000"),
    ("bool", "'t'", True),
    ("uuid", "x'6ba7b8109dad11d180b400c04fd430c8'", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    ("guid", "x'10b8a76bad9dd11180b400c04fd430c8'", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    ("utf8", "x'7b7d'", "{}"),
    ("jsonb", "x'4c17611331'", '{"a":1}'),
]
SCHEMA = ("create table forms(id integer primary key, " + ", ".join('"%s"' % name for name, _, _ in COLUMNS) + ");"
          "create table tokens(token primary key, v text);")


def show(value):
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return value.strftime("%H:%M:%S.%f") if isinstance(value, datetime.time) else value


class FormsTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))

    def deploy(self, **more):
        return self.enterContext(Deployment(self.bq, program="bqsync_forms", schema=SCHEMA, **more))

    def shown(self):
        """The rows of BigQuery, times as text."""
        return [{name: show(value) for name, value in row.items()}
                for row in sorted(self.bq.rows("d", "forms"), key=lambda row: row["id"])]

    def mirror(self, app):
        names = ", ".join('"%s"' % name for name, _, _ in COLUMNS)
        full = {name: value for name, _, value in COLUMNS}
        app.execute("insert into forms(id, %s) values (1, %s)" % (names, ", ".join(sql for _, sql, _ in COLUMNS)))
        app.execute("insert into forms(id) values (2)")
        app.sync("forms")
        self.assertEqual([dict(id=1, **full), dict(id=2, **dict.fromkeys(full))], self.shown())

        app.execute("update forms set (%s) = (select %s from forms where id = 1) where id = 2" % (names, names))
        app.execute("update forms set %s where id = 1" % ", ".join('"%s" = null' % name for name, _, _ in COLUMNS))
        app.sync("forms")

        self.assertEqual([dict(id=1, **dict.fromkeys(full)), dict(id=2, **full)], self.shown())
        table, = app.json("verify", "forms")["tables"]
        self.assertTrue(table["equal"])

    def test_every_form_with_triggers(self):
        self.mirror(self.deploy())

    def test_every_form_by_scan(self):
        self.mirror(self.deploy(state="state.db"))

    def test_seconds_that_are_called_milliseconds_are_noticed(self):
        app = self.deploy()
        app.execute("insert into forms(id, unix_ms) values (1, 1704103200), (2, null), (3, 1704103200500)")

        checks = {one["name"]: one for one in app.json("check")["checks"]}

        self.assertEqual(("warn", "1 of the first 3 rows have times before 1990 or after 2100 (unix_ms: 1704103200 is read "
                          "as 1970-01-20 17:21:43.200000; as unix_s it is 2024-01-01 10:00:00.000000)"),
                         (checks["table forms"]["status"], checks["table forms"]["message"]))

    def test_every_option_is_tried(self):
        tried = {name for name, _, _ in COLUMNS}
        self.assertEqual(set(), {row.name for row in TIME_FORMATS} - tried)
        self.assertEqual(set(), {option.value if option.key == "text" else option.key for option in OPTIONS} - tried)

    def test_a_blob_and_its_text_are_one_key(self):
        app = self.deploy()
        app.execute("insert into tokens values (x'6ba7b8109dad11d180b400c04fd430c8', 'blob')")
        app.sync("tokens")
        app.execute("insert into tokens values ('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'text')")
        app.sync("tokens", status=1)
        self.assertEqual([{"token": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "v": "blob"}],
                         self.bq.rows("d", "tokens"))

        app.execute("delete from tokens where v = 'blob'")
        app.sync("tokens")
        self.assertEqual([{"token": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "v": "text"}],
                         self.bq.rows("d", "tokens"))

    def test_a_zone_that_this_machine_lacks_fails_the_table_and_is_named(self):
        app = self.deploy(environment={"TZDIR": "/nowhere"})
        app.execute("insert into forms(id) values (1)")

        table, = app.sync("forms", status=3)["tables"]

        self.assertIn("column zone: time zone Europe/Berlin: cannot read /nowhere/Europe/Berlin",
                      table["error"]["message"])


if __name__ == "__main__":
    unittest.main()
