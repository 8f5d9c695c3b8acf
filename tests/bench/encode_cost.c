/* encode_cost: what reading, checking, encoding and compressing a table cost next to only reading
 * it. The bare scan is SQLite's own, on a connection as sqlite3_open makes it, which locks a mutex
 * in each call; so that the price of these locks is seen, it is there without them, too. All others
 * have none and read ahead, as bqsync does. Each run is a process of its own, so that peak memory
 * is its own; the variants take turns, so that a noisy machine hits all of them; walls are medians,
 * processor times the least.
 *
 *   encode_cost [--rows N] [--rounds N] [FILE]
 *   encode_cost --make N FILE     only makes the table
 *   encode_cost --bare FILE       only one bare scan, for programs that measure it beside others
 *
 * A FILE that does not exist is made, with N rows of chat messages; without FILE that happens in
 * $TMPDIR and it is removed again. Ratios within one
 * run of the program mean something; seconds of different runs do not. */
#include "base/spool.h"
#include "chat_history.h"
#include "encode/avro.h"
#include "encode/column.h"
#include "encode/container.h"
#include "source/sidecar.h"

#include <math.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 101

struct variant {
    const char *label;
    int mutexes; /* a flag of sqlite3_open_v2 */
    bool ahead;  /* reads ahead */
    bool encode;
    enum codec codec;
    int threads;
};

static const struct variant variants[] = {
    {"bare scan", SQLITE_OPEN_FULLMUTEX, false, false, CODEC_NULL, 0},
    {"bare, no mutexes", SQLITE_OPEN_NOMUTEX, false, false, CODEC_NULL, 0},
    {"scan, read ahead", SQLITE_OPEN_NOMUTEX, true, false, CODEC_NULL, 0},
    {"checked Avro", SQLITE_OPEN_NOMUTEX, true, true, CODEC_NULL, 0},
    {"deflated Avro", SQLITE_OPEN_NOMUTEX, true, true, CODEC_DEFLATE, 0},
    {"deflated, 1 helper", SQLITE_OPEN_NOMUTEX, true, true, CODEC_DEFLATE, 1},
    {"zstd Avro", SQLITE_OPEN_NOMUTEX, true, true, CODEC_ZSTD, 0},
    {"zstd, 1 helper", SQLITE_OPEN_NOMUTEX, true, true, CODEC_ZSTD, 1},
};

#define VARIANTS (sizeof variants / sizeof variants[0])

struct outcome {
    double wall;
    double cpu;
    uint64_t bytes;
    uint64_t rows;
    long peak_kib;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "encode_cost: %s: %s\n", what, why);
    exit(1);
}

/* xorshift64*: the table is the same every time. */
static uint64_t seed = 42;

static uint64_t next_random(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * UINT64_C(2685821657736338717);
}

static double random_unit(void)
{
    return (double)(next_random() >> 11) * 0x1p-53;
}

#define WORDS 3000

struct vocabulary {
    char words[WORDS][32];
};

/* Pseudo-words of two to four syllables: Latin, or Devanagari for every eighth message. */
static void make_words(struct vocabulary *out, bool latin)
{
    static const char *const first[] = {"b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t"};
    static const char *const second[] = {"a", "e", "i", "o", "u", "an", "er", "ing"};

    for (int i = 0; i < WORDS; i++) {
        char *at = out->words[i];
        for (uint64_t left = 1 + next_random() % 3; left > 0; left--) {
            if (latin)
                at += sprintf(at, "%s%s", first[next_random() % 12], second[next_random() % 8]);
            else
                at += sprintf(
                    at, "\xe0\xa4%c\xe0\xa4%c", (int)(0x95 + next_random() % 30),
                    (int)(0xbe + next_random() % 2));
        }
    }
}

/* About log-normal, 20 to 2000 bytes; frequent words are frequent as in any language. */
static size_t make_message(const struct vocabulary *words, char out[2100])
{
    double normal = sqrt(-2 * log(random_unit() + 1e-12)) * cos(6.283185307179586 * random_unit());
    double wanted = exp(5.8 + normal * 0.9);
    size_t length = 0;

    if (wanted > 2000)
        wanted = 2000;
    do {
        double rank = pow((double)WORDS, random_unit()) - 1;
        length += (size_t)sprintf(
            out + length, "%s%s", words->words[(int)rank], next_random() % 12 == 0 ? ".\n" : " ");
    } while ((double)length < wanted);
    return length;
}

