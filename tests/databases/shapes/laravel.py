"""A web application, after Laravel 11 (laravel/framework, Database/Schema/Grammars/SQLiteGrammar.php).

Times are texts `2024-03-01 08:15:30` in datetime, without a zone; booleans are 1 and 0 in tinyint(1); the queue, the
cache and the sessions count seconds since 1970 in integer; JSON is a text; payloads of jobs are JSON that holds
escaped, serialized PHP.
"""

import json

from tests.databases.shape import Reading, naive, seconds_in_sqlite, text_in_sqlite, unix_us

ID = '"id" integer primary key autoincrement not null'
STAMPS = '"created_at" datetime, "updated_at" datetime'
DDL = f"""
CREATE TABLE "migrations" ({ID}, "migration" varchar not null, "batch" integer not null);
CREATE TABLE "users" ({ID}, "name" varchar not null, "email" varchar not null, "email_verified_at" datetime,
    "password" varchar not null, "remember_token" varchar, {STAMPS});
CREATE UNIQUE INDEX "users_email_unique" on "users" ("email");
CREATE TABLE "password_reset_tokens" ("email" varchar not null, "token" varchar not null, "created_at" datetime,
    primary key ("email"));
CREATE TABLE "sessions" ("id" varchar not null, "user_id" integer, "ip_address" varchar, "payload" text not null,
    "last_activity" integer not null, primary key ("id"));
CREATE TABLE "jobs" ({ID}, "queue" varchar not null, "payload" text not null, "attempts" integer not null,
    "reserved_at" integer, "available_at" integer not null, "created_at" integer not null);
CREATE TABLE "failed_jobs" ({ID}, "uuid" varchar not null, "exception" text not null,
    "failed_at" datetime not null default CURRENT_TIMESTAMP);
CREATE TABLE "personal_access_tokens" ({ID}, "tokenable_type" varchar not null, "token" varchar not null,
    "abilities" text, "last_used_at" datetime, {STAMPS});
CREATE TABLE "cache" ("key" varchar not null, "value" text not null, "expiration" integer not null,
    primary key ("key"));
CREATE TABLE "orders" ({ID}, "price" numeric not null, "is_paid" tinyint(1) not null default '0', "options" text,
    "shipped_on" date, "weight" float, {STAMPS}, "deleted_at" datetime);
"""

READINGS = (
    Reading("users.created_at", "TIMESTAMP", sql=text_in_sqlite("created_at")),
    Reading("orders.deleted_at", "TIMESTAMP", sql=text_in_sqlite("deleted_at")),
    Reading("sessions.last_activity", "TIMESTAMP|INT64"),
    Reading("jobs.available_at", "TIMESTAMP", {"format": "unix_s"}, seconds_in_sqlite("available_at")),
    Reading("jobs.reserved_at", "TIMESTAMP", {"format": "unix_s"}, seconds_in_sqlite("reserved_at")),
    Reading("orders.is_paid", "BOOL", sql="is_paid"),
    Reading("orders.shipped_on", "DATE", sql=text_in_sqlite("shipped_on")),
    Reading("orders.price", "NUMERIC", sql="cast(price as text)"),
    Reading("orders.options", "JSON", sql="options"),
    Reading("jobs.payload", "JSON", sql="payload"),
)
HIDDEN = ("users.password", "users.remember_token", "users.email", "password_reset_tokens.token",
    "password_reset_tokens.email",
          "personal_access_tokens.token")
KEYS = {"cache": ["key"], "password_reset_tokens": ["email"]}


def fill(db, make):
    at = lambda step: naive(make.moment(step), 0)
    s = lambda step: unix_us(make.moment(step)) // 1_000_000
    make.rows(db, "migrations", [(i, f"0001_01_01_{i:06}_create_{make.word()}_table", 1) for i in range(1, 10)])
    make.rows(db, "users", [
        (i, " ".join(make.person()), make.email(i), make.maybe(at(i)), make.bcrypt("2y", 12), make.maybe(make.id(60)),
         at(i), at(i + 1))
        for i in range(1, 71)])
    make.rows(db, "password_reset_tokens", [(make.email(900 + i), make.bcrypt("2y", 12), at(i)) for i in range(15)])
    make.rows(db, "sessions", [(make.id(40), make.maybe(i), f"127.0.0.{i}", make.id(80), s(i)) for i in range(1, 61)])
    command = 'O:15:"App\\Jobs\\Import":1:{s:2:"id";i:7;}'
    make.rows(db, "jobs", [
        (i, "default", json.dumps({"uuid": str(make.uuid()), "data": {"command": command}}), i % 3, make.maybe(s(i)),
         s(i + 1), s(i))
        for i in range(1, 81)])
    make.rows(db, "failed_jobs", [(i, str(make.uuid()), f"RuntimeException: {make.text()}\n#0 {{main}}", at(i))
        for i in range(1, 16)])
    make.rows(db, "personal_access_tokens", [
        (i, "App\\Models\\User", make.hex(32), '["*"]', make.maybe(at(i)), at(i), at(i)) for i in range(1, 31)])
    make.rows(db, "cache", [(f"app_{make.word()}_{i}", f"i:{i};", s(i)) for i in range(40)])
    make.rows(db, "orders", [
        (i, make.random.choice((19.99, 5, 120.5)), i % 2, make.maybe(json.dumps({"gift": bool(i % 2), "sizes": [i]})),
         make.maybe(at(i)[:10]), make.random.random() * 10, at(i), at(i + 1), make.maybe(at(i + 2), odds=0.8))
             for i in range(1, 151)])
