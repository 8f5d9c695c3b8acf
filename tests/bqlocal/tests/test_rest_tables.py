"""Datasets and tables of bqlocal, through REST."""

import threading
import time
import unittest

from tests.bqlocal.tests.rest_case import RestCase
from tests.support.bqlocal import HttpError

FIELDS = [{"name": "id", "type": "INT64", "mode": "REQUIRED"}, {"name": "name", "type": "STRING"}]


def table(name, **more):
    return {"tableReference": {"projectId": "p", "datasetId": "d", "tableId": name},
            "schema": {"fields": FIELDS}, **more}


class RestTables(RestCase):
    def test_a_dataset_is_made_read_listed_and_deleted(self):
        self.bq.post("datasets", {"datasetReference": {"datasetId": "e"}, "location": "EU",
                                  "labels": {"a": "1"}})

        made = self.bq.get("datasets/e")
        listed = self.bq.get("datasets")["datasets"]
        self.bq.delete("datasets/e")

        self.assertEqual(made["location"], "EU")
        self.assertEqual(made["datasetReference"], {"projectId": "p", "datasetId": "e"})
        self.assertEqual(made["labels"], {"a": "1"})
        self.assertEqual([d["datasetReference"]["datasetId"] for d in listed], ["d", "e"])
        self.refuse(404, "notFound", self.bq.get, "datasets/e")

    def test_a_second_dataset_of_a_name_is_a_duplicate(self):
        error = self.refuse(409, "duplicate", self.bq.post, "datasets",
                            {"datasetReference": {"datasetId": "d"}})

        self.assertEqual(error.message, "Already Exists: Dataset p:d")

    def test_a_dataset_with_tables_is_deleted_only_with_its_contents(self):
        self.bq.post("datasets/d/tables", table("t"))

        self.refuse(400, "resourceInUse", self.bq.delete, "datasets/d")
        self.bq.delete("datasets/d?deleteContents=true")

        self.refuse(404, "notFound", self.bq.get, "datasets/d")

    def test_a_table_answers_what_was_given_and_what_the_server_knows(self):
        before = time.time()
        self.bq.post("datasets/d/tables", table(
            "t", description="words", labels={"k": "v"}, clustering={"fields": ["id"]},
            tableConstraints={"primaryKey": {"columns": ["id"]}}))

        made = self.bq.table("d", "t")

        self.assertEqual(made["schema"]["fields"][0],
                         {"name": "id", "type": "INTEGER", "mode": "REQUIRED"})
        self.assertEqual(made["description"], "words")
        self.assertEqual(made["labels"], {"k": "v"})
        self.assertEqual(made["clustering"], {"fields": ["id"]})
        self.assertEqual(made["tableConstraints"], {"primaryKey": {"columns": ["id"]}})
        self.assertEqual(made["numRows"], "0")
        self.assertEqual(made["type"], "TABLE")
        self.assertEqual(made["location"], "US")
        self.assertTrue(made["etag"])
        self.assertLessEqual(int(before * 1000), int(made["creationTime"]))
        self.assertLessEqual(int(made["creationTime"]), time.time() * 1000)

    def test_both_prefixes_reach_the_same_table(self):
        self.bq.post("datasets/d/tables", table("t"))

        long = self.bq.get("/bigquery/v2/projects/p/datasets/d/tables/t")
        short = self.bq.get("/projects/p/datasets/d/tables/t")

        self.assertEqual(long["id"], short["id"])

    def test_errors_have_googles_body(self):
        error = self.refuse(404, "notFound", self.bq.get, "datasets/d/tables/none")

        words = "Not found: Table p:d.none was not found in location US"
        self.assertEqual(error.body, {"error": {
            "code": 404, "message": words, "status": "NOT_FOUND",
            "errors": [{"message": words, "domain": "global", "reason": "notFound"}]}})
        self.refuse(404, "notFound", self.bq.get, "datasets/none/tables")
        self.refuse(409, "duplicate", self.bq.post, "datasets/d/tables",
                    self.bq.post("datasets/d/tables", table("t")))
        self.refuse(404, "notFound", self.bq.get, "nonsense")
        self.refuse(405, "methodNotAllowed", self.bq.patch, "queries", {})

    def test_schemas_that_bigquery_refuses_are_refused(self):
        bad = {
            "unknown type": {"schema": {"fields": [{"name": "a", "type": "TEXT"}]}},
            "same name in another case": {"schema": {"fields": [
                {"name": "a", "type": "STRING"}, {"name": "A", "type": "STRING"}]}},
            "forbidden prefix": {"schema": {"fields": [{"name": "_partition_x", "type": "STRING"}]}},
            "bad letter": {"schema": {"fields": [{"name": "a.b", "type": "STRING"}]}},
            "five cluster columns": {
                "schema": {"fields": [{"name": f"c{i}", "type": "STRING"} for i in range(5)]},
                "clustering": {"fields": [f"c{i}" for i in range(5)]}},
            "clustering by a float": {"schema": {"fields": [{"name": "f", "type": "FLOAT64"}]},
                                      "clustering": {"fields": ["f"]}},
            "key of JSON": {"schema": {"fields": [{"name": "j", "type": "JSON"}]},
                            "tableConstraints": {"primaryKey": {"columns": ["j"]}}},
            "partitioned by a string": {
                "schema": {"fields": [{"name": "s", "type": "STRING"}]},
                "timePartitioning": {"type": "DAY", "field": "s"}},
        }
        for label, more in bad.items():
            with self.subTest(label):
                self.refuse(400, "invalid", self.bq.post, "datasets/d/tables", table("t", **more))

    def test_a_patch_adds_columns_relaxes_and_merges_labels(self):
        self.bq.post("datasets/d/tables", table("t", labels={"a": "1", "b": "2"}))
        self.bq.query("insert into d.t (id, name) values (1, 'x')")

        self.bq.patch("datasets/d/tables/t", {
            "labels": {"b": None, "c": "3"}, "description": "new",
            "schema": {"fields": [{"name": "id", "type": "INTEGER", "mode": "NULLABLE"},
                                  {"name": "name", "type": "STRING"},
                                  {"name": "more", "type": "BOOL"}]}})

        made = self.bq.table("d", "t")
        self.assertEqual(made["labels"], {"a": "1", "c": "3"})
        self.assertEqual(made["description"], "new")
        self.assertEqual([f["name"] for f in made["schema"]["fields"]], ["id", "name", "more"])
        self.assertEqual(made["schema"]["fields"][0]["mode"], "NULLABLE")
        self.assertEqual(self.bq.rows("d", "t"), [{"id": 1, "name": "x", "more": None}])

    def test_a_patch_cannot_drop_retype_or_require(self):
        self.bq.post("datasets/d/tables", table("t"))
        cases = [
            ([FIELDS[0]], "Field name is missing in new schema"),
            ([FIELDS[0], {"name": "name", "type": "INTEGER"}],
             "Field name has changed type from STRING to INTEGER"),
            ([FIELDS[0], {"name": "name", "type": "STRING", "mode": "REQUIRED"}],
             "Field name has changed mode from NULLABLE to REQUIRED"),
            (FIELDS + [{"name": "z", "type": "STRING", "mode": "REQUIRED"}],
             "Cannot add required fields to an existing schema. (field: z)"),
        ]
        for fields, words in cases:
            with self.subTest(words):
                error = self.refuse(400, "invalid", self.bq.patch, "datasets/d/tables/t",
                                    {"schema": {"fields": fields}})
                self.assertEqual(
                    error.message, "Provided Schema does not match Table p:d.t. " + words)

    def test_an_old_etag_is_refused_and_the_current_one_taken(self):
        old = self.bq.post("datasets/d/tables", table("t"))["etag"]
        new = self.bq.patch("datasets/d/tables/t", {"description": "1"})["etag"]

        self.refuse(412, "conditionNotMet", self.bq.patch, "datasets/d/tables/t",
                    {"description": "2"}, headers={"If-Match": old})
        self.bq.patch("datasets/d/tables/t", {"description": "3"}, headers={"If-Match": new})

        self.assertEqual(self.bq.table("d", "t")["description"], "3")

    def test_an_update_takes_away_what_it_does_not_name(self):
        self.bq.post("datasets/d/tables", table("t", labels={"a": "1"}, description="x"))

        self.bq.request("PUT", "datasets/d/tables/t", table("t", labels={"b": "2"}))

        made = self.bq.table("d", "t")
        self.assertEqual(made["labels"], {"b": "2"})
        self.assertNotIn("description", made)

    def test_tables_are_listed_in_pages_with_their_labels(self):
        for name in ("c", "a", "b"):
            self.bq.post("datasets/d/tables", table(name, labels={"n": name},
                                                    clustering={"fields": ["id"]}))

        first = self.bq.get("datasets/d/tables?maxResults=2")
        second = self.bq.get(f"datasets/d/tables?maxResults=2&pageToken={first['nextPageToken']}")

        items = first["tables"] + second["tables"]
        self.assertEqual([i["tableReference"]["tableId"] for i in items], ["a", "b", "c"])
        self.assertEqual([i["labels"] for i in items], [{"n": n} for n in "abc"])
        self.assertEqual(items[0]["clustering"], {"fields": ["id"]})
        self.assertEqual((first["totalItems"], second["totalItems"]), (3, 3))
        self.assertNotIn("nextPageToken", second)
        self.assertNotIn("schema", items[0])

    def test_a_table_past_its_expiration_is_gone_everywhere(self):
        self.bq.post("datasets/d/tables", table("kept"))
        self.bq.post("datasets/d/tables",
                     table("t", expirationTime=str(int(time.time() * 1000) + 3600_000)))
        self.assertEqual(self.bq.tables("d"), ["kept", "t"])

        self.bq.faults({"action": "clock_skew", "ms": 3700_000})

        self.assertEqual(self.bq.tables("d"), ["kept"])
        self.refuse(404, "notFound", self.bq.table, "d", "t")
        self.refuse(404, "notFound", self.bq.query, "select * from d.t")

    def test_a_dataset_gives_its_tables_an_expiration(self):
        self.bq.patch("datasets/d", {"defaultTableExpirationMs": "3600000"})
        before = time.time()

        made = self.bq.post("datasets/d/tables", table("t"))

        self.assertLessEqual(int((before + 3600) * 1000), int(made["expirationTime"]))
        self.assertLessEqual(int(made["expirationTime"]), (time.time() + 3600) * 1000)

    def test_all_permissions_are_held(self):
        self.bq.post("datasets/d/tables", table("t"))

        held = self.bq.post("datasets/d/tables/t:testIamPermissions",
                            {"permissions": ["bigquery.tables.getData", "bigquery.tables.update"]})

        self.assertEqual(held["permissions"],
                         ["bigquery.tables.getData", "bigquery.tables.update"])
        self.refuse(404, "notFound", self.bq.post, "datasets/d/tables/no:testIamPermissions",
                    {"permissions": []})

    def test_permissions_may_come_in_a_list_of_lists(self):
        self.bq.query("create table d.t (a int64)")

        held = self.bq.post("datasets/d/tables/t:testIamPermissions",
                            {"permissions": [["bigquery.tables.get", "bigquery.tables.update"]]})

        self.assertEqual(["bigquery.tables.get", "bigquery.tables.update"], held["permissions"])

    def test_policy_tags_go_with_an_empty_list(self):
        tagged = {"name": "a", "type": "INT64", "policyTags": {"names": ["projects/p/locations/us/taxonomies/1/policyTags/2"]}}
        self.bq.post("datasets/d/tables", {"tableReference": self.bq.reference("d", "t"), "schema": {"fields": [tagged]}})

        self.bq.patch("datasets/d/tables/t", {"schema": {"fields": [{**tagged, "policyTags": {"names": []}}]}})

        self.assertNotIn("policyTags", self.bq.table("d", "t")["schema"]["fields"][0])

    def test_names_of_tables_have_the_case_that_their_dataset_gives_them(self):
        for dataset, blind in (("ci", True), ("cs", False)):
            self.bq.post("datasets", {"datasetReference": {"datasetId": dataset}, "isCaseInsensitive": blind})
            self.bq.query(f"create table {dataset}.Users (a int64)")

        self.refuse(404, "notFound", self.bq.table, "cs", "users")
        self.refuse(404, "notFound", self.bq.query, "select * from cs.users")
        self.assertEqual("Users", self.bq.table("ci", "uSERS")["tableReference"]["tableId"])
        self.refuse(409, "duplicate", self.bq.query, "create table ci.USERS (a int64)")
        self.bq.query("insert into ci.users values (1)")
        self.bq.patch("datasets/ci/tables/users", {"description": "one"})
        self.assertEqual([{"a": 1}], self.bq.query("select * from ci.USERS"))
        self.assertEqual(["Users"], self.bq.tables("ci"))
        self.assertEqual("one", self.bq.table("ci", "Users")["description"])
        self.bq.delete("datasets/ci/tables/USERS")
        self.assertEqual([], self.bq.tables("ci"))

    def test_rows_are_read_in_pages_from_anywhere(self):
        self.bq.post("datasets/d/tables", table("t"))
        self.bq.query("insert into d.t (id, name) values "
                      + ",".join(f"({i}, 'n{i}')" for i in range(25)))

        path = "datasets/d/tables/t/data?maxResults=10"
        first = self.bq.get(path)
        second = self.bq.get(f"{path}&pageToken={first['pageToken']}")
        third = self.bq.get(f"{path}&pageToken={second['pageToken']}")
        late = self.bq.get(path + "&startIndex=20")
        some = self.bq.get("datasets/d/tables/t/data?selectedFields=name&maxResults=1")

        ids = [row["f"][0]["v"] for page in (first, second, third) for row in page["rows"]]
        self.assertEqual(ids, [str(i) for i in range(25)])
        self.assertNotIn("pageToken", third)
        self.assertEqual(first["totalRows"], "25")
        self.assertEqual([row["f"][0]["v"] for row in late["rows"]], ["20", "21", "22", "23", "24"])
        self.assertEqual(some["rows"][0], {"f": [{"v": "n0"}]})
        self.refuse(400, "invalid", self.bq.get, path + "&pageToken=nonsense")

    def test_an_empty_table_has_no_rows_key(self):
        self.bq.post("datasets/d/tables", table("t"))

        page = self.bq.get("datasets/d/tables/t/data")

        self.assertEqual(page["totalRows"], "0")
        self.assertNotIn("rows", page)

    def test_streamed_rows_are_not_taken(self):
        self.bq.post("datasets/d/tables", table("t"))

        self.refuse(501, "notImplemented", self.bq.post, "datasets/d/tables/t/insertAll",
                    {"rows": []})

    def test_the_page_for_people_shows_tables_and_escapes_them(self):
        self.bq.post("datasets/d/tables", table("t", description="<b>&</b>"))
        self.bq.query("insert into d.t (id, name) values (7, '<script>')")

        _, _, index = self.bq.raw("GET", "/")
        _, _, page = self.bq.raw("GET", "/bqlocal/tables/d/t")

        self.assertIn(b'<a href="/bqlocal/tables/d/t">t</a><td class="n">1<td', index)
        self.assertIn(b"&lt;b&gt;&amp;&lt;/b&gt;", index)
        self.assertIn(b"&lt;script&gt;", page)
        self.assertNotIn(b"<script>", page)

    def test_the_log_of_requests_leaves_out_its_own_routes(self):
        self.bq.clear_requests()
        self.bq.get("datasets/d")
        self.bq.get("/bqlocal/faults")
        with self.assertRaises(HttpError):
            self.bq.post("datasets/d/tables?x=1", {"tableReference": {"tableId": "$"}})

        log = self.bq.requests()

        self.assertEqual(
            [(r["method"], r["path"], r["status"]) for r in log],
            [("GET", "/bigquery/v2/projects/p/datasets/d", 200),
             ("POST", "/bigquery/v2/projects/p/datasets/d/tables", 400)])
        self.assertEqual(set(log[0]),
                         {"method", "path", "status", "request_bytes", "response_bytes", "at"})
        self.assertEqual(log[0]["request_bytes"], 0)
        self.assertGreater(log[0]["response_bytes"], 100)
        self.assertRegex(log[0]["at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.bq.clear_requests()
        self.assertEqual(self.bq.requests(), [])

    def test_many_clients_at_once_are_served(self):
        self.bq.post("datasets/d/tables", table("t"))
        failures = []

        def use(number):
            try:
                for i in range(5):
                    self.bq.post("datasets/d/tables", table(f"t{number}_{i}"))
                    self.bq.tables("d")
                    self.bq.query(f"insert into d.t (id) values ({number})")
            except Exception as error:  # pylint: disable=broad-except
                failures.append(error)

        threads = [threading.Thread(target=use, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(failures, [])
        self.assertEqual(self.bq.table("d", "t")["numRows"], "40")
        self.assertEqual(len(self.bq.tables("d")), 41)


if __name__ == "__main__":
    unittest.main()
