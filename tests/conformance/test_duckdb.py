"""A foreign engine runs the generated SQL: DuckDB, behind a translator, ends with bqlocal's rows.

The same random batches of changes go to both; each is merged by the statements that the generator wrote, without the
bounds of keys in DuckDB, which must make no difference. Column descriptions and table options are taken out first (the translator cannot read them), keys that nobody enforces and the
digits of decimals are DuckDB's (see duckdb/run.js).
"""

import base64
import json
import pathlib
import re
import tempfile
import unittest

from tests.conformance import bounds, sample, statements
from tests.support import foreign
from tests.support.bqlocal import Bqlocal

COLUMN_OPTIONS = re.compile(r' options \(description = "(?:\\.|[^"\\])*"\)')
TABLE_OPTIONS = re.compile(r"\noptions \(.*", re.S)
BATCHES = 3
# How DuckDB says a value so that both engines' texts can be compared.
SHOWN = {"BYTES": "hex({})", "TIME": "cast({} as varchar)", "DATETIME": "cast(epoch_us({}) as varchar)",
         "TIMESTAMP": "cast(epoch_us({}) as varchar)"}


def held(kind, cell, rng):
    """A value that both engines hold and NDJSON can say: DuckDB's decimals have 38 digits, and a JSON null is NULL."""
    if kind == "BIGNUMERIC" and cell is not None:
        return sample.value("NUMERIC", rng)
    return "[null]" if kind == "JSON" and cell == "null" else cell


def batch(table, size, rng):
    """Rows of a staging table, one a key; the last value says that the row is gone."""
    rows = {}
    for _ in range(size):
        number = rng.randrange(size * 2)
        # Keys are made of the number alone, so that batches meet.
        keys = sample.row(table, number, sample.generator(number))
        row = sample.row(table, number, rng)
        rows[number] = [key if column["name"] in table["key"] else held(column["type"], cell, rng)
                        for column, cell, key in zip(table["columns"], row, keys)] + [rng.random() < 0.25]
    return list(rows.values())


def literal(kind, cell):
    """A value in DuckDB's SQL."""
    if cell is None:
        return "null"
    if kind == "BYTES":
        return f"unhex('{cell.hex()}')"
    if kind in ("INT64", "BOOL"):
        return f"cast({cell} as {'bigint' if kind == 'INT64' else 'boolean'})"
    text = repr(cell) if kind == "FLOAT64" else str(cell).replace("'", "''")
    names = {"FLOAT64": "double", "NUMERIC": "decimal(38, 9)", "BIGNUMERIC": "decimal(38, 9)", "STRING": "varchar",
             "DATETIME": "timestamp", "TIMESTAMP": "timestamp", "GEOGRAPHY": "varchar"}
    return f"cast('{text.removesuffix('Z') if kind == 'TIMESTAMP' else text}' as {names.get(kind, kind)})"


def ndjson(table, rows):
    """The rows for a load into bqlocal's staging table."""
    lines = []
    for row in rows:
        cells = {}
        for column, cell in zip(table["columns"], row):
            if cell is None:
                continue
            if column["type"] == "BYTES":
                cell = base64.b64encode(cell).decode()
            elif column["type"] == "BOOL":
                cell = bool(cell)
            elif column["type"] in ("DATETIME",):
                cell = cell.replace(" ", "T")
            elif column["type"] == "JSON":
                cell = json.loads(cell)
            cells[column["name"]] = cell
        lines.append(json.dumps({**cells, "_bqsync_deleted": row[-1]}))
    return "\n".join(lines).encode()


def normal(kind, text):
    """One text for one value, whichever engine wrote it."""
    if text is None:
        return None
    if kind in ("NUMERIC", "BIGNUMERIC"):
        return text.rstrip("0").rstrip(".") if "." in text else text
    if kind == "FLOAT64":
        return float(text)
    if kind == "JSON":
        return json.dumps(json.loads(text), sort_keys=True)
    if kind == "TIME":
        return re.sub(r"\.?0+$", "", text) if "." in text else text
    return text


class DuckDbTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = foreign.Stage("duckdb")
        cls.addClassCleanup(cls.stage.close)
        cls.collected, cls.tables = {}, {}
        for program in ("bqsync_samples", "bqsync_shapes", "bqsync_torture"):
            cls.collected[program] = statements.collect(program, runs=False)
            for table in sample.tables(foreign.build_output(program), {}):
                if table["mode"] != "replace":
                    cls.tables[f"{program}/{table['table']}"] = (cls.collected[program], table)

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(project=statements.PROJECT, datasets=[statements.DATASET]))
        self.steps = [{"duckdb": f"attach ':memory:' as \"{statements.PROJECT}\""},
                      {"duckdb": f"create schema \"{statements.PROJECT}\".{statements.DATASET}"}]
        self.wanted = []

    def prepare(self, collected, table):
        """Makes target and staging table on both sides by the generated DDL."""
        ddl = collected.ddl[f"{table['table']}.ddl0"]
        staging = collected.staging[statements.staging_name(table)]
        self.bq.query(ddl)
        self.bq.query(staging)
        self.steps += [{"bigquery": TABLE_OPTIONS.sub("", COLUMN_OPTIONS.sub("", sql))} for sql in (ddl, staging)]

    def apply(self, collected, table, rows, number):
        """Brings a batch to both sides' staging tables and merges it by the generated statement."""
        staging = statements.staging_name(table)
        path = f'"{statements.PROJECT}".{statements.DATASET}."{staging}"'
        job = self.bq.load(statements.DATASET, staging, ndjson(table, rows), sourceFormat="NEWLINE_DELIMITED_JSON",
                           writeDisposition="WRITE_TRUNCATE_DATA")
        self.assertNotIn("errorResult", job["status"])
        kinds = [column["type"] for column in table["columns"]] + ["BOOL"]
        values = ", ".join("(" + ", ".join(map(literal, kinds, row)) + ")" for row in rows)
        merge = collected.merges[f"{table['table']}.merge{number}"]
        self.bq.query(merge, parameters=bounds.of_rows(merge, table["columns"], rows))
        self.steps += [{"duckdb": f"delete from {path}"}, {"duckdb": f"insert into {path} values {values}"},
                       {"bigquery": bounds.without(merge)}]

    def look(self, table):
        """Notes what bqlocal holds now, and has DuckDB say what it holds."""
        shown = ", ".join(SHOWN.get(column["type"], "cast({} as varchar)").format(f'"{column["name"]}"')
                          for column in table["columns"])
        self.steps.append({"rows": f"select {shown} from \"{statements.PROJECT}\".{statements.DATASET}."
                                   f"\"{table['target']}\""})
        picked = ", ".join(self.shown_by_bigquery(column) for column in table["columns"])
        rows = self.bq.query(f"select {picked} from `{statements.DATASET}`.`{table['target']}`")
        self.wanted.append((table, [list(row.values()) for row in rows]))

    def shown_by_bigquery(self, column):
        name, kind = f"`{column['name']}`", column["type"]
        return {"BYTES": f"upper(to_hex({name}))", "DATETIME": f"cast(unix_micros(timestamp({name})) as string)",
                "TIMESTAMP": f"cast(unix_micros({name}) as string)",
                "GEOGRAPHY": name, "JSON": f"if({name} is null, null, to_json_string({name}))"}.get(kind, f"cast({name} as string)")

    def compare(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "steps.json"
            path.write_text(json.dumps(self.steps))
            ended = self.stage.run("run.js", path)
        self.assertEqual(0, ended.returncode, ended.stderr[-3000:])
        for (table, wanted), got in zip(self.wanted, json.loads(ended.stdout), strict=True):
            kinds = [column["type"] for column in table["columns"]]
            ours, theirs = (sorted(([*map(normal, kinds, row)] for row in rows), key=repr) for rows in (wanted, got))
            with self.subTest(table=table["table"]):
                self.assertTrue(ours)
                self.assertEqual(ours, theirs)

    def test_random_batches_end_alike(self):
        rng = sample.generator(11)
        for name, (collected, table) in self.tables.items():
            self.prepare(collected, table)
            for _ in range(BATCHES):
                self.apply(collected, table, batch(table, 10, rng), 0)
            self.look(table)
        self.compare()

    def test_new_rows_end_alike(self):
        rng = sample.generator(12)
        for name, (collected, table) in self.tables.items():
            self.prepare(collected, table)
            for _ in range(2):
                self.apply(collected, table, [row[:-1] + [False] for row in batch(table, 8, rng)], 1)
            self.look(table)
        self.compare()


if __name__ == "__main__":
    unittest.main()
