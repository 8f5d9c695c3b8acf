"""GoogleSQL expressions: their values and the types of results."""

import unittest

from tests.bqlocal.tests.sql_session import Session, SqlFailed

# expression, value as REST shows it (timestamps as microseconds)
VALUES = [
    ("1 + 2 * 3", "7"),
    ("-9223372036854775808", "-9223372036854775808"),
    ("0xFF", "255"),
    ("7 / 2", "3.5"),
    ("MOD(-7, 3)", "-1"),
    ("DIV(7, 2)", "3"),
    ("5 & 3 | 8 ^ 1", "9"),
    ("1 << 3", "8"),
    ("NUMERIC '1.10' + 2", "3.1"),
    ("NUMERIC '0.1' * NUMERIC '0.1'", "0.01"),
    ("NUMERIC '10' / NUMERIC '3'", "3.333333333"),
    ("NUMERIC '10' > NUMERIC '9'", "true"),
    ("NUMERIC '-10' < NUMERIC '-9'", "true"),
    ("BIGNUMERIC '1' / 3", "0.33333333333333333333333333333333333333"),
    ("CAST('nan' AS FLOAT64) = CAST('nan' AS FLOAT64)", "false"),
    ("CAST('nan' AS FLOAT64) > 1.0", "false"),
    ("NULL = 1", None),
    ("1 IN (2, NULL)", None),
    ("1 IN (1, NULL)", "true"),
    ("2 NOT IN (1, 3)", "true"),
    ("1 IS NOT DISTINCT FROM NULL", "false"),
    ("NULL IS NOT DISTINCT FROM NULL", "true"),
    ("(1 = 2) IS FALSE", "true"),
    ("5 BETWEEN 1 AND 5", "true"),
    ("'abc' LIKE 'a_c'", "true"),
    ("'aBc' LIKE 'abc'", "false"),
    ("'50%' LIKE '50\\\\%'", "true"),
    ("'é' LIKE '_'", "true"),
    ("CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "b"),
    ("IF(NULL, 1, 2)", "2"),
    ("COALESCE(NULL, NULL, 3)", "3"),
    ("NULLIF(1, 1)", None),
    ("CONCAT('a', 1, DATE '2020-01-02')", "a12020-01-02"),
    ("'a' || 'b'", "ab"),
    ("LENGTH('日本')", "2"),
    ("BYTE_LENGTH('日本')", "6"),
    ("SUBSTR('hello', 2, 3)", "ell"),
    ("SUBSTR('hello', -3)", "llo"),
    ("SUBSTR('日本語', 2, 1)", "本"),
    ("UPPER('straße é')", "STRAßE É"),
    ("TRIM('  x ')", "x"),
    ("RTRIM('xaab', 'ab')", "x"),
    ("STARTS_WITH('bqsync', 'bq')", "true"),
    ("ENDS_WITH('a', 'bqsync')", "false"),
    ("REPLACE('a.b.c', '.', '')", "abc"),
    ("GREATEST(NUMERIC '9', NUMERIC '10')", "10"),
    ("LEAST('b', 'a')", "a"),
    ("GREATEST(1, NULL)", None),
    ("ROUND(2.5)", "3.0"),
    ("ROUND(NUMERIC '2.345', 2)", "2.35"),
    ("ROUND(NUMERIC '-1250', -2)", "-1300"),
    ("ABS(NUMERIC '-1.5')", "1.5"),
    ("TO_HEX(SHA256('a'))", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ("TO_HEX(MD5('a'))", "0cc175b9c0f1b6a831c399e269772661"),
    ("TO_HEX(CAST(NULL AS BYTES))", None),
    ("TO_BASE64(FROM_HEX('00ff'))", "AP8="),
    ("CAST('0x7fffffffffffffff' AS INT64)", "9223372036854775807"),
    ("CAST('-0x8000000000000000' AS INT64)", "-9223372036854775808"),
    ("SAFE_CAST('x' AS INT64)", None),
    ("CAST(1.0 AS STRING)", "1"),
    ("CAST(0.1 AS STRING)", "0.1"),
    ("CAST(1e300 AS STRING)", "1e+300"),
    ("CAST(TRUE AS STRING)", "true"),
    ("CAST(2.5 AS INT64)", "3"),
    ("CAST(NUMERIC '-2.5' AS INT64)", "-3"),
    ("CAST(b'abc' AS STRING)", "abc"),
    ("CAST(TIMESTAMP '2020-01-02 03:04:05.678+00' AS STRING)", "2020-01-02 03:04:05.678+00"),
    ("CAST(DATETIME '2020-01-02T03:04:05' AS STRING)", "2020-01-02 03:04:05"),
    ("CAST(DATE '2020-02-29' AS TIMESTAMP)", "1582934400000000"),
    ("DATE '2020-01-01' < '2020-01-02'", "true"),
    ("FORMAT('%.16e', 1.5)", "1.5000000000000000e+00"),
    ("FORMAT('%s|%5d|%-4s|%T|%t', 'a', 42, 'b', 'c', TRUE)", 'a|   42|b   |"c"|true'),
    ("FORMAT('%d%%', 5)", "5%"),
    ("UNIX_MICROS(TIMESTAMP '1970-01-01 00:00:01+00')", "1000000"),
    ("UNIX_SECONDS(TIMESTAMP '1969-12-31 23:59:59.5+00')", "-1"),
    ("UNIX_DATE(DATE '1970-01-10')", "9"),
    ("TIMESTAMP_MICROS(5)", "5"),
    ("DATE(TIMESTAMP '1969-12-31 23:00:00+00')", "1969-12-31"),
    ("DATE_DIFF(DATE '2020-03-01', DATE '2020-02-01', DAY)", "29"),
    ("DATE_DIFF(DATE '2020-03-01', DATE '2019-12-31', MONTH)", "3"),
    ("TIMESTAMP_DIFF(TIMESTAMP '2020-01-01 01:59:00', TIMESTAMP '2020-01-01 00:00:00', HOUR)", "1"),
    ("DATETIME_DIFF(DATETIME '2020-01-01 01:00:00', DATETIME '2020-01-01 00:59:00', HOUR)", "1"),
    ("TIME_DIFF(TIME '01:00:00', TIME '00:00:01', SECOND)", "3599"),
    ("DATE_TRUNC(DATE '2020-05-17', MONTH)", "2020-05-01"),
    ("DATE_TRUNC(DATE '2020-05-17', ISOWEEK)", "2020-05-11"),
    ("DATE_ADD(DATE '2020-01-31', INTERVAL 1 MONTH)", "2020-02-29"),
    ("DATE '2020-01-01' - INTERVAL 1 DAY", "2019-12-31"),
    ("TIMESTAMP_SUB(TIMESTAMP '1970-01-01 00:00:01', INTERVAL 1 SECOND)", "0"),
    ("EXTRACT(DAYOFWEEK FROM DATE '2020-01-01')", "4"),
    ("EXTRACT(ISOWEEK FROM DATE '2021-01-03')", "53"),
    ("EXTRACT(HOUR FROM TIMESTAMP '2020-01-01 05:06:07')", "5"),
    ("TO_JSON_STRING(PARSE_JSON('{\"b\": 1, \"a\": [1, 2]}'))", '{"a":[1,2],"b":1}'),
    ("TO_JSON_STRING('a\"b')", '"a\\"b"'),
    ("TO_JSON_STRING(9007199254740993)", '"9007199254740993"'),
    ("JSON_VALUE('{\"a\": {\"b\": [10, \"x\"]}}', '$.a.b[1]')", "x"),
    ("JSON_VALUE(JSON '{\"a\": {}}', '$.a')", None),
    ("JSON_QUERY('{\"a\": {\"b\": [10]}}', '$.a')", '{"b":[10]}'),
    ("r'a\\n'", "a\\n"),
    ("'''a'b'''", "a'b"),
    ("'\\u00e9\\x41\\101'", "éAA"),
    ("(SELECT MAX(x) FROM UNNEST([3, 5, 4]) AS x)", "5"),
    ("EXISTS(SELECT 1 FROM UNNEST([1]) AS x WHERE x = 2)", "false"),
    ("3 IN UNNEST([1, 3])", "true"),
    ("((SELECT 1) + 2)", "3"),
    ("RIGHT('hello', 2)", "lo"),
]

FAILURES = [
    ("1 / 0", "division by zero: 1 / 0"),
    ("9223372036854775807 + 1", "int64 overflow: 9223372036854775807 + 1"),
    ("9223372036854775808", "Invalid integer literal: 9223372036854775808 at [1:8]"),
    ("CAST('x' AS INT64)", "Bad INT64 value: x"),
    ("DATE '2020-02-30'", "Invalid DATE literal: 2020-02-30 at [1:8]"),
    ("DATE '2020-01-01' = 'x'", 'Could not cast literal "x" to type DATE at [1:26]'),
    ("1 = 'a'", "No matching signature for operator = for argument types: INT64, STRING at [1:10]"),
    ("LENGTH(1)", "No matching signature for function LENGTH for argument types: INT64 at [1:8]"),
    ("LENGHT('a')", "Function not found: LENGHT; Did you mean LENGTH? at [1:8]"),
    ("JSON '1' = JSON '1'", "Equality is not defined for arguments of type JSON at [1:17]"),
    ("CAST(DATE '2020-01-01' AS INT64)", "Invalid cast from DATE to INT64 at [1:8]"),
    ("COUNT(COUNT(1))", "Aggregations of aggregations are not allowed at [1:14]"),
    ("(SELECT x FROM UNNEST([1, 2]) AS x)", "Scalar subquery produced more than one element"),
    ("@nobody", "Query parameter 'nobody' not found at [1:8]"),
    ("ERROR('mine')", "mine"),
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
            "BIT_XOR(x), BIT_AND(x), BIT_OR(x), COUNTIF(x > 1), LOGICAL_AND(x > 0), "
            "SUM(CAST(x AS NUMERIC) / 10), MAX(CAST(x AS NUMERIC) * 5), STRING_AGG('v') "
            "FROM UNNEST([1, 2, 2, NULL]) AS x"
        )[0]

        self.assertEqual(row, ("4", "3", "2", "5", "1.6666666666666667", "1", "2", "1", "0", "3",
                               "2", "true", "0.5", "10", "v,v,v,v"))

    def test_nan_spoils_float_aggregates_and_sorts_first(self):
        source = "(SELECT CAST(x AS FLOAT64) x FROM UNNEST(['nan', '1', '-inf']) AS x)"
        rows = self.session.rows(f"SELECT MAX(x), SUM(x) FROM {source}")
        self.assertEqual(rows, [("NaN", "NaN")])

        rows = self.session.rows(f"SELECT x FROM {source} ORDER BY x")
        self.assertEqual(rows, [("NaN",), ("-Infinity",), ("1.0",)])


if __name__ == "__main__":
    unittest.main()
