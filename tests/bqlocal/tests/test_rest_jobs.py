"""Jobs and queries of bqlocal: ids, states, results."""

import threading
import time
import unittest

from tests.bqlocal.tests.rest_case import RestCase
from tests.support import avro_writer as avro
from tests.support.bqlocal import Bqlocal, HttpError


def query_job(sql, job_id=None, **options):
    job = {"configuration": {"query": {"query": sql, "useLegacySql": False, **options}}}
    if job_id is not None:
        job["jobReference"] = {"projectId": "p", "jobId": job_id}
    return job


class RestJobs(RestCase):
    def test_a_callers_job_id_is_kept_and_used_up(self):
        job = self.bq.post("jobs", query_job("select 1 as x", "mine-1"))
        self.assertEqual(job["jobReference"], {"projectId": "p", "jobId": "mine-1", "location": "US"})

        error = self.refuse(409, "duplicate", self.bq.post, "jobs", query_job("select 2", "mine-1"))

        self.assertEqual(error.message, "Already Exists: Job p:US.mine-1")
        self.assertEqual(self.bq.get("jobs/mine-1")["status"]["state"], "DONE")

    def test_a_failed_job_is_readable_and_its_id_used_up(self):
        job = self.bq.run(query_job("select * from d.none", "failed"))

        self.assertEqual(job["status"]["errorResult"]["reason"], "notFound")
        self.assertIn("Not found: Table p:d.none was not found in location US",
                      job["status"]["errorResult"]["message"])
        self.assertEqual(self.bq.get("jobs/failed")["status"], job["status"])
        self.refuse(409, "duplicate", self.bq.post, "jobs", query_job("select 1", "failed"))
        self.refuse(404, "notFound", self.bq.get, "queries/failed")

    def test_a_bad_request_uses_no_id_up(self):
        self.refuse(400, "required", self.bq.post, "jobs",
                    {"jobReference": {"jobId": "x"}, "configuration": {}})
        self.refuse(501, "notImplemented", self.bq.post, "jobs",
                    {"jobReference": {"jobId": "x"}, "configuration": {"query": {"query": "select 1"}}})
        self.refuse(400, "invalid", self.bq.post, "jobs", query_job("select 1", "no spaces"))

        self.assertEqual(self.bq.run(query_job("select 1", "x"))["status"], {"state": "DONE"})

    def test_a_job_is_found_at_its_location_only(self):
        self.bq.post("datasets", {"datasetReference": {"datasetId": "asia"}, "location": "asia-south1"})
        where = {"defaultDataset": {"projectId": "p", "datasetId": "asia"}}
        job = self.bq.post("jobs", query_job("select 1", "j", **where))

        self.assertEqual(job["jobReference"]["location"], "asia-south1")
        self.bq.get("jobs/j?location=asia-south1")
        error = self.refuse(404, "notFound", self.bq.get, "jobs/j?location=US")
        self.assertEqual(error.message, "Not found: Job p:US.j")
        self.refuse(404, "notFound", self.bq.get, "jobs/j")
        wrong = query_job("select 1", "k", **where)
        wrong["jobReference"]["location"] = "EU"
        self.refuse(404, "notFound", self.bq.post, "jobs", wrong)

    def test_jobs_are_listed_newest_first_in_pages_and_by_state(self):
        for name in ("a", "b", "c"):
            self.bq.post("jobs", query_job("select 1", name))
        self.bq.post("jobs", query_job("select * from d.none", "bad"))

        first = self.bq.get("jobs?maxResults=3")
        second = self.bq.get(f"jobs?maxResults=3&pageToken={first['nextPageToken']}")
        running = self.bq.get("jobs?stateFilter=running")

        names = [j["jobReference"]["jobId"] for j in first["jobs"] + second["jobs"]]
        self.assertEqual(names, ["bad", "c", "b", "a"])
        self.assertEqual(first["jobs"][0]["errorResult"]["reason"], "notFound")
        self.assertEqual(first["jobs"][1]["state"], "DONE")
        self.assertEqual(running["jobs"], [])

    def test_a_script_has_a_child_for_each_statement(self):
        self.bq.query("create table d.t (a int64)")
        job = self.bq.run(query_job(
            "insert into d.t values (1), (2); update d.t set a = 5 where a = 1; select a from d.t"))

        children = self.bq.get(f"jobs?parentJobId={job['jobReference']['jobId']}")["jobs"]

        self.assertEqual(job["statistics"]["query"]["statementType"], "SCRIPT")
        self.assertEqual(job["statistics"]["numChildJobs"], "3")
        kinds = sorted(c["statistics"]["query"]["statementType"] for c in children)
        self.assertEqual(kinds, ["INSERT", "SELECT", "UPDATE"])
        counts = {c["statistics"]["query"]["statementType"]: c["statistics"]["query"].get("dmlStats")
                  for c in children}
        self.assertEqual(counts["INSERT"]["insertedRowCount"], "2")
        self.assertEqual(counts["UPDATE"]["updatedRowCount"], "1")

    def test_a_script_is_billed_for_the_sum_of_its_statements(self):
        self.bq.query("create table d.t (a int64)")
        self.bq.query("insert into d.t values (1), (2)")
        script = ("create table if not exists d.u (a int64); begin transaction; update d.t set a = 5 where a = 1;"
                  "select a from d.t; insert into d.u values (1); commit transaction")
        dry = self.bq.post("jobs", {"configuration": {"dryRun": True, **query_job(script)["configuration"]}})

        job = self.bq.run(query_job(script))

        children = self.bq.get(f"jobs?parentJobId={job['jobReference']['jobId']}")["jobs"]
        each = {child["statistics"]["query"]["statementType"]: child["statistics"] for child in children}
        bytes_of = {kind: (int(one["totalBytesProcessed"]), int(one["query"]["totalBytesBilled"]))
                    for kind, one in each.items()}
        self.assertEqual(bytes_of, {"CREATE_TABLE": (0, 0), "BEGIN_TRANSACTION": (0, 0), "UPDATE": (32, 10 << 20),
                                    "SELECT": (16, 10 << 20), "INSERT": (0, 0), "COMMIT_TRANSACTION": (0, 0)})
        for done in job, dry:
            self.assertEqual((done["statistics"]["totalBytesProcessed"], done["statistics"]["query"]["totalBytesBilled"]),
                             ("48", str(20 << 20)))

    def test_dml_tells_what_it_changed(self):
        self.bq.query("create table d.t (a int64, b string)")
        self.bq.query("insert into d.t values (1, 'x'), (2, 'y'), (3, 'z')")

        answer = self.bq.post("queries", {"useLegacySql": False, "query": """
            merge d.t using (select 1 as k, 'new' as v union all select 9, 'nine') s on t.a = s.k
            when matched then update set b = s.v
            when not matched by target then insert (a, b) values (s.k, s.v)
            when not matched by source and t.a = 3 then delete"""})
        job = self.bq.get(f"jobs/{answer['jobReference']['jobId']}")

        counts = {"insertedRowCount": "1", "updatedRowCount": "1", "deletedRowCount": "1"}
        self.assertEqual(answer["dmlStats"], counts)
        self.assertEqual(answer["numDmlAffectedRows"], "3")
        self.assertEqual(job["statistics"]["query"]["dmlStats"], counts)
        self.assertEqual(job["statistics"]["query"]["statementType"], "MERGE")

    def test_an_insert_only_merge_is_billed_less_than_one_that_updates(self):
        self.bq.query("create table d.t (a int64, b string)")
        self.bq.query("create table d.s (a int64, b string)")
        self.bq.query("insert into d.t values (1, 'some text'), (2, 'more text')")
        self.bq.query("insert into d.s values (3, 'x')")
        insert = "when not matched then insert (a, b) values (s.a, s.b)"
        update = "when matched then update set b = s.b "

        cost = [int(self.bq.post("queries", {
            "useLegacySql": False, "dryRun": True,
            "query": f"merge d.t t using d.s s on t.a = s.a {clauses}"})["totalBytesProcessed"])
            for clauses in (insert, update + insert)]

        self.assertGreater(cost[0], 0)
        self.assertGreater(cost[1], cost[0])
        self.refuse(400, "bytesBilledLimitExceeded", self.bq.post, "queries", {
            "useLegacySql": False, "query": "select * from d.t", "maximumBytesBilled": "1000"})

    def test_a_dry_run_leaves_nothing_behind(self):
        before = len(self.bq.get("jobs?maxResults=1000")["jobs"])
        job = query_job("create table d.t (a int64)")
        job["configuration"]["dryRun"] = True

        dry = self.bq.post("jobs", job)

        self.assertNotIn("jobId", dry["jobReference"])
        self.assertEqual(dry["statistics"]["query"]["statementType"], "CREATE_TABLE")
        self.assertEqual(dry["statistics"]["query"]["totalBytesProcessed"], "0")
        self.assertEqual(self.bq.tables("d"), [])
        self.assertEqual(len(self.bq.get("jobs?maxResults=1000")["jobs"]), before)
        job["configuration"]["query"]["query"] = "selec"
        self.refuse(400, "invalidQuery", self.bq.post, "jobs", job)

    def test_results_come_in_pages_and_in_the_format_that_is_asked_for(self):
        self.bq.query("create table d.t (n int64, ts timestamp)")
        self.bq.query("insert into d.t values " + ",".join(
            f"({i}, timestamp '2026-01-02 03:04:05.678901+00')" for i in range(7)))
        job = self.bq.run(query_job("select n, ts from d.t order by n"))
        path = f"queries/{job['jobReference']['jobId']}?maxResults=3"

        pages = [self.bq.get(path)]
        while "pageToken" in pages[-1]:
            pages.append(self.bq.get(f"{path}&pageToken={pages[-1]['pageToken']}"))
        micros = self.bq.get(path + "&formatOptions.useInt64Timestamp=true")
        nothing = self.bq.get(f"queries/{job['jobReference']['jobId']}?maxResults=0")

        self.assertEqual([len(p["rows"]) for p in pages], [3, 3, 1])
        self.assertEqual([r["f"][0]["v"] for p in pages for r in p["rows"]],
                         [str(i) for i in range(7)])
        self.assertEqual(pages[0]["totalRows"], "7")
        self.assertEqual(pages[0]["rows"][0]["f"][1]["v"], "1767323045.678901")
        self.assertEqual(micros["rows"][0]["f"][1]["v"], "1767323045678901")
        self.assertTrue(nothing["jobComplete"])
        self.assertNotIn("rows", nothing)
        self.assertEqual([f["type"] for f in nothing["schema"]["fields"]], ["INTEGER", "TIMESTAMP"])

    def test_a_querys_destination_is_a_readable_table(self):
        job = self.bq.run(query_job("select 5 as five"))
        where = job["configuration"]["query"]["destinationTable"]

        path = f"datasets/{where['datasetId']}/tables/{where['tableId']}"
        table = self.bq.get(path)
        rows = self.bq.get(path + "/data")

        self.assertEqual(table["schema"]["fields"][0]["name"], "five")
        self.assertEqual(rows["rows"], [{"f": [{"v": "5"}]}])
        self.assertEqual([d["datasetReference"]["datasetId"] for d in self.bq.get("datasets")["datasets"]],
                         ["d"])

    def test_a_query_writes_into_the_table_it_is_told(self):
        def select(value, **options):
            return self.bq.run(query_job(f"select {value} as v", None,
                                         destinationTable=self.bq.reference("d", "t"), **options))

        self.assertNotIn("errorResult", select(1)["status"])
        self.assertEqual(select(2)["status"]["errorResult"]["reason"], "duplicate")
        select(3, writeDisposition="WRITE_APPEND")
        self.assertEqual(sorted(r["v"] for r in self.bq.rows("d", "t")), [1, 3])
        self.bq.patch("datasets/d/tables/t", {"labels": {"keep": "me"}})
        select("'x'", writeDisposition="WRITE_TRUNCATE")
        self.assertEqual(self.bq.rows("d", "t"), [{"v": "x"}])
        self.assertEqual(self.bq.table("d", "t")["labels"], {"keep": "me"})

    def test_the_same_request_id_runs_a_query_once(self):
        self.bq.query("create table d.t (a int64)")
        body = {"query": "insert into d.t values (1)", "useLegacySql": False, "requestId": "r1"}

        first = self.bq.post("queries", body)
        second = self.bq.post("queries", body)
        self.bq.post("queries", {**body, "requestId": "r2"})

        self.assertEqual(first["jobReference"], second["jobReference"])
        self.assertEqual(self.bq.table("d", "t")["numRows"], "2")

    def test_syntax_errors_name_their_place(self):
        error = self.refuse(400, "invalidQuery", self.bq.query, "select 1 from")

        self.assertRegex(error.message, r"at \[1:\d+\]")

    def test_a_deleted_job_is_forgotten(self):
        self.bq.post("jobs", query_job("select 1", "gone"))

        self.assertEqual(self.bq.delete("jobs/gone/delete"), {})

        self.refuse(404, "notFound", self.bq.get, "jobs/gone")

    def test_numbers_are_strings(self):
        self.bq.query("create table d.t (a int64)")
        job = self.bq.run(query_job("insert into d.t values (1)"))

        statistics = job["statistics"]
        for value in (statistics["creationTime"], statistics["startTime"], statistics["endTime"],
                      statistics["totalBytesProcessed"],
                      statistics["query"]["numDmlAffectedRows"], self.bq.table("d", "t")["numRows"]):
            self.assertIsInstance(value, str)
            int(value)


