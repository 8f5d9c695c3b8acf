/* Text and bytes, and hashes of them. */
#include "base/int_text.h"
#include "bqlocal/sql/functions/functions.h"
#include "bqlocal/store/store.h"
#include "bqlocal/store/value.h"

#include <locale.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

static bool is_text(sqlite3_value *value)
{
    return sqlite3_value_type(value) != SQLITE_BLOB;
}

/* Returns the slice as text or bytes, as `like` is. */
static void result_like(sqlite3_context *context, sqlite3_value *like, struct slice slice)
{
    if (is_text(like))
        sql_result_text(context, slice.data, slice.length);
    else
        sql_result_bytes(context, slice.data, slice.length);
}

void sql_result_buffer(sqlite3_context *context, struct buffer *buffer)
{
    if (buffer->failure != BUFFER_OK)
        sql_result_error(context, "Resources exceeded: a value is too large");
    else
        sql_result_text(context, buffer_text(buffer), buffer->length);
    buffer_clear(buffer);
}

static size_t character(struct slice text)
{
    size_t length = 1;

    while (length < text.length && ((unsigned char)text.data[length] & 0xC0) == 0x80)
        length++;
    return length < text.length ? length : text.length;
}

static int64_t count_characters(struct slice text)
{
    int64_t count = 0;

    for (size_t i = 0; i < text.length; i++)
        count += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    return count;
}

/* The offset of the n-th character (from 0), at most the length. */
static size_t character_offset(struct slice text, int64_t n)
{
    size_t at = 0;

    while (n-- > 0 && at < text.length)
        at += character((struct slice){text.data + at, text.length - at});
    return at;
}

static size_t bytes_offset(struct slice bytes, int64_t n)
{
    return (uint64_t)n < bytes.length ? (size_t)n : bytes.length;
}

static void bq_length(sqlite3_context *context, int count, sqlite3_value **args)
{
    if (!sql_result_null_if_any(context, count, args))
        sqlite3_result_int64(context, count_characters(sql_arg_slice(args[0])));
}

static void bq_byte_length(sqlite3_context *context, int count, sqlite3_value **args)
{
    if (!sql_result_null_if_any(context, count, args))
        sqlite3_result_int64(context, (int64_t)sql_arg_slice(args[0]).length);
}

/* SUBSTR(value, position[, length]): position from 1, negative from the end, 0 as 1. */
static void bq_substr(sqlite3_context *context, int count, sqlite3_value **args)
{
    if (sql_result_null_if_any(context, count, args))
        return;
    struct slice text = sql_arg_slice(args[0]);
    bool chars = is_text(args[0]);
    int64_t position = sqlite3_value_int64(args[1]);
    // The end of the text is found where it matters: a prefix of a long text costs little.
    int64_t length = count > 2 ? sqlite3_value_int64(args[2]) : (int64_t)text.length;
    if (length < 0) {
        sql_result_error(context, "Third argument in SUBSTR() cannot be negative");
        return;
    }
    int64_t start = position - (position > 0);
    if (position < 0)
        start += chars ? count_characters(text) : (int64_t)text.length;
    if (start < 0)
        start = 0;
    size_t from = chars ? character_offset(text, start) : bytes_offset(text, start);
    struct slice rest = {text.data + from, text.length - from};
    rest.length = chars ? character_offset(rest, length) : bytes_offset(rest, length);
    result_like(context, args[0], rest);
}

static uint32_t decode(struct slice text, size_t *out_length)
{
    unsigned char lead = (unsigned char)text.data[0];
    size_t length = character(text);
    uint32_t code = length == 1   ? lead
                    : length == 2 ? lead & 0x1Fu
                    : length == 3 ? lead & 0x0Fu
                                  : lead & 0x07u;

    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)text.data[i] & 0x3Fu);
    *out_length = length;
    return code;
}

static void append_code(struct buffer *out, uint32_t code)
{
    if (code < 0x80) {
        buffer_append_byte(out, (uint8_t)code);
        return;
    }
    if (code < 0x800) {
        buffer_append_byte(out, (uint8_t)(0xC0 | code >> 6));
    } else {
        if (code < 0x10000) {
            buffer_append_byte(out, (uint8_t)(0xE0 | code >> 12));
        } else {
            buffer_append_byte(out, (uint8_t)(0xF0 | code >> 18));
            buffer_append_byte(out, (uint8_t)(0x80 | (code >> 12 & 0x3F)));
        }
        buffer_append_byte(out, (uint8_t)(0x80 | (code >> 6 & 0x3F)));
    }
    buffer_append_byte(out, (uint8_t)(0x80 | (code & 0x3F)));
}

/* Letters whose capitals are several ("SpecialCasing.txt" of Unicode, without those of Greek and
 * Armenian). */
static const char *several_capitals(uint32_t code)
{
    static const struct {
        uint32_t code;
        const char *capitals;
    } letters[] = {
        {0xDF, "SS"},   {0x149, "\xca\xbcN"}, {0x1F0, "J\xcc\x8c"}, {0xFB00, "FF"}, {0xFB01, "FI"},
        {0xFB02, "FL"}, {0xFB03, "FFI"},      {0xFB04, "FFL"},      {0xFB05, "ST"}, {0xFB06, "ST"},
    };

    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (letters[i].code == code)
            return letters[i].capitals;
    return NULL;
}

