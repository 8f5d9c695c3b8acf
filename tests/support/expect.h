/* expect: assertions about functions that fill a struct error, which show its message. Comes with
 * prelude.h. */
#ifndef TESTS_SUPPORT_EXPECT_H
#define TESTS_SUPPORT_EXPECT_H

#include "base/error.h"

#include <string.h>

/* The call uses a variable `struct error err` of the caller. */
#define expect_ok(call)                                                                            \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s", #call, err.message);                                                \
    } while (0)

#define expect_error(call, expected, words)                                                        \
    do {                                                                                           \
        if (call)                                                                                  \
            fail_msg("%s did not fail", #call);                                                    \
        assert_string_equal(error_code_name(err.code), error_code_name(expected));                 \
        if (strstr(err.message, (words)) == NULL)                                                  \
            fail_msg("\"%s\" is not in \"%s\"", (words), err.message);                             \
    } while (0)

#endif
