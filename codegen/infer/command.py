"""codegen infer: arguments, the order of the steps, exit status.

0 definitions were written, or nothing differs; 1 a second run found differences, or a file cannot be
written; 2 usage, or the database cannot be read; 3 a definition that is there already is wrong.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import sqlite3
import sys
import tempfile
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from .. import schema
from ..checking import suggestion
from ..commands import Parser
from ..naming import fold
from ..output import read_file, replace_file
from .catalog import Catalog, SourceTable, read_catalog
from .definitions import Document, document_of, render
from .drafts import Draft, make_drafts
from .keeping import keep
from .merge import MEMORY, gone_columns, memory_text, merge, merged_text, remembered
from .names import file_stems, target_names
from .profile import Profile
from .reading import read_profiles
from .report import Progress, catalog_lines, say, table_lines
from .source import Source, SourceError

_TRIES = 3


class _Refusal(Exception):
    """Why nothing can be done; status is the exit status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class _Existing:
    path: str
    text: str
    document: Document


@dataclass
class _Wanted:
    """Of one table. document: what its definition is to say; found: what is there now."""

    path: str
    proposal: Document
    document: Document
    found: Optional[_Existing]


def configure(parser: Parser) -> None:
    parser.description = (
        "Writes a definition for each table of an SQLite database, by reading every value.\n"
        "Definitions that are there already are compared and kept.")
    parser.add_argument("database", metavar="DB", help="the SQLite file; it is only read")
    parser.add_argument("tables", nargs="*", default=[], metavar="TABLE",
                        help="only these; also the way to get views and virtual tables")
    parser.add_argument("--out", default="schemas", metavar="DIR",
                        help="where the definitions are (default: %(default)s)")
    parser.add_argument("--update", action="store_true",
                        help="change definitions that are there already; what was edited by hand stays")


def run(options: argparse.Namespace) -> int:
    progress = Progress(sys.stderr)
    try:
        return _run(options, options.program, progress)
    except _Refusal as refusal:
        progress.clear()
        say(str(refusal).split("\n"))
        return refusal.status
    except SourceError as error:
        progress.clear()
        say([str(error)])
        return 2
    except sqlite3.Error as error:
        progress.clear()
        say(["%s: cannot be read: %s" % (options.database, error)])
        return 2


def _run(options: argparse.Namespace, program: str, progress: Progress) -> int:
    existing = _existing(options.out)
    memory = _memory(options.out)
    for _ in range(_TRIES):
        source = Source(options.database)
        try:
            with source.lenient():
                catalog = read_catalog(source.connection)
            tables = _wanted(catalog, options.tables, options.database)
            drafts = _drafts(source, catalog, tables, progress)
            if not source.has_changed():
                break
        finally:
            source.close()
    else:
        raise SourceError("%s: was written each time that it was read; try again when it rests" % options.database)
    progress.clear()
    stems = file_stems([table.name for table in catalog.tables if fold(table.name) not in existing],
                       [_stem(one.path) for one in existing.values()])
    targets = target_names([table.name for table in catalog.tables])
    wanted: Dict[str, _Wanted] = {}
    lines: List[str] = []
    for draft in drafts:
        name = draft.table.name
        document, left_out = document_of(draft, targets.get(name, ""))
        if not document["columns"]:
            lines.append("%s: left out, because none of its columns can be sent" % name)
            continue
        found = existing.get(fold(name))
        path = found.path if found else os.path.join(options.out, stems[name] + ".json")
        one = wanted[name] = _settled(draft, document, path, found, memory.get(name))
        lines += table_lines(draft, one.proposal, one.document, left_out, one.path,
                             one.found.document if one.found else None)
    if not options.tables:
        lines += catalog_lines(catalog, program, options.database)
    say(lines)
    if not wanted:
        raise _Refusal(2, "%s: has no tables%s" % (
            options.database, " that can be taken without being named" if lines else
            "; is it the file that the application writes to?"))
    return _settle(options, wanted, existing, memory, catalog)


def _settled(
    draft: Draft, proposal: Document, path: str, found: Optional[_Existing], before: Optional[Document]
) -> _Wanted:
    if found is None:
        return _Wanted(path, proposal, proposal, None)
    if before is not None:
        proposal = keep(draft, proposal, before)
    return _Wanted(path, proposal, merge(found.document, proposal, before), found)


def _wanted(catalog: Catalog, names: List[str], database: str) -> List[SourceTable]:
    if not names:
        return [table for table in catalog.tables if table.kind == "table"]
    found, unknown = [], []
    for name in names:
        table = catalog.find(name)
        why = next((why for passed, why in catalog.passed_over if fold(passed) == fold(name)), None)
        if why is not None:
            unknown.append("%s: %s %s" % (database, name, why))
        elif table is None:
            unknown.append("%s: no table %s%s" % (
                database, name, suggestion(name, [table.name for table in catalog.tables], "")))
        elif table not in found:
            found.append(table)
    if unknown:
        raise _Refusal(2, "\n".join(unknown))
    return found


def _drafts(
    source: Source, catalog: Catalog, tables: List[SourceTable], progress: Progress
) -> List[Draft]:
    read: List[Tuple[SourceTable, List[Profile]]] = []
    for table in tables:
        if not table.columns:
            catalog.passed_over.append((table.name, "none of its columns can be written in a definition"))
            continue
        try:
            read.append((table, read_profiles(source, table, _is_apple(catalog, table), progress)))
        except sqlite3.Error as error:
            catalog.passed_over.append((table.name, "because SQLite %s cannot read it: %s"
                                        % (sqlite3.sqlite_version, error)))
    with source.lenient():
        return make_drafts(source.connection, read)


