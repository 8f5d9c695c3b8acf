"""The history of Firefox (mozilla/gecko-dev, toolkit/components/places/nsPlacesTables.h; nspr, prtime.h).

Times are PRTime, microseconds since 1970, in INTEGER; annotations that never expire have 0; a WITHOUT ROWID table holds
a value of any class; hashes of addresses are integers of 48 bits; types are LONGVARCHAR; pages of 32,768 bytes.
"""

from tests.databases.shape import Reading, seconds_in_sqlite, unix_us

DDL = """
PRAGMA page_size = 32768;
CREATE TABLE moz_origins (id INTEGER PRIMARY KEY, prefix TEXT NOT NULL, host TEXT NOT NULL, frecency INTEGER NOT NULL,
    recalc_frecency INTEGER NOT NULL DEFAULT 0, UNIQUE (prefix, host));
CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR, rev_host LONGVARCHAR,
    visit_count INTEGER DEFAULT 0, hidden INTEGER DEFAULT 0 NOT NULL, typed INTEGER DEFAULT 0 NOT NULL,
    frecency INTEGER DEFAULT -1 NOT NULL, last_visit_date INTEGER, guid TEXT,
    foreign_count INTEGER DEFAULT 0 NOT NULL, url_hash INTEGER DEFAULT 0 NOT NULL, description TEXT,
    preview_image_url TEXT, origin_id INTEGER REFERENCES moz_origins(id));
CREATE INDEX moz_places_url_hashindex ON moz_places (url_hash);
CREATE UNIQUE INDEX moz_places_guid_uniqueindex ON moz_places (guid);
CREATE TABLE moz_historyvisits (id INTEGER PRIMARY KEY, from_visit INTEGER, place_id INTEGER, visit_date INTEGER,
    visit_type INTEGER, session INTEGER, source INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE moz_inputhistory (place_id INTEGER NOT NULL, input LONGVARCHAR NOT NULL, use_count INTEGER,
    PRIMARY KEY (place_id, input));
CREATE TABLE moz_bookmarks (id INTEGER PRIMARY KEY, type INTEGER, fk INTEGER DEFAULT NULL, parent INTEGER,
    position INTEGER, title LONGVARCHAR, dateAdded INTEGER, lastModified INTEGER, guid TEXT,
    syncStatus INTEGER NOT NULL DEFAULT 0);
CREATE TABLE moz_anno_attributes (id INTEGER PRIMARY KEY, name VARCHAR(32) UNIQUE NOT NULL);
CREATE TABLE moz_annos (id INTEGER PRIMARY KEY, place_id INTEGER NOT NULL, anno_attribute_id INTEGER,
    content LONGVARCHAR, expiration INTEGER DEFAULT 0, dateAdded INTEGER DEFAULT 0, lastModified INTEGER DEFAULT 0,
    UNIQUE (place_id, anno_attribute_id));
CREATE TABLE moz_bookmarks_deleted (guid TEXT PRIMARY KEY, dateRemoved INTEGER NOT NULL DEFAULT 0);
CREATE TABLE moz_meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
"""


def micros(column):
    return seconds_in_sqlite(f"{column} / 1000000.0")


READINGS = (
    Reading("moz_places.last_visit_date", "TIMESTAMP", {"format": "unix_us"}, micros("last_visit_date")),
    Reading("moz_historyvisits.visit_date", "TIMESTAMP", {"format": "unix_us"}, micros("visit_date")),
    Reading("moz_bookmarks.dateAdded", "TIMESTAMP", {"format": "unix_us"}, micros("dateAdded")),
    Reading("moz_bookmarks_deleted.dateRemoved", "TIMESTAMP", {"format": "unix_us"}, micros("dateRemoved")),
    Reading("moz_places.url_hash", "INT64", sql="url_hash"),
    Reading("moz_meta.value", "STRING", sql="cast(value as text)"),
)
KEYS = {"moz_meta": ["key"], "moz_inputhistory": ["place_id", "input"], "moz_places": ["id"]}


def fill(db, make):
    us = lambda step: unix_us(make.moment(step))
    make.rows(db, "moz_origins", [(i, "https://", f"{make.word()}{i}.example", i * 100, 0) for i in range(1, 31)])
    make.rows(db, "moz_places", [
        (i, f"https://{make.word()}.example/{make.text(2).replace(' ', '/')}?q=%C3%BC", make.maybe(make.text(4)),
         "elpmaxe.", i % 9,
         i % 2, 0, make.random.choice((-1, 100, 2000)), make.maybe(us(i)), make.id(12), 0, make.random.getrandbits(47),
             make.maybe("„Zitat“"),
         None, i % 30 + 1) for i in range(1, 201)])
    make.rows(db, "moz_historyvisits", [(i, make.random.choice((0, i - 1)), i % 200 + 1, us(i), i % 8 + 1, 0, 0)
        for i in range(1, 301)])
    make.rows(db, "moz_inputhistory", [(i, make.word()[: 1 + i % 3], make.random.random() * 3) for i in range(1, 21)])
    make.rows(db, "moz_bookmarks", [
        (i, 1 + i % 2, make.maybe(i), 1, i, make.maybe(make.word(), ""), us(i), us(i + 1), make.id(12), 1)
         for i in range(1, 41)])
    make.rows(db, "moz_anno_attributes", [(i, f"downloads/{make.word()}{i}") for i in range(1, 4)])
    make.rows(db, "moz_annos", [(i, i, i % 3 + 1, '{"state":1,"endTime":1709280000000}', 4, us(i), us(i))
        for i in range(1, 21)])
    make.rows(db, "moz_bookmarks_deleted", [(make.id(12), us(i)) for i in range(8)])
    make.rows(db, "moz_meta", [("origin_frecency_count", 251), ("sync/bookmarks/syncId", make.id(12)), ("last", 1.5)])
