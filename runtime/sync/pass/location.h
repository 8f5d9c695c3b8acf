/* location: where the dataset is, which every job has to be told ("Running jobs programmatically"),
 * and whether it tells names of tables apart that differ in case only. The dataset is asked once,
 * and the answer is kept in the state: an idle pass makes one request, not two. */
#ifndef BQSYNC_SYNC_PASS_LOCATION_H
#define BQSYNC_SYNC_PASS_LOCATION_H

#include "base/config.h"
#include "base/error.h"
#include "source/tracking.h"
#include "warehouse/bigquery.h"

#include <stdbool.h>

struct location {
    const struct config *config;
    struct tracking *tracking;
    bool reads_only;
    struct dataset dataset;
    /* Only if it reads only: there is no dataset, and a sync would make it. */
    bool absent;
    bool kept; /* dataset is what the state says, and it was not asked in this pass */
};

/* Sets dataset: as the state knows it, else as the dataset says, which is created first if the
 * configuration asks for that (not if it reads only: then it may be absent). A missing dataset is
 * ERROR_CONFIG that says how to create it. */
MUST_CHECK bool location_find(
    struct location *location, struct bigquery *bigquery, struct error *err);

/* After a request that failed with *err. If that says that there is no dataset although the state
 * knows one, it was deleted since, or this is another BigQuery than the state's: then as
 * location_find of a state that knows nothing. Otherwise false, *err as it was. */
MUST_CHECK bool location_find_again(
    struct location *location, struct bigquery *bigquery, struct error *err);

/* Asks the dataset, and corrects the state. For when something that the state knows is not there: a
 * dataset that was deleted may have been created again elsewhere. */
MUST_CHECK bool location_refresh(
    struct location *location, struct bigquery *bigquery, struct error *err);

#endif
