/* avro_read: reads an Avro object file from memory with the Avro project's own C library, which
 * shares nothing with our writer. */
#ifndef TESTS_SUPPORT_AVRO_READ_H
#define TESTS_SUPPORT_AVRO_READ_H

#include "support/prelude.h"

#include "base/slice.h"
#include "support/avro_unzstd.h"

#include <stdio.h>

/* Functions of the library's older interface, which we do not use, have the names of our writers.
 */
#define avro_int64  avro_legacy_int64
#define avro_string avro_legacy_string
#define avro_bytes  avro_legacy_bytes
#include <avro.h>
#undef avro_int64
#undef avro_string
#undef avro_bytes

struct avro_read {
    avro_file_reader_t reader;
    avro_schema_t schema;
    avro_value_iface_t *interface;
    avro_value_t row;
    struct buffer plain;
};

static inline void avro_read_open(struct avro_read *in, struct slice file)
{
    buffer_init(&in->plain, (size_t)1 << 30);
    avro_unzstd(file, &in->plain);
    FILE *stream = fmemopen(in->plain.data, in->plain.length, "rb");

    assert_non_null(stream);
    if (avro_file_reader_fp(stream, "memory", 1, &in->reader) != 0)
        fail_msg("not an Avro file: %s", avro_strerror());
    in->schema = avro_file_reader_get_writer_schema(in->reader);
    in->interface = avro_generic_class_from_schema(in->schema);
    assert_non_null(in->interface);
    assert_int_equal(avro_generic_value_new(in->interface, &in->row), 0);
}

/* Whether there was one more row, which is now in in->row. */
static inline bool avro_read_next(struct avro_read *in)
{
    avro_value_reset(&in->row);
    int status = avro_file_reader_read_value(in->reader, &in->row);
    if (status != 0 && status != EOF)
        fail_msg("a row cannot be read: %s", avro_strerror());
    return status == 0;
}

/* A field of the row, seen through its union; false if it is null. */
static inline bool avro_read_field(struct avro_read *in, size_t index, avro_value_t *out)
{
    avro_value_t field;
    int branch;

    assert_int_equal(avro_value_get_by_index(&in->row, index, &field, NULL), 0);
    if (avro_value_get_type(&field) != AVRO_UNION) {
        *out = field;
        return true;
    }
    assert_int_equal(avro_value_get_discriminant(&field, &branch), 0);
    assert_int_equal(avro_value_get_current_branch(&field, out), 0);
    return branch == 1;
}

static inline void avro_read_close(struct avro_read *in)
{
    avro_value_decref(&in->row);
    avro_value_iface_decref(in->interface);
    avro_schema_decref(in->schema);
    avro_file_reader_close(in->reader);
    buffer_clear(&in->plain);
}

#endif
