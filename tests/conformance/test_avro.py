"""The Avro project's own reader reads what bqsync sends, value by value, at the limits of every type.

The files are taken from the wire of a real sync. (libavro, the same project's C library, reads the encoder's files in
tests/unit/encode, with and without compression.)
"""

import json
import pathlib
import subprocess
import tempfile
import unittest

from tests.conformance.recorder import Recorder
from tests.support import foreign
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

BIG = "578960446186580977117854925043439539266.34992332820282019728792003956564819967"
DAY = 86400 * 10**6
FIRST, LAST = -719162, 2932896  # days of years 1 and 9999 from 1970
# Column of the table, what SQLite holds, what the reader has to say.
VALUES = {
    "i": [(2**63 - 1, f"int:{2**63 - 1}"), (-2**63, f"int:{-2**63}"), (0, "int:0"), ("-42", "int:-42")],
    "f": [(1.7976931348623157e308, "float:" + (1.7976931348623157e308).hex()), (5e-324, "float:" + (5e-324).hex()),
          (-0.0, "float:-0x0.0p+0"), (float("inf"), "float:inf"), (0.1, "float:" + (0.1).hex())],
    "b": [(0, False), (1, True), ("TRUE", True)],
    "s": [("", ""), ("\U0010ffff\ud7ff\ue000", "\U0010ffff\ud7ff\ue000"), ("x" * 100000, "x" * 100000),
          ("\x01\t\n\x7f", "\x01\t\n\x7f")],
    "y": [(b"", "bytes:"), (bytes(range(256)), "bytes:" + bytes(range(256)).hex())],
    "n": [("9" * 29 + "." + "9" * 9, "decimal:" + "9" * 29 + "." + "9" * 9),
          ("-" + "9" * 29 + "." + "9" * 9, "decimal:-" + "9" * 29 + "." + "9" * 9),
          ("0.000000001", "decimal:0.000000001"), ("-0.000000001", "decimal:-0.000000001"), ("0", "decimal:0.000000000"),
          (0.1, "decimal:0.100000000")],
    "bn": [(BIG, "decimal:" + BIG), ("-" + BIG[:-1] + "8", "decimal:-" + BIG[:-1] + "8"),
           ("0." + "0" * 37 + "1", "decimal:0." + "0" * 37 + "1")],
    "d": [("0001-01-01", "date:0001-01-01"), ("9999-12-31", "date:9999-12-31"), ("1970-01-01", "date:1970-01-01")],
    "t": [("00:00", "time:00:00:00"), ("23:59:59.999999", "time:23:59:59.999999")],
    "dt": [("0001-01-01", f"int:{FIRST * DAY}"), ("9999-12-31 23:59:59.999999", f"int:{(LAST + 1) * DAY - 1}")],
    "ts": [("0001-01-01T00:00:00Z", "timestamp:0001-01-01 00:00:00"),
           ("9999-12-31 23:59:59.999999", "timestamp:9999-12-31 23:59:59.999999"),
           ("1970-01-01T05:30:00+05:30", "timestamp:1970-01-01 00:00:00")],
    "j": [("null", "null"), ('{"a": [1, 2.50, "\\u00e9"]}', '{"a": [1, 2.50, "\\u00e9"]}')],
    "g": [("POINT(77.59 12.97)", "POINT(77.59 12.97)"), ("Polygon((0 0, 1 0, 1 1, 0 0))",) * 2],
}
ROWS = max(map(len, VALUES.values())) + 1


def stored(number):
    """What the application keeps in a row: each column's values in turn, then NULL in all of them."""
    return [values[number % len(values)][0] if number < ROWS - 1 else None for values in VALUES.values()]


def expected(number):
    row = {name: values[number % len(values)][1] if number < ROWS - 1 else None for name, values in VALUES.items()}
    return {"id": f"int:{number}", **row}


class AvroTest(unittest.TestCase):
    def setUp(self):
        self.python = foreign.python_with("avro, zstandard", "python3-avro python3-zstandard")
        self.start()

    def start(self, *args):
        self.bq = self.enterContext(Bqlocal(datasets=["d"], args=args))
        self.recorder = self.enterContext(Recorder(self.bq.port))
        self.app = self.enterContext(Deployment(
            self.bq, environment={"BIGQUERY_EMULATOR_HOST": self.recorder.host}))

    def insert(self, numbers):
        with self.app.connect() as db:
            for number in numbers:
                db.execute("insert into everything values (?" + ", ?" * len(VALUES) + ")",
                           [number, *stored(number)])

    def read(self, target):
        """The one file that went to a table, as the foreign reader sees it."""
        media = [data for table, data in self.recorder.media() if table.startswith(target)]
        self.assertEqual(1, len(media), self.recorder.media())
        return self.read_media(media[0])

    def read_media(self, data):
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "file.avro"
        path.write_bytes(data)
        ended = subprocess.run([self.python, str(foreign.CONFORMANCE / "read_avro.py"), str(path)],
                               capture_output=True, text=True)
        self.assertEqual(0, ended.returncode, ended.stderr)
        return json.loads(ended.stdout)

    def test_a_replacement_is_read_value_by_value(self):
        self.insert(range(ROWS))

        self.app.sync("everything")

        file = self.read("everything")
        self.assertEqual("zstandard", file["codec"])
        self.assertEqual([expected(number) for number in range(ROWS)],
                         sorted(file["rows"], key=lambda row: int(row["id"].split(":")[1])))
        # REQUIRED columns are plain in a file that goes into the target itself.
        self.assertEqual("long", file["schema"]["fields"][0]["type"])

    def test_a_file_is_read_too_where_zstandard_is_refused(self):
        self.start("--avro-codecs", "deflate,null")
        self.insert(range(ROWS))

        self.app.sync("everything")

        refused, taken = (self.read_media(data) for _, data in self.recorder.media())
        self.assertEqual(["zstandard", "deflate"], [refused["codec"], taken["codec"]])
        self.assertEqual([expected(number) for number in range(ROWS)],
                         sorted(taken["rows"], key=lambda row: int(row["id"].split(":")[1])))
        self.assertEqual(refused["rows"], taken["rows"])

    def test_a_staging_file_is_read_value_by_value_with_its_tombstones(self):
        self.app.execute("insert into everything(id) values (1000), (1001)")
        self.app.sync("everything")
        self.insert(range(ROWS))
        self.app.execute("delete from everything where id = 1000")

        self.app.sync("everything")

        rows = {int(row["id"].split(":")[1]): row for row in self.read("bqsync_staging_everything")["rows"]}
        self.assertEqual({number: {**expected(number), "_bqsync_deleted": False} for number in range(ROWS)},
                         {number: row for number, row in rows.items() if number != 1000})
        self.assertIs(rows[1000]["_bqsync_deleted"], True)
        self.assertEqual(set(rows), {*range(ROWS), 1000})

    def test_logical_types_are_those_of_the_loading_rules(self):
        self.insert([0])
        self.app.sync("everything")

        kinds = {field["name"]: field["type"] for field in self.read("everything")["schema"]["fields"]}

        logical = {name: next((part.get("logicalType") or part.get("sqlType") for part in kind
                               if isinstance(part, dict)), None) for name, kind in kinds.items() if name != "id"}
        self.assertEqual(
            {"i": None, "f": None, "b": None, "s": None, "y": None, "n": "decimal", "bn": "decimal", "d": "date",
             "t": "time-micros", "dt": "local-timestamp-micros", "ts": "timestamp-micros", "j": "JSON", "g": None}, logical)


if __name__ == "__main__":
    unittest.main()
