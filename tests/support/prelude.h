/* prelude: the first include of every unit test. cmocka.h needs these four headers before it; the
 * assertions of expect.h come with it. */
#ifndef TESTS_SUPPORT_PRELUDE_H
#define TESTS_SUPPORT_PRELUDE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/expect.h"

#endif
