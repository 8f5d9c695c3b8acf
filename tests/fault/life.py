"""One random life: a source, a dataset, and what an application, an operator, the network and SIGKILL do to them.

What a life meets besides, and which tables it has, its dimensions say (dimensions.py). After each sync that ends well
both sides are compared value by value, by code that shares nothing with bqsync.
"""

import collections
import json
import os
import pathlib
import random
import shutil
import sqlite3
import traceback

from tests.support import mirror
from tests.support.bqlocal import HttpError
from tests.support.deployment import Deployment
from tests.support.forking import ForkServer
from tests.support.keepalive import KeptBqlocal, KeptEndpoint
from tests.support.killing import kill_after, kill_at_commit, kill_at_request, wait_until_acted, wait_until_held
from tests.support.workload import BUSY_SECONDS, Application, equip, write_meanwhile
from tests.support.workload_tables import CLASSIC, TABLES, VIEWED, base

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "schemas"
DEFINITIONS = {definition["table"]: definition for folder in (SCHEMAS, SCHEMAS / "lives")
               for definition in mirror.load_definitions(folder)}
HISTORIES = {definition.get("target", table) + suffix for table, definition in DEFINITIONS.items()
             for suffix in ("_changes", "_history")}
# What triggers of the application write.
APPLICATION_TABLES = ("create table app_audit(id integer primary key, what);"
                      "create table app_once(n unique)")
# Long enough for one repetition of a request, short enough for many lives; for runs that faults may end.
HURRY = {"BQ_RETRY_BUDGET": "200ms"}
FAULTS = ["reset_before", "reset_after", "reset_after", "truncate", "not_json", "status", "status", "table_vanish",
          "job_fail", "answer_of_another", "answer_of_another", "answer_twice"]
# Dimensions that every life has, for a closer look: names with commas in between.
ALWAYS = os.environ.get("BQSYNC_ALWAYS", "").split(",")
REFUSALS = ["accessDenied", "invalid", "notFound", "quotaExceeded"]


class Broken(Exception):
    """A promise was not kept; the message says which."""


class Source(Deployment):
    """A deployment whose application has a collation and a function of its own, and whose runs are forked."""

    def __enter__(self):
        self._server = ForkServer(self.program)
        super().__enter__()
        self._environment = super().environment
        return self

    def __exit__(self, *_):
        self._server.__exit__()
        super().__exit__()

    @property
    def environment(self):
        return {**self._environment, "BQ_DATASET_NAME": self.dataset}

    def start(self, *arguments, **environment):
        return self._server.start(arguments, self.folder, self.given(arguments, environment))

    def connect(self, **options):
        closing = super().connect(**options)
        equip(closing.__enter__())
        return closing


