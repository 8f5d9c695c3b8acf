"""For each document of JSON5 on stdin, one a line: SQLite's binary JSON of it in hex, and SQLite's text of that."""

import sys

import apsw

db = apsw.Connection(":memory:")
for line in sys.stdin:
    blob, text = db.execute("select hex(jsonb(?1)), json(jsonb(?1))", (line.rstrip("\n"),)).fetchone()
    print(blob, text, sep="\t")
