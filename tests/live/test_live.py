"""Asks real BigQuery, if BQSYNC_LIVE_PROJECT and BQSYNC_LIVE_DATASET name a scratch dataset and there are credentials.
See docs/conformance.md.

Tables of tests/schemas and tables whose names begin with bqsync_live_ are deleted before and after, so the dataset must
not hold any that you need.
"""

import contextlib
import os
import subprocess
import sys
import unittest

from tests.live import credentials, report
from tests.live.life import Life
from tests.live.place import LiveClient, Place
from tests.support.deployment import BUILD

PROJECT = os.environ.get("BQSYNC_LIVE_PROJECT")
DATASET = os.environ.get("BQSYNC_LIVE_DATASET")
WEAK_CREDENTIALS = os.environ.get("BQSYNC_LIVE_WEAK_CREDENTIALS")
MANY_ROWS = 1_000_000  # about 100 MB, a few cents


@contextlib.contextmanager
def with_weak_credentials(_):
    yield {"GOOGLE_APPLICATION_CREDENTIALS": WEAK_CREDENTIALS}


class LiveTest(Life, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not PROJECT or not DATASET:
            reason = "BQSYNC_LIVE_PROJECT and BQSYNC_LIVE_DATASET are not set"
            print(f"\n*** SKIPPED, no live run: {reason} ***", file=sys.stderr, flush=True)
            raise unittest.SkipTest(reason)
        if os.environ.get("BIGQUERY_EMULATOR_HOST"):
            raise AssertionError("BIGQUERY_EMULATOR_HOST is set: this would not be a live run")

    def setUp(self):
        token = credentials.token(os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"))
        client = LiveClient(PROJECT, "https://bigquery.googleapis.com", token)
        self.place = Place(client, DATASET, {}, MANY_ROWS, with_weak_credentials if WEAK_CREDENTIALS else None)
        self.place.cleanup()
        self.addCleanup(self.place.close)

    def test_the_assumptions_hold(self):
        version = subprocess.run([str(BUILD / "bqsync_shapes"), "--version"], capture_output=True, text=True).stdout.strip()
        location = self.place.client.get(f"datasets/{DATASET}")["location"]
        text, wrong = report.write(self.place, version, f"BigQuery in {location}")
        print(f"\n----- paste from here -----\n{text}\n----- to here -----", file=sys.stderr, flush=True)
        self.assertEqual([], wrong)


if __name__ == "__main__":
    unittest.main()
