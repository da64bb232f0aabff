/* SPDX-License-Identifier: ISC */
/*
 * The loop's promises: turns, timers, signals and time.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "unit/net_rig.h"

static int setup(void **state)
{
    static struct rig rig;
    rig_init(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    rig_deinit(*state);
    return 0;
}

/* A timer that writes its letter and, while `rounds` last, arms itself again. */
struct ticker {
    struct rig *rig;
    struct timer *timer;
    char letter;
    char *written;
    unsigned rounds;
    uint64_t due_ms;
    unsigned turn; /* in which it fired last */
    bool fired;
};

static void on_tick(void *context)
{
    struct ticker *ticker = context;
    const size_t length = strlen(ticker->written);
    assert_true(loop_now(ticker->rig->loop) >= ticker->due_ms);
    assert_true(length < 15);
    ticker->written[length] = ticker->letter;
    ticker->turn = ticker->rig->turns;
    ticker->fired = true;
    if (ticker->rounds > 0) {
        ticker->rounds--;
        timer_arm_at(ticker->timer, ticker->due_ms);
    }
}

static void ticker_start(struct ticker *ticker, struct rig *rig, char letter, char *written,
                         uint64_t delay_ms)
{
    *ticker = (struct ticker){.rig = rig, .letter = letter, .written = written};
    assert_int_equal(timer_new(&ticker->timer, rig->loop, on_tick, ticker), 0);
    ticker->due_ms = loop_now(rig->loop) + delay_ms;
    timer_arm_at(ticker->timer, ticker->due_ms);
}

/* Tickers that are all armed in one turn: outside of one, time goes on between them. */
struct plan {
    struct rig *rig;
    struct ticker tickers[5];
    char written[16];
};

static void on_plan(void *context)
{
    struct plan *plan = context;
    static const struct {
        char letter;
        uint64_t delay_ms;
    } parts[] = {{'d', 31}, {'a', 0}, {'c', 30}, {'e', 45}, {'b', 29}};

    for (size_t i = 0; i < 5; i++)
        ticker_start(&plan->tickers[i], plan->rig, parts[i].letter, plan->written,
                     parts[i].delay_ms);
}

static void test_timers_fire_in_the_order_of_their_times(void **state)
{
    struct plan plan = {.rig = *state};
    struct timer *start;
    assert_int_equal(timer_new(&start, plan.rig->loop, on_plan, &plan), 0);
    timer_arm_at(start, 0);
    assert_true(rig_run_until_true(plan.rig, &plan.tickers[3].fired));
    assert_string_equal(plan.written, "abcde");
    for (size_t i = 0; i < 5; i++)
        timer_free(plan.tickers[i].timer);
    timer_free(start);
}

static void test_a_timer_fires_once_per_arming(void **state)
{
    struct rig *rig = *state;
    struct ticker ticker;
    char written[16] = "";
    ticker_start(&ticker, rig, 'x', written, 1);
    rig_run_for(rig, 50);
    assert_string_equal(written, "x");
    timer_free(ticker.timer);
}

static void test_a_time_that_has_passed_fires_in_the_next_turn(void **state)
{
    struct rig *rig = *state;
    struct ticker ticker;
    char written[16] = "";
    ticker_start(&ticker, rig, 'x', written, 0);
    ticker.rounds = 3;
    assert_true(rig_run_until_true(rig, &ticker.fired));
    assert_string_equal(written, "x"); /* one per turn, not all in one */
    rig_run_for(rig, 30);
    assert_string_equal(written, "xxxx");
    timer_free(ticker.timer);
}

static void on_arm_late_in_the_turn(void *context)
{
    struct ticker *ticker = context;
    nanosleep(&(struct timespec){.tv_nsec = 30 * 1000 * 1000}, NULL);
    ticker->due_ms = loop_now(ticker->rig->loop) + 10;
    timer_arm_at(ticker->timer, ticker->due_ms);
}

