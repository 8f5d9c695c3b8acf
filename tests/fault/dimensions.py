"""What a life meets besides the everyday statements, accidents and trials of life.py: one class for each dimension.

A dimension may name tables, add steps of the application, accidents (things done between two passes) and trials
(syncs that are disturbed), and look at the result after each sync in peace. It asks nothing of the other dimensions.
"""

from __future__ import annotations

import json
import sqlite3
import time

from tests.fault.dimension import HELD_SECONDS, Dimension
from tests.fault.dimensions_columns import Columns
from tests.fault.dimensions_days import Days
from tests.fault.dimensions_deletes import Deletes
from tests.fault.dimensions_filters import Filters
from tests.fault.dimensions_follow import Follow
from tests.fault.dimensions_history import History
from tests.fault.dimensions_unfit import Unfit
from tests.fault.dimensions_verify import Verify
from tests.fault.life import DEFINITIONS, Broken, copy_database
from tests.support.killing import kill_after, wait_until_held
from tests.support.workload import BUSY_SECONDS, Noticed, outcome
from tests.support.workload_tables import BAGS, CLASSIC, INDEXES, KEYED, REJECTED, TABLES, THINGS, VIEWED, WORDS, base

JOB_PATIENCE_SECONDS = 0.5  # a pass may wait for a job of an earlier one


class Plain(Dimension):
    """Nothing else: everyday life."""

    name = "plain"


class Keys(Dimension):
    """Keys with several spellings of one value, and columns with names that mean something else."""

    name = "keys"

    def tables(self):
        return self.some([*KEYED, *WORDS]) + (
            self.some([*VIEWED, *BAGS, "loose_replaced"], 1) if self.rng.random() < 0.5 else [])


class Indexes(Dimension):
    """Unique indexes of every kind, made and dropped at any time."""

    name = "indexes"

    def __init__(self, life):
        super().__init__(life)
        self.accidents = [self.create_index, self.create_index, self.drop_index, self.alter_column, self.rename_legacy]
        # Half of the lives have only what triggers can guard: one other index, and a table is scanned.
        self.guarded = self.rng.random() < 0.5

    def tables(self):
        return self.some(["things", "things_text", "things_bare"] if self.guarded else THINGS, 2)

    def prepare(self):
        for _ in range(self.rng.randrange(1, 4)):
            self.create_index(self.rng.choice(self.life.tables))

    def step(self, application):
        """A row that takes the place of another under a unique index, by any of its columns."""
        table = self.rng.choice([name for name in self.life.tables if name in THINGS])
        if self.rng.random() < 0.2:
            return self.write_as_stranger(table)
        key = application.some_key(table)
        if key is None or self.rng.random() < 0.3:
            return application.insert(table, self.rng.choice(["insert or replace", "insert or ignore"]))
        # A row that enters the filter of a partial index, or any other change.
        column, value = self.rng.choice([("active", 1), ("active", 1), ("deleted_at", None), (None, None)])
        if column not in TABLES[table].values:
            column = application.plain_column(table)
            value = application.value(table, column)
        application.run(f"update or replace {table} set {column} = ? where {application.where(table)}", [value, *key])

    def write_as_stranger(self, table):
        """From a connection that lacks the application's collation and function, as sqlite3 and other tools do."""
        columns = TABLES[table].values
        values = [value(self.rng) for value in columns.values()]
        sql = f"insert or ignore into {table}({', '.join(columns)}) values ({', '.join('?' * len(columns))})"
        self.life.log.append(f"another program: {sql} {values}")
        ended = []
        for path in (self.life.app.path, self.life.twin_path):
            db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
            ended.append(outcome(db, sql, values))
            db.close()
        if ended[0] != ended[1]:
            raise Noticed(f"{sql} {values} ended with {ended[0]}, without bqsync with {ended[1]}")

    def alter_column(self, table):
        self.application(lambda app: app.run(f"alter table {base(table)} add column spare"))
        self.application(lambda app: app.run(f"alter table {base(table)} drop column spare"))

    def rename_legacy(self, table):
        def rename(app):
            app.run("pragma legacy_alter_table = on")
            app.run(f"alter table {base(table)} rename to {table}_away")
            app.run(f"delete from {table}_away where 0")
            app.run(f"alter table {table}_away rename to {base(table)}")
            app.run("pragma legacy_alter_table = off")
        self.application(rename)

    def create_index(self, table):
        """On a table of things; there may be rows that refuse it."""
        table = table if table in THINGS else self.rng.choice([name for name in self.life.tables if name in THINGS])
        index = self.rng.choice(INDEXES[:3] if self.guarded else INDEXES)
        name = f"ix_{table}_{self.rng.randrange(10**6)}"
        self.application(lambda app: app.run(f"create unique index {name} on {table}{index}"))

    def drop_index(self, table):
        names = [name for (name,) in self.life.app.execute(
            "select name from sqlite_master where type = 'index' and name like 'ix\\_%' escape '\\' order by name")]
        if names:
            name = self.rng.choice(names)
            self.application(lambda app: app.run(f"drop index {name}"))


