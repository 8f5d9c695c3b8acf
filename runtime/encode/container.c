#include "encode/container.h"

#include "encode/level.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define SYNC_BYTES 16

/* Every block in flight costs its size in memory. DEFLATE looks back 32 KiB, so larger blocks
 * hardly pack better. zstd looks back through the whole block and chooses its tables by the block's
 * size: up to 256 KiB they are small, and level 3 packs 4 to 22 % worse. */
#define BLOCK_BYTES_DEFLATE ((size_t)256 * 1024)
#define BLOCK_BYTES_ZSTD    ((size_t)512 * 1024)

/* Full blocks waiting for a compressor, at most: more only cost memory, because the caller helps
 * when they are all taken. */
#define QUEUE_MAX      4
#define QUEUE_MAX_ZSTD 1
#define THREADS_MAX    16

/* Every full block is queued or being compressed by a helper, so one more is always free to be
 * filled. */
#define BLOCKS_MAX (QUEUE_MAX + THREADS_MAX + 1)

struct block {
    struct buffer raw;
    uint64_t rows;
};

struct container {
    struct avro_writer writer; /* into current->raw */
    struct block *current;
    size_t row_start; /* of the row begun last, in current->raw */
    size_t block_bytes;
    enum codec codec;
    struct packer *packer; /* the caller's own; NULL: no compression */
    uint64_t rows;
    uint64_t raw_bytes;
    int64_t read_from_ns; /* the caller's processor time when the current block was empty */
    uint8_t sync[SYNC_BYTES];

    /* The thread that finished a block writes it, in one piece. */
    pthread_mutex_t sink_lock;
    struct sink sink;
    uint64_t written_bytes;

    /* Helpers and the blocks between them and the caller. */
    pthread_mutex_t lock;
    pthread_cond_t filled; /* a block was queued, or nothing more comes */
    struct block *queue[QUEUE_MAX];
    size_t queued; /* oldest first */
    size_t queue_max;
    struct block *free[BLOCKS_MAX];
    size_t free_count;
    bool closing;
    struct level level; /* for the next block of zstd */
    int level_fixed;    /* 0: as level says */
    int level_used;     /* last */
    struct error error; /* the first one; failed says that there is one */
    atomic_bool failed;

    struct block blocks[BLOCKS_MAX];
    size_t block_count;
    pthread_t threads[THREADS_MAX];
    struct packer *packers[THREADS_MAX];
    int thread_count;
};

struct helper {
    struct container *container;
    struct packer *packer;
};

/* Keeps the first error of any thread. */
static void keep_error(struct container *container, const struct error *cause)
{
    pthread_mutex_lock(&container->lock);
    if (!atomic_load(&container->failed)) {
        container->error = *cause;
        atomic_store(&container->failed, true);
    }
    pthread_mutex_unlock(&container->lock);
}

static bool check_failed(struct container *container, struct error *err)
{
    if (!atomic_load_explicit(&container->failed, memory_order_relaxed))
        return true;
    pthread_mutex_lock(&container->lock);
    *err = container->error;
    pthread_mutex_unlock(&container->lock);
    return false;
}

static void append_long(struct buffer *out, int64_t value)
{
    static const bool plain[] = {false};
    struct avro_writer writer = {.out = out, .nullable = plain};

    avro_int64(&writer, (struct value_int64){.value = value});
}

static void append_bytes(struct buffer *out, struct slice bytes)
{
    static const bool plain[] = {false};
    struct avro_writer writer = {.out = out, .nullable = plain};

    avro_bytes(&writer, bytes);
}

static bool write_sink(struct container *container, struct slice bytes, struct error *err)
{
    if (!container->sink.write(container->sink.context, bytes, err))
        return false;
    container->written_bytes += bytes.length;
    return true;
}

