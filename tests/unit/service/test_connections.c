#include "support/prelude.h"

#include "service/connections.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

static struct connections connections;

/* Both ends of a connection. */
struct pair {
    int ours;
    int theirs;
};

static struct pair open_pair(void)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    return (struct pair){ends[0], ends[1]};
}

static void close_pair(struct pair pair)
{
    close(pair.ours);
    close(pair.theirs);
}

/* Whether the other side has seen the end. */
static bool is_cut(struct pair pair)
{
    char byte;

    return recv(pair.theirs, &byte, 1, MSG_DONTWAIT) == 0;
}

static void test_a_request_that_does_not_come_is_cut_off(void **state)
{
    struct pair pair = open_pair();

    (void)state;
    connections_init(&connections);
    struct connection *slot = connections_open(&connections, pair.ours, 1000);
    assert_int_equal(connections_sweep(&connections, 10000), 0);
    assert_false(is_cut(pair));
    assert_int_equal(connections_sweep(&connections, 11001), 1);
    assert_true(is_cut(pair));
    connections_close(&connections, slot);
    connections_clear(&connections);
    close_pair(pair);
}

static void test_an_answer_has_more_time_and_a_stream_has_all(void **state)
{
    struct pair slow = open_pair();
    struct pair stream = open_pair();

    (void)state;
    connections_init(&connections);
    struct connection *answering = connections_open(&connections, slow.ours, 0);
    struct connection *streaming = connections_open(&connections, stream.ours, 0);
    connections_enter(&connections, answering, CONNECTION_ANSWERING, 5000);
    connections_enter(&connections, streaming, CONNECTION_STREAMING, 5000);
    assert_int_equal(connections_sweep(&connections, 34000), 0);
    assert_int_equal(connections_sweep(&connections, 36000), 1);
    assert_true(is_cut(slow));
    assert_int_equal(connections_sweep(&connections, 36000000), 1);
    assert_false(is_cut(stream));
    connections_clear(&connections);
    close_pair(slow);
    close_pair(stream);
}

static void test_newcomers_push_out_the_longest_silent_when_many_are_connected(void **state)
{
    struct pair silent = open_pair();
    struct pair busy = open_pair();

    (void)state;
    connections_init(&connections);
    struct connection *working = connections_open(&connections, busy.ours, 0);
    connections_enter(&connections, working, CONNECTION_ANSWERING, 0);
    connections_open(&connections, silent.ours, 1);
    // Slots that lead nowhere stand for the crowd.
    for (size_t i = 2; i < CONNECTIONS_MAX / 2; i++)
        connections_open(&connections, -1, 500);
    assert_false(is_cut(silent));
    connections_open(&connections, -1, 900);
    assert_true(is_cut(silent));
    assert_false(is_cut(busy));
    connections_clear(&connections);
    close_pair(silent);
    close_pair(busy);
}

static void test_when_many_are_connected_requests_have_to_come_at_once(void **state)
{
    struct pair silent = open_pair();

    (void)state;
    connections_init(&connections);
    connections_open(&connections, silent.ours, 0);
    assert_int_equal(connections_sweep(&connections, 2000), 0);
    for (size_t i = 1; i < CONNECTIONS_MAX / 2; i++)
        connections_open(&connections, -1, 2000);
    assert_int_equal(connections_sweep(&connections, 2000), 1);
    assert_true(is_cut(silent));
    connections_clear(&connections);
    close_pair(silent);
}

static void test_more_than_fit_are_not_watched_and_slots_come_back(void **state)
{
    struct connection *last = NULL;

    (void)state;
    connections_init(&connections);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        last = connections_open(&connections, -1, 0);
        assert_non_null(last);
    }
    assert_null(connections_open(&connections, -1, 0));
    connections_close(&connections, NULL);
    connections_enter(&connections, NULL, CONNECTION_READING, 0);
    connections_close(&connections, last);
    assert_non_null(connections_open(&connections, -1, 0));
    connections_clear(&connections);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_that_does_not_come_is_cut_off),
        cmocka_unit_test(test_an_answer_has_more_time_and_a_stream_has_all),
        cmocka_unit_test(test_newcomers_push_out_the_longest_silent_when_many_are_connected),
        cmocka_unit_test(test_when_many_are_connected_requests_have_to_come_at_once),
        cmocka_unit_test(test_more_than_fit_are_not_watched_and_slots_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
