"""Shapes that SQLite allows and that a reader of schemas meets seldom (SQLite documentation: "Datatypes", "STRICT
Tables", "Generated Columns", "WITHOUT ROWID", "FTS5"; Google Cloud documentation, "Specifying a schema", "Column
names").

Names with blanks, quotes, words of SQL and of C, a digit in front, prefixes that BigQuery reserves, names that become
one when they are made plain; STRICT, generated columns, WITHOUT ROWID, descending and mixed keys, FTS5 with its shadow
tables, comments in every place, values of several classes in one column, and 1,200 columns.
"""

from tests.databases.shape import Reading, hex_in_sqlite, naive

WIDE = 1200
DDL = """
CREATE TABLE "select" ("from" INTEGER PRIMARY KEY, "where" TEXT, "group by" TEXT);
CREATE TABLE "a table, with ""quotes"" and 'more'" ("id" INTEGER PRIMARY KEY, "a b" TEXT, "a-b" TEXT, "a_b" TEXT,
    "1st" INTEGER, "_TABLE_SUFFIX" TEXT, "_bqsync_x" TEXT, "ROW_TIMESTAMP" TEXT, "" TEXT, "int" INTEGER,
    "Straße" TEXT);
CREATE TABLE "É" (id INTEGER PRIMARY KEY, "Ü" TEXT, "ü" INTEGER);
CREATE TABLE "é" (id INTEGER PRIMARY KEY, "Ü" TEXT);
CREATE TABLE registry (id INTEGER PRIMARY KEY, struct TEXT, "default" TEXT, "while" INTEGER);
CREATE TABLE "time" (id INTEGER PRIMARY KEY, "time" TEXT, "string" TEXT, "stdio" TEXT);
CREATE TABLE strict_things (
  id INTEGER PRIMARY KEY, -- counts from one
  name TEXT NOT NULL,     -- what people call it, "quoted" and 'so'
  /* of the scale, in grams */
  weight REAL,
  data BLOB, anything ANY, flag INT
) STRICT;
CREATE TABLE generated (id INTEGER PRIMARY KEY, price REAL, quantity INTEGER,
    total REAL GENERATED ALWAYS AS (price * quantity) VIRTUAL, label TEXT AS (upper('no ' || id)) STORED);
CREATE TABLE pairs (b TEXT, a INTEGER, c, PRIMARY KEY (a DESC, b COLLATE NOCASE)) WITHOUT ROWID;
CREATE TABLE loose (id INTEGER PRIMARY KEY, n INTEGER, t TEXT, b BLOB, d DATE, mixed, nested JSON, huge BIGINT,
    yes BOOLEAN);
CREATE TABLE documents (id INTEGER PRIMARY KEY, title TEXT, body TEXT);
CREATE VIRTUAL TABLE documents_search USING fts5(title, body, content='documents', content_rowid='id');
CREATE TABLE flags (id INTEGER PRIMARY KEY, old BOOLEAN, word TEXT, zone TEXT, price TEXT);
CREATE VIEW latest AS SELECT id, title FROM documents ORDER BY id DESC LIMIT 5;
CREATE TABLE wide (id INTEGER PRIMARY KEY, %s);
""" % ", ".join(f"c{i} {'TEXT' if i % 3 else 'REAL'}" for i in range(1, WIDE))

READINGS = (
    Reading("strict_things.weight", "FLOAT64"),
    Reading("strict_things.data", "BYTES", sql=hex_in_sqlite("data")),
    Reading("strict_things.anything", "STRING", sql="cast(anything as text)"),
    Reading("generated.total", "FLOAT64"),
    Reading("generated.label", "STRING", sql="label"),
    Reading("loose.mixed", "STRING", sql="cast(mixed as text)"),
    Reading("loose.huge", "INT64", sql="huge"),
    Reading("flags.old", "BOOL", {"bool": "words"}, "old = 't'"),
    Reading("flags.word", "BOOL|STRING"),
    Reading("flags.zone", "TIMESTAMP", {"format": "iso8601"},
        "strftime('%Y-%m-%d %H:%M:%f', replace(zone, ' +', '+'))"),
    Reading("flags.price", "STRING", sql="price"),
)
KEYS = {"select": ["from"], "pairs": ["a", "b"], "strict_things": ["id"]}


def fill(db, make):
    make.rows(db, "select", [(i, make.word(), make.word()) for i in range(1, 31)])
    make.rows(db, "a table, with \"quotes\" and 'more'", [
        (i, make.word(), make.word(), make.word(), i, make.word(), make.word(), make.word(), make.word(), i % 5,
         make.word()) for i in range(1, 31)])
    make.rows(db, "É", [(i, make.word(), i) for i in range(1, 11)])
    make.rows(db, "é", [(i, make.word()) for i in range(1, 11)])
    make.rows(db, "registry", [(i, make.word(), None, i) for i in range(1, 11)])
    make.rows(db, "time", [(i, f"{i % 24:02}:15", make.word(), make.word()) for i in range(1, 31)])
    make.rows(db, "strict_things", [
        (i, make.word(), make.random.random(), make.maybe(make.bytes(5)), make.random.choice((1, 2.5, "x", None)), i)
         for i in range(1, 61)])
    db.executemany("INSERT INTO generated(id, price, quantity) VALUES (?, ?, ?)",
        [(i, make.random.choice((1.5, 2.25)), i) for i in range(1, 41)])
    make.rows(db, "pairs", [(make.word() + str(i), i % 7, make.maybe(i)) for i in range(60)])
    make.rows(db, "loose", [
        (i, i if i % 4 else f"{i}", make.word(), make.maybe(make.bytes(4) + b"\xff"), f"2024-01-{i % 28 + 1:02}",
         make.random.choice((i, 1.25, "text", "")), make.random.choice(('{"a":1}', "[]", "null")),
             make.random.choice((2**63 - 1, -(2**63), 0)),
         make.random.choice(("true", "FALSE", 1, 0))) for i in range(1, 101)])
    make.rows(db, "documents", [(i, make.text(2), make.text(20)) for i in range(1, 61)])
    db.execute("INSERT INTO documents_search(documents_search) VALUES ('rebuild')")
    make.rows(db, "flags", [
        (i, "tf"[i % 2], ("yes", "No", "on")[i % 3], naive(make.moment(i), 3) + (" +02:00", "Z", "-05:30")[i % 3],
         ("€ 1.50", "12,99", "1 000")[i % 3]) for i in range(1, 61)])
    make.rows(db, "wide", [(i, *(make.word() if c % 3 else c / 2 for c in range(1, WIDE))) for i in range(1, 6)])
