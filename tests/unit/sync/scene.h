/* scene: the tables of tests/schemas in a SQLite file that vanishes with the test, and a BigQuery
 * that agrees to everything unless the test says otherwise. What it is asked is written down as one
 * line a request, with the number of open intents at that moment, so that a test can state which
 * requests were made, in which order, and what was on disk before each. One thread. */
#ifndef TESTS_UNIT_SYNC_SCENE_H
#define TESTS_UNIT_SYNC_SCENE_H

#include "support/prelude.h"

#include "base/config.h"
#include "support/fake_http.h"
#include "support/manual_clock.h"
#include "sync/deployment.h"
#include "sync/pass/pass.h"
#include "sync/pass/task.h"
#include "sync/pass/workers.h"

#define SCENE_TASKS_MAX 4

/* An answer other than yes to the requests whose line contains `match`. */
struct scene_answer {
    const char *match;
    const char *meanwhile; /* runs on the source before the answer, which then is yes */
    struct fake_reply reply;
    int times; /* 0: always */
    int given;
};

struct scene {
    char folder[64];
    char path[128];
    struct config config;
    struct deployment deployment;
    struct database source;
    struct database watch; /* looks at the state while others work on it */
    struct tracking tracking;
    struct manual_clock clock;
    struct fake_http http;
    struct worker worker;
    struct workers workers; /* of that worker alone */

    struct task tasks[SCENE_TASKS_MAX];
    struct table_result outcomes[SCENE_TASKS_MAX];
    struct task *order[SCENE_TASKS_MAX];
    size_t count;

    /* Of scene_pass_run. */
    struct pass_options options;
    struct run_result result;

    struct scene_answer *answers;
    size_t answer_count;
    struct buffer requests;
    struct buffer urls; /* of all requests, one a line */
    char *last_sql;     /* of the last query job */
    char *last_body;    /* of the last request */
};

/* The state lives in the source, which is captured by triggers. Apart: the state has a file of its
 * own, and changes are found by scans. */
int scene_setup(void **state);
int scene_setup_apart(void **state);
int scene_teardown(void **state);

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
#define APART_TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup_apart, scene_teardown)

/* Changes the source as an application would. */
void scene_run(struct scene *scene, const char *sql);
/* The first column of the first row in the state, in bytes that the next call overwrites. */
const char *scene_state(struct scene *scene, const char *sql);

/* Forgets the tasks of a pass and makes one for each table named, NULL at the end. The targets
 * exist and carry the labels that the last acknowledged intent has given them. */
void scene_pass(struct scene *scene, ...);
/* Steps of a pass for all its tasks, failures in their outcomes: */
void scene_plan(struct scene *scene);
void scene_read(struct scene *scene);
void scene_commit(struct scene *scene);
/* A whole pass over one table, which has to end well. */
void scene_sync(struct scene *scene, const char *table);

/* The same over the tables named, NULL at the end, by pass_run with connections of its own.
 * BigQuery lists the targets that have got a label. How it ends is in scene->result. */
void scene_pass_run(struct scene *scene, ...);

void scene_answers(struct scene *scene, struct scene_answer *answers, size_t count);
/* What was asked since the last call: "1 patch accounts\n1 upload load\n..." */
const char *scene_requests(struct scene *scene);

/* Of a job's request, the parameter of that name, NULL if it has none. */
cJSON *scene_parameter(const cJSON *job, const char *name);
/* The texts of the values in the parameter for the rows of the last request, a line for each row.
 */
const char *scene_sent_rows(const struct scene *scene);

#define SCENE_ANSWERS(scene, ...)                                                                  \
    do {                                                                                           \
        static struct scene_answer answers_[] = {__VA_ARGS__};                                     \
        scene_answers(scene, answers_, sizeof answers_ / sizeof answers_[0]);                      \
    } while (0)

#define FAILED_JOB(reason)                                                                         \
    {                                                                                              \
        .status = 200,                                                                             \
        .body =                                                                                    \
            "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\",\"errorResult\":"    \
            "{\"reason\":\"" reason "\",\"message\":\"no luck\"}}}"                                \
    }

#endif
