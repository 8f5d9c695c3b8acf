"""Random lives: whatever an application, an operator, the network and SIGKILL do, BigQuery ends up equal.

    python3 -m unittest tests.fault.test_property            BQSYNC_WORKLOADS (default below) random workloads
    python3 -m tests.fault.test_property --long              100,000 of them
    BQSYNC_SEED=7 BQSYNC_LIFE=12 python3 -m unittest tests.fault.test_property     one life again

A workload is a handful of random statements, now and then an accident (a reset, a dropped target, a restored
backup, a lost trigger), often a sync that is killed or meets faults, then a sync in peace. After each sync that
ends well both sides are compared value by value, by code that shares nothing with bqsync.
"""

import collections
import multiprocessing
import os
import pathlib
import random
import shutil
import sqlite3
import sys
import time
import traceback
import unittest

from tests.support import mirror
from tests.support.bqlocal import Bqlocal, HttpError
from tests.support.deployment import SHAPES, Deployment
from tests.support.killing import kill_after, kill_at_commit, kill_at_request
from tests.support.workload import BUSY_SECONDS, COLUMNS, Application, write_meanwhile

WORKLOADS = 2000
WORKLOADS_LONG = 100_000
WORKLOADS_A_LIFE = 25
STORY_LINES = 50
SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "schemas"
DEFINITIONS = {definition["table"]: definition for definition in mirror.load_definitions(SCHEMAS)}
CREATE = {statement.split("(")[0].split()[-1]: statement for statement in
          (part.strip() for part in SHAPES.split(";")) if statement}
# Long enough for one repetition of a request, short enough for many lives.
HURRY = {"BQ_RETRY_BUDGET": "200ms"}
FAULTS = ["reset_before", "reset_after", "reset_after", "truncate", "not_json", "status", "status", "table_vanish",
          "job_fail"]
REFUSALS = ["accessDenied", "invalid", "notFound", "quotaExceeded"]


class Broken(Exception):
    """A promise was not kept; the message says which."""


