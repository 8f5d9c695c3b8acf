"""What infer believes that a definition reads, the program reads: random columns of every form that a value may have,
in every declared type, are inferred, built, synced without a reject and verified.

Of some columns infer says itself that no definition reads all of their values: as many values as it says do not fit.
"""

import json
import pathlib
import random
import sqlite3
import tempfile
import unittest
import uuid

from codegen.infer.catalog import read_catalog
from codegen.infer.drafts import make_drafts
from codegen.infer.reading import read_profiles
from codegen.infer.source import Source
from tests.databases.journey import Journey
from tests.support.bqlocal import Bqlocal

UUIDS = [uuid.UUID(int=number * 0x1234567890ABCDEF1234567, version=4) for number in range(1, 40)]

# Values by form; a column takes its own from one to three of them.
FORMS = {
    "integer": [0, 1, 2, -5, 2**31, 2**53, 2**53 + 1, -(2**63), 2**63 - 1],
    "real": [0.5, 1.0, 1e300, 0.1 + 0.2, 1e22, float("inf"), -0.0, 3.14, 1e-9, 1e-10, 123456789.123456789],
    "seconds": [1704103200, 1704103201, 1700000000],
    "milliseconds": [1704103200500, 1704103200501],
    "fractions": [1704103200.25, 1704103200.1234567],
    "microseconds": [1704103200500000, 1704103200500001],
    "nanoseconds": [1704103200500000000, 1704103200500000001],
    "ticks": [638397000005000000, 638397000005000001],
    "webkit": [13348576800500000],
    "filetime": [133485768005000000, 133485768005000001],
    "julian": [2460310.75, 2460311.123456],
    "iso": ["2024-01-01", "2024-01-01 10:00", "2024-01-01T10:00:00.123456", "2024-01-01 10:00:00+05:30",
            "2024-01-01 10:00:00Z", "2024-01-01 00:00:00", "2024-01-01 00:00:00.0000000", "2024-02-29 23:59:59.999999",
            "0001-01-01", "9999-12-31 23:59:59"],
    "fine": ["2024-01-01 10:00:00.1234567", "2024-01-01 10:00:00.123456789 +00:00", "2024-01-01 00:00:00.0000001"],
    "day": ["2024-01-01", "2023-12-31", "2024-01-01 00:00:00"],
    "go": ["2024-01-01 10:00:00 +0000 UTC", "2024-01-01 10:00:00.112233638 +0330 +0330 m=+84630.7",
           "2024-01-01 10:00:00.5 -0800 PST"],
    "clock": ["10:00", "23:59:59.5", "00:00:00", "10:00:00.1234567"],
    "none": ["", "0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00Z"],
    "nearly a time": ["2024-02-30", "2024-01-01 24:00:00", "2024-01-01 10:00:60", " 2024-01-01", "2024-1-1", "24:00",
                      "2024-01-01 10:00:00 +0500 ", "2024-01-01 10:00:00,5", "2024-01-01T", "2024-01-01Z", "10:0",
                      "0001-01-01 00:00:00+01:00"],
    "number": ["1", "0", "+7", "-0", "42", "007", "1.5", ".5", "5.", "1e5", "1E-400", "1e400", "99999999999999999999",
               "9007199254740993", "0.12345678901", "1e28", "1e29", "5e76", "-9223372036854775809", "1704103200",
               "1704103200.1234567", "1704103200500"],
    "truth": ["true", "FALSE", "t", "F", "yes", "No", "on", "off", "Y", "n"],
    "json": ["{}", "[]", '{"a":1,"b":[1.5,null]}', '{"a":0.1}', ' {"x":"\\u00e9\\ud83d\\ude00"} ',
             "[18446744073709551615]"],
    "nearly json": ['{"a":1,"a":2}', "[0.10000000000000000001]", '["\\ud800"]', "{bad", "[NaN]", "null", '"s"', "12",
                    "1e999", "[1e400]", '{"a":1}}', "\x0b[]"],
    "text": ["n/a", "hello", "é日本", "x" * 300, "'"],
    "nul": ["a\0b"],
    "blob": [b"\xff\xfe", b"", b"\x00"],
    "utf8": [b"text", "é".encode(), b'{"a":1}'],
    "jsonb": [bytes([0x4C, 0x17, 0x61, 0x13, 0x31]), bytes([0x0B]), bytes([0x2B, 0x13, 0x31])],
    "uuid": [one.bytes for one in UUIDS],
    "guid": [one.bytes_le for one in UUIDS],
}
DECLARED = ("", "INTEGER", "BIGINT", "TEXT", "VARCHAR(20)", "REAL", "DOUBLE", "DECIMAL(10,2)", "NUMERIC", "BOOLEAN",
            "TINYINT(1)", "DATE", "DATETIME", "TIMESTAMP", "TIME", "JSON", "BLOB", "UUID", "GUID")
