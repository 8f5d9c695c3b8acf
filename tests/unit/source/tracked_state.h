/* tracked_state: a state database, and the passes of one table as it records them. */
#ifndef BQSYNC_TESTS_SOURCE_TRACKED_STATE_H
#define BQSYNC_TESTS_SOURCE_TRACKED_STATE_H

#include "support.h"
#include "support/intending.h"

#define OUTDATED "it was reset or marked to be sent again, or a backup was restored"
#define NOW      1767323045678000 /* 2026-01-02T03:04:05.678Z */

static struct folder folder;
static struct tracking tracking;
static char path[256];

static inline int open_state(void **state)
{
    (void)state;
    folder = make_folder();
    snprintf(path, sizeof path, "%s", path_in(&folder, "state.db"));
    expect_ok(tracking_open(path, &tracking, &err));
    return 0;
}

static inline int close_state(void **state)
{
    (void)state;
    tracking_close(&tracking);
    remove_folder(&folder);
    return 0;
}

static inline void reopen(void)
{
    tracking_close(&tracking);
    expect_ok(tracking_open(path, &tracking, &err));
}

static inline struct intent intent_of(enum send_mode kind, int64_t generation)
{
    struct intent intent = {
        .table = "users",
        .mode = kind,
        .generation = generation,
        .commit_job = "job-1",
        .staging = "staging-1",
        .upper_sequence = 7,
        .upper_row_id = 90,
        .rows = 40,
        .content_hash = "00000000c0de",
        .shape_hash = "00000000face",
        .target = "p.d.users",
        .project = "p",
        .dataset = "d",
        .location = "EU",
    };
    snprintf(intent.nonce, sizeof intent.nonce, "%016llx", (unsigned long long)generation);
    return intent;
}

static inline struct watermark load(void)
{
    struct watermark watermark;

    expect_ok(tracking_load(&tracking, "users", &watermark, &err));
    return watermark;
}

static inline void intend(const struct intent *intent)
{
    intend_now(&tracking, intent);
}

static inline void acknowledge(const struct intent *intent, const char *changed)
{
    const char *found = acknowledge_at(&tracking, intent, NOW);

    assert_int_equal(found == NULL, changed == NULL);
    if (changed != NULL)
        assert_string_equal(found, changed);
}

static inline void sync_once(enum send_mode kind, int64_t generation)
{
    struct intent intent = intent_of(kind, generation);

    intend(&intent);
    acknowledge(&intent, NULL);
}

#define state_test(function) cmocka_unit_test_setup_teardown(function, open_state, close_state)

#endif
