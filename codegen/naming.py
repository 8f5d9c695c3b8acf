"""The only place where an identifier or a literal is made, escaped or quoted: C, SQLite, GoogleSQL.

Nothing here knows what a table is; callers pass names and texts.
"""

from __future__ import annotations

import re
import string
import unicodedata
from typing import Dict, Iterable, List, Tuple

_C_WORDS = frozenset(
    """auto break case char const continue default do double else enum extern float for goto if
    inline int long register restrict return short signed sizeof static struct switch typedef union
    unsigned void volatile while alignas alignof bool constexpr false nullptr static_assert
    thread_local true typeof typeof_unqual asm fortran noreturn NULL EOF errno environ stdin stdout
    stderr assert offsetof unix linux i386 size_t ssize_t ptrdiff_t int8_t int16_t int32_t int64_t
    uint8_t uint16_t uint32_t uint64_t intptr_t uintptr_t intmax_t uintmax_t wchar_t va_list
    va_start va_end va_arg va_copy MUST_CHECK PRINTF_LIKE TABLE_DESCRIPTOR_VERSION
    COLUMN_PROBLEMS_MAX sqlite3_int64 sqlite_int64 sqlite3_uint64 sqlite_uint64""".split())
_C_RESERVED = re.compile(
    r"__|_[A-Z]|SQLITE_|BQSYNC_"
    r"|(U?INT|SIZE|PTRDIFF|WCHAR|WINT|SIG_ATOMIC)[A-Z0-9_]*_(MAX|MIN|C)$")
_C_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_GOOGLESQL_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}

_INVISIBLE = ("Cc", "Cf", "Zl", "Zp")

_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def fold(name: str) -> str:
    """The name as names are compared. SQLite ignores case for ASCII letters only: "É" and "é" are
    different tables. That is enough for BigQuery too: its columns have ASCII names here, and its table
    names are case-sensitive."""
    return name.translate(_FOLD)


def is_c_identifier(name: str) -> bool:
    return PLAIN.fullmatch(name) is not None


def c_fields(names: Iterable[str]) -> Dict[str, str]:
    """A struct field for each column name (all plain identifiers): the name itself unless C keeps
    it for other uses, then with as many underscores behind it as make it free."""
    names = list(names)
    taken = set(names)
    fields: Dict[str, str] = {}
    for name in names:
        field = name
        while field in _C_WORDS or (field != name and field in taken) or (
                field == name and _C_RESERVED.match(name)):
            field += "_"
        taken.add(field)
        fields[name] = field
    return fields


def c_string(text: str) -> str:
    """A C string literal. Question marks in a row are escaped against trigraphs, and so is what a
    reader cannot see: compilers warn of text that turns its direction."""
    out: List[str] = []
    for char in text:
        if char in _C_ESCAPES:
            out.append(_C_ESCAPES[char])
        elif char == "?" and out and out[-1] in ("?", "\\?"):
            out.append("\\?")
        elif unicodedata.category(char) in _INVISIBLE:
            out += ["\\%03o" % byte for byte in char.encode("utf-8")]
        else:
            out.append(char)
    return '"%s"' % "".join(out)


def visible(message: str) -> str:
    """A message in which every character shows, on one line: it may quote what a file holds."""
    return "".join(
        "\\u%04x" % ord(char) if unicodedata.category(char) in _INVISIBLE else char
        for char in message)


def sqlite_name(name: str) -> str:
    return '"%s"' % name.replace('"', '""')


def sqlite_string(text: str) -> str:
    return "'%s'" % text.replace("'", "''")


def googlesql_name(name: str) -> str:
    """A quoted GoogleSQL identifier; inside backticks backslash escapes hold."""
    return "`%s`" % name.replace("\\", "\\\\").replace("`", "\\`")


def googlesql_string(text: str) -> str:
    """A GoogleSQL string literal. "${" never stands in one: placeholders are found by it."""
    out: List[str] = []
    for char in text:
        if char in _GOOGLESQL_ESCAPES:
            out.append(_GOOGLESQL_ESCAPES[char])
        elif ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 or char in "\u2028\u2029":
            out.append("\\u%04x" % ord(char))
        else:
            out.append(char)
    return '"%s"' % "".join(out).replace("${", "\\x24{")


def googlesql_path(table: str) -> str:
    """The path of a table of ours; project and dataset are filled in at run time."""
    return "`${project}`.`${dataset}`.%s" % googlesql_name(table)


GOOGLESQL_STAGING = "`${project}`.`${dataset}`.`${staging}`"


def history_names(target: str) -> Tuple[str, str, str]:
    """What keeps the history of a target: the log, the view and the table function."""
    return target + "_changes", target + "_history", target + "_at"


def dirty_table(table: str) -> str:
    """The quoted name of a table's dirty set."""
    return sqlite_name("bq_sync_dirty_" + table)


def capture_trigger(table: str, kind: str) -> str:
    """The kind comes first: no kind is the beginning of another, so two tables never share a name."""
    return sqlite_name("bq_sync_%s_%s" % (kind, table))


def is_bigquery_table_name(name: str) -> bool:
    """Letters, marks, digits, connectors, dashes and spaces of any script."""
    return bool(name) and all(
        unicodedata.category(char)[0] in "LMN" or unicodedata.category(char) in ("Pc", "Pd", "Zs")
        for char in name)
