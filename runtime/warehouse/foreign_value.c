#include "warehouse/foreign_value.h"

#include <ctype.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

/* A row's value behind "word: " has no end that can be told, so that all that follows is left out
 * but the column. */
static const char *const value_words[] = {
    "overflow", "range",   "zero",       "date",    "time",  "datetime", "timestamp",
    "number",   "numeric", "float",      "double",  "int64", "integer",  "bool",
    "boolean",  "string",  "bignumeric", "literal", "key",   "keys",     "input",
    "read",     "text",    "json",       "bytes",   "wkt",   "wkb",      "geojson"};

/* What follows the word "value" in a sentence that has no value. */
static const char *const sentence_words[] = {
    "for",    "in",      "at",       "from",    "to",       "type",    "that",    "which",
    "has",    "cannot",  "must",     "should",  "can",      "could",   "would",   "will",
    "and",    "or",      "out",      "with",    "does",     "did",     "do",      "not",
    "than",   "larger",  "smaller",  "exceeds", "on",       "as",      "by",      "range",
    "ranges", "types",   "too",      "invalid", "required", "missing", "null",    "a",
    "an",     "the",     "while",    "when",    "if",       "error",   "because", "column",
    "field",  "columns", "expected", "be",      "are",      "were",    "only",    "needed"};

static const char *const link_words[] = {"of", "is", "was"};
static const char *const column_words[] = {"column", "field", "columns", "fields"};

/* Names of ours and of Google's that no table has. */
static const char *const prefixes[] = {
    "bqsync_", "_bqsync_", "bigquery.", "roles/", "serviceusage."};

/* What the word in front of a quoted text says that it is. */
static const char *const permission_words[] = {"permission", "permissions", "constraint"};

/* What decisions look for in an error's message, in BigQuery's words and in those of our own
 * statements: it stays wherever a text has it, also in what is left out, so that no value changes
 * what is decided. Whatever runtime/sync or runtime/warehouse looks for has to stand here, a longer
 * one in front of its beginning. */
static const char *const decisive[] = {
    "cannot round-trip through string representation",
    "round-trip",
    "error in PARSE_JSON expression",
    "JSON",
    "codec",
    "zstandard",
    "zstd",
    "is declared immutable",
    "Too many partitions",
    "it is in the past",
    " or higher required", // with the number in front of it
    "Not found: Project",
    "Not found: Dataset",
    "was not found in location",
    "too many table update operations",
    "Could not serialize access",
    "Transaction is aborted",
    "Too many DML statements outstanding",
    "Too many DML statements",
    "Retrying the job may solve",
};
#define DECISIVE (sizeof decisive / sizeof decisive[0])

#define IS_ONE_OF(list, word) is_one_of(list, sizeof(list) / sizeof(list)[0], word)

/* Under the lock, which is held while a message is read. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct table *const *known_tables;
static size_t known_count;

void foreign_value_know(const struct table *const *tables, size_t count)
{
    pthread_mutex_lock(&lock);
    known_tables = tables;
    known_count = count;
    pthread_mutex_unlock(&lock);
}

void foreign_value_forget(const struct table *const *tables)
{
    pthread_mutex_lock(&lock);
    if (known_tables == tables) {
        known_tables = NULL;
        known_count = 0;
    }
    pthread_mutex_unlock(&lock);
}

/* --- names ------------------------------------------------------------------------------- */

static bool is_text(const char *name, struct slice word)
{
    return name != NULL && strlen(name) == word.length &&
           strncasecmp(name, word.data, word.length) == 0;
}

static bool is_one_of(const char *const *list, size_t count, struct slice word)
{
    for (size_t i = 0; i < count; i++)
        if (is_text(list[i], word))
            return true;
    return false;
}

static bool table_has(const struct table *table, struct slice word)
{
    const struct table_history *history = table->history;

    if (is_text(table->name, word) || is_text(table->target, word))
        return true;
    if (history != NULL && (is_text(history->log, word) || is_text(history->view, word) ||
                            is_text(history->function, word)))
        return true;
    for (size_t i = 0; i < table->column_count; i++)
        if (is_text(table->columns[i].name, word) || is_text(table->columns[i].source, word))
            return true;
    return false;
}

static bool is_name_character(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool has_prefix(struct slice word)
{
    for (size_t i = 0; i < word.length; i++)
        if (!is_name_character(word.data[i]) && strchr("./-", word.data[i]) == NULL)
            return false;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t length = strlen(prefixes[i]);
        if (word.length > length && memcmp(word.data, prefixes[i], length) == 0)
            return true;
    }
    return false;
}

