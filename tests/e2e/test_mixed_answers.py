"""Answers that are about something else: a proxy or a cache that mixes them up, a connection that is one answer late.

None of them passes for what BigQuery says of one's own job or table, and each change arrives once all the same."""

import pathlib
import unittest

from tests.support import mirror
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROWS = """
insert into accounts values (1, 'a@x', 1, 'one'), (2, 'b@x', 2, 'two'), (3, 'c@x', 3, 'three');
insert into events(kind, at) values ('first', 1);
insert into settings values ('theme', 'dark');
"""
CHANGES = """
update accounts set note = 'changed' where id = 1; delete from accounts where id = 3;
insert into events(kind, at) values ('second', 2);
update settings set value = 'light';
"""
REQUESTS = 14


class MixedAnswersTest(unittest.TestCase):
    environment = {"BQ_PARALLEL": "1", "BQ_RETRY_BUDGET": "3s"}

    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, environment=self.environment))
        self.app.script(ROWS)

    def assert_equal(self):
        reports = mirror.compare(str(self.app.path), self.bq.url, "p", "d", ROOT / "tests/schemas", ())
        self.assertEqual([], [str(report) for report in reports if not report.equal])

    def meets(self, *arguments, **rule):
        """A sync that meets the rule, and what it says; what it calls well has arrived."""
        self.bq.faults(rule)
        status, out, err = self.app.run("sync", *arguments)
        acted = self.bq.fault_state()[0]["acted"]
        self.bq.clear_faults()
        self.assertIn(status, (0, 1, 5), err)
        if status == 0:
            self.assert_equal()
        return status, acted, err

    def test_a_job_is_not_done_because_another_one_is(self):
        self.app.sync()
        for processed in (False, True):
            with self.subTest(processed=processed):
                self.app.script(CHANGES.replace("changed", str(processed)))
                status, acted, err = self.meets(
                    action="answer_of_another", method="POST", path="/jobs", count=3, processed=processed)
                self.assertEqual((0, 3), (status, acted), err)
                self.assertIn("the answer is not about what was asked: it is about job p:another (does a proxy or a cache"
                              " on the way mix answers up?)", err)

    def test_a_proxy_that_always_answers_of_another_job_is_no_success(self):
        self.app.sync()
        self.app.script(CHANGES)

        status, _, err = self.meets(action="answer_of_another", method="POST", path="/jobs", count=0)

        self.assertEqual(1, status, err)
        self.assertEqual(0, self.app.run("sync")[0])
        self.assert_equal()

    def test_an_upload_is_not_done_because_another_one_is(self):
        for processed in (False, True):
            status, acted, err = self.meets(
                "--full", action="answer_of_another", path="/upload/", count=2, processed=processed)
            self.assertEqual((0, 2), (status, acted), err)

    def test_any_one_answer_may_be_about_something_else(self):
        for number in range(1, REQUESTS):
            for action in ({"action": "answer_of_another", "processed": number % 2 == 0}, {"action": "answer_twice"}):
                with self.subTest(number=number, **action):
                    self.app.script(CHANGES.replace("changed", f"{number} {action}".replace("'", "")))
                    status, acted, err = self.meets(nth=number, **action)
                    self.assertEqual(0, status, err)
                    self.assert_equal()

    def test_verify_does_not_take_the_answers_of_other_queries(self):
        self.app.sync()
        self.bq.query("update d.accounts set note = 'by hand' where id = 2")
        for number in range(1, 8):
            for action in ("answer_twice", "answer_of_another"):
                with self.subTest(number=number, action=action):
                    self.bq.faults({"action": action, "nth": number, "method": "POST", "path": "/queries"})
                    status, out, err = self.app.run("verify")
                    self.bq.clear_faults()
                    self.assertEqual(1, status, out + err)
                    self.assertEqual(1, out.count("DIFFERENT"), out)


if __name__ == "__main__":
    unittest.main()
