"""What Google's clients send, and what they read in an answer: transport, shapes, and requests that must not write."""

import gzip
import json
import unittest
import zlib

from tests.support import avro_writer as avro
from tests.support.bqlocal import Bqlocal, HttpError

UPLOAD = "/upload/bigquery/v2/projects/p/jobs"
JSON = {"Content-Type": "application/json"}


class ClientsTestCase(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal())

    def refuse(self, status, reason, call, *args, **options):
        with self.assertRaises(HttpError) as caught:
            call(*args, **options)
        self.assertEqual((status, reason), (caught.exception.status, caught.exception.reason),
                         caught.exception.message)
        return caught.exception

    def make(self, name, columns):
        """A table of {"id": "INT64"} or of whole fields."""
        fields = [kind if isinstance(kind, dict) else {"name": column, "type": kind}
                  for column, kind in columns.items()]
        self.bq.post("datasets/d/tables", {"tableReference": self.bq.reference("d", name), "schema": {"fields": fields}})

    def job(self, kind, location=None, **options):
        reference = {"projectId": "p", **({"location": location} if location else {})}
        return self.bq.run({"jobReference": reference, "configuration": {kind: options}})

    def query(self, text, location=None, **options):
        return self.job("query", location, query=text, useLegacySql=False, **options)

    def fails(self, job, reason):
        error = job["status"].get("errorResult", {})
        self.assertEqual(reason, error.get("reason"), error)
        return error["message"]


class Transport(ClientsTestCase):
    """Google's Java client zips every body and sends PATCH as POST."""

    def test_a_body_may_be_zipped(self):
        body = gzip.compress(json.dumps({"query": "select 1 as one", "useLegacySql": False}).encode())

        answer = self.bq.request("POST", "queries", body, {**JSON, "Content-Encoding": "gzip"})

        self.assertEqual("1", answer["rows"][0]["f"][0]["v"])

    def test_media_may_be_zipped(self):
        self.make("t", {"id": "INT64"})
        job = {"configuration": {"load": {"sourceFormat": "AVRO", "destinationTable": self.bq.reference("d", "t")}}}
        lines = [b"--x", b"", json.dumps(job).encode(), b"--x", b"", avro.container([("id", ["null", "long"])], [(1,)]),
                 b"--x--", b""]

        done = self.bq.request("POST", UPLOAD + "?uploadType=multipart", gzip.compress(b"\r\n".join(lines)),
                               {"Content-Type": "multipart/related; boundary=x", "Content-Encoding": "gzip"})

        self.assertEqual({"state": "DONE"}, done["status"])
        self.assertEqual("1", self.bq.table("d", "t")["numRows"])

    def test_a_zipped_body_that_is_broken_or_cut_is_refused(self):
        whole = gzip.compress(json.dumps({"datasetReference": {"datasetId": "e"}}).encode())
        for body in (b"{}", whole[:-9], whole + b"more"):
            with self.subTest(body=body[-8:]):
                self.refuse(400, "badRequest", self.bq.request, "POST", "datasets", body,
                            {**JSON, "Content-Encoding": "gzip"})

        self.refuse(404, "notFound", self.bq.get, "datasets/e")

    def test_a_zipped_body_has_the_limit_of_a_plain_one(self):
        body = gzip.compress(b'{"description": "' + b"x" * (40 << 20) + b'"}')

        self.refuse(413, "uploadTooLarge", self.bq.request, "POST", "datasets", body,
                    {**JSON, "Content-Encoding": "gzip"})

    def test_an_encoding_that_bqlocal_does_not_read_is_named(self):
        error = self.refuse(501, "notImplemented", self.bq.request, "POST", "queries", b"x",
                            {**JSON, "Content-Encoding": "br"})

        self.assertIn("Content-Encoding", error.message)

    def test_a_post_may_stand_for_a_patch(self):
        self.make("t", {"id": "INT64"})

        self.bq.request("POST", "datasets/d/tables/t", {"description": "by post"}, {"X-HTTP-Method-Override": "PATCH"})

        self.assertEqual("by post", self.bq.table("d", "t")["description"])

    def test_a_parameter_may_have_a_quoted_name(self):
        kind = {"type": "INT64"}
        answer = self.bq.post("queries", {
            "query": "select @`a b` + @c as n", "useLegacySql": False, "parameterMode": "NAMED",
            "queryParameters": [{"name": "a b", "parameterType": kind, "parameterValue": {"value": "40"}},
                                {"name": "c", "parameterType": kind, "parameterValue": {"value": "2"}}]})

        self.assertEqual("42", answer["rows"][0]["f"][0]["v"])

    def test_a_zero_byte_in_a_path_never_cuts_it(self):
        for method, path in (("DELETE", "datasets/d%00x"), ("GET", "datasets/d%00"), ("GET", "datasets?pageToken=%00")):
            with self.subTest(path=path):
                self.refuse(400, "badRequest", self.bq.request, method, path)

        self.assertEqual("d", self.bq.get("datasets/d")["datasetReference"]["datasetId"])

    def test_a_quoted_slash_belongs_to_the_name(self):
        self.make("t", {"id": "INT64"})

        self.refuse(404, "notFound", self.bq.request, "DELETE", "datasets/d%2Ftables%2Ft")

        self.assertEqual("0", self.bq.table("d", "t")["numRows"])


