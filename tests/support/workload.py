"""Random statements of an application on the tables of tests/schemas.

All randomness comes from one random.Random, so that a seed repeats a run; only what depends on time (a concurrent
writer, a kill after some milliseconds) differs.
"""

import random
import sqlite3

from tests.support.mirror import quote

BAD_TEXT = b"\xff\xfe"  # not UTF-8; a cast makes it TEXT
BUSY_SECONDS = 30


class Bad:
    """A TEXT value that is not UTF-8."""


def number(rng):
    return rng.choice([0, 1, -1, 7, 2**31, -2**63, 2**63 - 1, rng.randrange(-10**6, 10**6)])


def text(rng):
    return rng.choice(["", "a", "Zoë", "日本", "x\ty\n", "'quoted\"", "💥", "null", "0", "%s",
                       "w" * rng.randrange(300), str(rng.randrange(10**6))])


def json_text(rng):
    return rng.choice(['{"b": 1, "a": [1, 2.5, null]}', "[]", "null", '"t"', "17", '{"k":"ü"}', None])


def moment(rng):
    return rng.choice(["2024-02-29 12:30:00", "1970-01-01T00:00:00Z", "2021-06-01 01:02:03.000004+05:30",
                       "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", None])


# Per column: values that fit, and values that do not.
def valid(table, column, rng):
    kinds = {
        ("events", "kind"): text, ("events", "payload"): json_text,
        ("events", "at"): lambda r: r.choice([None, 0, 1, 1700000000000 + r.randrange(10**9)]),
        ("accounts", "email"): lambda r: f"{text(r)[:20]}{r.randrange(60)}@x",
        ("accounts", "balance"): lambda r: r.choice([None, 0, 1.5, -3, "12.25", r.randrange(10**6) / 4]),
        ("accounts", "note"): lambda r: r.choice([None, text(r)]),
        ("settings", "name"): lambda r: r.choice("abcdefgh") + text(r)[:3],
        ("settings", "value"): lambda r: r.choice([None, text(r)]),
        ("memberships", "team"): lambda r: r.choice(["core", "Core", "ops", "é", ""]),
        ("memberships", "person"): lambda r: r.choice(["ann", "bob", "eve", "zed", text(r)[:8]]),
        ("memberships", "role"): lambda r: r.choice([None, "lead", text(r)]),
        ("memberships", "since"): lambda r: r.choice([None, "2020-02-29", "0001-01-01", "9999-12-31"]),
        ("devices", "serial"): lambda r: f"s-{r.randrange(25)}{text(r)[:2]}",
        ("devices", "online"): lambda r: r.choice([None, 0, 1, "true", "FALSE"]),
        ("devices", "reading"): lambda r: r.choice([None, 0.0, -1.5, 1e300, 3, "2.5"]),
        ("people", "email"): lambda r: r.choice([None, text(r)]),
        ("people", "name"): lambda r: r.choice([None, text(r)]),
        ("people", "phone"): lambda r: r.choice([None, text(r)]),
        ("people", "deleted"): lambda r: r.choice([0, 0, 0, 1]),
        ("everything", "i"): lambda r: r.choice([None, number(r), "42", 3.0]),
        ("everything", "f"): lambda r: r.choice([None, 1.5, -0.0, 2**53, "1e5"]),
        ("everything", "b"): lambda r: r.choice([None, 0, 1, "true"]),
        ("everything", "s"): lambda r: r.choice([None, text(r)]),
        ("everything", "y"): lambda r: r.choice([None, b"", b"\x00\xff", text(r)]),
        ("everything", "n"): lambda r: r.choice([None, 1, "0.000000001", -12.5]),
        ("everything", "bn"): lambda r: r.choice([None, "1e38", "0.00000000000000000000000000000000000001", 5]),
        ("everything", "d"): lambda r: r.choice([None, "1969-12-31", "2024-02-29"]),
        ("everything", "t"): lambda r: r.choice([None, "23:59:59.999999", "00:00:00"]),
        ("everything", "dt"): lambda r: r.choice([None, "1970-01-01T00:01", "2024-02-29 01:02:03"]),
        ("everything", "ts"): moment, ("everything", "j"): json_text,
        ("everything", "g"): lambda r: r.choice([None, f"POINT({r.randrange(180)} {r.randrange(90)})", "polygon empty"]),
    }
    return kinds[table, column](rng)


