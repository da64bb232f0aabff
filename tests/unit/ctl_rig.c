/* SPDX-License-Identifier: ISC */
/*
 * Runs verbs of p2pchatctl against a scripted daemon.
 */
#include "unit/ctl_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "client/connection.h"
#include "client/manager.h"
#include "client/verb.h"
#include "unit/cmocka_all.h"

enum { STEPS_MAX = 1100, ARGUMENTS_MAX = 16 };

struct step {
    char *method;
    json_t *params;
    json_t *messages; /* array: the reply and what comes with it; null: the connection is lost */
    int refusals;
};

struct connection {
    json_t *inbox;
};

struct rig_options rig_options;
char *rig_out, *rig_err;
size_t rig_out_size;

static struct step steps[STEPS_MAX];
static size_t step_count, steps_done;
static int refusals, refusal_error;

/* --- the script ------------------------------------------------------------------------------- */

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
    if (value == NULL)
        fail_msg("the script is wrong: %s in %s", error.text, text);
    return value;
}

void rig_step(const char *method, const char *params, const char *reply)
{
    assert_true(step_count < STEPS_MAX);
    steps[step_count++] = (struct step){strdup(method), parse(params), json_array(), 0};
    if (reply != NULL)
        rig_push(reply);
}

void rig_push(const char *message)
{
    json_array_append_new(steps[step_count - 1].messages, parse(message));
}

void rig_lose(int connects)
{
    json_array_append_new(steps[step_count - 1].messages, json_null());
    steps[step_count - 1].refusals = connects;
}

void rig_refuse(int count, int error)
{
    refusals = count;
    refusal_error = error;
}

static void forget(void)
{
    for (size_t i = 0; i < step_count; i++) {
        free(steps[i].method);
        json_decref(steps[i].params);
        json_decref(steps[i].messages);
    }
    step_count = steps_done = 0;
    refusals = 0;
    free(rig_out);
    free(rig_err);
    rig_out = rig_err = NULL;
    rig_options = (struct rig_options){0};
}

int rig_setup(void **state)
{
    (void)state;
    forget();
    setenv("TZ", "UTC", 1);
    return 0;
}

int rig_teardown(void **state)
{
    const bool played = steps_done == step_count;
    (void)state;
    forget();
    return played ? 0 : -1;
}

/* Stands in for the C library's: ids that are made of it are the same in every run. */
ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
    (void)flags;
    memset(buffer, 0xab, size);
    return (ssize_t)size;
}

/* --- the machine ------------------------------------------------------------------------------ */

bool manager_has_unit(bool user)
{
    return !rig_options.without_systemd && !(user && rig_options.no_user_unit);
}

bool manager_is_root(void)
{
    return !rig_options.not_root;
}

char *manager_as_root(const char *command)
{
    char *typed;
    if (!rig_options.not_root)
        return strdup(command);
    return asprintf(&typed, "sudo %s", command) >= 0 ? typed : NULL;
}

struct hint_reader manager_reader(const char *option)
{
    return (struct hint_reader){
        .socket = option, .own = !rig_options.not_root, .sudo = rig_options.not_root};
}

struct membership manager_membership(const char *socket)
{
    struct membership membership = {rig_options.standing, "p2pchat", "alice"};
    (void)socket;
    return membership;
}

/* --- the connection --------------------------------------------------------------------------- */

int connection_open(const char *path, struct connection **connection)
{
    (void)path;
    if (refusals > 0) {
        refusals--;
        return -refusal_error;
    }
    *connection = calloc(1, sizeof **connection);
    (*connection)->inbox = json_array();
    return 0;
}

void connection_free(struct connection *connection)
{
    if (connection != NULL)
        json_decref(connection->inbox);
    free(connection);
}

int descriptor_send(int fd, int descriptor)
{
    (void)fd;
    (void)descriptor;
    return CONNECTION_LOST;
}

int connection_send(struct connection *connection, json_t *message)
{
    return connection_send_with(connection, message, -1);
}

int connection_queue(struct connection *connection, json_t *message)
{
    return connection_send_with(connection, message, -1);
}

bool connection_pending(struct connection *connection)
{
    return json_array_size(connection->inbox) > 0;
}

int connection_send_with(struct connection *connection, json_t *message, int descriptor)
{
    (void)descriptor;
    const char *method = json_string_value(json_object_get(message, "method"));
    const json_t *params = json_object_get(message, "params");
    char *shown = json_dumps(params, JSON_COMPACT | JSON_ENCODE_ANY);
    size_t i;
    json_t *answer;
    if (steps_done == step_count)
        fail_msg("nobody expected %s %s", method, shown);
    const struct step *step = &steps[steps_done++];
    if (strcmp(method, step->method) != 0 || !json_equal((json_t *)params, step->params))
        fail_msg("expected %s, not %s %s", step->method, method, shown);
    json_array_foreach(step->messages, i, answer)
    {
        if (json_object_get(answer, "method") == NULL && json_object_get(answer, "id") == NULL)
            json_object_set(answer, "id", json_object_get(message, "id"));
        json_array_append(connection->inbox, answer);
    }
    rig_refuse(step->refusals, ECONNREFUSED);
    free(shown);
    json_decref(message);
    return 0;
}

int connection_receive(struct connection *connection, struct pollfd *other, uint64_t deadline_ms,
                       json_t **message)
{
    if (json_array_size(connection->inbox) == 0) {
        if (other != NULL && other->events != 0)
            return CONNECTION_OTHER;
        if (deadline_ms == CONNECTION_NEVER)
            fail_msg("waits for ever");
        return CONNECTION_TIMEOUT;
    }
    if (json_is_null(json_array_get(connection->inbox, 0)))
        return CONNECTION_LOST;
    *message = json_incref(json_array_get(connection->inbox, 0));
    json_array_remove(connection->inbox, 0);
    return 0;
}

/* --- running ---------------------------------------------------------------------------------- */

static int input_file(void)
{
    const char *text = rig_options.input != NULL ? rig_options.input : "";
    const size_t size = rig_options.input_size > 0 ? rig_options.input_size : strlen(text);
    const int fd = memfd_create("input", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, size), size);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

int rig_run(const char *verb, ...)
{
    char *argv[ARGUMENTS_MAX] = {(char *)verb};
    int argc = 1;
    va_list arguments;
    size_t err_size;
    va_start(arguments, verb);
    while ((argv[argc] = va_arg(arguments, char *)) != NULL)
        argc++;
    va_end(arguments);
    free(rig_out);
    free(rig_err);
    struct suggestion word = suggest_for(verb);
    struct ctl ctl = {
        .verb = verb_find(&word),
        .arguments = argv,
        .in = input_file(),
        .out = open_memstream(&rig_out, &rig_out_size),
        .err = open_memstream(&rig_err, &err_size),
        .terminal = rig_options.terminal,
        .colour = rig_options.colour,
    };
    assert_non_null(ctl.verb);
    const int status = ctl.verb->run(&ctl, argc, argv);
    close(ctl.in);
    fclose(ctl.out);
    fclose(ctl.err);
    ctl_deinit(&ctl);
    return status;
}
