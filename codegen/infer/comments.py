"""What the text of a CREATE TABLE says beyond SQLite's pragmas: comments, and CHECKs that allow only
0 and 1."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Dict, List, Tuple

from ..naming import fold

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z)) | (?P<string>'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | [^\W\d][\w$]*)
      | (?P<mark>[(),;]) | (?P<other>[^\s(),;'"`\[]+)""", re.VERBOSE | re.DOTALL)
_CONSTRAINTS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")
_CHECK_BIT = re.compile(
    r"""\bCHECK\s*\(\s*(?:"(?P<quoted>[^"]+)"|`(?P<ticked>[^`]+)`|\[(?P<bracketed>[^\]]+)\]|(?P<plain>\w+))
        \s+IN\s*\(\s*(?:0\s*,\s*1|1\s*,\s*0)\s*\)\s*\)""", re.IGNORECASE | re.VERBOSE)


@dataclass
class Remarks:
    """Of one table; columns by their names in lower case."""

    table: str = ""
    columns: Dict[str, str] = field(default_factory=dict)
    bits: Tuple[str, ...] = ()


@dataclass
class _Part:
    """A column or a constraint: what stands between two commas."""

    name: str = ""
    words: int = 0
    last_line: int = -1
    above: List[str] = field(default_factory=list)
    behind: List[str] = field(default_factory=list)


def read_remarks(sql: str) -> Remarks:
    remarks = Remarks(bits=tuple(
        fold(next(name for name in found.groups() if name)) for found in _CHECK_BIT.finditer(sql)))
    parts, table = _parts(sql)
    remarks.table = _joined(table)
    for part in parts:
        text = _joined(part.above + part.behind)
        if text and part.name:
            remarks.columns.setdefault(part.name, text)
    return remarks


def _parts(sql: str) -> Tuple[List[_Part], List[str]]:
    """The parts of the list in parentheses, and the comments of the table itself. A comment on the
    line on which a part ends is that part's, also behind its comma; any other is the next one's."""
    parts: List[_Part] = []
    table: List[str] = []
    waiting: List[str] = []
    current = _Part()
    depth, line, at, opened_line = 0, 0, 0, -1
    for token in _TOKEN.finditer(sql):
        line += sql.count("\n", at, token.start())
        at = token.start()
        text, kind = token.group(), token.lastgroup
        if kind == "comment":
            if depth == 0 or (line == opened_line and not parts and not current.words):
                table.append(text)
            elif current.words and line == current.last_line:
                current.behind.append(text)
            elif not current.words and parts and line == parts[-1].last_line:
                parts[-1].behind.append(text)
            else:
                waiting.append(text)
            continue
        end_line = line + text.count("\n")
        if text == "(":
            depth += 1
            if depth == 1:
                opened_line = line
                continue
        elif text == ")":
            depth -= 1
            if depth == 0:
                break
        elif text == "," and depth == 1:
            current.last_line = end_line
            parts.append(current)
            current = _Part()
            continue
        if depth == 0:
            continue
        if not current.words:
            current.above, waiting = waiting, []
            current.name = _column_name(text, kind or "")
        current.words += 1
        current.last_line = end_line
    if current.words:
        current.behind += waiting if current.name else []
        parts.append(current)
    return parts, table


def _column_name(text: str, kind: str) -> str:
    """In lower case; "" if a constraint begins here."""
    if kind == "string":
        return fold(text[1:-1].replace("''", "'"))
    if text[0] in '"`[':
        quote = text[-1]
        return fold(text[1:-1].replace(quote * 2, quote))
    return "" if text.upper() in _CONSTRAINTS else fold(text)


def _joined(comments: List[str]) -> str:
    lines: List[str] = []
    for comment in comments:
        body = comment[2:] if comment.startswith("--") else comment[2:].rsplit("*/", 1)[0]
        for line in body.split("\n"):
            line = " ".join(line.strip().strip("*").lstrip("-").split())
            if re.search(r"\w", line):
                lines.append(line)
    shown = "".join(char if char.isprintable() else " " for char in " ".join(lines))
    return " ".join(shown.split())
