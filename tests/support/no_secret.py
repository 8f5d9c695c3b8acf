"""The last test of a run: no secret that any test handed to a program was printed by anything.

    python3 -m tests.support.no_secret empty FOLDER          before all others: nothing of an earlier run counts
    python3 -m tests.support.no_secret check FOLDER LOGS     after them, failed or not; LOGS is ctest's own folder

It looks through what bqsync and bqlocal printed, answered and sent (printed.py) and through the log in which ctest
collects what every test program says. It names the place and the secret's name, never the secret.
"""

import base64
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

PROGRAMS = ("bqsync", "bqlocal")
STARTED = "started"

# What is a secret wherever it comes from, as extended regular expressions.
ALWAYS_SECRET = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "an access token of Google's": r"ya29\.[0-9A-Za-z_-]+",
    "a bearer token": r"[Bb]earer [0-9A-Za-z._~+/-]{8,}",
    "a signed JWT": r"eyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.",
    # "[secret]" stands for one that was cut out.
    "a form with a secret": r"(client_secret|refresh_token|assertion|subject_token)=[^[&[:space:]][^&[:space:]]{3,}",
}


def empty(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / STARTED).touch()


def forms(value):
    """A secret as it is, and as a URL, JSON or Base64 would show it."""
    return {value, urllib.parse.quote(value, safe=""), json.dumps(value)[1:-1],
            base64.b64encode(value.encode()).decode().rstrip("=")}


def read_keys(folder):
    """Every form of every secret, with its name."""
    keys = {}
    for path in sorted((folder / "keys").glob("*")):
        for line in path.read_text(errors="replace").splitlines():
            name, _, value = line.partition("\t")
            keys.update((form, name) for form in forms(value))
    return keys


def grep(options, patterns, paths):
    """(path, line number, what was found) of each hit."""
    if not patterns or not paths:
        return []
    with tempfile.NamedTemporaryFile("w", suffix=".patterns") as file:
        file.write("".join(pattern + "\n" for pattern in patterns))
        file.flush()
        ended = subprocess.run(["grep", "-anoHZ", *options, "-f", file.name, "--", *map(str, paths)],
                               capture_output=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    if ended.returncode > 1:
        raise OSError(ended.stderr.decode(errors="replace"))
    hits = []
    for line in ended.stdout.splitlines():
        path, _, rest = line.partition(b"\0")
        number, _, found = rest.partition(b":")
        hits.append((path.decode(), int(number), found.decode(errors="replace")))
    return hits


def logs_of_this_run(folder, logs):
    """ctest gives its log the final name only when all tests have ended."""
    began = (folder / STARTED).stat().st_mtime
    return sorted(path for path in logs.glob("LastTest*.log.tmp") if path.stat().st_mtime >= began)


def missing(folder, keys, logs):
    """What should be there, given that these tests ran, and is not: without it the search proves nothing."""
    ran = sorted(path.name for path in (folder / "ran").glob("*"))
    problems = [f"{who} ran programs, but nothing that bqsync or bqlocal printed was kept" for who in ran
                if not any((folder / program / who).exists() for program in PROGRAMS)]
    if ran and not keys:
        problems.append("programs ran, but no test named a secret")
    if ran and not any((folder / "bqsync").glob("*")):
        problems.append("programs ran, but nothing that bqsync printed was kept")
    if not logs:
        problems.append("there is no log of ctest's about this run")
    return problems


def leaks(folder, keys, logs):
    """One line for each place where a secret stands."""
    printed = [path for program in PROGRAMS for path in sorted((folder / program).glob("*"))]
    for path, line, found in grep(["-F"], keys, [*printed, *logs]):
        yield f"{path}:{line}: holds {keys[found]} ({len(found)} characters)"
    for name, pattern in ALWAYS_SECRET.items():
        for path, line, found in grep(["-E"], [pattern], printed):
            yield f"{path}:{line}: holds {name} ({found[:12]}...)"


def check(folder, log_folder):
    """Prints what is wrong; the exit status."""
    if not (folder / STARTED).exists():
        print(f"{folder} was not emptied before the tests: this runs from ctest")
        return 1
    keys, logs = read_keys(folder), logs_of_this_run(folder, log_folder)
    problems = [*missing(folder, keys, logs), *leaks(folder, keys, logs)]
    for problem in problems[:100]:
        print(problem)
    printed = [path for program in PROGRAMS for path in (folder / program).glob("*")]
    size = sum(path.stat().st_size for path in [*printed, *logs])
    cut = len(grep(["-E"], ["^== cut: "], printed))
    print(f"{len(keys)} forms of secrets in {size} bytes of {len(printed) + len(logs)} files: {len(problems)} problems"
          + (f"; {cut} texts were too long to be kept whole" if cut else ""))
    return 1 if problems else 0


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "empty":
        empty(pathlib.Path(arguments[1]))
        return 0
    if len(arguments) == 3 and arguments[0] == "check":
        return check(pathlib.Path(arguments[1]), pathlib.Path(arguments[2]))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
