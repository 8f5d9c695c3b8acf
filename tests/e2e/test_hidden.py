"""What logs and reports must not show: values and keys of rows. The output of a command names the row."""

import unittest

from tests.e2e.serving import INCREMENTAL, Collector, Service
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment

SCHEMA = """
create table mails(email text primary key, n);
create table numbers(k primary key, v);
create table paths(id integer primary key, v);
create table drafts(team text not null, n integer not null, v, primary key (team, n));
create table marks(v);
"""
SECRETS = ("row-of-somebody", "123456789")
DSN = "http://key-of-the-collector@127.0.0.1:{}/7"


class HiddenTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq, program="bqsync_hidden", schema=SCHEMA))

    def assert_hidden(self, text):
        for secret in SECRETS:
            self.assertNotIn(secret, text)

    def reported(self, change):
        """The one report that a pass of `serve` sends after this change."""
        self.app.script(change)
        with Collector() as collector:
            with Service(self.app, SENTRY_DSN=DSN.format(collector.port)) as service:
                service.wait_run(service.post(INCREMENTAL).json["run_id"])
                body = collector.wait("/api/7/envelope/")["body"]
            self.assert_hidden(service.log)
        self.assert_hidden(body)
        return body

    def test_a_row_that_must_not_be_rejected_is_named_by_the_command_alone(self):
        body = self.reported("insert into mails values ('row-of-somebody@x', 'x')")

        self.assertIn("mails.n: text value is not an integer", body)
        status, out, log = self.app.run("sync", "mails")
        self.assertEqual(1, status)
        self.assertIn("mails.n: text value is not an integer", out)
        self.assertIn("(the row with email = row-of-somebody@x)", out)
        self.assert_hidden(log)

    def test_rows_that_share_a_key_are_named_by_rejects_alone(self):
        body = self.reported("insert into numbers values (123456789, 'a'), ('123456789', 'b')")

        self.assertIn("1 rows of numbers do not fit", body)
        _, _, log = self.app.run("sync", "numbers", "--full")
        self.assertIn("and that of another row are one key in BigQuery", log)
        self.assert_hidden(log)
        self.assertIn("123456789", self.app.run("rejects", "numbers")[1])

    def test_what_sqlite_quotes_of_a_value_is_left_out(self):
        body = self.reported("insert into paths values (1, '$.a'), (2, 'row-of-somebody')")

        self.assertIn("JSON path error", body)
        self.assert_hidden("".join(self.app.run("sync", "paths")[1:]))


if __name__ == "__main__":
    unittest.main()
