"""The outside check reads each form in which a definition lets a value be stored."""

import sqlite3
import unittest
from typing import Any

from codegen.forms import TIME_FORMATS
from tests.support import mirror_times as times
from tests.support.mirror_rule import Reject, Rule, Text
from tests.support.mirror_values import Json, expected


def rule(type_name: str, **more: Any) -> Rule:
    return Rule.of({"name": "c", "type": type_name, **more})


def us(text: str) -> int:
    return times.iso_us(text, zone_allowed=True)


UUID = bytes.fromhex("6ba7b8109dad11d180b400c04fd430c8")
GUID = bytes.fromhex("10b8a76bad9dd11180b400c04fd430c8")
BERLIN = {"zone": "Europe/Berlin"}


class Forms(unittest.TestCase):
    def read_sql(self, literal: str) -> Any:
        connection = sqlite3.connect(":memory:")
        connection.text_factory = Text
        self.addCleanup(connection.close)
        return connection.execute(f"SELECT {literal}").fetchone()[0]

    def test_each_documented_time_format_is_read_as_its_example_says(self) -> None:
        for row in TIME_FORMATS:
            with self.subTest(row.name):
                self.assertEqual(expected(rule("TIMESTAMP", format=row.name), self.read_sql(row.example)), us(row.reads))

    def test_each_option_is_read(self) -> None:
        fine = b"2024-01-01 10:00:00.123456789 +00:00"
        mixed = ["unix_ms", "iso8601"]
        cases: list[tuple[Rule, Any, Any]] = [
            (rule("TIMESTAMP", fraction="truncate"), Text(fine), us("2024-01-01 10:00:00.123456")),
            (rule("TIMESTAMP", format="unix_ns", fraction="truncate"), -1, -1),
            (rule("TIMESTAMP", format="unix_s"), 0.0000004, 0),
            (rule("TIMESTAMP", format="unix_s", fraction="truncate"), 1.0000019, 1_000_001),
            (rule("TIMESTAMP", format="unix_s"), Text(b"1.25"), 1_250_000),
            (rule("TIMESTAMP", format=mixed), Text(b"2024-01-01"), us("2024-01-01")),
            (rule("TIMESTAMP", format=mixed), 1500, 1_500_000),
            (rule("TIMESTAMP", **BERLIN), Text(b"2024-07-01 12:00:00"), us("2024-07-01 10:00")),
            (rule("TIMESTAMP", **BERLIN), Text(b"2024-07-01"), us("2024-06-30 22:00")),
            (rule("TIMESTAMP", **BERLIN), Text(b"2024-10-27 02:30:00"), us("2024-10-27 00:30")),
            (rule("TIMESTAMP", **BERLIN), Text(b"2024-07-01 12:00:00Z"), us("2024-07-01 12:00")),
            (rule("TIMESTAMP", empty="null"), Text(b""), None),
            (rule("DATE", empty="null"), Text(b"0000-00-00"), None),
            (rule("DATETIME", empty="null"), Text(b"0000-00-00 00:00:00"), None),
            (rule("INT64", empty="null"), Text(b""), None),
            (rule("TIME", date="drop"), Text(b"2000-01-01 10:00:00"), 36_000_000_000),
            (rule("BOOL", bool="words"), Text(b"T"), True),
            (rule("BOOL", bool="words"), Text(b"off"), False),
            (rule("STRING", text="uuid"), UUID, "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
            (rule("STRING", text="guid"), GUID, "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
            (rule("STRING", text="uuid"), Text(b"Free text"), "Free text"),
            (rule("JSON", text="utf8"), b'{"a": [1]}', Json({"a": [1]})),
            (rule("JSON", text="jsonb"), bytes.fromhex("4c17611331"), Json({"a": 1})),
        ]
        for about, value, wanted in cases:
            with self.subTest(f"{about} {value!r}"):
                self.assertEqual(expected(about, value), wanted)

    def test_what_the_forms_do_not_read_is_rejected(self) -> None:
        cases: list[tuple[Rule, Any]] = [
            (rule("TIMESTAMP", format="unix_ns"), 1),
            (rule("TIMESTAMP", format="unix_s"), Text(b"0.0000001")),
            (rule("TIMESTAMP", format="julian"), Text(b"2460310.75")),
            (rule("TIMESTAMP", **BERLIN), Text(b"2024-03-31 02:30:00")),
            (rule("TIMESTAMP", empty="null", mode="REQUIRED"), Text(b"")),
            (rule("INT64", empty="null"), Text(b"0000-00-00")),
            (rule("TIME"), Text(b"2000-01-01 10:00:00")),
            (rule("STRING", text="uuid"), b"15 bytes, not 16"[:15]),
            (rule("STRING", text="utf8"), b"\xff"),
            (rule("JSON", text="jsonb"), b"\xff\xff"),
            (rule("TIMESTAMP", format="go"), Text(b"2024-01-01 10:00:00")),
        ]
        for about, value in cases:
            with self.subTest(f"{about} {value!r}"), self.assertRaises(Reject):
                expected(about, value)


if __name__ == "__main__":
    unittest.main()
