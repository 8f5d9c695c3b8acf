"""Tables without a key, as imports of CSV files, logs and joins leave them (12 % of tables in public files).

Rows that occur several times, rows of NULLs, a unique index over columns that hold NULL, one over columns that may but
do not, one that is partial, one over an expression, a table of one column, an empty table, and columns without a type.
"""

from tests.databases.shape import Reading, naive, text_in_sqlite

DDL = """
CREATE TABLE measurements (station TEXT, at TEXT, value REAL, unit);
CREATE TABLE log (line);
CREATE TABLE users_roles (user_id INTEGER, role_id INTEGER, granted_at DATETIME);
CREATE TABLE aliases (name TEXT NOT NULL, kind TEXT NOT NULL, target TEXT);
CREATE UNIQUE INDEX aliases_kind_name ON aliases (kind, name);
CREATE TABLE codes (code TEXT UNIQUE, label TEXT);
CREATE TABLE drafts (slug TEXT NOT NULL, body TEXT, live INTEGER NOT NULL);
CREATE UNIQUE INDEX drafts_live ON drafts (slug) WHERE live = 1;
CREATE TABLE tags (tag TEXT NOT NULL);
CREATE UNIQUE INDEX tags_lower ON tags (lower(tag));
CREATE TABLE "nothing" (a INTEGER, b TEXT);
CREATE TABLE imported ("Order Date" TEXT, "Amount" TEXT, "Qty" TEXT, "Zip" TEXT);
"""

READINGS = (
    Reading("measurements.at", "TIMESTAMP", sql=text_in_sqlite("at")),
    Reading("measurements.value", "FLOAT64"),
    Reading("imported.Amount", "STRING", sql="Amount"),
    Reading("imported.Zip", "STRING", sql="Zip"),
    Reading("users_roles.granted_at", "TIMESTAMP", sql=text_in_sqlite("granted_at")),
)
KEYS = {"measurements": [], "log": [], "users_roles": [], "aliases": ["kind", "name"], "drafts": [], "tags": [],
    "nothing": [], "imported": []}


def fill(db, make):
    at = lambda step: naive(make.moment(step), 0)
    rows = [(make.word(), at(i), make.random.choice((1.5, -0.25, 1e300, 0.1)), make.random.choice(("kWh", 7, None)))
        for i in range(100)]
    make.rows(db, "measurements", rows + rows[:30] + rows[:5])
    make.rows(db, "log", [(make.random.choice(("started", "stopped", 1, 2.5, None)),) for _ in range(80)])
    make.rows(db, "users_roles", [(u % 20, u % 3, at(u % 25)) for u in range(90)] + [(None, None, None)] * 3)
    make.rows(db, "aliases", [(f"{make.word()}{i}", make.random.choice("ab"), make.maybe(make.word()))
        for i in range(60)])
    make.rows(db, "codes", [(make.maybe(f"C{i}"), make.word()) for i in range(60)])
    make.rows(db, "drafts", [(f"slug{i // 3}", make.text(), i % 3 == 0) for i in range(60)])
    make.rows(db, "tags", [(f"{make.word().title()} {i}",) for i in range(30)])
    make.rows(db, "imported", [
        (f"{i % 12 + 1}/{i % 28 + 1}/2024", make.random.choice(("1,234.50", "$12.00", "7,5", "99")), str(i),
         f"0{1000 + i}") for i in range(80)])
