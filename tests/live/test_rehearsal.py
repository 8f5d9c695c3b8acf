"""Rehearses the live test on bqlocal: every question is asked to its end, and nothing remains."""

import contextlib
import json
import pathlib
import subprocess
import tempfile
import unittest

from tests.live import credentials, report
from tests.live.life import Life
from tests.live.place import Place
from tests.live.questions import QUESTIONS
from tests.support import foreign
from tests.support.bqlocal import Bqlocal

MANY_ROWS = 4000


class RehearsalTest(Life, unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(project="rehearsal-project", datasets=["scratch"]))
        self.place = Place(self.bq, "scratch", {"BIGQUERY_EMULATOR_HOST": self.bq.host}, MANY_ROWS, self.denied)
        self.addCleanup(self.place.close)

    @contextlib.contextmanager
    def denied(self, permission):
        self.bq.faults({"action": "deny", "permission": permission})
        yield {}
        self.bq.clear_faults()

    def test_every_question_is_answered_and_nothing_remains(self):
        text, wrong = report.write(self.place, "rehearsal", "bqlocal")

        self.assertEqual([], wrong, text)
        self.assertEqual(len(QUESTIONS), text.count("\n## "))
        self.assertNotIn("rehearsal-project", text)
        self.assertNotIn("scratch", text)
        self.assertEqual([], self.bq.tables("scratch"))
        self.assertEqual(["scratch"], [item["datasetReference"]["datasetId"] for item in self.bq.get("datasets")["datasets"]])

    def test_what_is_not_as_assumed_is_said(self):
        self.bq.faults({"action": "job_fail", "job": "load", "count": 0, "reason": "invalid", "message": "REQUIRED, alas"})

        text, wrong = report.write(self.place, "rehearsal", "bqlocal")

        self.assertIn("DATETIME from local-timestamp-micros, with a schema in the job", wrong)
        self.assertIn("| REQUIRED, alas | **NOT AS ASSUMED** |", text)


class CredentialsTest(unittest.TestCase):
    def test_a_service_accounts_key_becomes_a_token(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        private, public, strict, key = (folder / name for name in ("private.pem", "public.pem", "strict.json", "key.json"))
        openssl = [foreign.tool("openssl", "openssl")]
        subprocess.run([*openssl, "genrsa", "-out", private, "2048"], check=True, capture_output=True)
        subprocess.run([*openssl, "rsa", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
        account = {"client_email": "robot@p.iam.gserviceaccount.com", "private_key_id": "k1"}
        strict.write_text(json.dumps({"accounts": [{**account, "public_key_file": "public.pem"}]}))
        bq = self.enterContext(Bqlocal(args=["--strict", strict]))
        key.write_text(json.dumps({**account, "type": "service_account", "private_key": private.read_text(),
                                   "token_uri": f"{bq.url}/token"}))

        bq.token = credentials.token(str(key))

        self.assertEqual([], bq.tables("d"))


if __name__ == "__main__":
    unittest.main()