static bool write_header(struct container *container, const char *schema_json, struct error *err)
{
    struct buffer header;

    buffer_init(&header, strlen(schema_json) + 256);
    buffer_append(&header, "Obj\1", 4);
    append_long(&header, 2); // entries of the metadata map, ended by an empty block
    append_bytes(&header, slice_of("avro.schema"));
    append_bytes(&header, slice_of(schema_json));
    append_bytes(&header, slice_of("avro.codec"));
    append_bytes(&header, slice_of(codec_name(container->codec)));
    append_long(&header, 0);
    buffer_append(&header, container->sync, SYNC_BYTES);
    bool ok = buffer_check(&header, "the Avro header", err) &&
              write_sink(container, buffer_slice(&header), err);
    buffer_clear(&header);
    return ok;
}

/* Row count, size, data, sync marker. */
static bool write_block(
    struct container *container, uint64_t rows, struct slice data, struct error *err)
{
    char bytes[32];
    struct buffer head = {.data = bytes, .capacity = sizeof bytes, .ceiling = sizeof bytes - 1};
    struct slice sync = {(const char *)container->sync, SYNC_BYTES};

    append_long(&head, (int64_t)rows);
    append_long(&head, (int64_t)data.length);
    pthread_mutex_lock(&container->sink_lock);
    // After an error the file is broken already: nothing more is written to it.
    bool ok = atomic_load(&container->failed) ||
              (write_sink(container, buffer_slice(&head), err) &&
               write_sink(container, data, err) && write_sink(container, sync, err));
    if (!ok)
        keep_error(container, err);
    pthread_mutex_unlock(&container->sink_lock);
    return ok;
}

/* Processor time of the calling thread: what other work on the machine takes does not count. It
 * decides how the bytes are packed and never what they say. */
static int64_t thread_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int choose_level(struct container *container)
{
    if (container->codec != CODEC_ZSTD)
        return 0;
    pthread_mutex_lock(&container->lock);
    int level =
        container->level_fixed != 0 ? container->level_fixed : level_choose(&container->level);
    container->level_used = level;
    pthread_mutex_unlock(&container->lock);
    return level;
}

static bool pack(
    struct container *container, struct packer *packer, struct slice raw, struct slice *out_packed,
    struct error *err)
{
    int level = choose_level(container);
    int64_t began = thread_ns();

    if (!packer_pack(packer, level, raw, out_packed, err))
        return false;
    int64_t ns = thread_ns() - began;
    pthread_mutex_lock(&container->lock);
    level_saw_block(&container->level, level, raw.length, out_packed->length, ns);
    pthread_mutex_unlock(&container->lock);
    return true;
}

/* Compresses and writes a block and empties it; an error is kept. */
static void finish_block(struct container *container, struct packer *packer, struct block *block)
{
    struct error err;
    struct slice data = buffer_slice(&block->raw);

    if (!atomic_load(&container->failed)) {
        if (packer != NULL && !pack(container, packer, data, &data, &err))
            keep_error(container, &err);
        else
            (void)write_block(container, block->rows, data, &err);
    }
    block->rows = 0;
    // The memory of a very large row is not kept.
    if (block->raw.capacity > 4 * container->block_bytes)
        buffer_clear(&block->raw);
    else
        buffer_reset(&block->raw);
}

static struct block *dequeue(struct container *container)
{
    struct block *block = container->queue[0];

    container->queued--;
    memmove(container->queue, container->queue + 1, container->queued * sizeof container->queue[0]);
    return block;
}

static void *help(void *context)
{
    struct helper helper = *(struct helper *)context;
    struct container *container = helper.container;

    free(context);
    pthread_mutex_lock(&container->lock);
    for (;;) {
        while (container->queued == 0 && !container->closing)
            pthread_cond_wait(&container->filled, &container->lock);
        if (container->queued == 0)
            break;
        struct block *block = dequeue(container);
        pthread_mutex_unlock(&container->lock);
        finish_block(container, helper.packer, block);
        pthread_mutex_lock(&container->lock);
        container->free[container->free_count++] = block;
    }
    pthread_mutex_unlock(&container->lock);
    return NULL;
}

/* Gives the current block to the helpers if their queue has room, else finishes it here, as also
 * one that is so large that only one of its kind should be in memory. A block is current again
 * afterwards, and empty. */