# Takes minutes: nobody waits for its end.
ENDLESS = "select count(*) from d.t as a cross join d.t as b cross join d.t as c cross join d.t as e"
ENDLESS_DML = f"update d.t set id = id + ({ENDLESS}) where true"
LONG = {
    "DML": ENDLESS_DML,
    "DDL": f"create table d.u as {ENDLESS.replace('(*)', '(*) as n')}",
    "a script": f"begin transaction; delete from d.t where id = 1; {ENDLESS_DML}; commit transaction",
}


class Beside(unittest.TestCase):
    """Queries that are computed beside other requests."""

    def setUp(self):
        self.bq = self.enterContext(Bqlocal())
        self.bq.query("create table d.t (id int64)")
        rows = ", ".join(f"({i})" for i in range(1000))
        self.bq.query(f"insert into d.t (id) values {rows}")

    def start(self, sql):
        answer = self.bq.post("queries", {"query": sql, "useLegacySql": False, "timeoutMs": 1})
        self.assertIs(answer["jobComplete"], False)
        self.assertNotIn("rows", answer)
        return answer["jobReference"]["jobId"]

    def state(self, job):
        return self.bq.get(f"jobs/{job}")["status"]["state"]

    def test_a_query_answers_after_timeout_and_keeps_nobody_out(self):
        job = self.start(ENDLESS)

        self.bq.query("delete from d.t where id > 2")
        self.bq.query("create table d.u (id int64)")
        self.bq.load("d", "u", avro.container([("id", avro.nullable("long"))], [(1,)]))

        self.assertEqual(self.state(job), "RUNNING")
        later = self.bq.get(f"queries/{job}?timeoutMs=1")
        self.assertIs(later["jobComplete"], False)
        self.assertEqual(self.bq.table("d", "u")["numRows"], "1")

    def test_a_query_sees_the_moment_of_its_start(self):
        job = self.start("select count(*) as n from d.t as a cross join d.t as b cross join (select id from d.t "
                         "where id < 20) as c")
        self.bq.query("delete from d.t where id > 2")

        while not (answer := self.bq.get(f"queries/{job}")).get("jobComplete"):
            pass

        self.assertEqual(answer["rows"], [{"f": [{"v": "20000000"}]}])

    def test_a_query_can_be_cancelled_and_deleted(self):
        job, other, waiting = self.start(ENDLESS), self.start(ENDLESS), self.start("select 1")
        self.bq.post(f"jobs/{job}/cancel")
        self.bq.delete(f"jobs/{other}/delete")
        self.bq.post(f"jobs/{other}/cancel")

        done = self.bq.wait({"jobId": job})
        self.bq.wait({"jobId": waiting})

        self.assertEqual(done["status"]["errorResult"]["reason"], "stopped")
        self.assertEqual(self.bq.get(f"queries/{waiting}")["rows"], [{"f": [{"v": "1"}]}])
        while other in [job["jobReference"]["jobId"] for job in self.bq.get("jobs?maxResults=100")["jobs"]]:
            pass

    def test_the_server_ends_though_a_query_is_computed(self):
        self.start(ENDLESS)
        self.start(ENDLESS)
        self.start(ENDLESS_DML)
        self.start(ENDLESS_DML)

        self.assertEqual(self.bq.stop(), 0)

    def test_a_statement_that_changes_rows_keeps_no_reader_out(self):
        for kind, sql in LONG.items():
            with self.subTest(kind):
                done = self.bq.query("select 7 as n")
                job = self.start(sql)

                self.assertEqual(self.bq.table("d", "t")["numRows"], "1000")
                self.assertEqual(self.bq.tables("d"), ["t"])
                self.assertEqual(self.bq.get("datasets/d/tables/t/data?maxResults=1")["totalRows"], "1000")
                self.assertEqual(self.bq.query("select count(*) as n from d.t"), [{"n": 1000}])
                self.assertEqual(self.bq.get(f"queries/{self.latest('select 7 as n')}")["rows"], [{"f": [{"v": "7"}]}])
                self.assertEqual([table["rows"] for table in self.bq.get("/bqlocal/tables")["tables"]], [1000])
                self.bq.get("/bqlocal/requests")

                self.assertEqual(done, [{"n": 7}])
                self.assertEqual(self.state(job), "RUNNING")
                self.end(job)

    def latest(self, sql):
        return next(job["jobReference"]["jobId"] for job in self.bq.get("jobs?projection=full")["jobs"]
                    if job["configuration"]["query"]["query"] == sql)

    def end(self, job):
        self.bq.post(f"jobs/{job}/cancel")
        done = self.bq.wait({"jobId": job})
        self.assertEqual(done["status"]["errorResult"]["reason"], "stopped")

    def test_what_changes_tables_waits_for_what_changes_them_already(self):
        first = self.start(ENDLESS_DML)

        media = avro.container([("id", avro.nullable("long"))], [(2000,)])
        load = self.bq.upload({"sourceFormat": "AVRO", "destinationTable": self.bq.reference("d", "t")}, media)
        second = self.start("insert into d.t (id) select count(*) from d.t")
        third = self.start("create table d.seen as select max(id) as id, count(*) as n from d.t")
        waiting = threading.Thread(target=self.bq.post, args=("datasets/d/tables", {
            "tableReference": self.bq.reference("d", "u"), "schema": {"fields": [{"name": "a", "type": "STRING"}]}}))
        waiting.start()
        self.assertEqual(self.bq.tables("d"), ["t"])
        states = [self.state(job) for job in (load["jobReference"]["jobId"], second, third)]
        self.assertEqual((self.state(first), states), ("RUNNING", ["RUNNING"] * 3))
        self.end(first)
        waiting.join()

        self.assertEqual(self.bq.wait({"jobId": third})["status"], {"state": "DONE"})
        self.assertEqual(self.bq.query("select * from d.seen"), [{"id": 2000, "n": 1002}])
        self.assertEqual(self.bq.query("select count(*) as n from d.t where id = 1001"), [{"n": 1}])
        self.assertEqual(self.bq.tables("d"), ["seen", "t", "u"])

    def test_a_statement_that_waits_can_be_cancelled_and_changes_nothing(self):
        first, waiting = self.start(ENDLESS_DML), self.start("delete from d.t where true")

        self.end(waiting)
        self.end(first)

        self.assertEqual(self.bq.query("select count(*) as n, max(id) as id from d.t"), [{"n": 1000, "id": 999}])

    def test_a_cancelled_script_keeps_what_it_has_done(self):
        job = self.start("insert into d.t (id) values (5000); " + ENDLESS_DML)
        while self.bq.table("d", "t")["numRows"] != "1001":
            pass
        self.end(job)

        self.assertEqual(self.bq.query("select count(*) as n, max(id) as id from d.t"), [{"n": 1001, "id": 5000}])

    def test_rows_of_a_query_go_into_a_table_after_what_changes_tables(self):
        first = self.start(ENDLESS_DML)
        job = self.bq.post("jobs", query_job("select max(id) as id from d.t", destinationTable=self.bq.reference(
            "d", "kept")))

        self.assertEqual((job["status"]["state"], self.bq.tables("d")), ("RUNNING", ["t"]))
        self.end(first)

        self.assertEqual(self.bq.wait(job["jobReference"])["status"], {"state": "DONE"})
        self.assertEqual(self.bq.rows("d", "kept"), [{"id": 999}])

    def test_a_table_that_expires_meanwhile_is_gone(self):
        self.bq.post("datasets/d/tables", {
            "tableReference": self.bq.reference("d", "old"), "schema": {"fields": [{"name": "a", "type": "STRING"}]},
            "expirationTime": str(int(time.time() * 1000) + 3600000)})
        job = self.start(ENDLESS_DML)
        self.bq.faults({"action": "clock_skew", "ms": 7200000})
        self.bq.get("datasets")

        self.assertEqual(self.bq.tables("d"), ["t"])
        with self.assertRaises(HttpError) as caught:
            self.bq.table("d", "old")
        self.assertEqual(caught.exception.status, 404)
        self.assertEqual(self.state(job), "RUNNING")
        self.end(job)
        self.bq.query("create table d.old (b int64)")
        self.assertEqual(self.bq.rows("d", "old"), [])


