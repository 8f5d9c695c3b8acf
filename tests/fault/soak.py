"""A long run of `bqsync serve`: applications that commit all the time, a BigQuery that fails, kills, restored backups.

    BQSYNC_BUILD=build python3 -m tests.fault.soak [--minutes N] [--seed N]

Two databases are mirrored, each by a service that follows the commits of an application, ten a second. The service of
one is killed once a minute, and its database is restored from an online backup once in ten. The other service is left
alone from the beginning to the end: it shows whether memory or descriptors grow. BigQuery fails at random for both.

Once a minute the applications rest, and no new fault comes, until both sides are equal value by value: before the next
restore hides what was wrong. What was counted and measured is printed and kept in $BQSYNC_BUILD/bench/soak.json. The
exit status is 1 if the two sides do not become equal, or if anything else is not as it should be.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import random
import re
import shutil
import sqlite3
import statistics
import sys
import threading
import time

from tests.bench.measure import Results, cpu_of
from tests.e2e.serving import Service
from tests.fault.life import DEFINITIONS, copy_database
from tests.support import mirror
from tests.support.bad_day import some_fault
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.watching import open_descriptors, resident_kib
from tests.support.workload import BUSY_SECONDS, Application
from tests.support.workload_tables import TABLES

# Every mode, with triggers and scanned; tests/fault/CMakeLists.txt builds the program with these.
SOAKED = ("accounts", "bag", "devices", "events", "everything", "filtered", "kept", "marked_scanned", "memberships",
          "misfit_scanned", "people", "settings")
# An application writes to some of them, and in the next round to others, so that tables also rest. Those of mode replace
# are synced twice in ten seconds at most (docs/operations.md, Quotas), and the others of their pass wait with them.
REPLACED = tuple(table for table in SOAKED if DEFINITIONS[table]["sync"]["mode"] == "replace")
MERGED = tuple(table for table in SOAKED if table not in REPLACED)
BUSY_TABLES = 5
REPLACED_SHARE = 0.25  # of the rounds
COMMITS_A_SECOND = 10
SETTINGS = {"BQ_SYNC_FOLLOW": "1s", "BQ_RETRY_BUDGET": "20s", "BQ_LOG_LEVEL": "info"}
# What is counted in the log of a service.
TOLD = {"pass done": "passes", "pass ended early": "passes that ended early", "trying again": "requests tried again",
        "whole table sent": "tables sent whole", "table synced": "tables synced"}
FAILED = re.compile(r"pass done .* failed=(\d+)")
QUIET_SECONDS = (0.5, 8)  # between two sets of faults
LOOK_SECONDS = 0.2
SAMPLE_SECONDS = 2
# A new service fills its caches.
WARM_SECONDS = 10
GROWTH_KIB = 4096
GROWTH_DESCRIPTORS = 16
POINTS = 120  # of a line in the chart


class Failed(Exception):
    """Something was not as it should be; the message says what."""


@dataclasses.dataclass(frozen=True)
class Pace:
    minutes: float
    kill_seconds: float = 60
    restores_every: int = 10  # rounds of kill_seconds
    interval: str = "20s"  # between passes that follow no commit, which also make up for one that failed
    caught_up_seconds: float = 600  # a hang, not slowness: the machine may be busy

    @property
    def rounds(self):
        return max(1, round(self.minutes * 60 / self.kill_seconds))


@dataclasses.dataclass(frozen=True)
class Sample:
    at: float  # seconds since the beginning
    age: float  # of the process
    kib: int
    descriptors: int


class Mirrored:
    """A database, an application that writes to it, and a service that follows it into a dataset."""

    def __init__(self, bq, dataset, seed, pace):
        schema = ";".join(TABLES[table].create for table in SOAKED)
        self.app = Deployment(bq, "bqsync_soak", schema, dataset=dataset)
        self.settings = {**SETTINGS, "BQ_SYNC_INTERVAL": pace.interval}
        self.rng = random.Random(f"{seed}/{dataset}")
        self.counts = collections.Counter()
        self.service = None
        self.cpu = 0.0  # of services that have ended
        self.samples = []
        self.log = collections.deque(maxlen=100)
        self.resting = threading.Lock()  # held: the application is stopped and has closed its connection
        self.ended = threading.Event()
        self.problem = None  # of the application
        self._db = None
        self._writer = threading.Thread(target=self._write, daemon=True)

    def __enter__(self):
        self.app.__enter__()
        self.backup = self.app.folder / "backup.db"
        self.start()
        self._writer.start()
        return self

    def __exit__(self, *_):
        self.retire()
        if self.service is not None:
            self.service.__exit__()
        self.app.__exit__()

    # The service

    def start(self):
        service = Service(self.app, **self.settings)
        self.started = time.monotonic()
        self.service = service.__enter__()

    def end(self, how):
        """how(service) ends it; what it has computed and logged is counted."""
        service, self.service = self.service, None
        self.cpu += cpu_of(service.process.pid)
        try:
            how(service)
        finally:
            service.__exit__()
        for line in service.lines:
            for text, name in TOLD.items():
                self.counts[name] += text in line
            if failed := FAILED.search(line):
                self.counts["tables that failed in a pass"] += int(failed[1])

    def stop(self):
        def stop(service):
            status = service.stop()
            if status != 0:
                raise Failed(f"serve ended with {status} when it was asked to stop")
        self.end(stop)

    def kill(self):
        self.end(lambda service: (service.process.kill(), service.process.wait()))
        self.counts["kills"] += 1

    def sample(self, at):
        """Nothing while the service is just being started or ended."""
        service = self.service
        if service is None:
            return
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pid = service.process.pid
            self.samples.append(Sample(at, time.monotonic() - self.started, resident_kib(pid), open_descriptors(pid)))

    # The application

    def _write(self):
        try:
            due = time.monotonic()
            while not self.ended.is_set():
                due = max(due + 1 / COMMITS_A_SECOND, time.monotonic())
                self.ended.wait(due - time.monotonic())
                with self.resting:
                    self._commit()
            self.disconnect()
        except Exception as problem:  # told by the thread that runs everything
            self.problem = problem

    def _commit(self):
        if self._db is None:
            self._db = sqlite3.connect(self.app.path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
            self._application = Application(self._db, self.rng, self.choose_tables(), self.log)
        self._application.act()
        self.counts["commits"] += 1

    def retire(self):
        """The application has made its last statement when this returns."""
        self.ended.set()
        self._writer.join()

    def choose_tables(self):
        return (self.rng.sample(MERGED, BUSY_TABLES)
                + ([self.rng.choice(REPLACED)] if self.rng.random() < REPLACED_SHARE else []))

    def disconnect(self):
        """The application, which rests, closes its connection. With the next statement it goes on with other tables."""
        if self._db is not None:
            self._db.close()
            self._db = None

    @contextlib.contextmanager
    def rest(self):
        with self.resting:
            self.disconnect()
            yield

    def fix_values(self):
        with self.app.connect() as db:
            Application(db, self.rng, SOAKED, self.log).fix_values()

    # Backups, as an operator takes and restores them

    def save(self):
        """An online backup: the application and the service go on."""
        self.backup.unlink(missing_ok=True)
        copy_database(self.app.path, self.backup)
        self.counts["backups"] += 1

    def forget_journal(self):
        for suffix in ("-wal", "-shm"):
            self.app.path.with_name(self.app.path.name + suffix).unlink(missing_ok=True)

    def move_into_place(self):
        copy = self.backup.with_suffix(".copy")
        shutil.copyfile(self.backup, copy)
        self.forget_journal()
        copy.rename(self.app.path)

    def copy_over(self):
        self.forget_journal()
        shutil.copyfile(self.backup, self.app.path)

    def restore_stopped(self, restore):
        self.stop()
        with self.rest():
            restore()
        self.start()

    def restore_by_copying(self):
        self.restore_stopped(self.copy_over)

    def restore_by_moving(self):
        self.restore_stopped(self.move_into_place)

    def restore_by_moving_beside_the_service(self):
        with self.rest():
            self.move_into_place()

    def restore_by_backup_beside_everything(self):
        copy_database(self.backup, self.app.path)

    RESTORES = (restore_by_copying, restore_by_moving, restore_by_moving_beside_the_service,
                restore_by_backup_beside_everything)

    # Both sides

    def differences(self):
        endpoint = mirror.Endpoint(self.app.bq.url, self.app.bq.project, self.app.dataset)
        source = mirror.open_source(str(self.app.path))
        try:
            source.execute("begin")
            reports = [mirror.compare_table(source, endpoint, DEFINITIONS[table]) for table in SOAKED]
        finally:
            source.close()
        self.counts["rows compared"] += sum(report.source_rows for report in reports)
        return [str(report) for report in reports if not report.equal]

    def wait_until_equal(self, seconds):
        """The application rests. Whatever was wrong with passes so far, the service makes it good by itself."""
        end = time.monotonic() + seconds
        while different := self.differences():
            if self.service.process.poll() is not None:
                raise Failed(f"serve ended with {self.service.process.returncode}\n{self.service.log[-3000:]}")
            if time.monotonic() > end:
                raise Failed("\n".join([f"BigQuery ({self.app.dataset}) is not what SQLite is:", *different,
                                        *self.log, self.service.log[-3000:]]))
            time.sleep(LOOK_SECONDS)
        self.counts["comparisons"] += len(SOAKED)

    def verify(self):
        """At the end: what bqsync says of it, and what is left in BigQuery."""
        status, out, err = self.app.run("verify", "--json")
        if status != 0:
            raise Failed(f"verify ended with {status}\n{out}\n{err}")
        bq, dataset = self.app.bq, self.app.dataset
        left = [name for name in bq.tables(dataset)
                if name.startswith("_bqsync_staging") and "expirationTime" not in bq.table(dataset, name)]
        if left:
            raise Failed(f"staging tables are left that never expire: {left}")
        (sound,), = self.app.execute("pragma integrity_check")
        if sound != "ok":
            raise Failed(f"the source is damaged: {sound}")


class Soak:
    def __init__(self, seed, pace):
        self.seed, self.pace = seed, pace
        self.rng = random.Random(f"{seed}/operator")
        self.fault_sets = 0
        self.over = threading.Event()
        self.calm = threading.Lock()  # held: no new fault comes
        self.restores = []

    def run(self):
        """Lives to the end; returns itself, with what was counted. Failed."""
        with Bqlocal(datasets=["d", "e"]) as self.bq, \
                Mirrored(self.bq, "d", self.seed, self.pace) as self.hurt, \
                Mirrored(self.bq, "e", self.seed, self.pace) as self.alone:
            self.sides = (self.hurt, self.alone)
            self.began = time.monotonic()
            threads = [threading.Thread(target=work) for work in (self.fail_at_random, self.watch)]
            for thread in threads:
                thread.start()
            try:
                for number in range(self.pace.rounds):
                    self.live_a_round(number)
                    self.compare()
                self.end()
                self.seconds = time.monotonic() - self.began
                self.cpu_of_bqlocal = cpu_of(self.bq.pid)
            finally:
                self.over.set()
                for thread in threads:
                    thread.join()
        return self

    # What happens

    def fail_at_random(self):
        source = random.Random(f"{self.seed}/faults")
        tables = [f"{dataset}.{table}" for dataset in ("d", "e") for table in SOAKED]
        while not self.over.wait(source.uniform(*QUIET_SECONDS)):
            with self.calm:
                self.bq.faults(*(some_fault(source, tables) for _ in range(source.randrange(1, 4))))
            self.fault_sets += 1

    def watch(self):
        while not self.over.wait(SAMPLE_SECONDS):
            for side in self.sides:
                side.sample(time.monotonic() - self.began)

    def live_a_round(self, number):
        """Kills the service once, and takes or restores a backup if it is time."""
        seconds = self.pace.kill_seconds
        events = [(self.rng.uniform(0.05, 0.8) * seconds, self.kill)]
        place = number % self.pace.restores_every
        if place == (self.pace.restores_every - 1) // 2:
            events.append((self.rng.uniform(0, 0.9) * seconds, self.hurt.save))
        if place == self.pace.restores_every - 1:
            events.append((self.rng.uniform(0, 0.9) * seconds, self.restore))
        began = time.monotonic()
        for at, happen in [*sorted(events, key=lambda event: event[0]), (seconds, lambda: None)]:
            self.over.wait(max(0, began + at - time.monotonic()))
            self.check_applications()
            happen()

    def kill(self):
        self.hurt.kill()
        self.over.wait(self.rng.uniform(0, 0.05) * self.pace.kill_seconds)
        self.hurt.start()

    def restore(self):
        if not self.restores:
            self.restores = list(Mirrored.RESTORES)
            self.rng.shuffle(self.restores)
        how = self.restores.pop()
        how(self.hurt)
        self.hurt.counts["restores"] += 1
        print(f"{self.minutes():.1f} min: {how.__name__}", flush=True)

    def check_applications(self):
        for side in self.sides:
            if side.problem is not None:
                raise Failed(f"a write of the application failed: {side.problem!r}") from side.problem

    def compare(self):
        with contextlib.ExitStack() as stack:
            for side in self.sides:
                stack.enter_context(side.rest())
            stack.enter_context(self.calm)
            self.bq.clear_faults()
            if self.rng.random() < 0.5:
                self.hurt.fix_values()
                self.alone.fix_values()
            for side in self.sides:
                side.wait_until_equal(self.pace.caught_up_seconds)
        self.check_applications()
        print(f"{self.minutes():.1f} min: equal; " + ", ".join(
            f"{count} {name}" for name, count in self.hurt.counts.items()), flush=True)

    def end(self):
        """With all values valid and the services stopped, all agree that both sides are equal."""
        self.over.set()
        for side in self.sides:
            side.retire()
        with self.calm:
            self.bq.clear_faults()
        for side in self.sides:
            side.fix_values()
            side.wait_until_equal(self.pace.caught_up_seconds)
            side.stop()
            side.verify()
            different = side.differences()
            if different:
                raise Failed("\n".join(["BigQuery is not what SQLite is:", *different]))
        self.check_applications()

    def minutes(self):
        return (time.monotonic() - self.began) / 60


# What it found


def settled(samples):
    """Those of services that have warmed up, without the first sixth of the time."""
    end = samples[-1].at
    return [sample for sample in samples if sample.age >= WARM_SECONDS and sample.at >= end / 6]


def an_hour(samples, what):
    """By how much a figure grows in an hour: the slope of the line of least squares."""
    return statistics.linear_regression([sample.at / 3600 for sample in samples], [what(sample) for sample in samples]).slope


def kib(sample):
    return sample.kib


def descriptors(sample):
    return sample.descriptors


def growth(samples, what):
    """From the median of the first half of the samples to that of the second."""
    half = len(samples) // 2
    first, second = (statistics.median(map(what, part)) for part in (samples[:half], samples[half:]))
    return second - first


def check_flat(samples):
    """Of a service that was left alone."""
    samples = settled(samples)
    for what, most in ((kib, GROWTH_KIB), (descriptors, GROWTH_DESCRIPTORS)):
        if growth(samples, what) > most:
            raise Failed(f"{what.__name__} have grown by {growth(samples, what)}:"
                         f" {[what(sample) for sample in samples]}")


def line(samples, what, seconds):
    """Points of (minute, highest value), as many as a chart shows."""
    step = seconds / POINTS
    points = {}
    for sample in samples:
        place = int(sample.at / step)
        points[place] = max(points.get(place, 0), what(sample))
    return [[round((place + 0.5) * step / 60, 2), value] for place, value in sorted(points.items())]


def keep(soak):
    sides = {"killed and restored": soak.hurt, "left alone": soak.alone}
    results = Results("soak")
    shown = ["commits", "passes", "tables synced", "kills", "restores", "requests tried again", "tables that failed in a pass",
             "tables sent whole", "comparisons", "rows compared"]
    results.table(
        "what", ["in the whole time", *sides],
        [[name, *(f"{side.counts[name]:,}" for side in sides.values())] for name in shown]
        + [["tables that differed", *("0" for _ in sides)], ["CPU s", *(f"{side.cpu:.0f}" for side in sides.values())]],
        f"{soak.seconds / 60:.0f} minutes, seed {soak.seed}, {soak.fault_sets:,} sets of faults; bqlocal computed"
        f" {soak.cpu_of_bqlocal:.0f} s. A comparison is of one table, value by value.")
    rows = []
    for name, side in sides.items():
        samples = settled(side.samples)
        mib = [sample.kib / 1024 for sample in samples]
        rows.append([name, f"{len(samples):,}", f"{statistics.median(mib):.1f}", f"{max(mib):.1f}",
                     f"{an_hour(samples, kib) / 1024:+.2f}", f"{statistics.median(map(descriptors, samples)):.0f}",
                     f"{max(map(descriptors, samples))}", f"{an_hour(samples, descriptors):+.2f}"])
    results.table("memory", ["service", "samples", "median MiB", "highest MiB", "MiB more an hour", "median descriptors",
                             "highest", "more an hour"], rows,
                  f"A sample each {SAMPLE_SECONDS} s, without the first {WARM_SECONDS} s of a process and the first sixth of"
                  " the time. Growth is the slope of the line of least squares.")
    results.lines("memory", "Resident memory of the two services", "MiB", "minutes",
                  {name: line(side.samples, lambda sample: round(sample.kib / 1024, 1), soak.seconds)
                   for name, side in sides.items()})
    results.lines("descriptors", "Open descriptors of the two services", "", "minutes",
                  {name: line(side.samples, descriptors, soak.seconds) for name, side in sides.items()})
    results.save()


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    soak = Soak(options.seed, Pace(options.minutes))
    try:
        soak.run()
        check_flat(soak.alone.samples)
    except Failed as problem:
        print(f"soak: {problem}", file=sys.stderr)
        return 1
    keep(soak)
    return 0


if __name__ == "__main__":
    sys.exit(main())
