"""Views and table functions of bqlocal through REST: resources, lists, jobs, permissions and the bill."""

import json

from tests.bqlocal.tests.rest_case import RestCase

MEGABYTE = 1 << 20
VIEW_ERROR = "p:d.v is not allowed for this operation because it is currently a VIEW."
LINES = {"sourceFormat": "NEWLINE_DELIMITED_JSON"}


def view(name, query, **more):
    return {"tableReference": {"projectId": "p", "datasetId": "d", "tableId": name},
            "view": {"query": query, "useLegacySql": False}, **more}


class Views(RestCase):
    def setUp(self):
        super().setUp()
        self.bq.query("create table d.t (id int64 not null, name string); insert d.t values (1, 'a'), (2, 'b')")

    def test_a_view_is_made_read_listed_changed_and_deleted(self):
        made = self.bq.post("datasets/d/tables", view(
            "v", "select id from d.t", description="words", labels={"k": "v"},
            schema={"fields": [{"name": "id", "type": "INTEGER", "description": "the key"}]}))

        self.assertEqual((made["type"], made["numRows"], made["numBytes"]), ("VIEW", "0", "0"))
        self.assertEqual(made["view"], {"query": "select id from d.t", "useLegacySql": False})
        self.assertEqual(made["schema"]["fields"], [{"name": "id", "type": "INTEGER", "description": "the key"}])
        listed = {one["tableReference"]["tableId"]: one for one in self.bq.get("datasets/d/tables")["tables"]}
        self.assertEqual({name: one["type"] for name, one in listed.items()}, {"t": "TABLE", "v": "VIEW"})
        self.assertEqual((listed["v"]["view"], listed["v"]["labels"]), ({"useLegacySql": False}, {"k": "v"}))
        changed = self.bq.patch("datasets/d/tables/v", {"view": {"query": "select * from d.t", "useLegacySql": False}})
        self.assertEqual([field["name"] for field in changed["schema"]["fields"]], ["id", "name"])
        self.assertEqual(changed["description"], "words")
        named = self.bq.patch("datasets/d/tables/v", {
            "view": {"query": "select id from d.t", "useLegacySql": False, "useExplicitColumnNames": True},
            "schema": {"fields": [{"name": "a", "type": "INTEGER"}]}})
        self.assertEqual(self.bq.query("select a from d.v order by 1"), [{"a": 1}, {"a": 2}])
        self.assertEqual([field["name"] for field in named["schema"]["fields"]], ["a"])
        self.bq.patch("datasets/d/tables/v", {"view": {"query": "select * from d.t", "useLegacySql": False}})
        self.bq.patch("datasets/d/tables/v", {"description": None, "labels": {"l": "w"}})
        self.assertEqual(self.bq.table("d", "v")["labels"], {"k": "v", "l": "w"})
        self.assertEqual(self.bq.query("select name from d.v where id = 2"), [{"name": "b"}])
        self.bq.delete("datasets/d/tables/v")
        self.refuse(404, "notFound", self.bq.get, "datasets/d/tables/v")

    def test_a_view_that_cannot_be_is_refused(self):
        def make(*args, **more):
            return self.bq.post, "datasets/d/tables", view("v", *args, **more)

        self.refuse(404, "notFound", *make("select * from d.none"))
        self.refuse(400, "invalidQuery", *make("select nope from d.t"))
        self.refuse(400, "invalidQuery", *make("drop table d.t"))
        self.refuse(400, "required", *make(""))
        self.refuse(400, "invalid", *make("select id from d.t", clustering={"fields": ["id"]}))
        self.refuse(501, "notImplemented", self.bq.post, "datasets/d/tables",
                    {**view("v", ""), "view": {"query": "select id from [p:d.t]"}})
        self.refuse(400, "invalid", self.bq.patch, "datasets/d/tables/t", {"view": {"query": "select 1 as x", "useLegacySql": False}})
        self.assertEqual([one["tableReference"]["tableId"] for one in self.bq.get("datasets/d/tables")["tables"]], ["t"])

    def test_a_view_takes_no_rows_and_lists_none(self):
        self.bq.query("create view d.v as select id from d.t")

        self.assertEqual(self.refuse(400, "invalid", self.bq.get, "datasets/d/tables/v/data").message,
                         "Cannot list a table of type VIEW.")
        for disposition in ("WRITE_APPEND", "WRITE_TRUNCATE", "WRITE_EMPTY"):
            loaded = self.bq.load("d", "v", b'{"id": 1}', writeDisposition=disposition, **LINES)
            copies = [{"sourceTable": self.bq.reference("d", a), "destinationTable": self.bq.reference("d", b)}
                      for a, b in (("t", "v"), ("v", "t"), ("v", "new"))]
            jobs = [{"copy": {**copy, "writeDisposition": disposition}} for copy in copies]
            jobs.append({"query": {"query": "select 1 as id", "useLegacySql": False, "writeDisposition": disposition,
                                   "destinationTable": self.bq.reference("d", "v")}})
            for job in [loaded, *(self.bq.run({"configuration": job}) for job in jobs)]:
                with self.subTest(disposition=disposition, job=job["configuration"]):
                    self.assertEqual(job["status"]["errorResult"]["message"], VIEW_ERROR)
        self.refuse(404, "notFound", self.bq.get, "datasets/d/tables/new")
        self.assertEqual(self.bq.query("select count(*) as n from d.t"), [{"n": 2}])

    def test_a_dataset_with_a_function_is_deleted_only_with_its_contents(self):
        self.bq.query("drop table d.t; create table function d.f() as select 1 as x")

        self.refuse(400, "resourceInUse", self.bq.delete, "datasets/d")
        self.bq.delete("datasets/d?deleteContents=true")
        self.bq.post("datasets", {"datasetReference": {"datasetId": "d"}})
        self.assertEqual(self.bq.get("datasets/d/routines").get("routines", []), [])

    def test_a_function_is_read_listed_and_deleted(self):
        job = self.run_sql("create table function d.f(`at` timestamp, n int64) options(description='words') as select n as x")
        statistics = job["statistics"]["query"]
        self.assertEqual((statistics["statementType"], statistics["ddlOperationPerformed"], statistics["ddlTargetRoutine"]),
                         ("CREATE_TABLE_FUNCTION", "CREATE", {"projectId": "p", "datasetId": "d", "routineId": "f"}))

        made = self.bq.get("datasets/d/routines/f")
        self.assertEqual(made["arguments"], [{"name": "at", "dataType": {"typeKind": "TIMESTAMP"}},
                                             {"name": "n", "dataType": {"typeKind": "INT64"}}])
        self.assertEqual({key: made[key] for key in ("routineType", "language", "definitionBody", "description")},
                         {"routineType": "TABLE_VALUED_FUNCTION", "language": "SQL",
                          "definitionBody": "select n as x", "description": "words"})
        self.assertEqual([one["routineReference"]["routineId"] for one in self.bq.get("datasets/d/routines")["routines"]], ["f"])
        self.bq.query("create table function d.g() as select 1 as x")
        page = self.bq.get("datasets/d/routines?maxResults=1")
        self.assertEqual([one["routineReference"]["routineId"] for one in self.bq.get(
            f"datasets/d/routines?pageToken={page['nextPageToken']}")["routines"]], ["g"])
        self.bq.delete("datasets/d/routines/f")
        self.refuse(404, "notFound", self.bq.get, "datasets/d/routines/f")

    def run_sql(self, sql, **more):
        job = self.bq.run({"configuration": {"query": {"query": sql, "useLegacySql": False, **more}}})
        self.assertNotIn("errorResult", job["status"])
        return job

    def test_permissions_are_those_of_views_and_functions(self):
        self.bq.query("create view d.v as select id from d.t; create table function d.f() as select id from d.t")
        for permission, statements in {
                "bigquery.tables.create": ["create view d.w as select 1 as x"],
                "bigquery.tables.delete": ["drop view d.v"],
                "bigquery.tables.getData": ["select * from d.v", "select * from d.f()", "create view d.w as select id from d.t"],
                "bigquery.tables.update": ["create or replace view d.w as select 1 as x"],
                "bigquery.routines.update": ["create or replace table function d.g() as select 1 as x"],
                "bigquery.routines.create": ["create or replace table function d.f() as select 1 as x"],
                "bigquery.routines.delete": ["drop table function d.f"]}.items():
            self.bq.faults({"action": "deny", "permission": permission})
            for sql in statements:
                with self.subTest(sql):
                    job = self.bq.run({"configuration": {"query": {"query": sql, "useLegacySql": False}}})
                    self.assertIn(permission, job["status"]["errorResult"]["message"])
        self.bq.clear_faults()
        self.assertEqual(self.bq.query("select count(*) as n from d.v"), [{"n": 2}])


