"""A second run: what the database says now, merged with a definition that people may have edited.

The file .infer beside the definitions holds what infer has proposed before. What a definition says
otherwise was changed by hand and stays; what it says as proposed follows the new proposal. Without
that file all that a definition says stays, and only new columns are added.
"""

from __future__ import annotations

import json
import os
from typing import Dict, Iterable, List, Optional

from .. import jsonpos
from ..naming import fold
from ..schema_reading import READING_KEYS
from .definitions import Document, inline, render
from .names import column_names

MEMORY = ".infer"
_VERSION = 1
READING = ("type", "json", "transform") + READING_KEYS


def remembered(directory: str) -> Dict[str, Document]:
    """The proposals by table. Raises OSError, ValueError."""
    try:
        with open(os.path.join(directory, MEMORY), "r", encoding="utf-8") as file:
            content = json.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    tables = content.get("tables") if isinstance(content, dict) else None
    if not isinstance(tables, dict) or content.get("version") != _VERSION:
        raise ValueError("it was not written by this version of infer")
    return tables


def memory_text(proposals: Dict[str, Document]) -> str:
    """One line for each line of a definition, so that a diff of it can be read."""
    tables = ["%s: %s" % (json.dumps(name, ensure_ascii=False), render(proposals[name]).rstrip())
              for name in sorted(proposals)]
    return '{"version": %d, "tables": {\n%s\n}}\n' % (_VERSION, ",\n".join(tables))


def merge(mine: Document, theirs: Document, base: Optional[Document]) -> Document:
    """mine: the definition as it is; theirs: what infer proposes now; base: what it proposed then."""
    theirs = _renamed(theirs, mine)
    old = _renamed(base, mine) if base is not None else None
    merged: Document = {}
    _take(merged, "key", mine, theirs, old)
    columns = _columns(mine, theirs, old, merged.get("key") or [])
    for key in _keys(mine, theirs):
        if key == "columns":
            merged[key] = columns
        elif key == "sync" and isinstance(mine.get(key), dict):
            merged[key] = _sync(mine, theirs, old, columns)
        else:
            _take(merged, key, mine, theirs, old)
    return _ordered(merged, _keys(mine, theirs))


def ignored(document: Document) -> List[str]:
    """The columns that are left out on purpose."""
    sync = document.get("sync")
    found = sync.get("ignore") if isinstance(sync, dict) else None
    return [str(name) for name in found] if isinstance(found, list) else []


def _sync(
    mine: Document, theirs: Document, base: Optional[Document], columns: List[Document]
) -> Document:
    """The member of that name. Each name in ignore is a member of its own: what was taken out by hand
    stays out, and what is new is added, unless the merged columns still list it."""
    found = _members(mine["sync"], theirs["sync"], None if base is None else base.get("sync", {}))
    found.pop("ignore", None)
    listed = {source_of(column) for column in columns}
    proposed = {fold(name) for name in ignored(theirs)}
    before = {fold(name) for name in ignored(base)} if base else set()
    known = proposed | {source_of(column) for column in theirs["columns"]}
    # A name that was proposed goes only with its column.
    names = [name for name in ignored(mine) if fold(name) in known or fold(name) not in before]
    held = {fold(name) for name in names} | before | listed
    if base is not None:
        names += [name for name in ignored(theirs) if fold(name) not in held]
    if names or ignored(mine) == [] and "ignore" in mine["sync"]:
        found["ignore"] = names
    return _ordered(found, mine["sync"])


def _ordered(found: Document, order: Iterable[str]) -> Document:
    keys = [key for key in order if key in found]
    return {key: found[key] for key in keys + [key for key in found if key not in keys]}


def _keys(mine: Document, theirs: Document) -> List[str]:
    """Those of the definition in its order; new ones stand before the columns."""
    found = list(mine)
    for key in theirs:
        if key not in found:
            found.insert(found.index("columns") if "columns" in found else len(found), key)
    return found


def _take(
    merged: Document, key: str, mine: Document, theirs: Document, base: Optional[Document]
) -> None:
    """One member: as proposed if it was as proposed, else as it is."""
    absent = object()
    now = mine.get(key, absent)
    follows = base is not None and now == base.get(key, absent)
    value = theirs.get(key, absent) if follows else now
    if value is not absent:
        merged[key] = value


