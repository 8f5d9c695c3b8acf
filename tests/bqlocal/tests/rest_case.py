"""A bqlocal for each test, and what it refuses."""

import unittest

from tests.support.bqlocal import Bqlocal, HttpError


class RestCase(unittest.TestCase):
    def setUp(self):
        self.bq = Bqlocal()
        self.bq.start()
        self.addCleanup(self.bq.stop)

    def refuse(self, status, reason, call, *args, **options):
        """Asserts that the call is refused in this way; its error."""
        with self.assertRaises(HttpError) as caught:
            call(*args, **options)
        self.assertEqual((caught.exception.status, caught.exception.reason), (status, reason))
        return caught.exception
