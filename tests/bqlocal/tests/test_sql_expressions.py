"""GoogleSQL expressions: their values and the types of results."""

import pathlib
import re
import unittest

from tests.bqlocal.tests.sql_cases import VALUES
from tests.bqlocal.tests.sql_session import Session, SqlFailed

FAILURES = [
    ("1 / 0", "division by zero: 1 / 0"),
    ("9223372036854775807 + 1", "int64 overflow: 9223372036854775807 + 1"),
    ("9223372036854775808", "Invalid integer literal: 9223372036854775808 at [1:8]"),
    ("CAST('x' AS INT64)", "Bad INT64 value: x"),
    ("CAST(b'a\\xff' AS STRING)", "Invalid cast of bytes to UTF8 string"),
    ("DATE '2020-02-30'", "Invalid DATE literal: 2020-02-30 at [1:8]"),
    ("DATE '2020-01-01' = 'x'", 'Could not cast literal "x" to type DATE at [1:26]'),
    ("1 = 'a'", "No matching signature for operator = for argument types: INT64, STRING at [1:10]"),
    ("LENGTH(1)", "No matching signature for function LENGTH for argument types: INT64 at [1:8]"),
    ("SOUNDEX('a')", "Function not found: bqlocal does not have SOUNDEX; docs/bqlocal.md lists what it "
     "has at [1:8]"),
    ("SUM(1) OVER ()", "bqlocal does not have aggregate functions with an OVER clause at [1:8]"),
    ("5 & 3", "bqlocal does not have the operator & at [1:10]"),
    ("0xFF", "Syntax error: Missing whitespace between literal and alias (bqlocal does not have "
     "hexadecimal literals) at [1:8]"),
    ("FORMAT('%d', 5)", "bqlocal has FORMAT with one FLOAT64 argument only at [1:8]"),
    ("CAST('x' AS GEOGRAPHY)", "Invalid cast from STRING to GEOGRAPHY at [1:8]"),
    ("JSON '1' = JSON '1'", "Equality is not defined for arguments of type JSON at [1:17]"),
    ("CAST(DATE '2020-01-01' AS INT64)", "Invalid cast from DATE to INT64 at [1:8]"),
    ("TIMESTAMP(DATETIME '2020-01-01 00:00:00', 'Asia/Kolkata')",
     "bqlocal has the time zone UTC only, not Asia/Kolkata"),
    ("COUNT(COUNT(1))", "Aggregations of aggregations are not allowed at [1:14]"),
    ("(SELECT x FROM UNNEST([1, 2]) AS x)", "Scalar subquery produced more than one element"),
    ("NULL = 1", "Operands of = cannot be literal NULL at [1:8]"),
    ("1 + NULL", "Operands of + cannot be literal NULL at [1:12]"),
    ("'a' LIKE NULL", "Operands of LIKE cannot be literal NULL at [1:17]"),
    ("NOT NULL", "Operands of NOT cannot be literal NULL at [1:12]"),
    ("TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 MONTH)", "TIMESTAMP_ADD does not support the MONTH date "
     "part at [1:43]"),
    ("DATE_ADD(DATE '2020-01-01', INTERVAL 1 ISOWEEK)", "DATE_ADD does not support the ISOWEEK date "
     "part at [1:36]"),
    ("PARSE_JSON('67.174118')", "Invalid input to PARSE_JSON: Input number: 67.174118 cannot "
     "round-trip through string representation"),
    ("PARSE_JSON('1', wide_number_mode => 'up')", "Invalid `wide_number_mode` specified"),
    ("PARSE_JSON('1', stringify => TRUE)", "Function not found: bqlocal does not have PARSE_JSON "
     "STRINGIFY; docs/bqlocal.md lists what it has at [1:8]"),
    ("PARSE_JSON('1', 'round')", "No matching signature for function PARSE_JSON for argument "
     "types: STRING, STRING at [1:8]"),
    ("@nobody", "Query parameter 'nobody' not found at [1:8]"),
]


