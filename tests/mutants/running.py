"""Runs a test on a mutant. A mutant may loop for ever, wait for ever, or eat memory and disk, so all of that ends."""

from __future__ import annotations

import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable

DATA_MOST = 4 << 30
FILE_MOST = 2 << 30
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1", "ASAN_OPTIONS": f"hard_rss_limit_mb={DATA_MOST >> 20}"}


def limits(processor_s: int, watched: bool) -> Callable[[], None]:
    def set_them() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (processor_s, processor_s + 1))
        # The address sanitizer reserves more than there is, and has a limit of its own.
        if not watched:
            resource.setrlimit(resource.RLIMIT_DATA, (DATA_MOST, DATA_MOST))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_MOST, FILE_MOST))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return set_them


def passes(
        command: list[str], folder: pathlib.Path, environment: dict[str, str], usual_s: float,
        watched: bool = False) -> bool:
    """Whether the command ends with 0, within many times its usual processor time and a minute. What it leaves in TMPDIR, or running, goes."""
    temporary = tempfile.mkdtemp(prefix="mutant.")
    # Some tests run a program as another user, who has to come through.
    os.chmod(temporary, 0o755)
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, **ENVIRONMENT, **environment, "TMPDIR": temporary},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        preexec_fn=limits(int(3 * usual_s) + 5, watched))
    try:
        return process.wait(timeout=10 * usual_s + 60) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        shutil.rmtree(temporary, ignore_errors=True)
