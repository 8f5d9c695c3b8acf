"""Tables in which less than one of a hundred values is of another kind, as a person with a SQL shell, an import or an old
version of a program leaves them: `n/a` among numbers, `soon` among times, a comma in a price, a blob among texts.

SQLite takes each of them (SQLite documentation, "Flexible Typing"). A row with one is sent, and what does not fit stands
in the column beside.
"""

from tests.databases.shape import Reading, naive, text_in_sqlite

DDL = """
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER, born DATE, seen_at DATETIME,
    balance DECIMAL(10,2), active BOOLEAN, score REAL, notes TEXT);
CREATE TABLE readings (sensor TEXT, at DATETIME, value REAL);
CREATE TABLE clean (id INTEGER PRIMARY KEY, age INTEGER NOT NULL);
"""

READINGS = (
    Reading("people.age", "INT64"),
    Reading("people.born", "DATE"),
    Reading("people.seen_at", "TIMESTAMP"),
    Reading("people.balance", "NUMERIC"),
    Reading("people.active", "BOOL"),
    Reading("people.score", "FLOAT64"),
    Reading("readings.at", "TIMESTAMP", sql=f"iif(at = 'later', NULL, {text_in_sqlite('at')})"),
    Reading("readings.value", "FLOAT64"),
    Reading("clean.age", "INT64", sql="age"),
)
KEYS = {"people": ["id"], "readings": []}
UNFIT = {"people": (5, "a text among numbers, days, times and booleans, and a price with a comma"),
         "readings": (2, "a text among times, and one among numbers")}


def fill(db, make):
    at = lambda step: naive(make.moment(step), 0)
    bad = {50: (2, "n/a"), 120: (3, "31.12.1980"), 121: (4, "soon"), 200: (5, "12,50"), 300: (6, "maybe")}
    rows = []
    for i in range(1, 401):
        row = [i, " ".join(make.person()), i % 90, f"19{50 + i % 50}-0{i % 9 + 1}-15", at(i),
               make.random.choice((12.5, 100, 0.01)), i % 2, make.random.random(), make.maybe(make.text())]
        if i in bad:
            place, value = bad[i]
            row[place] = value
        rows.append(tuple(row))
    make.rows(db, "people", rows)
    make.rows(db, "readings", [
        (make.word(), "later" if i == 77 else at(i), "error" if i == 150 else i / 4) for i in range(300)])
    make.rows(db, "clean", [(i, i % 90) for i in range(1, 101)])
