"""A chat_history of the sample database with as many rows as a benchmark wants."""

from __future__ import annotations

import pathlib
import sqlite3

from tests.support import sampledb
from tests.support.sampledb_tables import TABLES

MADE_ROWS = 60_000


def make(path: pathlib.Path, rows: int) -> None:
    """Exactly so many messages. Beyond MADE_ROWS they repeat, far beyond what deflate remembers (32 KiB)."""
    sampledb.make(str(path), rows=MADE_ROWS)
    columns = ", ".join(column.name for table in TABLES if table.name == "chat_history"
                        for column in table.columns if column.name != "id")
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma synchronous = off")
    (there,) = db.execute("select count(*) from chat_history").fetchone()
    while there < rows:
        db.execute(f"insert into chat_history({columns}) select {columns} from chat_history order by id limit ?",
                   (rows - there,))
        there += min(there, rows - there)
    db.execute("delete from chat_history where id > (select id from chat_history order by id limit 1 offset ?)",
               (rows - 1,))
    db.execute("pragma wal_checkpoint(truncate)")
    db.close()
