/* The table of plain functions: one row for each signature. To add a function, add a row, and a
 * SQLite function in ../functions if SQLite has none that does the same. */
#include "bqlocal/sql/compile/compile.h"

#include <string.h>

/* Letters of types: i INT64, f FLOAT64, b BOOL, s STRING, y BYTES, n NUMERIC, N BIGNUMERIC, d DATE,
 * t TIME, T DATETIME, z TIMESTAMP, j JSON, g GEOGRAPHY; in brackets: optional. sqlite: the function
 * called; with a leading =, a text in which each $1, $2 is an argument. */
struct signature {
    const char *name;
    const char *args;
    char result;
    const char *sqlite;
};

/* SQLite's JSON paths have GoogleSQL's syntax. JSON_VALUE gives scalars only, without their quotes.
 */
#define JSON_VALUE                                                                                 \
    "=(CASE WHEN json_valid($1) THEN CASE json_type($1,$2) WHEN 'text' THEN json_extract($1,$2) "  \
    "WHEN 'object' THEN NULL WHEN 'array' THEN NULL WHEN 'null' THEN NULL ELSE $1 -> $2 END END)"
#define JSON_QUERY "=(CASE WHEN json_valid($1) THEN $1 -> $2 END)"

static const struct signature signatures[] = {
    {"LENGTH", "s", 'i', "bq_length"},
    {"LENGTH", "y", 'i', "length"},
    {"CHAR_LENGTH", "s", 'i', "bq_length"},
    {"BYTE_LENGTH", "s", 'i', "bq_byte_length"},
    {"BYTE_LENGTH", "y", 'i', "bq_byte_length"},
    {"SUBSTR", "si[i]", 's', "bq_substr"},
    {"SUBSTR", "yi[i]", 'y', "bq_substr"},
    {"SUBSTRING", "si[i]", 's', "bq_substr"},
    {"SUBSTRING", "yi[i]", 'y', "bq_substr"},
    {"LOWER", "s", 's', "bq_lower"},
    {"UPPER", "s", 's', "bq_upper"},
    {"TRIM", "s[s]", 's', "bq_trim"},
    {"LTRIM", "s[s]", 's', "bq_ltrim"},
    {"RTRIM", "s[s]", 's', "bq_rtrim"},
    {"STARTS_WITH", "ss", 'b', "bq_starts_with"},
    {"ENDS_WITH", "ss", 'b', "bq_ends_with"},
    {"STRPOS", "ss", 'i', "instr"},
    {"REPLACE", "sss", 's', "replace"},
    // What ERROR returns has any type; INT64 is its default, and all that is needed here.
    {"ERROR", "s", 'i', "bq_error"},
    {"ABS", "i", 'i', "=bq_int('abs',$1,0)"},
    {"ABS", "f", 'f', "=bq_float('abs',$1,0)"},
    {"ABS", "n", 'n', "=ltrim($1,'-')"},
    {"ABS", "N", 'N', "=ltrim($1,'-')"},
    {"MOD", "ii", 'i', "=bq_int('%',$1,$2)"},
    {"ROUND", "f[i]", 'f', "bq_round"},
    {"ROUND", "n[i]", 'n', "=bq_round_decimal(0,$1,$2)"},
    {"ROUND", "N[i]", 'N', "=bq_round_decimal(1,$1,$2)"},
    {"SHA256", "s", 'y', "bq_sha256"},
    {"SHA256", "y", 'y', "bq_sha256"},
    {"MD5", "s", 'y', "bq_md5"},
    {"MD5", "y", 'y', "bq_md5"},
    {"TO_HEX", "y", 's', "bq_to_hex"},
    {"FROM_HEX", "s", 'y', "bq_from_hex"},
    {"TO_BASE64", "y", 's', "bq_to_base64"},
    {"UNIX_MICROS", "z", 'i', "=$1"},
    {"UNIX_MILLIS", "z", 'i', "=bq_int('floordiv',$1,1000)"},
    {"UNIX_SECONDS", "z", 'i', "=bq_int('floordiv',$1,1000000)"},
    {"UNIX_DATE", "d", 'i', "=$1"},
    {"TIMESTAMP_MICROS", "i", 'z', "=bq_check_timestamp($1)"},
    {"TIMESTAMP_MILLIS", "i", 'z', "=bq_check_timestamp(bq_int('*',$1,1000))"},
    {"TIMESTAMP_SECONDS", "i", 'z', "=bq_check_timestamp(bq_int('*',$1,1000000))"},
    {"TIMESTAMP", "z", 'z', "=$1"},
    {"TIMESTAMP", "s", 'z', "=bq_cast($1,3,10,0)"},
    {"TIMESTAMP", "T", 'z', "=$1"},
    {"TIMESTAMP", "Ts", 'z', "bq_utc"},
    {"TIMESTAMP", "d", 'z', "=bq_cast($1,7,10,0)"},
    {"DATETIME", "T", 'T', "=$1"},
    {"DATETIME", "s", 'T', "=bq_cast($1,3,9,0)"},
    {"DATETIME", "z", 'T', "=$1"},
    {"DATETIME", "d", 'T', "=bq_cast($1,7,9,0)"},
    {"DATE", "d", 'd', "=$1"},
    {"DATE", "s", 'd', "=bq_cast($1,3,7,0)"},
    {"DATE", "z", 'd', "=bq_cast($1,10,7,0)"},
    {"DATE", "T", 'd', "=bq_cast($1,9,7,0)"},
    {"STRING", "zs", 's', "=bq_cast(bq_utc($1,$2),10,3,0)"},
    {"JSON_VALUE", "js", 's', JSON_VALUE},
    {"JSON_VALUE", "ss", 's', JSON_VALUE},
    {"JSON_QUERY", "js", 'j', JSON_QUERY},
    {"JSON_QUERY", "ss", 's', JSON_QUERY},
    {"ST_ASTEXT", "g", 's', "=$1"},
    {"PARSE_JSON", "s", 'j', "=bq_parse_json($1,'exact')"},
    {"PARSE_JSON WIDE_NUMBER_MODE", "ss", 'j', "bq_parse_json"},
};

