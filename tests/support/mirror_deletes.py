"""What has to become of rows that are deleted in SQLite, where a definition says `"deletes": "mark"` or `"keep"`: a second
reading of that rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.mirror_values import received, same

Json = dict[str, Any]
Key = tuple[Any, ...]
Values = list[Any]

NAME = "_bqsync_deleted_at"


def choice(definition: Json) -> str:
    found: str = definition["sync"].get("deletes", "mirror")
    return found


@dataclass
class Held:
    """What BigQuery held after a sync: each row by its key, live or not, and when those that are marked were found
    deleted. exact: nothing else but statements of the application has happened since."""

    rows: dict[Key, Values] = field(default_factory=dict)
    marks: dict[Key, Any] = field(default_factory=dict)
    exact: bool = False


class Deleted:
    """Takes the rows that are marked from those of BigQuery, and judges all that the source does not have."""

    def __init__(self, definition: Json, report: Any) -> None:
        self.choice = choice(definition)
        self.report = report
        self.marked: dict[Key, list[Values]] = {}
        self.now = Held()

    def take_marked(self, place: int | None, cells: list[Any], key: Key, values: Values) -> bool:
        """Whether the row is marked; place: that of the column, None: there is none."""
        if self.choice != "mark" or place is None or cells[place] is None:
            return False
        self.marked.setdefault(key, []).append(values)
        self.now.marks[key] = received("TIMESTAMP", cells[place])
        return True

    def judge(self, rows: dict[Key, list[Values]], rest: dict[Key, list[Values]], claimed: set[Key],
              last: Held | None) -> None:
        """rows: the live ones by key; rest: those of them that no row of the source has claimed."""
        report = self.report
        kept = self.marked if self.choice == "mark" else rest if self.choice == "keep" else {}
        if self.choice != "keep":
            report.extra += [key for key, there in rest.items() for _ in there]
        report.duplicated += [key for key, there in kept.items()
                              if len(there) > 1 or (self.choice == "mark" and key in rows)]
        report.kept = sum(map(len, kept.values()))
        self.now.rows = {key: there[0] for key, there in (*rows.items(), *kept.items())}
        if last is not None and self.choice != "mirror":
            for key, values in last.rows.items():
                if key not in claimed:
                    self.judge_gone(key, values, kept.get(key), last)

    def judge_gone(self, key: Key, values: Values, there: list[Values] | None, last: Held) -> None:
        """A row that BigQuery held, and that the source does not have."""
        report = self.report
        if there is None:
            report.lost.append(key)
        elif last.exact and not all(map(same, values, there[0])):
            report.different.append((key, "(kept)", values, there[0]))
        elif key in last.marks and self.now.marks.get(key, last.marks[key]) < last.marks[key]:
            report.different.append((key, NAME, last.marks[key], self.now.marks[key]))
        elif last.exact and key in last.marks and self.now.marks[key] != last.marks[key]:
            report.different.append((key, NAME, last.marks[key], self.now.marks[key]))