class Triggers(Dimension):
    """Triggers of the application that end a statement or write, made before or after capture."""

    name = "triggers"

    def __init__(self, life):
        super().__init__(life)
        self.accidents = [self.create_trigger, self.create_trigger, self.create_trigger, self.drop_trigger,
                          self.drop_trigger, self.cascade]

    def tables(self):
        return self.some([*CLASSIC, *THINGS], 2)

    def step(self, application):
        """What a trigger may refuse half-way, or meet another row with."""
        table = self.rng.choice([name for name in self.life.tables if name not in VIEWED])
        key = application.some_key(table)
        column = application.plain_column(table)
        if key is not None:
            application.run(
                f"update {self.rng.choice(['or fail', 'or fail', 'or replace'])} {table} set {column} = ?"
                f" where {application.where(table)}", [application.value(table, column), *key])

    def cascade(self, table):
        """A row goes, and what its foreign key's action fires ends the statement with FAIL."""
        table = base(table)
        if table not in TABLES or len(TABLES[table].key) != 1:
            return
        key = TABLES[table].key[0]
        child = f"app_child_{table}"

        def run(app):
            app.run(f"create table if not exists {child}(owner references {table}({key}) on delete cascade)")
            app.run(f"create trigger if not exists {child}_fail after delete on {child}"
                    " begin select raise(fail, 'refused'); end")
            app.run("pragma foreign_keys = on")
            app.run(f"insert into {child} select {key} from {table} order by {key} limit 1")
            app.run(f"delete from {table} where {key} in (select owner from {child})")
            app.run("pragma foreign_keys = off")
        self.application(run)

    def prepare(self):
        for _ in range(self.rng.randrange(3)):
            self.create_trigger(self.rng.choice(self.life.tables))

    def create_trigger(self, table):
        # The broken rows of judged have to be corrected, which a trigger could refuse.
        if table in VIEWED or table == "judged":
            return
        event = self.rng.choice(["insert", "update", "delete"])
        row = "old" if event == "delete" else self.rng.choice(["new", "new", "old"]) if event == "update" else "new"
        column = self.rng.choice([*TABLES[table].key, *TABLES[table].plain])
        other = self.rng.choice(TABLES[table].plain)
        this_row = " and ".join(f"{name} is {row}.{name}" for name in TABLES[table].key)
        body = self.rng.choice([
            "select raise(ignore)", "select raise(ignore)", "select raise(fail, 'refused')",
            "select raise(abort, 'refused')", "select raise(rollback, 'refused')",
            f"insert into app_audit(what) values ({row}.{column})",
            f"insert into app_once values (length({row}.{column}))",
            f"insert or ignore into app_once values (length({row}.{column}))",
            f"update {table} set {other} = {other} where {this_row}",
            f"update {table} set {other} = {row}.{column} where {this_row}", f"delete from {table} where {this_row}"])
        sql = (f"create trigger app_{self.rng.randrange(10**6)} {self.rng.choice(['before', 'after', 'after'])} {event}"
               f" on {table} when coalesce(length({row}.{column}), 0) % 3 = {self.rng.randrange(3)}"
               f" begin {body}; end")

        def make(app):
            app.run(sql)
            # Before the next pass, changes that the trigger may end half-way.
            for _ in range(self.rng.randrange(3)):
                column = app.plain_column(table)
                app.run(f"update or fail {table} set {column} = ?", [app.value(table, column)])
        self.application(make)

    def drop_trigger(self, table):
        names = [name for (name,) in self.life.app.execute(
            "select name from sqlite_master where type = 'trigger' and name like 'app\\_%' escape '\\' order by name")]
        if names:
            name = self.rng.choice(names)
            self.application(lambda app: app.run(f"drop trigger {name}"))


