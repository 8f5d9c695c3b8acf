"""The history of Chrome (chromium, components/history/core/browser: url_database.cc, visit_database.cc; base/time).

Times are microseconds since 1601 in INTEGER, with 0 for none (downloads that were never opened); durations are
microseconds; flags are 0 and 1 in INTEGER or BOOLEAN; search terms have no key; protocol buffers are blobs.
"""

from tests.databases.shape import Reading, hex_in_sqlite, seconds_in_sqlite, webkit_us

DDL = """
CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
CREATE TABLE urls(id INTEGER PRIMARY KEY AUTOINCREMENT, url LONGVARCHAR, title LONGVARCHAR,
    visit_count INTEGER DEFAULT 0 NOT NULL, typed_count INTEGER DEFAULT 0 NOT NULL, last_visit_time INTEGER NOT NULL,
    hidden INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT, url INTEGER NOT NULL, visit_time INTEGER NOT NULL,
    from_visit INTEGER, transition INTEGER DEFAULT 0 NOT NULL, segment_id INTEGER,
    visit_duration INTEGER DEFAULT 0 NOT NULL, incremented_omnibox_typed_score BOOLEAN DEFAULT FALSE NOT NULL,
    originator_cache_guid TEXT);
CREATE TABLE visit_source(id INTEGER PRIMARY KEY,source INTEGER NOT NULL);
CREATE TABLE keyword_search_terms (keyword_id INTEGER NOT NULL,url_id INTEGER NOT NULL,term LONGVARCHAR NOT NULL,
    normalized_term LONGVARCHAR NOT NULL);
CREATE TABLE downloads (id INTEGER PRIMARY KEY, guid VARCHAR NOT NULL, target_path LONGVARCHAR NOT NULL,
    start_time INTEGER NOT NULL, total_bytes INTEGER NOT NULL, state INTEGER NOT NULL, hash BLOB NOT NULL,
    end_time INTEGER NOT NULL, opened INTEGER NOT NULL, last_access_time INTEGER NOT NULL, etag VARCHAR NOT NULL);
CREATE TABLE downloads_url_chains (id INTEGER NOT NULL,chain_index INTEGER NOT NULL,url LONGVARCHAR NOT NULL,
    PRIMARY KEY (id, chain_index) );
CREATE TABLE segment_usage (id INTEGER PRIMARY KEY,segment_id INTEGER NOT NULL,time_slot INTEGER NOT NULL,
    visit_count INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE typed_url_sync_metadata (storage_key INTEGER PRIMARY KEY NOT NULL,value BLOB);
CREATE INDEX keyword_search_terms_index1 ON keyword_search_terms (keyword_id, normalized_term);
CREATE INDEX urls_url_index ON urls (url);
"""


def since_1601(column):
    return seconds_in_sqlite(f"{column} / 1000000.0 - 11644473600")


READINGS = (
    Reading("urls.last_visit_time", "TIMESTAMP", {"format": "webkit_us"}, since_1601("last_visit_time")),
    Reading("visits.visit_time", "TIMESTAMP", {"format": "webkit_us"}, since_1601("visit_time")),
    Reading("downloads.start_time", "TIMESTAMP", {"format": "webkit_us"}, since_1601("start_time")),
    Reading("segment_usage.time_slot", "TIMESTAMP|INT64"),
    Reading("visits.visit_duration", "INT64", sql="visit_duration"),
    Reading("visits.transition", "INT64", sql="transition"),
    Reading("downloads.hash", "BYTES", sql=hex_in_sqlite("hash")),
    Reading("meta.value", "STRING", sql="value"),
)
KEYS = {"keyword_search_terms": [], "downloads_url_chains": ["id", "chain_index"], "meta": ["key"]}


def fill(db, make):
    us = lambda step: webkit_us(make.moment(step))
    make.rows(db, "meta", [("mmap_status", "-1"), ("version", "67"), ("last_compatible_version", "16"),
        ("early_expiration_threshold", str(us(0)))])
    make.rows(db, "urls", [
        (i, f"https://{make.word()}.example/{make.word()}?id={i}", make.maybe(make.text(4), ""), i % 40, 0, us(i), 0)
         for i in range(1, 201)])
    make.rows(db, "visits", [
        (i, i % 200 + 1, us(i), make.random.choice((0, i - 1)), 805306368 + i % 8, 0,
         make.random.choice((0, 1_234_567)), i % 2, "")
        for i in range(1, 301)])
    make.rows(db, "visit_source", [(i, 1) for i in range(1, 31)])
    make.rows(db, "keyword_search_terms", [
        (2, make.random.randint(1, 20), term.title(), term) for term in (make.text(1) for _ in range(60))])
    make.rows(db, "downloads", [
        (i, str(make.uuid()), f"/home/user/Downloads/{make.word()}.pdf", us(i), make.random.randint(1, 10**8), 1,
         make.bytes(i % 2 * 32),
         make.random.choice((0, us(i + 1))), i % 2, make.random.choice((0, us(i + 2))), f'"{make.hex(8)}"')
             for i in range(1, 61)])
    make.rows(db, "downloads_url_chains", [(i, c, f"https://{make.word()}.example/{c}") for i in range(1, 61)
        for c in range(1 + i % 2)])
    make.rows(db, "segment_usage", [(i, i % 9, us(i) // 86_400_000_000 * 86_400_000_000, i % 7) for i in range(1, 61)])
    make.rows(db, "typed_url_sync_metadata", [(i, make.maybe(make.bytes(24))) for i in range(1, 31)])
