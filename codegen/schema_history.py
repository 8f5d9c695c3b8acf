"""The "history" of a definition: whether every version of a row is kept, and which names that needs in
the dataset."""

from __future__ import annotations

from typing import Dict, Optional, Sequence, Tuple

from .checking import Problems, node_of
from .jsonpos import Node
from .model import Column, History
from .naming import PLAIN, fold, history_names

# Google Cloud documentation, "Quotas and limits", "Partitioned tables": partitions of a table.
_KEEP_DAYS_MAX = 10000
# What the view calls its own columns.
_OF_THE_VIEW = ("valid_from", "valid_to", "is_current")


def read_history(
    node: Optional[Node], has_key: bool, columns: Sequence[Column], problems: Problems
) -> Optional[History]:
    if node is None:
        return None
    if node.kind == "boolean":
        history = History(0) if node.value else None
    elif node.kind == "object":
        history = _read_keeping(node, problems)
    else:
        problems.add(node, 'expected true, or an object such as {"keep_days": 400}')
        return None
    if history is None:
        return None
    if not has_key:
        problems.add(node, 'needs a "key", by which the versions of a row are distinguished from those of '
                     'others; name one, or leave "history" out')
    for column in columns:
        if fold(column.name) in _OF_THE_VIEW:
            problems.add(node, 'its view has a column "%s" of its own: give the column "%s" another '
                         '"name", and its name in SQLite as "source"'
                         % (fold(column.name), column.name))
    return history


def _read_keeping(node: Node, problems: Problems) -> Optional[History]:
    members = problems.members(
        node, ("keep_days",), (), hints={"keep_days": "; write true to keep all versions"})
    days = members.get("keep_days") if members is not None else None
    if days is None or not problems.is_a(days, "number"):
        return None
    if not isinstance(days.value, int) or not 1 <= days.value <= _KEEP_DAYS_MAX:
        problems.add(days, "expected a whole number of days from 1 to %d" % _KEEP_DAYS_MAX)
        return None
    return History(days.value)


def claim_history(
    node: Node, target: Optional[str], path: str, owners: Dict[Tuple[str, str], str],
    problems: Problems
) -> None:
    """What a history needs in the dataset belongs to no other table. node: the definition's "sync"."""
    place = node_of(node, "history")
    if target is None:
        return
    if PLAIN.fullmatch(target) is None:
        # "Routines" of the API reference: letters, digits and underscores.
        problems.add(place, 'makes a function, and BigQuery takes none named "%s_at" (letters, digits, '
                     'underscores); choose another "target"' % target)
        return
    for name in history_names(target):
        owners.setdefault(("history", name), path)
        owner = owners.get(("target", name))
        if owner is not None:
            problems.add(place, 'makes "%s", which is the target in %s; choose another "target" for one '
                         "of them" % (name, owner))


def history_owner(
    what: str, name: str, owners: Dict[Tuple[str, str], str]
) -> Optional[str]:
    """The definition whose history has this target."""
    return owners.get(("history", name)) if what == "target" else None