class Hands(Dimension):
    """Changes by hand in BigQuery that the next pass, or the next with changes, has to notice."""

    name = "hands"

    def __init__(self, life):
        super().__init__(life)
        self.accidents = [self.drop_column, self.drop_column, self.make_again, self.keep, self.bring_back,
                          self.bring_back]
        self.kept = {}  # the labels of each table that was copied away

    def drop_column(self, table):
        columns = [column["name"] for column in DEFINITIONS[table]["columns"]
                   if column.get("mode") != "REQUIRED" and column["name"] not in DEFINITIONS[table].get("key", [])
                   and column["name"] not in DEFINITIONS[table].get("bigquery", {}).get("cluster_by", [])]
        target = f"{self.life.app.dataset}.{table}"
        if columns and self.query(f"alter table {target} drop column {self.rng.choice(columns)}"):
            self.life.owed.add(table)

    def make_again(self, table):
        """Drops a table and makes an empty one of the same name, with the same columns and partitions."""
        dataset = self.life.app.dataset
        if table in self.life.bq.tables(dataset):
            self.life.touch()
            known = self.life.bq.table(dataset, table)
            kept = {name: known[name] for name in ("schema", "timePartitioning", "rangePartitioning") if name in known}
            self.life.log.append(f"in BigQuery: {table} is made again, empty")
            self.life.bq.delete(f"datasets/{dataset}/tables/{table}")
            self.life.bq.post(f"datasets/{dataset}/tables", {
                "tableReference": self.life.bq.reference(dataset, table), **kept})
            self.life.owed.discard(table)

    def copy(self, source, target):
        dataset = self.life.app.dataset
        self.life.log.append(f"in BigQuery: {source} is copied to {target}")
        return self.life.bq.run({"configuration": {"copy": {
            "sourceTable": self.life.bq.reference(dataset, source),
            "destinationTable": self.life.bq.reference(dataset, target), "writeDisposition": "WRITE_TRUNCATE"}}})

    def keep(self, table):
        """Copies a table away, with its labels, as a snapshot does."""
        dataset = self.life.app.dataset
        if table in self.life.bq.tables(dataset) and table not in self.life.owed:
            self.kept[dataset, table] = self.life.bq.table(dataset, table).get("labels", {})
            self.copy(table, f"kept_{table}")

    def bring_back(self, table):
        """Restores the copy, with the labels of then: the target is older than what was synced since."""
        dataset = self.life.app.dataset
        if (dataset, table) in self.kept:
            self.life.drop_target(table)
            self.copy(f"kept_{table}", table)
            self.life.bq.patch(f"datasets/{dataset}/tables/{table}", {"labels": self.kept[dataset, table]})
            self.life.owed.discard(table)


class Windows(Dimension):
    """What an operator does while a pass waits for BigQuery."""

    name = "windows"

    def __init__(self, life):
        super().__init__(life)
        self.trials = [self.wait_meanwhile]

    def wait_meanwhile(self, arguments):
        number, side = self.rng.randrange(1, 9), self.rng.choice(["before", "after"])
        things = [self.damage_and_reset, self.damage_and_reset, self.damage_and_repair, self.restore_over, self.write,
                  self.damage_and_reset]
        things += [] if self.life.state else [self.life.drop_triggers]
        thing = self.rng.choice(things)
        bq, app = self.life.bq, self.life.app
        bq.faults({"nth": number, "count": 1, "action": f"hang_{side}"})
        process = app.start("sync", *arguments, BQ_RETRY_BUDGET="20s")
        held = wait_until_held(bq, process)
        self.life.log.append(f"sync {arguments} waits {side} request {number}: {held}; {thing.__name__}")
        if held:
            thing(self.rng.choice(self.life.tables))
        bq.clear_faults()
        status, _ = self.end(process)
        self.life.counts[thing.__name__ + " meanwhile"] += held
        # The backup may be older than the control tables: then all of them are gone.
        if status not in ((0, 1, 6) if thing == self.restore_over else (0, 1)):
            raise Broken(f"a sync that waited ended with {status}")

    def damage_and_reset(self, table):
        if self.life.reset(table):
            self.life.damage(table)
            self.life.reset(table)

    def damage_and_repair(self, table):
        self.life.damage(table)
        if not self.repair(table):
            # Its mark may stand although it could not send; if not, nobody promised anything.
            self.life.reset(table)

    def restore_over(self, table):
        """A backup through SQLite's API into the live file."""
        if self.life.backup:
            for path, backup in self.life.saved():
                copy_database(backup, path)

    def write(self, table):
        self.life.act(self.rng.randrange(1, 12))


