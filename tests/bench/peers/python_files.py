"""Python's standard library: chat_history of the database argv[1], fetched only, or as gzipped JSON lines in the
folder argv[2]."""

import gzip
import json
import sqlite3
import sys

cursor = sqlite3.connect(sys.argv[1]).execute("select * from chat_history")
if len(sys.argv) == 2:
    for _ in cursor:
        pass
else:
    names = [column[0] for column in cursor.description]
    with gzip.open(sys.argv[2] + "/rows.json.gz", "wb", compresslevel=6) as out:
        for row in cursor:
            out.write(json.dumps(dict(zip(names, row))).encode() + b"\n")
