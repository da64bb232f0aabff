/* SPDX-License-Identifier: ISC */
/*
 * Tests core/node_invites: what stands in an invite, how many there may be, and what becomes of the
 * inviter when one is taken up.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/node.h"
#include "core/node_state.h"
#include "crypto/random.h"
#include "net/local_address.h"
#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

enum { START_MS = 1000000, WALL_MS = 1700000000, INVITER = 7, LIFETIME_MS = 60000 };

/* --- stand-ins -------------------------------------------------------------------------------- */

static struct stage {
    struct node node;
    struct peer known, made;
    struct link link;
    bool is_known, offline;
    bool suits; /* the name that the inviter suggests */
    const char *listener;
    unsigned mapped, local; /* addresses that the router lets in, and of this machine */
    unsigned invites;       /* in the store … */
    unsigned expired;       /* … and how many of them are over */
    int name_error, store_error, seal_error, take_error;
    unsigned added, taken_in, updated, verified, dialled, closed, forgotten;
} stage;

static const char *host_name = "desk.example";

int __wrap_gethostname(char *name, size_t size);
int __wrap_gethostname(char *name, size_t size)
{
    snprintf(name, size, "%s", host_name);
    return 0;
}

const struct fingerprint *runtime_fingerprint(const struct runtime *runtime)
{
    static const struct fingerprint own = {{5}};
    (void)runtime;
    return &own;
}

unsigned portmap_addresses(const struct portmap *portmap, struct address *addresses, unsigned max)
{
    (void)portmap;
    assert_true(stage.mapped <= max);
    for (unsigned i = 0; i < stage.mapped; i++)
        addresses[i] = (struct address){.host = "203.0.113.1", .port = 1};
    return stage.mapped;
}

const char *listener_name(const struct listener *listener)
{
    (void)listener;
    return stage.listener;
}

bool local_address_is_any(const char *host, bool *ipv6)
{
    *ipv6 = strcmp(host, "::") == 0;
    return *ipv6;
}

unsigned local_address_list(struct address *addresses, unsigned max, uint16_t port, bool ipv6)
{
    assert_true(ipv6);
    unsigned count = stage.local < max ? stage.local : max;
    for (unsigned i = 0; i < count; i++)
        addresses[i] = (struct address){.host = "192.0.2.1", .port = port};
    return count;
}

int random_bytes(void *out, size_t size)
{
    memset(out, 's', size);
    return 0;
}

int invite_proof_id(const uint8_t secret[static INVITE_SECRET_SIZE],
                    uint8_t id[static INVITE_ID_SIZE])
{
    memset(id, secret[0] + 1, INVITE_ID_SIZE);
    return 0;
}

int body_sealer_seal_secret(struct body_sealer *body_sealer, const char *label, struct span owner,
                            const uint8_t secret[static BODY_SEALER_SECRET_SIZE],
                            uint8_t sealed[static BODY_SEALER_SEALED_SIZE])
{
    (void)body_sealer, (void)label, (void)secret;
    assert_true(owner.size > 0);
    sealed[0] = 'x';
    return stage.seal_error;
}

int invites_expire(struct db *db, uint64_t now_ms)
{
    (void)db;
    assert_int_equal(now_ms, START_MS + WALL_MS);
    stage.invites -= stage.expired;
    stage.expired = 0;
    return 0;
}

int invites_each(struct db *db, int (*visit)(void *context, const struct invite_row *row),
                 void *context)
{
    (void)db;
    for (unsigned i = 0; i < stage.invites; i++)
        visit(context, &(struct invite_row){.id = {0}});
    return 0;
}

int invites_add(struct db *db, const struct invite_row *row)
{
    (void)db, (void)row;
    stage.added += stage.store_error == 0;
    return stage.store_error;
}

int invites_remove(struct db *db, const uint8_t id[static INVITE_ROW_ID_SIZE])
{
    (void)db, (void)id;
    return stage.store_error;
}

