"""Geographic features, a GeoPackage (OGC 12-128r18; GDAL's files; ngageoint/geopackage-js, test/fixtures).

Times are texts with three digits, `T` and `Z` in DATETIME; days texts in DATE; geometries are blobs of the format's own
binary form; BOOLEAN is 0 or 1. Each spatial index is a virtual table (R-tree) with three shadow tables, and triggers
that call ST_ functions, which only the program that writes knows. The list of extensions has a unique constraint whose
columns may be NULL, and no key.
"""

import struct

from tests.databases.shape import Reading, hex_in_sqlite, naive, text_in_sqlite

DDL = """
PRAGMA application_id = 1196444487;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL,
    description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
    description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
    min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
    CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
    geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
    CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name));
CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL,
    definition TEXT NOT NULL, scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name,
    extension_name));
CREATE TABLE "places" ("fid" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, "geom" POINT, "name" TEXT(80),
    "population" MEDIUMINT, "capital" BOOLEAN, "founded" DATE, "seen" DATETIME, "height" FLOAT, "photo" BLOB(1000));
CREATE TABLE "tiles" (id INTEGER PRIMARY KEY AUTOINCREMENT, zoom_level INTEGER NOT NULL, tile_column INTEGER NOT NULL,
    tile_row INTEGER NOT NULL, tile_data BLOB NOT NULL, UNIQUE (zoom_level, tile_column, tile_row));
CREATE VIRTUAL TABLE "rtree_places_geom" USING rtree(id, minx, maxx, miny, maxy);
"""
TRIGGERS = """
CREATE TRIGGER "rtree_places_geom_insert" AFTER INSERT ON "places" WHEN (new."geom" NOT NULL AND NOT
    ST_IsEmpty(NEW."geom")) BEGIN INSERT OR REPLACE INTO "rtree_places_geom" VALUES (NEW."fid",
    ST_MinX(NEW."geom"), ST_MaxX(NEW."geom"), ST_MinY(NEW."geom"), ST_MaxY(NEW."geom")); END;
CREATE TRIGGER "rtree_places_geom_update3" AFTER UPDATE OF "geom" ON "places" WHEN OLD."fid" != NEW."fid" AND
    (NEW."geom" NOTNULL AND NOT ST_IsEmpty(NEW."geom")) BEGIN DELETE FROM "rtree_places_geom" WHERE id = OLD."fid"; END;
CREATE TRIGGER "rtree_places_geom_delete" AFTER DELETE ON "places" WHEN old."geom" NOT NULL BEGIN
    DELETE FROM "rtree_places_geom" WHERE id = OLD."fid"; END;
"""

READINGS = (
    Reading("gpkg_contents.last_change", "TIMESTAMP", sql=text_in_sqlite("last_change")),
    Reading("places.seen", "TIMESTAMP", sql=text_in_sqlite("seen")),
    Reading("places.founded", "DATE", sql=text_in_sqlite("founded")),
    Reading("places.capital", "BOOL", sql="capital"),
    Reading("places.geom", "BYTES", sql=hex_in_sqlite("geom")),
    Reading("tiles.tile_data", "BYTES", sql=hex_in_sqlite("tile_data")),
    Reading("places.population", "INT64", sql="population"),
)
KEYS = {"gpkg_extensions": [], "gpkg_geometry_columns": ["table_name", "column_name"], "places": ["fid"]}


def point(x, y):
    return b"GP\x00\x01" + struct.pack("<i", 4326) + b"\x01\x01\x00\x00\x00" + struct.pack("<dd", x, y)


def connect(db):
    db.create_function("ST_IsEmpty", 1, lambda geometry: 0, deterministic=True)
    for name, place in (("ST_MinX", 0), ("ST_MaxX", 0), ("ST_MinY", 8), ("ST_MaxY", 8)):
        db.create_function(name, 1, lambda geometry, place=place: struct.unpack_from("<d", geometry, 13 + place)[0],
            deterministic=True)


def fill(db, make):
    at = lambda step: naive(make.moment(step), 3, "T") + "Z"
    make.rows(db, "gpkg_spatial_ref_sys", [
        ("Undefined cartesian SRS", -1, "NONE", -1, "undefined", None),
         ("Undefined geographic SRS", 0, "NONE", 0, "undefined", None),
        ("WGS 84 geodetic", 4326, "EPSG", 4326, 'GEOGCS["WGS 84",DATUM["WGS_1984"]]', "longitude/latitude")])
    make.rows(db, "gpkg_contents", [
        ("places", "features", "places", "", at(1), -180.0, -90.0, 180.0, 90.0, 4326),
         ("tiles", "tiles", None, None, at(2), *[None] * 4, 4326)])
    make.rows(db, "gpkg_geometry_columns", [("places", "geom", "POINT", 4326, 0, 0)])
    make.rows(db, "gpkg_extensions", [
        ("places", "geom", "gpkg_rtree_index", "http://www.geopackage.org/spec120/#extension_rtree", "write-only"),
        (None, None, "gpkg_crs_wkt", "http://www.geopackage.org/spec120/#extension_crs_wkt", "read-write"),
        (None, None, "gpkg_crs_wkt", "http://www.geopackage.org/spec120/#extension_crs_wkt", "read-write")])
    db.executescript(TRIGGERS + "BEGIN;")
    place = lambda: point(make.random.uniform(-180, 180), make.random.uniform(-90, 90))
    make.rows(db, "places", [
        (i, make.maybe(place(), odds=0.1), make.maybe(make.word().title()), make.maybe(make.random.randint(1, 10**6)),
         i % 2,
         make.maybe(f"18{10 + i % 90}-05-0{i % 9 + 1}"), make.maybe(at(i)), make.random.uniform(0, 4000), None)
             for i in range(1, 161)])
    make.rows(db, "tiles", [(i, 4, i % 16, i // 16, b"\x89PNG\r\n\x1a\n" + make.bytes(40)) for i in range(1, 61)])
