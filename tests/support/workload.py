"""Random statements of an application on the tables of workload_tables.py.

All randomness comes from one random.Random, so that a seed repeats a run; only what depends on time (a concurrent
writer, a kill after some milliseconds) differs. With a twin, a database that bqsync never sees, each statement runs
there too and has to end in the same way.
"""

import random
import sqlite3

from tests.support.workload_tables import BAD, ORDERS, TABLES, TWINS, WIDE, Raw, base

BUSY_SECONDS = 30
ENCODINGS = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}
CONFLICT_CLAUSES = ["", "", "", " or replace", " or replace", " or ignore", " or fail", " or abort", " or rollback"]
# By each of these a statement may set an INTEGER PRIMARY KEY called id.
ROWID_NAMES = ("id", "rowid", "oid", "_rowid_")


class Noticed(Exception):
    """A statement of the application ended differently because of bqsync."""


def outcome(db, sql, values):
    """How a statement ended: (its error or None, its rows, changes(), whether a transaction is open)."""
    error, rows = None, []
    try:
        rows = db.execute(sql, values).fetchall()
    except sqlite3.Error as problem:
        error = f"{type(problem).__name__}: {problem}"
    return error, rows, db.execute("select changes()").fetchone()[0], db.in_transaction


def equip(db):
    """Gives a connection what is the application's own: a collation and a function, which bqsync does not have."""
    db.create_collation("localized", lambda one, other: (one.lower() > other.lower()) - (one.lower() < other.lower()))
    db.create_function("app_code", 0, lambda: "made", deterministic=True)
    return db


def encoding_of(db):
    return ENCODINGS[db.execute("pragma encoding").fetchone()[0]]


