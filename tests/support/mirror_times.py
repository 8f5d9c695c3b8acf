"""What a stored time is in BigQuery, in each of the forms that a definition can name: a second reading of the rules,
sharing no code with bqsync. Moments are microseconds since 1970-01-01 00:00 UTC."""

from __future__ import annotations

import datetime
import math
import re
import zoneinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.support.mirror_rule import Reject, Rule, words

DAY_US = 86_400_000_000
EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()
FIRST_DAY = datetime.date(1, 1, 1).toordinal() - EPOCH_ORDINAL
LAST_DAY = datetime.date(9999, 12, 31).toordinal() - EPOCH_ORDINAL
JULIAN_EPOCH = Fraction(4881175, 2)  # 1970-01-01 00:00 is day 2440587.5

# Microseconds of a unit, and the day on which the count begins.
COUNTS = {
    "unix_s": (Fraction(1_000_000), 1970),
    "unix_ms": (Fraction(1_000), 1970),
    "unix_us": (Fraction(1), 1970),
    "unix_ns": (Fraction(1, 1_000), 1970),
    "dotnet_ticks": (Fraction(1, 10), 1),
    "apple_s": (Fraction(1_000_000), 2001),
    "apple_ns": (Fraction(1, 1_000), 2001),
    "webkit_us": (Fraction(1), 1601),
    "filetime": (Fraction(1, 10), 1601),
}

_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]+))?)?"
_ZONE = r"(?P<zone> *(Z|(?P<sign>[+-])(?P<zone_hour>[0-9]{2})(:?(?P<zone_minute>[0-9]{2}))?))"
_DATE = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_DATE_TIME = re.compile(rf"{_DATE}([ T]{_CLOCK}({_ZONE})?)?")
_TIME_ALONE = re.compile(_CLOCK)
_TIME_OF_DATE = re.compile(rf"({_DATE}[ T])?{_CLOCK}")
_GO = re.compile(rf"{_DATE} {_CLOCK} (?P<zone>(?P<sign>[+-])(?P<zone_hour>[0-9]{{2}})(?P<zone_minute>[0-9]{{2}}))"
                 r" [A-Za-z0-9+-]+( m=[+-][0-9.]+)?")
_ZEROS = re.compile(r"0000-00-00[ T0:.Z]*")


class OtherForm(Reject):
    """The value is stored in another way than the format says."""


def is_no_time(text: str) -> bool:
    """What some programs write for no date."""
    return _ZEROS.fullmatch(text) is not None


def clock_us(text: str) -> int:
    match = _TIME_ALONE.fullmatch(text)
    if not match:
        raise Reject("is no time of day")
    return _clock_us(match, truncates=False)


def _clock_us(match: re.Match[str], truncates: bool) -> int:
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 59:
        raise Reject("is no time of day")
    fraction = match["fraction"] or ""
    if fraction[6:].strip("0") and not truncates:
        raise Reject("is finer than a microsecond")
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def _day(match: re.Match[str]) -> int:
    try:
        return datetime.date(int(match["year"]), int(match["month"]), int(match["day"])).toordinal() - EPOCH_ORDINAL
    except ValueError:
        raise Reject("is no date") from None


def _ahead_us(match: re.Match[str]) -> int:
    """How far the zone of a text is ahead of UTC."""
    if not match["sign"]:
        return 0
    hours, minutes = int(match["zone_hour"]), int(match["zone_minute"] or 0)
    if hours > 23 or minutes > 59:
        raise Reject("has no such zone")
    return (1 if match["sign"] == "+" else -1) * (hours * 60 + minutes) * 60_000_000


def iso_us(text: str, zone_allowed: bool, truncates: bool = False, zone: str = "") -> int:
    match = _DATE_TIME.fullmatch(text)
    if not match:
        raise Reject("is no date and time")
    us = _day(match) * DAY_US + _clock_us(match, truncates)
    if match["zone"]:
        if not zone_allowed:
            raise Reject("has a zone")
        return us - _ahead_us(match)
    return _utc_of_local(us, zone) if zone else us


