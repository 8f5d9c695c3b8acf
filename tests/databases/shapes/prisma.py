"""A web application, after Prisma (prisma/prisma issues 3084 and 27786; 0svaldojunior/ignite-call, prisma/dev.db).

DATETIME columns hold integers, milliseconds since 1970; defaults and raw SQL put texts into the same columns, with a
blank before the zone or without one. Ids are cuids in TEXT primary keys; booleans are 0 and 1; Decimal is a number in
DECIMAL, Bytes a BLOB, Json a text in JSONB. The table between two models has columns A and B, a unique index and no
key.
"""

import json

from tests.databases.shape import Reading, hex_in_sqlite, naive, seconds_in_sqlite, unix_us

BOTH = "CASE typeof({0}) WHEN 'text' THEN strftime('%Y-%m-%d %H:%M:%f', replace({0}, ' +', '+')) ELSE " \
       + seconds_in_sqlite("{0} / 1000.0") + " END"
DDL = """
CREATE TABLE "_prisma_migrations" ("id" TEXT PRIMARY KEY NOT NULL, "checksum" TEXT NOT NULL, "finished_at" DATETIME,
    "migration_name" TEXT NOT NULL, "logs" TEXT, "rolled_back_at" DATETIME,
    "started_at" DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0);
CREATE TABLE "User" ("id" TEXT NOT NULL PRIMARY KEY, "email" TEXT NOT NULL, "name" TEXT,
    "role" TEXT NOT NULL DEFAULT 'USER', "active" BOOLEAN NOT NULL DEFAULT true,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, "updatedAt" DATETIME NOT NULL);
CREATE TABLE "accounts" ("id" TEXT NOT NULL PRIMARY KEY, "user_id" TEXT NOT NULL, "provider" TEXT NOT NULL,
    "refresh_token" TEXT, "access_token" TEXT, "expires_at" INTEGER, "id_token" TEXT,
    CONSTRAINT "accounts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE
    CASCADE);
CREATE TABLE "Post" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "title" TEXT NOT NULL,
    "published" BOOLEAN NOT NULL DEFAULT false, "publishedAt" DATETIME, "views" BIGINT NOT NULL DEFAULT 0,
    "price" DECIMAL, "meta" JSONB, "cover" BLOB, "rank" REAL, "authorId" TEXT NOT NULL);
CREATE TABLE "_PostToTag" ("A" INTEGER NOT NULL, "B" INTEGER NOT NULL);
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
CREATE UNIQUE INDEX "_PostToTag_AB_unique" ON "_PostToTag"("A", "B");
CREATE INDEX "_PostToTag_B_index" ON "_PostToTag"("B");
"""

READINGS = (
    Reading("User.createdAt", "TIMESTAMP", {"format": "unix_ms iso8601"}, BOTH.format('"createdAt"')),
    Reading("User.updatedAt", "TIMESTAMP", {"format": "unix_ms"}, seconds_in_sqlite('"updatedAt" / 1000.0')),
    Reading("Post.publishedAt", "TIMESTAMP", {"format": "unix_ms"}, seconds_in_sqlite('"publishedAt" / 1000.0')),
    Reading("accounts.expires_at", "TIMESTAMP", {"format": "unix_s"}, seconds_in_sqlite("expires_at")),
    Reading("_prisma_migrations.started_at", "TIMESTAMP", {"format": "unix_ms iso8601"}, BOTH.format("started_at")),
    Reading("User.active", "BOOL", sql="active"),
    Reading("Post.price", "NUMERIC", sql="cast(price as text)"),
    Reading("Post.meta", "JSON", sql="meta"),
    Reading("Post.views", "INT64", sql="views"),
    Reading("Post.cover", "BYTES", sql=hex_in_sqlite("cover")),
)
HIDDEN = ("accounts.refresh_token", "accounts.access_token", "accounts.id_token", "User.email")
KEYS = {"_PostToTag": ["A", "B"], "User": ["id"]}


def fill(db, make):
    ms = lambda step: unix_us(make.moment(step)) // 1000
    make.rows(db, "_prisma_migrations", [
        (str(make.uuid()), make.hex(32), ms(i), f"2023092318561{i}_step", None, None,
         ms(i) if i else naive(make.moment(i), 0), 1) for i in range(8)])
    users = ["clo" + make.id(22) for _ in range(60)]
    make.rows(db, "User", [
        (id, make.email(i), make.maybe(" ".join(make.person())), make.random.choice(("USER", "ADMIN")), i % 2,
         (naive(make.moment(i), 0) + (" +00:00" if i % 2 else "")) if i % 10 < 2 else ms(i), ms(i + 1))
          for i, id in enumerate(users)])
    make.rows(db, "accounts", [
        ("cla" + make.id(22), user, "google", f"1//0{make.id(50)}", f"ya29.{make.id(80)}", ms(i) // 1000,
         f"eyJhbGciOiJSUzI1NiJ9.eyJ{make.id(40)}.{make.id(40)}") for i, user in enumerate(users)])
    make.rows(db, "Post", [
        (i, make.text(3), i % 2, make.maybe(ms(i)), make.random.choice((0, i, 2**53 + i)),
         make.maybe(make.random.choice((9.99, 100, 0.5))),
         make.maybe(json.dumps({"tags": [make.word()], "n": {"deep": None}})), make.maybe(make.bytes(12)),
             make.random.random(),
         make.random.choice(users)) for i in range(1, 121)])
    make.rows(db, "_PostToTag", [(i, t) for i in range(1, 121) for t in make.random.sample(range(1, 9), 2)])