def _members(mine: Document, theirs: Document, base: Optional[Document]) -> Document:
    merged: Document = {}
    for key in list(mine) + [key for key in theirs if key not in mine]:
        _take(merged, key, mine, theirs, base)
    return merged


def source_of(column: Document) -> str:
    """In lower case: SQLite does not tell names by case."""
    return fold(str(column.get("source") or column.get("name") or ""))


def _columns(
    mine: Document, theirs: Document, base: Optional[Document], key: List[str]
) -> List[Document]:
    proposed = {source_of(column): column for column in theirs["columns"]}
    before = {source_of(column): column for column in base["columns"]} if base else {}
    merged = []
    secret = {fold(name) for name in ignored(theirs)}
    for column in mine["columns"]:
        source = source_of(column)
        if source in secret and source in before and column["name"] not in key:
            if not _is_edited(column, before[source]):
                continue  # nobody has decided that it is sent
        if source in proposed and source in before:
            merged.append(_column(column, proposed[source], before[source]))
        else:
            merged.append(column)
    listed = {source_of(column) for column in mine["columns"]}
    left_out = {fold(name) for name in ignored(mine)}
    for source, column in proposed.items():
        if source not in listed and source not in before and source not in left_out:
            merged.append(_with_free_name(column, merged))
    return merged


def _column(mine: Document, theirs: Document, base: Document) -> Document:
    """What says how a column is read belongs together: it is as proposed as a whole, or not at all."""
    if _is_edited(mine, base):
        theirs = {key: value for key, value in theirs.items() if key not in READING}
        base = {key: value for key, value in base.items() if key not in READING}
        theirs.update({key: mine[key] for key in READING if key in mine})
    return _members(mine, theirs, base)


def _is_edited(mine: Document, base: Document) -> bool:
    return any(mine.get(key) != base.get(key) for key in READING)


def _with_free_name(column: Document, others: List[Document]) -> Document:
    source = str(column.get("source") or column["name"])
    if any(fold(str(other["name"])) == fold(column["name"]) for other in others):
        name = column_names([source], [str(other["name"]) for other in others])[source]
        return {**column, "name": name, "source": source}
    return column


def _renamed(document: Document, mine: Document) -> Document:
    """The document with the columns called as in mine, where they were given another name there."""
    called = {source_of(column): column["name"] for column in mine["columns"]}
    new = {}
    columns = []
    for column in document["columns"]:
        name = called.get(source_of(column), column["name"])
        new[column["name"]] = name
        if name != column["name"]:
            column = {"name": name, "type": column["type"],
                      "source": column.get("source", column["name"]), **{
                          key: value for key, value in column.items()
                          if key not in ("name", "type", "source")}}
        columns.append(column)
    renamed = {**document, "columns": columns}
    if "key" in document:
        renamed["key"] = [new.get(name, name) for name in document["key"]]
    return renamed


def merged_text(text: str, mine: Document, merged: Document) -> str:
    """The text of the definition with what was merged. A file that is laid out in another way keeps its
    layout as long as columns are only added."""
    if merged == mine:
        return text
    count = len(mine["columns"])
    added = merged["columns"][count:]
    if text == render(mine) or not added or {**merged, "columns": merged["columns"][:count]} != mine:
        return render(merged)
    root, _ = jsonpos.parse(text.encode("utf-8"))
    columns = next(member.node for member in root.value if member.key == "columns")
    last = columns.value[-1].offset
    indent = text[text.rfind("\n", 0, last) + 1:last]
    separator = ",\n" + indent if not indent.strip() else ", "
    _, end = json.JSONDecoder().raw_decode(text, last)
    return text[:end] + "".join(separator + inline(column) for column in added) + text[end:]


def gone_columns(mine: Document, sources: List[str]) -> List[str]:
    """Columns of the definition that the database no longer has."""
    present = {fold(name) for name in sources}
    return [str(column["name"]) for column in mine["columns"] if source_of(column) not in present]
