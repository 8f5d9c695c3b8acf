"""The sample of the crash tests."""

import os
import unittest
import unittest.mock

from tests.support import kill_points


class KillPointsTest(unittest.TestCase):
    def setUp(self):
        self.enterContext(unittest.mock.patch.dict(os.environ))
        os.environ.pop("BQSYNC_CRASH_ALL", None)

    def test_every_point_is_tried_if_all_are_asked_for(self):
        os.environ["BQSYNC_CRASH_ALL"] = "1"
        self.assertEqual([1, 2, 3, 4, 5], kill_points.chosen(5, "request", "before"))

    def test_a_sample_has_a_point_of_every_sort_and_only_points_that_exist(self):
        for count in range(1, 30):
            numbers = kill_points.chosen(count, "commit", "after")
            self.assertEqual(-(-count // kill_points.SAMPLED), len(set(numbers)))
            self.assertLessEqual(set(numbers), set(range(1, count + 1)))
        self.assertEqual([], kill_points.chosen(0, "commit", "after"))

    def test_the_same_seed_gives_the_same_sample_and_sorts_differ(self):
        with unittest.mock.patch.object(kill_points, "SEED", 7):
            first = [kill_points.chosen(40, "scenario", number) for number in range(20)]
            self.assertEqual(first, [kill_points.chosen(40, "scenario", number) for number in range(20)])
        self.assertGreater(len(set(map(tuple, first))), 1)
        with unittest.mock.patch.object(kill_points, "SEED", 8):
            self.assertNotEqual(first, [kill_points.chosen(40, "scenario", number) for number in range(20)])

    def test_seeds_together_reach_every_point(self):
        reached = set()
        for seed in range(200):
            with unittest.mock.patch.object(kill_points, "SEED", seed):
                reached.update(kill_points.chosen(20, "request"))
        self.assertEqual(set(range(1, 21)), reached)


if __name__ == "__main__":
    unittest.main()
