#include "base/secrets.h"

#include <ctype.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Of one owner: the secrets of a file, and what three renewals of a token have sent and received.
 */
#define OWNER_MAX 16
/* 16 characters of Base64 stand for so many bytes. */
#define BASE64_RUN 12
#define SLOTS      4096
#define NONE       UINT16_MAX

struct secret {
    struct secret *next; /* older */
    const void *owner;
    size_t length;
    char text[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct secret *kept;
static bool incomplete; /* one could not be kept */

/* A text, perhaps decoded: byte i of it is shown by the bytes [from, to) of the text searched. */
struct view {
    size_t length;
    char bytes[SECRETS_TEXT_MAX];
    uint16_t from[SECRETS_TEXT_MAX];
    uint16_t to[SECRETS_TEXT_MAX];
};

struct search {
    struct view views[3]; /* as it is, decoded once, decoded twice */
    struct view base64;
    uint16_t slots[SLOTS]; /* the last window of each hash */
    uint16_t next[SECRETS_TEXT_MAX];
    bool *marks;
};

/* --- keeping ----------------------------------------------------------------------------- */

static void drop(struct secret **at)
{
    struct secret *secret = *at;

    *at = secret->next;
    explicit_bzero(secret->text, secret->length);
    free(secret);
}

/* Whether the owner has this text already; else the oldest of too many makes room. */
static bool has(const void *owner, const char *text, size_t length)
{
    size_t count = 0;

    for (struct secret **at = &kept; *at != NULL; at = &(*at)->next) {
        if ((*at)->owner != owner)
            continue;
        if ((*at)->length == length && memcmp((*at)->text, text, length) == 0)
            return true;
        if (++count == OWNER_MAX) {
            drop(at);
            return false;
        }
    }
    return false;
}

void secrets_keep(const void *owner, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);

    if (length < SECRETS_LEAST)
        return;
    pthread_mutex_lock(&lock);
    if (!has(owner, text, length)) {
        struct secret *secret = malloc(sizeof *secret + length + 1);
        if (secret == NULL) {
            incomplete = true;
        } else {
            *secret = (struct secret){.next = kept, .owner = owner, .length = length};
            memcpy(secret->text, text, length + 1);
            kept = secret;
        }
    }
    pthread_mutex_unlock(&lock);
}

void secrets_forget(const void *owner)
{
    pthread_mutex_lock(&lock);
    for (struct secret **at = &kept; *at != NULL;) {
        if ((*at)->owner == owner)
            drop(at);
        else
            at = &(*at)->next;
    }
    pthread_mutex_unlock(&lock);
}

/* --- what a text stands for -------------------------------------------------------------- */

static void add(struct view *view, char byte, size_t from, size_t to)
{
    view->bytes[view->length] = byte;
    view->from[view->length] = (uint16_t)from;
    view->to[view->length] = (uint16_t)to;
    view->length++;
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                        : -1;
}

static int hex_pair(const char *text)
{
    int high = hex_digit(text[0]);
    int low = high < 0 ? -1 : hex_digit(text[1]);

    return low < 0 ? -1 : high * 16 + low;
}

/* The byte that an escape of a URL or of JSON at the beginning of text stands for, -1 if it is
 * none; *out_length: its length. */
static int unescape(const char *text, size_t left, size_t *out_length)
{
    static const char names[] = "\"\\/bfnrt";
    static const char bytes[] = "\"\\/\b\f\n\r\t";

    *out_length = 3;
    if (text[0] == '%' && left >= 3)
        return hex_pair(text + 1);
    *out_length = 6;
    if (left >= 6 && memcmp(text, "\\u00", 4) == 0)
        return hex_pair(text + 4);
    *out_length = 2;
    if (text[0] != '\\' || left < 2 || text[1] == '\0')
        return -1;
    const char *name = strchr(names, text[1]);
    return name == NULL ? -1 : bytes[name - names];
}

static void decode(const struct view *in, struct view *out)
{
    out->length = 0;
    for (size_t at = 0; at < in->length;) {
        size_t length = 1;
        int byte = unescape(in->bytes + at, in->length - at, &length);
        if (byte < 0) {
            byte = (unsigned char)in->bytes[at];
            length = 1;
        }
        add(out, (char)byte, in->from[at], in->to[at + length - 1]);
        at += length;
    }
}

/* The six bits of a character of either alphabet of Base64, -1 if it is none. */
static int six_bits(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(alphabet, c == '-' ? '+' : c == '_' ? '/' : c);

    return c == '\0' || at == NULL ? -1 : (int)(at - alphabet);
}

/* What each run of characters of Base64 stands for if its first one is the phase-th (from 0) of the
 * four that are three bytes: a quoted part need not begin with such a four. */
static void decode_base64(const struct view *in, size_t phase, struct view *out)
{
    size_t run = 0;    /* characters of it so far */
    size_t before = 0; /* where the last one begins */
    unsigned bits = 0;

    out->length = 0;
    for (size_t at = 0; at < in->length; at++) {
        int six = six_bits(in->bytes[at]);
        if (six < 0) {
            if (run > 0)
                add(out, '\0', in->from[at], in->from[at]); // in no secret
            run = 0;
            continue;
        }
        size_t place = (phase + run++) % 4;
        bits = bits << 6 | (unsigned)six;
        if (place > 0 && run > 1)
            add(out, (char)(bits >> (6 - 2 * place)), before, in->to[at]);
        before = in->from[at];
    }
}

/* --- finding ----------------------------------------------------------------------------- */

static void mark(struct search *search, const struct view *view, size_t first, size_t length)
{
    size_t from = view->from[first];

    memset(search->marks + from, true, view->to[first + length - 1] - from);
}

#define BASE 0x01000193u

static uint32_t hash_of(const char *bytes, size_t length)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < length; i++)
        hash = hash * BASE + (unsigned char)bytes[i];
    return hash;
}

