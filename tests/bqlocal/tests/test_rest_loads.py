"""Load and copy jobs of bqlocal: what arrives in a table, and what is refused."""

import datetime
import decimal
import gzip
import json
import math
import unittest

from tests.support import avro_writer as avro
from tests.support.avro_writer import nullable
from tests.support.bqlocal import Bqlocal, HttpError

UTC = datetime.timezone.utc


def field(name, kind, mode="NULLABLE", **more):
    return {"name": name, "type": kind, "mode": mode, **more}


class RestLoads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bq = Bqlocal()
        cls.bq.start()

    @classmethod
    def tearDownClass(cls):
        cls.bq.stop()

    def setUp(self):
        for name in self.bq.tables("d"):
            self.bq.delete(f"datasets/d/tables/{name}")

    def make(self, name, fields, **more):
        self.bq.post("datasets/d/tables", {"tableReference": self.bq.reference("d", name),
                                           "schema": {"fields": fields}, **more})

    def load(self, rows, fields, table="t", codec="null", **options):
        return self.bq.load("d", table, avro.container(fields, rows, codec), **options)

    def assert_done(self, job):
        self.assertNotIn("errorResult", job["status"], job["status"])
        return job

    def assert_failed(self, job, reason, words):
        self.assertEqual(job["status"]["state"], "DONE")
        self.assertIn("errorResult", job["status"])
        self.assertEqual(job["status"]["errorResult"]["reason"], reason)
        self.assertIn(words, job["status"]["errorResult"]["message"])
        self.assertEqual(job["status"]["errors"], [job["status"]["errorResult"]])

    def test_every_type_arrives_as_it_was_written(self):
        fields = [
            ("i", nullable("long")), ("f", nullable("double")), ("b", nullable("boolean")),
            ("s", nullable("string")), ("y", nullable("bytes")), ("n", nullable(avro.NUMERIC)),
            ("big", nullable(avro.BIGNUMERIC)), ("d", nullable(avro.DATE)),
            ("t", nullable(avro.TIME)), ("dt", nullable(avro.DATETIME)),
            ("ts", nullable(avro.TIMESTAMP)), ("j", nullable(avro.JSON))]
        rows = [
            (2**63 - 1, 0.1, True, "é😀", b"\x00\xff", -123456789, 10**70, 0, 0, 0, 0, '{"b":1, "a":2}'),
            (-2**63, -1.5e300, False, "", b"", 10**37, -1, -719162, 86399999999,
             -62135596800000000, -62135596800000000, "[]"),
            (0, math.inf, False, "x", b"y", 0, 0, 2932896, 1, 253402300799999999,
             253402300799999999, "null"),
            (None,) * 12]

        job = self.assert_done(self.load(rows, fields, decimalTargetTypes=["NUMERIC", "BIGNUMERIC"]))

        self.assertEqual(job["statistics"]["load"]["outputRows"], "4")
        got = self.bq.rows("d", "t")
        self.assertEqual(got[0], {
            "i": 2**63 - 1, "f": 0.1, "b": True, "s": "é😀", "y": b"\x00\xff",
            "n": decimal.Decimal("-0.123456789"), "big": decimal.Decimal(10**32),
            "d": datetime.date(1970, 1, 1), "t": datetime.time(0),
            "dt": datetime.datetime(1970, 1, 1),
            "ts": datetime.datetime(1970, 1, 1, tzinfo=UTC), "j": '{"a":2,"b":1}'})
        self.assertEqual(got[1], {
            "i": -2**63, "f": -1.5e300, "b": False, "s": "", "y": b"",
            "n": decimal.Decimal(10**28), "big": decimal.Decimal(-1).scaleb(-38),
            "d": datetime.date(1, 1, 1), "t": datetime.time(23, 59, 59, 999999),
            "dt": datetime.datetime(1, 1, 1), "ts": datetime.datetime(1, 1, 1, tzinfo=UTC),
            "j": "[]"})
        self.assertEqual(got[2]["ts"], datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, UTC))
        self.assertEqual(got[2]["d"], datetime.date(9999, 12, 31))
        self.assertEqual(got[2]["f"], math.inf)
        self.assertEqual(got[3], dict.fromkeys(got[0]))
        types = {f["name"]: f["type"] for f in self.bq.table("d", "t")["schema"]["fields"]}
        self.assertEqual(types, {
            "i": "INTEGER", "f": "FLOAT", "b": "BOOLEAN", "s": "STRING", "y": "BYTES",
            "n": "NUMERIC", "big": "BIGNUMERIC", "d": "DATE", "t": "TIME", "dt": "DATETIME",
            "ts": "TIMESTAMP", "j": "JSON"})

    def test_nan_and_negative_zero_stay_what_they_are(self):
        self.assert_done(self.load([(math.nan,), (-0.0,)], [("f", "double")]))
        self.assert_done(self.json_load(['{"f": -0.0}']))

        got = [row["f"] for row in self.bq.rows("d", "t")]
        self.assertTrue(math.isnan(got[0]))
        self.assertEqual([math.copysign(1, zero) for zero in got[1:]], [-1, -1])

    def test_every_codec_is_read(self):
        rows = [(i, "text that repeats itself " * 5) for i in range(3000)]
        for codec in ("null", "deflate", "zstandard"):
            with self.subTest(codec):
                self.assert_done(self.load(rows, [("id", "long"), ("s", "string")], f"t_{codec}", codec))
                self.assertEqual(
                    [tuple(r.values()) for r in self.bq.rows("d", f"t_{codec}")], rows)

    def test_a_block_may_be_several_zstandard_frames(self):
        fields = [("id", "long")]
        packed = avro.zstd_frame(avro.long(1)) + avro.zstd_frame(b"") + avro.zstd_frame(avro.long(2))
        media = (avro.header(avro.schema(fields), "zstandard") + avro.long(2) + avro.long(len(packed)) + packed
                 + avro.SYNC)

        self.assert_done(self.bq.load("d", "t", media))

        self.assertEqual([1, 2], [row["id"] for row in self.bq.rows("d", "t")])

    def test_codecs_can_be_left_out(self):
        with Bqlocal(datasets=["d"], args=["--avro-codecs", "deflate,null"]) as bq:
            for codec, words in (("deflate", None), ("null", None), ("zstandard", "Unknown codec in data file: zstandard")):
                with self.subTest(codec):
                    job = bq.load("d", f"t_{codec}", avro.container([("id", "long")], [(1,)], codec))
                    if words is None:
                        self.assert_done(job)
                    else:
                        self.assert_failed(job, "invalid", words)

    def test_a_new_table_takes_its_modes_from_the_file(self):
        self.assert_done(self.load([(1, None)], [("id", "long"), ("s", nullable("string"))]))

        modes = {f["name"]: f.get("mode") for f in self.bq.table("d", "t")["schema"]["fields"]}
        self.assertEqual(modes, {"id": "REQUIRED", "s": "NULLABLE"})

    def test_without_logical_types_times_are_integers(self):
        self.assert_done(self.load([(5,)], [("ts", avro.TIMESTAMP)], useAvroLogicalTypes=False))

        self.assertEqual(self.bq.rows("d", "t"), [{"ts": 5}])

    def test_fields_are_matched_by_name_in_any_case_and_order(self):
        self.make("t", [field("id", "INTEGER"), field("Name", "STRING"), field("late", "STRING")])

        self.assert_done(self.load([("x", 1)], [("name", nullable("string")), ("id", "long")]))

        self.assertEqual(self.bq.rows("d", "t"), [{"id": 1, "Name": "x", "late": None}])

    def test_a_column_that_the_file_lacks_gets_its_default(self):
        self.make("t", [field("id", "INTEGER"), field("n", "INTEGER",
                                                      defaultValueExpression="40 + 2")])

        self.assert_done(self.load([(1,)], [("id", nullable("long"))]))

        self.assertEqual(self.bq.rows("d", "t"), [{"id": 1, "n": 42}])

    def test_files_that_do_not_fit_the_table_are_refused_with_googles_words(self):
        required = [field("id", "INTEGER", "REQUIRED")]
        self.make("t", [*required, field("j", "JSON"), field("dt", "DATETIME")])
        start = "Provided Schema does not match Table p:d.t. "
        cases = [
            ([("id", "long")], (1,), None,
             start + "Field id has changed mode from REQUIRED to NULLABLE"),
            ([("id", "long")], (1,), [field("id", "INTEGER")],
             start + "Field id has changed mode from REQUIRED to NULLABLE"),
            ([("id", nullable("long"))], (1,), required,
             "Field 'id' is specified as REQUIRED in provided schema which does not match NULLABLE"),
            ([("id", "long"), ("j", nullable(avro.JSON))], (1, "1"),
             [*required, field("j", "JSON")], None),
            ([("id", "long"), ("dt", nullable(avro.DATETIME))], (1, 0),
             [*required, field("dt", "DATETIME", "REQUIRED")],
             "Field 'dt' is specified as REQUIRED in provided schema"),
            ([("id", "long"), ("dt", avro.DATETIME)], (1, 0),
             [*required, field("dt", "DATETIME", "REQUIRED")],
             start + "Field dt has changed mode from NULLABLE to REQUIRED"),
            ([("id", "string")], ("1",), None,
             start + "Field id has changed type from INTEGER to STRING"),
            ([("id", "long"), ("j", nullable("string"))], (1, "{}"), required,
             start + "Field j has changed type from JSON to STRING"),
            ([("id", "long"), ("dt", nullable(avro.TIMESTAMP))], (1, 0), required,
             start + "Field dt has changed type from DATETIME to TIMESTAMP"),
            ([("id", "long"), ("more", nullable("long"))], (1, 2), required,
             start + "Cannot add fields (field: more)"),
            ([("j", nullable(avro.JSON))], ("{}",), None,
             start + "Field id is missing in new schema"),
        ]
        for fields, row, given, words in cases:
            with self.subTest(words):
                options = {"schema": {"fields": given}} if given else {}
                job = self.load([row], fields, **options)
                if words is None:
                    self.assert_done(job)
                    self.bq.query("truncate table d.t")
                else:
                    self.assert_failed(job, "invalid", words)
        self.assertEqual(self.bq.table("d", "t")["numRows"], "0")

    def test_lenient_modes_are_those_of_the_file(self):
        with Bqlocal(args=["--load-modes", "lenient"]) as bq:
            bq.query("create table d.t (id int64 not null)")
            good = bq.load("d", "t", avro.container([("id", "long")], [(1,)]))
            bad = bq.load("d", "t", avro.container([("id", nullable("long"))], [(2,)]))

            self.assert_done(good)
            self.assert_failed(bad, "invalid", "has changed mode from REQUIRED to NULLABLE")
            self.assertEqual(bq.rows("d", "t"), [{"id": 1}])

    def test_a_plain_type_fits_a_nullable_column(self):
        self.make("t", [field("id", "INTEGER")])

        self.assert_done(self.load([(1,)], [("id", "long")]))

        self.assertEqual(self.bq.table("d", "t")["schema"]["fields"][0]["mode"], "NULLABLE")

    def test_the_job_may_widen_the_schema(self):
        self.make("t", [field("id", "INTEGER", "REQUIRED")])

        self.assert_done(self.load(
            [(None, "x")], [("id", nullable("long")), ("more", nullable("string"))],
            schemaUpdateOptions=["ALLOW_FIELD_ADDITION", "ALLOW_FIELD_RELAXATION"]))

        self.assertEqual(self.bq.rows("d", "t"), [{"id": None, "more": "x"}])
        self.assert_failed(self.load([(1, 1)], [("id", "long"), ("must", "long")],
                            schemaUpdateOptions=["ALLOW_FIELD_ADDITION"]),
                  "invalid", "Cannot add required fields to an existing schema. (field: must)")

    def test_unknown_fields_may_be_ignored(self):
        self.make("t", [field("id", "INTEGER")])

        self.assert_done(self.load([(1, 2)], [("id", "long"), ("more", "long")],
                               ignoreUnknownValues=True))

        self.assertEqual(self.bq.rows("d", "t"), [{"id": 1}])

    def test_values_out_of_range_fail_the_whole_load(self):
        cases = [
            ("timestamp", avro.TIMESTAMP, 253402300800000000),
            ("datetime", avro.DATETIME, -62135596800000001),
            ("date", avro.DATE, 2932897),
            ("time", avro.TIME, 86400000000),
            ("numeric", avro.NUMERIC, 10**38),
            ("utf-8", "string", b"a\xff"),
            ("surrogate", "string", b"\xed\xa0\x80"),
            ("json", avro.JSON, "{"),
        ]
        good = {"timestamp": 0, "datetime": 0, "date": 0, "time": 0, "numeric": 0, "utf-8": "",
                "surrogate": "", "json": "1"}
        for label, kind, bad in cases:
            with self.subTest(label):
                job = self.load([(good[label],), (bad,)], [("v", kind)])
                self.assert_failed(job, "invalid", "(field v, row 2 of the file)")
                self.assertEqual(self.bq.tables("d"), [])

    def test_broken_containers_are_refused(self):
        fields = [("id", "long")]
        good = avro.container(fields, [(1,), (2,)])
        head = avro.header(avro.schema(fields))
        huge = b"\x00" * (17 << 20)
        cases = [
            ("not Avro", b"nonsense", "magic bytes"),
            ("cut header", good[:30], "ends within its header"),
            ("cut block", good[:-5], "ends within a block"),
            ("no rows", head + avro.block(b"", 0), "block without rows"),
            ("wrong marker", head + avro.block(avro.long(1), 1, sync=b"x" * 16), "sync marker"),
            ("rows missing", head + avro.block(avro.long(1), 2), "damaged row 2"),
            ("bytes left", head + avro.block(avro.long(1) * 2, 1), "more bytes than rows"),
            ("large block", head + avro.block(huge, 1), "larger than 16 MB"),
            ("large inside", avro.header(avro.schema(fields), "deflate")
             + avro.block(huge, 1, "deflate"), "larger than 16 MB"),
            ("bad deflate", avro.header(avro.schema(fields), "deflate")
             + avro.block(b"\xff\xff", 1), "not a DEFLATE stream"),
            ("large inside zstandard", avro.header(avro.schema(fields), "zstandard")
             + avro.block(huge[:-1 << 10], 1, "zstandard"), "larger than 16 MB"),
            ("bad zstandard", avro.header(avro.schema(fields), "zstandard")
             + avro.block(b"\xff" * 20, 1), "not a Zstandard frame"),
            ("cut zstandard", avro.header(avro.schema(fields), "zstandard")
             + avro.block(avro.zstd_frame(avro.long(1))[:-1], 1), "not a Zstandard frame"),
            ("snappy", avro.header(avro.schema(fields), "snappy"), "codec"),
        ]
        for label, media, words in cases:
            with self.subTest(label):
                self.assert_failed(self.bq.load("d", "t", media), "invalid", words)

    def test_empty_options_of_other_formats_are_no_options(self):
        self.assert_done(self.load([(1,)], [("id", "long")], nullMarkers=[], quote="",
                                   skipLeadingRows=0, allowJaggedRows=False, fieldDelimiter=None))

    def test_a_file_of_a_header_alone_makes_an_empty_table(self):
        self.assert_done(self.load([], [("id", "long")]))

        self.assertEqual(self.bq.table("d", "t")["numRows"], "0")

    def test_write_truncate_replaces_rows_schema_and_constraints(self):
        self.make("t", [field("id", "INTEGER", "REQUIRED", description="key")],
                  tableConstraints={"primaryKey": {"columns": ["id"]}}, description="table",
                  labels={"a": "b"})
        self.bq.query("insert into d.t (id) values (1)")

        self.assert_done(self.load([("x",)], [("s", nullable("string"))],
                               writeDisposition="WRITE_TRUNCATE"))

        made = self.bq.table("d", "t")
        self.assertEqual(self.bq.rows("d", "t"), [{"s": "x"}])
        self.assertNotIn("tableConstraints", made)
        self.assertEqual((made["description"], made["labels"]), ("table", {"a": "b"}))

    def test_write_truncate_data_keeps_schema_and_constraints(self):
        fields = [field("id", "INTEGER", "REQUIRED", description="key"), field("s", "STRING")]
        self.make("t", fields, tableConstraints={"primaryKey": {"columns": ["id"]}})
        self.bq.query("insert into d.t (id) values (1)")

        self.assert_done(self.load([(2,)], [("id", "long")], writeDisposition="WRITE_TRUNCATE_DATA",
                                   schema={"fields": fields[:1]}))
        failed = self.load([(2,)], [("id", nullable("long"))],
                           writeDisposition="WRITE_TRUNCATE_DATA")

        self.assert_failed(failed, "invalid", "Field id has changed mode from REQUIRED to NULLABLE")
        made = self.bq.table("d", "t")
        self.assertEqual(self.bq.rows("d", "t"), [{"id": 2, "s": None}])
        self.assertEqual(made["schema"]["fields"], fields)
        self.assertIn("tableConstraints", made)

    def test_write_empty_needs_an_empty_table(self):
        row, fields = [(1,)], [("id", "long")]

        self.assert_done(self.load(row, fields, writeDisposition="WRITE_EMPTY"))
        second = self.load(row, fields, writeDisposition="WRITE_EMPTY")

        self.assert_failed(second, "duplicate", "Already Exists: Table p:d.t")
        self.assertEqual(self.bq.table("d", "t")["numRows"], "1")

    def test_create_never_needs_the_table(self):
        job = self.load([(1,)], [("id", "long")], createDisposition="CREATE_NEVER")

        self.assert_failed(job, "notFound", "Not found: Table p:d.t")

    def test_a_new_table_gets_the_jobs_layout(self):
        self.assert_done(self.load(
            [(1, 0)], [("id", "long"), ("ts", avro.TIMESTAMP)],
            timePartitioning={"type": "DAY", "field": "ts"}, clustering={"fields": ["id"]},
            destinationTableProperties={"description": "made by a load", "labels": {"x": "y"}}))

        made = self.bq.table("d", "t")
        self.assertEqual(made["timePartitioning"], {"type": "DAY", "field": "ts"})
        self.assertEqual(made["clustering"], {"fields": ["id"]})
        self.assertEqual((made["description"], made["labels"]), ("made by a load", {"x": "y"}))

    def test_bad_load_jobs_never_become_jobs(self):
        media = avro.container([("id", "long")], [(1,)])
        cases = [
            ({"sourceFormat": "CSV"}, "notImplemented"),
            ({"fieldDelimiter": ";"}, "invalid"),
            ({"schema": {"fields": []}}, "invalid"),
            ({"writeDisposition": "WRITE_SOMETIMES"}, "invalid"),
            ({"schemaUpdateOptions": ["ALLOW_FIELD_ADDITION"],
              "writeDisposition": "WRITE_EMPTY"}, "invalid"),
            ({"destinationTable": self.bq.reference("none", "t")}, "notFound"),
        ]
        before = len(self.bq.get("jobs?maxResults=1000")["jobs"])
        for options, reason in cases:
            with self.subTest(options):
                with self.assertRaises(HttpError) as caught:
                    self.bq.load("d", "t", media, **options)
                self.assertEqual(caught.exception.reason, reason)
        self.assertEqual(len(self.bq.get("jobs?maxResults=1000")["jobs"]), before)

    def test_json_numbers_are_rounded_or_refused(self):
        fields = [("j", nullable(avro.JSON))]
        cases = [("67.174118", "67.17411800000001"), ("[18446744073709551616]", "[1.8446744073709552e+19]"),
                 ('{"a": 1685019801.1016695}', '{"a":1685019801.1016696}')]
        with Bqlocal(args=["--json-numbers", "refuse"]) as strict:
            for text, rounded in cases:
                with self.subTest(text):
                    self.assert_done(self.load([(text,)], fields, writeDisposition="WRITE_TRUNCATE"))
                    refused = strict.load("d", "t", avro.container(fields, [("1.50",), (text,)]))

                    self.assertEqual(self.bq.rows("d", "t"), [{"j": rounded}])
                    self.assert_failed(refused, "invalid",
                                       "cannot round-trip through string representation")
            self.assert_done(strict.load("d", "t", avro.container(fields, [('{"a": 1.50, "a": 2}',)])))
            self.assertEqual(strict.rows("d", "t"), [{"j": '{"a":1.5}'}])

    # NDJSON

    def json_load(self, lines, table="t", packed=False, **options):
        media = "\n".join(line if isinstance(line, str) else json.dumps(line)
                          for line in lines).encode() + b"\n"
        return self.bq.load("d", table, gzip.compress(media) if packed else media,
                            sourceFormat="NEWLINE_DELIMITED_JSON", **options)

    def test_json_lines_carry_every_type(self):
        kinds = [("i", "INT64"), ("f", "FLOAT64"), ("b", "BOOL"), ("s", "STRING"), ("y", "BYTES"),
                 ("n", "NUMERIC"), ("d", "DATE"), ("t", "TIME"), ("dt", "DATETIME"),
                 ("ts", "TIMESTAMP"), ("j", "JSON")]
        schema = {"fields": [{"name": n, "type": k} for n, k in kinds]}

        for packed in (False, True):
            table = f"t{int(packed)}"
            with self.subTest(packed):
                self.assert_done(self.json_load([
                    {"i": "9223372036854775807", "f": 1.5, "b": True, "s": "é\n\\\"\t/😀\u0001", "y": "AP8=",
                     "n": "1.25", "d": "2026-01-02", "t": "03:04:05.5",
                     "dt": "2026-01-02 03:04:05", "ts": "2026-01-02T03:04:05+01:00",
                     "j": {"z": [1, None], "a": "x"}},
                    "", {"I": 9007199254740993, "f": "NaN", "b": "false"}],
                    table, packed, schema=schema))
                first, second = self.bq.rows("d", table)
                self.assertEqual(first, {
                    "i": 2**63 - 1, "f": 1.5, "b": True, "s": "é\n\\\"\t/😀\u0001", "y": b"\x00\xff",
                    "n": decimal.Decimal("1.25"), "d": datetime.date(2026, 1, 2),
                    "t": datetime.time(3, 4, 5, 500000),
                    "dt": datetime.datetime(2026, 1, 2, 3, 4, 5),
                    "ts": datetime.datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC),
                    "j": '{"a":"x","z":[1,null]}'})
                self.assertEqual(second["i"], 9007199254740993)
                self.assertTrue(math.isnan(second["f"]))
                self.assertIs(second["b"], False)

    def test_bad_json_lines_fail_the_whole_load(self):
        self.make("t", [field("id", "INTEGER", "REQUIRED"), field("d", "DATE"), field("s", "STRING")])
        cases = [
            ('{"id": 1', "Parser terminated before end of string"),
            ('{"id": 1, "x": 2}', "No such field: x."),
            ('{"id": 1, "s": "a\\u0000b"}', "U+0000 in a STRING value"),
            ('{"id": 1, "s\\u0000": "a"}', "No such field: s"),
            ('{"d": "2026-01-01"}', "Missing required field: id."),
            ('{"id": null}', "Required field id cannot be null"),
            ('{"id": "one"}', "Could not convert value to INT64"),
            ('{"id": 1, "d": "2026-02-30"}', "Could not convert value to DATE"),
        ]
        for line, words in cases:
            with self.subTest(line):
                self.assert_failed(self.json_load(['{"id": 5}', line]), "invalid", words)
        self.assertEqual(self.bq.table("d", "t")["numRows"], "0")

    def test_a_field_is_in_a_row_once(self):
        self.make("t", [field("id", "INTEGER")])

        for line in ('{"id": 1, "id": 2}', '{"id": null, "ID": 2}'):
            with self.subTest(line):
                self.assert_failed(self.json_load(['{"id": 5}', line]), "invalid", "row 2: the field id is there twice")

    # Copies

    def copy(self, sources, table, **options):
        return self.bq.run({"configuration": {"copy": {
            "sourceTables": [self.bq.reference("d", s) for s in sources],
            "destinationTable": self.bq.reference("d", table), **options}}})

    def test_a_copy_replaces_rows_schema_and_constraints_at_once(self):
        self.make("s", [field("id", "INTEGER", "REQUIRED"), field("n", "STRING")],
                  tableConstraints={"primaryKey": {"columns": ["id"]}})
        self.make("t", [field("other", "STRING")], labels={"keep": "me"})
        self.bq.query("insert into d.s (id, n) values (1, 'a'), (2, 'b')")

        job = self.assert_done(self.copy(["s"], "t", writeDisposition="WRITE_TRUNCATE"))

        self.assertEqual(job["statistics"]["copy"]["copiedRows"], "2")
        self.assertEqual(self.bq.rows("d", "t"), self.bq.rows("d", "s"))
        made = self.bq.table("d", "t")
        self.assertEqual(made["tableConstraints"], {"primaryKey": {"columns": ["id"]}})
        self.assertEqual(made["labels"], {"keep": "me"})

    def test_several_sources_are_appended(self):
        for name in ("a", "b", "t"):
            self.make(name, [field("id", "INTEGER")])
            self.bq.query(f"insert into d.{name} (id) values ({ord(name)})")

        self.assert_done(self.copy(["a", "b"], "t", writeDisposition="WRITE_APPEND"))

        self.assertEqual([r["id"] for r in self.bq.rows("d", "t")], [ord(c) for c in "tab"])

    def test_a_copy_reads_its_sources_before_it_replaces_one_of_them(self):
        for sources, ids in ((["t"], [3, 1, 2]), (["a", "t"], [9, 3, 1, 2]), (["t", "a", "t"], [3, 1, 2, 9, 3, 1, 2])):
            with self.subTest(sources):
                self.bq.query("create or replace table d.t (id int64); insert d.t values (3), (1), (2);"
                              "create or replace table d.a (id int64); insert d.a values (9)")
                job = self.assert_done(self.copy(sources, "t", writeDisposition="WRITE_TRUNCATE"))
                self.assertEqual(job["statistics"]["copy"]["copiedRows"], str(len(ids)))
                self.assertEqual([r["id"] for r in self.bq.rows("d", "t")], ids)
                self.assertEqual([r["id"] for r in self.bq.rows("d", "a")], [9])

    def test_copies_that_do_not_fit_fail(self):
        self.make("s", [field("id", "INTEGER")])
        self.make("t", [field("id", "STRING")])
        self.bq.query("insert into d.t (id) values ('x')")

        self.assert_failed(self.copy(["s"], "t"), "duplicate", "Already Exists: Table p:d.t")
        self.assert_failed(self.copy(["s"], "t", writeDisposition="WRITE_APPEND"), "invalid",
                  "Incompatible table schemas")
        self.assert_failed(self.copy(["none"], "new"), "notFound", "Not found: Table p:d.none")

    def test_modifications_of_a_day_are_counted_for_loads_and_copies_alone(self):
        for _ in range(2):
            self.assert_done(self.load([(1,)], [("id", nullable("long"))]))
        self.bq.query("update d.t set id = 2 where true")

        counted = self.bq.get("/bqlocal/tables")["tables"]

        self.assertEqual(counted, [
            {"dataset": "d", "table": "t", "rows": 2, "modifications_today": 2}])


class Discard(unittest.TestCase):
    def test_rows_are_counted_and_forgotten_in_every_kind_of_upload(self):
        rows = [(i, "x" * 100) for i in range(20000)]
        fields = [("id", nullable("long")), ("s", nullable("string"))]
        media = avro.container(fields, rows, "deflate")
        with Bqlocal(args=["--discard"]) as bq:
            job = bq.load("d", "t", media)
            status, headers, _ = bq.raw(
                "POST", "/upload/bigquery/v2/projects/p/jobs?uploadType=resumable",
                {"configuration": {"load": {"sourceFormat": "AVRO",
                                            "destinationTable": bq.reference("d", "t")}}})
            self.assertEqual(status, 200)
            second = bq.request("PUT", headers["Location"], media)

            self.assertEqual(job["statistics"]["load"]["outputRows"], "20000")
            self.assertEqual(second["statistics"]["load"]["outputRows"], "20000")
            self.assertEqual(bq.table("d", "t")["numRows"], "40000")
            self.assertEqual(bq.scalar("select count(*) from d.t"), 0)


if __name__ == "__main__":
    unittest.main()
