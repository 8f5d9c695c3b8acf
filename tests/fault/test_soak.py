"""A minute of the soak, with everything that an hour has; and that it would find a difference and a leak."""

import os
import random
import unittest

from tests.fault import soak
from tests.support.bqlocal import Bqlocal

SEED = int(os.environ.get("BQSYNC_SEED", random.SystemRandom().randrange(10**6)))
PACE = soak.Pace(minutes=0.5, kill_seconds=4, restores_every=2, interval="4s")


class SoakTest(unittest.TestCase):
    def test_kills_and_restored_backups_end_in_equality(self):
        print(f"seed {SEED}", flush=True)

        run = soak.Soak(SEED, PACE).run()

        self.assertEqual(PACE.rounds, run.hurt.counts["kills"])
        self.assertEqual(PACE.rounds // 2, run.hurt.counts["restores"])
        self.assertEqual(0, run.alone.counts["kills"])
        self.assertEqual((PACE.rounds + 1) * len(soak.SOAKED), run.alone.counts["comparisons"])


class JudgeTest(unittest.TestCase):
    def test_a_row_that_differs_is_found(self):
        with Bqlocal(datasets=["d"]) as bq:
            side = soak.Mirrored(bq, "d", SEED, PACE)
            with side.app:
                side.app.execute("insert into accounts(email) values ('a@x'), ('b@x')")
                side.app.run("sync")
                self.assertEqual([], side.differences())

                bq.query("update d.accounts set note = 'by hand' where email = 'b@x'")

                self.assertIn("note", "\n".join(side.differences()))

    def test_memory_and_descriptors_that_grow_are_found(self):
        def samples(kib=0, descriptors=0):
            return [soak.Sample(at, at, 20_000 + kib * at // 3600, 40 + descriptors * at // 3600)
                    for at in range(0, 3600, 2)]

        soak.check_flat(samples(kib=2_000, descriptors=5))
        for grown in (samples(kib=20_000), samples(descriptors=100)):
            with self.assertRaisesRegex(soak.Failed, "have grown"):
                soak.check_flat(grown)
        self.assertAlmostEqual(20_000, soak.an_hour(samples(kib=20_000), soak.kib), delta=100)


if __name__ == "__main__":
    unittest.main()
