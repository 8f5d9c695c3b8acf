"""Makes the n-th call of a kind fail in a run of bqsync (nth_shim.c), and judges the run and what it leaves behind.

A case is an undertaking, such as a first sync, and a failure, such as memory that is used up from the n-th allocation
on. A run may end well or with an error, never in a crash; then the source is sound, and an undisturbed run ends in
equality, as after a kill (crash_world.py).
"""

import collections
import contextlib
import errno
import json
import os
import random
import re
import sqlite3
import struct

from tests.fault.nth_serving import serve
from tests.support import sampling
from tests.support.crash_world import HURRY, World
from tests.support.deployment import BUILD, Deployment, run_program
from tests.support.forking import ForkServer
from tests.support.scenarios import Scenario

SHIM = BUILD / "tests" / "fault" / "libnth_shim.so"
# The kinds of nth_shim.c, in its order.
KINDS = ("memory", "open", "handle", "read", "write", "sync", "lock", "map", "stat", "change", "thread")
TEXT_AT = 4096
PLACES_AT = 8192

# count: how many calls fail in a row, 0 all from the n-th on.
Failure = collections.namedtuple("Failure", "name kind error count")
FAILURES = (
    Failure("an allocation", "memory", errno.ENOMEM, 1),
    Failure("memory used up", "memory", errno.ENOMEM, 0),
    Failure("a file cannot be opened", "open", errno.EMFILE, 1),
    Failure("descriptors used up", "open", errno.EMFILE, 0),
    Failure("a file cannot be made", "open", errno.ENOSPC, 1),
    Failure("read-only", "open", errno.EROFS, 1),
    Failure("a socket cannot be made", "handle", errno.EMFILE, 1),
    Failure("sockets used up", "handle", errno.EMFILE, 0),
    Failure("a read", "read", errno.EIO, 1),
    Failure("all reads", "read", errno.EIO, 0),
    Failure("an interrupted read", "read", errno.EINTR, 1),
    Failure("a short read", "read", 0, 1),
    Failure("a write", "write", errno.ENOSPC, 1),
    Failure("disk full", "write", errno.ENOSPC, 0),
    Failure("a broken write", "write", errno.EIO, 1),
    Failure("an interrupted write", "write", errno.EINTR, 1),
    Failure("a short write", "write", 0, 1),
    Failure("an fsync", "sync", errno.EIO, 1),
    Failure("all fsyncs", "sync", errno.EIO, 0),
    Failure("a busy lock", "lock", errno.EAGAIN, 1),
    Failure("busy locks", "lock", errno.ENOLCK, 5),
    Failure("a broken lock", "lock", errno.EIO, 1),
    Failure("broken locks", "lock", errno.EIO, 0),
    Failure("a file cannot be mapped", "map", errno.ENOMEM, 1),
    Failure("a stat", "stat", errno.EIO, 1),
    Failure("all stats", "stat", errno.EIO, 0),
    Failure("a stat without rights", "stat", errno.EACCES, 1),
    Failure("a change of a file", "change", errno.EROFS, 1),
    Failure("all changes of files", "change", errno.EROFS, 0),
    Failure("a truncation without room", "change", errno.ENOSPC, 1),
    Failure("a thread", "thread", errno.EAGAIN, 1),
    Failure("threads used up", "thread", errno.EAGAIN, 0),
)


class Report:
    """What the shim has noted of a run."""

    def __init__(self, path):
        data = path.read_bytes()
        self.seen = dict(zip(KINDS, struct.unpack_from(f"={len(KINDS)}Q", data)))
        self.failed, = struct.unpack_from("=Q", data, 8 * len(KINDS))
        self.frames = data[TEXT_AT:PLACES_AT].rstrip(b"\0").decode(errors="replace")
        self._data = data

    def places(self, kind):
        """A hash of the frames of each call of the kind that was asked for."""
        return struct.unpack_from(f"={self.seen[kind]}Q", self._data, PLACES_AT)


# docs/commands.md, without those that a failing call cannot be the reason for: the command line, credentials.
STATUSES = (0, 1, 3, 5, 6, 7)
# Without memory for it, libcurl 7.88 sends a URL without its query: what BigQuery says then is the error.
LOSES_QUERY = "(curl_url_get+"
MEMORY = re.compile("memory", re.I)
# A line of the log, or the last word of a command.
ERROR = re.compile(r"^bqsync: .|^\S+ error .*error=", re.M)
ERROR_IN_DOCUMENT = re.compile(r'"(error|blocked)":["{]')

