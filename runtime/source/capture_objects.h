/* capture_objects: the tables and triggers of a table's change capture, as they are in the source
 * and as this build would make them. Internal to source. Belongs to the connection's thread. */
#ifndef BQSYNC_SOURCE_CAPTURE_OBJECTS_H
#define BQSYNC_SOURCE_CAPTURE_OBJECTS_H

#include "base/error.h"
#include "base/table.h"
#include "source/capture.h"
#include "source/database.h"

#include <stdbool.h>
#include <stddef.h>

struct object {
    bool trigger; /* else a table */
    char *name;
    char *table; /* the table a trigger is on */
    char *sql;
};

/* Ordered by kind and name. Zero is an empty list. */
struct object_list {
    struct object *items;
    size_t count;
};

void capture_objects_clear(struct object_list *list);

/* What this build would install: the definition's triggers and dirty set, and the guards that
 * guards_sql (source/capture_guard.h) makes. */
MUST_CHECK bool capture_objects_expected(
    const struct table *table, const char *guards_sql, struct object_list *out_list,
    struct error *err);

/* What the source has: all triggers of ours on the table of that name, its triggers on any other
 * table (it was renamed), and its dirty set. */
MUST_CHECK bool capture_objects_actual(
    struct database *source, const char *table, struct object_list *out_list, struct error *err);

/* Compares what the source has with what this build would install. */
MUST_CHECK bool capture_objects_state(
    const struct source_table *in, const char *guards_sql, enum capture_state *out_state,
    struct error *err);

/* Whether what the source has misses nothing that this build would note: both lists are the same
 * but for white space and quotes around plain names, which ALTER TABLE ... RENAME adds when it
 * touches a trigger, and triggers of the source may fire for every UPDATE in the place of UPDATE
 * OF. */
bool capture_objects_serve(const struct object_list *actual, const struct object_list *expected);

/* Whether a trigger of ours, on whatever table, is one of the table of that name: in each version
 * its body names the table's dirty set. Its own name does not tell: in earlier versions two tables
 * could claim one. */
bool capture_objects_owns_trigger(const char *table, const char *trigger, const char *sql);

/* Whether the table of that name has a counter in bq_sync_capture. */
MUST_CHECK bool capture_objects_has_counter(
    struct database *source, const char *table, bool *out_exists, struct error *err);

/* Whether the dirty set of the table of that name is in this database. */
MUST_CHECK bool capture_objects_has_dirty_set(
    struct database *source, const char *table, bool *out_exists, struct error *err);

/* Drops bq_sync_capture if no table has a counter in it any more and no trigger looks at it. */
MUST_CHECK bool capture_objects_remove_counters(struct database *source, struct error *err);

#endif
