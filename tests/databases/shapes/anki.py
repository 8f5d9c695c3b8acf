"""A collection of flash cards, after Anki (ankitects/anki, rslib/src/storage: schema11.sql and the later upgrades).

Ids are milliseconds since 1970 and primary keys at once; `mod` counts seconds; a field that is sorted by holds texts in
an integer column; fields are joined by U+001F; JSON is a text, newer settings are protocol buffers in blobs. Names of
decks are unique by `unicase`, a collation of the application, without which no index of theirs can be read; some tables
are WITHOUT ROWID, and the list of deleted things had no key.
"""

from tests.databases.shape import Reading, hex_in_sqlite, unix_us

DDL = """
CREATE TABLE col (id integer primary key, crt integer not null, mod integer not null, scm integer not null,
    ver integer not null, usn integer not null, conf text not null, models text not null, tags text not null);
CREATE TABLE notes (id integer primary key, guid text not null, mid integer not null, mod integer not null,
    usn integer not null, tags text not null, flds text not null, sfld integer not null, csum integer not null,
    flags integer not null, data text not null);
CREATE TABLE cards (id integer primary key, nid integer not null, did integer not null, ord integer not null,
    mod integer not null, usn integer not null, type integer not null, queue integer not null, due integer not null,
    ivl integer not null, factor integer not null, left integer not null, odue integer not null, data text not null);
CREATE TABLE revlog (id integer primary key, cid integer not null, usn integer not null, ease integer not null,
    ivl integer not null, time integer not null, type integer not null);
CREATE TABLE graves (usn integer not null, oid integer not null, type integer not null);
CREATE TABLE deck_config (id integer primary key not null, name text not null collate unicase,
    mtime_secs integer not null, usn integer not null, config blob not null);
CREATE TABLE config (KEY text not null primary key, usn integer not null, mtime_secs integer not null,
    val blob not null) without rowid;
CREATE TABLE fields (ntid integer not null, ord integer not null, name text not null collate unicase,
    config blob not null, primary key (ntid, ord)) without rowid;
CREATE TABLE tags (tag text not null primary key collate unicase, usn integer not null,
    collapsed boolean not null) without rowid;
CREATE TABLE decks (id integer primary key not null, name text not null collate unicase, mtime_secs integer not null,
    common blob not null);
CREATE UNIQUE INDEX idx_fields_name_ntid ON fields (name, ntid);
CREATE UNIQUE INDEX idx_decks_name ON decks (name);
CREATE INDEX ix_cards_nid on cards (nid);
CREATE INDEX ix_notes_csum on notes (csum);
"""

READINGS = (
    Reading("notes.id", "INT64", sql="id"),
    Reading("notes.sfld", "STRING", sql="cast(sfld as text)"),
    Reading("notes.flds", "STRING", sql="flds"),
    Reading("deck_config.mtime_secs", "TIMESTAMP|INT64"),
    Reading("deck_config.name", "STRING", sql="name"),
    Reading("deck_config.config", "BYTES", sql=hex_in_sqlite("config")),
    Reading("config.val", "BYTES|STRING|JSON"),
    Reading("col.conf", "JSON", sql="conf"),
    Reading("tags.collapsed", "BOOL", sql="collapsed"),
)
KEYS = {"graves": [], "fields": ["ntid", "ord"], "config": ["KEY"], "decks": ["id"], "tags": ["tag"]}


def connect(db):
    def compare(one, other):
        return (one.casefold() > other.casefold()) - (one.casefold() < other.casefold())

    db.create_collation("unicase", compare)


def fill(db, make):
    ms = lambda step: unix_us(make.moment(step)) // 1000
    make.rows(db, "col", [(1, ms(0) // 1000, ms(9), ms(8), 18, 0, '{"nextPos":1,"curDeck":1}', "{}", "{}")])
    notes = [ms(i) for i in range(120)]
    make.rows(db, "notes", [
        (id, make.id(10), 1, ms(i) // 1000, -1, make.maybe(" marked leech ", ""),
         f"{make.word()}\x1f<b>{make.text()}</b>",
         make.random.choice((make.word(), i)), make.random.getrandbits(32), 0, "") for i, id in enumerate(notes)])
    make.rows(db, "cards", [
        (note + 1, note, 1, 0, ms(i) // 1000, -1, 2, 2, i, 30, 2500, 1001, 0, make.maybe("{}", ""))
         for i, note in enumerate(notes)])
    make.rows(db, "revlog", [(ms(i + 200), notes[i % 120] + 1, -1, i % 4 + 1, -600 if i % 5 else 3, 4000 + i, i % 3)
        for i in range(250)])
    make.rows(db, "graves", [(-1, make.random.choice(notes[:5]), 1) for _ in range(20)])
    make.rows(db, "deck_config", [(i, name, ms(i) // 1000, 0, make.bytes(20) + b"\xff")
        for i, name in enumerate(("Default", "ÄÖÜ", "äöü 2"), 1)])
    make.rows(db, "config", [(f"key{i}", 0, ms(i) // 1000, make.random.choice((b"true", b'{"a":1}', b"4")))
        for i in range(20)])
    make.rows(db, "fields", [(t, i, f"{make.word().title()} {i}", make.bytes(12) + b"\xfe") for t in range(1, 5)
        for i in range(3)])
    make.rows(db, "tags", [(name, -1, i % 2) for i, name in enumerate(("leech", "Marked", "ÖL", "éclair"))])
    make.rows(db, "decks", [(i, f"Deck\x1f{i}", ms(i) // 1000, make.bytes(8) + b"\xfd") for i in range(1, 13)])
