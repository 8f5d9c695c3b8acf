/* sent_form: as what the rows of a table were sent: by which definition, how their changes are
 * found, and with which layout in SQLite. The state keeps it as a text, the watermark's
 * content_hash; if it is another one now, all rows are sent again. Pure: contacts nobody. */
#ifndef BQSYNC_SYNC_PASS_SENT_FORM_H
#define BQSYNC_SYNC_PASS_SENT_FORM_H

#include "base/table.h"
#include "source/capture.h"
#include "source/tracking.h"

#include <stdbool.h>

/* The text for rows that are sent now; by: how changes are found. */
void sent_form_write(
    const struct table *table, const struct source_shape *shape, enum capture_choice by,
    char out[static TRACKING_CONTENT_SIZE]);

/* Whether the rows were sent by the definition that the table has now. */
bool sent_form_has_definition(const struct table *table, const struct watermark *watermark);

/* Whether the layout was noted by an earlier version, which noted less of it or nothing, and has
 * not changed as far as that goes. */
bool sent_form_notes_less(
    const struct table *table, const struct watermark *watermark, const char *now);

/* Why all rows have to be sent again, static text; NULL if the form is the same. Triggers do not
 * see columns that change places or are made again, while a scan sees their values. What an earlier
 * version has not noted is trusted. now: what sent_form_write says. */
const char *sent_form_change(
    const struct table *table, const struct watermark *watermark, const char *now);

#endif
