"""STRING(n), BYTES(n) and NUMERIC(p, s) hold what they may, however a value comes."""

import base64
import json
import unittest

from tests.bqlocal.tests.rest_case import RestCase
from tests.support import avro_writer as avro

FIELDS = [{"name": "id", "type": "INT64"}, {"name": "s", "type": "STRING", "maxLength": "3"},
          {"name": "y", "type": "BYTES", "maxLength": "2"},
          {"name": "n", "type": "NUMERIC", "precision": "5", "scale": "2"},
          {"name": "b", "type": "BIGNUMERIC", "precision": "3"}]
FITS = {"s": "äöü", "y": b"\xff\0", "n": "-999.99", "b": "999"}
TOO_MUCH = {"s": "abcd", "y": b"abc", "n": "1000", "b": "1000"}
TYPES = {"s": "STRING", "y": "BYTES", "n": "NUMERIC", "b": "BIGNUMERIC"}


def literal(name, value):
    if name == "y":
        return f"from_hex('{value.hex()}')"
    return f"'{value}'" if name == "s" else f"{TYPES[name]} '{value}'"


def parameter(name, value):
    text = base64.b64encode(value).decode() if name == "y" else value
    return [{"name": "x", "parameterType": {"type": TYPES[name]}, "parameterValue": {"value": text}}]


