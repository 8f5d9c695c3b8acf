"""The store of an application of macOS or iOS, made by Core Data (Apple, "NSDate", timeIntervalSinceReferenceDate).

Times are REAL seconds since 2001 in TIMESTAMP; names are upper case with a Z in front; UUIDs are blobs of 16 bytes;
booleans are 0 and 1 in INTEGER; the model is a compressed blob, the metadata a property list; a table between two
entities has both keys, and Z_PRIMARYKEY counts the ids of all.
"""

from tests.databases.shape import Reading, apple_s, hex_in_sqlite, seconds_in_sqlite, uuid_in_sqlite

DDL = """
CREATE TABLE ZNOTE ( Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZPINNED INTEGER, ZFOLDER INTEGER,
    ZCREATIONDATE TIMESTAMP, ZMODIFICATIONDATE TIMESTAMP, ZDUE TIMESTAMP, ZDURATION FLOAT, ZPRICE DECIMAL,
    ZTITLE VARCHAR, ZIDENTIFIER BLOB, ZBODY BLOB );
CREATE TABLE ZFOLDER ( Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, Z_OPT INTEGER, ZPARENT INTEGER, ZNAME VARCHAR );
CREATE TABLE Z_1TAGS ( Z_1NOTES INTEGER, Z_3TAGS INTEGER, PRIMARY KEY (Z_1NOTES, Z_3TAGS) );
CREATE TABLE Z_PRIMARYKEY (Z_ENT INTEGER PRIMARY KEY, Z_NAME VARCHAR, Z_SUPER INTEGER, Z_MAX INTEGER);
CREATE TABLE Z_METADATA (Z_VERSION INTEGER PRIMARY KEY, Z_UUID VARCHAR(255), Z_PLIST BLOB);
CREATE TABLE Z_MODELCACHE (Z_CONTENT BLOB);
CREATE INDEX ZNOTE_ZFOLDER_INDEX ON ZNOTE (ZFOLDER);
CREATE INDEX Z_1TAGS_Z_3TAGS_INDEX ON Z_1TAGS (Z_3TAGS, Z_1NOTES);
"""


def since_2001(column):
    return seconds_in_sqlite(f"{column} + 978307200")


READINGS = (
    Reading("ZNOTE.ZCREATIONDATE", "TIMESTAMP", {"format": "apple_s"}, since_2001("ZCREATIONDATE")),
    Reading("ZNOTE.ZMODIFICATIONDATE", "TIMESTAMP", {"format": "apple_s"}, since_2001("ZMODIFICATIONDATE")),
    Reading("ZNOTE.ZDUE", "TIMESTAMP", {"format": "apple_s"}, since_2001("ZDUE")),
    Reading("ZNOTE.ZIDENTIFIER", "STRING", {"text": "uuid"}, uuid_in_sqlite("ZIDENTIFIER")),
    Reading("ZNOTE.ZBODY", "BYTES", sql=hex_in_sqlite("ZBODY")),
    Reading("ZNOTE.ZPRICE", "NUMERIC", sql="cast(ZPRICE as text)"),
    Reading("ZNOTE.ZDURATION", "FLOAT64"),
    Reading("Z_MODELCACHE.Z_CONTENT", "BYTES", sql=hex_in_sqlite("Z_CONTENT")),
)
KEYS = {"Z_1TAGS": ["Z_1NOTES", "Z_3TAGS"], "Z_MODELCACHE": [], "ZNOTE": ["Z_PK"]}


def fill(db, make):
    make.rows(db, "ZNOTE", [
        (i, 1, i % 5 + 1, i % 2, i % 8 + 1, apple_s(make.moment(i)), apple_s(make.moment(i + 1)),
         make.maybe(apple_s(make.moment(i + 40))),
         make.random.random() * 100, make.maybe(make.random.choice((9.99, 5, 0.25))), make.maybe(make.text(3)),
             make.uuid().bytes,
         make.maybe(b"\x1f\x8b\x08" + make.bytes(30))) for i in range(1, 201)])
    make.rows(db, "ZFOLDER", [(i, 2, 1, make.maybe(1), make.word().title()) for i in range(1, 9)])
    make.rows(db, "Z_1TAGS", [(n, t) for n in range(1, 201) for t in make.random.sample(range(1, 7), 1)])
    make.rows(db, "Z_PRIMARYKEY", [(1, "Note", 0, 200), (2, "Folder", 0, 8), (3, "Tag", 0, 6)])
    make.rows(db, "Z_METADATA", [(1, str(make.uuid()).upper(), b"bplist00\xd4\x01\x02" + make.bytes(40))])
    make.rows(db, "Z_MODELCACHE", [(b"\x78\x01\xff" + make.bytes(100),)])
