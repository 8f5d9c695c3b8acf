"""Google's own client for Python, unmodified, drives bqlocal through what an application does.

Environment: BQLOCAL_URL, BQLOCAL_PROJECT. Runs under whichever Python has the packages of requirements.txt.
"""

import datetime
import decimal
import io
import json
import os
import unittest
import urllib.request

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery import dbapi

URL, PROJECT = os.environ["BQLOCAL_URL"], os.environ["BQLOCAL_PROJECT"]
UTC = datetime.timezone.utc
Field, Param, Array = bigquery.SchemaField, bigquery.ScalarQueryParameter, bigquery.ArrayQueryParameter
SCHEMA = [Field("id", "INT64", mode="REQUIRED", description="the key"), Field("name", "STRING"), Field("born", "DATE"),
          Field("paid", "NUMERIC")]
# A value of each type that has parameters, as the client gives it back.
VALUES = {
    "INT64": -9007199254740993, "FLOAT64": 0.1, "BOOL": False, "STRING": "it's größe \\ \n", "BYTES": b"\x00\xff'",
    "NUMERIC": decimal.Decimal("-1.000000001"), "BIGNUMERIC": decimal.Decimal("1E-38"),
    "DATE": datetime.date(1, 1, 1), "TIME": datetime.time(23, 59, 59, 999999),
    "DATETIME": datetime.datetime(9999, 12, 31, 23, 59, 59, 999999),
    "TIMESTAMP": datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
}


def faults(*rules):
    body = json.dumps({"faults": rules}).encode()
    urllib.request.urlopen(urllib.request.Request(URL + "/bqlocal/faults", body, method="PUT")).close()


class CoreTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = bigquery.Client(project=PROJECT, credentials=AnonymousCredentials(),
                                     client_options={"api_endpoint": URL})
        cls.dataset = bigquery.DatasetReference(PROJECT, "python")
        cls.client.create_dataset(cls.dataset)

    def setUp(self):
        self.table = bigquery.Table(self.dataset.table(self.id().rpartition(".")[2][:60]), schema=SCHEMA)

    def make(self, **properties):
        for name, value in properties.items():
            setattr(self.table, name, value)
        self.table = self.client.create_table(self.table)
        return self.table

    def select(self, sql, *parameters, **options):
        config = bigquery.QueryJobConfig(query_parameters=parameters, default_dataset=self.dataset, **options)
        return self.client.query_and_wait(sql, job_config=config)

    def rows(self, sql="select * from {} order by 1", *parameters):
        return [tuple(row) for row in self.select(sql.format(self.table.table_id), *parameters)]

    def load(self, lines, **options):
        config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", **options)
        file = io.BytesIO("".join(json.dumps(line) + "\n" for line in lines).encode())
        return self.client.load_table_from_file(file, self.table, job_config=config)

    # Datasets and tables

    def test_datasets(self):
        dataset = bigquery.Dataset(f"{PROJECT}.python_made")
        dataset.location, dataset.description, dataset.labels = "EU", "words", {"team": "core"}
        dataset.default_table_expiration_ms = 3600000

        made = self.client.create_dataset(dataset)

        self.assertEqual(("EU", "words", {"team": "core"}, 3600000),
                         (made.location, made.description, made.labels, made.default_table_expiration_ms))
        self.assertIn("python_made", [item.dataset_id for item in self.client.list_datasets()])
        self.assertTrue(any(entry.role == "OWNER" for entry in made.access_entries))
        with self.assertRaises(exceptions.Conflict):
            self.client.create_dataset(dataset)
        self.client.create_dataset(dataset, exists_ok=True)
        stale = self.client.get_dataset(dataset)
        made.description, made.labels = "more", {"team": None, "new": "x"}
        made = self.client.update_dataset(made, ["description", "labels"])
        self.assertEqual(("more", {"new": "x"}), (made.description, made.labels))
        with self.assertRaises(exceptions.PreconditionFailed):
            self.client.update_dataset(stale, ["description"])
        self.client.create_table(bigquery.Table(made.table("t"), schema=SCHEMA))
        with self.assertRaisesRegex(exceptions.BadRequest, "still in use"):
            self.client.delete_dataset(made)
        self.client.delete_dataset(made, delete_contents=True)
        self.client.delete_dataset(made, not_found_ok=True)
        with self.assertRaises(exceptions.NotFound):
            self.client.get_dataset(made)

    def test_tables(self):
        made = self.make(time_partitioning=bigquery.TimePartitioning("MONTH", field="born"), labels={"a": "b"},
                         clustering_fields=["id", "name"], description="words",
                         expires=datetime.datetime(2100, 1, 1, tzinfo=UTC))

        found = self.client.get_table(made)

        self.assertEqual(("MONTH", "born", ["id", "name"], {"a": "b"}, "words", 0, 2100),
                         (found.time_partitioning.type_, found.time_partitioning.field, found.clustering_fields,
                          found.labels, found.description, found.num_rows, found.expires.year))
        self.assertEqual([("id", "INTEGER", "REQUIRED", "the key"), ("name", "STRING", "NULLABLE", None)],
                         [(f.name, f.field_type, f.mode, f.description) for f in found.schema[:2]])
        self.assertIn(made.table_id, [item.table_id for item in self.client.list_tables(self.dataset, page_size=1)])
        with self.assertRaises(exceptions.Conflict):
            self.client.create_table(made)
        for bad in ({"clustering_fields": ["nosuch"]}, {"time_partitioning": bigquery.TimePartitioning("BOGUS")}):
            table = bigquery.Table(self.dataset.table("bad"), schema=SCHEMA)
            for name, value in bad.items():
                setattr(table, name, value)
            with self.assertRaises(exceptions.BadRequest):
                self.client.create_table(table)
        self.client.delete_table(made)
        with self.assertRaises(exceptions.NotFound):
            self.client.delete_table(made)

    def test_a_patch_with_an_etag(self):
        made = self.make()
        stale = self.client.get_table(made)
        made.schema = [*made.schema, Field("score", "FLOAT64")]
        made.labels = {"k": "v"}

        changed = self.client.update_table(made, ["schema", "labels"])

        self.assertEqual((5, {"k": "v"}), (len(changed.schema), changed.labels))
        stale.description = "lost"
        with self.assertRaises(exceptions.PreconditionFailed):
            self.client.update_table(stale, ["description"])
        changed.schema = changed.schema[:2]
        with self.assertRaisesRegex(exceptions.BadRequest, "missing in new schema"):
            self.client.update_table(changed, ["schema"])

    def test_a_view_is_made_changed_and_read(self):
        made = self.make()
        view = bigquery.Table(self.dataset.table("view"))
        view.view_query = f"select id, name from `{made.project}.{made.dataset_id}.{made.table_id}`"
        view = self.client.create_table(view)
        self.addCleanup(self.client.delete_table, view)

        self.assertEqual(("VIEW", 0, ["id", "name"]), (view.table_type, view.num_rows, [field.name for field in view.schema]))
        self.assertIn(("view", "VIEW"), [(one.table_id, one.table_type) for one in self.client.list_tables(self.dataset)])
        view.description = "words"
        view.view_query += " where id > 1"
        view = self.client.update_table(view, ["description", "view_query"])
        self.select(f"insert into `{made.table_id}` (id) values (1), (2)")
        self.assertEqual([(2, None)], [tuple(row) for row in self.select("select * from view")])
        with self.assertRaises(exceptions.BadRequest):
            list(self.client.list_rows(view))

    def test_what_bqlocal_does_not_have(self):
        made = self.make()

        self.assertEqual([], list(self.client.list_models(self.dataset)))
        self.assertEqual([], list(self.client.list_routines(self.dataset)))
        with self.assertRaises(exceptions.MethodNotImplemented):
            self.client.insert_rows_json(made, [{"id": 1}])
        view = bigquery.Table(self.dataset.table("view"))
        view.mview_query = "select 1"
        with self.assertRaises(exceptions.MethodNotImplemented):
            self.client.create_table(view)
        with self.assertRaises(exceptions.MethodNotImplemented):
            self.load([{"id": 1}], autodetect=True)
        with self.assertRaises(exceptions.MethodNotImplemented):
            self.load([{"id": 1}], max_bad_records=3)
        with self.assertRaises(exceptions.MethodNotImplemented):
            self.select("select 1", create_session=True)
        clone = bigquery.CopyJobConfig(operation_type="CLONE")
        with self.assertRaises(exceptions.MethodNotImplemented):
            self.client.copy_table(made, self.dataset.table("clone"), job_config=clone)

    # Loads

    def test_small_media_is_loaded_in_one_request(self):
        self.make()

        job = self.load([{"id": 1, "name": "eins", "born": "2024-02-29", "paid": "1.5"}, {"id": 2}]).result()

        self.assertEqual((2, "DONE", None), (job.output_rows, job.state, job.error_result))
        self.assertEqual([(1, "eins", datetime.date(2024, 2, 29), decimal.Decimal("1.5")), (2, None, None, None)],
                         self.rows())

    def test_large_media_is_loaded_in_chunks(self):
        self.make()
        lines = ({"id": number, "name": "x" * 900} for number in range(12000))

        job = self.load(lines).result()

        self.assertEqual(12000, job.output_rows)
        self.assertEqual([(12000, sum(range(12000)))], self.rows("select count(*), sum(id) from {}"))

    def test_loads_by_disposition_and_schema(self):
        self.load([{"id": 1}], schema=SCHEMA, create_disposition="CREATE_IF_NEEDED",
                  destination_table_description="made by a load").result()
        self.load([{"id": 2}], write_disposition="WRITE_APPEND").result()
        self.assertEqual([1, 2], [row[0] for row in self.rows()])
        self.load([{"id": 3}], write_disposition="WRITE_TRUNCATE", schema=SCHEMA).result()
        self.load([{"id": 4, "more": True}], schema=[*SCHEMA, Field("more", "BOOL")],
                  schema_update_options=["ALLOW_FIELD_ADDITION"]).result()

        self.assertEqual([(3, None), (4, True)], self.rows("select id, more from {} order by id"))
        self.assertEqual("made by a load", self.client.get_table(self.table).description)
        with self.assertRaises(exceptions.Conflict):
            self.load([{"id": 5}], write_disposition="WRITE_EMPTY").result()

    def test_a_bad_row_fails_a_load_and_changes_nothing(self):
        self.make()

        with self.assertRaises(exceptions.BadRequest) as caught:
            self.load([{"id": 1}, {"id": "x"}]).result()

        self.assertEqual("invalid", caught.exception.errors[0]["reason"])
        self.assertEqual([], self.rows())

    # Queries

    def test_parameters_of_every_type_come_back(self):
        for kind, value in VALUES.items():
            with self.subTest(kind):
                rows = list(self.select("select @v as v, @none as none", Param("v", kind, value),
                                        Param("none", kind, None)))
                self.assertEqual([(value, None)], [tuple(row) for row in rows])
        rows = self.select("select v from unnest(@vs) as v order by v", Array("vs", "INT64", [3, 1, 2]))
        self.assertEqual([1, 2, 3], [row.v for row in rows])
        rows = self.select("select ? + ? as n", Param(None, "INT64", 40), Param(None, "INT64", 2))
        self.assertEqual([42], [row.n for row in rows])

    def test_json_comes_back(self):
        row = next(iter(self.select("""select json '{"a": [1, null]}' as j, cast(null as json) as none""")))

        self.assertEqual(({"a": [1, None]}, None), tuple(row))

    def test_the_database_interface_of_python(self):
        self.make()
        cursor = dbapi.connect(self.client).cursor()
        name = f"python.{self.table.table_id}"

        cursor.execute(f"insert into {name} (id, name) values (%(the id)s, %(name)s)", {"the id": 7, "name": "x"})
        cursor.execute(f"select id, name from {name} where id = %s", (7,))

        self.assertEqual([(7, "x")], [tuple(row) for row in cursor.fetchall()])

    def test_results_come_in_pages(self):
        self.make()
        self.load({"id": number} for number in range(100)).result()

        job = self.client.query(f"select id from python.{self.table.table_id} order by id")
        pages = [[row.id for row in page] for page in job.result(page_size=40).pages]

        self.assertEqual([40, 40, 20], [len(page) for page in pages])
        self.assertEqual(list(range(100)), sum(pages, []))
        listed = self.client.list_rows(self.table, page_size=30, selected_fields=[SCHEMA[0]])
        self.assertEqual(set(range(100)), {row.id for row in listed})
        self.assertEqual([50, 51], sorted(
            row.id for row in self.client.list_rows(self.table, start_index=50, max_results=2)))

    def test_counts_of_dml(self):
        self.make()
        insert = self.select("insert into {} (id, name) values (1, 'a'), (2, 'b'), (3, 'c')".format(self.table.table_id))
        job = self.client.query(f"""merge into python.{self.table.table_id} as t
            using (select 2 as id, 'B' as name union all select 3, null union all select 4, 'D') as s on t.id = s.id
            when matched and s.name is null then delete when matched then update set name = s.name
            when not matched then insert (id, name) values (s.id, s.name)""")
        job.result()

        self.assertEqual(3, insert.num_dml_affected_rows)
        self.assertEqual((3, 1, 1, 1, "MERGE"), (
            job.num_dml_affected_rows, job.dml_stats.inserted_row_count, job.dml_stats.updated_row_count,
            job.dml_stats.deleted_row_count, job.statement_type))
        self.assertEqual([self.table.table_id], [table.table_id for table in job.referenced_tables])

    def test_a_script_has_children(self):
        self.make()
        name = f"python.{self.table.table_id}"

        job = self.client.query(f"insert into {name} (id) values (1); select id from {name}")
        rows = [row.id for row in job.result()]
        children = list(self.client.list_jobs(parent_job=job.job_id))

        self.assertEqual(([1], 2, 2), (rows, job.num_child_jobs, len(children)))
        self.assertEqual(["STATEMENT"] * 2, [child.script_statistics.evaluation_kind for child in children])
        self.assertEqual(f"select id from {name}", children[0].script_statistics.stack_frames[0].text)

    def test_results_are_written_into_a_table(self):
        self.make(schema=[Field("id", "INT64"), Field("born", "DATE")])
        config = {"destination": self.table.reference, "write_disposition": "WRITE_APPEND"}
        self.client.query("select date '2024-02-29' as born, 1 as id",
                          job_config=bigquery.QueryJobConfig(**config)).result()

        for wrong in ("select 'x' as born, 2 as id", "select 3 as nosuch", "delete from {} where true"):
            with self.subTest(wrong), self.assertRaises(exceptions.BadRequest):
                self.client.query(wrong.format(f"python.{self.table.table_id}"),
                                  job_config=bigquery.QueryJobConfig(**config)).result()

        self.assertEqual([(1, datetime.date(2024, 2, 29))], self.rows())

    def test_a_dry_run(self):
        job = self.client.query("select 1 as one", job_config=bigquery.QueryJobConfig(dry_run=True))

        self.assertEqual((True, 0, "DONE"), (job.dry_run, job.total_bytes_processed, job.state))
        self.assertEqual(["one"], [field.name for field in job.schema])

    def test_jobs_are_found_again(self):
        job = self.client.query("select 1", job_id="python_job", job_config=bigquery.QueryJobConfig(labels={"a": "b"}))
        job.result()

        found = self.client.get_job("python_job", location="US")

        self.assertEqual(({"a": "b"}, "DONE"), (found.labels, found.state))
        self.assertIn("python_job", [item.job_id for item in self.client.list_jobs(all_users=True, max_results=500)])
        with self.assertRaises(exceptions.Conflict):
            self.client.query("select 1", job_id="python_job")
        with self.assertRaises(exceptions.NotFound):
            self.client.get_job("nosuch", location="US")
        self.client.cancel_job("python_job", location="US")
        self.client.delete_job_metadata("python_job", location="US")

    def test_copies(self):
        self.make()
        self.load([{"id": 1}, {"id": 2}]).result()
        target = self.dataset.table("copied")

        self.client.copy_table(self.table, target).result()
        with self.assertRaises(exceptions.Conflict):
            self.client.copy_table(self.table, target).result()
        config = bigquery.CopyJobConfig(write_disposition="WRITE_TRUNCATE")
        self.client.copy_table([self.table, self.table], target, job_config=config).result()

        self.assertEqual(4, self.client.get_table(target).num_rows)
        with self.assertRaises(exceptions.NotFound):
            self.client.copy_table(self.dataset.table("nosuch"), target, job_config=config).result()

    def test_errors_have_googles_reasons(self):
        for error, reason, sql in (
                (exceptions.BadRequest, "invalidQuery", "select from where"),
                (exceptions.BadRequest, "invalidQuery", "select nosuch from (select 1 as a)"),
                (exceptions.NotFound, "notFound", "select * from python.nosuch"),
                (exceptions.NotFound, "notFound", "select * from nosuch.t"),
                (exceptions.Forbidden, "accessDenied", "select * from elsewhere.python.t"),
                (exceptions.BadRequest, "bytesBilledLimitExceeded", "select * from python.large")):
            with self.subTest(sql), self.assertRaises(error) as caught:
                if "large" in sql:
                    self.select("create table large as select 'x' as a")
                self.select(sql, maximum_bytes_billed=1)
            self.assertEqual(reason, caught.exception.errors[0]["reason"])

    # Retries

    def test_requests_are_tried_again(self):
        self.make()
        self.addCleanup(faults)
        for rule in ({"method": "GET", "path": "/tables/", "action": "status", "status": 503},
                     {"method": "GET", "path": "/tables/", "action": "quota", "reason": "rateLimitExceeded"},
                     {"method": "GET", "path": "/tables/", "action": "reset_before"}):
            with self.subTest(rule["action"]):
                faults(rule)
                self.assertEqual(self.table.table_id, self.client.get_table(self.table).table_id)
        faults({"action": "job_fail", "job": "query", "reason": "jobBackendError"})
        self.assertEqual([(1,)], [tuple(row) for row in self.client.query("select 1").result()])
        faults({"path": "upload_id=", "action": "status", "status": 503})
        self.assertEqual(8000, self.load(
            {"id": number, "name": "x" * 900} for number in range(8000)).result().output_rows)


if __name__ == "__main__":
    unittest.main()
