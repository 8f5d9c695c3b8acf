"""Arrays of structs as query parameters: their rows in SELECT, INSERT and MERGE, and what is no value of their type."""

import unittest

from tests.bqlocal.tests.sql_session import Session, SqlFailed

TYPES = {"id": "INT64", "f": "FLOAT64", "b": "BOOL", "s": "STRING", "y": "BYTES", "n": "NUMERIC", "N": "BIGNUMERIC",
         "d": "DATE", "t": "TIME", "dt": "DATETIME", "ts": "TIMESTAMP"}
EDGES = [
    ("-9223372036854775808", "NaN", "true", "it's \u00e9\n\U0001f600", "AP8=", "-99999999999999999999999999999.999999999",
     "-578960446186580977117854925043439539266.34992332820282019728792003956564819968", "0001-01-01", "00:00:00.000001",
     "0001-01-01T00:00:00.000001", "0001-01-01 00:00:00.000001+00:00"),
    ("9223372036854775807", "-Infinity", "false", "", "", "0.000000001", "0.00000000000000000000000000000000000001",
     "9999-12-31", "23:59:59.999999", "9999-12-31T23:59:59.999999", "9999-12-31 23:59:59.999999+00:00"),
    ("0", "5e-324") + (None,) * 9,
]


def rows(types, values, name="rows"):
    """A parameter: types by field, values as lists in their order."""
    return {"name": name, "parameterType": {"type": "ARRAY", "arrayType": {"type": "STRUCT", "structTypes": [
        {"name": field, "type": {"type": kind}} for field, kind in types.items()]}},
        "parameterValue": {"arrayValues": [
            {"structValues": {field: {"value": value} for field, value in zip(types, row)}} for row in values]}}


