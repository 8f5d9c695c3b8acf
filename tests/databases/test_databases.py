"""Databases of very different shape, each mirrored without an edit: what `infer` writes is built, synced and verified.

Three judges look at the values: `verify`, the outside check (tests/support/mirror.py), and SQLite's own functions for
the columns that are easily read wrongly.
"""

import datetime
import decimal
import json
import pathlib
import tempfile
import unittest

from tests.databases.journey import Journey
from tests.databases.shape import NAMES, Reading, Shape
from tests.support import mirror, sampling
from tests.support.bqlocal import Bqlocal

TIMES = ("DATE", "TIME", "DATETIME", "TIMESTAMP")
HASHES = ("sha256", "hmac_sha256", "redact")
SHAPES = 2  # one shape of so many in a run
MILLISECOND = 0.0011  # SQLite's own functions count milliseconds


def seconds(value):
    """A time as a number, whether SQLite or BigQuery shows it."""
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=datetime.timezone.utc).timestamp()
    if isinstance(value, datetime.date):
        return seconds(datetime.datetime(value.year, value.month, value.day))
    if isinstance(value, datetime.time):
        return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    if len(value) == len("10:00:00.000"):
        return seconds(datetime.time.fromisoformat(value))
    return seconds(datetime.datetime.fromisoformat(value))


def comparable(type_name, value):
    """One kind of value for what SQLite and BigQuery show of it."""
    if value is None:
        return None
    if type_name in TIMES:
        return seconds(value)
    if type_name in ("NUMERIC", "BIGNUMERIC"):
        return decimal.Decimal(str(value))
    if type_name == "BOOL":
        return bool(value)
    if type_name == "JSON":
        return json.dumps(json.loads(value) if isinstance(value, str) else value, sort_keys=True)
    if type_name == "BYTES":
        return value.hex().upper() if isinstance(value, bytes) else value
    return str(value)


def sorted_values(values):
    return sorted(values, key=lambda value: (value is not None, value if value is not None else 0))


