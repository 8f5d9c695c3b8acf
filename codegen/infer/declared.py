"""What the declared type of a column promises. SQLite enforces little of it, so it only says which
reading is tried first.

Source: SQLite documentation, "Datatypes In SQLite", "Determination Of Column Affinity".
"""

from __future__ import annotations

import re

_BOOL = re.compile(r"BOOL|^BIT(\(1\))?$|^TINYINT\s*\(\s*1\s*\)")


def kind_of(declared: str) -> str:
    """bool, json, uuid, datetime, date, time, decimal, int, text, blob, float, or none."""
    upper = declared.upper().strip()
    base = upper.partition("(")[0].strip()
    if _BOOL.search(upper):
        return "bool"
    if "JSON" in base:
        return "json"
    if "UUID" in base or "GUID" in base or "UNIQUEIDENTIFIER" in base:
        return "uuid"
    if "DATETIME" in base or "TIMESTAMP" in base:
        return "datetime"
    if re.match(r"DATE\b", base):
        return "date"
    if re.match(r"TIME\b", base):
        return "time"
    if re.match(r"(DEC|DECIMAL|NUMERIC|NUMBER|MONEY|SMALLMONEY|CURRENCY)\b", base):
        return "decimal"
    if base in ("POINT", "MULTIPOINT"):
        return "none"
    for parts, kind in ((("INT", "SERIAL"), "int"), (("CHAR", "CLOB", "TEXT", "STRING", "ENUM"), "text"),
                        (("BLOB", "BINARY", "BYTEA"), "blob"), (("REAL", "FLOA", "DOUB"), "float")):
        if any(part in base for part in parts):
            return kind
    return "none"


def default_format(default: str) -> str:
    """The format of the times that a column's DEFAULT makes, "local" if they are local, "" if it makes
    none that are known."""
    text = re.sub(r"\s+", "", default.lower())
    if "localtime" in text:
        return "local"
    if re.search(r"unixepoch\(|strftime\('%s'", text):
        return "unix_ms" if "*1000" in text else "unix_s" if "*" not in text and "/" not in text else ""
    if re.search(r"current_timestamp|datetime\('now'|strftime\('%y-%m-%d", text):
        return "iso8601"
    return ""


def is_text(declared: str) -> bool:
    """Whether SQLite stores numbers in such a column as texts."""
    upper = declared.upper()
    return "INT" not in upper and any(part in upper for part in ("CHAR", "CLOB", "TEXT"))
