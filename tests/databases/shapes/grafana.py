"""The database of Grafana (grafana/grafana, sqlstore migrations; its issues 129518 and 129923 on times).

xorm writes times as texts `2024-03-01 08:15:30` in DATETIME; what a newer driver wrote itself is Go's String() of a
time, `2026-07-26 11:47:47.112233638 +0330 +0330 m=+84630.747193824`. Annotations count milliseconds, login attempts
seconds. Dashboards are JSON in TEXT columns, as blobs; flags are 0 and 1 in INTEGER; columns begin with the comma of
their line.
"""

import json

from tests.databases.shape import Reading, naive, seconds_in_sqlite, text_in_sqlite, unix_us

DDL = """
CREATE TABLE `migration_log` (
`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL
, `migration_id` TEXT NOT NULL
, `sql` TEXT NOT NULL
, `success` INTEGER NOT NULL
, `error` TEXT NOT NULL
, `timestamp` DATETIME NOT NULL
);
CREATE TABLE `org` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `version` INTEGER NOT NULL, `name` TEXT NOT NULL,
    `created` DATETIME NOT NULL, `updated` DATETIME NOT NULL);
CREATE TABLE `user` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `login` TEXT NOT NULL, `email` TEXT NOT NULL,
    `password` TEXT NULL, `salt` TEXT NULL, `rands` TEXT NULL, `org_id` INTEGER NOT NULL, `is_admin` INTEGER NOT NULL,
    `email_verified` INTEGER NULL, `created` DATETIME NOT NULL, `last_seen_at` DATETIME NULL,
    `is_disabled` INTEGER NOT NULL DEFAULT 0, uid TEXT NULL);
CREATE TABLE `dashboard` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `slug` TEXT NOT NULL,
    `title` TEXT NOT NULL, `data` TEXT NOT NULL, `org_id` INTEGER NOT NULL, `created` DATETIME NOT NULL,
    `is_folder` INTEGER NOT NULL DEFAULT 0, `uid` TEXT NULL);
CREATE TABLE `data_source` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `name` TEXT NOT NULL,
    `url` TEXT NOT NULL, `password` TEXT NULL, `json_data` TEXT NULL, `secure_json_data` TEXT NULL,
    `read_only` INTEGER NULL, `created` DATETIME NOT NULL);
CREATE TABLE `annotation` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `text` TEXT NOT NULL,
    `epoch` INTEGER NOT NULL, `epoch_end` INTEGER NOT NULL DEFAULT 0, `created` INTEGER NULL DEFAULT 0,
    `tags` TEXT NULL);
CREATE TABLE `login_attempt` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `username` TEXT NOT NULL,
    `ip_address` TEXT NOT NULL, `created` INTEGER NOT NULL DEFAULT 0);
CREATE TABLE `kv_store` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `org_id` INTEGER NOT NULL,
    `namespace` TEXT NOT NULL, `key` TEXT NOT NULL, `value` TEXT NOT NULL, `created` DATETIME NOT NULL,
    `updated` DATETIME NOT NULL);
CREATE UNIQUE INDEX `UQE_kv_store_org_id_namespace_key` ON `kv_store` (`org_id`,`namespace`,`key`);
CREATE TABLE `star` (`user_id` INTEGER NOT NULL, `dashboard_id` INTEGER NOT NULL);
CREATE UNIQUE INDEX `UQE_star_user_id_dashboard_id` ON `star` (`user_id`,`dashboard_id`);
"""

READINGS = (
    Reading("org.created", "TIMESTAMP", sql=text_in_sqlite("created")),
    Reading("kv_store.updated", "TIMESTAMP", {"format": "go", "fraction": "truncate"},
            "strftime('%Y-%m-%d %H:%M:%f', substr(updated, 1, 23), "
            "CASE WHEN updated LIKE '% +0330 %' THEN '-210 minutes' ELSE '+0 minutes' END)"),
    Reading("annotation.epoch", "TIMESTAMP", {"format": "unix_ms"}, seconds_in_sqlite("epoch / 1000.0")),
    Reading("login_attempt.created", "TIMESTAMP", {"format": "unix_s"}, seconds_in_sqlite("created")),
    Reading("dashboard.data", "JSON|STRING", {"text": "utf8"}, "cast(data as text)"),
    Reading("data_source.json_data", "JSON|STRING", {"text": "utf8"}, "cast(json_data as text)"),
    Reading("user.is_admin", "BOOL|INT64"),
)
HIDDEN = ("user.password", "user.salt", "user.email", "data_source.password", "data_source.secure_json_data")
KEYS = {"star": ["user_id", "dashboard_id"]}


def go(moment, step):
    """Go's String() of a time."""
    text = moment.strftime("%Y-%m-%d %H:%M:%S") + f".{moment.microsecond:06d}{step % 1000:03d}"
    return text + (f" +0330 +0330 m=+{step}.747193824" if step % 2 else " +0000 UTC")


def fill(db, make):
    at = lambda step: naive(make.moment(step), 0)
    make.rows(db, "migration_log", [(i, f"create {make.word()} table",
        "CREATE TABLE IF NOT EXISTS `x` (\n`id` INTEGER)", 1, "", at(i))
                                    for i in range(1, 41)])
    make.rows(db, "org", [(i, 0, "Main Org.", at(i), at(i + 1)) for i in range(1, 6)])
    make.rows(db, "user", [
        (i, f"login{i}", make.email(i), make.hex(50), make.id(10), make.id(10), 1, i == 1, 0, at(i),
         make.maybe(at(i + 3)), 0, "u" + make.id(8))
        for i in range(1, 41)])
    blob = lambda value: json.dumps(value).encode()
    make.rows(db, "dashboard", [
        (i, make.word(), make.text(2), blob({"panels": [{"id": i, "type": "graph"}], "title": "Größe",
         "refresh": False}), 1, at(i), i % 2,
         make.id(9)) for i in range(1, 41)])
    make.rows(db, "data_source", [
        (i, make.word(), "http://localhost:9090", "", make.maybe(blob({"timeInterval": "15s"})),
         blob({"basicAuthPassword": make.id(30)}), 0,
         at(i)) for i in range(1, 13)])
    ms = lambda step: unix_us(make.moment(step)) // 1000
    make.rows(db, "annotation", [(i, make.text(), ms(i), make.random.choice((0, ms(i))), ms(i),
        make.maybe('["deploy"]')) for i in range(1, 81)])
    make.rows(db, "login_attempt", [(i, f"login{i % 40}", f"10.1.2.{i}", ms(i) // 1000) for i in range(1, 61)])
    make.rows(db, "kv_store", [
        (i, 0, "ngalert", f"{make.word()}{i}", make.text(2), go(make.moment(i), i), go(make.moment(i + 1), i + 1))
         for i in range(1, 61)])
    make.rows(db, "star", [(u, d) for u in range(1, 21) for d in make.random.sample(range(1, 41), 2)])
