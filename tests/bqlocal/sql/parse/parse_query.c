#include "bqlocal/sql/parse/parse.h"

#include <string.h>
#include <strings.h>

bool sql_parse_alias(struct sql_parser *parser, const char **out_alias)
{
    const struct sql_token *token = sql_peek(parser, 0);

    if (sql_accept(parser, "AS")) {
        *out_alias = sql_parse_name(parser, false);
        return *out_alias != NULL;
    }
    bool pivot = strcasecmp(token->text, "PIVOT") == 0 || strcasecmp(token->text, "UNPIVOT") == 0;
    if (token->kind == SQL_TOKEN_NAME && pivot && sql_is_at(parser, 1, "("))
        return sql_unsupported(parser, "PIVOT and UNPIVOT");
    if (token->kind == SQL_TOKEN_QUOTED || (token->kind == SQL_TOKEN_NAME && !token->reserved))
        *out_alias = sql_parse_name(parser, false);
    return true;
}

static bool parse_star_except(struct sql_parser *parser, struct sql_item *item)
{
    return !sql_accept(parser, "EXCEPT") || sql_parse_name_list(parser, &item->except);
}

static bool parse_item(struct sql_parser *parser, struct sql_item *item)
{
    const struct sql_token *token = sql_peek(parser, 0);

    item->place = token->place;
    if (sql_accept(parser, "*"))
        return parse_star_except(parser, item);
    bool name =
        token->kind == SQL_TOKEN_QUOTED || (token->kind == SQL_TOKEN_NAME && !token->reserved);
    if (name && sql_is_at(parser, 1, ".") && sql_is_at(parser, 2, "*")) {
        item->star_of = token->text;
        parser->at += 3;
        return parse_star_except(parser, item);
    }
    item->expr = sql_parse_expr(parser);
    return item->expr != NULL && sql_parse_alias(parser, &item->alias);
}

static bool parse_items(struct sql_parser *parser, struct sql_select *select)
{
    struct sql_list list = {0};

    do {
        struct sql_item *item = sql_alloc(parser->arena, sizeof *item);
        if (list.count > 0 && sql_is(parser, "FROM"))
            break; // a trailing comma is allowed
        if (!parse_item(parser, item))
            return false;
        sql_push(parser->arena, &list, item);
    } while (sql_accept(parser, ","));

    select->items = sql_array_of(parser->arena, &list, sizeof *select->items);
    select->item_count = list.count;
    return true;
}

static struct sql_from *parse_unnest(struct sql_parser *parser, struct sql_from *from)
{
    from->kind = SQL_FROM_UNNEST;
    if (!sql_expect(parser, "UNNEST") || !sql_expect(parser, "("))
        return NULL;
    from->expr = sql_parse_expr(parser);
    if (from->expr == NULL || !sql_expect(parser, ")") || !sql_parse_alias(parser, &from->alias))
        return NULL;
    return from;
}

/* (value, ...) behind the name of a table function. */
static bool parse_arguments(struct sql_parser *parser, struct sql_from *from)
{
    if (!sql_accept(parser, "("))
        return true;
    from->kind = SQL_FROM_FUNCTION;
    if (sql_accept(parser, ")"))
        return true;
    if (sql_is(parser, "TABLE") || sql_is(parser, "MODEL"))
        return sql_unsupported(parser, "table functions with parameters of ANY or TABLE type");
    return sql_parse_expr_list(parser, &from->args) && sql_expect(parser, ")");
}

struct sql_from *sql_parse_from_item(struct sql_parser *parser)
{
    struct sql_from *from = sql_alloc(parser->arena, sizeof *from);
    const struct sql_token *token = sql_peek(parser, 0);

    from->place = token->place;
    if (sql_is(parser, "UNNEST"))
        return parse_unnest(parser, from);
    if (sql_is(parser, "(")) {
        size_t ahead = 1;
        while (sql_is_at(parser, ahead, "("))
            ahead++;
        bool query = sql_is_at(parser, ahead, "SELECT") || sql_is_at(parser, ahead, "WITH");
        parser->at++;
        if (query) {
            from->kind = SQL_FROM_QUERY;
            from->query = sql_parse_query(parser);
            if (from->query == NULL || !sql_expect(parser, ")"))
                return NULL;
            return sql_parse_alias(parser, &from->alias) ? from : NULL;
        }
        if (!sql_enter(parser))
            return NULL;
        from = sql_parse_from(parser);
        parser->depth--;
        return from != NULL && sql_expect(parser, ")") ? from : NULL;
    }
    from->kind = SQL_FROM_TABLE;
    if (!sql_parse_table_path(parser, &from->path) || !parse_arguments(parser, from) ||
        !sql_parse_alias(parser, &from->alias))
        return NULL;
    return from;
}

/* The kind of join that comes next; false if there is none. */
static bool accept_join(struct sql_parser *parser, enum sql_join_kind *out_kind)
{
    static const struct {
        const char *word;
        enum sql_join_kind kind;
    } kinds[] = {
        {"INNER", SQL_JOIN_INNER},
        {"CROSS", SQL_JOIN_CROSS},
        {"LEFT", SQL_JOIN_LEFT},
        {"RIGHT", SQL_JOIN_RIGHT},
        {"FULL", SQL_JOIN_FULL}};

    if (sql_accept(parser, ",")) {
        *out_kind = SQL_JOIN_CROSS;
        return true;
    }
    if (sql_accept(parser, "JOIN")) {
        *out_kind = SQL_JOIN_INNER;
        return true;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (sql_accept(parser, kinds[i].word)) {
            sql_accept(parser, "OUTER");
            *out_kind = kinds[i].kind;
            return sql_expect(parser, "JOIN");
        }
    }
    return false;
}

