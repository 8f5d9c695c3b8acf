"""A reading of a column, how many of its values it reads exactly, and how many it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Tuple

from . import texts
from .profile import Profile

TIMES = ("DATE", "TIME", "DATETIME", "TIMESTAMP")


@dataclass(frozen=True)
class Choice:
    """type and, where they are not the default, what definitions say about the stored form."""

    type: str
    formats: Tuple[str, ...] = ()
    fraction: str = ""
    empty: str = ""
    date: str = ""
    bool: str = ""
    text: str = ""
    transform: str = ""

    def members(self) -> Dict[str, object]:
        """As in a definition, behind the mode."""
        found: Dict[str, object] = {}
        if self.formats and self.formats != ("iso8601",):
            found["format"] = self.formats[0] if len(self.formats) == 1 else list(self.formats)
        for key in ("fraction", "empty", "date", "bool", "text", "transform"):
            if getattr(self, key):
                found[key] = getattr(self, key)
        return found


def reads(choice: Choice, profile: Profile) -> int:
    """How many values of the profile the choice reads; those that are no NULL."""
    empty = 0
    if choice.empty:
        empty = profile.tag("empty") + (profile.tag("zero") if choice.type in TIMES else 0)
    return empty + _READERS[choice.type](choice, profile) - changed(choice, profile)


def refused(choice: Choice, profile: Profile) -> int:
    """How many values of the profile do not fit. Some fit that are not read exactly."""
    return profile.values - reads(choice, profile) - changed(choice, profile)


def changed(choice: Choice, profile: Profile) -> int:
    """How many values are sent as something else: as STRING reals, since a text of SQLite's has 15
    digits (a hash is none), and as a number texts that have more to them."""
    if choice.type == "STRING":
        return 0 if choice.transform else profile.real_not_text
    return profile.respelled[choice.type]


def _int64(choice: Choice, profile: Profile) -> int:
    return profile.ints + profile.reals - profile.real_not_int + profile.tag(*texts.INTEGERS)


def _float64(choice: Choice, profile: Profile) -> int:
    return profile.ints - profile.int_not_float + profile.reals + profile.text_float


def _bool(choice: Choice, profile: Profile) -> int:
    words = profile.tag("bit", "bool") + (profile.tag(*texts.WORDS) if choice.bool else 0)
    return profile.ints - profile.int_not_bit + profile.reals - profile.real_not_bit + words


def _string(choice: Choice, profile: Profile) -> int:
    blobs = {"uuid": profile.blob_16, "guid": profile.blob_16, "utf8": profile.blob_utf8}
    return (profile.ints + profile.reals + profile.texts - profile.text_bad
            + blobs.get(choice.text, 0))


def _bytes(choice: Choice, profile: Profile) -> int:
    return profile.texts - profile.text_lone + profile.blobs


def _numeric(choice: Choice, profile: Profile) -> int:
    return profile.ints + profile.reals - profile.real_not_numeric + profile.text_numeric


def _bignumeric(choice: Choice, profile: Profile) -> int:
    return profile.ints + profile.reals - profile.real_not_bignumeric + profile.text_bignumeric


def _json(choice: Choice, profile: Profile) -> int:
    blobs = {"utf8": profile.blob_json, "jsonb": profile.blob_jsonb}
    return (profile.ints + profile.reals - profile.real_infinite + profile.text_json
            + blobs.get(choice.text, 0))


def _counts(choice: Choice, profile: Profile) -> int:
    """Only counts that can be believed are ever chosen, and then all of them are read."""
    wanted = tuple(form for form in choice.formats if form not in ("iso8601", "go"))
    if not wanted or set(profile.counts.formats()) - set(wanted):
        return 0
    if profile.counts.fine and not choice.fraction:
        return profile.counts.total - profile.counts.fine
    return profile.counts.total


def _kinds(choice: Choice, profile: Profile, plain: Tuple[str, ...]) -> int:
    """The texts with these tags, and those that are finer if that is cut off."""
    return profile.tag(*(tag for tag in plain if choice.fraction or tag not in texts.FINE))


def _timestamp(choice: Choice, profile: Profile) -> int:
    count = _counts(choice, profile)
    if not choice.formats or "iso8601" in choice.formats:
        count += _kinds(choice, profile, texts.ISO)
    if "go" in choice.formats:
        count += _kinds(choice, profile, texts.GO)
    return count


def _datetime(choice: Choice, profile: Profile) -> int:
    iso = not choice.formats or "iso8601" in choice.formats
    return _counts(choice, profile) + (
        _kinds(choice, profile, ("date",) + texts.BARE_TIMES) if iso else 0)


def _date(choice: Choice, profile: Profile) -> int:
    return profile.tag("date", "dt0")


def _time(choice: Choice, profile: Profile) -> int:
    forms = texts.CLOCKS + (texts.BARE_TIMES if choice.date else ())
    return _kinds(choice, profile, forms)


_READERS = {
    "INT64": _int64, "FLOAT64": _float64, "BOOL": _bool, "STRING": _string, "BYTES": _bytes,
    "NUMERIC": _numeric, "BIGNUMERIC": _bignumeric, "JSON": _json, "TIMESTAMP": _timestamp,
    "DATETIME": _datetime, "DATE": _date, "TIME": _time,
}