class Datasets(Dimension):
    """One source, and two datasets in turn."""

    name = "datasets"

    def __init__(self, life):
        super().__init__(life)
        self.accidents = [self.turn]
        self.trials = [self.die_elsewhere, self.die_in_a_job]

    def turn(self, table=None):
        self.life.app.dataset = "e" if self.life.app.dataset == "d" else "d"
        self.life.calm = False
        self.life.log.append(f"dataset {self.life.app.dataset}")

    def die_elsewhere(self, arguments):
        """A pass is cut short, and the next ones are for the other dataset."""
        self.rng.choice([self.life.die_at_request, self.life.die_at_commit])(arguments)
        self.turn()

    def die_in_a_job(self, arguments):
        """A pass dies while BigQuery works for it; the job ends only after a pass for the other dataset and another."""
        life = self.life
        rule = {"action": "job_hang", "nth": self.rng.randrange(1, 4), "at": self.rng.choice(["PENDING", "RUNNING"])}
        life.bq.faults({**rule, "count": 1})
        process = life.app.start("sync", *arguments, BQ_RETRY_BUDGET="20s")
        end = time.monotonic() + HELD_SECONDS
        while process.poll() is None and time.monotonic() < end and not life.bq.fault_state()[0]["acted"]:
            time.sleep(0.002)
        process.kill()
        _, life.err = process.communicate()
        life.log.append(f"sync {arguments} dies in a job: {rule}")
        self.turn()
        for _ in range(2):
            waits = kill_after(life.app, JOB_PATIENCE_SECONDS, life.tables)
            life.log.append(f"sync {life.tables} for dataset {life.app.dataset}; killed waiting: {waits}")
            self.turn()
            life.act(3)
        life.bq.clear_faults()
        life.log.append("the job goes on")

    def before_peace(self):
        if self.rng.random() < 0.2:
            self.turn()


class Rejects(Dimension):
    """Rows that do not fit, and that come and go."""

    name = "rejects"
    keeps_versions = True

    def tables(self):
        return self.some(set(REJECTED) - {"loose_replaced"}, 2) + (self.some(CLASSIC, 1) if self.rng.random() < 0.4 else [])

    def step(self, application):
        table = self.rng.choice(self.life.tables)
        kinds = [application.misfit, application.misfit, application.misfit_key, application.twin_keys,
                 application.rekey, application.update, application.delete]
        self.rng.choice(kinds)(table)

    def before_peace(self):
        if self.rng.random() < 0.2:
            self.application(lambda app: app.fix_values())

    def after_peace(self, run, rejected):
        seen = set(self.life.tables) - self.life.owed
        listed = {entry["table"] for entry in self.life.app.json("rejects")["rejects"]} & seen
        expected = {report.table for report in self.life.reports() if report.rejected} & seen
        if listed != expected:
            raise Broken(f"rejects lists {sorted(listed)}, the rejected rows are those of {sorted(expected)}")
        self.life.check_status()


class Texts(Dimension):
    """Databases of another encoding, and texts that are not well-formed."""

    name = "texts"

    def __init__(self, life):
        super().__init__(life)
        life.encoding = self.rng.choice(["UTF-8", "UTF-16le", "UTF-16be"])

    def tables(self):
        return self.some(["settings", "memberships", "devices", "accounts", "loose", "loose_scanned"], 2)

    def step(self, application):
        table = self.rng.choice(self.life.tables)
        self.rng.choice([application.misfit, application.misfit_key, application.rekey])(table)