int roster_check_name(const struct roster *roster, const char *name)
{
    (void)roster, (void)name;
    return stage.name_error;
}

struct peer *roster_by_key(const struct roster *roster, const struct fingerprint *key)
{
    (void)roster;
    assert_int_equal(key->bytes[0], INVITER);
    return stage.is_known ? &stage.known : NULL;
}

bool roster_name_suits(const struct roster *roster, const char *name)
{
    (void)roster, (void)name;
    return stage.suits;
}

void roster_make_name(const struct fingerprint *key, char name[static PEER_NAME_MAX])
{
    snprintf(name, PEER_NAME_MAX, "peer-%u", key->bytes[0]);
}

int roster_update(struct roster *roster, struct peer *peer, const struct peer_row *row)
{
    (void)roster;
    if (stage.take_error != 0)
        return stage.take_error;
    peer->row = *row;
    stage.updated++;
    return 0;
}

int node_take_in(struct node *node, struct peer_row *row, struct peer **peer)
{
    assert_ptr_equal(node, &stage.node);
    stage.made.row = *row;
    *peer = &stage.made;
    stage.taken_in++;
    return stage.take_error;
}

int node_peer_verify(struct node *node, struct peer *peer, const struct fingerprint *key)
{
    (void)node, (void)peer;
    assert_int_equal(key->bytes[0], INVITER);
    stage.verified++;
    return 0;
}

bool link_open(const struct link *link)
{
    assert_ptr_equal(link, &stage.link);
    return !stage.offline;
}

void link_close(struct link *link, enum close_code code)
{
    assert_ptr_equal(link, &stage.link);
    assert_int_equal(code, CLOSE_NORMAL);
    stage.closed++;
}

void peer_forget_attempts(struct peer *peer)
{
    (void)peer;
    stage.forgotten++;
}

void peer_dial_at_once(struct peer *peer)
{
    (void)peer;
    stage.dialled++;
}

/* --- the stage -------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(START_MS, WALL_MS);
    stage.node.listener_count = 1;
    stage.listener = "[::]:8766";
    stage.local = 2;
    host_name = "desk.example";
    return 0;
}

static int create(const struct node_invite *wanted, struct invite_row *row, struct invite_uri *uri)
{
    return node_invite_create(&stage.node, wanted, row, uri);
}

static struct invite_uri invitation(const char *name)
{
    struct invite_uri uri = {.inviter = {{INVITER}}, .secret = "secret", .address_count = 1};
    snprintf(uri.name, sizeof uri.name, "%s", name);
    uri.addresses[0] = (struct address){.host = "192.0.2.9", .port = 8766};
    return uri;
}

/* --- making one ------------------------------------------------------------------------------- */

static void test_an_invite_says_where_and_who_we_are(void **state)
{
    const struct node_invite wanted = {.name = "carol", .lifetime_ms = LIFETIME_MS};
    struct invite_row row;
    struct invite_uri uri;
    (void)state;
    stage.mapped = 1;
    assert_int_equal(create(&wanted, &row, &uri), 0);
    assert_int_equal(uri.inviter.bytes[0], 5);
    assert_int_equal(uri.secret[0], 's');
    assert_string_equal(uri.name, "desk");
    assert_int_equal(uri.address_count, 3); /* the router's first */
    assert_string_equal(uri.addresses[0].host, "203.0.113.1");
    assert_string_equal(uri.addresses[1].host, "192.0.2.1");
    assert_int_equal(uri.addresses[1].port, 8766);
    assert_int_equal(row.created_ms, START_MS + WALL_MS);
    assert_int_equal(row.expires_ms, START_MS + WALL_MS + LIFETIME_MS);
    assert_string_equal(row.name, "carol");
    assert_int_equal(row.id[0], 's' + 1);
    assert_int_equal(row.sealed[0], 'x');
    assert_int_equal(stage.added, 1);
}

