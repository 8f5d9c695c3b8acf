"""What a column's definition says about how its values are stored: formats and options."""

from __future__ import annotations

import functools
import re
import zoneinfo
from typing import Dict, List, Optional, Tuple

from .checking import Problems, listing, suggestion
from .forms import BY_NAME, OPTIONS, Reading
from .jsonpos import Node
from .typemap import TYPES, ColumnType

_CHOICES = tuple(dict.fromkeys(option.key for option in OPTIONS if option.value))
READING_KEYS = ("format", "zone") + _CHOICES

_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*)*")


def read_reading(
    members: Dict[str, Node], kind: Optional[ColumnType], problems: Problems
) -> Reading:
    formats = _read_formats(members.get("format"), kind, problems)
    told = "format" not in members or not problems.within(members["format"])
    zone = _read_zone(members.get("zone"), kind, formats if told else ("iso8601",), problems)
    chosen = {key: _read_option(key, members.get(key), kind, problems) for key in _CHOICES}
    return Reading(formats=formats, zone=zone, **chosen)


def _read_formats(
    node: Optional[Node], kind: Optional[ColumnType], problems: Problems
) -> Tuple[str, ...]:
    """A word, or a list of them."""
    if node is None:
        return Reading().formats
    items = node.value if node.kind == "array" else [node]
    if not items:
        problems.add(node, "must not be empty")
    read: List[str] = []
    for item in items:
        if kind is not None and not kind.formats:
            problems.add(item, "only DATE, TIME, DATETIME and TIMESTAMP have a format, not %s"
                         % kind.name)
            break
        name = problems.choice(item, tuple(BY_NAME), "format")
        if name is None or kind is None:
            continue
        if name not in kind.formats:
            problems.add(item, "a %s can only be stored as %s, not as %s"
                         % (kind.name, listing(kind.formats), name))
        elif name in read:
            problems.add(item, '"%s" is in the list twice' % name)
        else:
            read.append(name)
    return tuple(read) or Reading().formats


def _read_zone(
    node: Optional[Node], kind: Optional[ColumnType], formats: Tuple[str, ...], problems: Problems
) -> str:
    zone = problems.text(node)
    if node is None or zone is None:
        return ""
    if kind is not None and kind.name != "TIMESTAMP":
        problems.add(node, "only a TIMESTAMP is a moment, so only it has a zone, not %s" % kind.name)
        return zone
    if "iso8601" not in formats:
        problems.add(node, "only texts in the format iso8601 may lack a zone, and the column's format "
                     "is %s" % listing(formats))
    if not _ZONE.fullmatch(zone):
        problems.add(node, 'is not the name of a zone in the tz database, such as "Europe/Berlin"')
    elif _zones() and zone not in _zones():
        problems.add(node, 'unknown zone "%s"%s' % (zone, suggestion(zone, _zones())))
    return zone


@functools.lru_cache(maxsize=None)
def _zones() -> Tuple[str, ...]:
    """The zones that this machine knows; none if it has no tz database, and then the program says
    what it lacks."""
    return tuple(sorted(zoneinfo.available_timezones()))


def _read_option(
    key: str, node: Optional[Node], kind: Optional[ColumnType], problems: Problems
) -> str:
    options = [option for option in OPTIONS if option.key == key]
    takers = {name for option in options for name in option.types}
    if node is not None and kind is not None and kind.name not in takers:
        problems.add(node, '"%s" is for %s, not for %s'
                     % (key, listing([row.name for row in TYPES if row.name in takers]), kind.name))
        return ""
    value = problems.choice(node, tuple(option.value for option in options), "choice")
    if node is None or value is None:
        return ""
    option = next(option for option in options if option.value == value)
    if kind is not None and kind.name not in option.types:
        problems.add(node, '"%s": "%s" is for %s, not for %s'
                     % (key, value, listing(option.types), kind.name))
    return value
