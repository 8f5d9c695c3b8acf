"""What a request says twice, in part, or against itself is refused, and U+0000 cuts nothing."""

import json
import unittest

from tests.bqlocal.tests.rest_case import RestCase
from tests.support.bqlocal import Bqlocal

JSON = {"Content-Type": "application/json"}


class Bodies(RestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d", "e"]))
        self.bq.query("create table d.t (id int64, name string)")

    def query(self, **members):
        return self.bq.post("queries", {"useLegacySql": False, "query": "select 1 as n", **members})

    def test_a_body_is_one_json_object_and_nothing_behind_it(self):
        whole = json.dumps({"useLegacySql": False, "query": "select 1"}).encode()
        for body in (whole + b"x", whole + whole, whole + b"\0", whole[:-1], b"[]", b'{"query": "\xff"}',
                     b'{"query": "select 1\0", "useLegacySql": false}'):
            with self.subTest(body):
                self.refuse(400, "parseError", self.bq.request, "POST", "queries", body, headers=JSON)
        self.bq.request("POST", "queries", b" \n" + whole + b"\r\n ", headers=JSON)

    def test_a_member_is_there_once(self):
        for body in (b'{"query": "select 1", "query": "select 2", "useLegacySql": false}',
                     b'{"query": "select 1", "useLegacySql": false, "labels": {"a": "b", "\\u0061": "c"}}',
                     b'{"query": "select 1", "queryParameters": [{"name": "x", "name": "y"}]}'):
            with self.subTest(body):
                error = self.refuse(400, "parseError", self.bq.request, "POST", "queries", body, headers=JSON)
                self.assertIn("more than once", error.message)
        many = b"{" + b",".join(b'"k%d": "v"' % (n % 60) for n in range(61)) + b"}"
        self.refuse(400, "parseError", self.bq.request, "PATCH", "datasets/d", b'{"labels": ' + many + b"}", headers=JSON)

    def test_a_query_parameter_of_the_url_is_there_once(self):
        for path in ("datasets?maxResults=1&maxResults=1", "datasets?maxResults=1&maxResults=2"):
            error = self.refuse(400, "badRequest", self.bq.get, path)
            self.assertIn("maxResults", error.message)

    def test_what_the_body_calls_its_resource_is_what_the_path_calls_it(self):
        table = {"tableReference": self.bq.reference("e", "new")}
        for method, path, body in (
                ("POST", "datasets/d/tables", table), ("PATCH", "datasets/d/tables/t", table),
                ("PUT", "datasets/d/tables/t", {"tableReference": self.bq.reference("d", "other")}),
                ("PATCH", "datasets/d", {"datasetReference": {"datasetId": "e"}}),
                ("PUT", "datasets/d", {"datasetReference": {"datasetId": "e"}})):
            with self.subTest(f"{method} {path}"):
                error = self.refuse(400, "invalid", self.bq.request, method, path, body)
                self.assertIn("does not agree with value", error.message)
        self.assertEqual((["t"], []), (self.bq.tables("d"), self.bq.tables("e")))
        self.bq.patch("datasets/d/tables/t", {"tableReference": self.bq.reference("d", "t"), "description": "x"})

    def test_a_path_names_this_project_as_a_body_does(self):
        body = {"useLegacySql": False, "query": "select 1", "dryRun": True}
        job = {"configuration": {"query": {"useLegacySql": False, "query": "select 1"}}}
        foreign = "/bigquery/v2/projects/foreign/"
        for path, sent in (("jobs", {"jobReference": {"projectId": "foreign"}, **job}),
                           ("jobs", {"jobReference": {"projectId": "foreign"}, "configuration": {
                               "dryRun": True, **job["configuration"]}})):
            self.refuse(403, "accessDenied", self.bq.post, path, sent)
        for path, sent in ((foreign + "jobs", job), (foreign + "queries", body), (foreign + "queries", {**body, "dryRun": False}),
                           (foreign + "jobs", {"configuration": {"dryRun": True, **job["configuration"]}})):
            with self.subTest(path, sent=sent):
                self.refuse(403, "accessDenied", self.bq.post, path, sent)

    def test_values_of_what_has_no_effect_are_checked_all_the_same(self):
        for members in ({"useQueryCache": "maybe"}, {"maxSlots": "x"}, {"maxResults": -1}, {"timeoutMs": -1},
                        {"useQueryCache": {"a": 1}}, {"reservation": ["x"]}):
            with self.subTest(members):
                self.refuse(400, "badRequest", self.query, **members)
        for path in ("datasets?maxResults=-1", "datasets/d/tables?maxResults=-1", "jobs?maxResults=-1",
                     "jobs?minCreationTime=-1", "datasets/d/tables/t/data?startIndex=-1", "datasets?all=maybe",
                     "datasets/d/tables/t/data?maxResults=-1", "datasets/d?accessPolicyVersion=x",
                     "datasets?prettyPrint=maybe", "jobs?maxResults=4294967296"):
            with self.subTest(path):
                self.refuse(400, "invalid", self.bq.get, path)

    def test_values_that_bigquery_does_not_know_are_refused(self):
        self.refuse(400, "invalid", self.bq.get, "datasets/d/tables/t?view=XX")
        self.refuse(400, "invalid", self.query, requestId="r" * 37)
        self.bq.get("datasets/d/tables/t?view=BASIC")
        self.assertTrue(self.query(requestId="r" * 36)["jobComplete"])

    def test_a_wrong_value_of_a_parameter_is_named(self):
        error = self.refuse(400, "invalidQuery", self.query, query="select ?", parameterMode="POSITIONAL",
                            queryParameters=[{"parameterType": {"type": "BYTES"}, "parameterValue": {"value": "!!"}}])
        self.assertIn("parameter ?: !! is no BYTES", error.message)

    def test_a_query_parameter_has_one_value_whatever_the_case_of_its_name(self):
        def parameter(name):
            return {"name": name, "parameterType": {"type": "INT64"}, "parameterValue": {"value": "1"}}

        for names in (("x", "x"), ("x", "X")):
            error = self.refuse(400, "invalidQuery", self.query, query="select @x",
                                queryParameters=[parameter(name) for name in names])
            self.assertIn("more than once", error.message)

    # U+0000

    def test_a_zero_character_is_refused_in_names_and_texts(self):
        zero = "a\0b"
        for method, path, body in (
                ("POST", "queries", {"useLegacySql": False, "query": "select 1\0 bogus"}),
                ("POST", "datasets", {"datasetReference": {"datasetId": zero}}),
                ("PATCH", "datasets/d", {"description": zero}), ("PATCH", "datasets/d", {"labels": {zero: "v"}}),
                ("PATCH", "datasets/d", {"labels": {"k": zero}}),
                ("PATCH", "datasets/d/tables/t", {"clustering": {"fields": ["id\0"]}}),
                ("POST", "jobs", {"jobReference": {"jobId": "j\0x"}, "configuration": {
                    "query": {"useLegacySql": False, "query": "select 1"}}}),
                ("POST", "queries", {"useLegacySql": False, "query": "select @x", "queryParameters": [
                    {"name": "x\0y", "parameterType": {"type": "INT64"}, "parameterValue": {"value": "1"}}]})):
            with self.subTest(f"{method} {path}", body=body):
                error = self.refuse(400, "badRequest", self.bq.request, method, path, body)
                self.assertIn("U+0000", error.message)
        self.bq.query(r"select '\\u0000' as backslash")  # escaped, so no such character

    def test_a_zero_character_of_an_upload_is_refused(self):
        error = self.refuse(400, "badRequest", self.bq.upload, {
            "sourceFormat": "NEWLINE_DELIMITED_JSON", "destinationTable": self.bq.reference("d", "t\0x")}, b"{}")
        self.assertIn("U+0000", error.message)

    def test_a_zero_character_of_a_parameter_is_kept(self):
        def run(sql, type_name, value):
            return self.bq.query(sql, parameters=[
                {"name": "x", "parameterType": {"type": type_name}, "parameterValue": {"value": value}}])

        self.assertEqual([{"n": 3, "same": True, "x": "a\0b"}],
                         run(r"select length(@x) as n, @x = 'a\x00b' as same, @x as x", "STRING", "a\0b"))
        for type_name in ("INT64", "BOOL", "DATE", "NUMERIC", "FLOAT64", "JSON", "BYTES", "TIMESTAMP"):
            with self.subTest(type_name):
                text = {"BOOL": "true", "DATE": "2020-01-01", "TIMESTAMP": "2020-01-01 00:00:00"}.get(type_name, "1")
                self.refuse(400, "invalidQuery", run, "select @x", type_name, text + "\0x")
        self.refuse(400, "invalidQuery", run, "select date '2020-01-01' = @x", "STRING", "2020-01-01\0x")

    def test_a_name_in_a_statement_has_no_zero_character(self):
        for sql in (r"select `a\x00b` from (select 1 as a)", r"create table d.`x\x00y` (a int64)", r"select 1 as `a\x00b`"):
            with self.subTest(sql):
                self.refuse(400, "invalidQuery", self.bq.query, sql)
        self.assertEqual(["t"], self.bq.tables("d"))


if __name__ == "__main__":
    unittest.main()
