"""Google's engine runs every MERGE that bqsync generates, and the script of an atomic pass, on values at the limits of
their types: bqlocal ends with the same rows and counts.

The engine has no GEOGRAPHY, so such a column is a STRING here: MERGE only copies it.
"""

import re
import unittest
import urllib.parse

from tests.bqlocal.tests.sql_session import Session, SqlFailed
from tests.conformance import bounds, edges, sample, statements
from tests.conformance.engine import Engine, Refused, comparable
from tests.support import foreign, sampling
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

PROGRAMS = ["bqsync_samples", "bqsync_shapes", "bqsync_torture", "bqsync_keys", "bqsync_lives"]
# With other random rows.
ROUNDS = 2 if sampling.everything() else 1
# How rows reach a MERGE, and at least so many run with them.
STAGED, CARRIED = range(2)
RUNS_MIN = 100 if sampling.everything() else 30
KEYS = 9


def local(sql):
    """The statement for the project that bqlocal's driver and the engine have."""
    named = sql.replace("${project}", "p").replace("${dataset}", statements.DATASET)
    return re.sub("` geography", "` string", named.replace(f"`{statements.PROJECT}`", "`p`"), flags=re.I)


class Table:
    """A table of a program, with random rows for its target and its staging table."""

    def __init__(self, listed, rng):
        self.name, self.target = listed["table"], listed["target"]
        self.columns = [{**column, "type": column["type"].replace("GEOGRAPHY", "STRING")}
                        for column in listed["columns"]]
        self.key = set(listed["key"])
        self.rng = rng

    def keys(self):
        """Different keys. A key column that may be NULL is so in some: such keys match nothing."""
        found = {}
        kinds = [column["type"] for column in self.columns if column["name"] in self.key]
        for _ in range(20 * KEYS):
            key = tuple(self.cell(column, 0.1) for column in self.columns if column["name"] in self.key)
            # Equal keys that are written differently, such as 0.0 and -0.0, count as one.
            found.setdefault(repr([comparable(*pair) for pair in zip(kinds, key)]), key)
        keys = list(found.values())
        self.rng.shuffle(keys)
        return keys[:KEYS]

    def cell(self, column, nulls):
        if column["mode"] != "REQUIRED" and self.rng.random() < nulls:
            return None
        choose = edges.random_value if self.rng.random() < 0.3 else lambda kind, rng: rng.choice(edges.values(kind))
        return choose(column["type"], self.rng)

    def row(self, key, tombstone=False):
        parts = iter(key)
        return [next(parts) if column["name"] in self.key else None if tombstone else self.cell(column, 0.3)
                for column in self.columns]

    def insert(self, table, rows, staged=False, as_text=False):
        """The INSERT of rows; those of a staging table end with _bqsync_deleted, and its JSON may be text."""
        kinds = [column["type"] for column in self.columns] + ["BOOL"] * staged
        kinds = ["STRING" if kind == "JSON" and as_text else kind for kind in kinds]
        values = ",\n  ".join("(" + ", ".join(map(edges.literal, kinds, row)) + ")" for row in rows)
        names = [column["name"] for column in self.columns] + ["_bqsync_deleted"] * staged
        named = ", ".join(f"`{name}`" for name in names)
        return f"insert into `p`.`d`.`{table}` ({named}) values {values}"


def merges(collected, table, way):
    """The names of the table's MERGEs that this run tries with rows that are staged, or with rows that they carry."""
    named = [name for name in collected.merges if name.startswith(f"{table.name}.merge")]
    return sampling.one_way(named, way, 2, table.name)


# When deleted rows are marked, as bqsync sends it.
SNAPSHOT = [{"name": "snapshot_at", "parameterType": {"type": "TIMESTAMP"},
             "parameterValue": {"value": "2026-03-01 09:00:00.123456+00:00"}}]


class MergeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = foreign.Stage("googlesql")
        cls.addClassCleanup(cls.stage.close)

    def setUp(self):
        self.engine = self.enterContext(Engine(self.stage))
        self.session = self.enterContext(Session())

    def both(self, sql, parameters=()):
        """Runs a statement on both sides."""
        self.session.run(local(sql), parameters=list(parameters))
        self.engine.run(local(sql), parameters)

    def outcome(self, sql, parameters=()):
        """What each side answers to DML: its counts, or that it refused."""
        try:
            ours = self.session.dml(local(sql), parameters=list(parameters))
        except SqlFailed:
            ours = "refused"
        try:
            counts = self.engine.run(local(sql), parameters)
            theirs = counts["inserted"], counts["updated"], counts["deleted"]
        except Refused:
            theirs = "refused"
        return ours, theirs

    def rows(self, table):
        """What each side's target holds."""
        sql = f"select * from `p`.`d`.`{table.target}`"
        # One that marks deleted rows has one more column, _bqsync_deleted_at.
        kinds = [column["type"] for column in table.columns] + ["TIMESTAMP"]
        return [sorted((tuple(map(comparable, kinds, row)) for row in side.rows(sql)), key=repr)
                for side in (self.session, self.engine)]

    def prepare(self, collected, table, staging):
        """Makes both tables on both sides and fills them; returns the staged rows, which meet some of the target's."""
        for sql in (*(sql for name, sql in collected.ddl.items() if name.startswith(f"{table.name}.ddl")),
                    collected.staging[staging]):
            self.both(sql)
        keys = table.keys()
        there, changed = keys[:len(keys) * 2 // 3], keys[len(keys) // 3:]
        self.both(table.insert(table.target, [table.row(key) for key in there]))
        staged = []
        for key in changed:
            deleted = table.rng.choice([True, False, False])
            staged.append(table.row(key, tombstone=deleted) + [deleted])
        as_text = re.search(r"` json\b", collected.staging[staging], re.I) is None
        self.both(table.insert(staging, staged, staged=True, as_text=as_text))
        return staged

    def drop(self, *names):
        for name in names:
            self.both(f"drop table if exists `p`.`d`.`{name}`")

    def test_every_merge_ends_as_googles_engine_ends_it(self):
        runs, rng = 0, sample.generator(21)
        for program in PROGRAMS:
            collected = statements.collect(program, runs=False)
            for listed in sample.tables(foreign.build_output(program), {}):
                table = Table(listed, rng)
                staging = statements.staging_name(listed)
                for name in merges(collected, table, STAGED):
                    for round_number in range(ROUNDS):
                        with self.subTest(program=program, merge=name, round=round_number):
                            staged = self.prepare(collected, table, staging)
                            sql = collected.merges[name]
                            parameters = bounds.of_rows(sql, table.columns, staged) + SNAPSHOT * ("@snapshot_at" in sql)
                            self.assertEqual(*self.outcome(sql, parameters))
                            self.assertEqual(*self.rows(table))
                            runs += 1
                        self.drop(table.target, staging)
        self.assertGreater(runs, RUNS_MIN * ROUNDS)

    def test_the_script_of_an_atomic_pass_ends_as_googles_engine_ends_it(self):
        rng = sample.generator(22)
        collected = statements.collect("bqsync_torture")
        listed = sample.tables(foreign.build_output("bqsync_torture"), {})
        tables = {table["target"]: Table(table, rng) for table in listed}
        scripts = [sql for sql in collected.other.values() if "begin transaction" in sql]
        # With JSON that is staged as text, MERGEs are made at run time, too.
        scripts += [sql for sql in collected.merges.values() if "parse_json(" in sql]
        self.assertTrue(any("parse_json(" in sql and "begin transaction" in sql for sql in scripts))
        for sql in scripts:
            named = statements.MERGE.findall(sql) + statements.REFILL.findall(sql)
            parameters = []
            for target, staging in named:
                staged = self.prepare(collected, tables[target], staging)
                for merge in [part for part in sql.split(";\n") if statements.MERGE.match(part) and f"`{staging}`" in part]:
                    parameters += bounds.of_rows(merge, tables[target].columns, staged)
            self.assertEqual(len({parameter["name"] for parameter in parameters}), len(parameters))

            self.both(sql, parameters)

            for target, staging in named:
                with self.subTest(target=target):
                    self.assertEqual(*self.rows(tables[target]))
                self.drop(target, staging)
        self.assertTrue(scripts)

    def carried(self, sql, columns, rows):
        """A MERGE or INSERT of staged rows as bqsync sends it when they are few, and the parameter that carries them."""
        kinds = {column["name"]: column["type"].replace("JSON", "STRING") for column in columns} | {"_bqsync_deleted": "BOOL"}
        parsed = [f"`{c['name']}`" for c in columns if c["type"] == "JSON"]
        source = "unnest(@rows)"
        if parsed:
            source = (f"(select * except ({', '.join(parsed)}), "
                      + ", ".join(f"parse_json({name}, wide_number_mode => 'round') as {name}" for name in parsed)
                      + " from unnest(@rows))")
        parameter = {"name": "rows", "parameterType": {"type": "ARRAY", "arrayType": {"type": "STRUCT", "structTypes": [
            {"name": name, "type": {"type": kind}} for name, kind in kinds.items()]}}, "parameterValue": {"arrayValues": [
                {"structValues": {name: {"value": edges.parameter(kind, value)}
                                  for (name, kind), value in zip(kinds.items(), row)}} for row in rows]}}
        place = r"(?<=\nusing )`[^ ]+" if sql.startswith("merge") else r"(?<=\nfrom )`[^ ]+"
        return (re.sub(place, lambda _: source, sql, count=1),
                [parameter, *bounds.of_rows(sql, columns, rows)])

    def test_every_merge_that_carries_its_rows_ends_as_googles_engine_ends_it(self):
        runs, rng = 0, sample.generator(24)
        for program in PROGRAMS:
            collected = statements.collect(program, runs=False)
            for listed in sample.tables(foreign.build_output(program), {}):
                if any(column["type"] == "GEOGRAPHY" for column in listed["columns"]):
                    continue
                table = Table(listed, rng)
                for name in merges(collected, table, CARRIED):
                    with self.subTest(program=program, merge=name):
                        self.both(collected.ddl[f"{table.name}.ddl0"])
                        keys = table.keys()
                        self.both(table.insert(table.target, [table.row(key) for key in keys[:len(keys) * 2 // 3]]))
                        changed = []
                        for key in keys[len(keys) // 3:]:
                            deleted = rng.choice([True, False, False])
                            changed.append(table.row(key, tombstone=deleted) + [deleted])
                        sql, parameters = self.carried(collected.merges[name], table.columns, changed)
                        self.assertEqual(*self.outcome(sql, parameters))
                        self.assertEqual(*self.rows(table))
                        runs += 1
                    self.drop(table.target)
        self.assertGreater(runs, RUNS_MIN)

    def test_what_bqsync_sends_over_edges_ends_as_googles_engine_ends_it(self):
        """The whole way: values of SQLite, the parameter that bqsync makes of them, Google's engine, and back."""
        [table] = [table for table in sample.tables(foreign.build_output("bqsync_torture"), {})
                   if table["table"] == "types"]
        keys, kinds = table["key"], {column["name"]: column["type"] for column in table["columns"]}
        with Bqlocal(project="p", datasets=[statements.DATASET]) as bq, Deployment(
                bq, program="bqsync_torture", dataset=statements.DATASET, schema=sample.schema([table])) as app:
            app.sync("types")
            self.engine.run(local(statements.collect("bqsync_torture", runs=False).ddl["types.ddl0"]))
            for change in range(3):
                with app.connect() as db:
                    for number in range(40 * change, 40 * change + 40):
                        row = [number if name in keys else edges.values(kind)[number % len(edges.values(kind))]
                               for name, kind in kinds.items()]
                        db.execute(f"insert into types values ({', '.join('?' * len(row))})", row)
                    if change:
                        db.execute(f"delete from types where {sample.quote(keys[0])} % 3 = 0")
                app.sync("types")
                job = bq.get(f"jobs/{bq.get('jobs?maxResults=1')['jobs'][0]['jobReference']['jobId']}")
                query = job["configuration"]["query"]
                self.assertIn("unnest(@rows)", query["query"])
                self.assertIn(" between @low_1 and @high_1", query["query"])
                self.engine.run(local(query["query"]), query["queryParameters"])
                cells = bq.get(f"datasets/{statements.DATASET}/tables/{urllib.parse.quote(table['target'])}/data?maxResults=1000"
                               "&formatOptions.useInt64Timestamp=true").get("rows", [])
                mine, theirs = [
                    sorted((tuple(map(comparable, kinds.values(), row)) for row in rows), key=repr)
                    for rows in ([[cell["v"] for cell in row["f"]] for row in cells],
                                 self.engine.rows(f"select * from `p`.`{statements.DATASET}`.`{table['target']}`"))]
                self.assertEqual(mine, theirs)

    def judged(self, collected, table, staging, wrong, parameters):
        """Whether a MERGE is found out: it is refused, or ends otherwise than the right one does in bqlocal."""
        staged = self.prepare(collected, table, staging)
        right = collected.merges[f"{table.name}.merge0"]
        given = bounds.of_rows(right, table.columns, staged)
        self.session.run(local(right), parameters=given)
        try:
            self.engine.run(local(wrong), parameters(given))
        except Refused:
            return True
        finally:
            ours, theirs = self.rows(table)
            self.drop(table.target, staging)
        return ours != theirs

    def test_a_wrong_bound_is_found_out(self):
        rng = sample.generator(25)
        for program, name, keys in (("bqsync_shapes", "accounts", [(number,) for number in range(-4, 5)]),
                                    ("bqsync_shapes", "devices", [(text,) for text in ("", "A", "a", "a ", "b", "é", "\U0001f600")])):
            collected = statements.collect(program, runs=False)
            listed = next(listed for listed in sample.tables(foreign.build_output(program), {}) if listed["table"] == name)
            table, staging = Table(listed, rng), statements.staging_name(listed)
            # The lowest and the highest key are those of staged rows that the target has.
            third, inner = len(keys) // 3, keys[1:-1]
            table.keys = lambda inner=inner, keys=keys, third=third: inner[:third] + [keys[0], keys[-1]] + inner[third:]
            kind = table.columns[0]["type"]

            def moved(side, by, given):
                others = [key[0] for key in keys]
                current = next(parameter for parameter in given if parameter["name"] == side)
                at = [edges.parameter(kind, key) for key in others].index(current["parameterValue"]["value"])
                return [bounds.named(side, kind, others[at + by]) if parameter is current else parameter
                        for parameter in given]

            right = collected.merges[f"{name}.merge0"]
            mistakes = {
                "the lowest key is left out": (right, lambda given: moved("low_1", 1, given)),
                "the highest key is left out": (right, lambda given: moved("high_1", -1, given)),
                "the ends are exchanged": (right.replace("@low_1 and @high_1", "@high_1 and @low_1"), list),
                "outside instead of inside": (right.replace(" between @low_1", " not between @low_1"), list),
                "an end is missing": (right, lambda given: given[:1]),
            }
            for mistake, (sql, parameters) in mistakes.items():
                with self.subTest(table=name, mistake=mistake):
                    self.assertTrue(self.judged(collected, table, staging, sql, parameters))
            self.assertFalse(self.judged(collected, table, staging, right, list))
            self.assertFalse(self.judged(collected, table, staging, bounds.without(right), list))

    def test_a_wrong_merge_is_found_out(self):
        rng = sample.generator(23)
        collected = statements.collect("bqsync_shapes", runs=False)
        listed = next(listed for listed in sample.tables(foreign.build_output("bqsync_shapes"), {})
                      if listed["table"] == "memberships")
        table, staging = Table(listed, rng), statements.staging_name(listed)
        table.keys = lambda: [(team, person) for team in "tu" for person in "abcdef"]
        right = collected.merges["memberships.merge0"]
        wrong = [right.replace("matched and s.", "matched and not s.", 1),
                 right.replace("not matched and not s.", "not matched and s."),
                 right.replace("`role` = s.`role`", "`role` = s.`team`"), right.replace("s.`since`\n", "s.`role`\n"),
                 right.replace("\n  and t.`person` = s.`person`", "")]
        for sql in wrong:
            with self.subTest(sql):
                self.assertNotEqual(sql, right)
                self.assertTrue(self.judged(collected, table, staging, sql, list))


if __name__ == "__main__":
    unittest.main()