static bool is_one_name(const char *const *names, struct slice word)
{
    for (; names != NULL && *names != NULL; names++)
        if (is_text(*names, word))
            return true;
    for (size_t i = 0; i < known_count; i++)
        if (table_has(known_tables[i], word))
            return true;
    return has_prefix(word);
}

/* A name, or several: "project:dataset.table", "a, b". */
static bool is_name(const char *const *names, struct slice text)
{
    static const char separators[] = ".:, ";
    bool found = false;

    if (is_one_name(names, text))
        return true;
    for (size_t at = 0; at < text.length;) {
        size_t length = 0;
        while (at + length < text.length && strchr(separators, text.data[at + length]) == NULL)
            length++;
        if (length > 0 && !is_one_name(names, (struct slice){text.data + at, length}))
            return false;
        found = found || length > 0;
        at += length + 1;
    }
    return found;
}

/* "name@project.iam.gserviceaccount.com": whose account it is that may not do something. */
static bool is_account(struct slice text)
{
    static const char domain[] = ".gserviceaccount.com";
    size_t length = sizeof domain - 1;
    size_t signs = 0;

    if (text.length <= length || memcmp(text.data + text.length - length, domain, length) != 0)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        signs += c == '@';
        if (!is_name_character(c) && strchr("@.-", c) == NULL)
            return false;
    }
    return signs == 1 && text.data[0] != '@';
}

/* Of Google's, in any of its services: "datacatalog.categories.fineGrainedGet". */
static bool is_permission(struct slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!isalnum((unsigned char)text.data[i]) && strchr("./", text.data[i]) == NULL)
            return false;
    return true;
}

/* --- values ------------------------------------------------------------------------------ */

struct reading {
    const char *at;
    const char *start;
    const char *const *names;
    struct buffer *out;
};

/* Whether a quoted text begins here, and not the s of a genitive. b'...' and r'...' are literals.
 */
static bool opens(const struct reading *reading)
{
    const char *at = reading->at;

    if (*at == '"')
        return true;
    if (*at != '\'')
        return false;
    if (at > reading->start && strchr("bBrR", at[-1]) != NULL)
        at--;
    return at == reading->start || !isalnum((unsigned char)at[-1]);
}

/* The end of the text that is quoted from here; NULL: it has none. The quote of a value that holds
 * one ("O'Brien") stands in front of a letter. */
static const char *closing(const char *opening)
{
    for (const char *at = opening + 1; *at != '\0'; at++)
        if (*at == *opening && !isalnum((unsigned char)at[1]))
            return at;
    return NULL;
}

/* The length of the decisive text that begins here, and which one it is; 0: none. */
static size_t decisive_at(const char *at, const char *end, size_t *out_index)
{
    for (size_t i = 0; i < DECISIVE; i++) {
        size_t length = strlen(decisive[i]);
        if (length <= (size_t)(end - at) && strncasecmp(at, decisive[i], length) == 0) {
            *out_index = i;
            return length;
        }
    }
    return 0;
}

/* What stands between two decisive texts: as it is if it is only punctuation. */
static void append_between(struct buffer *out, const char *last, const char *next)
{
    size_t length = last == NULL ? 0 : (size_t)(next - last);

    if (last != NULL && strspn(last, ";:,. ") >= length)
        buffer_append(out, last, length);
    else
        buffer_append_text(out, last == NULL ? " " : " " FOREIGN_VALUE " ");
}

/* Leaves the text out but what decisions look for, once each. */
static void leave_out(struct buffer *out, struct slice text)
{
    const char *end = text.data + text.length;
    const char *last = NULL;
    bool shown[DECISIVE] = {false};

    buffer_append_text(out, FOREIGN_VALUE);
    for (const char *at = text.data; at < end;) {
        size_t index = 0;
        size_t length = decisive_at(at, end, &index);
        if (length == 0 || shown[index]) {
            at += length == 0 ? 1 : length;
            continue;
        }
        const char *from = at;
        while (*at == ' ' && from > (last == NULL ? text.data : last) &&
               isdigit((unsigned char)from[-1]))
            from--;
        append_between(out, last, from);
        buffer_append(out, from, (size_t)(at - from) + length);
        shown[index] = true;
        at += length;
        last = at;
    }
}

/* Whether the word in front of a quote says that a permission is quoted. */
static bool is_behind_permission(const struct reading *reading)
{
    const char *end = reading->at;

    while (end > reading->start && end[-1] == ' ')
        end--;
    const char *word = end;
    while (word > reading->start && is_name_character(word[-1]))
        word--;
    return IS_ONE_OF(permission_words, ((struct slice){word, (size_t)(end - word)}));
}