/* LOWER and UPPER; the user data, if any, says upper. */
static void bq_case(sqlite3_context *context, int count, sqlite3_value **args)
{
    bool upper = sqlite3_user_data(context) != NULL;
    struct buffer out;

    if (sql_result_null_if_any(context, count, args))
        return;
    struct slice text = sql_arg_slice(args[0]);
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    buffer_init(&out, SQL_TEXT_BYTES_MAX);
    while (text.length > 0) {
        size_t length = 0;
        uint32_t code = decode(text, &length);
        const char *several = upper ? several_capitals(code) : NULL;
        text = (struct slice){text.data + length, text.length - length};
        if (several != NULL) {
            buffer_append_text(&out, several);
            continue;
        }
        if (locale != (locale_t)0)
            code =
                (uint32_t)(upper ? towupper_l((wint_t)code, locale) : towlower_l((wint_t)code, locale));
        append_code(&out, code);
    }
    if (locale != (locale_t)0)
        freelocale(locale);
    sql_result_buffer(context, &out);
}

static bool in_set(struct slice set, struct slice one)
{
    while (set.length > 0) {
        size_t length = character(set);
        if (slice_equals((struct slice){set.data, length}, one))
            return true;
        set = (struct slice){set.data + length, set.length - length};
    }
    return false;
}

static struct slice last_character(struct slice text)
{
    size_t at = text.length - 1;

    while (at > 0 && ((unsigned char)text.data[at] & 0xC0) == 0x80)
        at--;
    return (struct slice){text.data + at, text.length - at};
}

/* What Unicode calls White_Space. */
static const char white_space[] =
    " \t\n\v\f\r\xc2\x85\xc2\xa0\xe1\x9a\x80\xe2\x80\x80\xe2\x80\x81\xe2\x80\x82\xe2\x80\x83"
    "\xe2\x80\x84\xe2\x80\x85\xe2\x80\x86\xe2\x80\x87\xe2\x80\x88\xe2\x80\x89\xe2\x80\x8a"
    "\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\x9f\xe3\x80\x80";

/* TRIM, LTRIM, RTRIM; the user data names the sides: "lr", "l", "r". */
static void bq_trim(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *sides = sqlite3_user_data(context);

    if (sql_result_null_if_any(context, count, args))
        return;
    struct slice text = sql_arg_slice(args[0]);
    struct slice set = count > 1 ? sql_arg_slice(args[1]) : slice_of(white_space);
    while (strchr(sides, 'l') != NULL && text.length > 0) {
        size_t length = character(text);
        if (!in_set(set, (struct slice){text.data, length}))
            break;
        text = (struct slice){text.data + length, text.length - length};
    }
    while (strchr(sides, 'r') != NULL && text.length > 0) {
        struct slice last = last_character(text);
        if (!in_set(set, last))
            break;
        text.length -= last.length;
    }
    sql_result_text(context, text.data, text.length);
}

static void bq_affix(sqlite3_context *context, int count, sqlite3_value **args)
{
    bool ends = sqlite3_user_data(context) != NULL;

    if (sql_result_null_if_any(context, count, args))
        return;
    struct slice text = sql_arg_slice(args[0]);
    struct slice affix = sql_arg_slice(args[1]);
    size_t at = ends ? text.length - affix.length : 0;
    sqlite3_result_int(
        context,
        affix.length <= text.length && memcmp(text.data + at, affix.data, affix.length) == 0);
}

/* Matches without recursion: after a mismatch it goes back to the last %. */
static bool like(struct slice text, struct slice pattern)
{
    size_t t = 0;
    size_t p = 0;
    size_t back_t = 0;
    size_t back_p = SIZE_MAX;

    while (t < text.length || p < pattern.length) {
        if (p < pattern.length && pattern.data[p] == '%') {
            back_p = ++p;
            back_t = t;
            continue;
        }
        if (p < pattern.length && t < text.length) {
            size_t step = character((struct slice){text.data + t, text.length - t});
            bool escaped = pattern.data[p] == '\\' && p + 1 < pattern.length;
            if (pattern.data[p] == '_') {
                t += step;
                p++;
                continue;
            }
            if (pattern.data[p + escaped] == text.data[t]) {
                t++;
                p += escaped ? 2 : 1;
                continue;
            }
        }
        if (back_p == SIZE_MAX || back_t >= text.length)
            return false;
        back_t += character((struct slice){text.data + back_t, text.length - back_t});
        t = back_t;
        p = back_p;
    }
    return true;
}

static void bq_like(sqlite3_context *context, int count, sqlite3_value **args)
{
    if (!sql_result_null_if_any(context, count, args))
        sqlite3_result_int(context, like(sql_arg_slice(args[0]), sql_arg_slice(args[1])));
}

static EVP_MD *sha256;

