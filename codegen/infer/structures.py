"""JSON and blobs: whether BigQuery's JSON holds a text exactly, SQLite's binary JSON as text, and the
byte order of UUIDs.

Sources: SQLite documentation, "The JSONB Format"; RFC 9562, section 4 (variant and version).
"""

from __future__ import annotations

import json
import re
from typing import Any, List, Optional, Tuple

from .texts import fits_float, number

_DEPTH_MAX = 500
_LONE = re.compile(r"\\u[dD][89a-fA-F]")


class _Inexact(ValueError):
    """Valid JSON that BigQuery would change."""


def _integer(text: str) -> int:
    if len(text) > 20:
        raise _Inexact
    value = int(text)
    if not -(2**63) <= value < 2**64:
        raise _Inexact
    return value


def _real(text: str) -> float:
    value = float(text)
    if len(text) <= 15 and "e" not in text and "E" not in text:
        return value
    exact = number(text)
    if exact is None or not (fits_float(text) or exact == 0) or number(repr(value)) != exact:
        raise _Inexact
    return value


def _members(pairs: List[Tuple[str, Any]]) -> Any:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Inexact
    return members


def _constant(text: str) -> Any:
    raise ValueError(text)


_scan = json.JSONDecoder(
    parse_int=_integer, parse_float=_real, parse_constant=_constant, object_pairs_hook=_members
).raw_decode
_SPACE = " \t\n\r"


def json_form(text: str) -> str:
    """exact, lossy (JSON that a column of type JSON rejects), or "" (not JSON)."""
    if text[:1] in _SPACE or text[-1] in _SPACE:
        text = text.strip(_SPACE)
    try:
        value, end = _scan(text)
    except _Inexact:
        return "lossy"
    except (ValueError, RecursionError):
        return ""
    if end != len(text):
        return ""
    if "\\u" in text and _LONE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            return "lossy"
    if end > _DEPTH_MAX and text.count("[") + text.count("{") > _DEPTH_MAX and _depth(value) > _DEPTH_MAX:
        return "lossy"
    return "exact"


def _depth(value: Any) -> int:
    """Levels of arrays and objects."""
    deepest, level = 0, [value]
    while level:
        level = [item for item in level if isinstance(item, (dict, list))]
        deepest += 1 if level else 0
        level = [inner for item in level
                 for inner in (item.values() if isinstance(item, dict) else item)]
    return deepest


def utf8(blob: bytes) -> Optional[str]:
    """The text of a blob, if it is one that BigQuery takes."""
    try:
        text = blob.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def uuid_orders(blob: bytes) -> Tuple[bool, bool]:
    """Whether 16 bytes have the variant and a version of RFC 9562 in the order of the text, and in
    that of .NET."""
    if blob[8] & 0xC0 != 0x80:
        return False, False
    return 0x10 <= blob[6] & 0xF0 <= 0x80, 0x10 <= blob[7] & 0xF0 <= 0x80


def jsonb_form(blob: bytes) -> str:
    """As json_form, of the text that a JSONB blob stands for. Escapes of JSON5, which SQLite keeps
    where it was given JSON5, are not followed: such a blob counts as none."""
    try:
        text, end = _element(blob, 0, len(blob), 0)
    except (ValueError, IndexError, UnicodeDecodeError):
        return ""
    return json_form(text) if end == len(blob) else ""


def _element(blob: bytes, at: int, limit: int, depth: int) -> Tuple[str, int]:
    kind, size = blob[at] & 15, blob[at] >> 4
    at += 1
    if size > 11:
        width = 1 << (size - 12)
        size = int.from_bytes(blob[at:at + width], "big")
        at += width
    end = at + size
    if end > limit or depth > _DEPTH_MAX:
        raise ValueError
    payload = blob[at:end]
    if kind <= 2:
        return ("null", "true", "false")[kind], end
    if kind in (3, 5):
        if not payload:
            raise ValueError
        return payload.decode("ascii"), end
    if kind in (7, 8):
        return '"%s"' % payload.decode("utf-8"), end
    if kind == 10:
        return json.dumps(payload.decode("utf-8"), ensure_ascii=False), end
    if kind not in (11, 12):
        raise ValueError
    items: List[str] = []
    while at < end:
        if kind == 12 and len(items) % 2 == 0 and blob[at] & 15 not in (7, 8, 10):
            raise ValueError
        text, at = _element(blob, at, end, depth + 1)
        items.append(text)
    if kind == 11:
        return "[%s]" % ",".join(items), end
    if len(items) % 2:
        raise ValueError
    pairs = ("%s:%s" % pair for pair in zip(items[::2], items[1::2]))
    return "{%s}" % ",".join(pairs), end
