"""A web application, after Rails 8 (rails/rails, activerecord's sqlite3 adapter, quoting.rb; ArtifactHQ/artifact-demo).

Times are UTC texts with six digits in datetime(6), without a zone; times of day carry the date 2000-01-01 in front;
booleans are 1 and 0; decimals are REAL; json is a text. Versions of migrations are texts of digits that are no numbers.
"""

import json

from tests.databases.shape import Reading, hex_in_sqlite, naive, text_in_sqlite

STAMPS = '"created_at" datetime(6) NOT NULL, "updated_at" datetime(6) NOT NULL'
ID = '"id" integer PRIMARY KEY AUTOINCREMENT NOT NULL'
DDL = f"""
CREATE TABLE "schema_migrations" ("version" varchar NOT NULL PRIMARY KEY);
CREATE TABLE "ar_internal_metadata" ("key" varchar NOT NULL PRIMARY KEY, "value" varchar, {STAMPS});
CREATE TABLE "users" ({ID}, "email_address" varchar NOT NULL, "password_digest" varchar NOT NULL,
    "admin" boolean DEFAULT 0 NOT NULL, "birthday" date, {STAMPS});
CREATE UNIQUE INDEX "index_users_on_email_address" ON "users" ("email_address");
CREATE TABLE "sessions" ({ID}, "user_id" integer NOT NULL, "ip_address" varchar, "user_agent" varchar, {STAMPS},
    CONSTRAINT "fk_rails_758836b4f0" FOREIGN KEY ("user_id") REFERENCES "users" ("id"));
CREATE TABLE "shops" ({ID}, "name" varchar, "opens_at" time(6), "rating" float, "balance" decimal(10,2) DEFAULT 0.0,
    "settings" json DEFAULT '{{}}' NOT NULL, "logo" blob, "published" boolean, {STAMPS});
CREATE TABLE "active_storage_blobs" ({ID}, "key" varchar NOT NULL, "filename" varchar NOT NULL, "metadata" text,
    "byte_size" bigint NOT NULL, "checksum" varchar, "created_at" datetime(6) NOT NULL);
CREATE TABLE "solid_queue_jobs" ({ID}, "queue_name" varchar NOT NULL, "class_name" varchar NOT NULL, "arguments" text,
    "priority" integer DEFAULT 0 NOT NULL, "scheduled_at" datetime(6), "finished_at" datetime(6), {STAMPS});
CREATE TABLE "shops_users" ("shop_id" integer NOT NULL, "user_id" integer NOT NULL);
"""

READINGS = (
    Reading("users.created_at", "TIMESTAMP", sql=text_in_sqlite("created_at")),
    Reading("solid_queue_jobs.finished_at", "TIMESTAMP", sql=text_in_sqlite("finished_at")),
    Reading("shops.opens_at", "TIME", {"date": "drop"}, "strftime('%H:%M:%f', opens_at)"),
    Reading("users.birthday", "DATE", sql=text_in_sqlite("birthday")),
    Reading("users.admin", "BOOL", sql="admin"),
    Reading("shops.published", "BOOL", sql="published"),
    Reading("shops.balance", "NUMERIC", sql="cast(balance as text)"),
    Reading("shops.settings", "JSON", sql="settings"),
    Reading("shops.logo", "BYTES", sql=hex_in_sqlite("logo")),
    Reading("schema_migrations.version", "STRING", sql="version"),
)
HIDDEN = ("users.password_digest", "users.email_address")
KEYS = {"shops_users": [], "schema_migrations": ["version"]}


def fill(db, make):
    stamps = lambda i: (naive(make.moment(i)), naive(make.moment(i + 1)))
    make.rows(db, "schema_migrations", [(f"20251205{3641 + i:06}",) for i in range(12)])
    make.rows(db, "ar_internal_metadata", [("environment", "development", *stamps(0)),
        ("schema_sha1", make.hex(20), *stamps(1))])
    make.rows(db, "users", [
        (i, make.email(i), make.bcrypt("2a", 12), i % 5 == 0, make.maybe(f"19{50 + i % 50}-0{i % 9 + 1}-1{i % 10}"),
         *stamps(i))
        for i in range(1, 81)])
    make.rows(db, "sessions", [(i, i % 80 + 1, f"10.0.{i % 7}.{i}", f"Mozilla/5.0 ({make.word()})", *stamps(i))
        for i in range(1, 101)])
    make.rows(db, "shops", [
        (i, make.text(2), f"2000-01-01 {i % 24:02}:{i % 60:02}:00" + (".500000" if i % 3 == 0 else ""),
         make.random.random() * 5,
         make.random.choice((0.0, 12.5, 1234567.89, -3.1)), json.dumps({"theme": make.word(), "tags": [1, None, True]}),
         make.maybe(b"\x89PNG\r\n" + make.bytes(20)), make.random.choice((0, 1, None)), *stamps(i))
             for i in range(1, 61)])
    make.rows(db, "active_storage_blobs", [
        (i, make.id(28), make.word() + ".png", '{"identified":true}', make.random.randint(1, 10**7),
         make.id(22) + "==", stamps(i)[0])
        for i in range(1, 31)])
    make.rows(db, "solid_queue_jobs", [
        (i, "default", "MailJob", json.dumps({"args": [i]}), 0, make.maybe(stamps(i)[0]), make.maybe(stamps(i)[1]),
         *stamps(i))
        for i in range(1, 121)])
    make.rows(db, "shops_users", [(make.random.randint(1, 60), make.random.randint(1, 80)) for _ in range(150)])
