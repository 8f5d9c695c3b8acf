"""What the values of a column are: each is counted by its storage class, by the form of its text, and
by what it could stand for. One chunk of rows at a time, so that memory stays flat.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Sequence, Set

from . import structures, texts
from .catalog import SourceColumn
from .counts import Counts
from .declared import default_format, is_text, kind_of
from .names import names_moment
from .shapes import SHAPE_FIRST, has_check_digit, note_shape

_EXACT = 2**53
_TEXT_EXACT = 1e15  # SQLite's text of a smaller whole number has all of its digits
_CARDS = (300_000_000_000_000, 7_000_000_000_000_000)  # 15 and 16 digits, beginning with 3 to 6


@dataclass
class Profile:
    """Of one column. total: rows of the table, about."""

    column: SourceColumn
    total: int
    apple: bool
    nulls: int = 0
    ints: int = 0
    reals: int = 0
    texts: int = 0
    blobs: int = 0
    int_high: int = 0
    int_not_bit: int = 0
    int_not_float: int = 0
    real_not_int: int = 0
    real_not_bit: int = 0
    real_infinite: int = 0
    real_not_text: int = 0  # SQLite's text of it, of 15 digits, is another number's
    real_not_numeric: int = 0
    real_not_bignumeric: int = 0
    tags: "Counter[str]" = field(default_factory=Counter)
    text_float: int = 0
    text_numeric: int = 0
    text_bignumeric: int = 0
    # By type: of the texts that it reads, those that it would spell otherwise though no type says that
    # they are numbers, such as 007 and 1.10.
    respelled: "Counter[str]" = field(default_factory=Counter)
    text_json: int = 0  # arrays and objects; where JSON is declared, any
    text_json_lossy: int = 0
    text_bad: int = 0  # U+0000 inside, or no valid UTF-8
    text_lone: int = 0  # of these, with half a surrogate pair of UTF-16 inside, which nothing reads
    text_uuid: int = 0
    blob_uuid: int = 0
    blob_guid: int = 0
    blob_16: int = 0
    blob_utf8: int = 0
    blob_json: int = 0
    blob_jsonb: int = 0
    blob_not_jsonb: int = 0
    shapes: "Counter[str]" = field(default_factory=Counter)
    days: Set[str] = field(default_factory=set)  # of times with a date, the first few
    truths: Set[str] = field(default_factory=set)  # words for true and false, in lower case
    free: bool = False  # more than 1 % are texts of no form: none is looked for any more

    def __post_init__(self) -> None:
        self.kind = kind_of(self.column.declared)
        self.default_format = default_format(self.column.default)
        self.names_moment = names_moment(self.column.name) or bool(self.default_format)
        self.counts = Counts(self.apple)
        self._wants_counts = self.kind in ("datetime", "date", "time") or self.names_moment
        self._wants_numbers = not is_text(self.column.declared)
        self._wants_json = self.kind == "json"

    @property
    def values(self) -> int:
        return self.ints + self.reals + self.texts + self.blobs

    def tag(self, *names: str) -> int:
        return sum(self.tags[name] for name in names)

    def add(self, values: Sequence[Any]) -> None:
        kinds = set(map(type, values))
        if len(kinds) == 1:
            self._add_kind(kinds.pop(), values)
            return
        for kind in kinds:
            self._add_kind(kind, [value for value in values if type(value) is kind])

    def _add_kind(self, kind: type, values: Sequence[Any]) -> None:
        if kind is type(None):
            self.nulls += len(values)
        elif kind is int:
            self._add_ints(values)
        elif kind is float:
            self._add_reals(values)
        elif kind is str:
            self._add_texts(values)
        else:
            self._add_blobs(values)

    def _add_ints(self, values: Sequence[int]) -> None:
        low, high = min(values), max(values)
        self.ints += len(values)
        self.int_high = max(self.int_high, high)
        if low < 0 or high > 1:
            self.int_not_bit += sum(1 for value in values if value not in (0, 1))
        if low < -_EXACT or high > _EXACT:
            self.int_not_float += sum(
                1 for value in values if abs(value) > _EXACT and int(float(value)) != value)
        if self._wants_counts:
            self.counts.add(values)
        if high >= _CARDS[0] and low >= 0:
            for value in values:
                if _CARDS[0] <= value < _CARDS[1] and str(value)[0] in "3456":
                    self.shapes["card" if has_check_digit(str(value)) else "no_card"] += 1

    def _add_reals(self, values: Sequence[float]) -> None:
        self.reals += len(values)
        if math.isinf(max(values)) or math.isinf(min(values)):
            self.real_infinite += sum(1 for value in values if math.isinf(value))
        whole = [value for value in values if value.is_integer()]
        self.real_not_int += len(values) - sum(1 for value in whole if -(2.0**63) <= value < 2.0**63)
        self.real_not_bit += len(values) - sum(1 for value in whole if value in (0.0, 1.0))
        if len(whole) < len(values) or max(whole) >= _TEXT_EXACT or min(whole) <= -_TEXT_EXACT:
            self.real_not_text += sum(1 for value in values if float("%.15g" % value) != value)
        if self._wants_counts:
            finite = [value for value in values if not math.isinf(value)]
            if finite:
                self.counts.add(finite)
        if self.kind == "decimal":
            for value, count in Counter(values).items():
                self._add_decimal(value, count)

    def _add_decimal(self, value: float, count: int) -> None:
        text = repr(value)
        if len(text) < 17 and "e" not in text and len(text) - text.find(".") <= 10 and text[-1] != "f":
            return
        finite = not math.isinf(value)
        if not finite or not texts.fits_decimal(Decimal(text), *texts.NUMERIC):
            self.real_not_numeric += count
        if not finite or not texts.fits_decimal(Decimal(text), *texts.BIGNUMERIC):
            self.real_not_bignumeric += count

    def _add_texts(self, values: Sequence[str]) -> None:
        self.texts += len(values)
        joined = "".join(values)
        bad: Set[str] = set()
        if "\x00" in joined or not _is_utf8(joined):
            bad = {value for value in values if "\x00" in value or not _is_utf8(value)}
        counted = Counter(values)
        for text in bad:
            count = counted.pop(text)
            self.text_bad += count
            self.tags["other"] += count
        if self.free:
            self.tags["other"] += sum(counted.values())
            for text, count in counted.items():
                if text[:1] in SHAPE_FIRST or "@" in text or "=" in text:
                    note_shape(text, count, self.shapes)
            return
        self._add_forms(counted)

    def _add_forms(self, counted: "Counter[str]") -> None:
        tags = self.tags
        for text, count in counted.items():
            tag = texts.tag_of(text)
            tags[tag] += count
            if tag not in texts.ISO:
                self._add_tagged(text, tag, count)
            elif len(self.days) < 2:
                self.days.add(text[:10])
        if not self._wants_json and self.tags["other"] * 100 > self.total:
            self.free = True

    def _add_tagged(self, text: str, tag: str, count: int) -> None:
        """What the form alone does not tell."""
        if tag == "structure" or self._wants_json:
            form = structures.json_form(text)
            if form == "exact":
                self.text_json += count
            elif form == "lossy":
                self.text_json_lossy += count
            elif tag == "structure":
                self.tags["structure"] -= count
                self.tags["other"] += count
                note_shape(text, count, self.shapes)
        if tag in ("int", "bit", "num", "huge"):
            # Where no type says that it is a number, 007 and 1.10 are more than numbers.
            respelled = self.kind == "none" and not texts.is_plain(text)
            self.respelled["INT64"] += count if respelled and tag in texts.INTEGERS else 0
            if self._wants_numbers:
                self._add_number(text, count, respelled)
            if self._wants_counts and tag in ("int", "num") and "e" not in text.lower():
                self.counts.add([int(text) if tag == "int" else float(text)] * count, text=True)
                self.counts.fine += count if tag == "num" and _is_fine(text) else 0
            if len(text) >= 13 or text[0] == "+":
                note_shape(text, count, self.shapes)
        elif tag == "other":
            if len(text) == 36 and text[8] == "-" and text[13] == "-":
                self.text_uuid += count
            else:
                note_shape(text, count, self.shapes)
        elif tag in ("bool", "letter"):
            self.truths.add(text.lower())

    def _add_number(self, text: str, count: int, respelled: bool) -> None:
        value = texts.number(text)
        if value is None:
            return
        small = abs(value.adjusted()) < 100
        fits = {"FLOAT64": texts.fits_float(text),
                "NUMERIC": small and texts.fits_decimal(value, *texts.NUMERIC),
                "BIGNUMERIC": small and texts.fits_decimal(value, *texts.BIGNUMERIC)}
        self.text_float += count if fits["FLOAT64"] else 0
        self.text_numeric += count if fits["NUMERIC"] else 0
        self.text_bignumeric += count if fits["BIGNUMERIC"] else 0
        if respelled:
            self.respelled.update({name: count for name, fit in fits.items() if fit})

    def _add_blobs(self, values: Sequence[bytes]) -> None:
        self.blobs += len(values)
        for blob in values:
            if len(blob) == 16:
                self.blob_16 += 1
                uuid, guid = structures.uuid_orders(blob)
                self.blob_uuid += uuid
                self.blob_guid += guid
            text = structures.utf8(blob)
            if text is not None:
                self.blob_utf8 += 1
                self.blob_json += text[:1] in ("{", "[") and structures.json_form(text) == "exact"
                note_shape(text, 1, self.shapes)
            if self.blob_not_jsonb * 100 <= self.total:
                jsonb = bool(blob) and blob[0] & 15 in (11, 12) and structures.jsonb_form(blob) == "exact"
                self.blob_jsonb += jsonb
                self.blob_not_jsonb += not jsonb


def _is_fine(text: str) -> bool:
    """Whether a count of seconds or less, with a point, may be finer than a microsecond."""
    whole, _, fraction = text.partition(".")
    places = len(fraction.rstrip("0"))
    return places > (6 if len(whole) < 12 else 3 if len(whole) < 15 else 0)


def _is_utf8(text: str) -> bool:
    """Whether no byte of the text had to be read as a lone surrogate."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
