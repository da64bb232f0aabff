/* SPDX-License-Identifier: ISC */
/*
 * Tests what p2pchatctl doctor says of the clock; the rest needs a daemon, and is tested end to
 * end.
 */
#include <string.h>
#include <sys/timex.h>

#include "base/timestamp.h"
#include "unit/cmocka_all.h"
#include "unit/ctl_rig.h"
#include "unit/fake_clock.h"

static struct {
    int result;
    int status;
} kernel; /* what it says of its clock */

int __wrap_adjtimex(struct timex *state);
int __wrap_adjtimex(struct timex *state)
{
    assert_int_equal(state->modes, 0); /* nothing is changed */
    state->status = kernel.status;
    return kernel.result;
}

/* How the C library calls it where a time_t of 64 bits has to be asked for. */
int __wrap____adjtimex64(struct timex *state) __attribute__((alias("__wrap_adjtimex")));

/* Runs the doctor at a time, with the newest message of another, and looks at what it says. */
static void expect(const char *now, const char *newest, int status, const char *clock)
{
    char history[160];
    uint64_t now_ms;
    assert_int_equal(timestamp_parse(now, &now_ms), 0);
    fake_clock_set(now_ms);
    snprintf(history, sizeof history, "{\"result\":{\"messages\":[{\"time\":\"%s\"}]}}", newest);
    rig_step("status", "{}",
             "{\"result\":{\"version\":\"" VERSION "\",\"fingerprint\":\"SHA256:x\",\"peers\":[],"
             "\"listeners\":[{\"address\":\"::\",\"port\":8766}]}}");
    rig_step("history.list", "{\"limit\":1}", history);
    assert_int_equal(rig_run("doctor", NULL), status);
    assert_non_null(strstr(rig_out, clock));
}

#define NOW "2026-11-22T20:00:00.000Z"

static void test_a_clock_that_is_kept_right_is_well(void **state)
{
    (void)state;
    kernel.result = TIME_OK;
    kernel.status = STA_PLL;
    expect(NOW, NOW, 0, "ok     clock      " NOW "\nok     listener");
}

static void test_a_clock_that_nothing_keeps_right_is_worth_a_note(void **state)
{
    (void)state;
    kernel.result = TIME_ERROR;
    kernel.status = STA_UNSYNC;
    expect(NOW, NOW, 0,
           "note   clock      " NOW "\n"
           "                  what to do: nothing keeps it right, and invites and messages expire "
           "by it: timedatectl set-ntp true (needs systemd-timesyncd or chrony; in a container, on "
           "its host)\n");
}

static void test_where_the_kernel_says_nothing_there_is_nothing_to_say(void **state)
{
    (void)state;
    kernel.result = -1;
    kernel.status = STA_UNSYNC;
    expect(NOW, NOW, 0, "ok     clock      " NOW "\nok     listener");
}

static void test_a_clock_that_can_not_be_right_is_wrong(void **state)
{
    static const char remedy[] = "set it, and let NTP keep it: timedatectl set-ntp true\n";
    static const struct {
        const char *now;
        const char *newest;
        const char *says;
    } CASES[] = {
        {"1970-01-01T00:00:05.000Z", "", "it is far in the past; "},
        {"2106-02-07T06:28:15.000Z", "", "it is far in the future; "},
        {NOW, "2026-11-22T20:01:00.001Z", "it is behind the newest message; "},
    };
    char expected[256];

    (void)state;
    kernel.result = TIME_OK;
    kernel.status = STA_PLL;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        snprintf(expected, sizeof expected, "WRONG  clock      %s\n%18swhat to do: %s%s",
                 CASES[i].now, "", CASES[i].says, remedy);
        expect(CASES[i].now, CASES[i].newest, 69, expected);
    }
}

static void test_a_little_step_back_is_no_trouble(void **state)
{
    (void)state;
    kernel.result = TIME_OK;
    kernel.status = STA_PLL;
    expect(NOW, "2026-11-22T20:01:00.000Z", 0, "ok     clock      " NOW "\n");
}

#define RIG_TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_a_clock_that_is_kept_right_is_well),
        RIG_TEST(test_a_clock_that_nothing_keeps_right_is_worth_a_note),
        RIG_TEST(test_where_the_kernel_says_nothing_there_is_nothing_to_say),
        RIG_TEST(test_a_clock_that_can_not_be_right_is_wrong),
        RIG_TEST(test_a_little_step_back_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