class Avro(ClientsTestCase):
    def load(self, media, **options):
        return self.bq.load("d", "t", media, **options)

    def container(self, *blocks, codec="null", fields=(("s", "string"),)):
        return avro.header(avro.schema(list(fields)), codec) + b"".join(blocks)

    def test_deflate_may_end_in_a_part_of_zlibs_checksum(self):
        # Apache's and fastavro's writers in Python cut zlib.compress(data)[2:-1]: three bytes of the checksum stay.
        self.make("t", {"s": "STRING"})
        rows = avro.text("one") + avro.text("two")
        for tail in range(5):
            whole = zlib.compress(rows)
            packed = whole[2:len(whole) - 4 + tail]
            media = self.container(avro.long(2) + avro.long(len(packed)) + packed + avro.SYNC, codec="deflate")
            with self.subTest(bytes=tail):
                self.assertEqual({"state": "DONE"}, self.load(media, writeDisposition="WRITE_TRUNCATE")["status"])
                self.assertEqual(["one", "two"], [row["s"] for row in self.bq.rows("d", "t")])

    def test_other_bytes_behind_deflate_are_refused(self):
        self.make("t", {"s": "STRING"})
        packed = avro.compress(avro.text("one"), "deflate")
        for tail in (b"\0", b"\0\0\0\0", zlib.compress(avro.text("one"))[-4:] + b"\0"):
            with self.subTest(tail=tail):
                data = packed + tail
                media = self.container(avro.long(1) + avro.long(len(data)) + data + avro.SYNC, codec="deflate")
                self.fails(self.load(media), "invalid")

    def test_lengths_and_counts_that_do_not_fit_are_refused(self):
        self.make("t", {"s": "STRING"})
        smallest = avro.long(-(1 << 63))
        union = (("s", ["null", "string"]),)
        names = {"type": "enum", "name": "e", "symbols": ["a"]}
        media = {
            "the header's smallest count": b"Obj\x01" + smallest + avro.long(1) + avro.SYNC,
            "a zero byte in the schema": avro.header(avro.schema([("s", "string")])).replace(b'"record"', b'\0record"'),
            "a string of length -1": self.container(avro.block(avro.long(-1), 1)),
            "a string of the smallest length": self.container(avro.block(smallest, 1)),
            "a string longer than its block": self.container(avro.block(avro.long(1 << 40) + b"x", 1)),
            "bytes of length -3": self.container(avro.block(avro.long(-3), 1), fields=(("s", "bytes"),)),
            "a union's branch -1": self.container(avro.block(avro.long(-1), 1), fields=union),
            "a union's branch 2": self.container(avro.block(avro.long(2), 1), fields=union),
            "an enum's symbol -1": self.container(avro.block(avro.long(-1), 1), fields=(("s", names),)),
            "an enum's symbol 1": self.container(avro.block(avro.long(1), 1), fields=(("s", names),)),
            "a fixed value that is cut": self.container(
                avro.block(b"xy", 1), fields=(("s", {"type": "fixed", "name": "f", "size": 4}),)),
            "more rows than bytes": self.container(avro.block(avro.text("a"), 1 << 40)),
        }
        for label, file in media.items():
            with self.subTest(label):
                self.fails(self.load(file), "invalid")
        self.assertEqual("0", self.bq.table("d", "t")["numRows"])

    def test_an_error_about_bytes_that_are_no_text_is_text(self):
        self.make("t", {"s": "STRING"})
        media = avro.header(avro.schema([("qqqq", ["int", "string"])])).replace(b"qqqq", b"q\xbe\xffq")

        message = self.fails(self.load(media), "invalid")
        wide = self.refuse(404, "notFound", self.bq.get, "datasets/" + "%C3%A9" * 1000)

        self.assertIn("q??q", message)
        self.assertIn("é", wide.message)

    def test_a_zero_byte_in_a_line_of_json_is_refused(self):
        self.make("t", {"s": "STRING"})
        options = {"sourceFormat": "NEWLINE_DELIMITED_JSON"}

        self.fails(self.load(rb'{"s": "a\u0000b"}', **options), "invalid")
        self.assertEqual({"state": "DONE"}, self.load(rb'{"s": "a\\u0000b"}', **options)["status"])

        self.assertEqual([r"a\u0000b"], [row["s"] for row in self.bq.rows("d", "t")])

    def test_a_format_that_cannot_be_loaded_is_refused_before_the_upload(self):
        body = {"configuration": {"load": {"sourceFormat": "ORC", "destinationTable": self.bq.reference("d", "t")}}}

        error = self.refuse(501, "notImplemented", self.bq.request, "POST", UPLOAD + "?uploadType=resumable", body)

        self.assertIn("ORC", error.message)