SCHEMA = """
create table events(id integer primary key autoincrement, kind text not null, payload json, at integer);
create table accounts(id integer primary key, email text not null unique, balance numeric, note text);
create table audit(account integer);
create trigger audit_accounts after update on accounts begin insert into audit values (new.id); end;
"""
ROWS = """
insert into accounts values (1, 'a@x', 1.5, 'one'), (2, 'b@x', null, 'two'), (3, 'c@x', 3, null);
insert into events(kind, payload, at) values ('a', '{"n":1}', 1), ('b', null, 2);
"""
CHANGE = """
insert into accounts values (4, 'd@x', 4, null); update accounts set note = 'uno' where id = 1;
delete from accounts where id = 2; insert into events(kind, at) values ('c', 3);
"""
BOTH = ("accounts", "events")


def damage(bq, app):
    bq.query(f"update {app.dataset}.accounts set note = 'by hand' where id = 1")
    bq.query(f"delete from {app.dataset}.accounts where id = 3")


class Undertaking:
    """What is done, after what. `repeat`: an undisturbed run of the same, before what is left is judged."""

    def __init__(self, name, before, change, command, accident=None, state=None, repeat=False, **environment):
        self.name = name
        self.command = command
        self.scenario = Scenario(name, before, change, (), BOTH, accident)
        self.state = state
        self.repeat = repeat
        self.environment = environment


UNDERTAKINGS = (
    Undertaking("first sync", None, ROWS, ("sync",)),
    Undertaking("first sync, a large row", None, ROWS + "update accounts set note = hex(randomblob(1500000)) where id = 1",
                ("sync",)),
    Undertaking("incremental sync", ROWS, CHANGE, ("sync",)),
    Undertaking("full sync", ROWS, CHANGE, ("sync", "--full")),
    Undertaking("sync by scan", ROWS, CHANGE, ("sync",), state="state.db"),
    Undertaking("atomic sync", ROWS, CHANGE, ("sync",), BQ_SYNC_ATOMIC="1"),
    Undertaking("plan", ROWS, CHANGE, ("plan",), repeat=True),
    Undertaking("verify --repair", ROWS, "", ("verify", "--repair"), damage, repeat=True),
    Undertaking("capture install", None, ROWS, ("capture", "install"), repeat=True),
    Undertaking("capture remove", ROWS, CHANGE, ("capture", "remove"), repeat=True),
    Undertaking("serve", ROWS, CHANGE, ("serve",)),
)


def shape(document):
    """A document of --json without its values: those of two runs differ in times and names."""
    if isinstance(document, dict):
        return {name: shape(value) for name, value in document.items()}
    if isinstance(document, list):
        return [shape(value) for value in document]
    return None


def document_shape(out):
    try:
        return shape(json.loads(out))
    except ValueError:
        return "no JSON"


class Forked(Deployment):
    """A deployment whose runs are forked, with the shim."""

    def __enter__(self):
        self._server = ForkServer(self.program, SHIM)
        return super().__enter__()

    def __exit__(self, *arguments):
        self._server.__exit__(*arguments)
        super().__exit__(*arguments)

    def start(self, *arguments, **environment):
        # What a service prints is read while it runs.
        if arguments[0] == "serve":
            return super().start(*arguments, LD_PRELOAD=str(SHIM), **environment)
        return self._server.start(arguments, self.folder, self.given(arguments, environment))


