"""Chooses how a column is read: the first of the readings that its declared type, its name and the
form of its values suggest and that reads all values exactly. What is only one of several possible
meanings of a number is not chosen, and the report says so.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Iterator, List, Optional, Tuple

from ..checking import listing
from . import texts
from .choice import TIMES, Choice, reads, refused
from .counts import day_of
from .names import named_unit, words
from .profile import Profile

_NUMBERS = ("INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC")
# Without a hint in the name or the declared type, this many values have to have the form of a time.
_TIMES_MIN = 3
# This many words for true and false are no accident, if both are there.
_TRUTHS_MIN = 10


@dataclass(frozen=True)
class Chosen:
    """unfit: values that the choice does not read. remarks: what the report says."""

    choice: Choice
    unfit: int = 0
    remarks: Tuple[str, ...] = ()


@dataclass
class _Notes:
    lines: List[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        self.lines.append(line)


def choose(profile: Profile, key: bool = False) -> Chosen:
    """key: the column identifies rows, so that no value may be read as NULL or be left out."""
    if _says_nothing(profile):
        choice = _without_values(profile)
        if profile.values and choice.type not in ("STRING", "BYTES"):
            choice = replace(choice, empty="null")
        remark = ("has no value yet; its default makes such times",) if profile.default_format else ()
        return Chosen(choice, 0, remark)
    notes = _Notes()
    candidates = list(_candidates(profile, notes))
    if key:
        candidates = [one for one in candidates if not one.empty and not one.fraction
                      and one.type not in ("FLOAT64", "JSON")]
    for choice in candidates:
        if reads(choice, profile) == profile.values:
            return Chosen(choice, 0, tuple(notes.lines) + _what_was_seen(choice, profile))
    return _with_misfits(profile, candidates, notes, key)


def _with_misfits(
    profile: Profile, candidates: List[Choice], notes: _Notes, key: bool
) -> Chosen:
    """Nothing reads all values: what more than 99 % of them are, else what reads most."""
    if not key:
        candidates = _exact(profile, candidates)
    best = min(candidates, key=lambda one: profile.values - reads(one, profile))
    choice = None if key else _nearly(profile, candidates)
    choice = choice or best
    return Chosen(choice, refused(choice, profile), tuple(notes.lines))


def _exact(profile: Profile, candidates: List[Choice]) -> List[Choice]:
    """Without STRING, where it would change reals of a column that numbers are for: by its declared type,
    or because half of the values are some. _bqsync_unfit holds what is no number."""
    number = Choice("FLOAT64")
    found = [one for one in candidates if one.type != "STRING"]
    if not profile.real_not_text or number not in found:
        return candidates
    declared = profile.kind in ("int", "float", "decimal")
    most = max(reads(one, profile) for one in found if one.type not in _NUMBERS or one == number)
    if reads(number, profile) == most and (declared or 2 * most >= profile.values):
        return found
    return candidates


def _nearly(profile: Profile, candidates: List[Choice]) -> Optional[Choice]:
    """The first type that reads more than 99 % of the values, in the way that reads most."""
    def unfit(choice: Choice) -> int:
        return profile.values - reads(choice, profile)

    first = next((one for one in candidates if unfit(one) * 100 < profile.values), None)
    if first is None:
        return None
    return min((one for one in candidates if one.type == first.type), key=unfit)


def almost(profile: Profile, chosen: Chosen) -> Chosen:
    """STRING reads anything but blobs, so it is chosen where a few values do not fit what all others
    are. With "on_reject": "column" these few need not decide: this is what the others are."""
    if chosen.unfit or chosen.choice.type not in ("STRING", "BYTES"):
        return chosen
    if profile.kind in ("text", "none", "uuid", "blob") and not profile.names_moment:
        return chosen
    typed = [one for one in _candidates(profile, _Notes()) if one.type not in ("STRING", "BYTES")]
    choice = _nearly(profile, typed)
    if choice is None:
        return chosen
    return Chosen(choice, profile.values - reads(choice, profile), _what_was_seen(choice, profile))


def _candidates(profile: Profile, notes: _Notes) -> Iterator[Choice]:
    for choice in _suggested(profile, notes):
        yield choice
        if choice.type not in ("STRING", "BYTES") and profile.tag("empty", "zero"):
            yield replace(choice, empty="null")
    yield Choice("STRING")
    if profile.blobs:
        yield Choice("STRING", text="utf8")
        yield Choice("BYTES")
    elif profile.text_bad:
        yield Choice("BYTES")


def _suggested(profile: Profile, notes: _Notes) -> Iterator[Choice]:
    kind = profile.kind
    if kind == "bool" or profile.column.checked_bit or _is_truth(profile):
        yield Choice("BOOL")
        yield Choice("BOOL", bool="words")
    if kind == "json":
        yield from _json(profile)
    if profile.blobs and kind != "json":
        yield from _from_blobs(profile)
    if kind not in ("json", "bool"):
        yield from _times(profile, notes)
    if kind in ("text", "uuid") or kind == "blob" and not profile.blobs:
        yield from _json(profile)
        yield Choice("STRING")
    if kind == "decimal":
        yield Choice("NUMERIC")
        yield Choice("BIGNUMERIC" if profile.texts else "FLOAT64")
    if kind == "float":
        yield Choice("FLOAT64")
    if profile.ints or profile.reals or kind in ("int", "bool", "datetime", "date", "time"):
        yield Choice("INT64")
        yield Choice("FLOAT64")
        if not profile.reals:
            yield Choice("NUMERIC")
    if profile.text_json:
        yield from _json(profile)


def _is_truth(profile: Profile) -> bool:
    """Whether a column of texts has nothing but true and false, or t and f."""
    for tag in ("bool", "letter"):
        if profile.tags[tag] + profile.tag("empty") == profile.values:
            return profile.tags[tag] >= _TRUTHS_MIN and len(profile.truths) == 2
    return False


def _json(profile: Profile) -> Iterator[Choice]:
    if profile.text_json or not profile.texts:
        yield Choice("JSON")
    if profile.blobs:
        yield Choice("JSON", text="utf8")
        yield Choice("JSON", text="jsonb")


def _from_blobs(profile: Profile) -> Iterator[Choice]:
    """UUIDs are known by their version and variant, which a random number has once in eight times; a
    few values without a word about UUIDs in the name or the type prove nothing."""
    named = profile.kind == "uuid" or {"uuid", "guid"} & set(words(profile.column.name))
    enough = profile.blobs >= (1 if named else 16)
    if profile.blob_16 == profile.blobs and enough:
        if profile.blob_uuid == profile.blobs and profile.blob_guid < profile.blobs:
            yield Choice("STRING", text="uuid")
        elif profile.blob_guid == profile.blobs and profile.blob_uuid < profile.blobs:
            yield Choice("STRING", text="guid")
        elif profile.blob_uuid == profile.blobs and named:
            guid = "GUID" in profile.column.declared.upper() or "UNIQUE" in profile.column.declared.upper()
            yield Choice("STRING", text="guid" if guid else "uuid")
    if profile.blob_json or profile.blob_jsonb:
        yield from _json(profile)
    if profile.kind in ("text", "json"):
        yield Choice("STRING", text="utf8")
    yield Choice("BYTES")


# --- times -------------------------------------------------------------------------------------


def _times(profile: Profile, notes: _Notes) -> Iterator[Choice]:
    iso, go, clocks = profile.tag(*texts.ISO), profile.tag(*texts.GO), profile.tag(*texts.CLOCKS)
    hinted = profile.kind in ("datetime", "date", "time") or profile.names_moment
    formats: Tuple[str, ...] = ()
    if profile.counts.total and hinted:
        formats = _believed(profile, notes)
    if clocks and not formats and not go:
        yield from _clock_times(profile)
    if not formats and not hinted and iso + go < _TIMES_MIN:
        return
    if not formats and not iso and not go:
        return
    fine = profile.tag(*texts.FINE) or (profile.counts.fine if formats else 0)
    fraction = "truncate" if fine else ""
    if profile.kind == "time" and len(profile.days) == 1 and not formats and iso:
        yield Choice("TIME", date="drop", fraction=fraction)
    only_days = profile.tag("date") == iso
    if not formats and not go and (profile.kind == "date" or profile.kind != "datetime" and only_days):
        yield Choice("DATE")
    local = profile.default_format == "local" or "local" in words(profile.column.name)
    if local and not formats and not go:
        yield Choice("DATETIME", fraction=fraction)
    formats += (("iso8601",) if iso else ()) + (("go",) if go else ())
    yield Choice("TIMESTAMP", formats=formats, fraction=fraction)


def _clock_times(profile: Profile) -> Iterator[Choice]:
    """Texts such as 10:30 may be durations, unless something speaks of a time of day."""
    if profile.kind == "time" or profile.names_moment:
        yield Choice("TIME", fraction="truncate" if profile.tag("timef") else "")


def _believed(profile: Profile, notes: _Notes) -> Tuple[str, ...]:
    """The formats of the numbers, if all of them are moments of 1990 to 2100 in it and the name does
    not speak of another unit."""
    counts, name = profile.counts, profile.column.name
    formats = counts.formats()
    unit = named_unit(name)
    if formats and (not unit or formats == (unit,)):
        return formats
    seen = "%s of %s are numbers" % (thousands(counts.total), thousands(profile.values))
    if profile.counts.total == profile.ints and not profile.int_not_bit:
        return ()
    if formats:
        notes.add("%s that would be times as %s, but the name ends in another unit; no time was guessed"
                  % (seen, " or ".join(formats)))
        return ()
    plausible = sum(counts.forms.values())
    if plausible:
        notes.add("%s, of which %s would not be times of 1990 to 2100; no time was guessed"
                  % (seen, thousands(counts.total - plausible)) if plausible < counts.total else
                  "%s of units that cannot be told apart (%s); no time was guessed"
                  % (seen, ", ".join(sorted(counts.forms))))
    else:
        readings = counts.readings()
        notes.add("%s, none of which would be a time of 1990 to 2100%s; no time was guessed"
                  % (seen, " (%s)" % "; ".join(readings) if readings else ""))
    return ()


# --- columns without a value ---------------------------------------------------------------------

_DECLARED = {
    "bool": "BOOL", "json": "JSON", "uuid": "STRING", "datetime": "TIMESTAMP", "date": "DATE",
    "time": "TIME", "decimal": "NUMERIC", "int": "INT64", "text": "STRING", "blob": "BYTES",
    "float": "FLOAT64", "none": "STRING"}


def _says_nothing(profile: Profile) -> bool:
    """Whether there is no value but texts that stand for none."""
    timely = profile.kind in ("datetime", "date", "time")
    return profile.values == profile.tag("empty") + (profile.tag("zero") if timely else 0)


def _without_values(profile: Profile) -> Choice:
    if profile.column.checked_bit:
        return Choice("BOOL")
    if profile.default_format == "local":
        return Choice("DATETIME")
    if profile.default_format:
        return Choice("TIMESTAMP", formats=(profile.default_format,))
    return Choice(_DECLARED[profile.kind])


def borrow(profiles: List[Profile], chosen: List[Chosen]) -> List[Chosen]:
    """A column that is declared as a time and has no value yet is read as most others of the same
    declared type are, since the same program writes it."""
    ways: "dict[str, Counter[Choice]]" = {}
    for profile, one in zip(profiles, chosen):
        if profile.kind in ("datetime", "date") and one.choice.type in TIMES:
            if not one.unfit and not _says_nothing(profile):
                ways.setdefault(profile.column.declared.upper(), Counter())[one.choice] += 1
    found = []
    for profile, one in zip(profiles, chosen):
        way = ways.get(profile.column.declared.upper())
        decided = not _says_nothing(profile) or profile.default_format
        if decided or not way or profile.kind not in ("datetime", "date"):
            found.append(one)
            continue
        choice = max(way, key=lambda choice: (way[choice], repr(choice)))
        if profile.values:
            choice = replace(choice, empty="null")
        form = "read as the other %s columns are" % profile.column.declared
        found.append(Chosen(choice, 0, ("has no value yet; " + form,)))
    return found


# --- the report -----------------------------------------------------------------------------------


def thousands(number: int) -> str:
    return "{:,}".format(number)


def plural(number: int, what: str) -> str:
    return "%s %s%s" % (thousands(number), what, "" if number == 1 else "s")


def _of(count: int, profile: Profile) -> str:
    return "%s of %s are" % (thousands(count), thousands(profile.values))


def _what_was_seen(choice: Choice, profile: Profile) -> Tuple[str, ...]:
    """One line about a reading that a person may want to check."""
    said: List[str] = []
    if choice.type in TIMES:
        said += _seen_times(choice, profile)
    if choice.bool:
        said.append("%s words such as t, f, yes or no" % _of(profile.tag(*texts.WORDS), profile))
    if choice.text in ("uuid", "guid"):
        order = "the byte order of .NET" if choice.text == "guid" else "the order of the text"
        said.append("%s blobs of 16 bytes, UUIDs in %s" % (_of(profile.blobs, profile), order))
    elif choice.text:
        what = "SQLite's binary JSON" if choice.text == "jsonb" else "text in UTF-8"
        said.append("%s blobs that hold %s" % (_of(profile.blobs, profile), what))
    if choice.empty:
        said.append("%s empty and become NULL" % _of(profile.tag("empty", "zero"), profile))
    if choice.fraction:
        said.append("what is finer than a microsecond is cut off")
    if choice.type == "BYTES" and profile.text_bad:
        said.append("%s text that is no valid UTF-8 or holds U+0000" % _of(profile.text_bad, profile))
    if choice.type == "STRING" and not said:
        said += _seen_mixture(profile)
    return ("; ".join(said),) if said else ()


def _seen_times(choice: Choice, profile: Profile) -> List[str]:
    said = []
    iso, zoned = profile.tag(*texts.ISO), profile.tag(*texts.ZONED)
    for form in profile.counts.formats() if choice.formats else ():
        low, high = profile.counts.low, profile.counts.high
        days = ""
        if len(profile.counts.forms) == 1 and low is not None and high is not None:
            days = ", %s to %s" % (day_of(form, low), day_of(form, high))
        said.append("%s %s%s" % (_of(profile.counts.forms[form], profile), form, days))
    if profile.tag(*texts.GO):
        said.append("%s times as Go prints them" % _of(profile.tag(*texts.GO), profile))
    if iso and choice.type == "TIMESTAMP":
        zone = ("all have a zone" if zoned == iso else "UTC assumed: none has a zone" if not zoned
                else "UTC assumed for the %s without a zone" % thousands(iso - zoned))
        said.append("%s ISO text, %s" % (_of(iso, profile), zone))
    elif iso:
        said.append("%s ISO text" % _of(iso, profile))
    if choice.type == "DATETIME":
        said.append("local times, as its %s says, of a zone that is not known; with TIMESTAMP and \"zone\" "
                    "they become moments" % ("default" if profile.default_format else "name"))
    if choice.date:
        said.append("all have the same date in front, which is dropped")
    return said


def _seen_mixture(profile: Profile) -> List[str]:
    """Why a column that was declared as something else became a text."""
    if profile.kind in ("text", "none", "uuid") and profile.texts == profile.values:
        return []
    parts = [("integer", profile.ints), ("real", profile.reals), ("text", profile.texts),
             ("blob", profile.blobs)]
    present = [plural(count, what) for what, count in parts if count]
    if len(present) > 1 or profile.kind not in ("text", "none", "blob"):
        lossy = (", of which %s would change as BigQuery's JSON"
                 % thousands(profile.text_json_lossy) if profile.text_json_lossy else "")
        return ["it holds %s%s" % (listing(present, "and"), lossy)]
    return []
