"""The command explain: what changed definitions will do in BigQuery, in words, for a pull request.

Prints Markdown. It knows the definitions only: a target is taken to be as the older definitions made
it, and `bqsync plan` says what the next sync does to the real one.
"""

from __future__ import annotations

import argparse
import sys
from typing import List, Optional, Sequence

from . import baseline, changes, schema
from .changes import Change
from .differences import code, differences
from .model import Table
from .naming import fold

_TITLES = {
    changes.CREATED: "is created and filled",
    changes.DROPPED: "has no definition any more",
    changes.REFUSED: "is refused: a person must decide",
    changes.RESENT: "all rows are sent again",
    changes.ALTERED: "changes in BigQuery, no row is sent",
    changes.KEPT: "nothing changes in BigQuery",
}

_PERHAPS = "perhaps"
_COUNTED = {
    changes.REFUSED: "refused",
    changes.CREATED: "created",
    changes.DROPPED: "without a definition",
    changes.RESENT: "sent again",
    _PERHAPS: "perhaps sent again",
    changes.ALTERED: "changed in BigQuery without sending a row",
    changes.KEPT: "unchanged in BigQuery",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("base", metavar="BASE",
                        help="what to compare with: a git ref, or a folder of definitions")
    parser.add_argument("--schemas", default="schemas", metavar="DIR",
                        help="where the definitions are (default: %(default)s)")
    parser.add_argument("--check", action="store_true",
                        help="exit with 1 if a change is refused, so that a person must decide")


def run(options: argparse.Namespace) -> int:
    try:
        after = schema.load(options.schemas)
        before = baseline.load(options.base, options.schemas)
    except baseline.Unreadable as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(schema.unreadable(options.schemas, error), file=sys.stderr)
        return 3
    if not all([schema.is_right(before), schema.is_right(after)]):
        return 3
    found = changes.compare(before.tables, after.tables)
    sys.stdout.write(markdown(options.base, before.tables, after.tables, found))
    return 1 if options.check and any(change.refusals for change in found) else 0


def markdown(
    base: str, before: Sequence[Table], after: Sequence[Table], found: Sequence[Change]
) -> str:
    if not found:
        return "The definitions are those of %s: nothing changes in BigQuery.\n" % base
    old, new = ({fold(table.name): table for table in tables} for tables in (before, after))
    sections = [
        "# What the definitions change in BigQuery\n\n%s.\n\nCompared with %s. The tables in "
        "BigQuery are taken to be as those definitions made them; `bqsync plan` looks at the real "
        "ones.\n" % (_summary(found), base)]
    for change in found:
        name = fold(change.table)
        sections.append("\n".join(_section(change, old.get(name), new.get(name))) + "\n")
    return "\n".join(sections)


def _summary(found: Sequence[Change]) -> str:
    """How many tables of each kind, those first that a person must look at."""
    kinds = [
        _PERHAPS if change.perhaps and not change.refusals else change.verdict for change in found]
    counts = ", ".join(
        "%d %s" % (kinds.count(kind), words) for kind, words in _COUNTED.items() if kind in kinds)
    return "%d table%s: %s" % (len(found), "" if len(found) == 1 else "s", counts)


def _section(change: Change, was: Optional[Table], table: Optional[Table]) -> List[str]:
    target = "" if change.target == change.table else " (target %s)" % code(change.target)
    title = _TITLES[change.verdict]
    if change.verdict == changes.RESENT and change.altered:
        title = "changes in BigQuery, and " + title
    if change.perhaps and not change.refusals:
        title = "all rows are sent again " + change.perhaps
    lines = ["## %s%s: %s" % (code(change.table), target, title), ""]
    lines += ["- %s" % text for text in _sentences(change, was, table)]
    if change.statements:
        when = "Without the refusal the next sync would run" if change.refusals else (
            "The next sync runs")
        lines += ["", when + ":", "", "```sql"]
        lines += ["%s;" % statement for statement in change.statements] + ["```"]
    return lines


def _sentences(change: Change, was: Optional[Table], table: Optional[Table]) -> List[str]:
    texts = ["**%s**" % _code(refusal) for refusal in change.refusals]
    if change.refusals:
        texts.append("The table fails at each sync until then, and is left as it is. Other tables go "
                     "on.")
    if was is not None and table is not None:
        texts += differences(was, table)
    texts += change.notes
    if change.verdict == changes.RESENT:
        texts.append("All rows are sent again, in one atomic replacement: %s." % change.resent)
    elif change.refusals and change.resent:
        texts.append("Once that is decided, all rows are sent again: %s." % change.resent)
    if change.verdict == changes.CREATED:
        texts.append("The first sync creates the table and loads all rows.")
    return texts


def _code(refusal: str) -> str:
    """Statements hold backticks themselves, so two of them mark the code."""
    head, mark, rest = refusal.partition("`")
    statement, end, tail = rest.rpartition("`")
    return "%s`` %s ``%s" % (head, statement, tail) if mark and end else refusal
