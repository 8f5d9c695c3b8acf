"""Values that do not fit and are sent beside their row."""

from __future__ import annotations

from tests.fault.dimension import Dimension
from tests.fault.life import Broken
from tests.support.workload_tables import MISFITS, TABLES


class Unfit(Dimension):
    """Tables with on_reject "column": most of their values do not fit now and then, and such a row is sent like any
    other."""

    name = "unfit"

    def __init__(self, life):
        super().__init__(life)
        life.encoding = self.rng.choice(["UTF-8", "UTF-8", "UTF-16le", "UTF-16be"])

    def tables(self):
        return self.some(MISFITS, 2)

    def step(self, application):
        table = self.rng.choice([name for name in self.life.tables if name in MISFITS])
        choices = [application.misfit, application.misfit, application.misfit, application.misfit_key, self.spoil,
                   application.update, application.insert]
        choice = self.rng.choice(choices)
        choice(application, table) if choice == self.spoil else choice(table)

    def spoil(self, application, table):
        """One value that does not fit, or that does, in several rows."""
        column = self.rng.choice([name for name in TABLES[table].plain if name != "must"])
        value = self.rng.choice([*TABLES[table].misfits[column], TABLES[table].values[column](self.rng)])
        application.run(f"update {table} set {column} = ? where rowid % {self.rng.randrange(1, 4)} = 0", [value])

    def before_peace(self):
        if self.rng.random() < 0.2:
            self.application(lambda app: app.fix_values())

    def after_peace(self, run, rejected):
        """What a run has sent, it counts; nothing that is sent is rejected."""
        for part in run["tables"]:
            if part["rows_unfit"] > 0 and part["status"] != "synced":
                raise Broken(f"{part['rows_unfit']} rows were sent, and the table is {part['status']}")
        self.life.check_status()