static void bind_row(
    sqlite3_stmt *insert, int64_t id, const struct vocabulary *words, char message[2100])
{
    char time[40];

    sqlite3_bind_int64(insert, 1, id);
    sqlite3_bind_int64(insert, 2, (int64_t)(next_random() % 5000));
    sqlite3_bind_int64(insert, 3, (int64_t)(next_random() % 900));
    sqlite3_bind_int64(insert, 4, (int64_t)(next_random() % 300));
    sqlite3_bind_text(insert, 5, id % 2 == 0 ? "user" : "assistant", -1, SQLITE_STATIC);
    size_t length = make_message(&words[id % 8 == 0 ? 1 : 0], message);
    sqlite3_bind_text(insert, 6, message, (int)length, SQLITE_STATIC);
    sqlite3_bind_text(insert, 7, id % 5 == 0 ? "code" : "text", -1, SQLITE_STATIC);
    snprintf(
        time, sizeof time, "20%02d-%02d-%02d %02d:%02d:%02d.%06d", (int)(id % 25 + 1),
        (int)(id % 12 + 1), (int)(id % 28 + 1), (int)(id % 24), (int)(id % 60), (int)(id % 59),
        (int)(next_random() % 1000000));
    sqlite3_bind_text(insert, 8, time, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(insert, 9, time, -1, SQLITE_TRANSIENT);
    sqlite3_bind_null(insert, 10);
}

static void make_table(const char *path, int64_t rows)
{
    static struct vocabulary words[2];
    char message[2100];
    sqlite3 *db;
    sqlite3_stmt *insert;

    make_words(&words[0], true);
    make_words(&words[1], false);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(
            db,
            "PRAGMA journal_mode = wal; PRAGMA synchronous = off;"
            "CREATE TABLE chat_history (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL,"
            " question_id INTEGER, task_id INTEGER, role TEXT NOT NULL, content TEXT,"
            " response_type TEXT, created_at DATETIME, updated_at DATETIME, deleted_at DATETIME);"
            "BEGIN",
            NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(
            db, "INSERT INTO chat_history VALUES (?,?,?,?,?,?,?,?,?,?)", -1, &insert, NULL) !=
            SQLITE_OK)
        die(path, sqlite3_errmsg(db));
    for (int64_t i = 0; i < rows; i++) {
        bind_row(insert, i + i / 30, words, message);
        sqlite3_step(insert);
        if (sqlite3_reset(insert) != SQLITE_OK)
            die(path, sqlite3_errmsg(db));
    }
    sqlite3_finalize(insert);
    if (sqlite3_exec(db, "COMMIT; PRAGMA wal_checkpoint(truncate)", NULL, NULL, NULL) != SQLITE_OK)
        die(path, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static bool count_bytes(void *context, struct slice bytes, struct error *err)
{
    (void)err;
    *(uint64_t *)context += bytes.length;
    return true;
}

/* Touches every value by the getter of its class, as any reader has to. */
static void scan_row(sqlite3_stmt *row, int columns, struct outcome *out)
{
    for (int i = 0; i < columns; i++) {
        switch (sqlite3_column_type(row, i)) {
        case SQLITE_INTEGER:
            out->bytes += (uint64_t)sqlite3_column_int64(row, i) & 1;
            break;
        case SQLITE_FLOAT:
            out->bytes += sqlite3_column_double(row, i) > 0;
            break;
        case SQLITE_NULL:
            break;
        default:
            out->bytes += (uint8_t)sqlite3_column_text(row, i)[0];
            out->bytes += (uint64_t)sqlite3_column_bytes(row, i);
        }
    }
}

static void scan(sqlite3_stmt *row, struct outcome *out)
{
    int columns = sqlite3_column_count(row);

    for (; sqlite3_step(row) == SQLITE_ROW; out->rows++)
        scan_row(row, columns, out);
}

static void encode(sqlite3_stmt *row, const struct variant *variant, struct outcome *out)
{
    const struct table *table = &chat_history_table;
    const struct sink sink = {.write = count_bytes, .context = &out->bytes};
    bool nullable[64] = {false};
    struct container *container;
    struct column_reader reader;
    void *values = malloc(table->row_size);
    struct error err;

    for (size_t i = 0; i < table->column_count; i++)
        nullable[i] = !table->columns[i].required;
    char *schema = avro_schema_text(table, &(struct avro_schema){.nullable = nullable});
    const struct container_options options = {
        .schema_json = schema,
        .nullable = nullable,
        .codec = variant->codec,
        .threads = variant->threads,
    };
    if (values == NULL)
        die("encode", "out of memory");
    if (!column_reader_init(&reader, table, row, &err) ||
        !container_open(&options, sink, &container, &err))
        die("encode", err.message);
    for (; sqlite3_step(row) == SQLITE_ROW; out->rows++) {
        column_reader_next(&reader, false);
        table->read(&reader, values);
        if (!column_reader_row_fits(&reader))
            die(reader.problems[0].storage_class, reader.problems[0].reason);
        table->encode(container_begin_row(container), values);
        if (!container_end_row(container, &err))
            die("encode", err.message);
    }
    if (!container_close(container, NULL, &err))
        die("encode", err.message);
    column_reader_clear(&reader);
    free(schema);
    free(values);
}

static double seconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct outcome run_here(const char *path, const struct variant *variant)
{
    struct outcome out = {0};
    struct rusage usage;
    sqlite3 *db;
    sqlite3_stmt *row;

    if (sqlite3_open_v2(
            path, &db, SQLITE_OPEN_READONLY | variant->mutexes,
            variant->ahead ? sidecar_vfs() : NULL) != SQLITE_OK ||
        sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, chat_history_table.scan_sql, -1, &row, NULL) != SQLITE_OK)
        die(path, sqlite3_errmsg(db));
    double wall = seconds(CLOCK_MONOTONIC);
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (variant->encode)
        encode(row, variant, &out);
    else
        scan(row, &out);
    out.wall = seconds(CLOCK_MONOTONIC) - wall;
    out.cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    sqlite3_finalize(row);
    sqlite3_close(db);
    getrusage(RUSAGE_SELF, &usage);
    out.peak_kib = usage.ru_maxrss;
    return out;
}

static struct outcome run(const char *path, const struct variant *variant)
{
    struct outcome out;
    int ends[2];
    int status;

    if (pipe(ends) != 0)
        die("pipe", "failed");
    pid_t child = fork();
    if (child == 0) {
        out = run_here(path, variant);
        _exit(write(ends[1], &out, sizeof out) == (ssize_t)sizeof out ? 0 : 1);
    }
    close(ends[1]);
    bool got = child > 0 && read(ends[0], &out, sizeof out) == (ssize_t)sizeof out;
    close(ends[0]);
    if (child > 0)
        waitpid(child, &status, 0);
    if (!got)
        die(variant->label, "the run failed");
    return out;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median_wall(struct outcome outcomes[][VARIANTS], int rounds, size_t variant)
{
    double values[ROUNDS_MAX];

    for (int i = 0; i < rounds; i++)
        values[i] = outcomes[i][variant].wall;
    qsort(values, (size_t)rounds, sizeof values[0], compare);
    return values[rounds / 2];
}

/* Neighbours only ever add to the processor time of a run, so the least is nearest to its own. */
static double least_cpu(struct outcome outcomes[][VARIANTS], int rounds, size_t variant)
{
    double least = outcomes[0][variant].cpu;

    for (int i = 1; i < rounds; i++)
        least = outcomes[i][variant].cpu < least ? outcomes[i][variant].cpu : least;
    return least;
}

static void report(struct outcome outcomes[][VARIANTS], int rounds, double table_bytes)
{
    double base = least_cpu(outcomes, rounds, 0);

    printf(
        "%-20s %8s %8s %8s %10s %8s %9s\n", "variant", "seconds", "x scan", "x cpu", "MB/s", "size",
        "peak MiB");
    for (size_t i = 0; i < VARIANTS; i++) {
        double wall = median_wall(outcomes, rounds, i);
        double ratios[ROUNDS_MAX];
        long peak = 0;
        for (int j = 0; j < rounds; j++) {
            ratios[j] = outcomes[j][i].wall / outcomes[j][0].wall;
            peak = outcomes[j][i].peak_kib > peak ? outcomes[j][i].peak_kib : peak;
        }
        qsort(ratios, (size_t)rounds, sizeof ratios[0], compare);
        printf(
            "%-20s %8.3f %8.2f %8.2f %10.0f %8.2f %9.1f\n", variants[i].label, wall,
            ratios[rounds / 2], least_cpu(outcomes, rounds, i) / base, table_bytes / wall / 1e6,
            variants[i].encode ? (double)outcomes[0][i].bytes / table_bytes : 0,
            (double)peak / 1024);
    }
}

int main(int argc, char **argv)
{
    static struct outcome outcomes[ROUNDS_MAX][VARIANTS];
    int64_t rows = 200000;
    int rounds = 7;
    const char *path = NULL;
    char made[256] = "";
    struct stat info;

    if (argc == 4 && strcmp(argv[1], "--make") == 0) {
        make_table(argv[3], strtoll(argv[2], NULL, 10));
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--bare") == 0)
        return run_here(argv[2], &variants[0]).rows == 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rows") == 0 && i + 1 < argc)
            rows = strtoll(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = (int)strtol(argv[++i], NULL, 10);
        else if (argv[i][0] != '-')
            path = argv[i];
        else
            die("usage", "encode_cost [--rows N] [--rounds N] [FILE]");
    }
    if (rounds < 1 || rounds > ROUNDS_MAX)
        die("--rounds", "1 to 101");
    if (path == NULL) {
        const char *folder = getenv("TMPDIR");
        snprintf(
            made, sizeof made, "%s/encode_cost.%ld.db", folder != NULL ? folder : "/tmp",
            (long)getpid());
        make_table(made, rows);
        path = made;
    } else if (stat(path, &info) != 0)
        make_table(path, rows);
    for (int i = 0; i < rounds; i++) {
        for (size_t j = 0; j < VARIANTS; j++)
            outcomes[i][j] = run(path, &variants[j]);
    }
    if (stat(path, &info) != 0)
        die(path, "is gone");
    printf(
        "%llu rows, %.0f MB, %d rounds\n", (unsigned long long)outcomes[0][0].rows,
        (double)info.st_size / 1e6, rounds);
    report(outcomes, rounds, (double)info.st_size);
    if (made[0] != '\0')
        unlink(made);
    return 0;
}