NAMES = ("c%d", "created_at_%d", "value%d", "start_%d_ms", "opened%d_at", "date%d", "x%d_uuid", "x%d_local_time")
TABLES = 3
COLUMNS = 40


class ReadingsTest(unittest.TestCase):
    def make(self, path, chance, encoding):
        database = sqlite3.connect(path)
        database.execute("pragma encoding = '%s'" % encoding)
        for table in range(TABLES):
            columns = [(chance.choice(NAMES) % number, chance.choice(DECLARED),
                        chance.choice(("", "", "", " DEFAULT ''")))
                       for number in range(COLUMNS)]
            forms = [chance.sample(sorted(FORMS), chance.choice((1, 1, 1, 2, 3))) for _ in columns]
            database.execute("create table t%d(id integer primary key, %s)" % (
                table, ", ".join('"%s" %s%s' % column for column in columns)))
            insert = "insert into t%d values (null, %s)" % (table, ", ".join("?" * COLUMNS))
            for _ in range(chance.choice((5, 60, 300))):
                database.execute(insert, [
                    None if chance.random() < 0.1 else chance.choice(FORMS[chance.choice(form)]) for form in forms])
            if encoding != "UTF-8":
                # Half a surrogate pair, which only bytes can hold.
                for name, _, _ in chance.sample(columns, 4):
                    database.execute('update t%d set "%s" = cast(x\'00d8\' as text) where id %% 50 = 1' % (table, name))
        database.commit()
        database.close()

    def misfits(self, path):
        """How many values of which columns do not fit, as infer says."""
        source = Source(str(path))
        try:
            read = [(table, read_profiles(source, table, False, lambda *_: None))
                    for table in read_catalog(source.connection).tables]
            drafts = make_drafts(source.connection, read)
        finally:
            source.close()
        return {(draft.table.name, name): one.unfit for draft in drafts
                for name, one in zip(draft.names, draft.chosen) if one.unfit and not draft.is_left_out(name)}

    def check(self, seed, encoding="UTF-8"):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        path = folder / "app.db"
        self.make(path, random.Random(seed), encoding)
        misfits = self.misfits(path)
        self.assertLess(len(misfits), TABLES * COLUMNS // 4)
        bq = self.enterContext(Bqlocal(datasets=["d"]))
        journey = self.enterContext(Journey(bq, path))

        self.assertEqual(journey.problems(), [], "seed %d" % seed)
        self.assertEqual(self.standing_beside(bq, journey), misfits, "seed %d" % seed)

    def standing_beside(self, bq, journey):
        """How many values of which columns stand in _bqsync_unfit."""
        found = {}
        for table, definition in journey.definitions().items():
            if definition.get("on_reject") == "column":
                for row in bq.query("select _bqsync_unfit u from d.%s where _bqsync_unfit is not null" % table):
                    for name in json.loads(row["u"]):
                        found[table, name] = found.get((table, name), 0) + 1
        return found

    def test_what_is_inferred_is_read(self):
        self.check(1)

    def test_other_columns(self):
        self.check(2)

    def test_columns_in_utf16(self):
        self.check(3, "UTF-16le")


if __name__ == "__main__":
    unittest.main()
