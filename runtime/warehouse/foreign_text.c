#include "warehouse/foreign_text.h"

#include "base/secrets.h"
#include "base/text_fit.h"
#include "warehouse/foreign_value.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Of a text that is too long to be searched whole, the end is not shown: a secret may begin there.
 */
#define SHOWN_OF_LONG (SECRETS_TEXT_MAX - 96)
#define RESULT_MAX    ((size_t)8 * SECRETS_TEXT_MAX)

#define TOKEN_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=%"

/* A text and which bytes of it are secret. */
struct marked {
    char text[SECRETS_TEXT_MAX + 1];
    bool marks[SECRETS_TEXT_MAX];
    size_t length;
};

static void mark(struct marked *marked, size_t at, size_t length)
{
    memset(marked->marks + at, true, length);
}

/* --- what looks like a secret, from any sender ------------------------------------------- */

/* Words follow "Bearer", too. */
static size_t bearer_at(const char *text, size_t *out_skip)
{
    static const char word[] = "bearer ";
    size_t skip = sizeof word - 1;

    if (strncasecmp(text, word, skip) != 0)
        return 0;
    size_t length = strspn(text + skip, TOKEN_CHARACTERS);
    size_t digit = strcspn(text + skip, "0123456789");
    *out_skip = skip;
    return length >= 8 && (digit < length || length > 20) ? length : 0;
}

/* An access token or a refresh token of Google's, or a JWT. */
static size_t token_at(const char *text)
{
    bool access = strncmp(text, "ya29.", 5) == 0;
    bool refresh = strncmp(text, "1//0", 4) == 0;
    bool jwt = strncmp(text, "eyJ", 3) == 0;

    // The prefix first: measuring a long token from each of its characters would be quadratic.
    if (!access && !refresh && !jwt)
        return 0;
    size_t length = strspn(text, TOKEN_CHARACTERS);
    if (length < (access ? 6 : 20) || (jwt && memchr(text, '.', length) == NULL))
        return 0;
    return length;
}

static size_t key_at(const char *text)
{
    static const char begin[] = "-----BEGIN ";
    static const char end[] = "-----END ";

    if (strncmp(text, begin, sizeof begin - 1) != 0)
        return 0;
    const char *name = text + sizeof begin - 1;
    const char *private = strstr(name, "PRIVATE KEY-----");
    if (private == NULL || private > name + strcspn(name, "-"))
        return 0;
    const char *last = strstr(private, end);
    const char *behind = last == NULL ? NULL : strstr(last + sizeof end - 1, "-----");
    return behind == NULL ? strlen(text) : (size_t)(behind + 5 - text);
}

/* The value of a form's field or a JSON member that holds a secret. */
static size_t field_at(const char *text, size_t *out_skip)
{
    static const char *const names[] = {"client_secret", "refresh_token", "assertion",
                                        "subject_token", "access_token",  "id_token"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t skip = strlen(names[i]);
        if (strncmp(text, names[i], skip) != 0)
            continue;
        if (text[skip] == '=') {
            *out_skip = skip + 1;
            return strcspn(text + skip + 1, "& \t\r\n\"'");
        }
        const char *at = text + skip + strspn(text + skip, "\\");
        if (*at != '"')
            continue;
        at += 1 + strspn(at + 1, " ");
        if (*at != ':')
            continue;
        at += 1 + strspn(at + 1, " \\");
        *out_skip = (size_t)(at + 1 - text);
        return *at == '"' ? strcspn(at + 1, "\"\\") : 0;
    }
    return 0;
}

static void mark_lookalikes(struct marked *marked)
{
    for (size_t at = 0; at < marked->length; at++) {
        const char *text = marked->text + at;
        bool inside = at > 0 && isalnum((unsigned char)text[-1]);
        size_t skip = 0;
        size_t length = inside ? 0 : bearer_at(text, &skip);
        if (length == 0)
            length = field_at(text, &skip);
        if (length == 0) {
            skip = 0;
            length = inside ? 0 : token_at(text);
        }
        if (length == 0)
            length = key_at(text);
        mark(marked, at + skip, length);
    }
}

/* --- the text without them ---------------------------------------------------------------- */

static void append_shown(const struct marked *marked, struct buffer *out)
{
    for (size_t at = 0; at < marked->length;) {
        const char *text = marked->text + at;
        size_t unseen = text_unseen(text);
        if (marked->marks[at]) {
            if (at == 0 || !marked->marks[at - 1])
                buffer_append_text(out, FOREIGN_SECRET);
            unseen = 1;
        } else if (unseen > 0) {
            buffer_append_byte(out, ' ');
        } else {
            buffer_append_byte(out, (uint8_t)*text);
            unseen = 1;
        }
        at += unseen;
    }
}

static void clean(const char *text, struct buffer *out)
{
    struct marked marked = {.length = 0};

    bool whole = strnlen(text, SECRETS_TEXT_MAX + 1) <= SECRETS_TEXT_MAX;
    marked.length = (size_t)text_fit(text, SECRETS_TEXT_MAX);
    memcpy(marked.text, text, marked.length);
    marked.text[marked.length] = '\0';
    mark_lookalikes(&marked);
    secrets_mark(marked.text, marked.length, marked.marks);
    if (!whole) {
        marked.length = (size_t)text_fit(marked.text, SHOWN_OF_LONG);
        marked.text[marked.length] = '\0';
    }
    append_shown(&marked, out);
    explicit_bzero(&marked, sizeof marked);
}

/* Without memory nothing of it is shown. */
static char *finish(char *out, size_t size, struct buffer *text)
{
    text_format(out, size, "%s", buffer_text(text));
    buffer_clear(text);
    return out;
}

char *foreign_text(char *out, size_t size, const char *text)
{
    struct buffer shown;

    buffer_init(&shown, RESULT_MAX);
    clean(text, &shown);
    return finish(out, size, &shown);
}

char *foreign_message(char *out, size_t size, const char *text, const char *const *names)
{
    struct buffer shown;
    struct buffer named;

    buffer_init(&shown, RESULT_MAX);
    buffer_init(&named, RESULT_MAX);
    clean(text, &shown);
    foreign_value_cut(buffer_text(&shown), names, &named);
    buffer_clear(&shown);
    return finish(out, size, &named);
}

bool foreign_is_name(const char *text)
{
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && strchr("_:.-", *text) == NULL)
            return false;
    return true;
}

char *foreign_reason(char *out, size_t size, const char *text)
{
    bool plain = strlen(text) < size;

    for (const char *at = text; *at != '\0' && plain; at++)
        plain = isalnum((unsigned char)*at) || *at == '_';
    return text_format(out, size, "%s", plain ? text : "unknown");
}
