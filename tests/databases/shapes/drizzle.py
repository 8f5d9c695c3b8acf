"""A web application, after Drizzle (orm.drizzle.team, "SQLite column types"; drizzle-orm, sqlite-core/columns).

`integer` columns hold seconds (mode timestamp), milliseconds (timestamp_ms) or 0 and 1 (boolean) since only the program
knows; JSON is a text, or a text in a blob; a bigint is its digits in a blob; defaults are texts of CURRENT_TIMESTAMP.
The table of migrations calls its key SERIAL, which is no row id in SQLite: every id in it is NULL.
"""

import json

from tests.databases.shape import Reading, hex_in_sqlite, naive, seconds_in_sqlite, text_in_sqlite, unix_us

DDL = """
CREATE TABLE `__drizzle_migrations` (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric);
CREATE TABLE `users` (`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL, `name` text NOT NULL, `email` text NOT NULL,
    `is_active` integer DEFAULT true NOT NULL, `created_at` integer DEFAULT (unixepoch()) NOT NULL,
    `updated_at` integer, `joined` text DEFAULT CURRENT_TIMESTAMP NOT NULL);
CREATE UNIQUE INDEX `users_email_unique` ON `users` (`email`);
CREATE TABLE `events` (`id` text PRIMARY KEY NOT NULL, `payload` text, `extra` blob, `big` blob, `raw` blob,
    `score` real, `kind` text DEFAULT 'view' NOT NULL, `at_ms` integer NOT NULL, `amount` numeric);
CREATE TABLE `members` (`team_id` integer NOT NULL, `user_id` integer NOT NULL, `since` integer,
    PRIMARY KEY(`team_id`, `user_id`),
    FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade);
CREATE TABLE `session` (`id` text PRIMARY KEY NOT NULL, `expires_at` integer NOT NULL, `token` text NOT NULL,
    `user_id` integer NOT NULL);
"""

READINGS = (
    Reading("users.created_at", "TIMESTAMP", {"format": "unix_s"}, seconds_in_sqlite("created_at")),
    Reading("users.updated_at", "TIMESTAMP", {"format": "unix_ms"}, seconds_in_sqlite("updated_at / 1000.0")),
    Reading("session.expires_at", "TIMESTAMP", {"format": "unix_ms"}, seconds_in_sqlite("expires_at / 1000.0")),
    Reading("events.at_ms", "TIMESTAMP", {"format": "unix_ms"}, seconds_in_sqlite("at_ms / 1000.0")),
    Reading("__drizzle_migrations.created_at", "TIMESTAMP", {"format": "unix_ms"},
        seconds_in_sqlite("created_at / 1000.0")),
    Reading("users.joined", "TIMESTAMP", sql=text_in_sqlite("joined")),
    Reading("users.is_active", "BOOL|INT64"),
    Reading("events.payload", "JSON", sql="payload"),
    Reading("events.extra", "JSON", {"text": "utf8"}, "cast(extra as text)"),
    Reading("events.raw", "BYTES", sql=hex_in_sqlite("raw")),
)
HIDDEN = ("users.email", "session.token")
KEYS = {"__drizzle_migrations": [], "members": ["team_id", "user_id"], "events": ["id"]}


def fill(db, make):
    us = lambda step: unix_us(make.moment(step))
    db.executemany("INSERT INTO __drizzle_migrations(hash, created_at) VALUES (?, ?)",
                   [(make.hex(32), us(i) // 1000) for i in range(8)])
    make.rows(db, "users", [
        (i, " ".join(make.person()), make.email(i), i % 4 and 1, us(i) // 1_000_000, make.maybe(us(i + 1) // 1000),
         naive(make.moment(i), 0)) for i in range(1, 81)])
    blob = lambda value: json.dumps(value, separators=(",", ":")).encode()
    make.rows(db, "events", [
        (make.id(21), make.maybe(json.dumps({"url": "/" + make.word(), "n": i})),
         make.maybe(blob({"a": [i, None], "ü": "é"})),
         str(2**70 + i).encode(), make.bytes(9) + b"\xff", make.random.random(), make.random.choice(("view", "click")),
             us(i) // 1000,
         make.random.choice((None, 1, 2.5))) for i in range(200)])
    make.rows(db, "members", [(t, u, us(u) // 1_000_000) for t in range(1, 5)
        for u in make.random.sample(range(1, 81), 20)])
    make.rows(db, "session", [(make.id(), us(i) // 1000, make.hex(20), i) for i in range(1, 41)])
