/* SPDX-License-Identifier: ISC */
/*
 * The control interface: whatever lines a client sends, each gets its one reply, the daemon stays
 * well, and when the client has gone nothing of it is left.
 *
 *     input: bit 0 whether the client may do everything; then what it sends
 */
#include <string.h>

#include "base/utf8.h"
#include "daemon/control.h"
#include "daemon/control_shared.h"
#include "fuzz/fuzz.h"
#include "fuzz/house.h"
#include "simulation/wire_state.h"

enum { CLIENT_HOST = 1, PATIENCE_MS = 1000 * 1000, STEP_MS = 1000 };

uid_t __wrap_stream_user(const struct stream *stream);

static struct {
    struct house house;
    struct control *control;
    listener_accept *accept; /* what the control interface does with a new client */
    void *accept_context;
    bool admin;
    struct loop client_loop;
    struct stream *client;
    struct bytes heard;
    bool left; /* by the daemon */
} stage;

/* --- what the control interface finds in its place -------------------------------------------- */

int listener_new_unix(struct listener **listener, struct loop *loop, const char *path, mode_t mode,
                      listener_accept *accept, void *context)
{
    (void)loop;
    (void)path;
    (void)mode;
    *listener = NULL;
    stage.accept = accept;
    stage.accept_context = context;
    return 0;
}

/* The linker puts this in the place of stream_user(). */
uid_t __wrap_stream_user(const struct stream *stream)
{
    (void)stream;
    return stage.admin ? 0 : (uid_t)-2;
}

static int on_reload(void *context, char *complaint, size_t size)
{
    (void)context;
    (void)complaint;
    (void)size;
    return 0;
}

static void on_stop(void *context)
{
    (void)context;
}

static const char *directory(void *context)
{
    (void)context;
    return "/nowhere";
}

static json_t *settings(void *context)
{
    (void)context;
    return json_object();
}

static uint64_t identity_created(void *context)
{
    (void)context;
    return 0;
}

static const struct control_owner control_owner = {on_reload, on_stop, directory, settings,
                                                   identity_created};

/* --- the end of a turn ------------------------------------------------------------------------ */

static void on_settled(void *context)
{
    control_settled(context, 0);
}

static void on_turned(void *context)
{
    control_go_on(context);
}

/* --- the client ------------------------------------------------------------------------------- */

static void on_readable(void *context)
{
    struct span data = stream_input(stage.client);
    (void)context;
    assert(bytes_append(&stage.heard, data.data, data.size) == 0);
    stream_consume(stage.client, data.size);
}

static void on_writable(void *context)
{
    (void)context;
}

static void on_ended(void *context, int error)
{
    (void)context;
    (void)error;
    stage.left = true;
}

static const struct stream_events client_events = {on_readable, on_writable, on_ended};

static void connect_client(void)
{
    struct stream *accepted;
    stage.left = false;
    loop_init(&stage.client_loop, CLIENT_HOST);
    stream_pair(&stage.client, &stage.client_loop, &accepted, &stage.house.loop);
    stream_attach(stage.client, &client_events, NULL);
    stage.accept(stage.accept_context, accepted);
}

/* Lets both go on until neither has anything to do before that time. */
static void run_until(uint64_t end_ms)
{
    for (;;) {
        uint64_t house_due = loop_due(&stage.house.loop);
        uint64_t client_due = loop_due(&stage.client_loop);
        uint64_t due = house_due < client_due ? house_due : client_due;
        if (due > end_ms)
            break;
        world_set_time(due);
        house_work(&stage.house);
        loop_serve(&stage.client_loop, UINT32_MAX);
    }
    world_set_time(end_ms);
}

/* --- judging ---------------------------------------------------------------------------------- */

/* Whether a line wants a reply, as JSON-RPC has it: all but proper notifications do. */
static bool wants_reply(struct span line)
{
    json_t *message = rpc_read(line);
    const char *version = json_string_value(json_object_get(message, "jsonrpc"));
    bool notifies = version != NULL && strcmp(version, "2.0") == 0 &&
                    json_object_get(message, "id") == NULL &&
                    json_is_string(json_object_get(message, "method"));
    json_decref(message);
    return !notifies;
}

/* The lines of a text: calls back for each. */
static unsigned count_lines(struct span text, bool (*counts)(struct span line))
{
    unsigned count = 0;
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        if (end == NULL)
            break;
        size_t size = (size_t)(end - text.data);
        count += counts(SPAN(text.data, size));
        text = SPAN(end + 1, text.size - size - 1);
    }
    return count;
}

/* Whether what the daemon said is a reply; it may be an event, but nothing else. */
static bool is_reply(struct span line)
{
    json_t *message = rpc_read(line);
    bool event = json_object_get(message, "method") != NULL;
    assert(utf8_valid((const char *)line.data, line.size) && message != NULL);
    assert(event || json_object_get(message, "id") != NULL);
    assert(event || (json_object_get(message, "result") != NULL) !=
                        (json_object_get(message, "error") != NULL));
    json_decref(message);
    return !event;
}

static void ignore(void *context, const struct node_accepted *accepted)
{
    (void)context;
    (void)accepted;
}

static void add_peers(struct house *house)
{
    const struct address nowhere = wire_address(2, ADDRESS_PORT_DEFAULT);
    struct peer *bob, *cem;
    const struct peer *about;
    const struct node_draft draft = {
        .content = SPAN("hello", 5), .peers = &bob, .peer_count = 1, .client_id = "once"};
    assert(node_peer_add(house->node, "bob", &nowhere, 1, house_fingerprint(1), PEER_VERIFIED,
                         &bob) == 0);
    assert(node_peer_add(house->node, "cem", NULL, 0, NULL, PEER_UNPINNED, &cem) == 0);
    assert(node_send(house->node, &draft, ignore, NULL, &about) == 0);
    loop_wake(&house->loop);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    house_set_up(add_peers);
    return 0;
}

/* The client says its last and gets its replies; or dies, if they may never come. */
static void leave(void)
{
    stream_finish(stage.client);
    for (uint64_t end = world_now() + PATIENCE_MS; !stage.left && world_now() < end;)
        run_until(world_now() + STEP_MS);
    stream_free(stage.client);
    stage.client = NULL;
    run_until(world_now() + STEP_MS);
}

static void play(struct span words)
{
    connect_client();
    assert(stream_write(stage.client, words) == 0);
    run_until(world_now() + STEP_MS);
    leave();
    if (stage.left)
        assert(count_lines(words, wants_reply) == count_lines(bytes_span(&stage.heard), is_reply));
    assert(count_lines(words, wants_reply) >= count_lines(bytes_span(&stage.heard), is_reply));
    /* The dead are forgotten when another comes. */
    connect_client();
    run_until(world_now() + STEP_MS);
    assert(stage.control->client_count == 1);
    leave();
    assert(stage.control->client_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct house_plan plan = {.settings = house_settings(),
                              .observer = &control_observer,
                              .settled = on_settled,
                              .turned = on_turned};
    if (size == 0)
        return 0;
    memset(&stage, 0, sizeof stage);
    stage.admin = data[0] & 1;
    house_init(&stage.house);
    assert(control_new(&stage.control, &stage.house.loop, &control_owner, NULL) == 0);
    plan.observer_context = plan.settled_context = stage.control;
    house_open(&stage.house, &plan);
    control_attach(stage.control, stage.house.node);
    assert(control_listen(stage.control, "", 0600) == 0);
    play(SPAN(data + 1, size - 1));
    bytes_deinit(&stage.heard);
    control_free(stage.control);
    house_deinit(&stage.house);
    return 0;
}
