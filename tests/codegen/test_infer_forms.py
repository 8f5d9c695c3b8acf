"""The forms of single values, as infer tells them apart."""

import json
import unittest

from codegen.infer import counts, structures, texts
from codegen.infer.comments import read_remarks
from codegen.infer.definitions import inline
from codegen.infer.names import column_names, file_stems, names_moment, words


class TextTest(unittest.TestCase):
    def test_each_text_has_the_tag_of_its_form(self):
        for text, tag in (
                ("", "empty"), ("0", "bit"), ("42", "int"), ("+7", "int"), ("-9223372036854775808", "int"),
                ("9223372036854775808", "huge"), ("00000000000000000000042", "int"), ("1.5", "num"),
                (".5", "num"), ("1e5", "num"), (".", "other"), ("١٢", "other"), ("1_000", "other"),
                ("True", "bool"), ("t", "letter"), ("OFF", "word"), ("maybe", "other"),
                ("2024-02-29", "date"), ("2023-02-29", "other"), ("0000-00-00", "zero"),
                ("0000-00-00 00:00:00", "zero"), ("2024-01-01T10:00", "dt"), ("2024-01-01 00:00:00.000", "dt0"),
                ("2024-01-01 10:00:00.1234567", "dtf"), ("2024-01-01 10:00:00.1234560", "dt"),
                ("2024-01-01 10:00:00Z", "dtz"), ("2024-01-01 10:00:00.1234567 +05:30", "dtfz"),
                ("2024-01-01 10:00:00+0530", "dtz"), ("2024-01-01 24:00:00", "other"),
                ("2024-01-01Z", "other"), ("2024-01-01 10:00:00 +05 ", "other"), ("2024-01-01t10:00", "other"),
                ("0001-01-01 00:00:00+01:00", "other"), ("0001-01-01 00:00:00Z", "dt0z"), ("9999-12-31 23:59:59Z", "dtz"),
                ("2023-02-29 10:00:00 +0000 UTC", "other"), ("9999-12-31 23:59:59 -0100 X", "other"), ("0001-01-01 00:00:00+00:00", "dt0z"),
                ("9999-12-31 23:59:59-01:00", "other"), ("10:00", "time"), ("10:00:00.1234567", "timef"),
                ("24:00", "other"), ("2024-01-01 10:00:00 +0000 UTC", "go"),
                ("2024-01-01 10:00:00.112233638 +0330 +0330 m=+84630.7", "gof"), ("[1]", "structure"),
                ("2024-01-01 10:00:00\n", "other"), (" 42", "other"), ("7\n", "other")):
            with self.subTest(text=text):
                self.assertEqual(texts.tag_of(text), tag)

    def test_moments_count_microseconds(self):
        for text, us in (("1970-01-02", 86400_000000), ("1970-01-01 00:00:01.5", 1_500000),
                         ("1970-01-01 01:00+01:00", 0), ("1970-01-01 00:00:00.1234567", 123456),
                         ("1970-01-01 03:30:00 +0330 IRST", 0), ("00:01", 60_000000), ("x", None)):
            self.assertEqual(texts.moment(text), us, text)

    def test_decimals_fit_by_their_digits(self):
        for text, numeric, big in (
                ("1.5", True, True), ("0.1234567891", False, True), ("1e28", True, True),
                ("1e29", False, True), ("-0", True, True), ("1e-38", False, True), ("1e-39", False, False),
                ("5e76", False, False), ("10", True, True), ("0e-50", True, True), ("1000000000000000000000000000.000000000", True, True)):
            value = texts.number(text)
            self.assertEqual(texts.fits_decimal(value, *texts.NUMERIC), numeric, text)
            self.assertEqual(texts.fits_decimal(value, *texts.BIGNUMERIC), big, text)

    def test_floats_from_text(self):
        for text, fits in (("1.5", True), ("9007199254740993", False), ("9007199254740992", True),
                           ("1e400", False), ("x", False), ("1_000", False), ("nan", False), ("1e-400", False), ("0.0", True), ("0.1", True)):
            self.assertEqual(texts.fits_float(text), fits, text)


