"""A source database, a bqsync binary and an endpoint, as a user has them: for end-to-end tests.

    with Bqlocal(datasets=["d"]) as bq, Deployment(bq) as app:
        app.execute("create table events(...)")
        run = app.sync()                      # the parsed document of `bqsync sync --json`
        self.assertEqual(app.source_rows("events"), app.warehouse_rows("events"))

It runs the real binary and reads real rows; it asserts nothing but that a command ended as expected.
"""

import json
import os
import pathlib
import secrets
import signal
import sqlite3
import subprocess
import tempfile

from tests.support import printed

BUILD = pathlib.Path(os.environ.get("BQSYNC_BUILD", "build")).resolve()
TIMEOUT_SECONDS = 120
# Every command but serve is given a secret that it has no use for, so that one that shows its settings is found out.
UNUSED_TOKEN = "admin-" + secrets.token_hex(16)
# And everything the key of an hmac_sha256 column, which the tables of these tests do not have.
UNUSED_PEPPER = "pepper-" + secrets.token_hex(16)

# The tables of tests/schemas, as an application would create them.
SHAPES = """
create table events(id integer primary key autoincrement, kind text not null, payload json, at integer);
create table accounts(id integer primary key, email text not null unique, balance numeric, note text);
create table settings(name text primary key, value text);
create table memberships(team text not null, person text not null, role text, since text,
  primary key (team, person)) without rowid;
create table devices(serial text primary key not null, online, reading);
create table everything(id integer primary key, i, f, b, s, y, n, bn, d, t, dt, ts, j, g);
create table people(id integer primary key, email text, name text, phone text,
  deleted integer not null default 0);
create table invoices(id integer primary key, total numeric);
"""


class CommandFailed(Exception):
    """A command did not end with the status that was expected."""


class Program(subprocess.Popen):
    """A started program of ours; what it prints is kept for the search for secrets."""

    def __init__(self, command, cwd, env, **options):
        printed.ran()
        printed.secrets_of(env, cwd)
        self._what = " ".join(map(str, command[:2]))
        super().__init__(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, **options)

    def communicate(self, *arguments, **options):
        out, err = super().communicate(*arguments, **options)
        printed.keep("bqsync", self._what, out, err)
        return out, err


def run_program(command, cwd, env, timeout=TIMEOUT_SECONDS, **options):
    """As subprocess.run, for a program that no deployment starts in its own way."""
    with Program(command, cwd, env, **options) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


class Deployment:
    def __init__(self, bqlocal, program="bqsync_shapes", schema=SHAPES, journal="wal", dataset="d",
                 environment=None, state=None):
        self.bq = bqlocal
        self.program = str(BUILD / program)
        self.dataset = dataset
        self._schema = schema
        self._journal = journal
        self._extra = environment or {}
        self._state = state
        self._folder = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="bqsync-test-")
        self.folder = pathlib.Path(self._folder.name)
        self.path = self.folder / "app.db"
        with self.connect() as db:
            db.execute(f"pragma journal_mode = {self._journal}")
            db.executescript(self._schema)
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    @property
    def environment(self):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("BQ_", "BIGQUERY_", "GOOGLE_", "BUGSNAG", "SENTRY"))}
        environment.update({
            "BIGQUERY_EMULATOR_HOST": self.bq.host, "BQ_PROJECT_NAME": self.bq.project,
            "BQ_DATASET_NAME": self.dataset, "BQ_SQLITE_PATH": str(self.path), "EMAIL_PEPPER": UNUSED_PEPPER})
        if self._state is not None:
            environment["BQ_STATE_PATH"] = str(self.folder / self._state)
        environment.update(self._extra)
        return environment

    # The application

    def connect(self, **options):
        db = sqlite3.connect(self.path, isolation_level=None, timeout=30, **options)
        return _Closing(db)

    def execute(self, sql, *parameters):
        """One statement of the application, committed."""
        with self.connect() as db:
            return db.execute(sql, *parameters).fetchall()

    def script(self, sql):
        with self.connect() as db:
            db.executescript(sql)

    # bqsync

    def given(self, arguments, environment):
        """All variables that a command is given."""
        token = {} if arguments[:1] == ("serve",) else {"BQ_ADMIN_TOKEN": UNUSED_TOKEN}
        return {**token, **self.environment, **environment}

    def start(self, *arguments, **environment):
        return Program([self.program, *arguments], self.folder, self.given(arguments, environment))

    def run(self, *arguments, **environment):
        """A command to its end: (exit status, stdout, stderr)."""
        process = self.start(*arguments, **environment)
        try:
            out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            out, err = process.communicate()
            raise CommandFailed(f"{arguments} hangs:\n{out}\n{err}")
        self.last_stderr = err
        return process.returncode, out, err

    def json(self, *arguments, status=0, **environment):
        """A reporting command with --json: its document."""
        ended, out, err = self.run(*arguments, "--json", **environment)
        if ended != status:
            raise CommandFailed(f"{arguments} ended with {ended}, not {status}:\n{out}\n{err}")
        return json.loads(out)

    def sync(self, *arguments, status=0, **environment):
        return self.json("sync", *arguments, status=status, **environment)

    def table(self, run, name):
        """One table's part of a document of sync, plan, verify or status."""
        return next(table for table in run["tables"] if table["table"] == name)

    # Both sides

    def source_rows(self, table, columns="*", order=None):
        rows = self.execute(f"select {columns} from {table}")
        return sorted(rows, key=repr) if order is None else rows

    def warehouse_rows(self, table):
        rows = [tuple(row.values()) for row in self.bq.rows(self.dataset, table)]
        return sorted(rows, key=repr)


class _Closing:
    """A connection that a with statement closes (sqlite3's own only ends the transaction)."""

    def __init__(self, db):
        self._db = db

    def __enter__(self):
        return self._db

    def __exit__(self, *_):
        self._db.close()
