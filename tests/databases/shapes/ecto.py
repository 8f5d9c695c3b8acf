"""A web application in Elixir, after Ecto (elixir-sqlite/ecto_sqlite3, Ecto.Adapters.SQLite3; its changelog, v0.19.0).

Times are texts with `T` and no zone, of seconds or six digits; maps and lists are JSON texts or, with `:binary`,
SQLite's binary JSON; binary ids are texts or blobs of 16 bytes; decimals are texts in DECIMAL, which SQLite makes
numbers of; booleans are 0 and 1. Versions of migrations are numbers of 14 digits that look like times and are none.
"""

from tests.databases.shape import Reading, naive, text_in_sqlite, uuid_in_sqlite

DDL = """
CREATE TABLE "schema_migrations" ("version" INTEGER PRIMARY KEY, "inserted_at" TEXT);
CREATE TABLE "users" ("id" TEXT NOT NULL PRIMARY KEY, "email" TEXT NOT NULL COLLATE NOCASE,
    "hashed_password" TEXT NOT NULL, "confirmed_at" TEXT, "inserted_at" TEXT NOT NULL, "updated_at" TEXT NOT NULL);
CREATE TABLE "users_tokens" ("id" INTEGER PRIMARY KEY AUTOINCREMENT,
    "user_id" TEXT NOT NULL CONSTRAINT "users_tokens_user_id_fkey" REFERENCES "users"("id") ON DELETE CASCADE,
    "token" BLOB NOT NULL, "context" TEXT NOT NULL, "inserted_at" TEXT NOT NULL);
CREATE TABLE "events" ("id" BLOB NOT NULL PRIMARY KEY, "props" TEXT, "meta" BLOB, "price" DECIMAL,
    "live" INTEGER DEFAULT 0, "at" TEXT NOT NULL, "day" TEXT, "clock" TEXT);
CREATE UNIQUE INDEX "users_email_index" ON "users" ("email");
"""

READINGS = (
    Reading("users.inserted_at", "TIMESTAMP", sql=text_in_sqlite("inserted_at")),
    Reading("users.confirmed_at", "TIMESTAMP", sql=text_in_sqlite("confirmed_at")),
    Reading("events.at", "TIMESTAMP", sql=text_in_sqlite("at")),
    Reading("events.day", "DATE", sql=text_in_sqlite("day")),
    Reading("events.meta", "JSON", {"text": "jsonb"}),
    Reading("events.props", "JSON", sql="props"),
    Reading("events.price", "NUMERIC", sql="cast(price as text)"),
    Reading("events.id", "STRING", {"text": "uuid"}, uuid_in_sqlite("id")),
    Reading("schema_migrations.version", "INT64", sql="version"),
)
HIDDEN = ("users.email", "users.hashed_password", "users_tokens.token")
KEYS = {"users": ["id"], "events": ["id"]}


def jsonb(value):
    """SQLite's binary JSON of a document of few bytes (SQLite documentation, "The SQLite JSONB Format")."""
    if isinstance(value, dict):
        kind, payload = 12, b"".join(jsonb(part) for item in value.items() for part in item)
    elif isinstance(value, list):
        kind, payload = 11, b"".join(map(jsonb, value))
    elif isinstance(value, str):
        kind, payload = 10, value.encode()
    elif value is None or isinstance(value, bool):
        kind, payload = {None: 0, True: 1, False: 2}[value], b""
    else:
        kind, payload = 3, str(value).encode()
    if len(payload) < 12:
        return bytes([len(payload) << 4 | kind]) + payload
    return bytes([12 << 4 | kind, len(payload)]) + payload


def fill(db, make):
    at = lambda step, digits=0: naive(make.moment(step), digits, "T")
    make.rows(db, "schema_migrations", [(20240301080000 + 101 * i, at(i)) for i in range(10)])
    users = [str(make.uuid()) for _ in range(40)]
    make.rows(db, "users", [
        (id, make.email(i), make.bcrypt("2b", 12), make.maybe(at(i)), at(i), at(i + 1)) for i, id in enumerate(users)])
    make.rows(db, "users_tokens", [
        (i, make.random.choice(users), make.bytes(32), "session", at(i)) for i in range(1, 51)])
    make.rows(db, "events", [
        (make.uuid().bytes, make.maybe('{"path":"/%s"}' % make.word()),
         make.maybe(jsonb({"n": i, "tags": [make.word(), None, True], "ü": {"deep": "„x“"}})),
         make.random.choice((None, 12.5, 100)), i % 2, at(i, 6), make.maybe(at(i)[:10]), make.maybe(at(i)[11:]))
        for i in range(150)])