class Expressions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.session = Session()

    @classmethod
    def tearDownClass(cls):
        assert cls.session.close() == 0

    def test_expressions_have_bigquerys_values(self):
        for expression, expected in VALUES:
            with self.subTest(expression):
                self.assertEqual(self.session.value(expression), expected)

    def test_wrong_expressions_fail_with_googles_words(self):
        for expression, message in FAILURES:
            with self.subTest(expression), self.assertRaises(SqlFailed) as caught:
                self.session.value(expression)
            with self.subTest(expression):
                self.assertEqual(caught.exception.message, message)
                self.assertEqual((caught.exception.status, caught.exception.reason),
                                 (400, "invalidQuery"))

    def test_the_documented_functions_are_there(self):
        page = pathlib.Path(__file__).parents[3].joinpath("docs/bqlocal.md").read_text("utf-8")
        lists = re.findall(r"^- \*\*(?:Aggregates|Functions)\*\*: (.*?)\n(?=- |\n)", page, re.S | re.M)
        names = re.findall(r"\b[A-Z][A-Z_0-9]+\b", " ".join(lists).replace("FLOAT64", ""))

        self.assertGreater(len(names), 35)
        for name in names:
            with self.subTest(name):
                error = self.session.ask(sql=f"SELECT {name}()")["error"]
                self.assertNotIn("Function not found", error)

    def test_every_column_has_its_type(self):
        answer = self.session.run(
            "SELECT 1 i, 1.5 f, TRUE b, 'a' s, b'a' y, NUMERIC '1' n, BIGNUMERIC '1' N2, "
            "DATE '2020-01-01' d, TIME '01:02:03' t, DATETIME '2020-01-01 00:00:00' dt, "
            "TIMESTAMP '2020-01-01 00:00:00' ts, JSON '1' j, NULL, 1 + NUMERIC '1', 1 < 2"
        )

        self.assertEqual(
            [(f["name"], f["type"]) for f in answer["schema"]],
            [("i", "INTEGER"), ("f", "FLOAT"), ("b", "BOOLEAN"), ("s", "STRING"), ("y", "BYTES"),
             ("n", "NUMERIC"), ("N2", "BIGNUMERIC"), ("d", "DATE"), ("t", "TIME"),
             ("dt", "DATETIME"), ("ts", "TIMESTAMP"), ("j", "JSON"), ("f0_", "INTEGER"),
             ("f1_", "NUMERIC"), ("f2_", "BOOLEAN")],
        )

    def test_parameters_are_typed_values(self):
        def parameter(name, kind, value):
            shape = {"parameterType": {"type": kind},
                     "parameterValue": {} if value is None else {"value": value}}
            return {"name": name, **shape} if name else shape

        named = [parameter("i", "INT64", "5"), parameter("s", "STRING", "it's"),
                 parameter("y", "BYTES", "AP8="), parameter("d", "DATE", "2020-01-01"),
                 parameter("n", "STRING", None)]
        row = self.session.rows("SELECT @i + 1, @s, @y, @d, @n IS NULL", parameters=named)[0]
        self.assertEqual(row, ("6", "it's", "AP8=", "2020-01-01", "true"))

        positional = [parameter(None, "INT64", "1"), parameter(None, "INT64", "2")]
        self.assertEqual(self.session.rows("SELECT ?, ?", parameters=positional), [("1", "2")])

        array = [{"name": "k", "parameterType": {"type": "ARRAY", "arrayType": {"type": "INT64"}},
                  "parameterValue": {"arrayValues": [{"value": "1"}, {"value": "3"}]}}]
        self.assertEqual(self.session.value("3 IN UNNEST(@k)", parameters=array), "true")

    def test_a_parameter_may_be_sent_as_a_number_or_boolean(self):
        named = [{"name": name, "parameterType": {"type": kind}, "parameterValue": {"value": value}}
                 for name, kind, value in (("i", "INT64", 41), ("f", "FLOAT64", 0.5), ("b", "BOOL", True))]

        self.assertEqual(self.session.rows("SELECT @i + 1, @f, @b", parameters=named),
                         [("42", "0.5", "true")])

    def test_aggregates_follow_their_types(self):
        row = self.session.rows(
            "SELECT COUNT(*), COUNT(x), COUNT(DISTINCT x), SUM(x), AVG(x), MIN(x), MAX(x), "
            "BIT_XOR(x), COUNTIF(x > 1), SUM(CAST(x AS NUMERIC) / 10), MAX(CAST(x AS NUMERIC) * 5) "
            "FROM UNNEST([1, 2, 2, NULL]) AS x"
        )[0]

        self.assertEqual(row, ("4", "3", "2", "5", "1.6666666666666667", "1", "2", "1", "2",
                               "0.5", "10"))

    def test_nan_spoils_float_aggregates_and_sorts_first(self):
        source = "(SELECT CAST(x AS FLOAT64) x FROM UNNEST(['nan', '1', '-inf']) AS x)"
        rows = self.session.rows(f"SELECT MAX(x), SUM(x) FROM {source}")
        self.assertEqual(rows, [("NaN", "NaN")])

        rows = self.session.rows(f"SELECT x FROM {source} ORDER BY x")
        self.assertEqual(rows, [("NaN",), ("-Infinity",), ("1.0",)])


if __name__ == "__main__":
    unittest.main()
