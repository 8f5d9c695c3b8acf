"""A mobile application in .NET, after sqlite-net (praeclarum/sqlite-net, src/SQLite.cs), and one with Android's Room.

DateTime is ticks of 100 ns since 0001 in bigint, TimeSpan ticks too, Guid a text in varchar(36), bool an integer,
decimal a float; Room counts milliseconds, keeps a hash of its schema, and Android adds a table of one locale without a
key.
"""

from tests.databases.shape import Reading, seconds_in_sqlite, unix_us

EPOCH = 621_355_968_000_000_000  # ticks until 1970
DDL = """
CREATE TABLE "Note"( "Id" integer primary key autoincrement not null , "Guid" varchar(36) , "Title" varchar(140) ,
    "CreatedAt" bigint , "ModifiedAt" bigint , "Duration" bigint , "Done" integer , "Price" float , "Data" blob );
CREATE TABLE android_metadata (locale TEXT);
CREATE TABLE room_master_table (id INTEGER PRIMARY KEY, identity_hash TEXT);
CREATE TABLE `visit` (`_id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `place` TEXT NOT NULL,
    `arrived_at` INTEGER NOT NULL, `left_at` INTEGER, `synced` INTEGER NOT NULL DEFAULT 0);
"""


def ticks(column):
    return seconds_in_sqlite(f"({column} - {EPOCH}) / 10000000.0")


READINGS = (
    Reading("Note.CreatedAt", "TIMESTAMP", {"format": "dotnet_ticks"}, ticks('"CreatedAt"')),
    Reading("Note.ModifiedAt", "TIMESTAMP", {"format": "dotnet_ticks", "fraction": "truncate"}, ticks('"ModifiedAt"')),
    Reading("Note.Duration", "INT64", sql='"Duration"'),
    Reading("Note.Guid", "STRING", sql='"Guid"'),
    Reading("visit.arrived_at", "TIMESTAMP", {"format": "unix_ms"}, seconds_in_sqlite("arrived_at / 1000.0")),
    Reading("visit.left_at", "TIMESTAMP", {"format": "unix_ms"}, seconds_in_sqlite("left_at / 1000.0")),
)
KEYS = {"android_metadata": [], "visit": ["_id"], "Note": ["Id"]}


def fill(db, make):
    us = lambda step: unix_us(make.moment(step))
    make.rows(db, "Note", [
        (i, str(make.uuid()), make.maybe(make.text(3)), us(i) * 10 + EPOCH, make.maybe(us(i + 1) * 10 + i % 10 + EPOCH),
         make.random.randint(0, 10**10), i % 2, make.maybe(9.99), make.maybe(make.bytes(9) + b"\xff"))
             for i in range(1, 151)])
    make.rows(db, "android_metadata", [("en_US",)])
    make.rows(db, "room_master_table", [(42, make.hex(16))])
    make.rows(db, "visit", [(i, make.word(), us(i) // 1000, make.maybe(us(i + 1) // 1000), i % 2)
        for i in range(1, 101)])