static size_t slot_of(uint32_t hash)
{
    return hash * 2654435761u >> 20;
}

/* The hash of the window one further. */
static uint32_t roll(uint32_t hash, uint32_t power, char gone, char come)
{
    return (hash - power * (unsigned char)gone) * BASE + (unsigned char)come;
}

static uint32_t power_of(size_t run)
{
    uint32_t power = 1;

    while (--run > 0)
        power *= BASE;
    return power;
}

static void index_windows(struct search *search, const struct view *view, size_t run)
{
    memset(search->slots, 0xff, sizeof search->slots);
    for (size_t at = 0; at + run <= view->length; at++) {
        size_t slot = slot_of(hash_of(view->bytes + at, run));
        search->next[at] = search->slots[slot];
        search->slots[slot] = (uint16_t)at;
    }
}

static void find_runs(
    struct search *search, const struct view *view, size_t run, const struct secret *secret)
{
    uint32_t power = power_of(run);
    uint32_t hash = hash_of(secret->text, run);

    for (size_t at = 0;; at++) {
        for (uint16_t i = search->slots[slot_of(hash)]; i != NONE; i = search->next[i])
            if (memcmp(view->bytes + i, secret->text + at, run) == 0)
                mark(search, view, i, run);
        if (at + run >= secret->length)
            return;
        hash = roll(hash, power, secret->text[at], secret->text[at + run]);
    }
}

static void find_whole(struct search *search, const struct view *view, const struct secret *secret)
{
    for (size_t at = 0; at + secret->length <= view->length; at++)
        if (memcmp(view->bytes + at, secret->text, secret->length) == 0)
            mark(search, view, at, secret->length);
}

static void search_view(struct search *search, const struct view *view, size_t run)
{
    index_windows(search, view, run);
    for (const struct secret *secret = kept; secret != NULL; secret = secret->next)
        if (secret->length >= run)
            find_runs(search, view, run, secret);
        else
            find_whole(search, view, secret);
}

static void search_views(struct search *search)
{
    for (size_t i = 0; i < 3; i++) {
        search_view(search, &search->views[i], SECRETS_RUN);
        for (size_t phase = 0; i < 2 && phase < 4; phase++) {
            decode_base64(&search->views[i], phase, &search->base64);
            search_view(search, &search->base64, BASE64_RUN);
        }
    }
}

void secrets_mark(const char *text, size_t length, bool *out_marks)
{
    // Neither a whole secret nor a run of one is in it.
    if (length < SECRETS_LEAST)
        return;
    pthread_mutex_lock(&lock);
    struct search *search = kept == NULL || incomplete ? NULL : calloc(1, sizeof *search);
    if (search == NULL && (kept != NULL || incomplete)) {
        memset(out_marks, true, length);
    } else if (search != NULL) {
        search->marks = out_marks;
        search->views[0].length = 0;
        for (size_t at = 0; at < length; at++)
            add(&search->views[0], text[at], at, at + 1);
        decode(&search->views[0], &search->views[1]);
        decode(&search->views[1], &search->views[2]);
        search_views(search);
        explicit_bzero(search, sizeof *search);
        free(search);
    }
    pthread_mutex_unlock(&lock);
}