static void find_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* SHA256 and MD5; the user data says which. */
static void bq_hash(sqlite3_context *context, int count, sqlite3_value **args)
{
    const char *name = sqlite3_user_data(context);
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t length = 0;

    if (sql_result_null_if_any(context, count, args))
        return;
    struct slice text = sql_arg_slice(args[0]);
    const unsigned char *bytes = (const unsigned char *)text.data;
    bool ok = true;
    // Looking an algorithm up by name costs more than a short hash, and SHA256() does so too.
    if (strcmp(name, "SHA256") == 0) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        unsigned written = 0;
        pthread_once(&once, find_sha256);
        ok = sha256 != NULL && EVP_Digest(bytes, text.length, digest, &written, sha256, NULL) == 1;
        length = written;
    } else
        ok = EVP_Q_digest(NULL, "MD5", NULL, bytes, text.length, digest, &length) == 1;
    if (ok)
        sql_result_bytes(context, (const char *)digest, length);
    else
        sql_result_error(context, "OpenSSL refuses to hash");
}

/* TO_HEX. */
static void bq_to_hex(sqlite3_context *context, int count, sqlite3_value **args)
{
    static const char digits[] = "0123456789abcdef";

    if (sql_result_null_if_any(context, count, args))
        return;
    struct slice bytes = sql_arg_slice(args[0]);
    char *out = sqlite3_malloc64(bytes.length * 2 + 1);
    if (out == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    for (size_t i = 0; i < bytes.length; i++) {
        out[i * 2] = digits[(unsigned char)bytes.data[i] >> 4];
        out[i * 2 + 1] = digits[(unsigned char)bytes.data[i] & 15];
    }
    sqlite3_result_text64(context, out, bytes.length * 2, sqlite3_free, SQLITE_UTF8);
}

/* bq_counted(text): CONCAT(CAST(BYTE_LENGTH(text) AS STRING), ':', text). */
static void bq_counted(sqlite3_context *context, int count, sqlite3_value **args)
{
    if (sql_result_null_if_any(context, count, args))
        return;
    struct slice text = sql_arg_slice(args[0]);
    char room[INT_TEXT_SIZE];
    struct slice number = int_text((int64_t)text.length, room);
    char *out = sqlite3_malloc64(number.length + 1 + text.length);
    if (out == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    memcpy(out, number.data, number.length);
    out[number.length] = ':';
    memcpy(out + number.length + 1, text.data, text.length);
    sqlite3_result_text64(context, out, number.length + 1 + text.length, sqlite3_free, SQLITE_UTF8);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void bq_from_hex(sqlite3_context *context, int count, sqlite3_value **args)
{
    struct buffer out;

    if (sql_result_null_if_any(context, count, args))
        return;
    struct slice text = sql_arg_slice(args[0]);
    buffer_init(&out, text.length + 1);
    // An odd number of digits is read as if it began with a zero.
    int high = text.length % 2 == 1 ? 0 : -1;
    bool ok = true;
    for (size_t i = 0; ok && i < text.length; i++) {
        int digit = hex_digit(text.data[i]);
        ok = digit >= 0;
        if (high < 0) {
            high = digit;
        } else {
            buffer_append_byte(&out, (uint8_t)(high << 4 | (digit & 15)));
            high = -1;
        }
    }
    if (ok)
        sql_result_bytes(context, buffer_text(&out), out.length);
    else
        sql_result_error(context, "Failed to decode invalid hexadecimal string");
    buffer_clear(&out);
}

static void bq_to_base64(sqlite3_context *context, int count, sqlite3_value **args)
{
    struct buffer out;

    if (sql_result_null_if_any(context, count, args))
        return;
    buffer_init(&out, SQL_TEXT_BYTES_MAX);
    value_base64_encode(sql_arg_slice(args[0]), &out);
    sql_result_buffer(context, &out);
}

bool sql_register_texts(sqlite3 *handle)
{
    static const struct sql_function functions[] = {
        {"bq_length", 1, bq_length, NULL, false},
        {"bq_byte_length", 1, bq_byte_length, NULL, false},
        {"bq_substr", -1, bq_substr, NULL, false},
        {"bq_lower", 1, bq_case, NULL, false},
        {"bq_upper", 1, bq_case, "upper", false},
        {"bq_trim", -1, bq_trim, "lr", false},
        {"bq_ltrim", -1, bq_trim, "l", false},
        {"bq_rtrim", -1, bq_trim, "r", false},
        {"bq_starts_with", 2, bq_affix, NULL, false},
        {"bq_ends_with", 2, bq_affix, "ends", false},
        {"bq_like", 2, bq_like, NULL, false},
        {"bq_sha256", 1, bq_hash, "SHA256", false},
        {"bq_md5", 1, bq_hash, "MD5", false},
        {"bq_to_hex", 1, bq_to_hex, NULL, false},
        {"bq_counted", 1, bq_counted, NULL, false},
        {"bq_from_hex", 1, bq_from_hex, NULL, false},
        {"bq_to_base64", 1, bq_to_base64, NULL, false},
    };

    return sql_add_functions(handle, functions, sizeof functions / sizeof *functions);
}
