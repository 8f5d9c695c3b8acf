"""What only BigQuery itself can answer, in the order of how much depends on it.

Each question is a generator of findings: (what was asked, the answer, whether it is as bqsync relies on: True, False, or
None where bqsync works either way).
"""

from tests.live.place import resources
from tests.support import avro_writer
from tests.support.bqlocal import HttpError

REQUIRED = [("id", "INT64", "REQUIRED"), ("s", "STRING", "REQUIRED"), ("n", "INT64", "NULLABLE")]
PLAIN_FILE = avro_writer.container([("id", "long"), ("s", "string"), ("n", ["null", "long"])], [(1, "a", None), (2, "b", 5)])
UNION_FILE = avro_writer.container(
    [("id", ["null", "long"]), ("s", ["null", "string"]), ("n", ["null", "long"])], [(1, "a", None)])
REPLACE = {"writeDisposition": "WRITE_TRUNCATE_DATA"}
APPEND = {"writeDisposition": "WRITE_APPEND"}


def with_schema(fields):
    return {"schema": {"fields": resources(fields)}}


def modes(table):
    return {field["name"]: field.get("mode", "NULLABLE") for field in table["schema"]["fields"]}


def required_columns(place):
    for disposition in (APPEND, REPLACE):
        verb = disposition["writeDisposition"]
        for schema, relied in ((with_schema(REQUIRED), True), ({}, None)):
            table = place.create(REQUIRED)
            error = place.load(table, PLAIN_FILE, **disposition, **schema)
            kept = modes(place.table(table)) == {name: mode for name, _, mode in REQUIRED}
            asked = f"{verb} of plain Avro types into REQUIRED columns, {'with' if schema else 'without'} a schema in the job"
            answer = error or f"loaded; modes {'kept' if kept else 'changed'}"
            yield asked, answer, relied and error is None and kept
    table = place.create(REQUIRED)
    error = place.load(table, UNION_FILE, **APPEND, **with_schema(REQUIRED))
    yield "APPEND of unions with null into REQUIRED columns", error or "loaded", None


JSON_TEXTS = ["67.174118", "1685019801.1016695", "18446744073709551616", "0.1", "-0.0", "-0", "1.50", '"\\u0000"',
              '{"a": 1, "a": 2}', '"\\ud800"']


def json_values(place):
    fields = [("id", "INT64", "NULLABLE"), ("j", "JSON", "NULLABLE")]
    for text in JSON_TEXTS:
        table = place.create(fields)
        media = avro_writer.container([("id", "long"), ("j", avro_writer.JSON)], [(1, text)])
        error = place.load(table, media, **with_schema(fields))
        answer = error or next(iter(place.client.query(f"select to_json_string(j) as t from {place.name(table)}")))["t"]
        yield f"JSON `{text}` loaded from Avro", answer if error else f"reads `{answer}`", None
        yield f"JSON `{text}` by parse_json(.., wide_number_mode => 'round')", parsed(place, text), None


def parsed(place, text):
    parameter = {"name": "t", "parameterType": {"type": "STRING"}, "parameterValue": {"value": text}}
    try:
        rows = place.client.query(
            "select to_json_string(parse_json(@t, wide_number_mode => 'round')) as t", parameters=[parameter])
        return f"reads `{rows[0]['t']}`"
    except HttpError as error:
        return error.message


def text_with_zero_byte(place):
    fields = [("s", "STRING", "NULLABLE")]
    table = place.create(fields)
    error = place.load(table, avro_writer.container([("s", "string")], [("a\0b",)]), **with_schema(fields))
    answer = error or f"loaded; length {place.client.scalar(f'select length(s) from {place.name(table)}')}"
    yield "STRING with U+0000 loaded from Avro", answer, None


def datetimes(place):
    fields = [("moment", "DATETIME", "NULLABLE")]
    media = avro_writer.container([("moment", avro_writer.DATETIME)], [(1_700_000_000_123_456,), (-62_135_596_800_000_000,)])
    for schema, relied in ((with_schema(fields), True), ({}, None)):
        table = place.create(fields)
        error = place.load(table, media, **APPEND, **schema)
        asked = f"DATETIME from local-timestamp-micros, {'with' if schema else 'without'} a schema in the job"
        if error:
            yield asked, error, relied and False
            continue
        rows = place.client.query(f"select cast(moment as string) as t from {place.name(table)} order by moment")
        read = [row["t"] for row in rows]
        right = read == ["0001-01-01 00:00:00", "2023-11-14 22:13:20.123456"]
        yield asked, f"reads {', '.join(read)}", relied and right


