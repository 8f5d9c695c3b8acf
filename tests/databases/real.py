"""Real databases on the way of journey.py: those of public packages, or files of your own.

    python3 -m tests.databases.real [FILE...]

Two packages bring a file, which is used only with the hash that it had here; Anki and Django make theirs. None of them
is in the tree. Prints a line for each file; exit status 1 if one is not mirrored as it should be.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable

from tests.databases.journey import Journey, StepFailed
from tests.support import foreign
from tests.support.bqlocal import Bqlocal

HERE = pathlib.Path(__file__).resolve().parent / "packages"

# Where a package has its file, and the file's SHA-256.
FILES = {
    "cities": ("geopointdb/worldcities.db", "e8111976126ae351571054272a941b245c261bf0a74f3aad0ae2b2f3c3ef6494"),
    "proj": ("pyproj/proj_dir/share/proj/proj.db", "a25d85a2ebfc4584eba65186b7c41743b084ce5d391941cbb41c805947b77109"),
}
MAKERS = {"anki": "anki_collection.py", "django": "django_site.py"}


def packages(name: str, unavailable: Callable[[str], None]) -> pathlib.Path:
    """What pip made of NAME.txt, once; unavailable(reason) where it cannot be had."""
    python = foreign.python_with("pip", "python3-pip")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:",
               "--target", "packages", "--requirement", f"{name}.txt"]
    return foreign.installed(f"databases-{name}", [HERE / f"{name}.txt"], install, unavailable) / "packages"


def shipped(name: str, unavailable: Callable[[str], None]) -> pathlib.Path:
    """The file that a package brings."""
    place, wanted = FILES[name]
    path = packages("files", unavailable) / place
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != wanted:
        raise StepFailed(f"{path} is another file than the one that was tried: its SHA-256 is {found}")
    return path


def made(name: str, folder: pathlib.Path, unavailable: Callable[[str], None]) -> pathlib.Path:
    """The file that a product makes in the folder."""
    path = folder / f"{name}.db"
    python = foreign.python_with("pip", "python3-pip")
    subprocess.run([python, str(HERE / MAKERS[name]), str(path)], check=True, timeout=300, stdout=subprocess.DEVNULL,
                   env={"PYTHONPATH": str(packages("makers", unavailable)), "PATH": os.defpath, "HOME": str(folder)})
    return path


def problems(database: pathlib.Path) -> list[str]:
    with Bqlocal(datasets=["d"]) as bq, Journey(bq, database) as journey:
        try:
            return journey.problems()
        except StepFailed as failed:
            return [str(failed)]


def main(arguments: list[str]) -> int:
    def unavailable(reason: str) -> None:
        raise SystemExit(f"real: {reason}")

    failed = False
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(path) for path in arguments]
        if not files:
            files = [shipped(name, unavailable) for name in FILES]
            files += [made(name, pathlib.Path(folder), unavailable) for name in MAKERS]
        for file in files:
            found = problems(file)
            failed = failed or bool(found)
            print(f"{file.name}: {'mirrored' if not found else 'NOT MIRRORED'}", *found, sep="\n    ", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