class Life:
    def __init__(self, seed, index, dimensions):
        self.rng = random.Random(f"{seed}/{index}")
        # From a generator of its own, so that the number of codecs changes nothing else of a life.
        self.codecs = random.Random(f"{seed}/{index}/codecs").choice(["all", "all", "deflate,null"])
        self.log = []
        self.counts = collections.Counter()
        self.encoding = "UTF-8"
        self.journal = self.rng.choice(["wal", "wal", "delete"])
        self.parallel = self.rng.choice(["1", "8"])
        self.state = self.rng.choice([None, None, None, "state.db"])
        kinds = self.rng.sample(dimensions, min(len(dimensions), self.rng.choice([1, 1, 2, 3])))
        always = [kind for kind in dimensions if kind.name in ALWAYS and kind not in kinds]
        self.dimensions = [kind(self) for kind in kinds + always]
        tables = {table for dimension in self.dimensions for table in dimension.tables()}
        self.tables = sorted(tables or self.rng.sample(sorted(CLASSIC), self.rng.randrange(1, 4)))
        self.backup = False
        self.held = {}  # by dataset and table, what BigQuery held after the last sync in peace
        self.all_held = {}  # the same, with rows that are deleted in SQLite and stay
        self.touched = set()  # datasets in which BigQuery was changed by hand since
        self.damaged = False  # whether rows in BigQuery were ever changed by hand
        self.calm = False  # whether nothing but statements of the application came after it
        self.hurt = True  # whether an accident came after it
        self.owed = set()  # tables of which a column was dropped by hand: seen by the next pass that has changes
        self.rejected = 0  # how many rows the outside judge called rejected after the last sync in peace
        self.err = ""

    def live(self, workloads):
        names = [dimension.name for dimension in self.dimensions]
        self.log.append(f"dimensions {names}, tables {self.tables}, journal {self.journal}, parallel {self.parallel},"
                        f" state in {self.state or 'the source'}, {self.encoding}, codecs {self.codecs}")
        environment = {"BQ_PARALLEL": self.parallel}
        for dimension in self.dimensions:
            environment.update(dimension.environment)
        program = next((dimension.program for dimension in self.dimensions if dimension.program), "bqsync_lives")
        schema = ";".join([f"pragma encoding = '{self.encoding}'", APPLICATION_TABLES,
                           *(TABLES[table].create for table in self.tables)])
        codecs = [] if self.codecs == "all" else ["--avro-codecs", self.codecs]
        with KeptBqlocal(datasets=["d", "e"], args=codecs) as self.bq, \
                Source(self.bq, program, schema, journal="delete", state=self.state,
                           environment=environment) as self.app:
            self.app.script(f"pragma journal_mode = {self.journal}")
            self.twin_path = self.app.folder / "twin.db"
            with self.twin() as twin:
                twin.executescript(schema)
            self.state_path = self.app.folder / self.state if self.state else self.app.path
            for dimension in self.dimensions:
                dimension.prepare()
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
            if self.rng.random() < 0.15:
                self.accident()
            self.act(self.rng.choice([0, 0, 1, 2]))
        self.sync_in_peace()

    def twin(self):
        """A connection to the database without bqsync, to be closed by a with statement."""
        return _Closing(equip(sqlite3.connect(self.twin_path, isolation_level=None)))

    def act(self, statements):
        steps = [dimension.step for dimension in self.dimensions if dimension.step is not None]
        with self.app.connect() as db, self.twin() as twin:
            application = Application(db, self.rng, self.tables, self.log, twin)
            for _ in range(statements):
                if steps and self.rng.random() < 0.4:
                    self.rng.choice(steps)(application)
                else:
                    application.act()
            if self.rng.random() < 0.1:
                application.fix_values()

    def accident(self, table=None):
        kinds = [self.reset, self.reset, self.drop_target, self.drop_target, self.drop_tracking, self.recreate,
                 self.migrate, self.rename_twice, self.save, self.save, self.restore, self.restore, self.restore]
        kinds += [self.delete_state] if self.state else [self.drop_triggers, self.remove_capture]
        theirs = [kind for dimension in self.dimensions for kind in dimension.accidents]
        kind = self.rng.choice(theirs if theirs and self.rng.random() < 0.6 else kinds)
        self.counts[kind.__name__] += 1
        self.log.append(f"accident: {kind.__name__}")
        self.calm = False
        self.hurt = True
        kind(table or self.rng.choice(self.tables))

    def statement(self, sql):
        """A script of the application, which has to succeed."""
        self.log.append(sql)
        for connection in (self.app.connect(), self.twin()):
            with connection as db:
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
        """Forgets a table; True if there was something to forget."""
        if self.in_state("select 1 from sqlite_master where name = 'bq_sync_tracking'"):
            return bool(self.in_state(f"delete from bq_sync_tracking where table_name = '{table}' returning 1"))
        return False

    def drop_tracking(self, table):
        self.in_state("drop table if exists bq_sync_tracking")

    def delete_state(self, table):
        for suffix in ("", "-wal", "-shm", "-journal"):
            pathlib.Path(f"{self.state_path}{suffix}").unlink(missing_ok=True)

    def drop_target(self, table):
        self.touch()
        try:
            self.bq.delete(f"datasets/{self.app.dataset}/tables/{table}")
        except HttpError as problem:
            if problem.status != 404:
                raise

    def damage(self, table):
        """Changes rows in BigQuery by hand; nobody promises to see that, unless somebody then resets or repairs."""
        target = f"{self.app.dataset}.{table}"
        column = self.rng.choice(DEFINITIONS[table]["columns"])
        # docs/guarantees.md: verify does not see that a marked row is there twice.
        marks = DEFINITIONS[table]["sync"].get("deletes") == "mark"
        kinds = [f"delete from {target} where true",
                 f"insert into {target} select * from {target}" + " where _bqsync_deleted_at is null" * marks]
        if column["name"] not in DEFINITIONS[table].get("key", []):
            if column.get("mode") != "REQUIRED":
                kinds += [f"update {target} set {column['name']} = null where true"] * 2
            if column["type"] == "STRING":
                kinds += [f"update {target} set {column['name']} = 'by hand' where true"] * 2
        if DEFINITIONS[table].get("on_reject") == "column":
            kinds += [f"update {target} set _bqsync_unfit = null where true"] * 2
        self.by_hand(self.rng.choice(kinds))

    def by_hand(self, sql):
        """A statement of a person in BigQuery, which may find no table."""
        self.damaged = True
        self.calm = False
        self.touch()
        self.log.append(f"in BigQuery: {sql}")
        try:
            self.bq.query(sql)
        except HttpError as problem:
            self.log.append(f"  refused: {problem}")

    def drop_triggers(self, table):
        triggers = [name for (name,) in self.app.execute(
            "select name from sqlite_master where type = 'trigger' and tbl_name = ? and name like 'bq\\_sync%'"
            " escape '\\' order by name", (table,))]
        with self.app.connect() as db:
            for name in triggers if self.rng.random() < 0.5 else triggers[-1:]:
                self.log.append(f'drop trigger "{name}"')
                db.execute(f'drop trigger "{name}"')

    def make_target_again(self, table):
        """By hand: empty, and without labels."""
        self.touch()
        if table not in self.bq.tables(self.app.dataset):
            return
        made = self.bq.table(self.app.dataset, table)
        self.bq.delete(f"datasets/{self.app.dataset}/tables/{table}")
        self.bq.post(f"datasets/{self.app.dataset}/tables",
                     {key: made[key] for key in ("tableReference", "schema", "timePartitioning", "rangePartitioning", "clustering")
                      if key in made})

    def recreate(self, table):
        if table not in VIEWED and table != "orders":
            self.statement(f"drop table {table}; {TABLES[table].create}")

    def migrate(self, table):
        """As SQLite's documentation advises for changes that ALTER TABLE cannot make. A NOT NULL may have moved to
        another column with its name; rows that it refuses now are gone."""
        if table in VIEWED or table == "orders":
            return
        columns = ", ".join((["id"] if TABLES[table].numbered else []) + list(TABLES[table].values))
        new = TABLES[table].create.replace(f"create table {table}(", f"create table {table}_new(", 1)
        self.statement(f"begin; {new}; insert or ignore into {table}_new({columns}) select {columns} from {table};"
                       f" drop table {table}; alter table {table}_new rename to {table}; commit")

    def rename_twice(self, table):
        if table in VIEWED:
            return
        self.statement(f"alter table {table} rename to {table}_away")
        self.statement(f"delete from {table}_away where 0")
        self.statement(f"alter table {table}_away rename to {table}")

    def remove_capture(self, table):
        status, _, err = self.app.run("capture", "remove", table)
        if status != 0:
            raise Broken(f"capture remove ended with {status}: {err}")

    def saved(self):
        """The database files, each with its backup."""
        return [(path, path.with_suffix(".backup")) for path in (self.app.path, self.twin_path)]

    def save(self, table):
        self.backup = True
        for path, backup in self.saved():
            backup.unlink(missing_ok=True)
            copy_database(path, backup)

    def restore(self, table):
        if not self.backup:
            return
        for path, backup in self.saved():
            for suffix in ("-wal", "-shm", "-journal"):
                pathlib.Path(f"{path}{suffix}").unlink(missing_ok=True)
            shutil.copyfile(backup, path)
        with self.app.connect() as db:
            db.execute(f"pragma journal_mode = {self.journal}")

    def exchange(self):
        """The databases and their backups take each other's place."""
        for path, backup in self.saved():
            copy_database(path, path.with_suffix(".aside"))
        self.restore(None)
        for path, backup in self.saved():
            path.with_suffix(".aside").replace(backup)

    # Syncs

    def arguments(self):
        return (["--full"] if self.rng.random() < 0.06 else []) + self.tables

    def fault(self):
        action = self.rng.choice(FAULTS)
        rule = {"action": action, "nth": self.rng.randrange(1, 10), "count": self.rng.choice([1, 1, 1, 2, 5])}
        if action == "status":
            rule["status"] = self.rng.choice([429, 500, 503, 503, 401, 403])
            rule["processed"] = self.rng.random() < 0.5 and rule["status"] >= 500
        elif action == "answer_of_another":
            rule["processed"] = self.rng.random() < 0.5
        elif action == "table_vanish":
            rule["table"] = f"{self.app.dataset}.{self.rng.choice(self.tables)}"
        elif action == "job_fail":
            rule["nth"] = self.rng.randrange(1, 4)
            rule["reason"] = self.rng.choice(REFUSALS)
            rule["at"] = self.rng.choice(["PENDING", "RUNNING"])
        return rule

    def break_requests(self, *rules):
        """Sets faults; a target that vanishes takes with it what it held of rows that are deleted in SQLite."""
        if any(rule["action"] == "table_vanish" for rule in rules):
            self.touch()
        self.bq.faults(*rules)

    def trial(self):
        kinds, weights = zip((self.meet_faults, 30), (self.die_at_request, 25), (self.die_at_commit, 25),
                             (self.die_sometime, 6), (self.have_company, 14), (self.leave_a_job, 12), (self.fail_over, 12),
                             (self.find_another_target, 6),
                             *((kind, 60) for dimension in self.dimensions for kind in dimension.trials))
        kind = self.rng.choices(kinds, weights)[0]
        self.counts[kind.__name__] += 1
        self.calm = False
        kind(self.arguments())

    def meet_faults(self, arguments):
        rules = [self.fault() for _ in range(self.rng.choice([1, 1, 2]))]
        self.log.append(f"sync {arguments} meets {rules}")
        self.break_requests(*rules)
        status, _, self.err = self.app.run("sync", *arguments, **HURRY)
        self.bq.clear_faults()
        self.log.append(f"  ended with {status}")
        if status not in (0, 1, 3, 4, 5):
            raise Broken(f"sync with faults ended with {status}")
        if status == 0 and not self.owed and not any(rule["action"] == "table_vanish" for rule in rules):
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

    def die_before_a_label(self, arguments):
        """Killed with an intent on disk whose label never reaches BigQuery."""
        self.bq.faults({"method": "PATCH", "action": "hang_before", "nth": self.rng.choice([1, 1, 2]), "count": 1})
        process = self.app.start("sync", *arguments)
        killed = wait_until_held(self.bq, process)
        process.kill()
        process.communicate()
        self.bq.clear_faults()
        self.log.append(f"sync {arguments} killed before a label: {killed}")
        self.counts["killed"] += killed

    def find_another_target(self, arguments):
        """A target is made again by hand, dropped, or damaged in another way, while an intent is open."""
        self.act(self.rng.randrange(1, 4))
        self.die_before_a_label(arguments)
        self.rng.choice([self.make_target_again, self.accident])(self.rng.choice(self.tables))
        self.hurt = True

    def fail_over(self, arguments):
        """One machine is killed in a pass, another goes on with an older copy, then the first comes back."""
        self.save(None)
        self.act(self.rng.randrange(1, 4))
        self.rng.choice([self.die_at_request, self.die_before_a_label])(arguments)
        self.log.append("another machine")
        self.exchange()
        for _ in range(self.rng.choice([1, 1, 1, 2])):
            self.act(self.rng.randrange(1, 4))
            status, out, self.err = self.app.run("sync", *arguments)
            self.log.append(f"sync {arguments} ended with {status}")
            if status not in (0, 1):
                raise Broken(f"sync of another machine ended with {status}\n{out}")
        self.log.append("the first one again")
        self.exchange()
        self.hurt = True

    def leave_a_job(self, arguments):
        """A job that BigQuery carries out when the source, or the state, knows nothing of it any more."""
        forget = self.delete_state if self.state and self.rng.random() < 0.3 else self.restore
        if not self.backup or self.rng.random() < 0.5:
            self.save(None)
        self.act(self.rng.randrange(1, 4))
        # The first is the commit job of a table, or fills a staging table, or the script of all.
        self.bq.faults({"action": "job_hang", "nth": self.rng.choice([1, 1, 2, 3]), "count": 1})
        process = self.app.start("sync", *arguments)
        left = wait_until_acted(self.bq, process)
        process.kill()
        process.communicate()
        if not left:
            self.bq.clear_faults()
        self.log.append(f"sync {arguments} is killed while a job waits: {left}; {forget.__name__}")
        forget(None)
        self.hurt = True
        if self.rng.random() < 0.7:
            status, _, self.err = self.app.run("sync", *arguments, **HURRY)
            self.log.append(f"  the next one ended with {status}")
            if status not in (0, 1, 3, 4, 5):
                raise Broken(f"sync beside a job of an earlier one ended with {status}")
        self.bq.clear_faults()
        self.bq.wait_until_idle()
        self.counts["jobs left"] += left

    def have_company(self, arguments):
        seed, statements = self.rng.random(), self.rng.randrange(5, 60)
        self.log.append(f"sync {arguments} beside a writer of {statements} statements, seed {seed}")
        writer = os.fork()
        if writer == 0:
            status = 1
            try:
                write_meanwhile(self.app.path, seed, self.tables, statements, self.twin_path)
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
        # Of 1 and 1.0, one key in SQLite and two in BigQuery, the dirty set holds one, so that verify does not know
        # what has changed in key_replaced; the next pass replaces it.
        if self.rng.random() < 0.3 and status == 0 and not self.owed and "key_replaced" not in self.tables:
            status, out, self.err = self.app.run("verify", "--json", *self.tables)
            if status != 0:
                raise Broken(f"verify after a sync beside a writer ended with {status}: {out}")

    def sync(self, arguments):
        """A sync in peace: its document."""
        self.log.append(f"sync {arguments}")
        status, out, self.err = self.app.run("sync", "--json", *arguments)
        self.counts["syncs"] += 1
        if status not in (0, 1):
            raise Broken(f"a sync in peace ended with {status}\n{out}")
        run = json.loads(out)
        failed = [part for part in run["tables"] if part["status"] not in ("synced", "unchanged")]
        if failed:
            raise Broken(f"a sync in peace failed: {failed}")
        self.owed -= {part["table"] for part in run["tables"] if part["status"] == "synced"}
        self.rejected = rejected = self.compare()
        if status != (1 if rejected else 0) and not self.owed:
            raise Broken(f"a sync in peace ended with {status}; rejected rows: {rejected}\n{out}")
        return run

    def sync_in_peace(self):
        for dimension in self.dimensions:
            dimension.before_peace()
        run = self.sync(self.arguments())
        left = self.left_over()
        if left:
            raise Broken(f"staging tables without an expiration: {left}")
        open_intents = self.in_state("select table_name from bq_sync_intents")
        if open_intents:
            raise Broken(f"intents are left open: {open_intents}")
        self.calm = True
        self.touched.discard(self.app.dataset)
        self.hurt = False
        self.compare_twin()
        for dimension in self.dimensions:
            dimension.after_peace(run, self.rejected)  # a dimension may have synced again

    def check_status(self):
        """After a sync in peace, status counts the rows that the outside judge calls rejected, and no error is left.

        All rows with NULL in their key are one entry, and so may be all rows of a view with one key."""
        parts = {part["table"]: part for part in self.app.json("status")["tables"]}
        for report in self.reports():
            if report.table in self.owed:
                continue
            part = parts[report.table]
            without = sum(None in key for key in report.rejected)
            least = (len(set(map(repr, report.rejected))) if report.table in VIEWED
                     else len(report.rejected) - max(without - 1, 0))
            if not least <= part["rejected"] <= len(report.rejected):
                raise Broken(f"status calls {part['rejected']} rows rejected, it should be {report.rejected}")
            if part["last_error"]:
                raise Broken(f"status still reports an error of {report.table}: {part['last_error']}")

    def left_over(self):
        """The tables in BigQuery that are nobody's and never expire."""
        dataset = self.app.dataset
        return [name for name in self.bq.tables(dataset)
                if name not in DEFINITIONS and name not in HISTORIES and not name.startswith(("kept_", "_bqsync_snapshots"))
                and "expirationTime" not in self.bq.table(dataset, name)]

    def reports(self):
        """How BigQuery and SQLite differ, a report for each table."""
        endpoint = KeptEndpoint(self.bq, self.app.dataset)
        source = mirror.open_source(str(self.app.path))
        try:
            source.execute("begin")
            reports = []
            for table in self.tables:
                before = self.held.get((self.app.dataset, table), {})
                plain = self.calm and not TABLES[table].spellings and any(
                    dimension.keeps_versions for dimension in self.dimensions)
                reports.append(mirror.compare_table(source, endpoint, DEFINITIONS[table], before if plain else {},
                                                    self.last_held(table)))
            return reports
        finally:
            source.close()

    def touch(self):
        """BigQuery is changed by hand in the dataset at hand."""
        self.touched.add(self.app.dataset)

    def last_held(self, table):
        """What BigQuery held after the last comparison; None if a hand has changed that since."""
        last = self.all_held.get((self.app.dataset, table))
        if last is not None:
            last.exact = self.calm
        return None if self.app.dataset in self.touched else last

    def compare(self):
        """How many rows are rejected; Broken if the two sides differ in any other."""
        reports = self.reports()
        for report in reports:
            self.held[self.app.dataset, report.table] = report.held
            self.all_held[self.app.dataset, report.table] = report.all_held
            self.counts["rows kept"] += report.kept
        self.counts["comparisons"] += len(reports)
        self.counts["rows"] += sum(report.source_rows for report in reports)
        different = [str(report) for report in reports if not report.equal and report.table not in self.owed]
        if different:
            raise Broken("\n".join(["BigQuery is not what SQLite is:", *different]))
        rejected = sum(len(report.rejected) for report in reports)
        self.counts["comparisons with rejects"] += rejected > 0
        return rejected

    def compare_twin(self):
        """Broken if the source holds other rows than the database without bqsync."""
        tables = [*map(base, self.tables), "app_audit", "app_once"]
        with self.app.connect() as db, self.twin() as twin:
            for table in tables:
                here, there = (all_rows(connection, table) for connection in (db, twin))
                if here != there:
                    raise Broken(f"{table} holds other rows than without bqsync: {here ^ there}")


def all_rows(db, table):
    db.text_factory = mirror.Text
    counted = collections.Counter(map(repr, db.execute(f"select * from {table}")))
    return set(counted.items())


def copy_database(path, copy):
    """By SQLite's backup, which may write into a database that others have open."""
    here, there = sqlite3.connect(path), sqlite3.connect(copy, timeout=BUSY_SECONDS)
    try:
        here.backup(there)
    finally:
        here.close()
        there.close()


class _Closing:
    """A connection that a with statement closes."""

    def __init__(self, db):
        self._db = db

    def __enter__(self):
        return self._db

    def __exit__(self, *_):
        self._db.close()
