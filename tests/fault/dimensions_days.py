"""Rows of many days: the column that partitions the target is declared never to change, and sometimes it does."""

from __future__ import annotations

from tests.fault.dimension import Dimension
from tests.support.workload_tables import CLASSIC, DAYS, TABLES

TABLE = "logged_days"


class Days(Dimension):
    """Changes within one day or over many, and days that change after all, seen or unseen."""

    name = "days"

    def tables(self):
        return [TABLE] + (self.some(CLASSIC, 1) if self.rng.random() < 0.3 else [])

    def day(self):
        return TABLES[TABLE].values["day"](self.rng)

    def step(self, application):
        kinds = [self.note_one_day, self.note_one_day, self.note_few, self.note_few, self.change_day, self.swap_days,
                 self.come_again, self.many_days]
        self.rng.choice(kinds)(application)

    def note_one_day(self, application):
        application.run(f"update {TABLE} set note = ? where day is ?", [str(self.rng.randrange(1000)), self.day()])

    def note_few(self, application):
        """Rows that are near to each other, and new ones."""
        first = self.rng.randrange(1, 30)
        application.run(f"update {TABLE} set note = ? where id between ? and ?",
                        [str(self.rng.randrange(1000)), first, first + self.rng.randrange(5)])
        if self.rng.random() < 0.5:
            application.run(f"insert into {TABLE}(day, note) values (?, 'new')", [self.day()])

    def change_day(self, application):
        """Against the declaration."""
        application.run(f"update {TABLE} set day = ? where id = (select max(id) from {TABLE} where id <= ?)",
                        [self.day(), self.rng.randrange(1, 40)])

    def swap_days(self, application):
        application.run(f"update {TABLE} set day = (select max(other.day) from {TABLE} as other"
                        f" where other.id <> {TABLE}.id) where id % 5 = ?", [self.rng.randrange(5)])

    def come_again(self, application):
        """A row that goes and comes again with another day, in one commit or in two."""
        key = application.some_key(TABLE)
        if key is None:
            return self.many_days(application)
        together = self.rng.random() < 0.5
        if together:
            application.run("begin immediate")
        application.run(f"delete from {TABLE} where id = ?", key)
        application.run(f"insert into {TABLE}(id, day, note) values (?, ?, 'again')", [*key, self.day()])
        if together:
            application.run("commit")

    def many_days(self, application):
        for _ in range(self.rng.randrange(2, 8)):
            application.run(f"insert into {TABLE}(day, note) values (?, ?)",
                            [self.rng.choice(DAYS), str(self.rng.randrange(100))])
