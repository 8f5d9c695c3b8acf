"""How the values of one column are read, from its definition: what mirror_values and mirror_times share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Text(bytes):
    """The bytes of a SQLite value of storage class TEXT."""


class Torn(Text):
    """The units, in little-endian order, of a text that UTF-8 cannot say; as a Text it is no UTF-8 either."""

    units: bytes

    @staticmethod
    def of(data: bytes, encoding: str) -> "Torn":
        torn = Torn(b"\xff" + data)
        pairs = zip(data[1::2], data[::2]) if encoding.endswith("be") else zip(data[::2], data[1::2])
        torn.units = bytes(byte for pair in pairs for byte in pair)
        return torn


class Reject(Exception):
    """The column's type cannot hold this value exactly."""


@dataclass(frozen=True)
class Rule:
    name: str
    source: str
    type: str
    required: bool
    formats: tuple[str, ...]
    transform: str
    json_rounds: bool
    zone: str = ""
    truncates: bool = False  # what is finer than a microsecond is dropped
    empty_is_null: bool = False
    date_drops: bool = False  # a date in front of a TIME
    bool_words: bool = False
    blob: str = ""  # what a blob is as text: uuid, guid, utf8, jsonb

    @staticmethod
    def of(column: dict[str, Any]) -> "Rule":
        formats = column.get("format", "iso8601")
        return Rule(
            name=column["name"],
            source=column.get("source", column["name"]),
            type=column["type"],
            required=column.get("mode") == "REQUIRED",
            formats=(formats,) if isinstance(formats, str) else tuple(formats),
            transform=column.get("transform", ""),
            json_rounds=column.get("json", "exact") == "round",
            zone=column.get("zone", ""),
            truncates=column.get("fraction") == "truncate",
            empty_is_null=column.get("empty") == "null",
            date_drops=column.get("date") == "drop",
            bool_words=column.get("bool") == "words",
            blob=column.get("text", ""),
        )


def words(value: Any) -> str:
    """A text whose grammar is ASCII."""
    if not isinstance(value, Text):
        raise Reject("is a blob")
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise Reject("is not a plain text") from None
