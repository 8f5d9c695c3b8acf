"""What a value has to be on both sides: a second reading of the rules, sharing no code with bqsync.

`expected` turns a SQLite value into the value that BigQuery has to hold, `received` turns a cell of a REST answer
into the same kind of value; equal values compare equal with ==. Text arrives as Text (bytes that SQLite calls
text), so that invalid UTF-8 can be seen and a blob is not taken for a text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import os
import re
import sqlite3
import uuid
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from tests.support import mirror_jsonb as jsonb
from tests.support import mirror_times as times
from tests.support.mirror_rule import Reject, Rule, Text, Torn, words

INT64_LEAST, INT64_MOST = -(2**63), 2**63 - 1

# BigQuery's aliases, as tables.get may spell them.
TYPE_NAMES = {
    "INTEGER": "INT64",
    "FLOAT": "FLOAT64",
    "BOOLEAN": "BOOL",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}
EXACT = Context(prec=120, traps=[InvalidOperation])
# Largest magnitude and digits behind the point.
DECIMALS = {
    "NUMERIC": (Decimal("99999999999999999999999999999.999999999"), 9),
    "BIGNUMERIC": (None, 38),
}
BIGNUMERIC_MOST = Decimal(2**255 - 1).scaleb(-38, EXACT)
BIGNUMERIC_LEAST = Decimal(-(2**255)).scaleb(-38, EXACT)


@dataclass(frozen=True)
class Json:
    """A JSON document; the order of members, white space and the spelling of numbers do not count."""

    value: Any

    def __hash__(self) -> int:
        return hash(json.dumps(self.value, sort_keys=True))


def expected(rule: Rule, value: Any) -> Any:
    """What BigQuery has to hold for a SQLite value; None is NULL. Raises Reject."""
    if value is None:
        if rule.required:
            raise Reject("NULL in a REQUIRED column")
        return None
    if rule.empty_is_null and _is_empty(rule, value):
        if rule.required:
            raise Reject("is empty in a REQUIRED column")
        return None
    if rule.transform == "redact":
        return "[redacted]" if rule.type == "STRING" else None
    return _transformed(rule, _READERS[rule.type](rule, value))


def _is_empty(rule: Rule, value: Any) -> bool:
    if not isinstance(value, Text):
        return False
    if value == b"":
        return True
    return rule.type in ("DATE", "TIME", "DATETIME", "TIMESTAMP") and times.is_no_time(value.decode("latin-1"))


def _transformed(rule: Rule, value: Any) -> Any:
    name, _, argument = rule.transform.partition(":")
    if name == "sha256":
        return hashlib.sha256(value.encode()).hexdigest()
    if name == "hmac_sha256":
        return hmac.new(os.environ[argument].encode(), value.encode(), hashlib.sha256).hexdigest()
    if name == "truncate":
        return value[: int(argument)]
    return value


def _int64(_: Rule, value: Any) -> int:
    if isinstance(value, float):
        if not math.isfinite(value) or not value.is_integer():
            raise Reject("is no whole number")
        value = int(value)
    elif not isinstance(value, int):
        text = words(value)
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            raise Reject("is no integer")
        value = int(text)
    if not INT64_LEAST <= value <= INT64_MOST:
        raise Reject("is out of range")
    return value


def _float64(_: Rule, value: Any) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        if int(float(value)) != value:
            raise Reject("is not exactly representable")
        return float(value)
    text = words(value)
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        raise Reject("is no number")
    number = float(text)
    if math.isinf(number):
        raise Reject("is out of range")
    return number


_WORDS = {"true": True, "1": True, "false": False, "0": False}
_MORE_WORDS = {"t": True, "yes": True, "y": True, "on": True, "f": False, "no": False, "n": False, "off": False}


def _bool(rule: Rule, value: Any) -> bool:
    if isinstance(value, (int, float)):
        if value in (0, 1):
            return bool(value)
        raise Reject("is not 0 or 1")
    text = words(value).lower()
    found = {**_WORDS, **(_MORE_WORDS if rule.bool_words else {})}.get(text)
    if found is None:
        raise Reject("is not true or false")
    return found


_memory = sqlite3.connect(":memory:", check_same_thread=False)


def _text_of_blob(rule: Rule, blob: bytes) -> bytes:
    """The text that a blob stands for."""
    if rule.blob == "utf8":
        return blob
    if rule.blob == "jsonb":
        return jsonb.text(blob).encode()
    if rule.blob in ("uuid", "guid"):
        if len(blob) != 16:
            raise Reject("has not 16 bytes")
        made = uuid.UUID(bytes=blob) if rule.blob == "uuid" else uuid.UUID(bytes_le=blob)
        return str(made).encode()
    raise Reject("is a blob")


def _string(rule: Rule, value: Any) -> str:
    if isinstance(value, (int, float)):
        return str(_memory.execute("SELECT CAST(? AS TEXT)", (value,)).fetchone()[0])
    data = value if isinstance(value, Text) else _text_of_blob(rule, value)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Reject("is not UTF-8") from None
    if "\0" in text:
        raise Reject("holds U+0000")
    return text


def _bytes(_: Rule, value: Any) -> bytes:
    if isinstance(value, (int, float)):
        raise Reject("is a number")
    if isinstance(value, Torn):
        raise Reject("holds half a surrogate pair")
    return bytes(value)


def _decimal(rule: Rule, value: Any) -> Decimal:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Reject("is not finite")
        number = Decimal(repr(value))
    elif isinstance(value, int):
        number = Decimal(value)
    else:
        text = words(value)
        if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", text):
            raise Reject("is no number")
        number = Decimal(text)
    most, digits = DECIMALS[rule.type]
    if number and (not number.is_finite() or abs(number.adjusted()) > 100):
        raise Reject("is out of range")
    if number and Fraction(number) * 10**digits % 1 != 0:
        raise Reject("has too many digits behind the point")
    high, low = (most, -most) if most is not None else (BIGNUMERIC_MOST, BIGNUMERIC_LEAST)
    if not low <= number <= high:
        raise Reject("is out of range")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def parse_json(text: str) -> Any:
    """A JSON document; tells true from 1, which Python would not. BigQuery keeps the first of members with one name,
    and integers beyond 64 bits as FLOAT64."""
    return _typed(json.loads(text, parse_constant=_no_constant, parse_int=_json_integer, object_pairs_hook=_first))


def _json_integer(text: str) -> int | float:
    return int(text) if -2**63 <= int(text) < 2**64 else float(text)


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def _check_exact(text: str) -> None:
    """Rejects what changes on its way into a JSON column."""
    def integer(digits: str) -> None:
        if not -2**63 <= int(digits) < 2**64:
            raise Reject("has an integer beyond 64 bits")

    def decimal(digits: str) -> None:
        if Decimal(digits) != Decimal(repr(float(digits))):
            raise Reject("has a number that is no FLOAT64")

    def members(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) < len(pairs):
            raise Reject("has a member twice")

    json.loads(text, parse_int=integer, parse_float=decimal, object_pairs_hook=members)


def _typed(value: Any) -> Any:
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return value


def _json(rule: Rule, value: Any) -> Json:
    if isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise Reject("is not finite")
        return Json(value)
    text = _string(rule, value)
    try:
        if not rule.json_rounds:
            _check_exact(text)
        return Json(parse_json(text))
    except (ValueError, RecursionError):
        raise Reject("is no JSON") from None


_WKT = re.compile(r"\s*(point|linestring|polygon|multipoint|multilinestring|multipolygon|geometrycollection)\b", re.I)


def _geography(rule: Rule, value: Any) -> str:
    """WKT as it is: bqlocal keeps the text. BigQuery writes a geometry in another way than it was sent."""
    if isinstance(value, (int, float)):
        raise Reject("is a number")
    text = _string(rule, value)
    if not _WKT.match(text):
        raise Reject("is not WKT")
    return text


_READERS = {
    "INT64": _int64,
    "FLOAT64": _float64,
    "BOOL": _bool,
    "STRING": _string,
    "BYTES": _bytes,
    "NUMERIC": _decimal,
    "BIGNUMERIC": _decimal,
    "DATE": times.date,
    "TIME": times.time,
    "DATETIME": times.moment,
    "TIMESTAMP": times.moment,
    "JSON": _json,
    "GEOGRAPHY": _geography,
}


def received(type_name: str, cell: str | None) -> Any:
    """The value of a cell of tabledata.list, asked for with formatOptions.useInt64Timestamp."""
    if cell is None:
        return None
    if type_name in ("INT64", "TIMESTAMP"):
        return int(cell)
    if type_name == "FLOAT64":
        return float(cell)
    if type_name == "BOOL":
        return {"true": True, "false": False}[cell.lower()]
    if type_name == "BYTES":
        return base64.b64decode(cell, validate=True)
    if type_name in ("NUMERIC", "BIGNUMERIC"):
        return Decimal(cell)
    if type_name == "JSON":
        return Json(parse_json(cell))
    if type_name == "DATE":
        return times.iso_us(cell, zone_allowed=False) // times.DAY_US
    if type_name == "DATETIME":
        return times.iso_us(cell, zone_allowed=False)
    if type_name == "TIME":
        return times.clock_us(cell)
    return cell


def same(one: Any, other: Any) -> bool:
    """Whether both sides hold the same value. NaN equals itself, true is not 1, -0.0 is 0.0."""
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and one == other
