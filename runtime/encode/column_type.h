/* column_type: what the runtime knows about each column type besides its reader. Static data. */
#ifndef BQSYNC_ENCODE_COLUMN_TYPE_H
#define BQSYNC_ENCODE_COLUMN_TYPE_H

#include "base/table.h"

struct column_type_info {
    const char *name; /* in definitions and in BigQuery, such as "INT64" */
    const char *avro; /* the Avro schema of a value that is not NULL, as JSON text */
};

/* Never NULL; static. */
const struct column_type_info *column_type_info(enum column_type type);

#endif
