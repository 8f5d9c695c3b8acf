"""Which part of a large set the tests of a run try."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

from tests.support import sampling

ROOT = str(pathlib.Path(__file__).resolve().parent.parent.parent)


class SamplingTest(unittest.TestCase):
    def setUp(self):
        self.enterContext(unittest.mock.patch.dict(os.environ))
        os.environ.pop("BQSYNC_ALL", None)

    def test_every_point_is_tried_if_all_are_asked_for(self):
        os.environ["BQSYNC_ALL"] = "1"
        self.assertEqual([1, 2, 3, 4, 5], sampling.points(5, "request", "before"))

    def test_a_sample_has_a_point_of_every_sort_and_only_points_that_exist(self):
        for count in range(1, 30):
            numbers = sampling.points(count, "commit", "after")
            self.assertEqual(-(-count // sampling.POINTS), len(set(numbers)))
            self.assertLessEqual(set(numbers), set(range(1, count + 1)))
        self.assertEqual([], sampling.points(0, "commit", "after"))

    def test_the_same_seed_gives_the_same_sample_and_sorts_differ(self):
        with unittest.mock.patch.object(sampling, "SEED", 7):
            first = [sampling.points(40, "scenario", number) for number in range(20)]
            self.assertEqual(first, [sampling.points(40, "scenario", number) for number in range(20)])
        self.assertGreater(len(set(map(tuple, first))), 1)
        with unittest.mock.patch.object(sampling, "SEED", 8):
            self.assertNotEqual(first, [sampling.points(40, "scenario", number) for number in range(20)])

    def test_seeds_together_reach_every_point(self):
        reached = set()
        for seed in range(200):
            with unittest.mock.patch.object(sampling, "SEED", seed):
                reached.update(sampling.points(20, "request"))
        self.assertEqual(set(range(1, 21)), reached)

    def test_each_item_is_tried_in_one_way_and_seeds_together_reach_all_ways(self):
        for count in (1, 2, 7):
            items = list(range(count))
            found = [set(), set()]
            for seed in range(50):
                with unittest.mock.patch.object(sampling, "SEED", seed):
                    ways = [sampling.one_way(items, way, 2, "history") for way in range(2)]
                self.assertEqual(items, sorted(ways[0] + ways[1]))
                for way in range(2):
                    found[way].update(ways[way])
            self.assertEqual([set(items), set(items)], found)
        os.environ["BQSYNC_ALL"] = "1"
        self.assertEqual([[1, 2], [1, 2]], [sampling.one_way([1, 2], way, 2) for way in range(2)])

    def test_a_run_of_ci_has_one_of_each_kind_and_all_others_have_each(self):
        for kind in (sampling.BUILDS, sampling.JUDGES):
            had = set()
            for seed in range(40):
                with unittest.mock.patch.object(sampling, "SEED", seed):
                    os.environ["BQSYNC_CI"] = "1"
                    [name] = filter(sampling.turn, kind)
                    had.add(name)
                    os.environ["BQSYNC_CI"] = ""
                    self.assertTrue(all(map(sampling.turn, kind)))
            self.assertEqual(set(kind), had)

    def test_of_the_tests_of_a_class_a_part_runs_and_together_all_of_them(self):
        found, tried = set(), 0
        for seed in range(400):
            with unittest.mock.patch.object(sampling, "SEED", seed):
                names = sampling.Loader().getTestCaseNames(Five)
                tried += len(names)
                found.update(names)
        self.assertAlmostEqual(5 / sampling.SANITIZED, tried / 400, delta=0.15)
        self.assertEqual({"test_a", "test_b", "test_c", "test_d", "test_e"}, found)

    def test_the_tests_of_a_file_run_in_part_under_sanitizers_alone(self):
        for sanitizers, everything, seed, expected in (
                ("", "", 1, 7), ("address", "", 1, 1), ("address", "", 8, 0), ("address", "1", 1, 7)):
            with self.subTest(sanitizers=sanitizers, everything=everything, seed=seed):
                environment = {**os.environ, "BQSYNC_SANITIZE": sanitizers, "BQSYNC_ALL": everything,
                               "BQSYNC_SEED": str(seed)}
                done = self.run_file("pass", environment)

                self.assertEqual(0, done.returncode, done.stderr)
                self.assertRegex(done.stderr, rf"Ran {expected} tests?\b")
                self.assertEqual(sanitizers != "" and everything == "", "BQSYNC_SEED=" in done.stdout, done.stdout)

    def test_a_failure_counts(self):
        done = self.run_file("self.fail()", os.environ)

        self.assertEqual(1, done.returncode, done.stderr)

    def run_file(self, body, environment):
        """Runs a file of two classes, of five tests and of two, each with that body."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bqsync-sampling-")))
        tests = [f"    def test_{number}(self):\n        {body}\n" for number in range(5)]
        (folder / "test_some.py").write_text("import unittest\n" + "".join(
            f"class {name}(unittest.TestCase):\n" + "".join(tests[:count]) for name, count in (("A", 5), ("B", 2))))
        return subprocess.run([sys.executable, "-m", "tests.support.sampling", folder / "test_some.py"], cwd=folder,
                              env={**environment, "PYTHONPATH": ROOT}, capture_output=True, text=True)


class Five:
    """A class of five tests, as a loader sees it; none of them is run."""

    test_a = test_b = test_c = test_d = test_e = lambda self: None


if __name__ == "__main__":
    unittest.main()
