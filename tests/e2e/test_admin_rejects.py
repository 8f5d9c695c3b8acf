"""The rejected values as the admin API lists them, page by page, and what the status says of its deployment."""

import json
import unittest
import urllib.parse

from tests.e2e.serving import INCREMENTAL, Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

REJECTS = "/admin/bigquery/rejects"
LARGE = 9007199254740993  # which a double cannot hold
HASHED_KEYS = "create table numbers(k primary key, v)"


class RejectsTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))

    def serve(self):
        service = self.enterContext(Service(self.app))
        self.sync(service)
        return service

    def sync(self, service):
        return service.wait_run(service.post(INCREMENTAL).json["run_id"])

    def reject(self, ids):
        with self.app.connect() as db:
            db.execute("begin")
            db.executemany("insert into everything(id, i) values (?, 'no number')", [(number,) for number in ids])
            db.execute("commit")

    def page(self, service, **arguments):
        return service.get(REJECTS + "?" + urllib.parse.urlencode(arguments)).json

    def pages(self, service, **arguments):
        pages = [self.page(service, **arguments)]
        while pages[-1]["next"] is not None:
            pages.append(self.page(service, after=pages[-1]["next"], **arguments))
        return pages

    def test_a_page_has_a_hundred_values_and_says_where_the_next_one_begins(self):
        self.reject(range(1, 251))
        pages = self.pages(self.serve(), table="everything")

        self.assertEqual([100, 100, 50], [len(page["rejects"]) for page in pages])
        found = [reject["key"]["id"] for page in pages for reject in page["rejects"]]
        self.assertEqual(list(range(1, 251)), sorted(found))
        first = pages[0]["rejects"][0]
        self.assertEqual({"table", "key", "column", "storage_class", "reason", "since"}, set(first))
        self.assertEqual(("everything", "i", "text"), (first["table"], first["column"], first["storage_class"]))
        self.assertEqual("is not an integer", first["reason"])
        self.assertRegex(first["since"], r"^\d{4}-\d\d-\d\dT.*Z$")

    def test_a_page_that_is_just_full_has_no_next_one(self):
        self.reject(range(1, 101))
        page = self.page(self.serve(), table="everything")
        self.assertEqual((100, None), (len(page["rejects"]), page["next"]))

    def test_no_value_is_left_out_or_told_twice_while_others_come_and_go(self):
        self.reject(range(1000, 1250))
        service = self.serve()
        first = self.page(service, table="everything")
        seen = [reject["key"]["id"] for reject in first["rejects"]]
        self.app.execute("delete from everything where id <= 1099")  # all of the first page
        self.app.execute("insert into everything(id, i) values (1, 'no number')")
        self.sync(service)
        second = self.page(service, table="everything", after=first["next"])
        self.assertEqual(list(range(1100, 1200)), [reject["key"]["id"] for reject in second["rejects"]])
        self.assertEqual(list(range(1000, 1100)), seen)

    def test_keys_beyond_what_a_double_holds_are_exact(self):
        self.reject([LARGE])
        answer = self.serve().get(REJECTS + "?table=everything")
        self.assertIn(f'"id":{LARGE}', answer.body.decode().replace(" ", ""))

    def test_without_a_table_all_are_listed(self):
        self.reject([1])
        self.app.execute("insert into accounts values (7, 'a@x', 'much', null)")
        page = self.page(self.serve())
        self.assertEqual(["accounts", "everything"], [reject["table"] for reject in page["rejects"]])

    def test_what_is_asked_wrongly_is_refused(self):
        self.reject([1])
        service = self.serve()
        answer = service.get(REJECTS + "?table=everythin")
        self.assertEqual((400, "unknown_table"), (answer.status, answer.json["error"]["code"]))
        self.assertEqual(["everythin"], answer.json["error"]["unknown"])
        self.assertIn("everything", answer.json["error"]["known"])
        for after in ("x", "1", "-1", "9" * 30, ""):
            with self.subTest(after=after):
                answer = service.get(REJECTS + "?table=everything&after=" + after)
                self.assertEqual((400, "bad_request"), (answer.status, answer.json["error"]["code"]))
        self.assertEqual(405, service.post(REJECTS).status)

    def test_before_the_first_pass_there_are_none(self):
        service = self.enterContext(Service(self.app))
        self.assertEqual({"rejects": [], "next": None}, self.page(service, table="everything"))

    def test_it_needs_the_token(self):
        service = self.enterContext(Service(self.app, token="token-of-the-rejects"))
        self.assertEqual(401, service.get(REJECTS, headers={"Authorization": None}).status)

    def test_the_status_says_whose_it_is(self):
        with Service(self.app, BQ_ENVIRONMENT="staging", token="token-of-the-status") as service:
            status = service.status()
        self.assertEqual(
            (self.bq.project, "d", str(self.app.path), "staging"),
            tuple(status[name] for name in ("project", "dataset", "source", "environment")))
        self.assertNotIn("token-of-the-status", json.dumps(status))
        self.assertEqual(self.bq.project, self.app.json("status")["project"])


class HiddenKeyTest(unittest.TestCase):
    """A column that the definition hashes is not shown by the API, though it is the key."""

    def test_the_value_of_a_hashed_key_is_not_in_the_answer(self):
        bq = self.enterContext(Bqlocal(datasets=["d"]))
        app = self.enterContext(Deployment(bq, program="bqsync_hidden", schema=HASHED_KEYS))
        with app.connect() as db:
            # Two keys in SQLite, one text in BigQuery: the later row is rejected, with the earlier one in the reason.
            for number in range(77770000, 77770101):
                db.execute("insert into numbers values (?, 'a')", (number,))
                db.execute("insert into numbers values (?, 'b')", (str(number),))
        service = self.enterContext(Service(app))
        service.wait_run(service.post(INCREMENTAL).json["run_id"])
        answer = service.get(REJECTS + "?table=numbers")
        self.assertEqual(100, len(answer.json["rejects"]))
        self.assertEqual({"k": "(hidden)"}, answer.json["rejects"][0]["key"])
        self.assertIn("one key in BigQuery", answer.json["rejects"][0]["reason"])
        self.assertNotIn("7777", answer.body.decode())
        self.assertIn("7777", app.run("rejects", "numbers")[1])
        answer = service.get(REJECTS + "?table=numbers&after=" + answer.json["next"])
        self.assertEqual((1, None), (len(answer.json["rejects"]), answer.json["next"]))


if __name__ == "__main__":
    unittest.main()
