"""The last values that infer takes for one thing and the first that it takes for another."""

import datetime
import unittest
from decimal import Decimal

from codegen.infer import counts, structures, texts

UNIX = datetime.date(1970, 1, 1).toordinal()


class DayTest(unittest.TestCase):
    def test_the_day_of_a_count_is_that_of_the_calendar(self):
        ordinals = [*range(1, 1500), *range(1, datetime.date.max.toordinal(), 373),
                    *(datetime.date(year, month, 1).toordinal() + before
                      for year in (1, 4, 100, 400, 1600, 1900, 2000, 2023, 2024, 9999)
                      for month in range(1, 13) for before in (-1, 0, 1) if year > 1 or month > 1)]
        for ordinal in ordinals:
            self.assertEqual(counts.day_of("unix_s", (ordinal - UNIX) * 86400),
                             datetime.date.fromordinal(ordinal).isoformat())

    def test_beyond_the_years_1_to_9999_there_is_none(self):
        last = datetime.date.max.toordinal()
        self.assertEqual(counts.day_of("unix_s", (1 - UNIX) * 86400), "0001-01-01")
        self.assertEqual(counts.day_of("unix_s", (1 - UNIX) * 86400 - 1), "")
        self.assertEqual(counts.day_of("unix_s", (last + 1 - UNIX) * 86400 - 1), "9999-12-31")
        self.assertEqual(counts.day_of("unix_s", (last + 1 - UNIX) * 86400), "")

    def test_each_form_counts_from_its_own_beginning(self):
        for form, count in (("unix_ms", 86399999), ("unix_us", 0), ("unix_ns", 86400 * 10**9 - 1),
                            ("julian", 2440587.5), ("apple_s", -978307200), ("webkit_us", 11644473600 * 10**6),
                            ("filetime", 11644473600 * 10**7), ("dotnet_ticks", 62135596800 * 10**7)):
            self.assertEqual(counts.day_of(form, count), "1970-01-01", form)
        self.assertEqual(counts.day_of("julian", 2460001.4), "2023-02-25")


class TextTest(unittest.TestCase):
    def tags(self, cases):
        for text, tag in cases:
            self.assertEqual(texts.tag_of(text), tag, text)

    def test_integers(self):
        self.tags((
            ("0", "bit"), ("1", "bit"), ("2", "int"), ("-1", "int"), ("00", "int"), ("999999999999999999", "int"),
            ("9223372036854775807", "int"), ("9223372036854775808", "huge"), ("-9223372036854775808", "int"),
            ("-9223372036854775809", "huge"), ("+9223372036854775807", "int"), ("+9223372036854775808", "huge"),
            ("0000000000000000000000000000001", "int"), ("-0000000000000000000000", "int"), ("1" * 20, "huge")))

    def test_times(self):
        self.tags((
            ("2024-02-29", "date"), ("2023-02-29", "other"), ("0000-00-00 00:00:00", "zero"), ("0000-00-01", "other"),
            ("2024-01-01 00:00", "dt0"), ("2024-01-01 00:01", "dt"), ("2024-01-01T00:00:00.000", "dt0"),
            ("2024-01-01T10:00:00.123456", "dt"), ("2024-01-01T10:00:00.1234561", "dtf"),
            ("2024-01-01T10:00:00.1234560", "dt"), ("2024-01-01T10:00:00.1234561Z", "dtfz"),
            ("23:59:59", "time"), ("24:00", "other"), ("10:00:00.1234567", "timef"),
            ("2024-01-01 10:00:00 +0100 CET", "go"), ("2024-01-01 10:00:00.1234567 +0100 CET", "gof")))

    def test_moments_with_a_zone_lie_within_the_years_1_to_9999(self):
        self.tags((
            ("0001-01-01 00:00:00Z", "dt0z"), ("0001-01-01 00:00:00+00:01", "other"),
            ("0001-01-01 00:01:00+00:01", "dtz"), ("0001-01-02 00:00:00+23:59", "dt0z"), ("9999-12-31 23:59:59.999999Z", "dtz"),
            ("9999-12-31 23:59:59.999999-00:01", "other"), ("9999-12-31 23:58:59-00:01", "dtz")))

    def test_moments_are_counted_in_microseconds(self):
        for text, moment in (
                ("1970-01-01", 0), ("1970-01-02T00:00:01.5Z", 86401_500000), ("1970-01-01 00:00-01:30", 5400_000000),
                ("1970-01-01 02:00+0130", 1800_000000), ("1970-01-01 02:00+02", 0), ("01:02:03.000004", 3723_000004),
                ("1969-12-31 23:59", -60_000000), ("2024-03-15", 19797 * 86400_000000),
                ("1970-01-01 01:00:00 +0100 CET", 0), ("1970-13-01", None), ("noon", None)):
            self.assertEqual(texts.moment(text), moment, text)

    def test_words_are_truths_in_any_case(self):
        for word, truth in (("true", 1), ("FALSE", 0), ("t", 1), ("F", 0), ("Yes", 1), ("no", 0), ("y", 1), ("n", 0),
                            ("ON", 1), ("off", 0), ("1", 1), ("0", 0), ("2", None), ("maybe", None)):
            self.assertEqual(texts.truth(word), truth, word)

    def test_decimals_fit_up_to_their_limit(self):
        for value, fits in (("9" * 29 + "." + "9" * 9, True), ("1" + "0" * 29, False), ("0.000000001", True),
                            ("0.0000000001", False), ("0e99", True), ("1e28", True), ("1.0000000000", True)):
            self.assertEqual(texts.fits_decimal(Decimal(value), *texts.NUMERIC), fits, value)


class UuidTest(unittest.TestCase):
    def test_versions_1_to_8_are_known_in_either_order(self):
        for version in range(16):
            known = 1 <= version <= 8
            for variant in (0x00, 0x40, 0x80, 0xBF, 0xC0):
                blob = bytearray(16)
                blob[6], blob[8] = version << 4 | 15, variant
                self.assertEqual(structures.uuid_orders(bytes(blob)), (known and 0x80 <= variant < 0xC0, False))
                blob[6], blob[7] = 0, version << 4 | 15
                self.assertEqual(structures.uuid_orders(bytes(blob)), (False, known and 0x80 <= variant < 0xC0))


if __name__ == "__main__":
    unittest.main()