def one_column_more(place):
    fields = REQUIRED + [("extra", "STRING", "NULLABLE")]
    described = [{**field, "description": f"about {field['name']}"} for field in resources(fields)]
    for what, schema, relied in (("the table's schema", {"schema": {"fields": described}}, None),
                                 ("the file's schema", with_schema(REQUIRED), None), ("no schema", {}, None)):
        table = place.create(fields, clustering={"fields": ["id"]}, description="about it", schema={"fields": described},
                             tableConstraints={"primaryKey": {"columns": ["id"]}})
        error = place.load(table, PLAIN_FILE, **REPLACE, **schema)
        now = place.table(table)
        there = {field["name"]: field.get("description") for field in now["schema"]["fields"]}
        kept = {"columns": list(there) == [name for name, _, _ in fields],
                "column descriptions": there.get("id") == "about id", "description": now.get("description") == "about it", "clustering": "clustering" in now,
                "primary key": "primaryKey" in now.get("tableConstraints", {})}
        lost = [name for name, is_kept in kept.items() if not is_kept]
        yield (f"WRITE_TRUNCATE_DATA where the table has one column more than the file, {what} in the job",
               error or (f"loaded; lost: {', '.join(lost)}" if lost else "loaded; all kept"), relied)
    table = place.create(REQUIRED, clustering={"fields": ["id"]}, tableConstraints={"primaryKey": {"columns": ["id"]}})
    error = place.load(table, PLAIN_FILE, **REPLACE, **with_schema(REQUIRED))
    now = place.table(table)
    kept = "clustering" in now and "primaryKey" in now.get("tableConstraints", {})
    yield ("WRITE_TRUNCATE_DATA with the table's own schema in the job",
           error or f"loaded; clustering and primary key {'kept' if kept else 'lost'}", error is None and kept)


def refused_alter(place):
    """The target's balance is an INT64 that bqsync widens to NUMERIC by ALTER TABLE."""
    if place.denied is None:
        yield "a refused ALTER, then the permission, then the next pass", (
            "not asked: BQSYNC_LIVE_WEAK_CREDENTIALS names no key of an account without bigquery.tables.update"), None
        return
    place.forget_database()
    place.script("insert into accounts values (1, 'a@x', 1.5, null)")
    fields = [("id", "INT64", "REQUIRED"), ("email", "STRING", "REQUIRED"), ("balance", "INT64", "NULLABLE"),
              ("note", "STRING", "NULLABLE")]
    place.client.post(f"datasets/{place.dataset}/tables", {
        "tableReference": place.reference("accounts"), "schema": {"fields": resources(fields)}})
    with place.denied("bigquery.tables.update") as environment:
        _, document = place.bqsync("sync", "accounts", environment=environment)
    refused = document["tables"][0]["error"]
    yield "ALTER TABLE without bigquery.tables.update", refused["message"] if refused else "accepted", bool(refused)
    status, document = place.bqsync("sync", "accounts")
    failed = document["tables"][0]["error"]
    yield "the next pass, with the permission", failed["message"] if failed else "synced", status == 0


def collation(place):
    try:
        dataset = place.create_dataset("ci", defaultCollation="und:ci")
    except HttpError as error:
        yield "a dataset with defaultCollation und:ci", error.message, None
        return
    for what, more in (("", {}), (" with defaultCollation \"\" of its own", {"defaultCollation": ""})):
        table = place.create([("s", "STRING", "NULLABLE")], dataset, **more)
        place.client.query(f"insert into {place.name(table, dataset)} (s) values ('a'), ('A')")
        equal = place.client.scalar(f"select count(*) from {place.name(table, dataset)} where s = 'a'")
        yield (f"a table of a dataset with collation und:ci{what}: how many of 'a' and 'A' are equal to 'a'", str(equal),
               equal == 1 if more else None)
    place.forget_database()
    place.script("insert into settings values ('a', 'small'), ('A', 'large')")
    place.bqsync("sync", "settings", dataset=dataset)
    place.script("update settings set value = 'changed' where name = 'a'")
    status, document = place.bqsync("sync", "settings", dataset=dataset)
    failed = document["tables"][0]["error"]
    values = {} if failed else {row["name"]: row["value"] for row in place.client.rows(dataset, "settings")}
    yield ("bqsync in that dataset: 'a' changes and 'A' does not", failed["message"] if failed else str(values),
           bool(failed) or values == {"a": "changed", "A": "large"})


