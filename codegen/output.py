"""Texts -> files: writes what differs, removes what is stale, or only compares.

A file is ours if its first line is our banner; a .schema.json, which cannot carry one, is ours if
another file of its table is. Nothing else in the directory is touched.
"""

from __future__ import annotations

import difflib
import errno
import os
from typing import Dict, List, Optional, Sequence

from . import emit_c, emit_history, emit_registry, emit_schema, emit_sql
from .layout import MARK, sql_banner
from .model import Table

_JSON = ".schema.json"


def render(tables: Sequence[Table]) -> Dict[str, str]:
    """File name -> text of all generated files."""
    files = {"registry.h": emit_registry.header(), "registry.c": emit_registry.source(tables)}
    for table in tables:
        banner = sql_banner(table.stem, table.shape_hash)
        files[table.stem + ".h"] = emit_c.header(table)
        files[table.stem + ".c"] = emit_c.source(table)
        files[table.stem + _JSON] = emit_schema.schema_json(table) + "\n"
        files[table.stem + ".ddl.sql"] = banner + emit_sql.ddl_file(table)
        files[table.stem + ".merge.sql"] = banner + emit_sql.merge_file(table)
        files[table.stem + ".capture.sql"] = banner + emit_sql.capture_file(table)
        if table.history is not None:
            files[table.stem + ".history.sql"] = banner + emit_history.history_file(table)
    return files


def write(directory: str, files: Dict[str, str]) -> None:
    """Makes the directory hold exactly these generated files. A file whose text is the same keeps
    its time stamp, so that nothing is compiled again for it. A file that somebody else has made is
    left alone, and then nothing is written. Raises OSError."""
    os.makedirs(directory, exist_ok=True)
    foreign = _foreign(directory, files)
    if foreign:
        raise FileExistsError(
            errno.EEXIST, "was not generated and is left alone: move it, or choose another --output",
            ", ".join(os.path.join(directory, name) for name in foreign))
    stale = _stale(directory, files)
    write_files(directory, files)
    for name in stale:
        os.remove(os.path.join(directory, name))


def write_files(directory: str, files: Dict[str, str]) -> None:
    """Writes those of the files whose text differs, and leaves all others in the directory alone.
    Raises OSError."""
    os.makedirs(directory, exist_ok=True)
    for name in sorted(files):
        path = os.path.join(directory, name)
        if read_file(path) != files[name]:
            replace_file(path, files[name])


def differences(directory: str, files: Dict[str, str]) -> List[str]:
    """A unified diff from what the directory holds to what it should; empty if they agree."""
    lines: List[str] = []
    for name in sorted(set(files) | set(_stale(directory, files))):
        path = os.path.join(directory, name)
        found = read_file(path)
        wanted = files.get(name)
        if found != wanted:
            lines += difflib.unified_diff(
                (found or "").splitlines(keepends=True), (wanted or "").splitlines(keepends=True),
                path if found is not None else "/dev/null",
                path if wanted is not None else "/dev/null")
    return lines


def _stale(directory: str, files: Dict[str, str]) -> List[str]:
    """Generated files of tables that are no longer defined."""
    if not os.path.isdir(directory):
        return []
    names = sorted(os.listdir(directory))
    ours = {name for name in names if _is_ours(directory, name)}
    return sorted(ours - set(files))


def _foreign(directory: str, files: Dict[str, str]) -> List[str]:
    """Files of another origin in the places of generated ones. An empty file may be overwritten."""
    return [
        name for name in sorted(files)
        if read_file(os.path.join(directory, name)) not in (None, "", files[name])
        and not _is_ours(directory, name)]


def _is_ours(directory: str, name: str) -> bool:
    if name.endswith(_JSON):
        stem = name[: -len(_JSON)]
        return any(_is_ours(directory, stem + suffix) for suffix in (".ddl.sql", ".merge.sql", ".c", ".h"))
    return MARK in _first_line(os.path.join(directory, name))


def _first_line(path: str) -> str:
    if not path.endswith((".c", ".h", ".sql")) or not os.path.isfile(path):
        return ""
    with open(path, "r", encoding="utf-8", errors="replace") as file:
        return file.readline()


def read_file(path: str) -> Optional[str]:
    try:
        with open(path, "r", encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def replace_file(path: str, text: str) -> None:
    # Under another name first, so that an interrupted run never leaves half a file.
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    os.replace(temporary, path)