class Latency(unittest.TestCase):
    def start(self, latency):
        bq = Bqlocal(latency=latency)
        bq.start()
        self.addCleanup(bq.stop)
        return bq

    @staticmethod
    def wait_for_state(bq, job, state):
        end = time.monotonic() + 60
        while bq.get(f"jobs/{job['jobReference']['jobId']}")["status"]["state"] != state:
            if time.monotonic() > end:
                raise TimeoutError(f"the job does not become {state}")
            time.sleep(0.01)

    def test_a_job_passes_through_its_states_and_takes_effect_at_the_end(self):
        bq = self.start("20ms")
        media = avro.container([("id", avro.nullable("long"))], [(1,)])
        configuration = {"sourceFormat": "AVRO", "destinationTable": bq.reference("d", "t")}

        for number, state in enumerate(("PENDING", "RUNNING"), 1):
            with self.subTest(state):
                bq.faults({"action": "job_hang", "at": state})
                job = bq.upload(configuration, media)
                self.assertEqual(job["status"], {"state": "PENDING"})
                self.wait_for_state(bq, job, state)
                rows = bq.table("d", "t")["numRows"] if bq.tables("d") else "0"
                self.assertEqual(rows, str(number - 1))
                bq.clear_faults()
                self.assertEqual(bq.wait(job["jobReference"])["status"], {"state": "DONE"})
                self.assertEqual(bq.table("d", "t")["numRows"], str(number))

    def test_a_job_takes_as_long_as_it_is_told(self):
        bq = self.start("300ms")

        start = time.monotonic()
        job = bq.run(query_job("select 1"))

        self.assertGreaterEqual(time.monotonic() - start, 0.3)
        statistics = job["statistics"]
        self.assertGreaterEqual(int(statistics["endTime"]) - int(statistics["creationTime"]), 299)

    def test_a_job_runs_also_when_nobody_asks_for_it(self):
        bq = self.start("50ms")
        bq.post("jobs", query_job("create table d.t (a int64)"))

        end = time.monotonic() + 60
        while bq.tables("d") != ["t"]:
            self.assertLess(time.monotonic(), end)

    def test_results_are_waited_for_as_long_as_the_caller_likes(self):
        bq = self.start("20ms")
        bq.faults({"action": "job_hang"})
        answer = bq.post("queries", {"query": "select 1 as x", "useLegacySql": False,
                                     "timeoutMs": 0})
        self.assertFalse(answer["jobComplete"])
        self.assertNotIn("rows", answer)

        path = f"queries/{answer['jobReference']['jobId']}"
        early = bq.get(path + "?timeoutMs=50")
        bq.clear_faults()
        late = bq.get(path + "?timeoutMs=20000")

        self.assertFalse(early["jobComplete"])
        self.assertEqual(late["rows"], [{"f": [{"v": "1"}]}])

    def test_a_cancelled_job_changes_nothing(self):
        bq = self.start("1h")
        job = bq.post("jobs", query_job("create table d.t (a int64)", "j"))
        self.assertEqual(job["status"]["state"], "PENDING")

        answer = bq.post("jobs/j/cancel")

        self.assertEqual(answer["job"]["status"]["errorResult"]["reason"], "stopped")
        self.assertEqual(bq.wait(job["jobReference"])["status"]["state"], "DONE")
        self.assertEqual(bq.tables("d"), [])


