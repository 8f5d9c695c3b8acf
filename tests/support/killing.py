"""Kills bqsync at a chosen moment: at a request, at a commit, or after some time."""

import signal
import time

from tests.support import foreign
from tests.support.deployment import BUILD

HELD_SECONDS = 60


def commit_shim():
    """What is preloaded into bqsync to kill it at a commit. It takes the place of SQLite's functions; where SQLite is
    compiled in, nothing can, and the test is skipped."""
    if "BQSYNC_SQLITE:STRING=system" not in (BUILD / "CMakeCache.txt").read_text().splitlines():
        foreign.absent("bqsync has an SQLite of its own, whose commits nothing can watch")
    return BUILD / "tests" / "support" / "libcrash_shim.so"


def wait_until_held(bq, process):
    """Waits until bqlocal holds a request of the process; False if the process ended earlier."""
    end = time.monotonic() + HELD_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if any(rule["held"] for rule in bq.fault_state()):
            return True
        time.sleep(0.002)
    return False


def wait_until_acted(bq, process):
    """Waits until the first rule of bqlocal has done something to a job of the process; False if that ended earlier."""
    end = time.monotonic() + HELD_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if bq.fault_state()[0]["acted"] > 0:
            return True
        time.sleep(0.002)
    return False


def kill_at_request(bq, app, number, side, arguments, **environment):
    """Makes bqlocal hold the number-th request before or after processing it, and kills the client meanwhile.

    True if the run made that request; False if it ended earlier."""
    bq.faults({"nth": number, "count": 1, "action": f"hang_{side}"})
    process = app.start("sync", *arguments, **environment)
    held = wait_until_held(bq, process)
    process.kill()
    process.communicate()
    bq.clear_faults()
    return held


def kill_at_commit(app, number, side, arguments, **environment):
    """Kills the run at its number-th commit; True if the run reached it."""
    status, _, _ = app.run("sync", *arguments, LD_PRELOAD=str(commit_shim()), BQSYNC_CRASH_COMMIT=str(number),
                           BQSYNC_CRASH_SIDE=side, **environment)
    return status == -signal.SIGKILL


def kill_after(app, seconds, arguments, **environment):
    """Kills the run after some time, wherever it is; True if it was still running."""
    process = app.start("sync", *arguments, **environment)
    time.sleep(seconds)
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def count_commits(app, counter, arguments, wanted=0, **environment):
    """The number of commits of a whole run, which must end with the status wanted."""
    counter.unlink(missing_ok=True)
    status, _, err = app.run("sync", *arguments, LD_PRELOAD=str(commit_shim()), BQSYNC_COMMIT_COUNT=str(counter),
                             **environment)
    if status != wanted:
        raise AssertionError(f"the run to be counted ended with {status}: {err}")
    return counter.stat().st_size if counter.exists() else 0