class Structs(unittest.TestCase):
    def setUp(self):
        self.session = Session()
        self.session.run("CREATE TABLE d.t (id INT64 NOT NULL, v STRING)")

    def tearDown(self):
        self.assertEqual(self.session.close(), 0)

    def rows(self, sql, *parameters):
        return self.session.rows(sql, parameters=list(parameters))

    def test_fields_are_columns_with_and_without_the_alias(self):
        two = rows({"id": "INT64", "v": "STRING"}, [["1", "a"], ["2", None]])

        self.assertEqual([("1", "a"), ("2", None)], self.rows("SELECT s.id, v FROM UNNEST(@rows) AS s ORDER BY id", two))
        self.assertEqual([("1", "a"), ("2", None)], self.rows("SELECT * FROM UNNEST(@rows) ORDER BY 1", two))
        self.assertEqual([("a",)], self.rows("SELECT * EXCEPT (id) FROM UNNEST(@rows) AS s WHERE s.id = 1", two))

    def test_no_rows_are_no_rows(self):
        self.assertEqual([], self.rows("SELECT s.id, s.v FROM UNNEST(@rows) s", rows({"id": "INT64", "v": "STRING"}, [])))

    def test_values_of_all_types_arrive_exactly(self):
        self.session.run("CREATE TABLE d.all (" + ", ".join(f"{f}{f} {kind}" for f, kind in TYPES.items() if f != "N")
                         + ", big BIGNUMERIC)")
        selected = ", ".join(f"s.{f}" for f in TYPES if f != "N") + ", s.N"

        # Field names do not depend on case, so N has to be another name.
        types = {("big" if f == "N" else f): kind for f, kind in TYPES.items()}
        self.session.run(f"INSERT d.all SELECT {selected.replace('s.N', 's.big')} FROM UNNEST(@rows) AS s",
                         parameters=[rows(types, EDGES)])

        exact = "SELECT idid, CAST(ff AS STRING), bb, ss, yy, CAST(nn AS STRING), CAST(big AS STRING), CAST(dd AS STRING), " \
                "CAST(tt AS STRING), CAST(dtdt AS STRING), UNIX_MICROS(tsts) FROM d.all ORDER BY idid"
        low, null, high = self.session.rows(exact)
        self.assertEqual(EDGES[0][:9], tuple("NaN" if v.lower() == "nan" else v for v in low[:9]))
        self.assertEqual(EDGES[1][2:9], high[2:9])
        self.assertEqual(("0001-01-01 00:00:00.000001", "-62135596799999999"), low[9:])
        self.assertEqual(("9999-12-31 23:59:59.999999", "253402300799999999"), high[9:])
        self.assertEqual((None,) * 9, null[2:])

    def test_a_merge_reads_them_in_place_of_a_table(self):
        self.session.run("INSERT d.t VALUES (1, 'old'), (2, 'gone'), (3, 'kept')")
        types = {"id": "INT64", "v": "STRING", "gone": "BOOL"}
        changes = rows(types, [["1", "new", "false"], ["2", None, "true"], ["4", "more", "false"], ["9", None, "true"]])

        for source in ("UNNEST(@rows)", "(SELECT * FROM UNNEST(@rows))"):
            self.session.run(
                f"MERGE INTO d.t AS t USING {source} AS s ON t.id = s.id WHEN MATCHED AND s.gone THEN DELETE "
                "WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED AND NOT s.gone THEN INSERT (id, v) "
                "VALUES (s.id, s.v)", parameters=[changes])
            self.assertEqual([("1", "new"), ("3", "kept"), ("4", "more")], self.session.rows("SELECT * FROM d.t ORDER BY id"))

    def test_five_thousand_rows_of_thirty_columns(self):
        types = {"id": "INT64", **{f"c{i}": "STRING" for i in range(29)}}
        many = rows(types, [[str(i)] + [f"text {i}"] * 29 for i in range(5000)])

        self.assertEqual([("5000", "12497500")], self.rows("SELECT COUNT(DISTINCT c28), SUM(s.id) FROM UNNEST(@rows) s", many))

    def test_what_does_not_fit_the_type_is_refused(self):
        def one(kind, value):
            return rows({"v": kind}, [[value]])

        for kind, value in (("INT64", "1.0"), ("INT64", "9223372036854775808"), ("INT64", ""), ("FLOAT64", "0x1"),
                            ("BOOL", "1"), ("NUMERIC", "0.0000000001"), ("NUMERIC", "100000000000000000000000000000"),
                            ("DATE", "2026-02-30"), ("TIME", "24:00:00"), ("DATETIME", "2026-01-01T00:00:00.0000001"),
                            ("DATETIME", "2026-01-01 00:00:00Z"), ("TIMESTAMP", "10000-01-01 00:00:00"),
                            ("BYTES", "*")):
            with self.subTest(kind, value=value), self.assertRaisesRegex(SqlFailed, "Invalid value for query parameter rows"):
                self.rows("SELECT v FROM UNNEST(@rows)", one(kind, value))

    def test_a_struct_has_the_fields_of_its_type(self):
        two = {"id": "INT64", "v": "STRING"}

        def with_values(*values):
            return {**rows(two, []), "parameterValue": {"arrayValues": list(values)}}

        for parameter, message in (
            (with_values({"structValues": {"id": {"value": "1"}}}), "has 1 values, and its type 2"),
            (with_values({"structValues": {"id": {"value": "1"}, "w": {"value": "x"}}}), "no value for its field v"),
            (with_values({"value": "1"}), "has 0 values, and its type 2"),
            (rows({}, []), "needs its structTypes"),
            (rows({"id": "INT64", "ID": "INT64"}, []), "ID is used more than once"),
            (rows({"": "INT64"}, []), "fields without names"),
            (rows({"a": "ARRAY"}, []), "query parameter of type ARRAY"),
            (rows({"a": "TEXT"}, []), "query parameter of type TEXT"),
        ):
            with self.subTest(message), self.assertRaisesRegex(SqlFailed, message):
                self.rows("SELECT 1 FROM UNNEST(@rows)", parameter)

    def test_types_are_those_of_columns(self):
        text = rows({"id": "STRING", "v": "STRING"}, [["1", "a"]])

        with self.assertRaisesRegex(SqlFailed, "type STRING"):
            self.session.run("INSERT d.t SELECT s.id, s.v FROM UNNEST(@rows) s", parameters=[text])
        with self.assertRaisesRegex(SqlFailed, "operator ="):
            self.session.run("MERGE d.t T USING UNNEST(@rows) s ON T.id = s.id WHEN MATCHED THEN DELETE", parameters=[text])
        with self.assertRaisesRegex(SqlFailed, "cannot be null"):
            self.session.run("INSERT d.t SELECT s.id, s.v FROM UNNEST(@rows) s",
                             parameters=[rows({"id": "INT64", "v": "STRING"}, [[None, "a"]])])

    def test_elsewhere_they_are_not_values(self):
        two = rows({"id": "INT64"}, [["1"]])

        for expression in ("@rows", "1 IN UNNEST(@rows)", "(SELECT s FROM UNNEST(@rows) AS s)"):
            with self.subTest(expression), self.assertRaises(SqlFailed):
                self.rows(f"SELECT {expression}", two)


if __name__ == "__main__":
    unittest.main()
