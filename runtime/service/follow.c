#include "service/follow.h"

#include "service/schedule.h"

#include <stdio.h>

int64_t follow_due_ms(const struct follow *follow, int64_t since_ms)
{
    if (follow->delay_ms <= 0 || since_ms == FOLLOW_NEVER)
        return FOLLOW_NEVER;
    int64_t due_ms = since_ms + follow->delay_ms;

    return due_ms > follow->held_until_ms ? due_ms : follow->held_until_ms;
}

void follow_hold(struct follow *follow, int64_t now_ms, int64_t for_ms)
{
    follow->held_until_ms = now_ms + for_ms;
}

void follow_text(int64_t delay_ms, char *out, size_t size)
{
    char duration[32];

    if (delay_ms <= 0)
        out[0] = '\0';
    else
        snprintf(
            out, size, "%s after a commit", schedule_duration(delay_ms, duration, sizeof duration));
}