class Writes(ClientsTestCase):
    """Requests that are wrong change nothing."""

    def setUp(self):
        super().setUp()
        self.bq.post("datasets", {"datasetReference": {"datasetId": "eu"}, "location": "EU"})
        self.make("t", {"id": "INT64", "born": "DATE"})
        self.bq.query("insert into d.t values (1, date '2024-02-29')")
        self.into = {"destinationTable": self.bq.reference("d", "t"), "writeDisposition": "WRITE_APPEND"}

    def unchanged(self):
        self.assertEqual([(1, "2024-02-29")],
                         [(row["id"], str(row["born"])) for row in self.bq.query("select * from d.t")])

    def test_appended_results_have_to_fit_the_tables_schema(self):
        for text in ("select 2 as id, 'x' as born", "select 2 as id, date '2025-01-01' as born, 3 as more",
                     "select 2, date '2025-01-01'"):
            with self.subTest(text):
                self.assertIn("does not match Table p:d.t", self.fails(self.query(text, **self.into), "invalid"))
        self.unchanged()

    def test_appended_results_go_by_name(self):
        self.query("select date '2025-01-01' as born, 2 as ID", **self.into)
        self.query("select 3 as id", **self.into)

        self.assertEqual([(1, "2024-02-29"), (2, "2025-01-01"), (3, None)], [
            (row["id"], row["born"] and str(row["born"])) for row in self.bq.query("select * from d.t order by id")])

    def test_results_do_not_go_into_required_columns(self):
        self.make("must", {"id": {"name": "id", "type": "INT64", "mode": "REQUIRED"}})

        job = self.query("select 1 as id", **{**self.into, "destinationTable": self.bq.reference("d", "must")})

        self.assertIn("mode from REQUIRED to NULLABLE", self.fails(job, "invalid"))

    def test_statements_with_a_destination_change_nothing(self):
        for text in ("delete from d.t where true", "insert into d.t (id) values (2)", "drop table d.t",
                     "delete from d.t where true; select 1 as id"):
            with self.subTest(text):
                self.fails(self.query(text, **self.into), "invalid")
        self.unchanged()

    def test_another_projects_tables_are_refused(self):
        for text in ("select * from other.d.t", "select * from `other.d.t`", "delete from `other`.d.t where true",
                     "create table other.d.n (a int64)"):
            with self.subTest(text):
                self.assertIn("other", self.fails(self.query(text), "accessDenied"))
        elsewhere = {**self.bq.reference("d", "t"), "projectId": "other"}
        self.refuse(403, "accessDenied", self.query, "select 2 as id", destinationTable=elsewhere)
        self.refuse(403, "accessDenied", self.job, "copy", sourceTable=elsewhere,
                    destinationTable=self.bq.reference("d", "u"))
        self.unchanged()

    def test_a_job_sees_the_tables_of_its_location_alone(self):
        self.bq.query("create table eu.e (id int64)")
        self.assertIn("location EU", self.fails(self.query("select * from d.t", "EU"), "notFound"))
        self.fails(self.query("delete from d.t where true", "EU"), "notFound")
        self.fails(self.query("insert into d.t (id) select id from eu.e"), "notFound")
        job = self.job("copy", sourceTable=self.bq.reference("d", "t"), destinationTable=self.bq.reference("eu", "c"))
        self.fails(job, "notFound")

        self.assertEqual("EU", self.query("select * from eu.e")["jobReference"]["location"])
        self.unchanged()

    def test_datasets_honour_if_match(self):
        etag = self.bq.get("datasets/d")["etag"]
        self.bq.patch("datasets/d", {"description": "one"}, headers={"If-Match": etag})

        for method in ("PATCH", "PUT", "DELETE"):
            with self.subTest(method):
                path = "datasets/d?deleteContents=true" if method == "DELETE" else "datasets/d"
                self.refuse(412, "conditionNotMet", self.bq.request, method, path, {"description": "two"},
                            headers={"If-Match": etag})
        self.refuse(412, "conditionNotMet", self.bq.request, "DELETE", "datasets/d/tables/t",
                    headers={"If-Match": '"old"'})

        self.assertEqual("one", self.bq.get("datasets/d")["description"])
        self.unchanged()

    def test_a_patch_may_say_that_it_has_no_schema(self):
        self.bq.patch("datasets/d/tables/t", {"schema": None, "description": "by bq"})

        self.assertEqual("by bq", self.bq.table("d", "t")["description"])
        self.unchanged()


