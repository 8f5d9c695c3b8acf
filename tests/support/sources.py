"""A copy of the sources, in which a test may change something."""

import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COPIED = ["CMakeLists.txt", "CMakePresets.json", "codegen", "docs", "generated", "runtime", "schemas", "tests"]


def copy(folder):
    """Everything that a build or a test reads, in a fresh folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