static void test_addresses_that_are_given_are_the_only_ones(void **state)
{
    const struct address given = {.host = "alice.example", .port = 9};
    const struct node_invite wanted = {.addresses = &given, .address_count = 1};
    struct invite_row row;
    struct invite_uri uri;
    (void)state;
    assert_int_equal(create(&wanted, &row, &uri), 0);
    assert_int_equal(uri.address_count, 1);
    assert_true(address_equal(&uri.addresses[0], &given));
}

static void test_an_invite_has_room_for_so_many_addresses(void **state)
{
    const struct node_invite wanted = {.name = NULL};
    struct invite_row row;
    struct invite_uri uri;
    (void)state;
    stage.local = 100;
    stage.node.listener_count = 2;
    assert_int_equal(create(&wanted, &row, &uri), 0);
    assert_int_equal(uri.address_count, INVITE_URI_ADDRESSES_MAX);
    stage.listener = "192.0.2.7:1";
    stage.node.listener_count = 1;
    assert_int_equal(create(&wanted, &row, &uri), 0);
    assert_int_equal(uri.address_count, 1);
    assert_string_equal(uri.addresses[0].host, "192.0.2.7");
}

static void test_who_can_t_be_dialled_invites_nobody(void **state)
{
    const struct node_invite wanted = {.name = NULL};
    struct invite_row row;
    struct invite_uri uri;
    (void)state;
    stage.node.listener_count = 0;
    assert_int_equal(create(&wanted, &row, &uri), NODE_NO_ADDRESS);
    stage.node.listener_count = 1;
    stage.listener = "nothing at all";
    assert_int_equal(create(&wanted, &row, &uri), NODE_NO_ADDRESS);
    assert_int_equal(stage.added, 0);
}

static void test_a_name_that_is_none_is_not_suggested(void **state)
{
    const struct node_invite wanted = {.name = NULL};
    struct invite_row row;
    struct invite_uri uri;
    (void)state;
    host_name = "";
    assert_int_equal(create(&wanted, &row, &uri), 0);
    assert_string_equal(uri.name, "");
}

static void test_what_is_in_the_way_of_an_invite_is_told(void **state)
{
    const struct node_invite wanted = {.name = "carol"};
    struct invite_row row;
    struct invite_uri uri;
    (void)state;
    stage.name_error = NODE_NAME_TAKEN;
    assert_int_equal(create(&wanted, &row, &uri), NODE_NAME_TAKEN);
    assert_int_equal(create(&(struct node_invite){.name = NULL}, &row, &uri), 0);
    stage.name_error = 0;
    stage.invites = NODE_INVITES_MAX;
    assert_int_equal(create(&wanted, &row, &uri), NODE_INVITES_FULL);
    stage.expired = 1;
    assert_int_equal(create(&wanted, &row, &uri), 0); /* it makes room */
    stage.seal_error = -EIO;
    assert_int_equal(create(&wanted, &row, &uri), -EIO);
    stage.seal_error = 0;
    stage.store_error = DB_FULL;
    assert_int_equal(create(&wanted, &row, &uri), NODE_DISK_FULL);
    assert_int_equal(node_invite_revoke(&stage.node, row.id), NODE_DISK_FULL);
    stage.store_error = DB_NOT_FOUND;
    assert_int_equal(node_invite_revoke(&stage.node, row.id), NODE_NO_SUCH_INVITE);
    stage.store_error = 0;
    assert_int_equal(node_invite_revoke(&stage.node, row.id), 0);
}

/* --- taking one up ---------------------------------------------------------------------------- */