class StructureTest(unittest.TestCase):
    def test_json_is_exact_lossy_or_none(self):
        for text, form in (
                ('{"a": 1}', "exact"), ('{"a": 1, "a": 2}', "lossy"), ('{"a": 1, "\\u0061": 2}', "lossy"),
                ("[1.50, 67.174118]", "exact"), ("[0.10000000000000000001]", "lossy"), ("[1e400]", "lossy"),
                ("[18446744073709551615]", "exact"), ("[18446744073709551616]", "lossy"),
                ("[-9223372036854775809]", "lossy"), ("[NaN]", ""), ("[1,]", ""), ("{'a': 1}", ""),
                ('["\\ud800"]', "lossy"), ('["\\ud83d\\ude00"]', "exact"), (" [1]\n", "exact"), ("[123456789012345678901234]", "lossy"),
                ("[0.12345678901234567890]", "lossy"), ("[0.1234567890123456]", "exact"), ("[1.5e10]", "exact"),
                ("[" * 500 + "]" * 500, "exact"), ("[" * 501 + "]" * 501, "lossy"), ("[" * 9999, ""),
                ("", ""), ("\x0b[1]", ""), ("[1] x", "")):
            with self.subTest(text=text[:40]):
                self.assertEqual(structures.json_form(text), form)

    def test_jsonb_is_read_by_its_headers(self):
        for blob, form in (
                (bytes([0x4C, 0x17, 0x61, 0x13, 0x31]), "exact"),  # {"a":1}
                (bytes([0x0B]), "exact"), (bytes([0x0B, 0x00]), ""), (bytes([0x2B, 0x13]), ""),
                (bytes([0x2C, 0x17, 0x61]), ""), (bytes([0xCB, 0x01, 0x00]), "exact"), (b"", ""),
                (bytes([0x1B, 0x03]), ""), (bytes([0x1B, 0x0D]), ""), (bytes([0x2C, 0x13, 0x31]), ""),
                (bytes([0x2C, 0x17, 0x61]), ""), (bytes([0x4B, 0x0A, 0x1A, 0x22, 0x00]), "exact"),
                (bytes([0x1C, 0x07]), "")):
            self.assertEqual(structures.jsonb_form(blob), form, blob)

    def test_uuids_show_their_order(self):
        text_order = bytes.fromhex("6ba7b8109dad41d180b400c04fd430c8")
        net_order = bytes.fromhex("10b8a76bad9dd14180b400c04fd430c8")

        self.assertEqual(structures.uuid_orders(text_order), (True, False))
        self.assertEqual(structures.uuid_orders(net_order), (False, True))


    def test_objects_and_lists_stand_on_one_line(self):
        self.assertEqual('{ "a": [1, {}], "b": "\u00fc" }', inline({"a": [1, {}], "b": "\u00fc"}))


