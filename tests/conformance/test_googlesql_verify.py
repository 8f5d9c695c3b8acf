"""Google's engine computes verify's checksums of thousands of rows, under more than one default time zone.

bqsync sends rows of SQLite to bqlocal, and its checksums of them agree with bqlocal's. The engine holds the same values,
each from a literal of GoogleSQL, and must answer verify's queries as bqlocal did: so the C side's texts are those that
BigQuery's own engine makes. The engine has no GEOGRAPHY; such a column is a STRING there, as verify only asks whether it
is NULL.
"""

import re
import unittest

from tests.conformance import edges, sample, statements
from tests.conformance.engine import Engine
from tests.support import foreign
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

TIME_ZONES = ["UTC", "America/Los_Angeles", "Pacific/Kiritimati"]
ROWS = 3000
KEYED_ROWS = 60
ROWS_PER_INSERT = 250


def rows_of(table, count, rng):
    """Different keys; every value at a limit of its type comes up, and random ones."""
    limits = {column["name"]: edges.values(column["type"]) for column in table["columns"]}
    found = {}
    for number in range(4 * count):
        if len(found) == count:
            break
        row = [value_of(table, column, limits[column["name"]], number, rng) for column in table["columns"]]
        key = [edges.canonical(column["type"], value) for column, value in zip(table["columns"], row)
               if column["name"] in table["key"]]
        found.setdefault(repr(key), row)
    return list(found.values())


def value_of(table, column, limits, number, rng):
    if column["name"] in table["key"]:
        if len(table["key"]) == 1 and column["type"] == "INT64" and number >= len(limits):
            return number
    elif column["mode"] != "REQUIRED" and number >= len(limits) and rng.random() < 0.1:
        return None
    return limits[number] if number < len(limits) else edges.random_value(column["type"], rng)


class VerifyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = foreign.Stage("googlesql")
        cls.addClassCleanup(cls.stage.close)

    def synced(self, program, tables, rows):
        """(bqlocal, the deployment) after a sync of these rows; none is rejected, and verify agrees."""
        bq = self.enterContext(Bqlocal(project=statements.PROJECT, datasets=[statements.DATASET]))
        app = self.enterContext(
            Deployment(bq, program=program, dataset=statements.DATASET, schema=sample.schema(tables)))
        with app.connect() as db:
            db.execute("begin")
            for table in tables:
                marks = ", ".join("?" * len(table["columns"]))
                db.executemany(f"insert into {sample.quote(table['table'])} values ({marks})", rows[table["table"]])
            db.execute("commit")
        run = app.sync(*(table["table"] for table in tables))
        for table in tables:
            synced = app.table(run, table["table"])
            self.assertEqual((len(rows[table["table"]]), 0), (synced["rows_inserted"], synced["rows_rejected"]))
        app.json("verify", *(table["table"] for table in tables))
        return bq, app

    def filled(self, app, tables, rows):
        """An engine that holds the rows."""
        engine = self.enterContext(Engine(self.stage, project=statements.PROJECT))
        for table in tables:
            ddl = statements.generated(app, "sql", table["table"]).replace("${project}", statements.PROJECT)
            engine.run(re.sub("` geography", "` string", ddl.replace("${dataset}", statements.DATASET)))
            kinds = [column["type"].replace("GEOGRAPHY", "STRING") for column in table["columns"]]
            target = f"`{statements.PROJECT}`.`{statements.DATASET}`.`{table['target']}`"
            for start in range(0, len(rows[table["table"]]), ROWS_PER_INSERT):
                engine.run(f"insert into {target} values " + ",\n".join(
                    "(" + ", ".join(map(edges.literal, kinds, row)) + ")"
                    for row in rows[table["table"]][start:start + ROWS_PER_INSERT]))
        return engine

    def sent(self, bq, begins):
        """The queries of verify that bqlocal was sent."""
        jobs = bq.get("jobs?projection=full&allUsers=true&maxResults=1000")["jobs"]
        texts = [job["configuration"].get("query", {}).get("query", "") for job in jobs]
        return [sql for sql in texts if sql.startswith(begins)]

    def compare(self, bq, engine, queries):
        """Each query has bqlocal's answer in every default time zone."""
        self.assertTrue(queries)
        for sql in queries:
            ours = [tuple(None if value is None else str(value) for value in row.values()) for row in bq.query(sql)]
            self.assertTrue(ours)
            for time_zone in TIME_ZONES:
                engine.set_time_zone(time_zone)
                with self.subTest(sql[-400:], time_zone=time_zone):
                    self.assertEqual(sorted(ours, key=repr), sorted(engine.rows(sql), key=repr))

    def judge(self, program, names, count):
        rng = sample.generator(31)
        listed = sample.tables(foreign.build_output(program), {})
        tables = [table for table in listed if table["table"] in names]
        rows = {table["table"]: rows_of(table, count, rng) for table in tables}
        bq, app = self.synced(program, tables, rows)
        engine = self.filled(app, tables, rows)
        self.compare(bq, engine, self.sent(bq, "select r.bucket"))
        # All rows differ, so verify looks at the keys, the hashes and the JSON of each.
        for table in tables:
            column = next(column["name"] for column in table["columns"] if column["name"] in ("n", "b"))
            target = f"`{statements.PROJECT}`.`{statements.DATASET}`.`{table['target']}`"
            damage = f"update {target} set `{column}` = null where true"
            bq.query(damage)
            engine.run(damage)
        app.run("verify", *(table["table"] for table in tables))
        self.compare(bq, engine, self.sent(bq, "select concat("))

    def test_the_engine_follows_its_default_time_zone(self):
        asked = "select unix_micros(timestamp(datetime '1970-01-01 00:00:00'))"
        expected = [[("0",)], [("28800000000",)], [("38400000000",)]]
        self.assertEqual(expected, [self.enterContext(Engine(self.stage, time_zone=zone)).rows(asked)
                                    for zone in TIME_ZONES])
        engine = self.enterContext(Engine(self.stage))
        answers = []
        for zone in TIME_ZONES:
            engine.set_time_zone(zone)
            answers.append(engine.rows(asked))
        self.assertEqual(expected, answers)

    def test_every_type(self):
        self.judge("bqsync_shapes", ["everything"], ROWS)

    def test_keys_of_every_type(self):
        listed = sample.tables(foreign.build_output("bqsync_keys"), {})
        # A digest is not the value that SQLite holds.
        names = [table["table"] for table in listed if table["table"] != "digests"]
        self.judge("bqsync_keys", names, KEYED_ROWS)


if __name__ == "__main__":
    unittest.main()
