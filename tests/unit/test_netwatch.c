/* SPDX-License-Identifier: ISC */
/*
 * Tests net/netwatch where the kernel lets nobody listen. What it notices is in ../network.
 */
#include "net/netwatch.h"

#include <errno.h>
#include <sys/socket.h>

#include "unit/cmocka_all.h"
#include "unit/net_rig.h"

static int refusal;

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);

/* A kernel without netlink, or a sandbox that forbids it. */
int __wrap_socket(int domain, int type, int protocol)
{
    if (refusal != 0 && domain == AF_NETLINK) {
        errno = refusal;
        return -1;
    }
    return __real_socket(domain, type, protocol);
}

static const uint8_t elsewhere[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 77};

static void test_whoever_forbids_netlink_all_goes_on_without(void **state)
{
    static const int refusals[] = {EAFNOSUPPORT, EACCES, EPERM, ENOSYS};
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct rig rig;
        struct netwatch *netwatch;
        rig_init(&rig);
        refusal = refusals[i];
        assert_int_equal(netwatch_new(&netwatch, rig.loop), 0);
        assert_non_null(netwatch_flaw(netwatch));
        assert_true(netwatch_has(netwatch, elsewhere));
        netwatch_free(netwatch);
        rig_deinit(&rig);
    }
}

static void test_what_the_machine_has_is_known(void **state)
{
    static const uint8_t loopback[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
    struct rig rig;
    struct netwatch *netwatch;
    (void)state;
    refusal = 0;
    rig_init(&rig);
    assert_int_equal(netwatch_new(&netwatch, rig.loop), 0);
    assert_null(netwatch_flaw(netwatch));
    assert_true(netwatch_has(netwatch, loopback));
    assert_false(netwatch_has(netwatch, elsewhere));
    netwatch_free(netwatch);
    rig_deinit(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whoever_forbids_netlink_all_goes_on_without),
        cmocka_unit_test(test_what_the_machine_has_is_known),
    };
    return cmocka_run_group_tests_name("netwatch", tests, NULL, NULL);
}
