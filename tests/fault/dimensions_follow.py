"""A service that follows the commits of the application: passes in series, whose labels stay behind."""

from __future__ import annotations

import signal
import time

from tests.fault.dimension import HELD_SECONDS, Dimension
from tests.fault.life import HURRY, Broken
from tests.support.following import SETTINGS

# Between two looks at both sides.
LOOK_SECONDS = 0.01


class Follow(Dimension):
    """`serve` beside an application that commits: BigQuery comes to equal SQLite, however the service ends."""

    name = "follow"

    def __init__(self, life):
        super().__init__(life)
        self.trials = [self.follow]

    def follow(self, arguments):
        """Commits, each followed by a pass or several by one; then the service is killed, or asked to stop, and perhaps
        the database of a moment in between is restored."""
        life = self.life
        faulty = self.rng.random() < 0.25
        saved = False
        process = life.app.start("serve", **SETTINGS, **(HURRY if faulty else {}))
        life.log.append(f"serve follows{', and meets faults' if faulty else ''}")
        ended = "killed"
        try:
            for _ in range(self.rng.randrange(2, 8)):
                if faulty and self.rng.random() < 0.5:
                    life.break_requests(life.fault())
                life.act(self.rng.choice([1, 1, 2, 4]))
                if self.rng.random() < 0.2:
                    life.log.append("a backup, beside serve")
                    life.save(None)
                    saved = True
                if faulty or self.rng.random() < 0.4:
                    time.sleep(self.rng.uniform(0, 0.08))
                else:
                    self.catch_up(process)
            if not faulty and self.rng.random() < 0.5:
                self.catch_up(process)
            if self.rng.random() < 0.3:
                ended = self.stop(process)
        finally:
            life.bq.clear_faults()
            process.kill()
            _, life.err = process.communicate()
        life.log.append(f"serve is {ended}")
        life.counts[f"serve {ended}"] += 1
        life.counts["labels behind"] += self.labels_behind()
        # From a moment in which labels were behind, of which no pass has caught up yet.
        if saved and self.rng.random() < 0.6:
            life.log.append("the backup is restored")
            life.restore(None)
            life.hurt = True
            life.counts["restored in a series"] += 1

    def labels_behind(self):
        """Of how many tables BigQuery holds rows of a later generation than its label says."""
        known = "select 1 from sqlite_master where name = 'bq_sync_generations'"
        behind = "select table_name from bq_sync_generations where labelled < generation"
        return len(self.life.in_state(behind)) if self.life.in_state(known) else 0

    def catch_up(self, process):
        """Waits until both sides are equal, and no longer than a busy machine may need for a pass."""
        end = time.monotonic() + HELD_SECONDS
        while True:
            different = [report for report in self.life.reports()
                         if not report.equal and report.table not in self.life.owed]
            if not different:
                break
            if process.poll() is not None:
                raise Broken(f"serve ended with {process.returncode}")
            if time.monotonic() > end:
                raise Broken("\n".join(["serve does not catch up:", *map(str, different)]))
            time.sleep(LOOK_SECONDS)
        self.life.log.append("  BigQuery has it")
        self.life.counts["commits followed"] += 1

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        process.wait(HELD_SECONDS)
        if process.returncode != 0:
            raise Broken(f"serve ended with {process.returncode} when it was asked to stop")
        return "stopped"
