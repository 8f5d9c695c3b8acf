"""python3 -m codegen, installed as bqsync-gen: streams and the program's name, nothing else.

0 success; 1 a check found differences, or files cannot be read or written; 2 usage; 3 a definition
is wrong.
"""

from __future__ import annotations

import sys
from typing import Callable, Dict, List

from . import commands, manual, place


def main(arguments: List[str], program: str = "python3 -m codegen") -> int:
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stderr.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    if not arguments and place.is_installed():
        sys.stderr.write(commands.help_text(program))
        return 2
    answers: Dict[str, Callable[[], str]] = {
        "--version": lambda: "bqsync-gen %s\n" % place.version()}
    answers.update({"--help=" + name: text for name, text in manual.FORMATS.items()})
    return commands.main(arguments, program, answers)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
