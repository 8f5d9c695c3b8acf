"""Real databases, which public packages bring or make, are mirrored without an edit."""

import pathlib
import tempfile
import unittest

from tests.databases import real
from tests.support import foreign


class RealTest(unittest.TestCase):
    def mirrors(self, path):
        self.assertEqual([], real.problems(path))

    def test_the_cities_of_geopointdb(self):
        self.mirrors(real.shipped("cities", foreign.absent))

    def test_the_coordinate_systems_of_proj(self):
        self.mirrors(real.shipped("proj", foreign.absent))

    def test_a_collection_that_anki_made(self):
        with tempfile.TemporaryDirectory() as folder:
            self.mirrors(real.made("anki", pathlib.Path(folder), foreign.absent))

    def test_a_site_that_django_made(self):
        with tempfile.TemporaryDirectory() as folder:
            self.mirrors(real.made("django", pathlib.Path(folder), foreign.absent))


if __name__ == "__main__":
    unittest.main()
