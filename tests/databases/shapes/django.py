"""A web application, after Django with USE_TZ (django/django, db/backends/sqlite3/operations.py).

Times are str() of a UTC datetime without its zone: six digits, or none where the microseconds are zero. Times of day
and days are texts; UUIDs are 32 hex digits in char(32); decimals are numbers in `decimal`; JSON is a text with a CHECK;
durations are microseconds in bigint.
"""

import json

from tests.databases.shape import Reading, text_in_sqlite

ID = '"id" integer NOT NULL PRIMARY KEY AUTOINCREMENT'
DDL = f"""
CREATE TABLE "django_migrations" ({ID}, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL,
    "applied" datetime NOT NULL);
CREATE TABLE "django_content_type" ({ID}, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL);
CREATE TABLE "auth_user" ({ID}, "password" varchar(128) NOT NULL, "last_login" datetime NULL,
    "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE, "last_name" varchar(150) NOT NULL,
    "email" varchar(254) NOT NULL, "is_active" bool NOT NULL, "date_joined" datetime NOT NULL);
CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL,
    "expire_date" datetime NOT NULL);
CREATE TABLE "auth_user_groups" ({ID},
    "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED,
    "group_id" integer NOT NULL);
CREATE UNIQUE INDEX "auth_user_groups_user_id_group_id_94350c0c_uniq" ON "auth_user_groups" ("user_id", "group_id");
CREATE TABLE "shop_order" ("uuid" char(32) NOT NULL PRIMARY KEY, "total" decimal NOT NULL, "due" date NULL,
    "opens" time NULL, "extra" text NOT NULL CHECK ((JSON_VALID("extra") OR "extra" IS NULL)), "took" bigint NULL,
    "paid" bool NULL, "created" datetime NOT NULL, "quantity" integer unsigned NOT NULL CHECK ("quantity" >= 0),
    "ip" char(39) NULL, "blob" BLOB NULL, "score" real NULL, "slug" varchar(50) NOT NULL);
"""

READINGS = (
    Reading("auth_user.date_joined", "TIMESTAMP", sql=text_in_sqlite("date_joined")),
    Reading("auth_user.last_login", "TIMESTAMP", sql=text_in_sqlite("last_login")),
    Reading("django_session.expire_date", "TIMESTAMP", sql=text_in_sqlite("expire_date")),
    Reading("shop_order.created", "TIMESTAMP", sql=text_in_sqlite("created")),
    Reading("shop_order.due", "DATE", sql=text_in_sqlite("due")),
    Reading("shop_order.opens", "TIME", sql="strftime('%H:%M:%f', opens)"),
    Reading("shop_order.total", "NUMERIC", sql="cast(total as text)"),
    Reading("shop_order.extra", "JSON", sql="extra"),
    Reading("shop_order.uuid", "STRING", sql="uuid"),
    Reading("shop_order.took", "INT64", sql="took"),
    Reading("shop_order.paid", "BOOL", sql="paid"),
)
HIDDEN = ("auth_user.password", "auth_user.email", "django_session.session_key", "django_session.session_data")
KEYS = {"shop_order": ["uuid"], "django_session": ["session_key"]}


def fill(db, make):
    at = lambda step: str(make.moment(step, 1_000_000 if step % 9 == 0 else 1).replace(tzinfo=None))
    make.rows(db, "django_migrations", [(i, make.word(), f"{i:04}_initial", at(i)) for i in range(1, 19)])
    make.rows(db, "django_content_type", [(i, make.word(), make.word()) for i in range(1, 11)])
    make.rows(db, "auth_user", [
        (i, f"pbkdf2_sha256$600000${make.id(22)}${make.id(43)}=", make.maybe(at(i + 2)), i == 1, f"user{i}",
         make.person()[1],
         make.email(i), True, at(i)) for i in range(1, 71)])
    make.rows(db, "django_session", [(make.id(32), f".eJxV{make.id(60)}:1{make.id(5)}:{make.id(43)}", at(i))
        for i in range(60)])
    make.rows(db, "auth_user_groups", [(i, i, i % 4 + 1) for i in range(1, 71)])
    make.rows(db, "shop_order", [
        (make.uuid().hex, make.random.choice((10, 12.5, 99.99, 0.1)), make.maybe(f"2024-0{i % 9 + 1}-15"),
         make.maybe(f"{i % 24:02}:30:00" + (".123456" if i % 2 else "")), json.dumps({"note": make.text(2), "n": i}),
         make.maybe(make.random.randint(0, 10**10)), make.random.choice((0, 1, None)), at(i), i,
             make.maybe(f"192.168.0.{i}"),
         make.maybe(make.bytes(16)), make.random.random(), make.word()) for i in range(1, 151)])
