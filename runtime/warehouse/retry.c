#include "warehouse/retry.h"

#include "warehouse/quota.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

/* "BigQuery SLA": at least a second before the first repetition, doubling up to 32. */
#define PAUSE_FIRST_MS 1000
#define PAUSE_LAST_MS  32000
/* A refused connection costs nobody anything, and a stand-in may be just starting. */
#define PAUSE_REFUSED_MS 200
/* The last try of a call starts this long before its budget ends, so that the call ends with it. */
#define LAST_TRY_MS 500

#define REQUEST        (RETRY_CALL | RETRY_SESSION)
#define ANYWHERE       (RETRY_CALL | RETRY_SESSION | RETRY_JOB | RETRY_TOKEN)
#define UNLESS_SESSION (RETRY_CALL | RETRY_JOB | RETRY_TOKEN)

/* Read from the top; the first row that fits decides. Reasons stand before bare statuses, because
 * one status (403, 400) carries both what passes and what stays. foreign_value.c keeps the texts,
 * since a query's failure is judged by its message as it is shown. */
static const struct retry_row rows[] = {
    // No answer at all.
    {ANYWHERE, HTTP_STOPPED, 0, NULL, NULL, RETRY_GIVE_UP, ERROR_STOPPED},
    {ANYWHERE, HTTP_UNTRUSTED, 0, NULL, NULL, RETRY_GIVE_UP, ERROR_UNREACHABLE},
    {ANYWHERE, HTTP_LOCAL, 0, NULL, NULL, RETRY_GIVE_UP, ERROR_LIMIT},
    {RETRY_SESSION, HTTP_NOT_SENT, 0, NULL, NULL, RETRY_PROBE, ERROR_UNREACHABLE},
    {RETRY_SESSION, HTTP_BROKEN, 0, NULL, NULL, RETRY_PROBE, ERROR_TRANSIENT},
    {UNLESS_SESSION, HTTP_NOT_SENT, 0, NULL, NULL, RETRY_AGAIN, ERROR_UNREACHABLE},
    {UNLESS_SESSION, HTTP_BROKEN, 0, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},

    // A session of an upload.
    {RETRY_SESSION, HTTP_OK, 404, NULL, NULL, RETRY_NEW_SESSION, ERROR_TRANSIENT},
    {RETRY_SESSION, HTTP_OK, 410, NULL, NULL, RETRY_NEW_SESSION, ERROR_TRANSIENT},
    {RETRY_SESSION, HTTP_OK, 408, NULL, NULL, RETRY_PROBE, ERROR_TRANSIENT},
    {RETRY_SESSION, HTTP_OK, 429, NULL, NULL, RETRY_PROBE, ERROR_TRANSIENT},
    {RETRY_SESSION, HTTP_OK, 500, NULL, NULL, RETRY_PROBE, ERROR_TRANSIENT},
    {RETRY_SESSION, HTTP_OK, 502, NULL, NULL, RETRY_PROBE, ERROR_TRANSIENT},
    {RETRY_SESSION, HTTP_OK, 503, NULL, NULL, RETRY_PROBE, ERROR_TRANSIENT},
    {RETRY_SESSION, HTTP_OK, 504, NULL, NULL, RETRY_PROBE, ERROR_TRANSIENT},
    {RETRY_SESSION, HTTP_OK, 0, "rateLimitExceeded", NULL, RETRY_PROBE, ERROR_TRANSIENT},
    {RETRY_SESSION, HTTP_OK, 0, "backendError", NULL, RETRY_PROBE, ERROR_TRANSIENT},
    {RETRY_SESSION, HTTP_OK, 0, "internalError", NULL, RETRY_PROBE, ERROR_TRANSIENT},

    // Token endpoints speak OAuth (RFC 6749 5.2).
    {RETRY_TOKEN, HTTP_OK, 0, "internal_failure", NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_TOKEN, HTTP_OK, 0, "server_error", NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_TOKEN, HTTP_OK, 0, "temporarily_unavailable", NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_TOKEN, HTTP_OK, 408, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_TOKEN, HTTP_OK, 429, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_TOKEN, HTTP_OK, 500, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_TOKEN, HTTP_OK, 502, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_TOKEN, HTTP_OK, 503, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_TOKEN, HTTP_OK, 504, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_TOKEN, HTTP_OK, 0, NULL, NULL, RETRY_GIVE_UP, ERROR_AUTH},

    // A job's own failure: its id is spent, so again means a new job.
    {RETRY_JOB, HTTP_OK, 0, NULL, "Retrying the job may solve", RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, NULL, "Could not serialize access", RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, NULL, "Transaction is aborted", RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, NULL, "Too many DML statements outstanding", RETRY_NEW_JOB,
     ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, "aborted", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, "jobBackendError", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, "jobInternalError", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, "jobRateLimitExceeded", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, "backendError", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, "internalError", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, "rateLimitExceeded", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, "tableUnavailable", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, "resourceInUse", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, "timeout", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {RETRY_JOB, HTTP_OK, 0, "quotaExceeded", NULL, RETRY_WAIT_QUOTA, ERROR_QUOTA},
    {RETRY_JOB, HTTP_OK, 0, "notFound", NULL, RETRY_GIVE_UP, ERROR_NOT_FOUND},
    {RETRY_JOB, HTTP_OK, 0, "duplicate", NULL, RETRY_GIVE_UP, ERROR_CONFLICT},
    {RETRY_JOB, HTTP_OK, 0, "accessDenied", NULL, RETRY_GIVE_UP, ERROR_AUTH},

    // Requests: what BigQuery's reason says.
    {REQUEST, HTTP_OK, 400, "jobBackendError", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {REQUEST, HTTP_OK, 400, "jobInternalError", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {REQUEST, HTTP_OK, 400, "jobRateLimitExceeded", NULL, RETRY_NEW_JOB, ERROR_TRANSIENT},
    {REQUEST, HTTP_OK, 400, "tableUnavailable", NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {REQUEST, HTTP_OK, 400, "resourceInUse", NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {REQUEST, HTTP_OK, 400, "resourcesExceeded", "Too many DML statements", RETRY_AGAIN,
     ERROR_TRANSIENT},
    {RETRY_CALL, HTTP_OK, 0, "rateLimitExceeded", NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_CALL, HTTP_OK, 0, "backendError", NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_CALL, HTTP_OK, 0, "internalError", NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {REQUEST, HTTP_OK, 0, "quotaExceeded", NULL, RETRY_WAIT_QUOTA, ERROR_QUOTA},
    {REQUEST, HTTP_OK, 403, "responseTooLarge", NULL, RETRY_GIVE_UP, ERROR_WAREHOUSE},
    {REQUEST, HTTP_OK, 403, "billingNotEnabled", NULL, RETRY_GIVE_UP, ERROR_WAREHOUSE},
    {REQUEST, HTTP_OK, 403, "blocked", NULL, RETRY_GIVE_UP, ERROR_WAREHOUSE},

    // Requests: what the status alone says.
    {REQUEST, HTTP_OK, 401, NULL, NULL, RETRY_REFRESH_TOKEN, ERROR_AUTH},
    {REQUEST, HTTP_OK, 403, NULL, NULL, RETRY_GIVE_UP, ERROR_AUTH},
    {RETRY_CALL, HTTP_OK, 404, NULL, NULL, RETRY_GIVE_UP, ERROR_NOT_FOUND},
    {RETRY_CALL, HTTP_OK, 408, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {REQUEST, HTTP_OK, 409, NULL, NULL, RETRY_GIVE_UP, ERROR_CONFLICT},
    {REQUEST, HTTP_OK, 412, NULL, NULL, RETRY_GIVE_UP, ERROR_CONFLICT},
    {REQUEST, HTTP_OK, 413, NULL, NULL, RETRY_GIVE_UP, ERROR_LIMIT},
    {RETRY_CALL, HTTP_OK, 429, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_CALL, HTTP_OK, 500, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_CALL, HTTP_OK, 502, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_CALL, HTTP_OK, 503, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},
    {RETRY_CALL, HTTP_OK, 504, NULL, NULL, RETRY_AGAIN, ERROR_TRANSIENT},

    // All else is refused for good.
    {REQUEST | RETRY_JOB, HTTP_OK, 0, NULL, NULL, RETRY_GIVE_UP, ERROR_WAREHOUSE},
};

const struct retry_row *retry_table(size_t *out_count)
{
    *out_count = sizeof rows / sizeof rows[0];
    return rows;
}

static bool fits(const struct retry_row *row, const struct retry_event *event)
{
    if ((row->places & (unsigned)event->place) == 0 || row->failure != event->failure)
        return false;
    if (row->status != 0 && row->status != event->status)
        return false;
    if (row->reason != NULL && strcmp(row->reason, event->reason) != 0)
        return false;
    return row->text == NULL || strstr(event->message, row->text) != NULL;
}

enum retry_action retry_decide(const struct retry_event *event, enum error_code *out_code)
{
    const struct retry_row *row = rows;

    // The last row fits every answer, and those before it every kind of silence.
    while (!fits(row, event))
        row++;
    *out_code = row->code;
    return row->action;
}

int64_t retry_job_pause_ms(const struct error *failure, int failed, uint64_t *random)
{
    bool is_rate = strcmp(failure->reason, "rateLimitExceeded") == 0 ||
                   strcmp(failure->reason, "jobRateLimitExceeded") == 0;
    int64_t step = PAUSE_FIRST_MS;

    while (--failed > 0 && step < PAUSE_LAST_MS)
        step *= 2;
    int64_t pause = step / 2 + retry_random(random, step / 2 + 1);
    return is_rate ? QUOTA_WINDOW_MS + pause : pause;
}

void retry_begin(
    struct retry *retry, const struct clock *clock, int64_t budget_ms, uint64_t *random)
{
    *retry = (struct retry){.clock = clock, .budget_ms = budget_ms, .random = random};
    retry_progress(retry);
}

void retry_progress(struct retry *retry)
{
    retry->started_ms = retry->clock->monotonic_ms(retry->clock->context);
    retry->failed_ms = -1;
    retry->until_ms = INT64_MAX;
    retry->next_ms = 0;
}

void retry_limit(struct retry *retry, int64_t left_ms)
{
    int64_t now = retry->clock->monotonic_ms(retry->clock->context);

    if (retry->failed_ms < 0)
        retry->failed_ms = now;
    retry->until_ms = now + left_ms;
}

int64_t retry_left_ms(const struct retry *retry)
{
    int64_t now = retry->clock->monotonic_ms(retry->clock->context);
    int64_t end = retry->started_ms + retry->budget_ms;

    return (end < retry->until_ms ? end : retry->until_ms) - now;
}

/* Full jitter: anywhere between nothing and the step, so that many clients do not come back at
 * once. */
static int64_t jittered(struct retry *retry)
{
    int64_t step = retry->next_ms;

    retry->next_ms = step * 2 > PAUSE_LAST_MS ? PAUSE_LAST_MS : step * 2;
    return retry_random(retry->random, step + 1);
}

int64_t retry_next(struct retry *retry, bool refused, int64_t retry_after_ms)
{
    int64_t room = retry_left_ms(retry) - (retry->budget_ms > 2 * LAST_TRY_MS ? LAST_TRY_MS : 0);

    retry->attempts++;
    if (retry->next_ms == 0)
        retry->next_ms = refused ? PAUSE_REFUSED_MS : PAUSE_FIRST_MS;
    int64_t pause = jittered(retry);
    if (room <= 0 || retry_after_ms > room)
        return -1;
    if (pause > room)
        pause = room;
    return pause < retry_after_ms ? retry_after_ms : pause;
}

bool retry_sleep(const struct retry *retry, int64_t pause_ms, struct error *err)
{
    if (!retry->clock->sleep_ms(retry->clock->context, pause_ms))
        return error_set(err, ERROR_STOPPED, "asked to stop while waiting to try again");
    return true;
}

uint64_t retry_seed(void)
{
    uint64_t seed = 0;

    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed || seed == 0)
        seed = (uint64_t)time(NULL) | 1;
    return seed;
}

int64_t retry_random(uint64_t *state, int64_t below)
{
    // xorshift64 (Marsaglia, "Xorshift RNGs"): jitter needs no more.
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return below <= 0 ? 0 : (int64_t)(*state % (uint64_t)below);
}