class CountTest(unittest.TestCase):
    def formats(self, *numbers, apple=False):
        found = counts.Counts(apple)
        found.add(list(numbers))
        return found.formats()

    def test_a_number_is_the_format_whose_date_can_be_believed(self):
        for number, form in (
                (1704103200, "unix_s"), (1704103200.5, "unix_s"), (1704103200500, "unix_ms"),
                (1704103200500000, "unix_us"), (1704103200500000000, "unix_ns"),
                (2460310.75, "julian"), (638397000005000000, "dotnet_ticks"),
                (13348576800500000, "webkit_us"), (133485768005000000, "filetime")):
            self.assertEqual(self.formats(number), (form,), number)
        self.assertEqual(self.formats(725796000.5, apple=True), ("apple_s",))
        self.assertEqual(self.formats(725796000500000000, apple=True), ("apple_ns",))
        self.assertEqual(self.formats(725796000500000000, 725796000, apple=True), ("apple_s", "apple_ns"))

    def test_what_lies_outside_of_1990_to_2100_is_not_believed(self):
        for number in (0, 1, 20240101, 631151999, 4133980800, 2460310, -1704103200):
            self.assertEqual(self.formats(number), (), number)
        self.assertEqual(self.formats(1704103200, 0), ())
        for number in (1, 700, -725796000):
            self.assertEqual(self.formats(number, apple=True), (), number)

    def test_units_that_read_each_other_are_not_mixed(self):
        self.assertEqual(self.formats(1704103200500, 1704103200), ("unix_s", "unix_ms"))
        self.assertEqual(self.formats(1704103200500000, 13348576800500000), ())

    def test_of_no_number_nothing_can_be_said(self):
        self.assertEqual([], counts.Counts(False).readings())

    def test_days_of_counts(self):
        self.assertEqual(counts.day_of("unix_s", 951782400), "2000-02-29")
        self.assertEqual(counts.day_of("julian", 2440587.5), "1970-01-01")
        self.assertEqual(counts.day_of("webkit_us", 0), "1601-01-01")
        self.assertEqual(counts.day_of("unix_s", 253402300800), "")


class NameTest(unittest.TestCase):
    def test_words_are_parted_by_case_and_marks(self):
        self.assertEqual(words("lastLogin_at"), ("last", "login", "at"))
        self.assertEqual(words("HTTPDate2"), ("http", "date", "2"))

    def test_names_of_moments(self):
        for name in ("created_at", "dateAdded", "mtime", "expires_utc", "last_seen", "ts"):
            self.assertTrue(names_moment(name), name)
        for name in ("is_read", "isDeleted", "has_expired", "was_seen"):
            self.assertFalse(names_moment(name), name)
        for name in ("time_zone", "created_by", "duration", "times_used", "status", "timeout", "at_id"):
            self.assertFalse(names_moment(name), name)

    def test_columns_get_names_that_bigquery_takes(self):
        names = column_names(["a b", "a_b", "A-B", "2nd", "größe", "日本", "_PARTITIONDATE", "_bqsync_x", "ok"])

        self.assertEqual(names, {
            "a b": "a_b_2", "a_b": "a_b", "A-B": "A_B_3", "2nd": "_2nd", "größe": "grosse", "日本": "column",
            "_PARTITIONDATE": "PARTITIONDATE", "_bqsync_x": "bqsync_x", "ok": "ok"})

    def test_files_are_named_after_their_tables(self):
        self.assertEqual(file_stems(["users", "odd name", "odd_name", "registry", "日本"]), {
            "users": "users", "odd name": "odd_name_2", "odd_name": "odd_name", "registry": "registry_2",
            "日本": "table"})


class CommentTest(unittest.TestCase):
    def test_a_name_in_single_quotes_is_a_name_too(self):
        self.assertEqual(read_remarks("create table t ('It''s' int /* one */)").columns, {"it's": "one"})

    def test_comments_belong_to_the_column_on_their_line_or_below(self):
        remarks = read_remarks('''create table "t" ( -- people
            id integer primary key, -- the key
            -- where we reach them,
            -- if at all
            "e mail" text default '--no' /* one */, /* two */
            [n] int, b int -- last
            ,
            -- a rule
            check (b in (0, 1)), -- ends
            primary key (id) -- not a column
        )''')

        self.assertEqual(remarks.table, "people")
        self.assertEqual(remarks.columns, {
            "id": "the key", "e mail": "where we reach them, if at all one two", "b": "last"})
        self.assertEqual(remarks.bits, ("b",))

    def test_lines_of_dashes_say_nothing(self):
        self.assertEqual(read_remarks("create table t (\n-- -----\na int /* ** */)").columns, {})

    def test_a_description_is_one_line(self):
        text = read_remarks("create table t (a int /* one\n * two\t\u202e */)").columns["a"]
        self.assertEqual(text, "one two")
        json.dumps(text)


if __name__ == "__main__":
    unittest.main()