class NthWorld(World):
    """The source and the warehouse of one undertaking, and runs of it in which calls fail."""

    program = "bqsync_nth"
    schema = SCHEMA
    deployment = Forked

    def __init__(self, stack, undertaking):
        self.undertaking = undertaking
        self.touched = True
        self.known = {}  # the places of each kind
        super().__init__(stack, undertaking.scenario, undertaking.state, **undertaking.environment)
        self.report = self.folder / "report"
        self.restore()
        with self.app.connect() as db:
            self.owned = self.belongings(db)
        status, out, err = self.run()
        if status != 0:
            raise AssertionError(f"{undertaking.name}: undisturbed it ends with {status}: {out}{err}")
        self.shape = document_shape(out)

    def run(self, **environment):
        if self.undertaking.command == ("serve",):
            return serve(self.app, environment)
        return self.app.run(*self.undertaking.command, "--json", **environment)

    def restore(self):
        """The start; costs little if the run before has changed nothing."""
        if self.touched:
            super().restore()
        else:
            self.bq.clear_requests()

    def is_untouched(self):
        """Whether source and warehouse are what they were at the start."""
        return (all(request["method"] == "GET" for request in self.bq.requests())
                and all(path.exists() and path.read_bytes() == content for path, content in self.saved.items()
                        if path.parent == self.app.folder)
                and all(path in self.saved or path.stat().st_size == 0 for path in self.app.folder.iterdir()))

    def places(self, failure):
        """Of each call of the failure's kind, in a run in which nothing fails, a number that tells its callers."""
        if failure.kind not in self.known:
            self.restore()
            self.run(**self.shimmed(failure, 0))
            self.touched = True
            self.known[failure.kind] = Report(self.report).places(failure.kind)
        return self.known[failure.kind]

    def shimmed(self, failure, number):
        # Nothing is waited for but sockets, so that the speed of the machine decides nothing.
        hurry = HURRY if failure.kind == "handle" else {}
        return {"BQSYNC_NTH_REPORT": str(self.report),
                "BQSYNC_NTH_KIND": str(KINDS.index(failure.kind)), "BQSYNC_NTH": str(number),
                "BQSYNC_NTH_COUNT": str(failure.count), "BQSYNC_NTH_ERRNO": str(failure.error),
                "BQSYNC_NTH_OWN": os.environ.get("BQSYNC_NTH_OWN", "0"), **hurry}

    def attempt(self, failure, number):
        """A run in which the number-th call fails, and what follows."""
        self.restore()
        outcome = Outcome(number)
        outcome.status, out, outcome.err = self.run(**self.shimmed(failure, number))
        outcome.frames = Report(self.report).frames
        outcome.out = out
        outcome.problems = [*self.judge_run(failure, outcome), *self.judge_source()]
        self.touched = not self.is_untouched()
        if self.touched:
            outcome.problems += self.judge_end()
        return outcome

    def leaks(self, failure, number):
        """What valgrind says of memory that such a run loses, or uses wrongly; "" if nothing."""
        self.touched = True
        self.restore()
        # Only what libc allocates is watched, behind the shim.
        command = ["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=definite", "--num-callers=20",
                   "--soname-synonyms=somalloc=nouserintercepts", self.app.program, *self.undertaking.command]
        environment = self.app.given(self.undertaking.command, self.shimmed(failure, number))
        run = run_program(command, self.app.folder, {**environment, "LD_PRELOAD": str(SHIM)})
        return "\n".join(line for line in run.stderr.splitlines() if line.startswith("=="))

    def judge_run(self, failure, outcome):
        if outcome.status not in STATUSES:
            yield f"status {outcome.status}"
        elif outcome.status == 0 and self.undertaking.command != ("serve",):
            if document_shape(outcome.out) != self.shape:
                yield "status 0, but the document lacks something"
            different = self.difference() if self.undertaking.command[0] == "sync" else None
            if different:
                yield f"status 0, but {different}"
        elif outcome.status != 0:
            yield from self.judge_error(failure, outcome)

    def judge_error(self, failure, outcome):
        """The error says what is missing, on stderr or, of a table, in the document."""
        if not ERROR.search(outcome.err) and not ERROR_IN_DOCUMENT.search(outcome.out):
            yield "no error"
        if LOSES_QUERY in outcome.frames:
            return
        if failure.kind == "memory" and (outcome.status != 1 or not MEMORY.search(outcome.err + outcome.out)):
            yield f"status {outcome.status}, and nothing says that memory is missing"

    def belongings(self, db):
        """What the source has of the application: its schema and its rows."""
        schema = db.execute("select type, name, sql from sqlite_master where name not like 'bq\\_sync\\_%' escape '\\'"
                            " and tbl_name not like 'bq\\_sync\\_%' escape '\\' order by name").fetchall()
        return schema, [db.execute(f"select * from {table}").fetchall() for table in ("accounts", "audit", "events")]

    def judge_source(self):
        with contextlib.closing(sqlite3.connect(self.app.path)) as db:
            found = db.execute("pragma integrity_check").fetchall()
            if found != [("ok",)]:
                yield f"the source is damaged: {found}"
            if self.belongings(db) != self.owned:
                yield f"the application's own has changed: {self.belongings(db)}, {self.owned}"

    def judge_end(self):
        if self.undertaking.repeat:
            status, out, err = self.run()
            if status != 0:
                yield f"the second run ended with {status}: {out}{err}"
        outcome = self.outcome()
        if outcome != "equal":
            yield outcome


class Outcome:
    """Of one run: what it printed, where the call failed, what is wrong with it."""

    def __init__(self, number):
        self.number = number


def chosen(places, limit, *sort):
    """Up to limit numbers of calls, of as many places as possible: of each place its first call, in random order."""
    first = {}
    for number, place in enumerate(places, 1):
        first.setdefault(place, number)
    numbers = list(first.values())
    rng = random.Random(repr((sampling.SEED, sort)))
    rng.shuffle(numbers)
    return sorted(numbers[:limit])
