"""Every statement that bqsync can send to BigQuery, with the tables it speaks of: for judges of SQL.

The generated ones come from `bqsync ddl`. Those that are built at run time are taken from where they arrive: a
program syncs, verifies and repairs random data against bqlocal, whose list of jobs then holds each statement as
it was sent; `bqsync plan` tells the rest.
"""

import json
import re
import urllib.parse

from tests.conformance import sample
from tests.support import foreign
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

PROJECT = "my-project-1"
DATASET = "d"
# Of a staging table with JSON as text, a subquery is read. Few rows are a parameter of the statement.
STAGING = r"(?:\(select [^\n]* from )?(?:`[^`]+`\.`[^`]+`\.`([^`]+)`|unnest\(@rows\))"
MERGE = re.compile(r"merge into `[^`]+`\.`[^`]+`\.`([^`]+)` as \w+\nusing " + STAGING)
REFILL = re.compile(r"insert into `[^`]+`\.`[^`]+`\.`([^`]+)` \([^;]*?\nfrom " + STAGING + r"\)? as s")

KEPT = re.compile(r"merge into `[^`]+`\.`[^`]+`\.`([^`]+)` as bqsync_target\nusing \([^;]*?\n"
                  r"      from `[^`]+`\.`[^`]+`\.`([^`]+)`\n      group by")


class Collected:
    """ddl: {name: CREATE TABLE of a target}; merges: {name: MERGE}; other: {name: statement}; staging: the
    CREATE TABLE of each staging table that a MERGE names, and of each log;
    inline: {name: (MERGE or INSERT with its rows in the parameter
    @rows, the table's columns)}; columns: {table: [{"name", "type", "mode"}]}."""

    def __init__(self):
        self.inline = {}
        self.ddl, self.merges, self.other, self.staging, self.columns = {}, {}, {}, {}, {}


def split(text):
    """The statements of a file of the generator's: each ends with a semicolon at the end of a line."""
    bare = "\n".join(line for line in text.split("\n") if not line.startswith("--"))
    return [part.strip() for part in re.split(r";\s*(?:\n|$)", bare) if part.strip()]


def staging_ddl(columns, name):
    lines = [f"`{column['name']}` {column['type']}" for column in columns] + ["`_bqsync_deleted` bool"]
    return f"create table `{PROJECT}`.`{DATASET}`.`{name}` (\n  " + "\n  , ".join(lines) + "\n)"


def with_type(sql, columns):
    """The statement with an array of the parameter's type in the place of @rows, for an analyzer without parameters."""
    fields = [f"`{c['name']}` {'STRING' if c['type'] == 'JSON' else c['type']}" for c in columns]
    return sql.replace("@rows", f"cast([] as array<struct<{', '.join(fields)}, `_bqsync_deleted` BOOL>>)")


def collect(program, runs=True):
    """What a program with its compiled-in tables sends; with runs false the generated part of it."""
    out = Collected()
    listed = sample.tables(foreign.build_output(program), {})
    with Bqlocal(project=PROJECT, datasets=[DATASET]) as bq, Deployment(
            bq, program=program, dataset=DATASET, schema=sample.schema(listed)) as app:
        for table in listed:
            collect_generated(out, app, table)
        if not runs:
            return out
        exercise(bq, app, listed)
        collect_planned(out, bq, app, listed)
        app.run("sync")  # widens columns by ALTER TABLE; tables whose drift only a person can mend fail
        collect_sent(out, bq, listed)
    collect_text(out, program, [table for table in listed if has_json(table)])
    return out


def collect_parts(program="bqsync_lives"):
    """What fills tables of more partitions than one statement may change."""
    out = Collected()
    listed = [table for table in sample.tables(foreign.build_output(program), {})
              if table["table"].startswith("logged_")]
    with Bqlocal(project=PROJECT, datasets=[DATASET]) as bq, Deployment(
            bq, program=program, dataset=DATASET, schema=sample.schema(listed)) as app:
        with app.connect() as db:
            for table in listed:
                collect_generated(out, app, table)
                db.execute("with recursive n(x) as (select 0 union all select x + 1 from n where x < 3999) insert into "
                           f"{sample.quote(table['table'])} select x + 1, {PARTS[table['columns'][1]['type']]}"
                           f"{', null' * (len(table['columns']) - 2)} from n")
        app.sync(*(table["table"] for table in listed))
        collect_sent(out, bq, listed)
    return out


# A value of the second column that lies in another partition for each x.
PARTS = {"DATE": "date('1999-01-01', x || ' days')", "TIMESTAMP": "x * 3600", "INT64": "x * 10",
         "DATETIME": "date('1000-01-01', x || ' months')"}


def has_json(table):
    return any(column["type"] == "JSON" for column in table["columns"])


def collect_text(out, program, listed):
    """What is sent when BigQuery refuses to load a number in JSON: the table's JSON goes as text."""
    rng = sample.generator(5)
    with Bqlocal(project=PROJECT, datasets=[DATASET], args=["--json-numbers", "refuse"]) as bq, Deployment(
            bq, program=program, dataset=DATASET, schema=sample.schema(listed)) as app:
        for numbers in (range(40), range(40, 44)):
            with app.connect() as db:
                for table in listed:
                    sample.insert(db, table, numbers, rng)
                    for column in table["columns"]:
                        if column["type"] == "JSON":
                            db.execute(f"update {sample.quote(table['table'])} set {sample.quote(column['name'])} = ?",
                                       ("[67.174118]",))
            app.sync(*(table["table"] for table in listed))
        collect_sent(out, bq, [
            {**table, "columns": [{**column, "type": "STRING"} if column["type"] == "JSON" else column
                                  for column in table["columns"]]} for table in listed])


