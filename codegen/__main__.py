"""python3 -m codegen, installed as bqsync-gen: streams and the program's name, nothing else.

0 success; 1 a check found differences, or files cannot be read or written; 2 usage; 3 a definition
is wrong.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Callable, Dict, List

from . import commands, manual, place


def main(arguments: List[str], program: str = "python3 -m codegen") -> int:
    # Names of files may be no valid UTF-8.
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        try:
            return _answer(arguments, program)
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:
            raise
        # Python flushes once more at its end, and would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:
            print("%s: the output cannot be written: %s" % (program, error.strerror), file=sys.stderr)
        return 1


def _answer(arguments: List[str], program: str) -> int:
    if not arguments and place.is_installed():
        sys.stderr.write(commands.help_text(program))
        return 2
    answers: Dict[str, Callable[[], str]] = {
        "--version": lambda: "bqsync-gen %s\n" % place.version()}
    answers.update({"--help=" + name: text for name, text in manual.FORMATS.items()})
    return commands.main(arguments, program, answers)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
