"""Opens the database for reading and leaves nothing beside it: no -wal, no -shm, no lock.

A database in WAL mode is the difficult case. SQLite makes a -shm file even for a reader, and a
reader does not remove it. So a file without a -wal is read as one that does not change, and the
caller asks afterwards whether that was so; a -wal without its -shm, which only a crash or a copy
leaves, is read from a copy of both files.

Sources: SQLite documentation, "Write-Ahead Logging" (read-only databases), "Uniform Resource
Identifiers", "Database File Format" (bytes 18 and 19).
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
from typing import Iterator, Optional, Tuple
from urllib.parse import quote

_MAGIC = b"SQLite format 3\x00"
_TIMEOUT_S = 30
_COLLATE = re.compile(r"""\bcollate\s+(?:["'`\[]([^"'`\]]+)["'`\]]|(\w+))""", re.IGNORECASE)


class SourceError(Exception):
    """The database cannot be read; the message names it and says what to do."""


def _compare(one: str, other: str) -> int:
    return (one > other) - (one < other)


def _text(data: bytes) -> str:
    """A text that SQLite returns. Bytes that are no UTF-8 become lone surrogates."""
    return data.decode("utf-8", "surrogateescape")


class Source:
    """An open database. close() also removes what was copied."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._copy: Optional[str] = None
        self._assumed: Optional[Tuple[object, ...]] = None
        wal = _check_file(path)
        # Beside the file itself are its -wal and -shm, not beside a link to it.
        self._real = os.path.realpath(path)
        try:
            self.connection = self._open(self._real, wal)
            self.connection.execute("pragma query_only = 1")
            self._lend_collations()
            encoding = str(self.connection.execute("pragma encoding").fetchone()[0])
            self.utf16 = encoding if encoding.startswith("UTF-16") else ""
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise SourceError(_explain(path, str(error))) from None

    def _open(self, path: str, wal: bool) -> sqlite3.Connection:
        has_wal, has_shm = os.path.exists(path + "-wal"), os.path.exists(path + "-shm")
        if wal and (not has_wal or not has_shm and _size(path + "-wal") == 0):
            self._assumed = _state(path)
            return _connect(path, "immutable=1")
        if wal and not has_shm:
            self._copy = tempfile.mkdtemp(prefix="bqsync-infer-")
            copy = os.path.join(self._copy, "copy.db")
            shutil.copyfile(path, copy)
            shutil.copyfile(path + "-wal", copy + "-wal")
            return _connect(copy, "mode=ro")
        return _connect(path, "mode=ro")

    def _lend_collations(self) -> None:
        """Collations of the application, without which SQLite refuses to read their tables. Nothing
        here depends on an order, so comparing characters will do."""
        names = set()
        with self.lenient():
            for (sql,) in self.connection.execute("select coalesce(sql, '') from sqlite_master"):
                names |= {found.group(1) or found.group(2) for found in _COLLATE.finditer(sql)}
        for name in sorted(names):
            if name.upper() not in ("BINARY", "NOCASE", "RTRIM"):
                # Python may not take the name; then the tables that need it are passed over.
                with contextlib.suppress(sqlite3.Error, UnicodeError):
                    self.connection.create_collation(name, _compare)

    @contextlib.contextmanager
    def lenient(self) -> Iterator[None]:
        """Texts that are not valid UTF-8 are read as well, at a price."""
        before = self.connection.text_factory
        self.connection.text_factory = _text
        try:
            yield
        finally:
            self.connection.text_factory = before

    def has_changed(self) -> bool:
        """Whether the file was written while it was read as one that does not change."""
        return self._assumed is not None and self._assumed != _state(self._real)

    def close(self) -> None:
        connection = getattr(self, "connection", None)
        if connection is not None:
            connection.close()
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)
            self._copy = None


def _connect(path: str, mode: str) -> sqlite3.Connection:
    uri = "file:%s?%s" % (quote(os.fsencode(os.path.abspath(path))), mode)
    return sqlite3.connect(uri, uri=True, timeout=_TIMEOUT_S, isolation_level=None)


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def _state(path: str) -> Tuple[object, ...]:
    status = os.stat(path)
    return (status.st_ino, status.st_size, status.st_mtime_ns, _size(path + "-wal"))


def _check_file(path: str) -> bool:
    """Whether the file is in WAL mode. Raises SourceError if it is no database."""
    try:
        if os.path.isdir(path):
            raise SourceError("%s: is a directory; name an SQLite database" % path)
        with open(path, "rb") as file:
            header = file.read(100)
    except OSError as error:
        raise SourceError("%s: cannot be read: %s" % (path, error.strerror)) from None
    if header and not header.startswith(_MAGIC):
        raise SourceError(
            "%s: is not an SQLite database, or an encrypted one; decrypt it first, for example with "
            "the export of its application" % path)
    return len(header) > 19 and 2 in (header[18], header[19])


def _explain(path: str, message: str) -> str:
    if "locked" in message or "busy" in message:
        cure = "another program holds it locked; try again when it is done"
    elif "not a database" in message or "image is malformed" in message:
        cure = "it is damaged or encrypted"
    elif "unable to open" in message or "readonly" in message:
        cure = ("an interrupted transaction may have to be rolled back first: open it once with its "
                "application")
    elif "malformed" in message:
        cure = "its schema cannot be parsed by SQLite %s" % sqlite3.sqlite_version
    else:
        cure = "SQLite %s cannot read it" % sqlite3.sqlite_version
    return "%s: %s (SQLite: %s)" % (path, cure, message)
