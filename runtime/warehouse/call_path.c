#include "warehouse/call_path.h"

void call_path_project(const struct bigquery *bigquery, struct buffer *out)
{
    buffer_append_text(out, "/bigquery/v2/projects/");
    http_escape(out, bigquery->project);
}

static void append_dataset(const struct bigquery *bigquery, struct buffer *out)
{
    call_path_project(bigquery, out);
    buffer_append_text(out, "/datasets/");
    http_escape(out, bigquery->dataset);
}

void call_path_query(struct buffer *out)
{
    buffer_append_text(out, "?prettyPrint=false");
}

void call_path_in_project(const struct bigquery *bigquery, const char *rest, struct buffer *path)
{
    buffer_init(path, CALL_PATH_CEILING);
    call_path_project(bigquery, path);
    buffer_append_text(path, rest);
    call_path_query(path);
}

void call_path_in_dataset(const struct bigquery *bigquery, const char *rest, struct buffer *path)
{
    buffer_init(path, CALL_PATH_CEILING);
    append_dataset(bigquery, path);
    buffer_append_text(path, rest);
    call_path_query(path);
}

void call_path_in_table(
    const struct bigquery *bigquery, const char *table, const char *rest, struct buffer *path)
{
    buffer_init(path, CALL_PATH_CEILING);
    append_dataset(bigquery, path);
    buffer_append_text(path, "/tables/");
    http_escape(path, table);
    buffer_append_text(path, rest);
    call_path_query(path);
}

void call_path_query_in_location(const struct bigquery *bigquery, struct buffer *out)
{
    call_path_query(out);
    if (bigquery->location[0] != '\0') {
        buffer_append_text(out, "&location=");
        http_escape(out, bigquery->location);
    }
}
