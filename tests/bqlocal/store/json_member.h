/* json_member: members of the JSON objects that clients send and bqlocal answers. A NULL object has
 * no members, so lookups can be nested without checks. Pure; any thread. */
#ifndef BQLOCAL_STORE_JSON_MEMBER_H
#define BQLOCAL_STORE_JSON_MEMBER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* The member or NULL; borrowed. */
const cJSON *json_at(const cJSON *object, const char *key);
/* The text of a string member, or NULL; borrowed. */
const char *json_text(const cJSON *object, const char *key);
/* A copy of that text, owned, or NULL. */
char *json_text_copy(const cJSON *object, const char *key);
/* A number that is given as number, as string, or as {"value": number or string}. */
int64_t json_number(const cJSON *object, const char *key, int64_t fallback);
/* true, or the string "true" in any case. */
bool json_bool(const cJSON *object, const char *key, bool fallback);

/* Adds a number as BigQuery answers 64-bit integers: as a string. */
void json_add_number(cJSON *object, const char *key, int64_t number);
/* Adds a copy of from's member to the object, if from has it. */
void json_copy(cJSON *object, const cJSON *from, const char *key);
/* Puts the item, which it takes, in place of the member. */
void json_set(cJSON *object, const char *key, cJSON *item);

#endif