MISFITS = {
    ("events", "payload"): ["{", "nul"], ("events", "at"): ["soon", 1.5], ("events", "kind"): [b"\x01", Bad],
    ("accounts", "email"): [Bad], ("accounts", "balance"): ["much", b"1"], ("accounts", "note"): [b"x", Bad],
    ("settings", "value"): [b"v", Bad], ("memberships", "since"): ["yesterday", "2021-02-29"],
    ("memberships", "role"): [b"r", Bad], ("devices", "online"): [7, "perhaps"],
    ("devices", "reading"): ["warm", b"1"], ("people", "email"): [b"e", Bad], ("people", "name"): [Bad],
    ("people", "phone"): [Bad],
    ("everything", "i"): ["abc", 1.5], ("everything", "f"): ["abc", 2**53 + 1], ("everything", "b"): [2, "t"],
    ("everything", "s"): [b"s", Bad], ("everything", "n"): ["0.0000000001"], ("everything", "bn"): ["1e39"],
    ("everything", "d"): ["2021-13-01"], ("everything", "t"): ["24:00:00"], ("everything", "dt"): ["later"],
    ("everything", "ts"): [1], ("everything", "j"): ["{"], ("everything", "g"): ["here", 12.97],
}

COLUMNS = {
    "events": ["kind", "payload", "at"], "accounts": ["email", "balance", "note"],
    "settings": ["name", "value"], "memberships": ["team", "person", "role", "since"],
    "devices": ["serial", "online", "reading"], "people": ["email", "name", "phone", "deleted"],
    "everything": ["i", "f", "b", "s", "y", "n", "bn", "d", "t", "dt", "ts", "j", "g"],
}
KEYS = {"settings": ["name"], "memberships": ["team", "person"], "devices": ["serial"]}
TEXT_KEYS = {("settings", "name"), ("devices", "serial"), ("memberships", "person"), ("memberships", "team")}


def key_of(table):
    return KEYS.get(table, ["id"])


