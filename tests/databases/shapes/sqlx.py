"""A service in Rust, after sqlx (launchbadge/sqlx, sqlx-sqlite/src/types: chrono.rs, time.rs, uuid.rs; migrate.rs).

DateTime<Utc> is a text in RFC 3339 with as many digits as it needs, up to nine, and `+00:00`; OffsetDateTime of the
crate `time` has a blank before its zone; Uuid is a blob of 16 bytes; bool is 0 or 1; u64 nanoseconds are INTEGER.
"""

from tests.databases.shape import Reading, naive, seconds_in_sqlite, text_in_sqlite, unix_us, uuid_in_sqlite

DDL = """
CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL);
CREATE TABLE jobs (id BLOB PRIMARY KEY NOT NULL, owner_id BLOB, name TEXT NOT NULL, created_at DATETIME NOT NULL,
    started_at TEXT, finished_at_ns INTEGER, done BOOLEAN NOT NULL DEFAULT FALSE, payload TEXT NOT NULL);
"""

READINGS = (
    Reading("jobs.created_at", "TIMESTAMP", {"fraction": "truncate"}, text_in_sqlite("created_at")),
    Reading("jobs.started_at", "TIMESTAMP", {"fraction": "truncate"},
            text_in_sqlite("replace(replace(started_at, ' +', '+'), '.0 ', '.000 ')")),
    Reading("jobs.finished_at_ns", "TIMESTAMP", {"format": "unix_ns", "fraction": "truncate"},
            seconds_in_sqlite("finished_at_ns / 1000000000.0")),
    Reading("jobs.id", "STRING", {"text": "uuid"}, uuid_in_sqlite("id")),
    Reading("jobs.done", "BOOL", sql="done"),
    Reading("_sqlx_migrations.success", "BOOL", sql="success"),
    Reading("_sqlx_migrations.execution_time", "INT64", sql="execution_time"),
)
KEYS = {"jobs": ["id"], "_sqlx_migrations": ["version"]}


def fill(db, make):
    def rfc3339(step, separator, zone):
        """With nine digits, six, or none."""
        moment = make.moment(step, 1_000_000 if step % 9 == 0 else 1)
        fine = "" if step % 9 == 0 else f".{moment.microsecond:06d}" + (f"{step % 1000:03d}" if step % 2 else "")
        return naive(moment, 0, separator) + fine + zone

    make.rows(db, "_sqlx_migrations", [
        (20240101000000 + i, f"step {i}", naive(make.moment(i), 0), 1, make.bytes(48), 1_234_567 + i)
         for i in range(9)])
    make.rows(db, "jobs", [
        (make.uuid().bytes, make.maybe(make.uuid().bytes), make.word(), rfc3339(i, "T", "+00:00"),
         make.maybe(rfc3339(i, " ", " +00:00")), make.maybe(unix_us(make.moment(i)) * 1000 + i), i % 2,
         '{"kind":"mail","try":%d}' % i) for i in range(150)])
