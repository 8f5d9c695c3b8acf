/* fuzz: what every fuzzer is made of. An input is taken apart from its front: a few bytes choose
 * what is asked, the rest is the text or the value that is asked about. A promise that does not
 * hold ends the process, and libFuzzer keeps the input. One thread. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs one input; every fuzzer defines it ("libFuzzer", LLVM documentation). Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of an input. */
struct fuzz {
    const uint8_t *at;
    size_t left;
};

struct fuzz fuzz_of(const uint8_t *data, size_t size);

/* The next byte, 0 behind the end. */
uint8_t fuzz_byte(struct fuzz *in);

/* A choice of count, from one byte; count is at most 256. */
size_t fuzz_choice(struct fuzz *in, size_t count);

/* The next eight bytes as a number, little-endian, as if zeros followed the end. */
uint64_t fuzz_uint64(struct fuzz *in);

/* A text of at most `most` bytes, whose length the next byte says. Borrowed. */
struct slice fuzz_text(struct fuzz *in, size_t most);

/* All that is left. Borrowed. */
struct slice fuzz_rest(struct fuzz *in);

/* The same with a terminator behind it, up to the first zero byte. Returned owned. */
char *fuzz_rest_text(struct fuzz *in);

/* Ends the process with the message. */
_Noreturn void fuzz_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define FUZZ_REQUIRE(condition, ...)                                                               \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fuzz_fail(__FILE__, __LINE__, __VA_ARGS__);                                            \
    } while (0)

/* For printf's "%.*s". */
#define FUZZ_TEXT(slice) (int)(slice).length, (slice).data

#endif