class JourneyCase(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        print(sampling.told(SHAPES, "shape"), flush=True)

    def start(self, shape):
        """bqlocal, and a journey at its beginning."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        shape.create(folder / "app.db")
        bq = self.enterContext(Bqlocal(datasets=["d"]))
        return bq, self.enterContext(Journey(bq, folder / "app.db"))

    def equals_outside(self, journey, bq):
        reports = mirror.compare(str(journey.app.path), bq.host, bq.project, "d", journey.schemas)
        self.assertEqual([], [str(report) for report in reports if not report.equal])
        self.assertEqual([], [str(report) for report in reports if report.rejected])


class DatabasesTest(JourneyCase):
    def column(self, definition, name):
        """How a definition reads a column of SQLite; None if it leaves it out."""
        return next((column for column in definition["columns"] if column.get("source", column["name"]) == name), None)

    def travel(self, name):
        shape = Shape(name)
        bq, journey = self.start(shape)
        self.infers(shape, journey)
        journey.build()
        self.mirrors(shape, journey, bq)
        self.infers_the_same_again(journey)
        self.follows_changes(shape, journey, bq)

    def infers(self, shape, journey):
        before = journey.traces()
        report = journey.infer().stderr
        self.assertEqual(before, journey.traces(), "infer left something at the database, or changed it")

        definitions = journey.definitions()
        self.assertEqual(journey.tables(), set(definitions))
        for reading in shape.readings:
            with self.subTest(reading.column):
                self.reads(reading, definitions[reading.table])
        for hidden in shape.hidden:
            with self.subTest(hidden):
                self.hides(hidden, definitions, report)
        for table, key in shape.keys.items():
            definition = definitions[table]
            sources = [column.get("source", column["name"]) for column in definition["columns"]
                       if column["name"] in definition.get("key", [])]
            self.assertEqual(sorted(key), sorted(sources), f"key of {table}")

    def reads(self, reading, definition):
        column = self.column(definition, reading.name)
        self.assertIsNotNone(column, f"{reading.column} is left out")
        self.assertIn(column["type"], reading.type.split("|"), reading.column)
        for option, wanted in reading.options.items():
            said = column.get(option, [])
            said = said if isinstance(said, list) else [said]
            self.assertLessEqual(set(wanted.split()), {*said, "iso8601"} if option == "format" else set(said),
                                 f"{option} of {reading.column}")

    def hides(self, hidden, definitions, report):
        table, _, name = hidden.rpartition(".")
        column = self.column(definitions[table], name)
        if column is not None:
            self.assertIn(column.get("transform", "").partition(":")[0], HASHES, f"{hidden} would be sent as it is")
        self.assertIn(name, report, f"the report does not name {hidden}")

    def mirrors(self, shape, journey, bq):
        app = journey.app
        run = app.sync()
        self.assertEqual([], [table for table in run["tables"] if table["error"] or table["rows_rejected"]])
        self.assertEqual({table: count for table, (count, _) in shape.unfit.items()},
                         {table["table"]: table["rows_unfit"] for table in run["tables"] if table.get("rows_unfit")})
        self.verifies(journey)
        self.equals_outside(journey, bq)
        for reading in shape.readings:
            if reading.sql:
                self.sqlite_agrees(shape, reading, journey, bq)

    def verifies(self, journey):
        verified = journey.app.json("verify")
        self.assertEqual([], [table for table in verified["tables"] if not table["equal"]])
        checks = journey.app.json("check")["checks"]
        self.assertEqual([], [check for check in checks if check["status"] == "fail"])

    def sqlite_agrees(self, shape, reading: Reading, journey, bq):
        definition = journey.definitions()[reading.table]
        column = self.column(definition, reading.name)
        if column.get("transform"):
            return
        source = shape.connect(journey.app.path)
        try:
            table = reading.table.replace('"', '""')
            here = [comparable(column["type"], value)
                    for value, in source.execute(f'SELECT {reading.sql} FROM "{table}"')]
        finally:
            source.close()
        rows = bq.rows("d", definition.get("target", definition["table"]))
        there = [comparable(column["type"], row[column["name"]]) for row in rows]
        here, there = sorted_values(here), sorted_values(there)
        self.assertEqual(len(here), len(there), reading.column)
        for one, other in zip(here, there):
            if column["type"] in TIMES and one is not None and other is not None:
                self.assertAlmostEqual(one, other, delta=MILLISECOND, msg=reading.column)
            else:
                self.assertEqual(one, other, reading.column)

    def infers_the_same_again(self, journey):
        written = journey.written()
        again = journey.infer()
        self.assertEqual("", again.stdout)
        self.assertEqual(written, journey.written())

    def follows_changes(self, shape, journey, bq):
        """A third of the rows goes; what is left is the mirror's content after one more pass."""
        app = journey.app
        source = shape.connect(app.path)
        try:
            for table in sorted(journey.tables()):
                quoted = table.replace('"', '""')
                where = "rowid % 3 = 1"
                if not self.has_row_ids(source, table):
                    key, = source.execute("SELECT name FROM pragma_table_info(?) WHERE pk = 1", (table,)).fetchone()
                    where = f'unicode(substr("{key}", -1)) % 3 = 1'
                source.execute(f'DELETE FROM "{quoted}" WHERE {where}')
        finally:
            source.close()
        app.sync()
        self.equals_outside(journey, bq)
        self.verifies(journey)

    @staticmethod
    def has_row_ids(source, table):
        return not source.execute("SELECT wr FROM pragma_table_list WHERE name = ?", (table,)).fetchone()[0]


def _journey(name):
    def test(self):
        self.travel(name)

    test.__doc__ = f"{name} is mirrored without an edit."
    return test


for _name in sampling.chosen(NAMES, SHAPES, "shapes"):
    setattr(DatabasesTest, f"test_{_name}_is_mirrored_without_an_edit", _journey(_name))


class MigrationTest(JourneyCase):
    def edit(self, journey, table, before, after):
        """By hand, as in an editor."""
        path = journey.schemas / f"{table}.json"
        text = path.read_text("utf-8")
        self.assertEqual(1, text.count(before), text)
        path.write_text(text.replace(before, after), "utf-8")

    def test_a_new_column_is_shown_then_taken_then_mirrored_and_edits_stay(self):
        bq, journey = self.start(Shape("rails"))
        journey.infer()
        self.edit(journey, "shops", '"table": "shops",', '"table": "shops",\n  "description": "Where people buy",')
        self.edit(journey, "shops", '"name": "rating", "type": "FLOAT64"', '"name": "rating", "type": "BIGNUMERIC"')
        journey.build()
        journey.app.sync()
        journey.app.script("""
            alter table shops add column "verified_at" datetime(6);
            update shops set verified_at = '2024-05-06 07:08:09.101112' where id < 20;
            create table coupons (id integer primary key, code varchar not null);
            insert into coupons values (1, 'SPRING');
        """)
        written = journey.written()

        shown = journey.infer(status=1).stdout

        added = [line for line in shown.splitlines() if line.startswith("+ ") and "verified_at" in line]
        self.assertEqual(1, len(added), shown)
        self.assertIn('"type": "TIMESTAMP"', added[0])
        self.assertIn('+  "table": "coupons",', shown)
        self.assertNotIn("rating", "".join(line for line in shown.splitlines() if line[:1] in "+-"))
        self.assertEqual(written, journey.written())

        journey.infer("--update")
        self.assertEqual("", journey.infer().stdout)
        shops = journey.definitions()["shops"]
        self.assertEqual("Where people buy", shops["description"])
        self.assertIn({"name": "rating", "type": "BIGNUMERIC"}, shops["columns"])
        journey.build()
        journey.app.sync()

        self.equals_outside(journey, bq)
        self.assertEqual(19, bq.scalar("select count(verified_at) from d.shops"))
        self.assertEqual(1, bq.scalar("select count(*) from d.coupons"))


if __name__ == "__main__":
    unittest.main()
