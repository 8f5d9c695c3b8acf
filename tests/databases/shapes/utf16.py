"""A database in UTF-16, big-endian, as old programs leave them (SQLite documentation, "PRAGMA encoding").

Names of tables and columns that are no ASCII, texts beyond the basic plane, pages of 65,536 bytes, keys of text.
"""

import json

from tests.databases.shape import Reading, naive, text_in_sqlite

DDL = """
PRAGMA page_size = 65536;
PRAGMA encoding = 'UTF-16be';
CREATE TABLE "Verkäufe" ("Nummer" INTEGER PRIMARY KEY, "Käufer" TEXT, "Größe" REAL, "Zeitpunkt" DATETIME,
    "Bezahlt" BOOLEAN, "Daten" JSON, "Beleg" BLOB); -- was verkauft wurde
CREATE TABLE "商品" ("名前" TEXT NOT NULL PRIMARY KEY, "価格" DECIMAL(10,2), "説明" TEXT);
CREATE TABLE plain (code TEXT NOT NULL, note TEXT, PRIMARY KEY (code)) WITHOUT ROWID;
"""

READINGS = (
    Reading("Verkäufe.Zeitpunkt", "TIMESTAMP", sql=text_in_sqlite("Zeitpunkt")),
    Reading("Verkäufe.Bezahlt", "BOOL", sql="Bezahlt"),
    Reading("Verkäufe.Daten", "JSON", sql="Daten"),
    Reading("Verkäufe.Käufer", "STRING", sql='"Käufer"'),
    Reading("商品.価格", "NUMERIC", sql='cast("価格" as text)'),
    Reading("商品.説明", "STRING", sql='"説明"'),
    Reading("plain.note", "STRING", sql="note"),
)


def fill(db, make):
    make.rows(db, "Verkäufe", [
        (i, " ".join(make.person()), make.random.random(), naive(make.moment(i), i % 4), i % 2,
         json.dumps({"näme": "Zoë 🙂", "n": i}, ensure_ascii=False),
         make.maybe("ü".encode("utf-16-be"))) for i in range(1, 121)])
    make.rows(db, "商品", [(f"品{i}", make.random.choice((100, 12.5)), make.maybe("𠮷野家 𝄞 " + make.word()))
        for i in range(1, 61)])
    make.rows(db, "plain", [(make.id(8), make.maybe("e\u0301 and é are two texts", "")) for _ in range(60)])