class Layout(ClientsTestCase):
    """Partitions, clusters and limits of columns."""

    def partitioned(self, name, **more):
        self.bq.post("datasets/d/tables", {
            "tableReference": self.bq.reference("d", name), "schema": {"fields": [
                {"name": "id", "type": "INT64"}, {"name": "day", "type": "DATE"}]},
            "timePartitioning": {"type": "DAY", "field": "day"}, "clustering": {"fields": ["id"]}, **more})

    def test_a_table_that_requires_a_filter_is_read_with_one_alone(self):
        self.partitioned("t", requirePartitionFilter=True)
        self.make("plain", {"id": "INT64", "day": "DATE"})
        self.bq.query("insert into d.t (id, day) values (1, '2024-02-29')")

        for text in ("select id, day from d.t", "select * from d.t where id = 1", "delete from d.t where true",
                     "update d.t set id = 2 where id = 1", "select 1; select * from d.t",
                     "insert into d.plain select * from d.t", "create table d.n as select * from d.t",
                     "merge into d.t as t using d.plain as s on t.id = s.id when matched then delete",
                     "select * from d.t where 'day' = \"day\""):
            with self.subTest(text):
                message = self.fails(self.query(text), "invalidQuery")
                self.assertIn("Cannot query over table 'd.t' without a filter over column(s) 'day'", message)
                self.refuse(400, "invalidQuery", self.bq.post, "queries", {
                    "query": text.split("; ")[-1], "useLegacySql": False, "dryRun": True})
        for text in ("select id from d.t where day = '2024-02-29'", "insert into d.t select * from d.plain",
                     "select id from d.plain", "truncate table d.t",
                     "merge into d.t as t using d.plain as s on t.id = s.id and t.`day` = s.day when matched then delete"):
            with self.subTest(text):
                self.assertEqual({"state": "DONE"}, self.query(text)["status"])

    def test_a_write_with_another_layout_is_refused(self):
        self.partitioned("t")
        line = b'{"id": 1, "day": "2024-02-29"}'
        options = {"sourceFormat": "NEWLINE_DELIMITED_JSON", "schema": {"fields": [
            {"name": "id", "type": "INT64"}, {"name": "day", "type": "DATE"}]}}
        month, day = ({"type": kind, "field": "day"} for kind in ("MONTH", "DAY"))
        for disposition in ("WRITE_APPEND", "WRITE_TRUNCATE"):
            for wrong in ({"timePartitioning": month}, {"clustering": {"fields": ["day"]}},
                          {"rangePartitioning": {"field": "id", "range": {"start": 0, "end": 9, "interval": 1}}}):
                with self.subTest(disposition, **wrong):
                    self.assertIn("Incompatible", self.fails(self.bq.load(
                        "d", "t", line, writeDisposition=disposition, **options, **wrong), "invalid"))
                    self.assertIn("Incompatible", self.fails(self.query(
                        "select 1 as id, date '2024-02-29' as day", destinationTable=self.bq.reference("d", "t"),
                        writeDisposition=disposition, **wrong), "invalid"))

        done = self.bq.load("d", "t", line, timePartitioning=day, clustering={"fields": ["ID"]}, **options)

        self.assertEqual({"state": "DONE"}, done["status"])
        self.assertEqual("1", self.bq.table("d", "t")["numRows"])

    def test_limits_of_columns_are_possible_ones(self):
        for kind, limits in (("NUMERIC", {"precision": 40}), ("NUMERIC", {"precision": 5, "scale": 10}),
                             ("BIGNUMERIC", {"precision": 77}), ("NUMERIC", {"scale": 2}), ("STRING", {"maxLength": -1}),
                             ("INT64", {"maxLength": 5}), ("STRING", {"precision": 5})):
            with self.subTest(kind, **limits):
                self.refuse(400, "invalid", self.make, "bad", {"a": {"name": "a", "type": kind, **limits}})
        self.make("good", {"a": {"name": "a", "type": "NUMERIC", "precision": 38, "scale": 9},
                           "b": {"name": "b", "type": "STRING", "maxLength": "5"}})

        self.assertEqual([("38", "9", None), (None, None, "5")], [
            (f.get("precision"), f.get("scale"), f.get("maxLength"))
            for f in self.bq.table("d", "good")["schema"]["fields"]])


