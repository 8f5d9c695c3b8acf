"""What form a text has, and the value that it stands for: the rules of runtime/encode, read off
docs/schema.md, for one text at a time.

A tag names the form. Times have composed tags: "dt", then "0" at midnight, "f" if finer than a
microsecond, "z" with a zone; "go" and "time" may have the "f" too.
"""

from __future__ import annotations

import datetime
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Optional, Set

_DAY = r"[0-9]{4}-[0-9][0-9]-[0-9][0-9]"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?"
_OFFSET = r"[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?"
_PARTS = {"day": _DAY, "clock": _CLOCK, "offset": _OFFSET}
_ISO = re.compile("(%(day)s)(?:[T ](%(clock)s)(?: *(Z|%(offset)s))?)?" % _PARTS).fullmatch
_GO = re.compile(
    r"(%(day)s) (%(clock)s) (%(offset)s) [A-Za-z0-9+-]+(?: m=[+-][0-9.]+)?" % _PARTS).fullmatch
_TIME = re.compile(_CLOCK).fullmatch
_INTEGER = re.compile(r"[+-]?[0-9]+").fullmatch
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch
_PLAIN = re.compile(r"-?[1-9][0-9]*|0|-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9]").fullmatch
_ZEROS = re.compile(r"0000-00-00[ T0:.Z]*").fullmatch
_FINE = re.compile(r"\.[0-9]{6}[0-9]*[1-9]$").search
_NIGHT = re.compile(r"00:00(?::00(?:\.0+)?)?").fullmatch

_BLANKS = " \t\r\n"  # of JSON
_WORDS = {"true": "bool", "false": "bool"}
_WORDS.update({"t": "letter", "f": "letter"})
_WORDS.update({word: "word" for word in ("yes", "no", "y", "n", "on", "off")})
_BOOLS = {"true": 1, "false": 0, "t": 1, "f": 0, "yes": 1, "no": 0, "y": 1, "n": 0, "on": 1, "off": 0}

INTEGERS = ("int", "bit")
WORDS = ("letter", "word")
BARE_TIMES = ("dt", "dt0", "dtf")
ZONED = ("dtz", "dt0z", "dtfz")
ISO = ("date",) + BARE_TIMES + ZONED
GO = ("go", "gof")
CLOCKS = ("time", "timef")
FINE = ("dtf", "dtfz", "gof", "timef")

_dates: Set[str] = set()
_DATES_MAX = 100_000


def tag_of(text: str) -> str:
    """One of the names above, or bool, letter (t or f), word, empty, zero, num, huge (an integer
    beyond INT64), structure (what may be JSON), other."""
    if text[4:5] == "-" and text[:4].isdigit():
        found = _ISO(text)
        return _tag_of_iso(text, *found.groups()) if found else _tag_of_go(text)
    first = text[:1]
    if not first.isdigit() and first not in ("+", "-", "."):
        return _word(text)
    if _INTEGER(text):
        if len(text) == 1:
            return "bit" if text in "01" else "int"
        return "int" if len(text) < 19 or _is_int64(text) else "huge"
    if _NUMBER(text):
        return "num"
    if _TIME(text):
        return "timef" if _FINE(text) else "time"
    return "other"


def _tag_of_iso(text: str, day: str, clock: Optional[str], zone: Optional[str]) -> str:
    if day not in _dates and not _is_date(day):
        return "zero" if _ZEROS(text) else "other"
    if clock is None:
        return "date"
    if zone is not None and not _in_range(day, clock, zone):
        return "other"
    fine = "f" if len(clock) > 15 and _FINE(clock) else ""
    night = "0" if not fine and clock[:5] == "00:00" and _NIGHT(clock) else ""
    return "dt" + night + fine + ("z" if zone is not None else "")


def _tag_of_go(text: str) -> str:
    found = _GO(text)
    if found is None:
        return "zero" if _ZEROS(text) else "other"
    day, clock, zone = found.groups()
    if not _is_date(day) or not _in_range(day, clock, zone):
        return "other"
    return "gof" if _FINE(clock) else "go"


def _is_int64(text: str) -> bool:
    digits = text.lstrip("+-").lstrip("0")
    return len(digits) <= 19 and -(2**63) <= int(text[:1].strip("+0123456789") + (digits or "0")) < 2**63


def _word(text: str) -> str:
    if text == "":
        return "empty"
    if text[0] in "{[" or (text[0] in _BLANKS and text.lstrip(_BLANKS)[:1] in ("{", "[")):
        return "structure"
    return _WORDS.get(text.lower(), "other") if len(text) <= 5 else "other"


def _is_date(day: str) -> bool:
    """Remembers those that exist: a column has few different ones."""
    try:
        datetime.date(int(day[:4]), int(day[5:7]), int(day[8:]))
    except ValueError:
        return False
    if len(_dates) < _DATES_MAX:
        _dates.add(day)
    return True


def _in_range(day: str, clock: str, zone: str) -> bool:
    """Whether the moment in UTC is within the years 1 to 9999."""
    if day[:4] not in ("0001", "9999"):
        return True
    us = _microseconds(day, clock) - _offset(zone)
    return -62135596800_000000 <= us < 253402300800_000000


def _microseconds(day: str, clock: Optional[str]) -> int:
    """Since 1970, with what is finer dropped."""
    days = datetime.date(int(day[:4]), int(day[5:7]), int(day[8:])).toordinal() - 719163
    us = days * 86400_000000
    if clock:
        us += (int(clock[:2]) * 3600 + int(clock[3:5]) * 60 + int(clock[6:8] or 0)) * 1_000_000
        us += int((clock[9:15] or "0").ljust(6, "0"))
    return us


def _offset(zone: str) -> int:
    if zone == "Z":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    us = (int(digits[:2]) * 60 + int(digits[2:4])) * 60_000000
    return -us if zone[0] == "-" else us


def moment(text: str) -> Optional[int]:
    """Microseconds since 1970 of a text that is a time; a time of day counts from midnight."""
    if _TIME(text):
        return _microseconds("1970-01-01", text)
    found = _ISO(text) or _GO(text)
    if found is None or not _is_date(found.group(1)):
        return None
    day, clock, zone = found.groups()
    return _microseconds(day, clock) - (_offset(zone) if zone else 0)


def truth(text: str) -> Optional[int]:
    return int(text) if text in ("0", "1") else _BOOLS.get(text.lower())


def number(text: str) -> Optional[Decimal]:
    if not text.isascii() or "_" in text or text.strip() != text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def is_plain(text: str) -> bool:
    """Whether a number is spelled as it is printed: no zeros that say nothing, no plus, no exponent."""
    return _PLAIN(text) is not None


def fits_float(text: str) -> bool:
    """A number within the range of a double; if it is written as an integer, one exactly."""
    value = number(text)
    if value is None:
        return False
    real = float(value)
    if math.isinf(real) or (real == 0 and value != 0):
        return False
    return "." in text or "e" in text.lower() or Decimal(real) == value


def fits_decimal(value: Decimal, scale: int, limit: int) -> bool:
    """Whether value, which is finite, times 10^scale is an integer of at most this size."""
    _, digits, exponent = value.as_tuple()
    exponent = int(exponent)
    unscaled = int("".join(map(str, digits)).lstrip("0") or "0")
    while unscaled and unscaled % 10 == 0:
        unscaled //= 10
        exponent += 1
    if unscaled == 0:
        return True
    shift = exponent + scale
    return shift >= 0 and shift < 100 and unscaled * 10**shift <= limit


NUMERIC = (9, 10**38 - 1)
BIGNUMERIC = (38, 2**255 - 1)
