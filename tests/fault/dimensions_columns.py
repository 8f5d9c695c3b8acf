"""What migrations do to the columns of a table."""

from __future__ import annotations

import json

from tests.fault.dimension import Dimension
from tests.fault.life import Broken
from tests.support.workload_tables import FILTERED, TABLES


MIGRATED = [*FILTERED, "people", "accounts", "memberships"]


class Columns(Dimension):
    """Columns that swap their names, that are dropped and made again, also at the end of their table, and one that only
    a filter names and that is renamed, swapped or made again."""

    name = "columns"

    def __init__(self, life):
        super().__init__(life)
        self.accidents = [self.swap, self.swap, self.make_again, self.make_last_again, self.make_filter_again]
        self.trials = [self.lose_filter, self.swap_filter]
        self.made = 0

    def tables(self):
        return self.some(MIGRATED, 2) + (
            [*FILTERED] if self.rng.random() < 0.5 else [])

    def after_peace(self, run, rejected):
        self.life.check_status()

    def own(self):
        """One of the tables whose columns may change; those of other dimensions have indexes or refer to each other."""
        return self.rng.choice([table for table in self.life.tables if table in MIGRATED])

    def columns(self, table):
        return [row[1] for row in self.life.app.execute(f"pragma table_info({table})")]

    def swap(self, _):
        """Two columns swap their names; whatever they hold is the other's now."""
        table = self.own()
        columns = [name for name in TABLES[table].plain if name not in TABLES[table].unique]
        one, other = self.rng.sample(columns, 2)
        self.application(lambda app: [app.run(sql) for sql in (
            "begin immediate", f"alter table {table} rename column {one} to swapped",
            f"alter table {table} rename column {other} to {one}",
            f"alter table {table} rename column swapped to {other}", "commit")])

    def make_again(self, _):
        """Drops a column that is not the last one, and adds it again."""
        table = self.own()
        columns = self.columns(table)
        able = [name for name in columns[:-1] if name in TABLES[table].plain and name not in TABLES[table].unique]
        if able:
            column = self.rng.choice(able)
            self.application(lambda app: [app.run(sql) for sql in (
                "begin immediate", f"alter table {table} drop column {column}",
                f"alter table {table} add column {column}", "commit")])

    def declared(self, column, rest):
        """A column as it was never declared before. One that is made again with the text that it had, nobody can tell
        from the one before."""
        self.made += 1
        return f"{column} /* {self.made} */ {rest}"

    def make_last_again(self, _):
        """Drops the last one or two columns and adds them again at the same places, with other values."""
        table = self.own()
        columns = self.columns(table)
        last = columns[-self.rng.randrange(1, 3):]
        if any(name not in TABLES[table].plain or name in TABLES[table].unique for name in last):
            return
        defaults = [self.life.app.execute("select quote(?)", (TABLES[table].values[name](self.rng),))[0][0]
                    for name in last]
        self.application(lambda app: [app.run(sql) for sql in (
            "begin immediate", *(f"alter table {table} drop column {name}" for name in reversed(last)),
            *(f"alter table {table} add column {self.declared(name, f'default {value}')}"
              for name, value in zip(last, defaults)), "commit")])

    def filtered(self):
        return [name for name in self.life.tables if name in FILTERED]

    def make_filter_again(self, _):
        """The column of the filter is dropped and added again, with one value in all rows."""
        for table in self.filtered():
            declared = self.declared("hidden", f"integer not null default {self.rng.randrange(2)}")
            self.application(lambda app, name=table, new=declared: [app.run(sql) for sql in (
                "begin immediate", f"alter table {name} drop column hidden",
                f"alter table {name} add column {new}", "commit")])

    def swap_filter(self, arguments):
        """The column of the filter swaps its name with another one that is not listed, after a sync of the values."""
        life = self.life
        for table in self.filtered():
            columns = self.columns(table)
            self.application(lambda app, name=table, new="shown" not in columns: [app.run(sql) for sql in (
                *[f"alter table {name} add column shown integer not null default 0"] * new,
                f"update {name} set shown = 1 - hidden")])
            life.sync(life.tables)
            self.application(lambda app, name=table: [app.run(sql) for sql in (
                "begin immediate", f"alter table {name} rename column hidden to x",
                f"alter table {name} rename column shown to hidden", f"alter table {name} rename column x to shown",
                "commit")])
            life.sync(life.tables)

    def lose_filter(self, arguments):
        """A pass cannot sync a table whose filter names a column that is gone, and leaves its target alone. When the
        column is back, the error is over, also if no row has changed."""
        life = self.life
        for table in self.filtered():
            lose, bring = self.rng.choice([
                ("rename column hidden to away", "rename column away to hidden"),
                ("drop column hidden", "add column hidden integer not null default 0")])
            if lose.startswith("drop"):
                self.application(lambda app, name=table, new=bring: [app.run(sql) for sql in (
                    f"alter table {name} drop column hidden", f"alter table {name} {new}",
                    f"update {name} set hidden = id % 2")])
            life.sync(life.tables)
            before = life.app.warehouse_rows(table)
            self.application(lambda app, name=table, what=lose: app.run(f"alter table {name} {what}"))
            if "hidden" in self.columns(table):
                continue  # a trigger of the application names the column, so SQLite refuses to drop it
            status, out, life.err = life.app.run("sync", "--json", table)
            part = life.app.table(json.loads(out), table) if out else {}
            if status not in (1, 6) or part["status"] != "failed":
                raise Broken(f"a sync without the column of its filter ended with {status}: {out}")
            if life.app.warehouse_rows(table) != before:
                raise Broken(f"a sync without the column of its filter has changed {table}")
            self.application(lambda app, name=table, what=bring: app.run(f"alter table {name} {what}"))
            life.sync(life.tables)
            life.check_status()
