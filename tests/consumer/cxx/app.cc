// app: syncs once and prints each table with its status.
#include <bqsync/bqsync.h>

#include <cstdio>
#include <memory>

int main(int argc, char **argv)
{
    bqsync_setting setting = {"BQ_SQLITE_PATH", argc > 1 ? argv[1] : "app.db"};
    bqsync_options options = {nullptr, &setting, 1};
    bqsync *opened = nullptr;
    bqsync_error err;

    if (!bqsync_open(&options, &opened, &err)) {
        std::fprintf(stderr, "%s: %s\n", err.code, err.message);
        return err.exit_status;
    }
    std::unique_ptr<bqsync, decltype(&bqsync_close)> sync(opened, bqsync_close);
    bqsync_result *finished = nullptr;
    bool ran = bqsync_sync(sync.get(), nullptr, &finished, &err);
    std::unique_ptr<bqsync_result, decltype(&bqsync_result_free)> result(finished, bqsync_result_free);
    if (!ran) {
        std::fprintf(stderr, "%s: %s\n", err.code, err.message);
        return err.exit_status;
    }
    for (std::size_t i = 0; i < bqsync_result_count(result.get()); i++) {
        bqsync_table table = bqsync_result_table(result.get(), i);
        std::printf("%s: %s, %lld inserted\n", table.name, table.status, static_cast<long long>(table.rows_inserted));
    }
    return bqsync_result_ok(result.get()) ? 0 : 1;
}
