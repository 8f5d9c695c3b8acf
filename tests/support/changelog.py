"""Judges the log of a table with history, without any code of bqsync: what it holds is replayed in Python.

    log = ChangeLog(endpoint, definition)       # endpoint: mirror.Endpoint
    log.problems()                              # what no log may hold, in words
    log.as_of(micros)                           # an endpoint whose table is as it was; None: as it is now
"""

import collections

from tests.support import mirror

OWN = ("_bqsync_operation", "_bqsync_at", "_bqsync_generation", "_bqsync_run", "_bqsync_abandoned")
Version = collections.namedtuple("Version", "key cells operation at generation run abandoned")
# What may follow what in the life of a key; None is the time before its first version.
FOLLOWS = {None: {"insert"}, "insert": {"update", "delete"}, "update": {"update", "delete"}, "delete": {"insert"}}


class ChangeLog:
    """The log as it is now."""

    def __init__(self, endpoint, definition):
        self.target = definition.get("target", definition["table"])
        self.endpoint = endpoint
        self.deletes = definition["sync"].get("deletes", "mirror")
        columns = endpoint.columns(self.target + "_changes")
        if columns is None:
            raise LookupError(f"BigQuery has no table {self.target}_changes")
        self.columns = [column for column in columns if column[0] not in OWN]
        names = [name for name, _ in columns]
        key = [names.index(name) for name in definition["key"]]
        own = [names.index(name) for name in OWN]
        plain = [place for place, name in enumerate(names) if name not in OWN]
        self.key = [plain.index(place) for place in key]
        self.rest = [place for place in range(len(plain)) if place not in self.key]
        self.versions = []
        for cells in endpoint.rows(self.target + "_changes"):
            operation, at, generation, run, abandoned = (cells[place] for place in own)
            self.versions.append(Version(
                tuple(cells[place] for place in key), tuple(cells[place] for place in plain), operation, int(at),
                int(generation), run, abandoned == "true"))
        self.versions.sort(key=lambda version: version.generation)

    def standing(self):
        """The versions that count, by key, the oldest first."""
        lives = collections.defaultdict(list)
        for version in self.versions:
            if not version.abandoned:
                lives[version.key].append(version)
        return lives

    def problems(self, strict=True):
        """strict: nobody but bqsync has changed the target."""
        found = [f"{key} has generation {generation} {count} times" for (key, generation), count
                 in collections.Counter((version.key, version.generation) for version in self.versions).items()
                 if count > 1]
        times = {}
        for version in self.versions:
            if not version.run:
                found.append(f"{version} names no run")
            if version.operation == "delete" and any(version.cells[place] is not None for place in self.rest):
                found.append(f"{version} is a deletion with values")
            if times.setdefault(version.generation, version.at) != version.at:
                found.append(f"generation {version.generation} has two times")
        moments = [times[generation] for generation in sorted(times)]
        if moments != sorted(set(moments)):
            found.append(f"the times do not rise with the generations: {times}")
        for key, life in self.standing().items() if strict else ():
            operations = [None, *(version.operation for version in life)]
            found += [f"{key}: {after} follows {before}" for before, after in zip(operations, operations[1:])
                      if after not in FOLLOWS[before]]
        return found

    def rows(self, micros=None):
        """The cells of each row as of a time."""
        for life in self.standing().values():
            until = [version for version in life if micros is None or version.at <= micros]
            if until and until[-1].operation != "delete":
                yield until[-1].cells

    def key_of(self, cells):
        return tuple(cells[place] for place in self.key)

    def as_of(self, micros=None):
        return AsOf(self, micros)

    def differs_from_target(self):
        """Rows that only the one or only the other holds; what the table keeps of deleted rows aside."""
        places = {name: place for place, (name, _) in enumerate(self.endpoint.columns(self.target))}
        order = [places[name] for name, _ in self.columns]
        deleted = places.get("_bqsync_deleted_at") if self.deletes == "mark" else None
        there = collections.Counter(
            tuple(map(plain_zero, (cells[place] for place in order))) for cells in self.endpoint.rows(self.target)
            if deleted is None or cells[deleted] is None)
        here = collections.Counter(tuple(map(plain_zero, cells)) for cells in self.rows())
        return {"only in the log": list((here - there).elements()),
                "only in the table": list((there - here).elements()) if self.deletes != "keep" else []}


def plain_zero(cell):
    """-0.0 is no change of 0.0."""
    return "0.0" if cell == "-0.0" else cell


class AsOf:
    """What mirror.compare_table reads, with the rows as they were."""

    def __init__(self, log, micros):
        self.log = log
        self.micros = micros

    def columns(self, _):
        return self.log.columns

    def rows(self, _):
        return self.log.rows(self.micros)


def problems(endpoint, definition, strict=True, unnoticed=0):
    """What is wrong with the log, or where it and the table differ; a list of words, empty if all is well. So many keys
    may differ: rejected rows whose versions somebody has changed in the target, which bqsync does not notice."""
    try:
        log = ChangeLog(endpoint, definition)
    except LookupError as problem:
        return [str(problem)]
    found = log.problems(strict)
    differs = log.differs_from_target()
    if len({log.key_of(row) for rows in differs.values() for row in rows}) > unnoticed:
        found += [f"{what}: {rows[:3]}" for what, rows in differs.items() if rows]
    return [f"{definition['table']}: {problem}" for problem in found]


def compare(source, endpoint, definition, micros):
    """The report of mirror.compare_table about the table as it was."""
    mirrored = {**definition, "sync": {**definition["sync"], "deletes": "mirror"}}
    return mirror.compare_table(source, ChangeLog(endpoint, definition).as_of(micros), mirrored)