class Restart(unittest.TestCase):
    def test_tables_and_jobs_outlive_the_program_with_a_file(self):
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            data = folder + "/data.db"
            with Bqlocal(data=data) as bq:
                bq.query("create table d.t (a int64)")
                bq.query("insert into d.t values (7)")
                bq.post("jobs", query_job("select * from d.none", "bad"))
            with Bqlocal(data=data) as bq:
                self.assertEqual(bq.rows("d", "t"), [{"a": 7}])
                self.assertEqual(bq.get("jobs/bad")["status"]["errorResult"]["reason"], "notFound")
                with self.assertRaises(HttpError) as caught:
                    bq.post("jobs", query_job("select 1", "bad"))
                self.assertEqual(caught.exception.status, 409)
                bq.kill()
            with Bqlocal(data=data) as bq:
                self.assertEqual(bq.rows("d", "t"), [{"a": 7}])

    def test_jobs_that_ended_beside_a_statement_outlive_the_program_too(self):
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            data = folder + "/data.db"
            with Bqlocal(data=data) as bq:
                bq.query("create table d.t as select x as id from unnest([" + "0, " * 999 + "0]) as x")
                bq.post("jobs", query_job("select 0", "deleted"))
                long = bq.post("queries", {"query": ENDLESS_DML, "useLegacySql": False, "timeoutMs": 1})["jobReference"]
                bq.run(query_job("select 1", "beside"))
                deletion = threading.Thread(target=bq.delete, args=("jobs/deleted/delete",))
                deletion.start()
                self.assertEqual(bq.get(f"jobs/{long['jobId']}")["status"]["state"], "RUNNING")
                bq.post(f"jobs/{long['jobId']}/cancel")
                bq.wait(long)
                deletion.join()
            with Bqlocal(data=data) as bq:
                self.assertEqual(bq.get("jobs/beside")["status"], {"state": "DONE"})
                self.assertEqual(bq.get(f"jobs/{long['jobId']}")["status"]["errorResult"]["reason"], "stopped")
                with self.assertRaises(HttpError):
                    bq.get("jobs/deleted")


if __name__ == "__main__":
    unittest.main()