static void test_a_timer_armed_late_in_a_long_turn_is_not_early(void **state)
{
    struct rig *rig = *state;
    struct ticker ticker;
    struct timer *arming;
    char written[16] = "";
    ticker_start(&ticker, rig, 'x', written, 10000);
    assert_int_equal(timer_new(&arming, rig->loop, on_arm_late_in_the_turn, &ticker), 0);
    timer_arm_at(arming, 0);
    assert_true(rig_run_until_true(rig, &ticker.fired));
    timer_free(arming);
    timer_free(ticker.timer);
}

static void on_hold_up(void *context)
{
    struct ticker *ticker = context;
    ticker->due_ms = loop_now(ticker->rig->loop) + 10;
    timer_arm_at(ticker->timer, ticker->due_ms);
    nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 100 * 1000 * 1000}, NULL);
}

static void test_a_timer_that_is_very_late_lets_input_go_first(void **state)
{
    struct rig *rig = *state;
    struct ticker ticker;
    struct timer *holding_up;
    char written[16] = "";
    ticker_start(&ticker, rig, 'x', written, 10000);
    assert_int_equal(timer_new(&holding_up, rig->loop, on_hold_up, &ticker), 0);
    timer_arm_at(holding_up, 0);
    assert_true(rig_run_until_true(rig, &ticker.fired));
    assert_true(ticker.turn >= 2); /* at least one later than its turn would have been */
    timer_free(holding_up);
    timer_free(ticker.timer);
}

static void test_rearming_replaces_the_time(void **state)
{
    struct rig *rig = *state;
    struct ticker early;
    struct ticker late;
    char written[16] = "";
    ticker_start(&early, rig, 'e', written, 5);
    ticker_start(&late, rig, 'l', written, 20);
    early.due_ms = loop_now(rig->loop) + 40;
    timer_arm_at(early.timer, early.due_ms);
    assert_true(rig_run_until_true(rig, &early.fired));
    assert_string_equal(written, "le");
    timer_free(early.timer);
    timer_free(late.timer);
}

static void test_a_disarmed_timer_stays_silent(void **state)
{
    struct rig *rig = *state;
    struct ticker disarmed;
    struct ticker never;
    struct ticker freed;
    char written[16] = "";
    ticker_start(&disarmed, rig, 'd', written, 1);
    ticker_start(&never, rig, 'n', written, 1);
    ticker_start(&freed, rig, 'f', written, 1);
    timer_disarm(disarmed.timer);
    timer_arm_at(never.timer, UINT64_MAX);
    timer_free(freed.timer);
    rig_run_for(rig, 30);
    assert_string_equal(written, "");
    timer_free(disarmed.timer);
    timer_free(never.timer);
    timer_free(NULL);
}

static void on_free_itself(void *context)
{
    struct timer **timer = context;
    timer_free(*timer);
    *timer = NULL;
}

static void test_a_timer_may_be_freed_in_its_own_callback(void **state)
{
    struct rig *rig = *state;
    struct timer *timer;
    assert_int_equal(timer_new(&timer, rig->loop, on_free_itself, &timer), 0);
    timer_arm_at(timer, 0);
    rig_run_for(rig, 10);
    assert_null(timer);
}

static void test_an_idle_loop_does_not_turn(void **state)
{
    struct rig *rig = *state;
    rig_run_for(rig, 100);
    assert_true(rig->turns <= RIG_TURNS_MAX);
}

static void test_wakes_before_a_turn_end_in_one_turn(void **state)
{
    struct rig *rig = *state;
    struct ticker ticker;
    char written[16] = "";
    for (int i = 0; i < 3; i++)
        loop_wake(rig->loop);
    ticker_start(&ticker, rig, 'x', written, 50);
    assert_true(rig_run_until_true(rig, &ticker.fired));
    assert_true(rig->turns <= 3); /* that one, and the ticker's, which may wake up early once */
    timer_free(ticker.timer);
}

static void on_end_that_wakes(void *context)
{
    struct rig *rig = context;
    if (++rig->turns < 5)
        loop_wake(rig->loop);
    else
        loop_stop(rig->loop);
}