static void hand_over(struct container *container)
{
    struct block *full = container->current;
    bool small = full->raw.capacity <= 4 * container->block_bytes;
    int64_t reading_ns = thread_ns() - container->read_from_ns;

    pthread_mutex_lock(&container->lock);
    level_saw_reading(&container->level, full->raw.length, reading_ns);
    bool queued = container->thread_count > 0 && small && container->queued < container->queue_max;
    if (queued) {
        container->queue[container->queued++] = full;
        container->current = container->free[--container->free_count];
        pthread_cond_signal(&container->filled);
    }
    pthread_mutex_unlock(&container->lock);
    if (!queued)
        finish_block(container, container->packer, full);
    container->writer.out = &container->current->raw;
    container->read_from_ns = thread_ns();
}

/* One helper; false if there cannot be more, which only makes things slower. */
static bool start_helper(struct container *container)
{
    struct error ignored;
    struct packer **packer = &container->packers[container->thread_count];
    struct helper *helper = malloc(sizeof *helper);

    if (helper == NULL ||
        !packer_new(container->codec, container->block_bytes * 2, packer, &ignored)) {
        free(helper);
        return false;
    }
    *helper = (struct helper){container, *packer};
    if (pthread_create(&container->threads[container->thread_count], NULL, help, helper) != 0) {
        packer_free(*packer);
        *packer = NULL;
        free(helper);
        return false;
    }
    container->thread_count++;
    return true;
}

/* Signals stay with the threads that expect them. */
static void start_helpers(struct container *container, int wanted)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (container->thread_count < wanted && container->thread_count < THREADS_MAX &&
           start_helper(container))
        ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void prepare_blocks(struct container *container, size_t count)
{
    // An almost full block and the largest row; writers reserve some bytes more than they use.
    size_t ceiling = container->block_bytes + CONTAINER_BLOCK_BYTES_MAX + 64;

    for (size_t i = 0; i < count; i++)
        buffer_init(&container->blocks[i].raw, ceiling);
    container->block_count = count;
    container->current = &container->blocks[0];
    for (size_t i = 1; i < count; i++)
        container->free[container->free_count++] = &container->blocks[i];
}

/* Waits until the helpers have finished what is queued and have ended. */
static void end_helpers(struct container *container)
{
    pthread_mutex_lock(&container->lock);
    container->closing = true;
    pthread_cond_broadcast(&container->filled);
    pthread_mutex_unlock(&container->lock);
    for (int i = 0; i < container->thread_count; i++) {
        pthread_join(container->threads[i], NULL);
        packer_free(container->packers[i]);
    }
    container->thread_count = 0;
}

static void destroy(struct container *container)
{
    end_helpers(container);
    packer_free(container->packer);
    for (size_t i = 0; i < container->block_count; i++)
        buffer_clear(&container->blocks[i].raw);
    pthread_cond_destroy(&container->filled);
    pthread_mutex_destroy(&container->lock);
    pthread_mutex_destroy(&container->sink_lock);
    free(container);
}

/* Of blocks and queue, and the first level. */
static void choose_sizes(struct container *container, const struct container_options *options)
{
    bool zstd = options->codec == CODEC_ZSTD;

    container->codec = options->codec;
    container->block_bytes = options->block_bytes != 0 ? options->block_bytes
                             : zstd                    ? BLOCK_BYTES_ZSTD
                                                       : BLOCK_BYTES_DEFLATE;
    if (container->block_bytes > CONTAINER_BLOCK_BYTES_MAX)
        container->block_bytes = CONTAINER_BLOCK_BYTES_MAX;
    container->queue_max = zstd ? QUEUE_MAX_ZSTD : QUEUE_MAX;
    container->level_fixed = options->level;
    level_begin(&container->level, options->link_bytes, options->threads + 1);
}

bool container_open(
    const struct container_options *options, struct sink sink, struct container **out_container,
    struct error *err)
{
    struct container *container = calloc(1, sizeof *container);

