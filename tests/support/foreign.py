"""Judges that are not ours: packages of npm, PyPI, Maven Central and Go, Debian packages, programs of the machine.

A test whose judge is missing is skipped, and the reason is printed; with BQSYNC_CI=1 it fails, unless the judge needs
a language that ./dev does not install, or a registry that cannot be reached. Packages are installed once, in the
versions that files of the tree pin, into ~/.cache/bqsync-conformance (or $BQSYNC_CONFORMANCE_CACHE), never into the
tree.
"""

import fcntl
import hashlib
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
CONFORMANCE = SOURCE / "tests" / "conformance"
BUILD = pathlib.Path(os.environ.get("BQSYNC_BUILD", SOURCE / "build")).resolve()
CACHE = pathlib.Path(os.environ.get("BQSYNC_CONFORMANCE_CACHE",
                                    pathlib.Path.home() / ".cache" / "bqsync-conformance"))
NODE_MAJOR_MIN = 20
INSTALL_SECONDS = 600


def unavailable(reason):
    """Skips a test whose judge is missing and prints why; in CI the test fails."""
    if os.environ.get("BQSYNC_CI") == "1":
        raise AssertionError(f"a judge is missing, which is a failure in CI: {reason}")
    print(f"\n*** SKIPPED, a judge is missing: {reason} ***", file=sys.stderr, flush=True)
    raise unittest.SkipTest(reason)


def absent(reason):
    """Skips a test whose judge this machine cannot have, and prints why; in CI too."""
    print(f"\n*** SKIPPED, a judge is not to be had here: {reason} ***", file=sys.stderr, flush=True)
    raise unittest.SkipTest(reason)


def toolchain(name):
    """The path of a language's program, which ./dev does not install."""
    return shutil.which(name) or absent(f"there is no {name} on this machine")


def tool(name, package):
    """The path of a program of the machine; skips the test if it is missing and names Debian's package."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")
    return path or unavailable(f"there is no {name} (Debian: apt-get install {package})")


def build_output(name):
    """The path of a program of ours."""
    path = BUILD / name
    if not path.exists():
        raise AssertionError(f"{path} is not there: build the target {path.name} first")
    return str(path)


def python_with(module, package):
    """An interpreter that can import a module of a Debian package: not always the first on PATH."""
    versioned = sorted(map(str, pathlib.Path("/usr/bin").glob("python3.*[0-9]")))
    candidates = [sys.executable, "/usr/bin/python3", *versioned]
    for candidate in dict.fromkeys(candidates):
        if os.access(candidate, os.X_OK) and subprocess.run(
                [candidate, "-c", f"import {module}"], capture_output=True).returncode == 0:
            return candidate
    return unavailable(f"no Python here has the module {module} (Debian: apt-get install {package})")


def node():
    """The path of Node.js of a version that the packages take."""
    path = tool("node", "nodejs")
    version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0] or 0) < NODE_MAJOR_MIN:
        unavailable(f"node is {version}; version {NODE_MAJOR_MIN} or later is needed")
    return path


def installed(name, files, command, failed):
    """A folder of the cache that holds copies of the files, and what the command made of them there, once. Where it
    fails, failed() is called with the reason."""
    mark = hashlib.sha256(f"{platform.machine()} {command}".encode())
    for file in files:
        mark.update(file.read_bytes())
    home = CACHE / f"{name}-{mark.hexdigest()[:16]}"
    done = home / "installed"
    home.mkdir(parents=True, exist_ok=True)
    # Two tests may need the same packages at once: the second waits for the first.
    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            for file in files:
                shutil.copy(file, home)
            try:
                ended = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=INSTALL_SECONDS)
            except subprocess.TimeoutExpired:
                failed(f"{command[0]} did not install {name} within {INSTALL_SECONDS} s")
            if ended.returncode != 0:
                failed(f"{command[0]} could not install {name}: {(ended.stdout + ended.stderr).strip()[-600:]}")
            done.touch()
    return home


def node_modules(name):
    """The node_modules of tests/conformance/NAME, installed first if necessary."""
    node()
    return installed(name, [CONFORMANCE / name / file for file in ("package.json", "package-lock.json")],
                     [tool("npm", "npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
                     unavailable) / "node_modules"


class Stage:
    """The files of tests/conformance/NAME in a folder of their own, with their node_modules beside them.

    Node looks for packages beside the file that imports them, and the tree holds none.
    """

    def __init__(self, name):
        modules = node_modules(name)
        self._folder = tempfile.TemporaryDirectory(prefix=f"bqsync-{name}-")
        self.path = pathlib.Path(self._folder.name)
        shutil.copytree(CONFORMANCE / name, self.path, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("node_modules"))
        (self.path / "node_modules").symlink_to(modules)

    def close(self):
        self._folder.cleanup()

    def run(self, script, *args, timeout=300, **environment):
        """Runs a script with Node; the finished process, with its output as text."""
        return subprocess.run([node(), script, *map(str, args)], cwd=self.path, capture_output=True,
                              text=True, timeout=timeout, env={**os.environ, **environment})
