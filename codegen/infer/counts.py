"""Counts of seconds and the like: which of the formats a number can be, judged by the moment that it
would stand for. What lies outside of 1990 to 2100 is not believed.

The formats since 2001 overlap with those since 1970, so that only a database of Core Data or of
iMessage makes them likely.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence, Tuple, Union

_FROM = 631152000  # 1990-01-01
_FROM_APPLE = 1009843200  # 2002-01-01: what 1 stands for in a count since 2001 is no moment
_TO = 4133980800  # 2101-01-01
_BEGIN_1 = 62135596800  # seconds from 0001-01-01 to 1970-01-01
_BEGIN_1601 = 11644473600
_BEGIN_2001 = -978307200

Number = Union[int, float]


@dataclass(frozen=True)
class Window:
    """The numbers that a format writes for the years 1990 to 2100."""

    form: str
    low: Number
    high: Number
    per_second: int
    shift: int  # seconds that the count is ahead of 1970
    apple: bool = False

    def seconds(self, count: Number) -> float:
        """Since 1970."""
        return count / self.per_second - self.shift


def _window(form: str, per_second: int, shift: int, apple: bool = False) -> Window:
    low = _FROM_APPLE if apple else _FROM
    return Window(
        form, (low + shift) * per_second, (_TO + shift) * per_second, per_second, shift, apple)


# Disjoint but for the last two, and for ticks, which win: in nanoseconds they would all be of 1990.
WINDOWS = (
    Window("julian", 2447892.5, 2488434.5, 1, 0),
    _window("unix_s", 1, 0),
    _window("unix_ms", 10**3, 0),
    _window("unix_us", 10**6, 0),
    _window("webkit_us", 10**6, _BEGIN_1601),
    _window("filetime", 10**7, _BEGIN_1601),
    _window("dotnet_ticks", 10**7, _BEGIN_1),
    _window("unix_ns", 10**9, 0),
    _window("apple_s", 1, _BEGIN_2001, True),
    _window("apple_ns", 10**9, _BEGIN_2001, True),
)
_BY_FORM = {window.form: window for window in WINDOWS}
# In the order of WINDOWS none of these reads what is meant for a later one.
_TOGETHER = ({"unix_s", "unix_ms", "unix_us", "unix_ns"}, {"apple_s", "apple_ns"})


@dataclass
class Counts:
    """The numbers of a column. Moments of text are none."""

    apple: bool = False
    total: int = 0
    forms: "Counter[str]" = field(default_factory=Counter)
    fine: int = 0  # finer than a microsecond in the format that was found
    low: Optional[Number] = None
    high: Optional[Number] = None

    def add(self, numbers: Sequence[Number], text: bool = False) -> None:
        """text: they were digits, which a Julian date may not be."""
        low, high = min(numbers), max(numbers)
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)
        self.total += len(numbers)
        whole = self._form(low, text)
        if whole and whole == self._form(high, text):
            self._note(whole, numbers)
            return
        groups: Dict[str, List[Number]] = {}
        for number in numbers:
            groups.setdefault(self._form(number, text), []).append(number)
        for form, members in groups.items():
            if form:
                self._note(form, members)

    def _form(self, number: Number, text: bool) -> str:
        for window in WINDOWS:
            if window.apple != self.apple or not window.low <= number < window.high:
                continue
            # A whole Julian date is noon, and 0 seconds since 2001 stand for none.
            julian = isinstance(number, float) and not text
            if (window.form != "julian" or julian) and number != 0:
                return window.form
        return ""

    def _note(self, form: str, numbers: Sequence[Number]) -> None:
        self.forms[form] += len(numbers)
        part = {"unix_ns": 1000, "apple_ns": 1000, "dotnet_ticks": 10, "filetime": 10}.get(form, 0)
        if part:
            self.fine += sum(1 for number in numbers if isinstance(number, int) and number % part)

    def formats(self) -> Tuple[str, ...]:
        """The formats that read every number as a moment that can be believed; none if there are no
        such formats."""
        if not self.total or sum(self.forms.values()) != self.total:
            return ()
        found = tuple(form for form in (w.form for w in WINDOWS) if self.forms[form])
        one_epoch = any(set(found) <= together for together in _TOGETHER)
        return found if len(found) == 1 or one_epoch else ()

    def readings(self) -> List[str]:
        """For people: what the lowest and the highest number would be, where that is a date."""
        if self.low is None or self.high is None:
            return []
        found = []
        for form in ("unix_s", "unix_ms"):
            first, last = (day_of(form, count) for count in (self.low, self.high))
            if first and last:
                found.append("%s to %s as %s" % (first, last, form))
        return found


def day_of(form: str, count: Number) -> str:
    """The day of a count in UTC, "" beyond the years 1 to 9999."""
    window = _BY_FORM[form]
    seconds = (count - 2440587.5) * 86400 if form == "julian" else window.seconds(count)
    days = int(seconds // 86400) + 719468
    if not 306 <= days < 3652365:
        return ""
    era, of_era = divmod(days, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return "%04d-%02d-%02d" % (year + era * 400 + (month <= 2), month, day)
