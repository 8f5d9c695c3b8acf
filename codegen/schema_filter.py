"""What a "where" may look like: one SQLite expression that can stand in parentheses, without
parameters (the statements around it number their own). Names in it are SQLite's to check."""

from __future__ import annotations

import re

_SKIP = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | --[^\n]* | /\*.*?\*/""",
    re.VERBOSE | re.DOTALL)


def filter_problem(text: str) -> str:
    """What is wrong with the expression, "" if nothing is."""
    bare = _SKIP.sub(" ", text)
    if ";" in bare:
        return 'must be one expression, without ";"'
    for mark, what in (("'", "quote"), ('"', "quote"), ("`", "quote"), ("/*", "comment"),
                       ("[", "bracket")):
        if mark in bare:
            return "a %s (%s) is not closed" % (what, mark)
    parameter = re.search(r"\?[0-9]*|[:@#$][A-Za-z_0-9]+", bare)
    if parameter:
        return "must not hold parameters (%s)" % parameter.group()
    depth = 0
    for char in bare:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            break
    if depth != 0:
        return "parentheses do not pair up"
    return "" if bare.strip() else "must be an expression, not only a comment"
