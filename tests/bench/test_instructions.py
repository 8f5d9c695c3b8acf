"""The hot pieces and an idle pass take as many instructions as on record, within 5 %."""

import os
import unittest

from tests.bench import instructions
from tests.support import foreign


class InstructionsTest(unittest.TestCase):
    def test_nothing_takes_more_or_fewer_instructions_than_on_record(self):
        foreign.tool("valgrind", "valgrind")
        if os.environ.get("BQSYNC_SANITIZE"):
            foreign.absent("sanitizers add instructions")
        record = instructions.recorded()
        if instructions.compiler() != record["compiler"]:
            foreign.absent(f"the record holds for {record['compiler']}, this is {instructions.compiler()}")

        counts = instructions.count()

        self.assertEqual(counts.keys(), record["instructions"].keys())
        for name, counted in counts.items():
            with self.subTest(name):
                self.assertIsNone(instructions.difference(name, counted, record["instructions"][name]))

    def test_six_percent_are_found_in_either_direction(self):
        self.assertIsNone(instructions.difference("reader", 104, 100))
        self.assertIsNone(instructions.difference("reader", 96, 100))
        self.assertIn("6.0% more", instructions.difference("reader", 106, 100))
        self.assertIn("6.0% less", instructions.difference("reader", 94, 100))

    def test_only_lines_of_our_objects_that_are_no_calls_count(self):
        profile = ("events: Ir\nob=/x/build/workload\nfn=measure_time\n10 3\ncob=/lib/libc.so.6\ncfn=memcpy\n"
                   "calls=1 0\n11 900\n12 4\nob=/lib/libc.so.6\nfn=memcpy\n0 800\nob=/lib/libsqlite3.so.0.8.6\nfn=step\n7 5\n")

        self.assertEqual(12, instructions.sum_of(profile))


if __name__ == "__main__":
    unittest.main()