class Application:
    """Random statements of an application, each committed by itself unless a transaction is open."""

    def __init__(self, db, rng, tables, log, twin=None):
        self.db = db
        self.rng = rng
        self.tables = tables
        self.log = log
        self.twin = twin
        self.encoding = encoding_of(db)
        if set(tables) & set(ORDERS):
            self.run("pragma foreign_keys = on")

    def run(self, sql, values=()):
        """One statement. A constraint or a trigger may refuse it, as happens to any application."""
        parts = sql.split("?")
        shown, bound = parts[0], []
        for value, part in zip(values, parts[1:]):
            if isinstance(value, Raw):
                # A literal: in a database of UTF-16 the cast would read a bound blob as UTF-8.
                shown += f"cast(x'{value.stored(self.encoding).hex()}' as text){part}"
            else:
                shown += "?" + part
                bound.append(value)
        self.log.append(f"{shown} {bound!r}" if bound else shown)
        ended = outcome(self.db, shown, bound)
        if ended[0] is not None:
            self.log.append(f"  refused: {ended[0]}")
        wanted = outcome(self.twin, shown, bound) if self.twin is not None else ended
        if ended != wanted:
            raise Noticed(f"{shown} {bound!r} ended with {ended}, without bqsync with {wanted}")
        if self.twin is None and ended[0] is not None and not ended[0].startswith("IntegrityError"):
            raise Noticed(f"{shown} {bound!r} ended with {ended[0]}")

    def some_key(self, table):
        """The key of an existing row, or None."""
        names = TABLES[table].key
        columns = ", ".join(f"typeof({name}), cast({name} as blob),"
                            f" iif(typeof({name}) in ('integer', 'real'), {name}, 0)" for name in names)
        rows = self.db.execute(f"select {columns} from {base(table)} order by {', '.join(names)}").fetchall()
        if not rows:
            return None
        row = self.rng.choice(rows)
        return [self.stored(*row[place:place + 3]) for place in range(0, len(row), 3)]

    def stored(self, kind, data, number):
        """A value as SQLite stores it."""
        if kind != "text":
            return {"null": None, "blob": data}.get(kind, number)
        try:
            return data.decode(self.encoding)
        except UnicodeDecodeError:
            return Raw(data, encoded=True)

    def value(self, table, column):
        misfits = TABLES[table].misfits.get(column)
        if misfits and column not in TABLES[table].fixed and self.rng.random() < 0.02:
            return self.rng.choice(misfits)
        return TABLES[table].values[column](self.rng)

    def where(self, table):
        return " and ".join(f"{name} is ?" for name in TABLES[table].key)

    def plain_column(self, table):
        return self.rng.choice(TABLES[table].plain)

    # Statements

    def insert(self, table, verb="insert", suffix=""):
        rng, shape = self.rng, TABLES[table]
        columns = list(shape.values)
        if rng.random() < 0.15:
            columns = [name for name in columns if name in shape.key or rng.random() < 0.6] or columns
        values = [self.value(table, column) for column in columns]
        if shape.numbered and rng.random() < 0.35:
            columns.append("id")
            values.append(rng.choice([rng.randrange(1, 40), rng.randrange(1, 40), rng.randrange(1, 200),
                                      rng.randrange(-5, 1)]))
        elif not shape.numbered and "without rowid" not in shape.create and rng.random() < 0.1:
            columns.append("rowid")
            values.append(rng.randrange(1, 20))
        marks = ", ".join("?" * len(columns))
        self.run(f"{verb} into {base(table)}({', '.join(columns)}) values ({marks}){suffix}", values)

    def replace(self, table):
        self.insert(table, self.rng.choice(["insert or replace", "replace", "insert or ignore"]))

    def upsert(self, table):
        key = ", ".join(TABLES[table].key)
        column = self.plain_column(table)
        action = self.rng.choice(["do nothing", f"do update set {column} = excluded.{column}"])
        self.insert(table, suffix=f" on conflict({key}) {action}")

    def update(self, table, verb="update"):
        key = self.some_key(table)
        if key is None:
            return self.insert(table)
        column = self.plain_column(table)
        self.run(f"{verb} {base(table)} set {column} = ? where {self.where(table)}", [self.value(table, column), *key])

    def update_or_replace(self, table):
        self.update(table, "update or replace")

    def conflict(self, table):
        """A statement with any conflict clause, of one row or of all."""
        clause = self.rng.choice(CONFLICT_CLAUSES)
        if self.rng.random() < 0.5:
            return self.insert(table, "insert" + clause)
        if self.rng.random() < 0.7:
            return self.update(table, "update" + clause)
        column = self.plain_column(table)
        self.run(f"update{clause} {base(table)} set {column} = ?", [self.value(table, column)])

    def update_all(self, table):
        columns = [name for name in TABLES[table].plain if name not in TABLES[table].unique]
        column = self.rng.choice(columns)
        self.run(f"update {base(table)} set {column} = ?", [TABLES[table].values[column](self.rng)])

    def rekey(self, table):
        key = self.some_key(table)
        if key is None:
            return self.insert(table)
        name = self.rng.choice(TABLES[table].key)
        new = self.rng.randrange(-3, 300) if name == "id" else TABLES[table].values[name](self.rng)
        if TABLES[table].numbered:
            name = ROWID_NAMES[new % len(ROWID_NAMES)]
        verb = self.rng.choice(["update", "update or replace", "update or ignore"])
        self.run(f"{verb} {base(table)} set {name} = ? where {self.where(table)}", [new, *key])

    def respell(self, table):
        """Another spelling that BigQuery calls the same key: in place, beside it, or beside it and one of both gone."""
        key = self.some_key(table)
        names = TABLES[table].key
        name = self.rng.choice(names)
        groups = TABLES[table].spellings.get(name, [])
        old = key[names.index(name)] if key is not None else None
        group = next((group for group in groups if any(same_value(old, value) for value in group)), None)
        if group is None:
            return self.rekey(table)
        new = [self.rng.choice(group) if column == name else value for column, value in zip(names, key)]
        verb = self.rng.choice(["update", "insert or ignore", "insert or ignore"])
        if verb == "update":
            self.run(f"update or ignore {base(table)} set {name} = ? where {self.where(table)}",
                     [new[names.index(name)], *key])
        else:
            self.run(f"insert or ignore into {base(table)}({', '.join(names)}, v) values ({'?, ' * len(names)}?)",
                     [*new, "beside"])
            if self.rng.random() < 0.4:
                self.run(f"delete from {base(table)} where {self.where(table)}", self.rng.choice([key, new]))

    def shift_keys(self, table):
        if not TABLES[table].numbered:
            return self.rekey(table)
        self.run(f"update {base(table)} set id = -id - 1000 where id > 0")
        self.run(f"update {base(table)} set id = -id - 1000 + {self.rng.randrange(3)} where id < -1000")

    def delete(self, table):
        key = self.some_key(table)
        if key is None:
            return self.insert(table)
        self.run(f"delete from {base(table)} where {self.where(table)}", key)

    def delete_some(self, table):
        which = f"{TABLES[table].key[-1]} < 'c'" if "without rowid" in TABLES[table].create else "rowid % 3 = 0"
        self.run(f"delete from {base(table)} where {which}")

    def delete_all(self, table):
        self.run(f"delete from {base(table)}")

    def delete_and_insert(self, table):
        """The same key again, as another row."""
        key = self.some_key(table)
        if key is None or not TABLES[table].numbered:
            return self.replace(table)
        self.run(f"delete from {base(table)} where id = ?", key)
        columns = list(TABLES[table].values)
        values = [self.value(table, column) for column in columns]
        self.run(f"insert into {base(table)}(id, {', '.join(columns)}) values (?, {', '.join('?' * len(columns))})",
                 [*key, *values])

    def misfit(self, table):
        places = [column for column in TABLES[table].misfits if column not in TABLES[table].key]
        key = self.some_key(table)
        if key is None or not places:
            return self.insert(table)
        column = self.rng.choice(places)
        self.run(f"update {base(table)} set {column} = ? where {self.where(table)}",
                 [self.rng.choice(TABLES[table].misfits[column]), *key])

    def misfit_key(self, table):
        """A text key that is a blob or not UTF-8: such a row can never be synced."""
        shape = TABLES[table]
        if shape.numbered or shape.spellings:
            return self.misfit(table)
        key = self.some_key(table)
        name = shape.key[-1]
        bad = self.rng.choice(shape.misfits.get(name, [b"blob", BAD]))
        if key is None or self.rng.random() < 0.5:
            columns = list(shape.values)
            values = [bad if column == name else shape.values[column](self.rng) for column in columns]
            return self.run(
                f"insert or ignore into {base(table)}({', '.join(columns)}) values ({', '.join('?' * len(columns))})",
                values)
        self.run(f"update or ignore {base(table)} set {name} = ? where {self.where(table)}", [bad, *key])

    def twin_keys(self, table):
        """Two rows whose keys a conversion may make one; neither can be synced."""
        if TWINS[0] not in TABLES[table].misfits.get("k", []):
            return self.misfit_key(table)
        for key in TWINS:
            self.run(f"insert or ignore into {base(table)}(k, n) values (?, ?)", [key, TABLES[table].values["n"](self.rng)])

    def many(self, table):
        for _ in range(self.rng.randrange(5, 15)):
            self.insert(table)

    def widen(self, table):
        """Makes a row wider than a statement carries, once; the next update of that column makes it narrow again."""
        column = WIDE[table]
        self.run(f"update {table} set {column} = hex(zeroblob(600000)) where {column} is not null and"
                 f" {TABLES[table].key[0]} = (select min({TABLES[table].key[0]}) from {table}) and"
                 f" not exists (select 1 from {table} where length({column}) > 1000000)")

    def transaction(self, table):
        self.run("begin immediate")
        for _ in range(self.rng.randrange(1, 4)):
            self.act(nested=True)
        if self.rng.random() < 0.3 and self.db.in_transaction:
            self.run("savepoint s")
            self.act(nested=True)
            if self.db.in_transaction:
                self.run("rollback to s")
        end = self.rng.choice(["commit", "commit", "rollback"])
        if self.db.in_transaction:
            self.run(end)

    def vacuum(self, table):
        self.run("vacuum")

    EVERYDAY = [("insert", 16), ("many", 4), ("update", 14), ("replace", 8), ("upsert", 6),
                ("update_or_replace", 4), ("rekey", 7), ("delete", 9), ("delete_some", 3), ("delete_all", 1),
                ("delete_and_insert", 4), ("update_all", 2), ("shift_keys", 1), ("misfit", 2), ("misfit_key", 0.5)]
    APART = [("transaction", 5), ("vacuum", 1)]

    def act(self, nested=False):
        choices = self.EVERYDAY + ([] if nested else self.APART)
        table = self.rng.choice(self.tables)
        if TABLES[table].spellings:
            choices = choices + [("respell", 25)]
        if "things" in table:
            choices = choices + [("conflict", 25)]
        if table in WIDE:
            choices = choices + [("widen", 3)]
        names, weights = zip(*choices)
        getattr(self, self.rng.choices(names, weights)[0])(table)

    def fix_values(self):
        """Makes every value fit again, so that rejects end."""
        for table in self.tables:
            for column, misfits in TABLES[table].misfits.items():
                if column in TABLES[table].fixed:
                    continue
                for bad in misfits:
                    self.run(f"update {base(table)} set {column} = ? where {column} is ?",
                             [TABLES[table].values[column](self.rng), bad])
            for column in TABLES[table].fixed - set(TABLES[table].spellings):
                self.run(f"delete from {base(table)} where typeof({column}) in ('blob', 'null') or"
                         f" instr(cast({column} as blob), ?) > 0 or instr(cast({column} as blob), ?) > 0",
                         [BAD.stored(self.encoding), b"\0" if self.encoding == "utf-8" else b"\0\0\0"])
                for bad in TABLES[table].misfits.get(column, []):
                    self.run(f"delete from {base(table)} where {column} is ?", [bad])


def same_value(one, other):
    return type(one) is type(other) and one == other


def write_meanwhile(path, seed, tables, statements, twin_path=None):
    """Writes from a second process while a sync runs; the exit status says whether a write failed."""
    db = equip(sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS))
    twin = equip(sqlite3.connect(twin_path, isolation_level=None)) if twin_path else None
    app = Application(db, random.Random(seed), tables, [], twin)
    try:
        for _ in range(statements):
            app.act()
    finally:
        db.close()
        if twin is not None:
            twin.close()