class Life:
    def __init__(self, seed, index):
        self.rng = random.Random(f"{seed}/{index}")
        self.log = []
        self.counts = collections.Counter()
        self.tables = sorted(self.rng.sample(sorted(COLUMNS), self.rng.randrange(1, 4)))
        self.journal = self.rng.choice(["wal", "wal", "delete"])
        self.parallel = self.rng.choice(["1", "8"])
        self.state = self.rng.choice([None, None, None, "state.db"])
        self.backup = None
        self.err = ""

    def live(self, workloads):
        self.log.append(f"tables {self.tables}, journal {self.journal}, parallel {self.parallel},"
                        f" state in {self.state or 'the source'}")
        with Bqlocal(datasets=["d"]) as self.bq, \
                Deployment(self.bq, journal=self.journal, state=self.state,
                           environment={"BQ_PARALLEL": self.parallel, **HURRY}) as self.app:
            self.state_path = self.app.folder / self.state if self.state else self.app.path
            self.endpoint = mirror.Endpoint(self.bq.url, "p", "d")
            for number in range(workloads):
                self.log.append(f"--- workload {number}")
                self.workload()
                self.counts["workloads"] += 1

    # What happens

    def workload(self):
        self.act(self.rng.randrange(1, 7))
        if self.rng.random() < 0.25:
            self.accident()
            self.act(self.rng.randrange(0, 3))
        if self.rng.random() < 0.65:
            self.trial()
            self.act(self.rng.choice([0, 0, 1, 2]))
        self.sync_in_peace()

    def act(self, statements):
        with self.app.connect() as db:
            application = Application(db, self.rng, self.tables, self.log)
            for _ in range(statements):
                application.act()
            if self.rng.random() < 0.1:
                application.fix_values()

    def accident(self):
        kinds = [self.reset, self.reset, self.drop_target, self.drop_target, self.drop_tracking, self.recreate,
                 self.migrate, self.rename_twice, self.save, self.save, self.restore, self.restore, self.restore]
        kinds += [self.delete_state] if self.state else [self.drop_triggers, self.remove_capture]
        kind = self.rng.choice(kinds)
        self.counts[kind.__name__] += 1
        self.log.append(f"accident: {kind.__name__}")
        kind(self.rng.choice(self.tables))

    def statement(self, sql):
        self.log.append(sql)
        with self.app.connect() as db:
            db.executescript(sql)

    def in_state(self, sql):
        """A statement of an operator in the state database; its rows."""
        self.log.append(sql)
        db = sqlite3.connect(self.state_path, isolation_level=None, timeout=BUSY_SECONDS)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def reset(self, table):
        if self.in_state("select 1 from sqlite_master where name = 'bq_sync_tracking'"):
            self.in_state(f"delete from bq_sync_tracking where table_name = '{table}'")

    def drop_tracking(self, table):
        self.in_state("drop table if exists bq_sync_tracking")

    def delete_state(self, table):
        for suffix in ("", "-wal", "-shm", "-journal"):
            pathlib.Path(f"{self.state_path}{suffix}").unlink(missing_ok=True)

    def drop_target(self, table):
        try:
            self.bq.delete(f"datasets/d/tables/{table}")
        except HttpError as problem:
            if problem.status != 404:
                raise

    def drop_triggers(self, table):
        triggers = [name for (name,) in self.app.execute(
            "select name from sqlite_master where type = 'trigger' and tbl_name = ? order by name", (table,))]
        for name in triggers if self.rng.random() < 0.5 else triggers[-1:]:
            self.statement(f'drop trigger "{name}"')

    def recreate(self, table):
        self.statement(f"drop table {table}; {CREATE[table]}")

    def migrate(self, table):
        """As SQLite's documentation advises for changes that ALTER TABLE cannot make."""
        new = CREATE[table].replace(f"create table {table}(", f"create table {table}_new(", 1)
        self.statement(f"begin; {new}; insert into {table}_new select * from {table}; drop table {table};"
                       f" alter table {table}_new rename to {table}; commit")

    def rename_twice(self, table):
        self.statement(f"alter table {table} rename to {table}_away")
        self.statement(f"insert into {table}_away select * from {table}_away where 0")
        self.statement(f"alter table {table}_away rename to {table}")

    def remove_capture(self, table):
        status, _, err = self.app.run("capture", "remove", table)
        if status != 0:
            raise Broken(f"capture remove ended with {status}: {err}")

    def save(self, table):
        self.backup = self.app.folder / "backup.db"
        self.backup.unlink(missing_ok=True)
        copy = sqlite3.connect(self.backup)
        with self.app.connect() as db:
            db.backup(copy)
        copy.close()

    def restore(self, table):
        if self.backup is None:
            return
        for suffix in ("-wal", "-shm", "-journal"):
            pathlib.Path(f"{self.app.path}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self.backup, self.app.path)
        with self.app.connect() as db:
            db.execute(f"pragma journal_mode = {self.journal}")

    # Syncs

    def arguments(self):
        return (["--full"] if self.rng.random() < 0.06 else []) + self.tables

    def fault(self):
        action = self.rng.choice(FAULTS)
        rule = {"action": action, "nth": self.rng.randrange(1, 10), "count": self.rng.choice([1, 1, 1, 2, 5])}
        if action == "status":
            rule["status"] = self.rng.choice([429, 500, 503, 503, 401, 403])
            rule["processed"] = self.rng.random() < 0.5 and rule["status"] >= 500
        elif action == "table_vanish":
            rule["table"] = f"d.{self.rng.choice(self.tables)}"
        elif action == "job_fail":
            rule["nth"] = self.rng.randrange(1, 4)
            rule["reason"] = self.rng.choice(REFUSALS)
            rule["at"] = self.rng.choice(["PENDING", "RUNNING"])
        return rule

    def trial(self):
        kind = self.rng.choices(
            [self.meet_faults, self.die_at_request, self.die_at_commit, self.die_sometime, self.have_company],
            [30, 25, 25, 6, 14])[0]
        self.counts[kind.__name__] += 1
        kind(self.arguments())

    def meet_faults(self, arguments):
        rules = [self.fault() for _ in range(self.rng.choice([1, 1, 2]))]
        self.log.append(f"sync {arguments} meets {rules}")
        self.bq.faults(*rules)
        status, _, self.err = self.app.run("sync", *arguments)
        self.bq.clear_faults()
        self.log.append(f"  ended with {status}")
        if status not in (0, 1, 3, 4, 5):
            raise Broken(f"sync with faults ended with {status}")
        if status == 0 and not any(rule["action"] == "table_vanish" for rule in rules):
            self.compare()

    def die_at_request(self, arguments):
        number, side = self.rng.randrange(1, 12), self.rng.choice(["before", "after"])
        killed = kill_at_request(self.bq, self.app, number, side, arguments)
        self.log.append(f"sync {arguments} killed {side} request {number}: {killed}")
        self.counts["killed"] += killed

    def die_at_commit(self, arguments):
        number, side = self.rng.randrange(1, 16), self.rng.choice(["before", "after"])
        killed = kill_at_commit(self.app, number, side, arguments)
        self.log.append(f"sync {arguments} killed {side} commit {number}: {killed}")
        self.counts["killed"] += killed

    def die_sometime(self, arguments):
        seconds = self.rng.uniform(0.002, 0.08)
        killed = kill_after(self.app, seconds, arguments)
        self.log.append(f"sync {arguments} killed after {seconds * 1000:.1f} ms: {killed}")
        self.counts["killed"] += killed

    def have_company(self, arguments):
        seed, statements = self.rng.random(), self.rng.randrange(5, 60)
        self.log.append(f"sync {arguments} beside a writer of {statements} statements, seed {seed}")
        writer = os.fork()
        if writer == 0:
            status = 1
            try:
                write_meanwhile(self.app.path, seed, self.tables, statements)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        status, _, self.err = self.app.run("sync", *arguments)
        _, ended = os.waitpid(writer, 0)
        self.log.append(f"  ended with {status}, the writer with {ended}")
        if ended != 0:
            raise Broken("a write of the application failed beside a sync")
        if status not in (0, 1):
            raise Broken(f"sync beside a writer ended with {status}")
        if self.rng.random() < 0.3:
            status, out, self.err = self.app.run("verify", "--json", *self.tables)
            if status != 0:
                raise Broken(f"verify after a sync beside a writer ended with {status}: {out}")

    def sync_in_peace(self):
        arguments = self.arguments()
        self.log.append(f"sync {arguments}")
        status, out, self.err = self.app.run("sync", *arguments)
        self.counts["syncs"] += 1
        rejected = self.compare() if status in (0, 1) else None
        if status != (1 if rejected else 0):
            raise Broken(f"a sync in peace ended with {status}; rejected rows: {rejected}\n{out}")
        left = [name for name in self.bq.tables("d")
                if name not in DEFINITIONS and "expirationTime" not in self.bq.table("d", name)]
        if left:
            raise Broken(f"staging tables without an expiration: {left}")
        open_intents = self.in_state("select table_name from bq_sync_intents")
        if open_intents:
            raise Broken(f"intents are left open: {open_intents}")

    def compare(self):
        """How many rows are rejected; Broken if the two sides differ in any other."""
        source = mirror.open_source(str(self.app.path))
        try:
            source.execute("begin")
            reports = [mirror.compare_table(source, self.endpoint, DEFINITIONS[table]) for table in self.tables]
        finally:
            source.close()
        self.counts["comparisons"] += len(reports)
        self.counts["rows"] += sum(report.source_rows for report in reports)
        different = [str(report) for report in reports if not report.equal]
        if different:
            raise Broken("\n".join(["BigQuery is not what SQLite is:", *different]))
        rejected = sum(len(report.rejected) for report in reports)
        self.counts["comparisons with rejects"] += rejected > 0
        return rejected


def live(seed, index, workloads):
    """One life, in a process of its own: (index, counts, None or the story of its end)."""
    life = Life(seed, index)
    try:
        life.live(workloads)
    except Exception as problem:
        told = str(problem) if isinstance(problem, Broken) else traceback.format_exc()
        story = "\n".join(life.log[:1] + life.log[-STORY_LINES:])
        return index, life.counts, f"life {index}: {told}\n{story}\nlast messages:\n{life.err}"
    return index, life.counts, None


def live_all(seed, workloads):
    """Every life; (counts, failures)."""
    only = os.environ.get("BQSYNC_LIFE")
    lives = [int(only)] if only else range(-(-workloads // WORKLOADS_A_LIFE))
    counts, failures = collections.Counter(), []
    with multiprocessing.get_context("fork").Pool(min(len(os.sched_getaffinity(0)), 8)) as pool:
        jobs = [pool.apply_async(live, (seed, index, min(WORKLOADS_A_LIFE, workloads))) for index in lives]
        for job in jobs:
            index, counted, failure = job.get()
            counts += counted
            if failure is not None:
                failures.append(failure)
                print(f"\n{failure}\nagain: BQSYNC_SEED={seed} BQSYNC_LIFE={index} python3 -m unittest "
                      "tests.fault.test_property", flush=True)
    return counts, failures


class PropertyTest(unittest.TestCase):
    def test_random_lives_end_in_equality(self):
        if os.environ.get("BQSYNC_SANITIZE"):
            self.skipTest("the shim cannot be preloaded into a sanitizer build; the plain build runs this")
        workloads = int(os.environ.get("BQSYNC_WORKLOADS", WORKLOADS))
        seed = int(os.environ.get("BQSYNC_SEED", random.SystemRandom().randrange(2**31)))
        print(f"\nBQSYNC_SEED={seed}, {workloads} workloads", flush=True)
        began = time.monotonic()
        counts, failures = live_all(seed, workloads)
        print(f"{time.monotonic() - began:.0f} s: " +
              ", ".join(f"{count} {name}" for name, count in counts.most_common()), flush=True)
        self.assertEqual([], [failure.splitlines()[0] for failure in failures])


if __name__ == "__main__":
    if "--long" in sys.argv:
        sys.argv.remove("--long")
        os.environ.setdefault("BQSYNC_WORKLOADS", str(WORKLOADS_LONG))
    unittest.main()
