"""The outside check knows what `_bqsync_unfit` has to hold."""

import unittest
from typing import Any

from tests.support import mirror_misfits
from tests.support.mirror import from_utf16
from tests.support.mirror_misfits import Misfits, received
from tests.support.mirror_rule import Rule, Text

COLUMNS: list[dict[str, Any]] = [
    {"name": "id", "type": "INT64"}, {"name": "must", "type": "INT64", "mode": "REQUIRED"},
    {"name": "n", "type": "INT64"}, {"name": "mail", "type": "STRING", "transform": "sha256"},
    {"name": "pay", "type": "NUMERIC", "policy_tags": ["t"]}]


class MisfitsTest(unittest.TestCase):
    def value(self, row: tuple[Any, ...], *unfit: int) -> Any:
        rules = [Rule.of(column) for column in COLUMNS]
        json = Misfits({"columns": COLUMNS}, rules, [0]).value(set(unfit), row)
        return json.value if json is not None else None

    def test_each_class_has_its_own_form(self) -> None:
        for value, member in (
                (7, {"class": "integer", "value": "7"}), (1.5, {"class": "real", "value": 1.5}),
                (Text("é".encode()), {"class": "text", "value": "é"}), (b"\x00", {"class": "blob", "value": "AA=="}),
                (Text(b"a\xff"), {"class": "text", "base64": "Yf8="}), (Text(b"a\0"), {"class": "text", "base64": "YQA="})):
            with self.subTest(value):
                self.assertEqual({"n": member}, self.value((1, 1, value, None, None), 2))

    def test_keys_and_required_values_do_not_count_and_hidden_ones_show_their_class(self) -> None:
        row = (b"k", b"m", b"n", b"secret", Text(b"12 EUR"))

        self.assertEqual({"mail": {"class": "blob"}, "pay": {"class": "text"}}, self.value(row, 0, 1, 3, 4))
        self.assertIsNone(self.value(row, 0, 1))

    def test_units_of_either_order_are_the_same_text(self) -> None:
        wanted = {"class": "text", "base64": "YQAA2A==", "encoding": "UTF-16LE"}
        for encoding, data in (("utf-16-le", b"a\0\0\xd8"), ("utf-16-be", b"\0a\xd8\0")):
            self.assertEqual(wanted, mirror_misfits.shown(from_utf16(data, encoding), False))

    def test_reals_are_compared_as_numbers(self) -> None:
        one = received('{"n": {"class": "real", "value": "1e300"}}')

        self.assertEqual({"n": {"class": "real", "value": 1e300}}, one and one.value)
        self.assertIsNone(received(None))


if __name__ == "__main__":
    unittest.main()
