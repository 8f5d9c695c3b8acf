"""The "sync" part of a definition: how a table is sent, how its changes are found, what becomes of rows
that are deleted in SQLite, and of columns that the definition does not list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Sequence, Set, Tuple

from .checking import Problems
from .jsonpos import Node
from .model import Column, History
from .naming import fold
from .schema_history import read_history

MODES = ("append", "upsert", "replace")
_CAPTURES = ("auto", "triggers", "scan")
_DELETES = ("mirror", "mark", "keep")
_UNLISTED = ("ignore", "error")


@dataclass(frozen=True)
class Sync:
    mode: str = ""
    capture: str = "auto"
    deletes: str = "mirror"
    unlisted_fails: bool = False
    ignored: Tuple[str, ...] = ()
    history: Optional[History] = None


def read_sync(
    node: Optional[Node], has_key: bool, columns: Sequence[Column], problems: Problems
) -> Sync:
    if node is None:
        return Sync()
    members = problems.members(
        node, ("mode",), ("capture", "deletes", "columns_not_listed", "history", "ignore"))
    if members is None:
        return Sync()
    unlisted = problems.choice(members.get("columns_not_listed"), _UNLISTED, "choice")
    mode = problems.choice(members.get("mode"), MODES, "mode")
    capture = problems.choice(members.get("capture"), _CAPTURES, "choice")
    if capture == "triggers" and mode == "replace" and not has_key:
        problems.add(members["capture"], '"triggers" list changed rows by their key; name a "key", '
                     'or use "scan"')
    deletes = problems.choice(members.get("deletes"), _DELETES, "choice") or "mirror"
    if deletes != "mirror" and mode == "replace" and not has_key:
        problems.add(members["deletes"], 'needs a "key": without one, nothing tells a row that is deleted '
                     'from one that has changed; name a "key", or use "mirror"')
    return Sync(
        mode or "", capture or "auto", deletes, unlisted == "error",
        _read_ignored(members.get("ignore"), columns, problems),
        read_history(members.get("history"), has_key, columns, problems))


def _read_ignored(
    node: Optional[Node], columns: Sequence[Column], problems: Problems
) -> Tuple[str, ...]:
    """Names as SQLite has them, which ignores their case."""
    if node is None or not problems.is_a(node, "array"):
        return ()
    readers = {fold(column.source): column for column in columns}
    seen: Set[str] = set()
    names: List[str] = []
    for item in node.value:
        name = problems.name(item)
        if name is None:
            continue
        reader = readers.get(fold(name))
        if fold(name) in seen:
            problems.add(item, '"%s" is listed twice; case does not count' % name)
        elif reader is not None:
            problems.add(item, '"%s" is synced by the column "%s"; take it out of "ignore" or out of '
                         '"columns"' % (name, reader.name))
        else:
            names.append(name)
        seen.add(fold(name))
    return tuple(names)
