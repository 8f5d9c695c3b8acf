"""What migrations do to the columns of a table."""

from __future__ import annotations

import json

from tests.fault.dimension import Dimension
from tests.fault.life import Broken
from tests.support.workload_tables import FILTERED, TABLES


MIGRATED = [*FILTERED, "people", "accounts", "memberships"]


class Columns(Dimension):
    """Columns that swap their names, that are dropped and made again, and one that a filter names and that is renamed."""

    name = "columns"

    def __init__(self, life):
        super().__init__(life)
        self.accidents = [self.swap, self.swap, self.make_again]
        self.trials = [self.lose_filter]

    def tables(self):
        return self.some(MIGRATED, 2) + (
            [*FILTERED] if self.rng.random() < 0.5 else [])

    def after_peace(self, run, rejected):
        self.life.check_status()

    def own(self):
        """One of the tables whose columns may change; those of other dimensions have indexes or refer to each other."""
        return self.rng.choice([table for table in self.life.tables if table in MIGRATED])

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
        """Drops a column and adds it again. If it is the last one, nobody can see that."""
        table = self.own()
        columns = [row[1] for row in self.life.app.execute(f"pragma table_info({table})")]
        able = [name for name in columns[:-1] if name in TABLES[table].plain and name not in TABLES[table].unique]
        if able:
            column = self.rng.choice(able)
            self.application(lambda app: [app.run(sql) for sql in (
                "begin immediate", f"alter table {table} drop column {column}",
                f"alter table {table} add column {column}", "commit")])

    def lose_filter(self, arguments):
        """A pass cannot sync a table whose filter names a column that is gone, and leaves its target alone. When the
        column is back, the error is over, also if no row has changed."""
        life = self.life
        for table in [name for name in life.tables if name in FILTERED]:
            life.sync(life.tables)
            before = life.app.warehouse_rows(table)
            self.application(lambda app, name=table: app.run(f"alter table {name} rename column hidden to away"))
            status, out, life.err = life.app.run("sync", "--json", table)
            part = life.app.table(json.loads(out), table) if out else {}
            if status not in (1, 6) or part["status"] != "failed":
                raise Broken(f"a sync without the column of its filter ended with {status}: {out}")
            if life.app.warehouse_rows(table) != before:
                raise Broken(f"a sync without the column of its filter has changed {table}")
            self.application(lambda app, name=table: app.run(f"alter table {name} rename column away to hidden"))
            life.sync(life.tables)
            life.check_status()