def _utc_of_local(us: int, zone: str) -> int:
    """A local time in UTC. Of a time that the clocks showed twice the earlier moment, one that they skipped is none."""
    seconds, rest = divmod(us, 1_000_000)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    local = epoch.replace(tzinfo=None) + datetime.timedelta(seconds=seconds)
    there = zoneinfo.ZoneInfo(zone)
    for fold in (0, 1):
        moment = local.replace(tzinfo=there, fold=fold).astimezone(datetime.timezone.utc)
        if moment.astimezone(there).replace(tzinfo=None) == local:
            return int((moment - epoch).total_seconds()) * 1_000_000 + rest
    raise Reject("was skipped by the clocks")


def _go_us(text: str, truncates: bool) -> int:
    match = _GO.fullmatch(text)
    if not match:
        raise Reject("is not what Go prints")
    return _day(match) * DAY_US + _clock_us(match, truncates) - _ahead_us(match)


def _nearest(us: Fraction) -> int:
    """A half goes away from zero."""
    return math.floor(us + Fraction(1, 2)) if us >= 0 else -math.floor(-us + Fraction(1, 2))


def _count_us(rule: Rule, kind: str, value: Any) -> int:
    """Numbers are counts, and so are texts of digits, but for Julian days."""
    exact = not isinstance(value, float)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Reject("is not finite")
        # What is dropped of a REAL is dropped of its shortest decimal form.
        number = Fraction(Decimal(repr(value))) if rule.truncates and kind != "julian" else Fraction(value)
    elif isinstance(value, int):
        number = Fraction(value)
    else:
        try:
            text = words(value)
        except Reject as problem:
            raise OtherForm(str(problem)) from None
        if kind == "julian" or not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", text):
            raise OtherForm("is no count")
        number = Fraction(text if not text.endswith(".") else text[:-1])
    if kind == "julian":
        return _nearest((number - JULIAN_EPOCH) * DAY_US)
    unit, year = COUNTS[kind]
    us = number * unit
    if us.denominator == 1 or rule.truncates:
        count = math.floor(us)
    elif exact:
        raise Reject("is finer than a microsecond")
    else:
        count = _nearest(us)
    return count + (datetime.date(year, 1, 1).toordinal() - EPOCH_ORDINAL) * DAY_US


def _text_us(rule: Rule, kind: str, value: Any) -> int:
    if isinstance(value, (int, float)):
        raise OtherForm("is a number")
    text = words(value)
    if kind == "go":
        return _go_us(text, rule.truncates)
    return iso_us(text, rule.type == "TIMESTAMP", rule.truncates, rule.zone)


def moment(rule: Rule, value: Any) -> int:
    """Microseconds since 1970 of a DATE, DATETIME or TIMESTAMP: by the first format that reads it."""
    first: Reject | None = None
    for kind in rule.formats:
        try:
            us = (_text_us if kind in ("iso8601", "go") else _count_us)(rule, kind, value)
            if not FIRST_DAY <= us // DAY_US <= LAST_DAY:
                raise Reject("is out of range")
            return us
        except Reject as problem:
            first = problem if first is None or isinstance(first, OtherForm) else first
    raise first or Reject("has no format")


def date(rule: Rule, value: Any) -> int:
    us = moment(rule, value)
    if us % DAY_US:
        raise Reject("has a time of day")
    return us // DAY_US


def time(rule: Rule, value: Any) -> int:
    if isinstance(value, (int, float)):
        raise Reject("is a number")
    match = (_TIME_OF_DATE if rule.date_drops else _TIME_ALONE).fullmatch(words(value))
    if not match:
        raise Reject("is no time of day")
    if rule.date_drops and match["year"]:
        _day(match)
    return _clock_us(match, rule.truncates)
