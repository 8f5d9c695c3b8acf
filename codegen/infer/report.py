"""What infer says on stderr: for each table what was chosen, and whatever a person may want to decide
otherwise. Names and numbers only, never a value of the database.
"""

from __future__ import annotations

import shlex
import sys
import time
from typing import Dict, List, Optional, Sequence, TextIO, Tuple

from ..naming import fold, visible
from .catalog import Catalog
from .choice import changed
from .choose import plural, thousands
from .definitions import Document, inline
from .drafts import Draft
from .keys import COLUMNS_MAX
from .merge import READING, source_of

_BAR = 30
_EVERY_S = 0.1


class Progress:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shows = stream.isatty()
        self._at = 0.0

    def __call__(self, table: str, done: int, total: int) -> None:
        now = time.monotonic()
        if not self._shows or (done < total and now - self._at < _EVERY_S):
            return
        self._at = now
        filled = _BAR * done // total if total else _BAR
        self._stream.write("\r[%s%s] %s: %s rows\x1b[K" % (
            "#" * min(filled, _BAR), "." * (_BAR - filled), visible(table), thousands(done)))
        self._stream.flush()

    def clear(self) -> None:
        if self._shows:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def table_lines(
    draft: Draft, proposal: Document, document: Document, left_out: Sequence[Tuple[str, str]], path: str,
    today: Optional[Document]
) -> List[str]:
    """document: what the definition is to say; today: what it says, None if there is none."""
    rows = draft.profiles[0].nulls + draft.profiles[0].values if draft.profiles else 0
    key = "key %s" % ", ".join(document["key"]) if document.get("key") else "no key"
    lines = ["%s: %s, %s, %s, %s -> %s" % (
        draft.table.name, plural(rows, "row"), plural(len(document["columns"]), "column"), key,
        document["sync"]["mode"], path)]
    details = list(draft.key_remarks)
    if not draft.key and draft.table.kind == "table":
        if len(draft.table.primary_key) > COLUMNS_MAX:
            details.append("its primary key has %d columns, and a key in BigQuery has at most %d"
                           % (len(draft.table.primary_key), COLUMNS_MAX))
        details.append('no primary key and no unique index over NOT NULL columns can be its key, so each '
                       'change sends the whole table (mode "replace")')
    shown = _by_source(document)
    proposed = _by_source(proposal)
    for name, profile, chosen in zip(draft.names, draft.profiles, draft.chosen):
        column = shown.get(fold(name))
        if column is None:
            continue
        if column["name"] != name:
            details.append("%s: called %s in BigQuery" % (name, column["name"]))
        if name not in draft.private and fold(name) in proposed:
            mine, theirs = _reading(column), _reading(proposed[fold(name)])
            if mine != theirs:
                details.append("%s: stays %s, as its definition says; the database suggests %s"
                               % (name, inline(mine), inline(theirs)))
                continue
        what = chosen.choice.type
        if name not in draft.private:
            details += ["%s: %s; %s" % (name, what, remark) for remark in chosen.remarks]
        if chosen.unfit:
            details.append(
                '%s: %s; %s of %s values do not fit and stand in _bqsync_unfit ("on_reject": "column")'
                % (name, what, thousands(chosen.unfit), thousands(profile.values)))
        lossy = changed(chosen.choice, profile)
        if lossy:
            details.append("%s: %s; %s" % (name, what, (
                "%s of its %s reals have more digits than the 15 of SQLite's text, so they are sent as other "
                "numbers" % (thousands(lossy), thousands(profile.reals)) if what == "STRING" else
                "%s of its %s texts are sent as numbers, without the zeros and signs that they are spelled with"
                % (thousands(lossy), thousands(profile.texts)))))
        if profile.column.not_null and profile.nulls:
            details.append("%s: NULLABLE, because %s rows have NULL although it is declared NOT NULL"
                           % (name, thousands(profile.nulls)))
    details += ["%s: left out, because %s" % (name or '""', why) for name, why in left_out]
    details += _private_lines(draft, shown, _by_source(today) if today else {})
    return lines + ["  " + line for line in details]


def _by_source(document: Document) -> Dict[str, Document]:
    return {source_of(column): column for column in document["columns"]}


def _reading(column: Document) -> Document:
    """How the column is read, as a definition says it."""
    return {key: column[key] for key in READING if key in column}


def _private_lines(draft: Draft, shown: Dict[str, Document], today: Dict[str, Document]) -> List[str]:
    """What becomes of private columns. shown: the columns that the definition is to have, by source."""
    lines = []
    for name in draft.names:
        private = draft.private.get(name)
        if private is None:
            continue
        column = shown.get(fold(name))
        choice = draft.choice(name)
        if column is None:
            # One that could be hashed comes back so.
            back = {"name": name, "type": choice.type, **choice.members()}
            line = ('%s: left out, because %s; to send it, take it out of "ignore" and add %s'
                    % (name, private.why, inline(back)))
            lines.append(line + ("; so far its definition sends it" if fold(name) in today else ""))
        elif column.get("transform"):
            line = ('%s: hashed, because %s; to send it as it is, take out "transform": "%s"'
                    % (name, private.why, column["transform"]))
            plain = fold(name) in today and not today[fold(name)].get("transform")
            lines.append(line + ("; so far its definition sends it as it is" if plain else ""))
        elif private.left_out or choice.transform:
            wish = '"ignore"' if private.left_out else '"transform": "%s"' % choice.transform
            lines.append("%s: sent as it is, as its definition says, although %s; infer would add %s"
                         % (name, private.why, wish))
    return lines


def catalog_lines(catalog: Catalog, command: str, path: str) -> List[str]:
    """What was not asked for: views and virtual tables, and what was passed over."""
    lines = []
    for table in catalog.tables:
        if table.kind != "table":
            what = "a view" if table.kind == "view" else "a virtual table"
            lines.append("%s: %s, which is left out unless it is named: %s infer %s %s"
                         % (table.name, what, command, shlex.quote(path), shlex.quote(table.name)))
    return lines + ["%s: passed over, %s" % pair for pair in catalog.passed_over]


def say(lines: Sequence[str]) -> None:
    for line in lines:
        # A name that is no valid UTF-8 holds lone surrogates.
        shown = visible(line).encode("utf-8", "backslashreplace").decode("utf-8")
        print(shown, file=sys.stderr)