enum { SIGNATURES = sizeof signatures / sizeof *signatures };

static int type_of(char letter)
{
    static const char letters[] = "ifbsynNdtTzjg";
    const char *found = strchr(letters, letter);

    return (int)(found - letters);
}

/* How many conversions a call needs; -1 if it does not fit. */
static int cost(
    struct sql_compiler *compiler, const struct signature *signature, const struct sql_value *args,
    size_t count)
{
    const char *letter = signature->args;
    bool optional = false;
    int total = 0;
    size_t i = 0;

    for (; *letter != '\0'; letter++) {
        struct sql_value ignored;
        if (*letter == '[' || *letter == ']') {
            optional = optional || *letter == '[';
            continue;
        }
        if (i == count)
            return optional ? total : -1;
        int type = type_of(*letter);
        if (args[i].type != type) {
            if (!sql_coerce(compiler, &args[i], type, &ignored))
                return -1;
            total += args[i].type == SQL_TYPE_NULL ? 1 : 2 + type;
        }
        i++;
    }
    return i == count ? total : -1;
}

static const char *expand(
    struct sql_compiler *compiler, const char *text, const char *const *items, size_t count)
{
    struct sql_list parts = {0};
    const char *dollar;

    while ((dollar = strchr(text, '$')) != NULL) {
        size_t index = (size_t)(dollar[1] - '1');
        sql_push(compiler->arena, &parts, sql_copy(compiler->arena, text, (size_t)(dollar - text)));
        sql_push(
            compiler->arena, &parts, (void *)(uintptr_t)(index < count ? items[index] : "NULL"));
        text = dollar + 2;
    }
    sql_push(compiler->arena, &parts, (void *)(uintptr_t)text);
    return sql_join(compiler, "", (const char *const *)parts.items, parts.count);
}

static void emit(
    struct sql_compiler *compiler, const struct signature *signature, const struct sql_value *args,
    size_t count, struct sql_value *out)
{
    const char **items = sql_alloc(compiler->arena, (count + 1) * sizeof *items);
    const char *letter = signature->args;

    for (size_t i = 0; i < count; letter++) {
        struct sql_value value = {0};
        if (*letter == '[' || *letter == ']')
            continue;
        bool ok = sql_coerce(compiler, &args[i], type_of(*letter), &value);
        items[i++] = ok ? value.sql : "NULL";
    }
    *out = (struct sql_value){.type = type_of(signature->result)};
    if (signature->sqlite[0] == '=')
        out->sql = expand(compiler, signature->sqlite + 1, items, count);
    else
        out->sql = sql_printf(
            compiler->arena, "%s(%s)", signature->sqlite, sql_join(compiler, ",", items, count));
}

enum sql_match sql_function_find(
    struct sql_compiler *compiler, const char *name, const struct sql_value *args, size_t count,
    struct sql_value *out)
{
    const struct signature *best = NULL;
    bool known = false;
    int least = 0;

    for (size_t i = 0; i < SIGNATURES; i++) {
        if (strcmp(signatures[i].name, name) != 0)
            continue;
        known = true;
        int needed = cost(compiler, &signatures[i], args, count);
        if (needed >= 0 && (best == NULL || needed < least)) {
            best = &signatures[i];
            least = needed;
        }
    }
    if (best == NULL)
        return known ? SQL_NO_SIGNATURE : SQL_NO_FUNCTION;
    compiler->bad_literal = NULL;
    emit(compiler, best, args, count, out);
    return SQL_MATCHED;
}
