"""Rows that are deleted in SQLite and stay in BigQuery."""

from __future__ import annotations

import json

from tests.fault.dimension import Dimension
from tests.fault.life import DEFINITIONS, Broken
from tests.support.workload_tables import STAYING, base


class Deletes(Dimension):
    """Tables with deletes "mark" and "keep": rows go and come back, and what BigQuery held of those that are gone has to
    be there, through every accident that leaves BigQuery alone."""

    name = "deletes"
    keeps_versions = True

    def __init__(self, life):
        super().__init__(life)
        self.accidents = [life.reset, life.restore, life.save, life.recreate, self.purge, self.double]

    def tables(self):
        return self.some(STAYING, 3)

    def step(self, application):
        table = self.rng.choice([name for name in self.life.tables if name in STAYING])
        kinds = [application.delete, application.delete, application.delete_some, application.delete_and_insert,
                 application.insert, application.insert, application.update, application.rekey, application.misfit,
                 application.delete_all]
        self.rng.choice(kinds)(table)

    def purge(self, table):
        """The application deletes all rows and a sync replaces what is left, or keeps all of it."""
        self.life.statement(f"delete from {base(table)}")
        self.life.app.run("sync", "--full", *self.life.tables)

    def double(self, table):
        """Somebody doubles the rows in BigQuery and resets the table: a replacement leaves one of each key, with or
        without rows of the application."""
        if self.life.reset(table):
            target = f"{self.life.app.dataset}.{table}"
            self.life.by_hand(f"insert into {target} select * from {target}")
            if self.rng.random() < 0.3:
                self.life.statement(f"delete from {base(table)}")

    def before_peace(self):
        if self.rng.random() < 0.3:
            self.application(lambda app: app.fix_values())

    def after_peace(self, run, rejected):
        """verify counts the rows that the outside judge counts."""
        if self.life.owed or self.rng.random() < 0.6:
            return
        status, out, self.life.err = self.life.app.run("verify", "--json", *self.life.tables)
        if status != 0:
            raise Broken(f"verify ended with {status} after a sync in peace: {out}")
        counted = {part["table"]: part["kept"] for part in json.loads(out)["tables"]}
        for report in self.life.reports():
            if DEFINITIONS[report.table]["sync"].get("deletes") and counted[report.table] != report.kept:
                raise Broken(f"verify counts {counted[report.table]} rows of {report.table} as kept, it should be"
                             f" {report.kept}")