class Geography(RestCase):
    def test_a_place_is_compared_by_its_text(self):
        self.bq.query("create table d.t (place geography)")
        self.bq.load("d", "t", b'{"place": "POINT(1 2)"}\n{"place": null}', **LINES)

        self.assertEqual(self.bq.query("select st_astext(place) as x from d.t order by st_astext(place)"),
                         [{"x": None}, {"x": "POINT(1 2)"}])
        self.refuse(400, "invalidQuery", self.bq.query, "select st_astext('POINT(1 2)')")


class Bill(RestCase):
    def setUp(self):
        super().setUp()
        self.bq.query("create table d.t (id int64, made timestamp, name string) partition by timestamp_trunc(made, day) cluster by id")
        lines = [json.dumps({"id": n, "made": f"2026-01-{1 + n // 2000:02}T00:00:00Z", "name": f"{n:0800}"}) for n in range(20000)]
        job = self.bq.load("d", "t", "\n".join(lines).encode(), **LINES)
        self.assertNotIn("errorResult", job["status"])
        self.bq.query("create view d.v as select id, name from d.t; create view d.w as select a.id from d.v as a join d.t as b on a.id = b.id; "
                      "create table function d.f(moment timestamp) as select id, name from d.t where made >= moment")
        self.whole = self.bill("select * from d.t")

    def bill(self, sql, billed=False, **more):
        job = self.bq.run({"configuration": {"query": {"query": sql, "useLegacySql": False, **more}}})
        self.assertNotIn("errorResult", job["status"])
        return int(job["statistics"]["query"]["totalBytesBilled" if billed else "totalBytesProcessed"])

    def test_a_view_bills_the_tables_beneath_it_once(self):
        self.assertGreater(self.whole, 15 * MEGABYTE)
        for sql in ("select * from d.v", "select * from d.w", "select v.id from d.v join d.t on v.id = t.id"):
            with self.subTest(sql):
                self.assertEqual(self.bill(sql), self.whole)
        self.assertEqual(0, self.bill("create or replace view d.w as select id from d.v", billed=True))
        self.assertEqual(0, self.bill("create or replace table function d.f(x int64) as select id from d.v", billed=True))

    def test_a_function_bills_the_partitions_that_its_arguments_leave(self):
        self.assertAlmostEqual(self.whole * 3 / 10, self.bill("select * from d.f(timestamp '2026-01-08 00:00:00+00')"), delta=MEGABYTE)
        self.assertEqual(self.whole, self.bill("select * from d.f('2020-01-01 00:00:00+00')"))

    def test_rows_of_a_parameter_are_inserted_for_nothing(self):
        parameter = {"name": "rows", "parameterType": {"type": "ARRAY", "arrayType": {"type": "STRUCT", "structTypes": [
            {"name": "id", "type": {"type": "INT64"}}]}},
            "parameterValue": {"arrayValues": [{"structValues": {"id": {"value": "7"}}}]}}
        insert = "insert into d.t (id) select id from unnest(@rows)"

        self.assertEqual(0, self.bill(insert, billed=True, queryParameters=[parameter]))
        self.assertEqual(0, self.bill("insert into d.t (id) values (1)", billed=True))
        self.assertLess(0, self.bill(insert + " where id not in (select id from d.t)", billed=True, queryParameters=[parameter]))
        script = self.bill(f"begin transaction; {insert}; update d.t set name = 'x' where id = 7 and made is null; commit transaction",
                           queryParameters=[parameter])
        self.assertEqual(script, self.bill("update d.t set name = 'x' where id = 7 and made is null"))