    if (container == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory for an Avro file");
    container->writer.nullable = options->nullable;
    choose_sizes(container, options);
    container->sink = sink;
    pthread_mutex_init(&container->sink_lock, NULL);
    pthread_mutex_init(&container->lock, NULL);
    pthread_cond_init(&container->filled, NULL);
    if (getrandom(container->sync, SYNC_BYTES, 0) != SYNC_BYTES) {
        destroy(container);
        return error_set(err, ERROR_CONFIG, "the system gives no random bytes");
    }
    if (!write_header(container, options->schema_json, err) ||
        (options->codec != CODEC_NULL &&
         !packer_new(options->codec, container->block_bytes * 2, &container->packer, err))) {
        destroy(container);
        return false;
    }
    if (options->codec != CODEC_NULL)
        start_helpers(container, options->threads);
    prepare_blocks(
        container, container->thread_count == 0
                       ? 1
                       : container->queue_max + (size_t)container->thread_count + 1);
    container->writer.out = &container->current->raw;
    container->read_from_ns = thread_ns();
    *out_container = container;
    return true;
}

struct avro_writer *container_begin_row(struct container *container)
{
    container->row_start = container->current->raw.length;
    container->writer.field = 0;
    return &container->writer;
}

void container_abandon_row(struct container *container)
{
    container->current->raw.length = container->row_start;
    container->current->raw.failure = BUFFER_OK;
}

/* Moves the row begun last, which would make its block too large, to a block of its own. */
static bool move_row(struct container *container, struct error *err)
{
    struct buffer *from = &container->current->raw;
    struct buffer row;

    buffer_init(&row, from->ceiling);
    buffer_append(&row, from->data + container->row_start, from->length - container->row_start);
    from->length = container->row_start;
    if (row.failure != BUFFER_OK) {
        buffer_clear(&row);
        return error_set(err, ERROR_MEMORY, "out of memory for an Avro block");
    }
    hand_over(container);
    // The new block is empty: the row's memory becomes its memory.
    buffer_clear(&container->current->raw);
    container->current->raw = row;
    container->row_start = 0;
    return true;
}

bool container_end_row(struct container *container, struct error *err)
{
    struct buffer *raw = &container->current->raw;
    size_t length = raw->length - container->row_start;

    if (raw->failure != BUFFER_OK || length > CONTAINER_BLOCK_BYTES_MAX) {
        bool memory = raw->failure == BUFFER_MEMORY;
        container_abandon_row(container);
        return memory
                   ? error_set(err, ERROR_MEMORY, "out of memory for an Avro block")
                   : error_set(
                         err, ERROR_LIMIT,
                         "the row has more than %zu bytes: BigQuery takes 16 MB in an Avro block",
                         length > CONTAINER_BLOCK_BYTES_MAX ? length - 1
                                                            : CONTAINER_BLOCK_BYTES_MAX);
    }
    if (!check_failed(container, err)) {
        container_abandon_row(container);
        return false;
    }
    if (raw->length > CONTAINER_BLOCK_BYTES_MAX && container->row_start > 0 &&
        !move_row(container, err))
        return false;
    container->rows++;
    container->raw_bytes += length;
    container->current->rows++;
    if (container->current->raw.length >= container->block_bytes)
        hand_over(container);
    return true;
}

/* Compresses what is still queued, next to the helpers. */
static void drain(struct container *container)
{
    for (;;) {
        struct block *block = NULL;
        pthread_mutex_lock(&container->lock);
        if (container->queued > 0)
            block = dequeue(container);
        pthread_mutex_unlock(&container->lock);
        if (block == NULL)
            return;
        finish_block(container, container->packer, block);
    }
}

bool container_close(
    struct container *container, struct container_stats *out_stats, struct error *err)
{
    struct container_stats stats = {.rows = container->rows, .raw_bytes = container->raw_bytes};

    // Readers take a block without rows for the end of the file.
    if (container->current->rows > 0)
        hand_over(container);
    drain(container);
    // Until the helpers have ended, the last blocks may still be on their way.
    end_helpers(container);

    bool ok = check_failed(container, err);
    stats.written_bytes = container->written_bytes;
    stats.level = container->level_used;
    destroy(container);
    if (ok && out_stats != NULL)
        *out_stats = stats;
    return ok;
}

void container_abandon(struct container *container)
{
    static const struct error abandoned = {.code = ERROR_STOPPED, .message = "abandoned"};

    if (container == NULL)
        return;
    // Helpers drop what is still queued.
    keep_error(container, &abandoned);
    destroy(container);
}