static void test_a_wake_at_the_turn_end_makes_one_more_turn(void **state)
{
    struct rig *rig = *state;
    loop_on_turn_end(rig->loop, on_end_that_wakes, rig);
    loop_wake(rig->loop);
    assert_int_equal(loop_run(rig->loop), 0);
    assert_int_equal(rig->turns, 5);
}

static void test_one_turn_end_for_all_that_was_ready(void **state)
{
    struct rig *rig = *state;
    struct ticker tickers[3];
    char written[16] = "";
    for (size_t i = 0; i < 3; i++)
        ticker_start(&tickers[i], rig, 'x', written, 0);
    assert_true(rig_run_until_true(rig, &tickers[2].fired));
    assert_string_equal(written, "xxx");
    assert_int_equal(rig->turns, 1);
    for (size_t i = 0; i < 3; i++)
        timer_free(tickers[i].timer);
}

static void test_a_stop_before_the_run_counts_once(void **state)
{
    struct rig *rig = *state;
    loop_stop(rig->loop);
    assert_int_equal(loop_run(rig->loop), 0);
    assert_int_equal(rig->turns, 0);
    rig_run_for(rig, 10);
    assert_true(rig->turns > 0);
}

static void on_slow(void *context)
{
    struct rig *rig = context;
    const uint64_t now = loop_now(rig->loop);
    const uint64_t wall = loop_wall(rig->loop);
    assert_true(clock_monotonic_ms() - now < PATIENCE_MS);
    nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    assert_true(clock_monotonic_ms() > now);
    assert_int_equal(loop_now(rig->loop), now);
    assert_int_equal(loop_wall(rig->loop), wall);
}

static void test_time_stands_still_within_a_turn_and_moves_between(void **state)
{
    struct rig *rig = *state;
    struct timer *timer;
    uint64_t before;
    assert_int_equal(timer_new(&timer, rig->loop, on_slow, rig), 0);
    before = loop_now(rig->loop);
    timer_arm_at(timer, before + 30);
    rig_run_for(rig, 60);
    assert_true(loop_now(rig->loop) >= before + 60);
    timer_free(timer);
}

static void on_signal(void *context)
{
    ++*(unsigned *)context;
}

static bool is_one(void *context)
{
    return *(unsigned *)context == 1;
}

static bool is_two(void *context)
{
    return *(unsigned *)context == 2;
}

static void test_signals_arrive_in_the_loop_each_time(void **state)
{
    struct rig *rig = *state;
    unsigned first = 0;
    unsigned second = 0;
    assert_int_equal(loop_on_signal(rig->loop, SIGUSR1, on_signal, &first), 0);
    assert_int_equal(loop_on_signal(rig->loop, SIGUSR2, on_signal, &second), 0);
    raise(SIGUSR1);
    assert_int_equal(first, 0); /* not in signal context */
    assert_true(rig_run_until(rig, is_one, &first));
    raise(SIGUSR1);
    assert_true(rig_run_until(rig, is_two, &first));
    assert_int_equal(second, 0);
}

static void test_an_impossible_signal_is_refused(void **state)
{
    struct rig *rig = *state;
    assert_true(loop_on_signal(rig->loop, 12345, on_signal, NULL) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_timers_fire_in_the_order_of_their_times, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_timer_fires_once_per_arming, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_time_that_has_passed_fires_in_the_next_turn, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_timer_armed_late_in_a_long_turn_is_not_early, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_timer_that_is_very_late_lets_input_go_first, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_rearming_replaces_the_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_disarmed_timer_stays_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_timer_may_be_freed_in_its_own_callback, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_an_idle_loop_does_not_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wakes_before_a_turn_end_in_one_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_wake_at_the_turn_end_makes_one_more_turn, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_one_turn_end_for_all_that_was_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_stop_before_the_run_counts_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time_stands_still_within_a_turn_and_moves_between,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_signals_arrive_in_the_loop_each_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_impossible_signal_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