class Atomic(Dimension):
    """BQ_SYNC_ATOMIC=1: a line of an order is never in BigQuery without its order."""

    name = "atomic"
    environment = {"BQ_SYNC_ATOMIC": "1"}

    def __init__(self, life):
        super().__init__(life)
        self.trials = [self.step_by_step, self.order_meanwhile, self.die_at_request]

    def tables(self):
        # The target of settings, which is replaced, is looked at between the plan and the snapshot.
        return ["orders", "order_lines"] + (["settings"] if self.rng.random() < 0.6 else [])

    def step(self, application):
        """An order with its lines."""
        number = self.rng.randrange(1, 500)
        application.run("begin immediate")
        application.run("insert or ignore into orders(id, note) values (?, 'with lines')", [number])
        for _ in range(self.rng.randrange(1, 3)):
            application.run("insert into order_lines(order_id, item) values (?, 'line')", [number])
        application.run("commit")

    def judge(self):
        """Only the passes since the last sync in peace are judged, not what accidents left in BigQuery."""
        dataset = self.life.app.dataset
        if self.life.hurt:
            return
        if {"orders", "order_lines"} <= set(self.life.bq.tables(dataset)):
            lines = self.life.bq.scalar(f"select count(*) from {dataset}.order_lines as l"
                                        f" left join {dataset}.orders as o on o.id = l.order_id where o.id is null")
            if lines:
                raise Broken(f"{lines} lines are in BigQuery without their orders")

    def step_by_step(self, arguments):
        """Holds each request in turn; the application writes, and BigQuery is looked at."""
        bq, app = self.life.bq, self.life.app
        self.life.log.append(f"sync {arguments}, step by step")
        rule = {"nth": 1, "count": 1, "action": self.rng.choice(["hang_before", "hang_after"])}
        bq.faults(rule)
        process = app.start("sync", *arguments, BQ_RETRY_BUDGET="20s")
        try:
            while process.poll() is None:
                if not any(held["held"] for held in bq.fault_state()):
                    time.sleep(0.002)
                    continue
                # The judge's own requests are not to be held.
                bq.faults({**rule, "method": "NONE"})
                self.judge()
                self.life.act(self.rng.choice([0, 0, 1, 3]))
                bq.faults(rule)
        finally:
            bq.clear_faults()
            status, _ = self.end(process)
        if status not in (0, 1):
            raise Broken(f"a sync step by step ended with {status}")
        self.judge()

    def order_meanwhile(self, arguments):
        """A pass plans while orders has no changes; before its snapshot an order arrives with its lines."""
        bq, app = self.life.bq, self.life.app
        if "settings" not in self.life.tables:
            return self.step_by_step(arguments)
        status, _, self.life.err = app.run("sync", *self.life.tables)
        if status not in (0, 1):
            raise Broken(f"a sync ended with {status}")
        self.application(lambda app: app.run("insert or replace into settings values ('theme', ?)",
                                             [str(self.rng.randrange(10**6))]))
        self.application(lambda app: app.run("update order_lines set item = ?", [str(self.rng.randrange(10**6))]))
        bq.faults({"method": "GET", "path": "/tables/settings", "nth": 1, "count": 1, "action": "hang_before"})
        process = app.start("sync", *self.life.tables, BQ_RETRY_BUDGET="20s")
        held = wait_until_held(bq, process)
        self.life.log.append(f"sync {self.life.tables} waits before its snapshot: {held}")
        if held:
            self.application(self.step)
        bq.clear_faults()
        status, _ = self.end(process)
        if status not in (0, 1):
            raise Broken(f"a sync that waited ended with {status}")
        self.judge()

    def die_at_request(self, arguments):
        self.life.die_at_request(arguments)
        self.judge()


class Idle(Dimension):
    """A pass without work makes one request and writes nothing to the source."""

    name = "idle"

    def after_peace(self, run, rejected):
        life = self.life
        # The outside judge does not look at a table that hand-made damage is owed a repair of.
        if self.rng.random() < 0.5 or life.owed:
            return
        life.bq.clear_requests()
        with life.app.connect() as watcher, life.app.connect() as reader:
            version = watcher.execute("pragma data_version").fetchone()
            if life.journal == "wal":
                reader.execute("begin")
                reader.execute(f"select count(*) from {base(life.tables[0])}").fetchall()
            status, out, life.err = life.app.run("sync", "--json", *life.tables)
            parts = json.loads(out)["tables"]
            wanted = 1 if rejected else 0
            if status != wanted or any(part["bytes_sent"] or part["status"] != "unchanged" for part in parts):
                raise Broken(f"an idle pass ended with {status}, {wanted} was expected: {out}")
            made = [f"{request['method']} {request['path']}" for request in life.bq.requests()]
            if len(made) != 1:
                raise Broken(f"an idle pass made {len(made)} requests: {made}")
            if watcher.execute("pragma data_version").fetchone() != version:
                raise Broken("an idle pass wrote into the source")
            if life.journal == "wal":
                reader.execute(f"delete from {base(life.tables[0])} where 0")
                reader.execute("rollback")


KINDS = [Plain, Keys, Indexes, Triggers, Columns, Hands, Windows, Datasets, Rejects, Texts, Atomic, Idle, Verify, Days,
         Filters, Follow, Unfit, Deletes, History]
DIMENSIONS = {kind.name: kind for kind in KINDS}