static void take_quoted(struct reading *reading)
{
    const char *first = reading->at;
    const char *last = closing(first);

    buffer_append_byte(reading->out, (uint8_t)*first);
    if (last == NULL) {
        leave_out(reading->out, (struct slice){first + 1, strlen(first + 1)});
        reading->at = first + strlen(first);
        return;
    }
    struct slice text = {first + 1, (size_t)(last - first - 1)};
    if (text.length == 0 || is_name(reading->names, text) || is_account(text) ||
        (is_behind_permission(reading) && is_permission(text)))
        buffer_append_slice(reading->out, text);
    else
        leave_out(reading->out, text);
    buffer_append_byte(reading->out, (uint8_t)*last);
    reading->at = last + 1;
}

static void take_backticks(struct reading *reading)
{
    const char *last = strchr(reading->at + 1, '`');
    size_t length = last == NULL ? 1 : (size_t)(last - reading->at + 1);

    buffer_append(reading->out, reading->at, length);
    reading->at += length;
}

static struct slice word_at(const char *at)
{
    size_t length = 0;

    while (is_name_character(at[length]))
        length++;
    return (struct slice){at, length};
}

/* Leaves out the rest of the message but what decisions look for and " column NAME". */
static void leave_out_rest(struct reading *reading)
{
    leave_out(reading->out, (struct slice){reading->at, strlen(reading->at)});
    for (const char *at = reading->at; *at != '\0';) {
        struct slice word = word_at(at);
        const char *behind = at + word.length;
        struct slice name = word_at(behind + strspn(behind, ": '\"`"));
        bool names = word.length > 0 && IS_ONE_OF(column_words, word) && name.data > behind &&
                     name.length > 0 && is_one_name(reading->names, name);
        if (names) {
            buffer_append_byte(reading->out, ' ');
            buffer_append(reading->out, at, (size_t)(name.data + name.length - at));
            break;
        }
        at = word.length > 0 ? behind : at + 1;
    }
    reading->at += strlen(reading->at);
}

static bool ends_in_value(struct slice word)
{
    size_t plural = word.length > 0 && tolower((unsigned char)word.data[word.length - 1]) == 's';
    size_t length = word.length - plural;

    return length >= 5 && strncasecmp(word.data + length - 5, "value", 5) == 0;
}

/* Whether a value without quotes begins here: behind "value: ", "date: ", "value ", "value of ". */
static bool value_follows(struct slice word, const char **out_value)
{
    const char *behind = word.data + word.length;
    bool value = ends_in_value(word);

    if (*behind == ':' && (value || IS_ONE_OF(value_words, word))) {
        *out_value = behind + 1 + strspn(behind + 1, " ");
        return **out_value != '\0';
    }
    if (*behind != ' ' || !value)
        return false;
    behind += strspn(behind, " ");
    struct slice next = word_at(behind);
    size_t ignored = 0;
    if (next.length > 0 && IS_ONE_OF(link_words, next)) {
        // A column may be named so: "row_value is declared immutable".
        if (decisive_at(behind, behind + strlen(behind), &ignored) > 0)
            return false;
        behind = next.data + next.length;
        behind += strspn(behind, " ");
        next = word_at(behind);
    }
    *out_value = behind;
    bool begins = next.length > 0 || (*behind != '\0' && strchr("+-.[{(<", *behind) != NULL);
    return begins && !IS_ONE_OF(sentence_words, next);
}

static void take_word(struct reading *reading)
{
    struct slice word = word_at(reading->at);
    const char *value = NULL;

    if (word.length == 0)
        word.length = 1;
    if (!is_name_character(*word.data) || !value_follows(word, &value)) {
        buffer_append_slice(reading->out, word);
        reading->at += word.length;
        return;
    }
    buffer_append(reading->out, word.data, (size_t)(value - word.data));
    reading->at = value;
    if (strchr("'\"`", *value) == NULL)
        leave_out_rest(reading);
}

void foreign_value_cut(const char *message, const char *const *names, struct buffer *out)
{
    struct reading reading = {.at = message, .start = message, .names = names, .out = out};

    pthread_mutex_lock(&lock);
    while (*reading.at != '\0') {
        if (opens(&reading))
            take_quoted(&reading);
        else if (*reading.at == '`')
            take_backticks(&reading);
        else
            take_word(&reading);
    }
    pthread_mutex_unlock(&lock);
}
