"""The patches of tests/fault/reverts still undo what they say: they apply to today's sources."""

import unittest

from tests.fault.dimensions import DIMENSIONS
from tests.fault.revert import ROOT, patches


class RevertsTest(unittest.TestCase):
    def test_every_patch_applies_and_names_a_dimension(self):
        for patch in patches():
            with self.subTest(patch.name):
                self.assertIsNone(patch.apply(ROOT, "--dry-run"),
                                  f"the code has changed: write {patch.path} again so that it undoes the same rule")
                self.assertLessEqual(set(patch.dimensions.split(",")), set(DIMENSIONS))


if __name__ == "__main__":
    unittest.main()
