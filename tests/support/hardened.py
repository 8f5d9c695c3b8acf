"""Whether a program has what a distribution's flags give it, read from the program by binutils."""

import re
import subprocess

from tests.support import foreign

SIGNS = {
    "any address": r"Type: +DYN .*[\s\S]*FLAGS_1.*\bPIE\b",
    "tables that are read-only once it has started": r"GNU_RELRO[\s\S]*BIND_NOW",
    "a stack that is not executed": r"GNU_STACK .* RW +0x",
    "a checked stack": r"__stack_chk_fail",
    "checked sizes": r"__\w+_chk@",
    "a build id": r"Build ID: [0-9a-f]{40}",
}
# The instructions that mark where a jump may go, at the beginning of nearly every function.
MARKS = {"x86-64": rb"\xf3\x0f\x1e\xfa", "AArch64": rb"[\x3f\x5f\x9f\xdf]\x24\x03\xd5"}
MARKS_MIN = 20


def missing(path):
    """What a program lacks, in words."""
    shown = subprocess.run([foreign.tool("readelf", "binutils"), "-W", "-h", "-l", "-d", "-n", "--dyn-syms", path],
                           capture_output=True, text=True, check=True).stdout
    lacks = [name for name, sign in SIGNS.items() if not re.search(sign, shown)]
    for machine, mark in MARKS.items():
        if machine in shown and len(re.findall(mark, path.read_bytes())) < MARKS_MIN:
            lacks.append("marked targets of jumps")
    return lacks