def partition_expiration(place):
    day = 86_400_000
    try:
        dataset = place.create_dataset("expires", defaultPartitionExpirationMs=str(day))
    except HttpError as error:
        yield "a dataset with a default partition expiration", error.message, None
        return
    fields = [("at", "TIMESTAMP", "NULLABLE")]
    for what, more in (("nothing said", {}), ("expirationMs 0", {"expirationMs": "0"}),
                       ("expirationMs null", {"expirationMs": None})):
        try:
            table = place.create(fields, dataset, timePartitioning={"type": "DAY", "field": "at", **more})
            answer = place.table(table, dataset)["timePartitioning"].get("expirationMs", "none")
        except HttpError as error:
            answer = error.message
        yield f"partition expiration of a new table in a dataset that has a default of one day, {what}", str(answer), None


def merge_bill(place):
    fields = [("id", "INT64", "REQUIRED"), ("pad", "STRING", "NULLABLE")]
    clustered = place.create(fields, clustering={"fields": ["id"]})
    plain = place.create(fields)
    staging = place.create(fields)
    pad = "x" * 100
    for table in (plain, clustered):
        name = place.name(table)
        values = ", ".join(f"({n}, '{pad}')" for n in range(1000))
        place.client.query(f"insert into {name} (id, pad) values {values}")
        rows = 1000
        while rows < place.many_rows:
            place.client.query(f"insert into {name} (id, pad) select id + {rows}, pad from {name}")
            rows *= 2
    place.client.query(f"insert into {place.name(staging)} (id, pad) values (1, 'new'), (2, 'new'), (7, 'new')")
    for what, table, bounds in (("plain", plain, ""), ("clustered by the key", clustered, ""),
                                ("clustered, with bounds of the key in ON", clustered, " and t.id between 1 and 7")):
        job = place.query_job(
            f"merge into {place.name(table)} as t using {place.name(staging)} as s on t.id = s.id{bounds} "
            "when matched then update set pad = s.pad when not matched then insert (id, pad) values (s.id, s.pad)")
        size = place.table(table)["numBytes"]
        billed = job["statistics"]["query"].get("totalBytesBilled", "?")
        failed = job["status"].get("errorResult", {}).get("message")
        yield (f"MERGE of 3 rows into {rows} rows, {what}",
               failed or f"billed {billed} bytes; the table has {size}", None)


def job_ids(place):
    body = {"configuration": {"query": {"query": "select 1", "useLegacySql": False}}}
    location = place.client.get(f"datasets/{place.dataset}")["location"]
    reference = {"projectId": place.client.project, "location": location, "jobId": f"bqsync_live_{place.folder.name}"}
    place.client.run({**body, "jobReference": reference})
    try:
        place.client.post("jobs", {**body, "jobReference": reference})
        yield "a job id used twice", "accepted twice", False
    except HttpError as error:
        yield "a job id used twice", f"{error.status} {error.reason}", error.status == 409


def geography(place):
    fields = [("g", "GEOGRAPHY", "NULLABLE")]
    table = place.create(fields)
    error = place.load(table, avro_writer.container([("g", "string")], [("POINT(1 2)",)]), **APPEND, **with_schema(fields))
    yield "WKT in an Avro string loaded into GEOGRAPHY", error or "loaded", error is None


QUESTIONS = [
    ("REQUIRED columns", required_columns),
    ("JSON", json_values),
    ("U+0000", text_with_zero_byte),
    ("DATETIME", datetimes),
    ("One column more", one_column_more),
    ("A refused ALTER", refused_alter),
    ("Collation", collation),
    ("Partition expiration", partition_expiration),
    ("What a MERGE bills", merge_bill),
    ("Job ids", job_ids),
    ("GEOGRAPHY", geography),
]