struct sql_from *sql_parse_from(struct sql_parser *parser)
{
    struct sql_from *left = sql_parse_from_item(parser);
    enum sql_join_kind kind = SQL_JOIN_CROSS;
    int joins = 0;

    parser->err->code = left == NULL ? parser->err->code : ERROR_NONE;
    while (left != NULL && accept_join(parser, &kind)) {
        struct sql_from *join = sql_alloc(parser->arena, sizeof *join);
        join->kind = SQL_FROM_JOIN;
        join->join = kind;
        join->place = left->place;
        join->left = left;
        join->right = sql_parse_from_item(parser);
        if (join->right == NULL)
            return NULL;
        if (sql_is(parser, "USING")) {
            sql_unsupported(parser, "JOIN ... USING: write JOIN ... ON");
            return NULL;
        }
        if (kind != SQL_JOIN_CROSS &&
            (!sql_expect(parser, "ON") || (join->on = sql_parse_expr(parser)) == NULL))
            return NULL;
        left = join;
        if (++joins > 60) {
            sql_error(parser->err, left->place, "Too many joins");
            return NULL;
        }
    }
    return parser->err->code == ERROR_NONE ? left : NULL;
}

static bool parse_group(struct sql_parser *parser, struct sql_select *select)
{
    if (!sql_accept2(parser, "GROUP", "BY"))
        return true;
    if (sql_is(parser, "ALL"))
        return sql_unsupported(parser, "GROUP BY ALL");
    return sql_parse_expr_list(parser, &select->group);
}

static bool parse_clause(struct sql_parser *parser, const char *word, struct sql_expr **out)
{
    if (!sql_accept(parser, word))
        return true;
    *out = sql_parse_expr(parser);
    return *out != NULL;
}

static struct sql_select *parse_select(struct sql_parser *parser)
{
    struct sql_select *select = sql_alloc(parser->arena, sizeof *select);

    if (!sql_expect(parser, "SELECT"))
        return NULL;
    if (sql_accept(parser, "DISTINCT"))
        select->distinct = true;
    else
        sql_accept(parser, "ALL");
    if (!parse_items(parser, select))
        return NULL;
    if (sql_accept(parser, "FROM")) {
        select->from = sql_parse_from(parser);
        if (select->from == NULL)
            return NULL;
    }
    bool ok = parse_clause(parser, "WHERE", &select->where) && parse_group(parser, select) &&
              parse_clause(parser, "HAVING", &select->having) &&
              parse_clause(parser, "QUALIFY", &select->qualify);
    return ok ? select : NULL;
}

static struct sql_query *query_new(struct sql_parser *parser)
{
    struct sql_query *query = sql_alloc(parser->arena, sizeof *query);

    query->place = sql_peek(parser, 0)->place;
    return query;
}

static struct sql_query *parse_operand(struct sql_parser *parser)
{
    struct sql_query *query = query_new(parser);

    if (sql_accept(parser, "(")) {
        query->left = sql_parse_query(parser);
        return query->left != NULL && sql_expect(parser, ")") ? query : NULL;
    }
    query->select = parse_select(parser);
    return query->select == NULL ? NULL : query;
}

static struct sql_query *parse_set_operations(struct sql_parser *parser)
{
    struct sql_query *left = parse_operand(parser);
    int count = 0;

    while (left != NULL) {
        if (sql_is(parser, "INTERSECT") || sql_is(parser, "EXCEPT")) {
            sql_unsupported(parser, "INTERSECT and EXCEPT");
            return NULL;
        }
        struct sql_query *both = query_new(parser);
        if (!sql_accept(parser, "UNION"))
            break;
        both->set_operation = sql_accept(parser, "ALL") ? "UNION ALL" : "UNION";
        if (both->set_operation[5] == '\0' && !sql_expect(parser, "DISTINCT"))
            return NULL;
        both->left = left;
        both->right = parse_operand(parser);
        if (both->right == NULL)
            return NULL;
        left = both;
        if (++count > 100) {
            sql_error(parser->err, both->place, "Too many set operations");
            return NULL;
        }
    }
    return left;
}

static bool parse_with(struct sql_parser *parser, struct sql_list *list)
{
    if (!sql_accept(parser, "WITH"))
        return true;
    if (sql_is(parser, "RECURSIVE"))
        return sql_unsupported(parser, "WITH RECURSIVE");
    do {
        struct sql_with *with = sql_alloc(parser->arena, sizeof *with);
        with->name = sql_parse_name(parser, false);
        if (with->name == NULL || !sql_expect(parser, "AS") || !sql_expect(parser, "("))
            return false;
        with->query = sql_parse_query(parser);
        if (with->query == NULL || !sql_expect(parser, ")"))
            return false;
        sql_push(parser->arena, list, with);
    } while (sql_accept(parser, ","));
    return true;
}

static struct sql_query *parse_query_body(struct sql_parser *parser)
{
    struct sql_list with = {0};

    if (!parse_with(parser, &with))
        return NULL;
    struct sql_query *query = parse_set_operations(parser);
    if (query == NULL)
        return NULL;
    if (with.count > 0) {
        query->with = sql_array_of(parser->arena, &with, sizeof *query->with);
        query->with_count = with.count;
    }
    if (sql_accept2(parser, "ORDER", "BY") && !sql_parse_orders(parser, &query->order))
        return NULL;
    if (!parse_clause(parser, "LIMIT", &query->limit))
        return NULL;
    return parse_clause(parser, "OFFSET", &query->offset) ? query : NULL;
}

struct sql_query *sql_parse_query(struct sql_parser *parser)
{
    if (!sql_enter(parser))
        return NULL;
    struct sql_query *query = parse_query_body(parser);
    parser->depth--;
    return query;
}
