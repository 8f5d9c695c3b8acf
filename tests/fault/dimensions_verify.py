"""What verify says and repairs, of a BigQuery that was changed by hand."""

from __future__ import annotations

import collections
import json

from tests.fault.dimension import Dimension
from tests.fault.life import DEFINITIONS, HURRY, Broken
from tests.support.killing import wait_until_held
from tests.support.workload_tables import CLASSIC, base

# Keys that SQLite stores in several ways, and rows of which several may be identical.
SPECIAL = ["key_reals", "key_words", "key_numbers", "view_bag", "loose_replaced", "bag"]


class Verify(Dimension):
    """verify says what the outside judge says, of a BigQuery that was changed by hand, and repairs it."""

    name = "verify"

    def tables(self):
        return (self.some(CLASSIC, 2) + (self.some(SPECIAL, 2) if self.rng.random() < 0.5 else [])
                + (["view_bag"] if self.rng.random() < 0.3 else []))

    def step(self, application):
        """Two rows of one content, where that is possible."""
        if "view_bag" not in self.life.tables:
            return application.act()
        row = [self.rng.choice("abcd"), self.rng.choice([None, "x", "y"])]
        application.run(f"insert into {base('view_bag')}(k, v) values (?, ?), (?, ?)", [*row, *row])

    def after_peace(self, run, rejected):
        if self.life.owed:
            self.repair_columns(rejected)
            return
        kind = self.rng.choice([None, None, None, self.judge_damage, self.judge_damage, self.change_twins,
                                self.lose_a_key, self.outage, self.sync_meanwhile, self.undo_meanwhile])
        if kind is not None:
            self.life.log.append(f"verify: {kind.__name__}")
            kind(rejected)

    def expect(self, wanted, **environment):
        status, out, self.life.err = self.life.app.run("verify", "--json", *self.life.tables, **environment)
        self.life.log.append(f"verify ended with {status}")
        if status != wanted:
            raise Broken(f"verify ended with {status}, {wanted} was expected: {out}")

    def judge_damage(self, rejected):
        for table in self.life.tables if self.rng.random() < 0.8 else []:
            self.life.damage(table)
        self.repair_all(rejected)

    def repair_columns(self, rejected):
        """A column that was dropped by hand, and that no pass has met since, is found and made good."""
        self.life.log.append(f"verify: columns of {sorted(self.life.owed)} are gone")
        self.repair_all(rejected)
        self.life.owed.clear()

    def change_twins(self, rejected):
        """Rows of one content, an even number of them, get one other content: no XOR of checksums shows that."""
        if "view_bag" not in self.life.tables:
            return
        rows = collections.Counter(self.life.app.warehouse_rows("view_bag"))
        twins = sorted((row for row, count in rows.items() if count % 2 == 0), key=repr)
        if twins:
            key, value = self.rng.choice(twins)
            known = "v is null" if value is None else f"v = '{value}'"
            self.query(f"update {self.life.app.dataset}.view_bag set v = 'by hand' where k = '{key}' and {known}")
        self.repair_all(rejected)

    def repair_all(self, rejected):
        """verify finds what the outside judge finds, and repairs it."""
        wanted = 0 if all(report.equal for report in self.life.reports()) else 1
        self.expect(wanted)
        if wanted == 1:
            status, out, self.life.err = self.life.app.run("verify", "--repair", "--json", *self.life.tables)
            self.life.log.append(f"verify --repair ended with {status}")
            if status != 0 and not rejected:
                raise Broken(f"verify --repair ended with {status}: {out}")
            # Nothing can be sent for a rejected row, so what is wrong with its old version may stay.
            for table in self.life.tables if status != 0 else []:
                self.life.reset(table)
            self.life.sync(self.life.tables)

    def lose_a_key(self, rejected):
        """Rows whose key is NULL in BigQuery stop no repair, of their table or of another."""
        table = self.rng.choice(self.life.tables)
        target, key = f"{self.life.app.dataset}.{table}", self.rng.choice(DEFINITIONS[table].get("key") or ["a"])
        self.query(f"alter table {target} alter column {key} drop not null")
        self.query(f"update {target} set {key} = null where {key} = (select min({key}) from {target})")
        for other in self.life.tables:
            if other != table and self.rng.random() < 0.5:
                self.life.damage(other)
        self.repair_all(rejected)

    def outage(self, _):
        """Nothing is known to differ: the exit status is that of the outage."""
        rule = self.rng.choice([{"action": "status", "status": 503}, {"action": "reset_before"}])
        self.life.bq.faults({"method": "POST", "path": "/queries", "count": 0, **rule})
        try:
            self.expect(5, **HURRY)
        finally:
            self.life.bq.clear_faults()

    def start_held(self, tables, number):
        """Starts verify and waits until its number-th query is held: the process, or None if it made fewer."""
        side = self.rng.choice(["before", "after"])
        self.life.bq.faults({"method": "POST", "path": "/queries", "nth": number, "count": 1,
                             "action": f"hang_{side}"})
        process = self.life.app.start("verify", "--json", *tables, BQ_RETRY_BUDGET="20s")
        held = wait_until_held(self.life.bq, process)
        self.life.log.append(f"verify {tables} waits {side} query {number}: {held}")
        if held:
            return process
        self.life.bq.clear_faults()
        self.end(process)
        return None

    def sync_meanwhile(self, _):
        """A sync that ends while a query of verify runs is no difference."""
        process = self.start_held(self.life.tables, self.rng.randrange(1, len(self.life.tables) + 1))
        if process is None:
            return
        self.life.act(self.rng.randrange(1, 8))
        self.life.sync(self.life.tables)
        self.life.bq.clear_faults()
        status, out = self.end(process)
        if status != 0:
            raise Broken(f"verify beside a sync ended with {status}: {out}")

    def undo_meanwhile(self, rejected):
        """What verify has seen to differ, and then finds no reason for, is not equal. A rejected row is a reason."""
        if rejected:
            return
        table = self.rng.choice(self.life.tables)
        target = f"{self.life.app.dataset}.{table}"
        if not self.query(f"create or replace table {self.life.app.dataset}.kept_{table} as select * from {target}"):
            return
        self.life.damage(table)
        differs = not all(report.equal for report in self.life.reports() if report.table == table)
        process = self.start_held([table], 2)
        if self.query(f"delete from {target} where true"):
            self.query(f"insert into {target} select * from {self.life.app.dataset}.kept_{table}")
        if process is None:
            return
        self.life.bq.clear_faults()
        status, out = self.end(process)
        if differs and status != 1:
            raise Broken(f"verify ended with {status} although it saw {table} differ: {out}")
