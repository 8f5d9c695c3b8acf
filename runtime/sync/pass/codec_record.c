#include "sync/pass/codec_record.h"

#include "warehouse/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names in bq_sync_meta. */
#define LINK  "link_bytes_a_second"
#define CODEC "codec"

static bool load_link(struct tracking *tracking, int64_t *out_speed, struct error *err)
{
    char value[32];

    if (!tracking_get(tracking, LINK, value, sizeof value, err))
        return false;
    *out_speed = strtoll(value, NULL, 10);
    return true;
}

static bool load_refused(struct tracking *tracking, bool *out_refused, struct error *err)
{
    char value[16];

    if (!tracking_get(tracking, CODEC, value, sizeof value, err))
        return false;
    *out_refused = strcmp(value, "deflate") == 0;
    return true;
}

bool codec_record_load(
    const struct deployment *deployment, struct tracking *tracking, struct extract_codec *out_codec,
    struct error *err)
{
    struct extract_codec codec = {0};
    int64_t kept = 0;

    if (!load_refused(tracking, &codec.deflate_only, err) || !load_link(tracking, &kept, err))
        return false;
    if (deployment->link != NULL) {
        link_restore(deployment->link, kept);
        codec.link_bytes = link_speed(deployment->link);
    }
    *out_codec = codec;
    return true;
}

bool codec_record_save(
    const struct deployment *deployment, struct tracking *tracking, struct error *err)
{
    int64_t speed = deployment->link == NULL ? 0 : link_speed(deployment->link);
    int64_t kept = 0;
    char value[32];

    if (speed == 0)
        return true;
    if (!load_link(tracking, &kept, err))
        return false;
    if (llabs(speed - kept) <= kept / 10)
        return true;
    snprintf(value, sizeof value, "%" PRId64, speed);
    return tracking_set(tracking, LINK, value, err);
}

bool codec_record_refuse(struct tracking *tracking, bool *out_news, struct error *err)
{
    bool refused = false;

    if (!load_refused(tracking, &refused, err) || !tracking_set(tracking, CODEC, "deflate", err))
        return false;
    *out_news = !refused;
    return true;
}
