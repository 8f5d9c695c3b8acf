"""Roots of Debian for tests that need a machine of their own: made by debootstrap, from Debian's mirror alone."""

import fcntl
import hashlib
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import unittest

from tests.support import foreign

# Roots of Debian are large and have device files, which the folder for small temporary files may not take.
ROOM = "/var/tmp"
SECONDS = 600


def run(*command, timeout=SECONDS, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=timeout, **options)


def skip(reason):
    """Skips a test that needs more rights than this machine gives, in CI too, and prints why."""
    print(f"\n*** SKIPPED, no image or root can be made here: {reason} ***", file=sys.stderr, flush=True)
    raise unittest.SkipTest(reason)


def base_root(packages=()):
    """A tar of a minimal Debian and these packages, made once for a machine. Skips the test where none can be made."""
    debootstrap = foreign.tool("debootstrap", "debootstrap")
    foreign.CACHE.mkdir(parents=True, exist_ok=True)
    name = "bookworm" + (hashlib.sha256(" ".join(packages).encode()).hexdigest()[:16] if packages else "")
    include = [f"--include={','.join(packages)}"] if packages else []
    tar = foreign.CACHE / f"{name}-{platform.machine()}.tar"
    with open(foreign.CACHE / "bookworm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tar.exists():
            with tempfile.TemporaryDirectory(prefix="bqsync-bookworm-", dir=ROOM) as folder:
                root = pathlib.Path(folder) / "root"
                made = run(debootstrap, "--variant=minbase", *include, "bookworm", root)
                if made.returncode != 0:
                    skip("debootstrap: " + (made.stdout + made.stderr).strip()[-600:])
                # What Debian's own slim image leaves out.
                left_out = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale")
                for name in left_out:
                    for path in (root / name).iterdir():
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
                (root / "var/cache/apt/archives/partial").mkdir(parents=True)
                part = tar.with_suffix(".part")
                run("tar", "-C", root, "-cf", part, ".").check_returncode()
                part.rename(tar)
    return tar
