/* What is known of sending files, across processes. */
#include "scene.h"

#include "sync/pass/codec_record.h"
#include "warehouse/link.h"

static void open_link(struct scene *scene)
{
    scene->deployment.link = link_new(&scene->clock.clock);
    assert_non_null(scene->deployment.link);
}

static void close_link(struct scene *scene)
{
    link_free(scene->deployment.link);
    scene->deployment.link = NULL;
}

static void save(struct scene *scene, int64_t speed)
{
    struct error err;

    open_link(scene);
    link_restore(scene->deployment.link, speed);
    expect_ok(codec_record_save(&scene->deployment, &scene->tracking, &err));
    close_link(scene);
}

static struct extract_codec load(struct scene *scene)
{
    struct extract_codec codec;
    struct error err;

    open_link(scene);
    expect_ok(codec_record_load(&scene->deployment, &scene->tracking, &codec, &err));
    close_link(scene);
    return codec;
}

static void test_nothing_is_known_at_first(void **state)
{
    struct scene *scene = *state;

    scene_pass(scene, "accounts", NULL);

    assert_int_equal(load(scene).link_bytes, 0);
    assert_false(load(scene).deflate_only);
}

static void test_the_next_process_knows_the_link(void **state)
{
    struct scene *scene = *state;

    scene_pass(scene, "accounts", NULL);
    save(scene, 1000000);
    assert_in_range(load(scene).link_bytes, 999999, 1000000);

    // Small differences are not worth a write.
    save(scene, 1050000);
    assert_in_range(load(scene).link_bytes, 999999, 1000000);
    save(scene, 2000000);
    assert_in_range(load(scene).link_bytes, 1999999, 2000000);
    // Who has sent nothing knows nothing better.
    save(scene, 0);
    assert_in_range(load(scene).link_bytes, 1999999, 2000000);
}

static void test_a_refused_codec_is_news_once_and_remembered(void **state)
{
    struct scene *scene = *state;
    bool news = false;
    struct error err;

    scene_pass(scene, "accounts", NULL);
    expect_ok(codec_record_refuse(&scene->tracking, &news, &err));
    assert_true(news);
    expect_ok(codec_record_refuse(&scene->tracking, &news, &err));
    assert_false(news);

    assert_true(load(scene).deflate_only);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_nothing_is_known_at_first),
        SCENE_TEST(test_the_next_process_knows_the_link),
        SCENE_TEST(test_a_refused_codec_is_news_once_and_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