static void test_an_inviter_becomes_a_peer_under_a_name_that_suits(void **state)
{
    const struct invite_uri uri = invitation("alice");
    struct peer *peer;
    (void)state;
    assert_int_equal(node_invite_accept(&stage.node, &uri, "al", &peer), 0);
    assert_string_equal(peer->row.name, "al");
    assert_true(peer->row.pinned && peer->row.invited);
    assert_int_equal(peer->row.trust, PEER_UNPINNED); /* until it has shown the key */
    assert_int_equal(peer->row.key[0], INVITER);
    assert_memory_equal(peer->row.invite_secret, uri.secret, INVITE_SECRET_SIZE);
    assert_int_equal(peer->row.invite_sealed[0], 'x');
    assert_true(address_equal(&peer->row.addresses[0], &uri.addresses[0]));
    stage.suits = true;
    assert_int_equal(node_invite_accept(&stage.node, &uri, NULL, &peer), 0);
    assert_string_equal(peer->row.name, "alice");
    stage.suits = false;
    assert_int_equal(node_invite_accept(&stage.node, &uri, NULL, &peer), 0);
    assert_string_equal(peer->row.name, "peer-7");
    assert_int_equal(node_invite_accept(&stage.node, &uri, "not a name", &peer), NODE_BAD_NAME);
    stage.seal_error = -EIO;
    assert_int_equal(node_invite_accept(&stage.node, &uri, NULL, &peer), -EIO);
    assert_int_equal(stage.taken_in, 3);
}

static void test_an_inviter_that_is_online_is_verified(void **state)
{
    const struct invite_uri uri = invitation("alice");
    struct peer *peer;
    (void)state;
    stage.is_known = true;
    stage.known.link = &stage.link;
    assert_int_equal(node_invite_accept(&stage.node, &uri, NULL, &peer), 0);
    assert_ptr_equal(peer, &stage.known);
    assert_int_equal(stage.verified, 1);
    assert_int_equal(stage.updated + stage.dialled + stage.closed, 0);
}

static void test_an_inviter_that_is_known_is_dialled_with_the_secret(void **state)
{
    const struct invite_uri uri = invitation("alice");
    struct peer *peer;
    (void)state;
    stage.is_known = stage.known.silenced = stage.offline = true;
    stage.take_error = NODE_DISK_FULL;
    assert_int_equal(node_invite_accept(&stage.node, &uri, NULL, &peer), NODE_DISK_FULL);
    assert_true(stage.known.silenced);
    stage.take_error = 0;
    assert_int_equal(node_invite_accept(&stage.node, &uri, NULL, &peer), 0);
    assert_false(stage.known.silenced);
    assert_true(stage.known.row.invited);
    assert_int_equal(stage.dialled, 1);
    assert_int_equal(stage.forgotten, 1);
    assert_int_equal(stage.closed, 0);
    stage.known.link = &stage.link; /* it waits for our approval */
    assert_int_equal(node_invite_accept(&stage.node, &uri, NULL, &peer), 0);
    assert_int_equal(stage.closed, 1);
    assert_int_equal(stage.verified, 0);
    stage.known.row.trust = PEER_BLOCKED;
    assert_int_equal(node_invite_accept(&stage.node, &uri, NULL, &peer), NODE_BLOCKED);
    assert_int_equal(stage.dialled, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_an_invite_says_where_and_who_we_are, set_up),
        cmocka_unit_test_setup(test_addresses_that_are_given_are_the_only_ones, set_up),
        cmocka_unit_test_setup(test_an_invite_has_room_for_so_many_addresses, set_up),
        cmocka_unit_test_setup(test_who_can_t_be_dialled_invites_nobody, set_up),
        cmocka_unit_test_setup(test_a_name_that_is_none_is_not_suggested, set_up),
        cmocka_unit_test_setup(test_what_is_in_the_way_of_an_invite_is_told, set_up),
        cmocka_unit_test_setup(test_an_inviter_becomes_a_peer_under_a_name_that_suits, set_up),
        cmocka_unit_test_setup(test_an_inviter_that_is_online_is_verified, set_up),
        cmocka_unit_test_setup(test_an_inviter_that_is_known_is_dialled_with_the_secret, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