class Shapes(ClientsTestCase):
    def test_int64_is_a_string_however_it_was_typed(self):
        self.bq.post("datasets", {"datasetReference": {"datasetId": "e"}, "defaultTableExpirationMs": 3600000})
        self.bq.patch("datasets/e", {"defaultTableExpirationMs": 7200000})
        self.make("t", {"id": "INT64"})
        self.bq.patch("datasets/d/tables/t", {"expirationTime": 4102444800000})
        job = self.query("select 1", maximumBytesBilled=20000000)

        self.assertEqual("7200000", self.bq.get("datasets/e")["defaultTableExpirationMs"])
        self.assertEqual("4102444800000", self.bq.table("d", "t")["expirationTime"])
        self.assertEqual("20000000", job["configuration"]["query"]["maximumBytesBilled"])

    def test_what_was_absent_stays_absent(self):
        self.bq.post("datasets", {"datasetReference": {"datasetId": "e"}, "description": None, "labels": None})
        job = self.query("select @a as a", parameterMode="NAMED", queryParameters=[
            {"name": "a", "parameterType": {"type": "INT64"}, "parameterValue": {"value": None}}], priority=None)

        self.assertNotIn("null", json.dumps(self.bq.get("datasets/e")))
        self.assertNotIn("null", json.dumps(job))

    def test_an_array_of_structs_is_a_parameter(self):
        kind = {"type": "ARRAY", "arrayType": {"type": "STRUCT", "structTypes": [
            {"name": "id", "type": {"type": "INT64"}}, {"name": "v", "type": {"type": "STRING"}}]}}
        value = {"arrayValues": [{"structValues": {"id": {"value": 7}, "v": {"value": None}}}]}
        parameter = {"name": "rows", "parameterType": kind, "parameterValue": value}

        self.assertEqual([{"id": 7, "v": None}], self.bq.query(
            "select s.id, s.v from unnest(@rows) as s", parameters=[parameter]))
        value["arrayValues"][0]["structValues"]["id"] = {"values": "7"}
        self.refuse(400, "badRequest", self.bq.query, "select 1", parameters=[parameter])

    def test_a_job_is_cut_down_to_the_fields_that_are_asked_for(self):
        job = self.query("select 1 as a")
        path = f"jobs/{job['jobReference']['jobId']}?fields="

        self.assertEqual({"status": {"state": "DONE"}}, self.bq.get(path + "status"))
        self.assertEqual(
            {"status": {"state": "DONE"}, "configuration": {"jobType": "QUERY", "query": {"query": "select 1 as a"}}},
            self.bq.get(path + "status/state,configuration(jobType,query/query),nothing,statistics/nothing"))

    def test_children_say_where_in_the_script_they_were(self):
        self.make("t", {"id": "INT64"})
        parent = self.query("insert into d.t (id)\n  values (1);\n select 'é', 2;")

        children = [self.bq.get(f"jobs/{job['jobReference']['jobId']}") for job in self.bq.get(
            f"jobs?parentJobId={parent['jobReference']['jobId']}")["jobs"]]

        self.assertEqual([
            {"evaluationKind": "STATEMENT", "stackFrames": [
                {"startLine": 3, "startColumn": 2, "endLine": 3, "endColumn": 15, "text": "select 'é', 2"}]},
            {"evaluationKind": "STATEMENT", "stackFrames": [
                {"startLine": 1, "startColumn": 1, "endLine": 2, "endColumn": 13,
                 "text": "insert into d.t (id)\n  values (1)"}]},
        ], [child["statistics"]["scriptStatistics"] for child in children])
        # Google's Java client reads no job without the text of its query.
        self.assertEqual(["select 'é', 2", "insert into d.t (id)\n  values (1)"],
                         [child["configuration"]["query"]["query"] for child in children])

    def test_statements_of_a_transaction_name_it(self):
        self.make("t", {"id": "INT64"})
        parent = self.query("insert into d.t values (1); begin transaction; insert into d.t values (2); commit transaction; "
                            "begin transaction; rollback transaction")
        children = [job["statistics"].get("transactionInfo", {}).get("transactionId") for job in self.bq.get(
            f"jobs?parentJobId={parent['jobReference']['jobId']}&projection=full")["jobs"]]

        self.assertNotIn("transactionInfo", parent["statistics"])
        second, first, alone = children[:2], children[2:5], children[5]
        self.assertIsNone(alone)
        self.assertEqual([1, 1], [len(set(first)), len(set(second))])
        self.assertEqual(2, len({first[0], second[0]} - {None, ""}))

    def test_the_rows_of_a_script_are_those_of_its_last_statement(self):
        self.make("t", {"id": "INT64"})
        parent = self.query("insert into d.t values (7); select id from d.t")["jobReference"]["jobId"]
        select, insert = [job["jobReference"]["jobId"] for job in self.bq.get(f"jobs?parentJobId={parent}")["jobs"]]

        self.assertEqual([{"f": [{"v": "7"}]}], self.bq.get(f"queries/{parent}")["rows"])
        self.assertEqual("1", self.bq.get(f"queries/{insert}")["numDmlAffectedRows"])
        self.assertIn(parent, self.refuse(501, "notImplemented", self.bq.get, f"queries/{select}").message)

    def test_a_dataset_has_bigquerys_default_access(self):
        access = self.bq.get("datasets/d")["access"]
        given = [{"role": "READER", "specialGroup": "allAuthenticatedUsers"}]
        self.bq.post("datasets", {"datasetReference": {"datasetId": "e"}, "access": given})

        self.assertEqual({"projectWriters": "WRITER", "projectOwners": "OWNER", "projectReaders": "READER"},
                         {entry["specialGroup"]: entry["role"] for entry in access if "specialGroup" in entry})
        self.assertEqual(["OWNER"], [entry["role"] for entry in access if "userByEmail" in entry])
        self.assertEqual(given, self.bq.get("datasets/e")["access"])

    def test_a_query_names_the_tables_that_it_reads(self):
        self.make("t", {"id": "INT64"})
        self.make("u", {"id": "INT64"})
        job = self.query("select u.id from d.t as x join `p.d.u` as u using (id) where 'd.none' = \"`d.none`\"".replace(
            "using (id)", "on x.id = u.id"))
        dry = self.bq.post("jobs", {"configuration": {"dryRun": True, "query": {
            "query": "select * from d.t", "useLegacySql": False}}})

        self.assertEqual([self.bq.reference("d", "t"), self.bq.reference("d", "u")],
                         job["statistics"]["query"]["referencedTables"])
        self.assertEqual([self.bq.reference("d", "t")], dry["statistics"]["query"]["referencedTables"])

    def test_lists_of_absent_features_are_empty_and_the_rest_is_not_implemented(self):
        self.make("t", {"id": "INT64"})
        lists = {"datasets/d/models": "models", "datasets/d/tables/t/rowAccessPolicies": "rowAccessPolicies"}
        for path, key in lists.items():
            with self.subTest(path):
                self.assertEqual([], self.bq.get(path).get(key, []))
                for method, below in (("GET", "/x"), ("DELETE", "/x"), ("PUT", "/x"), ("POST", "")):
                    self.assertIn(key, self.refuse(
                        501, "notImplemented", self.bq.request, method, path + below, {}).message)
        for method, path in (("POST", "datasets/d/routines"), ("PUT", "datasets/d/routines/x")):
            with self.subTest(path):
                self.refuse(501, "notImplemented", self.bq.request, method, path, {})
        for path in ("datasets/d/tables/t:getIamPolicy", "datasets/d/tables/t:setIamPolicy", "datasets/d:undelete",
                     "datasets/d/tables/t/insertAll"):
            with self.subTest(path):
                self.refuse(501, "notImplemented", self.bq.post, path)
        self.refuse(404, "notFound", self.bq.get, "datasets/nosuch/models")


if __name__ == "__main__":
    unittest.main()
