/* error: what went wrong, in a struct that the caller owns on its stack.
 *
 * A function that can fail returns bool (true is success) and takes `struct error *err` last; err
 * is never NULL and is written only on failure. A code exists because some caller decides by it:
 * whether to try again, which status the process ends with. Any thread may call this; nothing is
 * shared. */
#ifndef BQSYNC_BASE_ERROR_H
#define BQSYNC_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define MUST_CHECK               __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

enum error_code {
    ERROR_NONE,
    ERROR_USAGE,       /* the command line is wrong */
    ERROR_CONFIG,      /* a setting is missing or wrong, or the dataset does not exist */
    ERROR_AUTH,        /* credentials cannot be read or were refused, or a permission is missing */
    ERROR_UNREACHABLE, /* nothing answers, after all retries */
    ERROR_SOURCE,      /* the source or state database cannot be used */
    ERROR_BUSY,        /* SQLite stayed locked by someone else for longer than we wait */
    ERROR_LOCKED,      /* another bqsync works on the same state */
    ERROR_SCHEMA,      /* the table's definition does not fit SQLite or BigQuery as they are */
    ERROR_REJECTED,  /* a row's value does not fit its column and the table says on_reject: fail, or
                        forget was given a key that SQLite still has */
    ERROR_WAREHOUSE, /* BigQuery refused for good */
    ERROR_NOT_FOUND, /* BigQuery does not know the table or the job */
    ERROR_CONFLICT,  /* it exists already, or changed under our hands (409, 412) */
    ERROR_QUOTA,     /* a quota is used up; waiting helps */
    ERROR_BUDGET,    /* the day's bytes are billed (BQ_MAX_BYTES_BILLED_PER_DAY); waiting helps */
    ERROR_TRANSIENT, /* BigQuery or the way to it failed; trying again helps */
    ERROR_LIMIT,     /* something is larger than a fixed ceiling allows */
    ERROR_MEMORY,    /* out of memory */
    ERROR_DISK,      /* a file of our own cannot be written: disk full, no rights */
    ERROR_STOPPED,   /* asked to stop */
    ERROR_CODE_COUNT
};

struct error {
    enum error_code code;
    int http_status;        /* of the answer that caused it, 0 if none */
    int64_t retry_after_ms; /* what the server asked us to wait, 0 if it did not say */
    char reason[48];        /* BigQuery's own reason word ("quotaExceeded"), "" if none */
    bool refused; /* the caller lacks a right, and BigQuery said so at once: it has done nothing */
    char message[1024];
    /* The row it is about, "the row with id = 7", "" if none is known. Keys are data: logs and
     * reports show the message alone, the output of a command shows error_text. */
    char row[512];
};

#define ERROR_TEXT_SIZE 1600

/* Fills err and returns false, so that `return error_set(...)` is the idiom. A message longer than
 * the field is cut, between two characters. */
bool error_set(struct error *err, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "context: " in front of the message, once a layer on the way up; the rest of err stays.
 * Returns false. */
bool error_wrap(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts " (note)" behind the message, of which only so much is kept that the note fits; the rest of
 * err stays. Returns false. */
bool error_note(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The message and, if it is known, the row: for the output of a command, its JSON and the state
 * database, never for a log or a report. Returns out. */
const char *error_text(const struct error *err, char out[static ERROR_TEXT_SIZE]);

#ifdef __clang_analyzer__
/* The analyzer does not look into other files, and without this takes failures for successes. */
#define error_set(...)  (error_set(__VA_ARGS__), false)
#define error_wrap(...) (error_wrap(__VA_ARGS__), false)
#define error_note(...) (error_note(__VA_ARGS__), false)
#endif

/* The code's name as logs and JSON show it, for example "unreachable"; a static string. */
const char *error_code_name(enum error_code code);

/* Whether the same thing may succeed later without anybody changing anything. */
bool error_is_retryable(enum error_code code);

/* The code of an error with this errno: ERROR_MEMORY if memory is missing, ERROR_LIMIT if a setting
 * cannot be read because descriptors are, else `otherwise`. */
enum error_code error_code_of_errno(int reason, enum error_code otherwise);

/* What a person can do about this errno, "; raise the limit ...", if it is a limit of the process
 * or the machine; else "". Static. */
const char *error_limit_advice(int reason);

/* What an operator can do about an error with this code's name (error_code_name), one or two
 * sentences; NULL if only its message can say. The dashboard says the same (words.js). */
const char *error_fix(const char *name);

/* The exit status of a command that ended with this error (0 for ERROR_NONE). */
int error_exit_status(enum error_code code);

#endif
