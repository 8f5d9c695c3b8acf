"""The messages of macOS and iOS (chat.db; richinfante/iphonebackuptools, schemas/messages; Apple, "NSDate").

Times are nanoseconds since 2001 in INTEGER, with 0 for none; older rows have seconds in the same column; texts may be
NULL where a blob has them; keys of text are unique and declared so beside a row id; joins have two columns as their
key, or only a unique constraint whose columns may be NULL.
"""

from tests.databases.shape import Reading, apple_s, hex_in_sqlite, seconds_in_sqlite

DDL = """
CREATE TABLE _SqliteDatabaseProperties (key TEXT, value TEXT, UNIQUE(key));
CREATE TABLE handle (ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, id TEXT NOT NULL, country TEXT,
    service TEXT NOT NULL, uncanonicalized_id TEXT, UNIQUE (id, service));
CREATE TABLE message (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, guid TEXT UNIQUE NOT NULL, text TEXT,
    replace INTEGER DEFAULT 0, handle_id INTEGER DEFAULT 0, attributedBody BLOB, service TEXT, date INTEGER,
    date_read INTEGER, is_from_me INTEGER DEFAULT 0, is_read INTEGER DEFAULT 0, error INTEGER DEFAULT 0);
CREATE TABLE deleted_messages (ROWID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, guid TEXT NOT NULL);
CREATE TABLE chat_message_join (chat_id INTEGER REFERENCES chat (ROWID) ON DELETE CASCADE,
    message_id INTEGER REFERENCES message (ROWID) ON DELETE CASCADE, PRIMARY KEY (chat_id, message_id));
CREATE TABLE chat_handle_join (chat_id INTEGER, handle_id INTEGER, UNIQUE(chat_id, handle_id));
CREATE INDEX message_idx_handle ON message(handle_id, date);
"""

SECONDS = "CASE WHEN date > 1000000000000 THEN date / 1000000000.0 ELSE date END + 978307200"
READINGS = (
    Reading("message.date", "TIMESTAMP", {"format": "apple_s apple_ns"}, seconds_in_sqlite(SECONDS)),
    Reading("message.attributedBody", "BYTES", sql=hex_in_sqlite("attributedBody")),
    Reading("message.guid", "STRING", sql="guid"),
    Reading("message.is_read", "BOOL|INT64"),
)
HIDDEN = ("handle.id",)
KEYS = {"message": ["ROWID"], "chat_message_join": ["chat_id", "message_id"], "chat_handle_join": []}


def fill(db, make):
    seconds = lambda step: int(apple_s(make.moment(step)))
    make.rows(db, "_SqliteDatabaseProperties", [("_ClientVersion", "18026"), ("counter_in_all", "0"),
        ("_UniqueIdentifier", str(make.uuid()))])
    make.rows(db, "handle", [
        (i, f"+1415555{1000 + i}", "us", make.random.choice(("iMessage", "SMS")), None) for i in range(1, 31)])
    make.rows(db, "message", [
        (i, str(make.uuid()).upper(), make.maybe(make.text()), 0, i % 30 + 1,
         make.maybe(b"\x04\x0bstreamtyped\x81" + make.bytes(20)),
         "iMessage", seconds(i) if i < 20 else seconds(i) * 10**9 + 1000 * make.random.randrange(10**6),
         make.random.choice((0, seconds(i + 1) * 10**9)), i % 2, 1, 0) for i in range(1, 201)])
    make.rows(db, "deleted_messages", [(i, str(make.uuid()).upper()) for i in range(1, 9)])
    make.rows(db, "chat_message_join", [(i % 9, i) for i in range(1, 201)])
    make.rows(db, "chat_handle_join", [(i % 9, i) for i in range(1, 31)])
