"""What every dimension of a life is and can do; the dimensions themselves are in dimensions*.py."""

from __future__ import annotations

import json

from tests.fault.life import Broken, HttpError
from tests.support.workload import Application

HELD_SECONDS = 60


class Dimension:
    name = ""
    environment: dict[str, str] = {}
    program = None  # the program that the life has to run, if another than bqsync_lives
    step = None  # a step of the application: step(application)
    keeps_versions = False  # whether the version before of each rejected row has to be in BigQuery

    def __init__(self, life):
        self.life = life
        self.rng = life.rng
        self.accidents = []  # functions of a table
        self.trials = []  # functions of the arguments of a sync

    def tables(self):
        """The tables that the life has to have."""
        return []

    def some(self, tables, most=3):
        return self.rng.sample(sorted(tables), self.rng.randrange(1, most + 1))

    def prepare(self):
        """Before the first sync; the tables are there and empty."""

    def before_peace(self):
        """Before each sync in peace."""

    def after_peace(self, run, rejected):
        """After each sync in peace: its document, and the number of rows that the outside judge calls rejected."""

    def application(self, what):
        """Statements of the application: what(application)."""
        with self.life.app.connect() as db, self.life.twin() as twin:
            what(Application(db, self.rng, self.life.tables, self.life.log, twin))

    def query(self, sql):
        """A statement by hand in BigQuery; False if it is refused."""
        self.life.log.append(f"in BigQuery: {sql}")
        self.life.touch()
        try:
            self.life.bq.query(sql)
            return True
        except HttpError as problem:
            self.life.log.append(f"  refused: {problem}")
            return False

    def end(self, process):
        """Waits for a process: its exit status and what it printed."""
        out, self.life.err = process.communicate(timeout=HELD_SECONDS)
        self.life.log.append(f"  ended with {process.returncode}")
        return process.returncode, out

    def repair(self, table):
        """verify --repair; True if it says that all is equal now, and compared all of it."""
        status, out, self.life.err = self.life.app.run("verify", "--repair", "--json", table)
        self.life.log.append(f"verify --repair {table} ended with {status}")
        if status not in (0, 1, 7):
            raise Broken(f"verify --repair ended with {status}: {out}")
        return status == 0 and not any(table.get("pending") for table in json.loads(out)["tables"])