class Limits(RestCase):
    def setUp(self):
        super().setUp()
        self.bq.post("datasets/d/tables", {"tableReference": self.bq.reference("d", "t"), "schema": {"fields": FIELDS}})
        self.bq.query("insert into d.t (id, s) values (1, 'old')")

    def refused(self, name, sql, parameters=None):
        error = self.refuse(400, "invalidQuery", self.bq.query, sql, parameters=parameters)
        self.assertIn(f"Field {name}: {TYPES[name]}(", error.message)

    def load(self, media, **options):
        return self.bq.load("d", "t", media, **options)["status"]

    def line(self, name, value):
        value = base64.b64encode(value).decode() if name == "y" else value
        return json.dumps({"id": 2, name: value}).encode()

    def test_a_value_that_is_too_long_or_too_large_is_refused(self):
        for name, value in TOO_MUCH.items():
            written = literal(name, value)
            for sql in (f"insert into d.t ({name}) values ({written})", f"insert into d.t ({name}) select {written}",
                        f"update d.t set {name} = {written} where true",
                        f"merge d.t t using (select 1 as id) s on t.id = s.id when matched then update set {name} = {written}",
                        f"merge d.t t using (select 7 as id) s on t.id = s.id when not matched then insert ({name}) values ({written})"):
                with self.subTest(sql):
                    self.refused(name, sql)
            with self.subTest(name, way="parameter"):
                self.refused(name, f"insert into d.t ({name}) values (@x)", parameter(name, value))
            with self.subTest(name, way="load"):
                error = self.load(self.line(name, value), sourceFormat="NEWLINE_DELIMITED_JSON")["errorResult"]
                self.assertEqual("invalid", error["reason"])
                self.assertIn(f"Field {name}: {TYPES[name]}(", error["message"])
            with self.subTest(name, way="result"):
                job = self.bq.run({"configuration": {"query": {
                    "query": f"select {written} as {name}", "useLegacySql": False, "writeDisposition": "WRITE_APPEND",
                    "destinationTable": self.bq.reference("d", "t")}}})
                self.assertIn("errorResult", job["status"])
        self.assertEqual([{"id": 1, "s": "old", "y": None, "n": None, "b": None}], self.bq.query("select * from d.t"))

    def test_a_default_is_held_to_the_limits_too(self):
        self.bq.query("create table d.made (id int64, s string(3) default 'long', n numeric(3, 1) default 1.25)")
        self.refuse(400, "invalidQuery", self.bq.query, "insert into d.made (id) values (1)")
        error = self.bq.load("d", "made", b'{"id": 1}', sourceFormat="NEWLINE_DELIMITED_JSON")["status"]["errorResult"]
        self.assertEqual("invalid", error["reason"])
        self.assertIn("STRING(3) has maximum length 3", error["message"])
        self.bq.query("create table d.rounded (id int64, n numeric(3, 1) default 1.25)")
        self.assertNotIn("errorResult", self.bq.load(
            "d", "rounded", b'{"id": 1}', sourceFormat="NEWLINE_DELIMITED_JSON")["status"])
        self.bq.query("insert into d.rounded (id) values (2)")
        self.assertEqual([1.3, 1.3], [float(row["n"]) for row in self.bq.query("select n from d.rounded")])

    def test_a_load_of_avro_keeps_to_the_limits_of_the_table(self):
        for text, fits in (("abcd", False), ("äöü", True)):
            status = self.load(avro.container([("s", avro.nullable("string"))], [(text,)]))
            self.assertEqual(fits, "errorResult" not in status, status)

    def test_what_fits_is_kept_and_digits_behind_the_scale_are_rounded(self):
        for name, value in FITS.items():
            self.bq.query(f"insert into d.t (id, {name}) values (2, {literal(name, value)})")
            self.assertNotIn("errorResult", self.load(self.line(name, value), sourceFormat="NEWLINE_DELIMITED_JSON"))
            self.assertEqual([value if name in "sy" else float(value)] * 2, [
                row["x"] if name in "sy" else float(row["x"])
                for row in self.bq.query(f"select {name} as x from d.t where id = 2 and {name} is not null")])
        for text, rounded in (("1.005", "1.01"), ("-1.005", "-1.01"), ("0.004", "0"), ("-0.004", "0"), ("9.995", "10"),
                              ("99.999", "100"), ("1.1", "1.1"), ("999.994", "999.99"), ("0.999", "1"), ("1.204", "1.2")):
            with self.subTest(text):
                self.bq.query(f"insert into d.t (id, n) values (9, NUMERIC '{text}')")
                self.assertEqual([{"n": rounded}], self.bq.query("select cast(n as string) as n from d.t where id = 9"))
                self.bq.query("delete from d.t where id = 9")
        self.refused("n", "insert into d.t (n) values (NUMERIC '999.995')")

    def test_limits_are_raised_and_not_lowered(self):
        for kind, way in (("STRING(2)", 400), ("STRING(5)", 200), ("STRING(4)", 400), ("STRING", 200), ("STRING(9)", 400)):
            with self.subTest(kind):
                sql = f"alter table d.t alter column s set data type {kind}"
                if way == 200:
                    self.bq.query(sql)
                else:
                    self.refuse(400, "invalidQuery", self.bq.query, sql)
        self.bq.query("create table d.wider (small int64, large int64, plain int64)")
        error = self.refuse(400, "invalidQuery", self.bq.query,
                            "alter table d.wider alter column small set data type numeric(20, 2)")
        self.assertIn("(INT64) is assignable to the new type (NUMERIC(20, 2))", error.message)
        self.bq.query("alter table d.wider alter column large set data type numeric(21, 2), "
                      "alter column plain set data type numeric")
        fields = self.bq.table("d", "t")["schema"]["fields"]
        for changes, way in (({"precision": "5", "scale": "3"}, 400), ({"precision": "7", "scale": "3"}, 200)):
            patched = [{**field, **(changes if field["name"] == "n" else {})} for field in fields]
            if way == 200:
                self.bq.patch("datasets/d/tables/t", {"schema": {"fields": patched}})
            else:
                self.refuse(400, "invalid", self.bq.patch, "datasets/d/tables/t", {"schema": {"fields": patched}})
        self.assertEqual(["INT64", "STRING", "BYTES(2)", "NUMERIC(7, 3)", "BIGNUMERIC(3)"], [
            row["data_type"] for row in self.bq.query(
                "select data_type from d.INFORMATION_SCHEMA.COLUMNS where table_name = 't' order by ordinal_position")])

    def test_a_table_with_narrower_columns_takes_no_copy(self):
        self.bq.query("create table d.wide (s string); create table d.narrow (s string(3))")
        for source, destination, fits in (("wide", "narrow", False), ("narrow", "wide", True)):
            job = self.bq.run({"configuration": {"copy": {
                "sourceTable": self.bq.reference("d", source), "writeDisposition": "WRITE_APPEND",
                "destinationTable": self.bq.reference("d", destination)}}})
            self.assertEqual(fits, "errorResult" not in job["status"])


if __name__ == "__main__":
    unittest.main()
