/* shadow_claim: what a row is to its converted key (source/shadow.h, source/shadow_keys.h). */
#ifndef BQSYNC_SOURCE_SHADOW_CLAIM_H
#define BQSYNC_SOURCE_SHADOW_CLAIM_H

enum shadow_claim {
    SHADOW_CLAIM_OWN,   /* nobody else has it */
    SHADOW_CLAIM_MOVED, /* BigQuery holds it for a row that is gone: this one takes its place */
    SHADOW_CLAIM_TAKEN, /* another row that is still there has it: this one must be rejected */
};

#endif
