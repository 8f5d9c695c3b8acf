"""A backend in one file, after PocketBase (pocketbase/pocketbase, tests/data/data.db, tools/types/datetime.go).

Times are texts with three digits and a zone, `2022-10-10 09:50:06.449Z`, and '' for none; booleans 0 and 1 in BOOLEAN;
lists and objects are JSON texts, '' and 'null' for none; settings are JSON in a BLOB. Ids are texts of 15 characters
in a primary key that allows NULL. Names of collections begin with an underscore. The column of migrations once held
seconds, later microseconds.
"""

import json

from tests.databases.shape import Reading, naive, text_in_sqlite, unix_us

BASE = "`created` TEXT DEFAULT '' NOT NULL, `id` TEXT PRIMARY KEY DEFAULT ('r'||lower(hex(randomblob(7)))) NOT NULL, " \
       "`updated` TEXT DEFAULT '' NOT NULL"
DDL = f"""
CREATE TABLE `_migrations` (file VARCHAR(255) PRIMARY KEY NOT NULL, applied INTEGER NOT NULL);
CREATE TABLE `_params` ({BASE}, `value` JSON DEFAULT NULL);
CREATE TABLE `_collections` (`id` TEXT PRIMARY KEY, `system` BOOLEAN DEFAULT FALSE NOT NULL,
    `type` TEXT DEFAULT "base" NOT NULL, `name` TEXT UNIQUE NOT NULL, "fields" JSON DEFAULT "[]" NOT NULL,
    `listRule` TEXT DEFAULT NULL, `options` JSON DEFAULT "{{}}" NOT NULL, `created` TEXT DEFAULT "" NOT NULL,
    `updated` TEXT DEFAULT "" NOT NULL);
CREATE TABLE `users` ({BASE}, `email` TEXT DEFAULT '' NOT NULL, `emailVisibility` BOOLEAN DEFAULT FALSE NOT NULL,
    `name` TEXT DEFAULT '', "password" TEXT NOT NULL, `tokenKey` TEXT NOT NULL,
    `verified` BOOLEAN DEFAULT FALSE NOT NULL, "lastSeen" TEXT DEFAULT '');
CREATE TABLE "_authOrigins" ({BASE}, `collectionRef` TEXT DEFAULT '' NOT NULL, `fingerprint` TEXT DEFAULT '' NOT NULL,
    `recordRef` TEXT DEFAULT '' NOT NULL);
CREATE TABLE `posts` ({BASE}, "title" TEXT DEFAULT '', "active" Boolean DEFAULT FALSE, "number" REAL DEFAULT 0,
    "datetime" TEXT DEFAULT '', "json" JSON DEFAULT NULL, "rel_many" JSON DEFAULT '[]' NOT NULL,
    "point" JSON DEFAULT '{{"lat":0,"lon":0}}' NOT NULL, "file_one" TEXT DEFAULT '');
CREATE UNIQUE INDEX `idx_users_email` ON `users` (`email`) WHERE `email` != '';
CREATE UNIQUE INDEX `idx_authOrigins` ON `_authOrigins` (collectionRef, recordRef, fingerprint);
CREATE VIEW `titles` AS SELECT id, title FROM posts WHERE active;
"""

READINGS = (
    Reading("posts.created", "TIMESTAMP", sql=text_in_sqlite("created")),
    Reading("posts.datetime", "TIMESTAMP", {"empty": "null"}, text_in_sqlite("datetime")),
    Reading("users.lastSeen", "TIMESTAMP", {"empty": "null"}, text_in_sqlite("lastSeen")),
    Reading("posts.active", "BOOL", sql="active"),
    Reading("users.verified", "BOOL", sql="verified"),
    Reading("posts.rel_many", "JSON", sql="rel_many"),
    Reading("posts.point", "JSON", sql="point"),
    Reading("_params.value", "JSON|STRING", {"text": "utf8"}, "cast(value as text)"),
    Reading("posts.number", "FLOAT64"),
)
HIDDEN = ("users.password", "users.tokenKey", "users.email")
KEYS = {"posts": ["id"], "_collections": ["id"]}


def fill(db, make):
    at = lambda step: naive(make.moment(step, 1_000), 3) + "Z"
    make.rows(db, "_migrations", [
        (f"{1640988000 + i}_step.go", unix_us(make.moment(i)) // (1_000_000 if i < 9 else 1)) for i in range(20)])
    make.rows(db, "_params", [
        ("", "settings", at(1), json.dumps({"smtp": {"enabled": False, "port": 587},
         "backups": {"cron": ""}}).encode()),
        (at(2), "appSecret" + make.id(6), at(3), b'{"kind":"plain"}')])
    make.rows(db, "_collections", [
        (make.id(), i % 2, "base", f"collection{i}", json.dumps([{"name": make.word(), "max": 15, "hidden": False}]),
         make.maybe(""),
         "{}", at(i), at(i + 1)) for i in range(12)])
    users = [make.id() for _ in range(60)]
    make.rows(db, "users", [
        (at(i), id, at(i + 1), make.email(i), i % 2, make.maybe(" ".join(make.person()), ""), make.bcrypt("2a", 13),
         make.id(50), i % 3 and 1, make.maybe(at(i + 2), "")) for i, id in enumerate(users)])
    make.rows(db, "_authOrigins", [
        (at(i), make.id(), at(i + 1), "_pb_users_auth_", make.hex(16), make.random.choice(users)) for i in range(40)])
    values = ("null", '{"a":123}', "[1, 2, 3]", '"text"', "true", None, "1.5")
    make.rows(db, "posts", [
        (at(i), make.id(), at(i + 1), make.text(3), i % 2, make.random.choice((0.0, 123456.0, -0.25)),
         make.maybe(at(i), ""),
         make.random.choice(values), json.dumps(make.random.sample(users, i % 4)),
         json.dumps({"lon": 23.333157, "lat": 42.654318}), make.maybe(f"logo_{make.id(10)}.svg", ""))
             for i in range(150)])
