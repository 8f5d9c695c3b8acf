"""Makes the sample database of the demo and the tests, or changes one as an application would.

    python3 -m tests.support.sampledb PATH [--rows N] [--seed S] [--variant fresh|migrated]
    python3 -m tests.support.sampledb PATH --change [--seed S]

The same arguments give the same content. Making prints the rows of each table as JSON, changing prints what
was done.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import sys

from tests.support import sampledb_change, sampledb_rows
from tests.support.sampledb_tables import TABLES, Column, Table

VARIANTS = ("fresh", "migrated")
# The least a table gets, so that the small ones are not empty beside a thousand times larger neighbour.
LEAST_ROWS = 6


def column_sql(column: Column, variant: str) -> str:
    if column.name == "id":
        return "id INTEGER PRIMARY KEY AUTOINCREMENT"
    default = column.default if variant == "fresh" else column.default_migrated
    parts = [column.name, column.type]
    if column.not_null:
        parts.append("NOT NULL")
    if default is not None:
        parts.append(f"DEFAULT {default}")
    return " ".join(parts)


def table_sql(table: Table, variant: str) -> str:
    lines = [column_sql(column, variant) for column in table.ordered(variant)]
    lines += [f"UNIQUE ({', '.join(columns)})" for columns in table.unique]
    lines += [
        f"FOREIGN KEY ({column.name}) REFERENCES {column.references} (id) ON DELETE CASCADE"
        for column in table.columns
        if column.references
    ]
    body = ",\n    ".join(lines)
    return f"CREATE TABLE {table.name} (\n    {body}\n)"


def index_sql(table: Table) -> list[str]:
    return [
        f"CREATE INDEX idx_{table.name}_{'_'.join(columns)} ON {table.name} ({', '.join(columns)})"
        for columns in table.indexes
    ]


def trigger_sql(table: Table) -> list[str]:
    """The triggers of a migrated database: they stamp rows in a second statement behind the application's."""
    statements = []
    for stamp in table.stamps:
        event, column = stamp.split()
        only = f"WHEN NEW.{column} IS NULL " if event == "insert" else ""
        statements.append(
            f"CREATE TRIGGER stamp_{table.name}_{column}_{event} AFTER {event.upper()} ON {table.name} "
            f"FOR EACH ROW {only}BEGIN "
            f"UPDATE {table.name} SET {column} = CURRENT_TIMESTAMP WHERE id = NEW.id; END"
        )
    return statements


def share_rows(rows: int) -> dict[str, int]:
    """How many rows each table gets; chat_history, by far the largest, takes what the others leave."""
    total = sum(table.weight for table in TABLES)
    counts = {table.name: max(LEAST_ROWS, table.weight * rows // total) for table in TABLES}
    others = sum(counts.values()) - counts["chat_history"]
    counts["chat_history"] = max(LEAST_ROWS, rows - others)
    return counts


def insert_rows(connection: sqlite3.Connection, source: sampledb_rows.Source, rows: int) -> dict[str, int]:
    counts = share_rows(rows)
    tables = {table.name: table for table in TABLES}
    made = {}
    for generate in sampledb_rows.GENERATORS:
        name = generate.__name__
        names = [column.name for column in tables[name].columns]
        marks = ", ".join("?" * len(names))
        statement = f"INSERT INTO {name} ({', '.join(names)}) VALUES ({marks})"
        cursor = connection.executemany(statement, generate(source, counts[name]))
        made[name] = cursor.rowcount
    return made


def make(path: str, rows: int = 50_000, seed: int = 1, variant: str = "fresh") -> dict[str, int]:
    """Makes the database at path, replacing what is there; returns the rows of each table."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        if os.path.exists(path + suffix):
            os.remove(path + suffix)
    rng = random.Random(seed)
    source = sampledb_rows.Source(rng, sampledb_rows.make_pools(rng))
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        # Nothing is lost if the machine stops here: the file is made anew.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("BEGIN")
        for table in TABLES:
            connection.execute(table_sql(table, variant))
        made = insert_rows(connection, source, rows)
        for table in TABLES:
            for statement in index_sql(table):
                connection.execute(statement)
            if variant == "migrated":
                for statement in trigger_sql(table):
                    connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    return made


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="sampledb", description="Makes or changes the sample database.")
    parser.add_argument("path", metavar="PATH")
    parser.add_argument("--rows", type=int, default=50_000, help="rows in all tables together (default 50000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same content")
    parser.add_argument("--variant", choices=VARIANTS, default="fresh", help="physical form of the tables")
    parser.add_argument("--change", action="store_true", help="change the database instead of making it")
    options = parser.parse_args(arguments)
    if options.change:
        if not os.path.exists(options.path):
            parser.error(f"{options.path} does not exist")
        result: object = sampledb_change.change(options.path, options.seed)
    else:
        result = make(options.path, options.rows, options.seed, options.variant)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