class Application:
    """Random statements of an application, each committed by itself unless a transaction is open."""

    def __init__(self, db, rng, tables, log):
        self.db = db
        self.rng = rng
        self.tables = tables
        self.log = log

    def run(self, sql, values=()):
        """One statement. A constraint may refuse it, as happens to any application."""
        parts = sql.split("?")
        shown, bound = parts[0], []
        for value, part in zip(values, parts[1:]):
            if value is Bad:
                shown += "cast(? as text)" + part
                bound.append(BAD_TEXT)
            else:
                shown += "?" + part
                bound.append(value)
        self.log.append(f"{shown} {bound!r}" if bound else shown)
        try:
            self.db.execute(shown, bound)
        except sqlite3.IntegrityError as problem:
            self.log.append(f"  refused: {problem}")

    def some_key(self, table):
        """The key of an existing row, or None."""
        names = ", ".join(map(quote, key_of(table)))
        self.db.text_factory = bytes
        rows = self.db.execute(f"select {names} from {table} order by {names}").fetchall()
        self.db.text_factory = str
        if not rows:
            return None
        # Python cannot bind a text that is not UTF-8; only DELETE without WHERE deletes rows with such keys.
        key = self.rng.choice(rows)
        try:
            return [value.decode() if isinstance(value, bytes) else value for value in key]
        except UnicodeDecodeError:
            return None

    def value(self, table, column):
        misfits = MISFITS.get((table, column))
        if misfits and self.rng.random() < 0.02:
            return self.rng.choice(misfits)
        return valid(table, column, self.rng)

    def insert(self, table, verb="insert", suffix=""):
        rng = self.rng
        columns = list(COLUMNS[table])
        values = [self.value(table, column) for column in columns]
        if table not in KEYS and rng.random() < 0.35:
            columns.append("id")
            values.append(rng.choice([rng.randrange(1, 40), rng.randrange(1, 40), rng.randrange(1, 200),
                                      rng.randrange(-5, 1)]))
        marks = ", ".join("?" * len(columns))
        self.run(f"{verb} into {table}({', '.join(columns)}) values ({marks}){suffix}", values)

    def replace(self, table):
        self.insert(table, self.rng.choice(["insert or replace", "replace", "insert or ignore"]))

    def upsert(self, table):
        key = ", ".join(key_of(table))
        column = self.rng.choice([c for c in COLUMNS[table] if c not in key_of(table)])
        action = self.rng.choice(["do nothing", f"do update set {column} = excluded.{column}"])
        self.insert(table, suffix=f" on conflict({key}) {action}")

    def update(self, table, verb="update"):
        key = self.some_key(table)
        if key is None:
            return self.insert(table)
        column = self.rng.choice([c for c in COLUMNS[table] if c not in key_of(table)])
        where = " and ".join(f"{name} is ?" for name in key_of(table))
        self.run(f"{verb} {table} set {column} = ? where {where}", [self.value(table, column), *key])

    def update_or_replace(self, table):
        self.update(table, "update or replace")

    def update_all(self, table):
        column = self.rng.choice([c for c in COLUMNS[table] if c not in key_of(table)])
        if (table, column) == ("accounts", "email"):
            column = "note"
        self.run(f"update {table} set {column} = ?", [valid(table, column, self.rng)])

    def rekey(self, table):
        key = self.some_key(table)
        if key is None:
            return self.insert(table)
        name = self.rng.choice(key_of(table))
        new = valid(table, name, self.rng) if name != "id" else self.rng.randrange(-3, 300)
        verb = self.rng.choice(["update", "update or replace", "update or ignore"])
        where = " and ".join(f"{column} is ?" for column in key_of(table))
        self.run(f"{verb} {table} set {name} = ? where {where}", [new, *key])

    def shift_keys(self, table):
        if table in KEYS:
            return self.rekey(table)
        self.run(f"update {table} set id = -id - 1000 where id > 0")
        self.run(f"update {table} set id = -id - 1000 + {self.rng.randrange(3)} where id < -1000")

    def delete(self, table):
        key = self.some_key(table)
        if key is None:
            return self.insert(table)
        where = " and ".join(f"{name} is ?" for name in key_of(table))
        self.run(f"delete from {table} where {where}", key)

    def delete_some(self, table):
        self.run(f"delete from {table} where rowid % 3 = 0" if table != "memberships"
                 else "delete from memberships where person < 'c'")

    def delete_all(self, table):
        self.run(f"delete from {table}")

    def delete_and_insert(self, table):
        """The same key again, as another row."""
        key = self.some_key(table)
        if key is None or table in KEYS:
            return self.replace(table)
        self.run(f"delete from {table} where id = ?", key)
        columns = COLUMNS[table]
        values = [self.value(table, column) for column in columns]
        self.run(f"insert into {table}(id, {', '.join(columns)}) values (?, {', '.join('?' * len(columns))})",
                 [*key, *values])

    def misfit(self, table):
        places = [column for column in COLUMNS[table] if (table, column) in MISFITS]
        key = self.some_key(table)
        if key is None:
            return self.insert(table)
        column = self.rng.choice(places)
        where = " and ".join(f"{name} is ?" for name in key_of(table))
        self.run(f"update {table} set {column} = ? where {where}",
                 [self.rng.choice(MISFITS[table, column]), *key])

    def misfit_key(self, table):
        """A text key that is a blob or not UTF-8: such a row can never be synced."""
        if table not in KEYS:
            return self.misfit(table)
        key = self.some_key(table)
        name = key_of(table)[-1]
        if key is None or self.rng.random() < 0.5:
            columns = COLUMNS[table]
            values = [self.rng.choice([b"blob", Bad]) if column == name else valid(table, column, self.rng)
                      for column in columns]
            return self.run(
                f"insert or ignore into {table}({', '.join(columns)}) values ({', '.join('?' * len(columns))})",
                values)
        where = " and ".join(f"{column} is ?" for column in key_of(table))
        self.run(f"update or ignore {table} set {name} = ? where {where}",
                 [self.rng.choice([b"blob", Bad]), *key])

    def many(self, table):
        for _ in range(self.rng.randrange(5, 15)):
            self.insert(table)

    def transaction(self, table):
        self.log.append("begin")
        self.db.execute("begin immediate")
        for _ in range(self.rng.randrange(1, 4)):
            self.act(nested=True)
        if self.rng.random() < 0.3:
            self.log.append("savepoint")
            self.db.execute("savepoint s")
            self.act(nested=True)
            self.db.execute("rollback to s")
            self.log.append("rollback to savepoint")
        end = self.rng.choice(["commit", "commit", "rollback"])
        self.log.append(end)
        self.db.execute(end)

    def vacuum(self, table):
        self.run("vacuum")

    EVERYDAY = [("insert", 16), ("many", 4), ("update", 14), ("replace", 8), ("upsert", 6),
                ("update_or_replace", 4), ("rekey", 7), ("delete", 9), ("delete_some", 3), ("delete_all", 1),
                ("delete_and_insert", 4), ("update_all", 2), ("shift_keys", 1), ("misfit", 2), ("misfit_key", 0.5)]
    APART = [("transaction", 5), ("vacuum", 1)]

    def act(self, nested=False):
        choices = self.EVERYDAY + ([] if nested else self.APART)
        names, weights = zip(*choices)
        getattr(self, self.rng.choices(names, weights)[0])(self.rng.choice(self.tables))

    def fix_values(self):
        """Makes every value fit again, so that rejects end."""
        for table in self.tables:
            for column in COLUMNS[table]:
                if (table, column) in TEXT_KEYS or (table, column) == ("accounts", "email"):
                    self.run(f"delete from {table} where typeof({column}) = 'blob' or"
                             f" instr(cast({column} as blob), ?) > 0", [BAD_TEXT])
                elif (table, column) in MISFITS:
                    for bad in MISFITS[table, column]:
                        self.run(f"update {table} set {column} = ? where {column} is ?",
                                 [valid(table, column, self.rng), bad])


def write_meanwhile(path, seed, tables, statements):
    """Writes from a second process while a sync runs; the exit status says whether a write failed."""
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
    app = Application(db, random.Random(seed), tables, [])
    try:
        for _ in range(statements):
            app.act()
    finally:
        db.close()
