"""A draft as a table definition, and its text: one column a line, as people write them."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Tuple

from .drafts import Draft
from .names import column_names

_DESCRIPTION_MAX = 1024
_TABLE_DESCRIPTION_MAX = 16384
_COLUMNS_MAX = 1999  # SQLite's limit for a statement, and one for a mark

Document = Dict[str, Any]


def document_of(draft: Draft, target: str) -> Tuple[Document, List[Tuple[str, str]]]:
    """The definition, and the columns that it leaves out for other reasons than privacy: name, why.
    target: the table in BigQuery, "" if it is called the same."""
    left_out = [(name, "its name cannot be written in a definition") for name in draft.table.unwritable]
    sent = [name for name in draft.names if not draft.is_left_out(name)]
    most = _COLUMNS_MAX - (1 if draft.unfit else 0)  # _bqsync_unfit
    others = [name for name in sent if name not in draft.key]
    left_out += [(name, "a definition has at most %d columns" % most) for name in others[most - len(draft.key):]]
    beyond = {name for name, _ in left_out}
    names = column_names(sent)
    columns = [_column(draft, name, names[name]) for name in sent if name not in beyond]
    document: Document = {"table": draft.table.name}
    if draft.table.remark:
        document["description"] = draft.table.remark[:_TABLE_DESCRIPTION_MAX]
    if target:
        document["target"] = target
    if draft.key:
        document["key"] = [names[name] for name in draft.key]
    document["sync"] = {"mode": "upsert" if draft.key else "replace"}
    secrets = [name for name in draft.names if draft.is_left_out(name)]
    if secrets:
        document["sync"]["ignore"] = secrets
    if draft.unfit:
        document["on_reject"] = "column"
    document["columns"] = columns
    return document, left_out


def _column(draft: Draft, source: str, name: str) -> Document:
    place = draft.names.index(source)
    profile, column, choice = draft.profiles[place], draft.table.columns[place], draft.choice(source)
    found: Document = {"name": name, "type": choice.type}
    promised = column.not_null or source in draft.key
    if promised and not profile.nulls and not choice.empty and not draft.chosen[place].unfit:
        found["mode"] = "REQUIRED"
    if name != source:
        found["source"] = source
    found.update(choice.members())
    if column.remark:
        found["description"] = column.remark[:_DESCRIPTION_MAX]
    return found


def render(document: Document) -> str:
    """The text of a definition, with a line's end. The same document always gives the same bytes."""
    members = []
    for key, value in document.items():
        if key == "columns":
            lines = ",\n".join("    " + inline(column) for column in value)
            members.append('  "columns": [\n%s\n  ]' % lines)
        else:
            members.append("  %s: %s" % (json.dumps(key), inline(value)))
    return "{\n%s\n}\n" % ",\n".join(members)


def inline(value: Any) -> str:
    if isinstance(value, dict):
        if not value:
            return "{}"
        return "{ %s }" % ", ".join(
            "%s: %s" % (json.dumps(key, ensure_ascii=False), inline(item)) for key, item in value.items())
    if isinstance(value, list):
        return "[%s]" % ", ".join(inline(item) for item in value)
    return json.dumps(value, ensure_ascii=False)