def collect_generated(out, app, table):
    name = table["table"]
    out.columns[name] = table["columns"]
    target, *history = split(generated(app, "sql", name))
    out.ddl[f"{name}.ddl0"] = target
    if history:
        log, *readers = history
        out.staging[f"{name}.log"] = log
        out.other.update({f"{name}.reader{number}": sql for number, sql in enumerate(readers)})
    for number, sql in enumerate(split(generated(app, "merge", name))):
        out.merges[f"{name}.merge{number}"] = name_staging(out, table, sql)


def generated(app, form, name):
    status, text, message = app.run("ddl", "--format", form, name)
    if status != 0:
        raise AssertionError(f"bqsync ddl {name}: {message}")
    return text


def staging_name(table):
    return "staging_" + re.sub(r"\W", "_", table["table"])


def name_staging(out, table, sql):
    """The statement with a real name where the generator's text has ${staging}, and that table's DDL."""
    name = staging_name(table)
    out.staging[name] = staging_ddl(table["columns"], name)
    return sql.replace("${staging}", name)


def exercise(bq, app, listed):
    """Makes a program send each kind of statement that it builds at run time."""
    rng = sample.generator(4)

    def change(numbers=(), changed=False):
        with app.connect() as db:
            for table in listed:
                if changed:
                    sample.update(db, table, rng)
                    sample.delete(db, table, rng, 0.1)
                sample.insert(db, table, numbers, rng)

    change(range(40))
    app.sync()
    change(range(40, 44), changed=True)
    app.sync()
    change(range(44, 46))
    app.sync()
    change(range(46, 48), changed=True)
    app.sync(BQ_SYNC_ATOMIC="1")
    for table in listed:
        key, target = table["key"][0], f"`{DATASET}`.`{table['target']}`"
        bq.query(f"delete from {target} where `{key}` = (select min(`{key}`) from {target} where {every_row(table)})"
                 f" and {every_row(table)}")
    app.json("verify", status=1)
    app.json("verify", "--repair")
    with app.connect() as db:
        for table in listed:
            spoil(db, table)
    app.run("sync", "--full")  # ends with 1: rows are rejected
    with app.connect() as db:
        for table in listed:
            db.execute("delete from " + sample.quote(table["table"]))
    app.sync("--full")


def every_row(table):
    """A condition that each row meets, on each column that may partition the table: it may require one."""
    names = [column["name"] for column in table["columns"]
             if column["type"] in ("INT64", "DATE", "DATETIME", "TIMESTAMP")]
    return " and ".join(["true", *(f"(`{name}` is null or `{name}` is not null)" for name in names)])


def spoil(db, table):
    """Makes a row unfit: no type but BYTES takes a blob that is no text."""
    column = next((column for column in table["columns"]
                   if column["type"] != "BYTES" and column["name"] not in table["key"]), None)
    if column is None:
        return
    name, key = (sample.quote(part) for part in (column.get("source", column["name"]), table["key"][0]))
    source = sample.quote(table["table"])
    db.execute(f"update {source} set {name} = x'ff' where {key} = (select min({key}) from {source})")


def collect_sent(out, bq, listed):
    by_target = {table["target"]: table for table in listed}
    path, token = "jobs?projection=full&allUsers=true&maxResults=1000", ""
    while token is not None:
        page = bq.get(path + token)
        for job in page.get("jobs", []):
            sql = job["configuration"].get("query", {}).get("query", "").strip()
            if sql and not sql.startswith(f"delete from `{DATASET}`"):
                add_sent(out, by_target, sql)
        token = "&pageToken=" + page["nextPageToken"] if "nextPageToken" in page else None


def add_sent(out, by_target, sql):
    kind = sql.split()[0].lower()
    for target, staging in MERGE.findall(sql) + REFILL.findall(sql) + KEPT.findall(sql):
        if not staging:
            out.inline[f"{by_target[target]['table']}.inline{len(out.inline)}"] = sql, by_target[target]["columns"]
            continue
        out.staging[staging] = staging_ddl(by_target[target]["columns"], staging)
        if kind == "merge":
            out.merges[f"{by_target[target]['table']}.sent{len(out.merges)}"] = sql
    if kind != "merge" and "unnest(@rows)" not in sql:
        out.other[f"{kind}{len(out.other)}"] = sql


def collect_planned(out, bq, app, listed):
    """The DDL for tables that have drifted from their definitions."""
    for table in listed:
        app.run("reset", table["table"])
        bq.delete(f"datasets/{DATASET}/tables/{urllib.parse.quote(table['target'])}")
        bq.post(f"datasets/{DATASET}/tables", drifted(bq, table))
    _, text, _ = app.run("plan", "--json")
    for item in json.loads(text)["tables"]:
        for number, sql in enumerate(item["ddl"]):
            out.other[f"{item['table']}.plan{number}"] = sql




def drifted(bq, table):
    """A table as it was before: the last column missing, the others REQUIRED, NUMERIC narrower."""
    fields = [{"name": column["name"], "mode": "REQUIRED",
               "type": {"NUMERIC": "INT64", "BIGNUMERIC": "NUMERIC"}.get(column["type"], column["type"])}
              for column in table["columns"][:-1]]
    return {"tableReference": bq.reference(DATASET, table["target"]), "schema": {"fields": fields}}
