"""What a proposal keeps of the one before: nothing is protected less because values are gone, and what
holds no value says nothing about how it is read.
"""

from __future__ import annotations

from typing import List

from ..naming import fold
from .definitions import Document
from .drafts import Draft, Private
from .merge import READING, ignored, source_of

_WHY = "it was before, though neither its name nor its values show any more why"


def keep(draft: Draft, proposal: Document, before: Document) -> Document:
    """The proposal with what stays of the one before. Notes in the draft what is private for that reason."""
    old = {source_of(column): column for column in before["columns"]}
    left_out = {fold(name) for name in ignored(before)}
    profiles = {fold(profile.column.name): profile for profile in draft.profiles}
    names = {fold(name): name for name in draft.names}
    columns: List[Document] = []
    ignore = {fold(name) for name in ignored(proposal)}
    for column in proposal["columns"]:
        source = source_of(column)
        was = old.get(source, column)
        if source in left_out and column["name"] not in proposal.get("key", ()):
            ignore.add(source)
            draft.private.setdefault(names[source], Private(_WHY, True)).left_out = True
            continue
        if was.get("transform") and not column.get("transform"):
            draft.private.setdefault(names[source], Private(_WHY, False))
            column = _as_before(column, was, READING)
        elif not profiles[source].values and (was.get("transform") or not column.get("transform")):
            column = _as_before(column, was, ("mode",) + READING)
        columns.append(column)
    sync = {key: value for key, value in proposal["sync"].items() if key != "ignore"}
    if ignore:
        sync["ignore"] = [name for name in draft.names if fold(name) in ignore]
    kept = {**proposal, "sync": sync, "columns": columns}
    return kept if any(profile.values for profile in draft.profiles) else _of_empty(kept, before)


def _as_before(column: Document, before: Document, keys: "tuple[str, ...]") -> Document:
    """In the order in which definitions name them."""
    found = {key: value for key, value in column.items() if key in ("name",)}
    found.update({key: before[key] for key in before if key in keys})
    found.update({key: value for key, value in column.items() if key not in keys})
    return found


def _of_empty(proposal: Document, before: Document) -> Document:
    """A table without rows: its key has been found with rows in it, and so has what did not fit."""
    kept = {}
    names = {column["name"] for column in proposal["columns"]}
    for key, value in proposal.items():
        if key == "columns" and "on_reject" in before:
            kept["on_reject"] = before["on_reject"]
        kept[key] = value
    if "key" in kept and before.get("key") and names.issuperset(before["key"]):
        kept["key"] = before["key"]
    return kept
