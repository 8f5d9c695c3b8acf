"""Names: the words in a column's name, and names that BigQuery, C and the file system accept."""

from __future__ import annotations

import re
import unicodedata
from typing import Dict, Iterable, List, Set, Tuple

from ..naming import fold, is_bigquery_table_name, is_c_identifier
from ..schema_columns import forbidden_prefix

_COLUMN_MAX = 300
_STEM_MAX = 100
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# Words of names that hold a moment.
_TIME_WORDS = frozenset(
    """time date datetime timestamp ts at created updated modified changed deleted removed expires
    expire expiry expiration expired accessed visited joined registered born birthday birthdate dob
    since until started ended finished completed published issued due seen sent received login logon
    synced added inserted edited crt mod mtime ctime atime scm utc archived confirmed verified
    activated closed opened scheduled released shipped ordered paid cancelled canceled read delivered
    edit epoch moment julian when begin start end""".split())
_NO_MOMENT = frozenset(
    """zone timezone tz duration timeout ttl elapsed interval length seconds minutes hours days spent
    count format delay age offset id by name""".split())
# is_read and has_expired ask whether, not when.
_QUESTIONS = frozenset("is has was are can".split())
_UNITS = {
    "unix_s": ("s", "sec", "secs", "second"),
    "unix_ms": ("ms", "msec", "msecs", "millis", "milliseconds"),
    "unix_us": ("us", "usec", "usecs", "micros", "microseconds"),
    "unix_ns": ("ns", "nsec", "nanos", "nanoseconds"),
}


def words(name: str) -> Tuple[str, ...]:
    """The words of a name in lower case: last_loginAt is last, login, at."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return tuple(word.lower() for word in _WORD.findall(plain))


def names_moment(name: str) -> bool:
    """Whether a column of this name probably holds moments in time."""
    found = words(name)
    if not found or found[-1] in _NO_MOMENT or any(word in ("zone", "duration") for word in found):
        return False
    if asks(name):
        return False
    return any(word in _TIME_WORDS for word in found)


def asks(name: str) -> bool:
    """Whether the column answers a question: is_read, has_password."""
    found = words(name)
    return len(found) > 1 and found[0] in _QUESTIONS


def named_unit(name: str) -> str:
    """The format of a count that the end of the name speaks of, "" if of none."""
    found = words(name)
    for form, suffixes in _UNITS.items():
        if len(found) > 1 and found[-1] in suffixes:
            return form
    return ""


def column_names(sources: Iterable[str], taken: Iterable[str] = ()) -> Dict[str, str]:
    """A name in BigQuery for each column of SQLite: its own where that is possible."""
    sources = list(sources)
    used: Set[str] = {fold(name) for name in taken}
    result: Dict[str, str] = {}
    fine = [name for name in sources if is_c_identifier(name) and len(name) <= _COLUMN_MAX
            and not forbidden_prefix(name)]
    for name in fine:
        if fold(name) not in used:
            used.add(fold(name))
            result[name] = name
    for name in sources:
        if name not in result:
            result[name] = _free(_cleaned(name) or "column", used, _COLUMN_MAX)
    return result


def _cleaned(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore")
    text = re.sub(r"[^A-Za-z0-9]+", "_", plain.decode("ascii")).strip("_")
    if text[:1].isdigit():
        text = "_" + text
    return text


def _free(wish: str, used: Set[str], limit: int) -> str:
    name, number = wish[:limit], 1
    while fold(name) in used:
        number += 1
        suffix = "_%d" % number
        name = wish[:limit - len(suffix)] + suffix
    used.add(fold(name))
    return name


def file_stems(tables: List[str], taken: Iterable[str] = ()) -> Dict[str, str]:
    """The file name without .json for each table: the table's own if it is a C identifier. taken: of files that
    are there already."""
    used: Set[str] = {"registry", *map(fold, taken)}
    result: Dict[str, str] = {}
    for name in tables:
        if is_c_identifier(name) and fold(name) not in used:
            used.add(fold(name))
            result[name] = name
    for name in tables:
        if name not in result:
            result[name] = _free(_cleaned(name) or "table", used, _STEM_MAX)
    return result


def target_names(tables: List[str]) -> Dict[str, str]:
    """The table in BigQuery where it cannot be called as in SQLite."""
    odd = [name for name in tables if not _is_target(name)]
    used: Set[str] = {fold(name) for name in tables if name not in odd}
    return {name: _free(_cleaned(name) or "table", used, _STEM_MAX) for name in odd}


def _is_target(name: str) -> bool:
    return (is_bigquery_table_name(name) and bool(name.strip())
            and not fold(name).startswith("_bqsync_"))
