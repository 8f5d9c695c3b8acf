/* route_table: everything that bqlocal answers, and how a path finds its row. */
#ifndef BQLOCAL_SERVER_ROUTE_TABLE_H
#define BQLOCAL_SERVER_ROUTE_TABLE_H

#include "bqlocal/http/exchange.h"

enum route_kind {
    ROUTE_API,    /* BigQuery's routes: logged, subject to faults and, in strict mode, to tokens */
    ROUTE_UPLOAD, /* the same, with media as body */
    ROUTE_TOKEN,  /* the token endpoint: logged, subject to faults */
    ROUTE_OWN,    /* bqlocal's own: neither */
};

struct route {
    const char *method;  /* "*": any that no row before names */
    const char *pattern; /* below the API's prefix; {d}, {t}, {j}, {x} take one segment */
    enum route_kind kind;
    request_handler *handler;
    const char *permission; /* that Google asks for; NULL: none that can be denied */
    const char *id;   /* Google's name of the method: its query parameters (http/property.h) */
    const char *body; /* the schema of its JSON; NULL: it has none that is checked */
};

/* The route of request->method and request->target, whose parameters it takes from the path; NULL
 * if there is none. *out_path_known: some route has the path, perhaps for another method. */
const struct route *route_find(struct request *request, bool *out_path_known);
/* Whether its handler changes what the store keeps. What a job changes, it changes in its turn. */
bool route_changes_store(const struct route *route);

#endif
