"""Databases with random rows for any set of compiled-in tables, and random changes to them.

What a table looks like is asked of the program (`bqsync tables --json`); values are valid for their column's
type, in the forms an application stores them in, and deterministic for a seed.
"""

import datetime
import json
import random
import subprocess

AFFINITIES = {"INT64": "integer", "FLOAT64": "real", "BOOL": "integer", "STRING": "text", "JSON": "text"}
WORDS = ["", "a", "O'Hara", "tab\there", "line\nend", "back\\slash", "\"quoted\"", "größe", "多字节", "\U0001f600"]


def tables(program, environment):
    """[{"table", "target", "mode", "key", "columns": [{"name", "type", "mode"}]}] of a program."""
    ended = subprocess.run([program, "tables", "--json"], env=environment, capture_output=True, check=True)
    return json.loads(ended.stdout)["tables"]


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def create(table):
    """SQLite's CREATE TABLE for a table of a program."""
    columns = [f"{quote(column['name'])} {AFFINITIES.get(column['type'], 'blob')}"
               for column in table["columns"]]
    if [column["type"] for column in table["columns"] if column["name"] in table["key"]] == ["INT64"]:
        columns = [text + (" primary key" if column["name"] in table["key"] else "")
                   for text, column in zip(columns, table["columns"])]
    elif table["key"]:
        columns.append(f"primary key ({', '.join(map(quote, table['key']))})")
    return f"create table {quote(table['table'])} ({', '.join(columns)})"


def value(kind, rng):
    """A value that a column of this type holds exactly."""
    if kind == "INT64":
        return rng.choice([0, -1, 2**63 - 1, -2**63, rng.randrange(-10**6, 10**6)])
    if kind == "FLOAT64":
        return rng.choice([0.5, -1e300, 5e-324, 0.1, rng.uniform(-1000, 1000)])
    if kind == "BOOL":
        return rng.randrange(2)
    if kind == "STRING":
        return rng.choice(WORDS) + str(rng.randrange(100))
    if kind == "BYTES":
        return rng.randbytes(rng.randrange(6))
    if kind in ("NUMERIC", "BIGNUMERIC"):
        scale = 9 if kind == "NUMERIC" else 30
        return f"{rng.randrange(-10**12, 10**12)}.{rng.randrange(10**scale):0{scale}}"
    if kind == "JSON":
        return json.dumps(rng.choice([None, 1, "x", [1, 2.5], {"a": {"b": rng.choice(WORDS)}}]))
    if kind == "GEOGRAPHY":
        return f"POINT({rng.randrange(-179, 180)} {rng.randrange(-89, 90)})"
    moment = datetime.datetime(2000, 1, 1) + datetime.timedelta(
        days=rng.randrange(9000), microseconds=rng.randrange(86400 * 10**6))
    return {"DATE": moment.date().isoformat(), "TIME": moment.time().isoformat(),
            "DATETIME": moment.isoformat(" "), "TIMESTAMP": moment.isoformat() + "Z"}[kind]


def row(table, number, rng):
    """A row whose key is unique for the number."""
    out = []
    for column in table["columns"]:
        kind = column["type"]
        if column["name"] in table["key"]:
            out.append(number if kind == "INT64" else f"k{number}" if kind == "STRING" else value(kind, rng))
        elif column["mode"] != "REQUIRED" and rng.random() < 0.2:
            out.append(None)
        else:
            out.append(value(kind, rng))
    return out


def insert(db, table, numbers, rng):
    marks = ", ".join("?" * len(table["columns"]))
    for number in numbers:
        db.execute(f"insert into {quote(table['table'])} values ({marks})", row(table, number, rng))


def update(db, table, rng, share=0.3):
    """Gives some rows new values in all columns but those of the key."""
    columns = [column for column in table["columns"] if column["name"] not in table["key"]]
    key = ", ".join(map(quote, table["key"]))
    where = " and ".join(f"{quote(name)} is ?" for name in table["key"])
    for found in db.execute(f"select {key} from {quote(table['table'])} order by {key}").fetchall():
        if rng.random() < share and columns:
            db.execute(f"update {quote(table['table'])} set "
                       + ", ".join(f"{quote(column['name'])} = ?" for column in columns)
                       + f" where {where}", [value(column["type"], rng) for column in columns] + list(found))


def delete(db, table, rng, share=0.2):
    key = ", ".join(map(quote, table["key"]))
    where = " and ".join(f"{quote(name)} is ?" for name in table["key"])
    for found in db.execute(f"select {key} from {quote(table['table'])} order by {key}").fetchall():
        if rng.random() < share:
            db.execute(f"delete from {quote(table['table'])} where {where}", found)


def schema(listed):
    return ";\n".join(map(create, listed)) + ";"


def generator(seed):
    return random.Random(seed)
