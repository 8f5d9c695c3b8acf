/* intending: records and acknowledges intents as a pass does that nothing interferes with. */
#ifndef TESTS_SUPPORT_INTENDING_H
#define TESTS_SUPPORT_INTENDING_H

#include "support/prelude.h"

#include "source/tracking.h"
#include "support/expect.h"

/* With a plan that was made just now. */
static inline void intend_now(struct tracking *tracking, const struct intent *intent)
{
    struct watermark seen;
    const struct tracking_basis basis = {.watermark = &seen};
    const char *changed = "unset";
    struct error error;

    if (!tracking_load(tracking, intent->table, &seen, &error) ||
        !tracking_intend(tracking, intent, &basis, &changed, &error))
        fail_msg("%s", error.message);
    assert_null(changed);
}

/* Returns what has changed since the intent was recorded, NULL if nothing has. */
static inline const char *acknowledge_at(
    struct tracking *tracking, const struct intent *intent, int64_t now_us)
{
    const char *changed = "unset";
    struct error error;

    if (!tracking_acknowledge(tracking, intent, now_us, &changed, &error))
        fail_msg("%s", error.message);
    return changed;
}

#endif
