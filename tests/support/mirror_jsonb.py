"""SQLite's binary JSON as text (SQLite documentation, "The SQLite JSONB Format"): a second reading of it."""

from __future__ import annotations

import json

from tests.support.mirror_rule import Reject

_LITERALS = {0: "null", 1: "true", 2: "false"}
_INTEGERS, _REALS = (3, 4), (5, 6)
_RAW, _ESCAPED = (7, 10), (8, 9)  # without escapes; with those of JSON or JSON5
_ARRAY, _OBJECT = 11, 12


def text(blob: bytes) -> str:
    """The one value that the blob holds."""
    try:
        value, end = _value(blob, 0)
    except (IndexError, ValueError):
        raise Reject("is no JSONB") from None
    if end != len(blob):
        raise Reject("is no JSONB")
    return value


def _value(blob: bytes, at: int) -> tuple[str, int]:
    kind, size = blob[at] & 15, blob[at] >> 4
    at += 1
    if size > 11:
        length = 1 << (size - 12)
        size = int.from_bytes(blob[at : at + length], "big")
        at += length
    end = at + size
    if end > len(blob):
        raise ValueError("cut off")
    return _payload(kind, blob[at:end]), end


def _items(payload: bytes) -> list[str]:
    items = []
    at = 0
    while at < len(payload):
        item, at = _value(payload, at)
        items.append(item)
    return items


def _payload(kind: int, payload: bytes) -> str:
    if kind in _LITERALS and not payload:
        return _LITERALS[kind]
    if kind == _ARRAY:
        return "[" + ",".join(_items(payload)) + "]"
    if kind == _OBJECT:
        items = _items(payload)
        return "{" + ",".join(f"{key}:{value}" for key, value in zip(items[::2], items[1::2], strict=True)) + "}"
    plain = payload.decode()
    if kind in _RAW:
        return json.dumps(plain)
    if kind in _ESCAPED:
        return '"' + plain + '"'
    if kind in _INTEGERS:
        return str(int(plain, 0))
    if kind in _REALS:
        return repr(float(plain)) if kind == _REALS[1] else plain
    raise ValueError(f"kind {kind}")