def _is_apple(catalog: Catalog, table: SourceTable) -> bool:
    """Core Data and iMessage count from 2001; their tables are known by name."""
    if catalog.find("Z_METADATA") and catalog.find("Z_PRIMARYKEY"):
        return True
    columns = {fold(column.name) for column in table.columns}
    return bool(catalog.find("chat_message_join")) and {"date", "is_from_me"} <= columns


def _problems(files: Dict[str, str]) -> Tuple[str, ...]:
    """What the generator has to say about definitions, by the names of their files."""
    with tempfile.TemporaryDirectory(prefix="bqsync-infer-") as directory:
        for stem, text in files.items():
            with open(os.path.join(directory, stem + ".json"), "w", encoding="utf-8") as file:
                file.write(text)
        return tuple(message.replace(os.path.join(directory, ""), "") for message in schema.load(directory).messages)


def _stem(path: str) -> str:
    return os.path.basename(path)[:-len(".json")]


# --- files -----------------------------------------------------------------------------------------


def _existing(directory: str) -> Dict[str, _Existing]:
    """The definitions that are there, by their tables in lower case."""
    if not os.path.isdir(directory):
        return {}
    names = sorted(name for name in os.listdir(directory) if schema.is_definition(name))
    if not names:
        return {}
    messages = schema.load(directory).messages
    if messages:
        raise _Refusal(3, "\n".join(messages))
    found = {}
    for name in names:
        path = os.path.join(directory, name)
        with open(path, "r", encoding="utf-8", newline="") as file:
            text = file.read()
        document = json.loads(text)
        found[fold(str(document["table"]))] = _Existing(path, text, document)
    return found


def _memory(directory: str) -> Dict[str, Document]:
    path = os.path.join(directory, MEMORY)
    try:
        return remembered(directory)
    except (OSError, ValueError) as error:
        raise _Refusal(3, "%s: cannot be read (%s); remove it, and edits will be told from proposals no "
                       "longer: all that the definitions say stays" % (path, error)) from None


def _settle(
    options: argparse.Namespace, wanted: Dict[str, _Wanted], existing: Dict[str, _Existing],
    memory: Dict[str, Document], catalog: Catalog
) -> int:
    """Writes on a first run or with --update; else prints what would change."""
    files: Dict[str, Tuple[str, str]] = {}  # path -> text before, text after
    for name, one in wanted.items():
        found = one.found
        if found is None and existing and name in memory and not options.tables:
            say(["%s: its definition was removed, and stays so unless the table is named" % name])
            continue
        if found is None:
            files[one.path] = ("", render(_with_editor_schema(options.out, one.document)))
            continue
        files[one.path] = (found.text, merged_text(found.text, found.document, one.document))
    _report_gone(options, existing, catalog)
    _check(options.database, files)
    changed = {path: texts for path, texts in files.items() if texts[0] != texts[1]}
    first = not any(fold(name) in existing for name in wanted)
    if not first and not options.update:
        for path, (before, after) in sorted(changed.items()):
            sys.stdout.write("".join(difflib.unified_diff(
                before.splitlines(keepends=True), after.splitlines(keepends=True),
                path if before else "/dev/null", path)))
        if changed:
            say(["nothing was written; --update makes these changes"])
        return 1 if changed else 0
    proposals = {name: one.proposal for name, one in wanted.items()}
    return _write(options.out, changed, memory_text({**memory, **proposals}))


def _with_editor_schema(directory: str, proposal: Document) -> Document:
    if not os.path.exists(os.path.join(directory, schema.EDITOR_SCHEMA)):
        return proposal
    return {"$schema": "./" + schema.EDITOR_SCHEMA, **proposal}


def _report_gone(
    options: argparse.Namespace, existing: Dict[str, _Existing], catalog: Catalog
) -> None:
    for name, found in sorted(existing.items()):
        table = catalog.find(name)
        if table is None:
            if not options.tables:
                say(["%s: the database has no table %s any more; remove the file if it is not to be synced"
                     % (found.path, found.document["table"])])
            continue
        for column in gone_columns(found.document, [column.name for column in table.columns]):
            say(["%s: the table has no column for %s any more; remove its line, or name its "
                 '"source"' % (found.path, column)])


def _check(database: str, files: Dict[str, Tuple[str, str]]) -> None:
    """The generator has to take what is going to be written."""
    texts = {_stem(path): after for path, (_, after) in files.items()}
    problems = _problems(texts) if texts else ()
    if problems:
        raise _Refusal(3, "%s: the generator would refuse what was inferred from it; nothing was written:\n%s"
                       % (database, "\n".join(problems)))


def _write(directory: str, files: Dict[str, Tuple[str, str]], memory: str) -> int:
    try:
        os.makedirs(directory, exist_ok=True)
        for path, (_, after) in sorted(files.items()):
            replace_file(path, after)
        path = os.path.join(directory, MEMORY)
        if read_file(path) != memory:
            replace_file(path, memory)
    except OSError as error:
        say(["%s: cannot be written: %s" % (error.filename or directory, error.strerror)])
        return 1
    return 0
