/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl send: a message from the arguments or from standard input, or one for each line of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "client/connection.h"
#include "client/input.h"
#include "client/options.h"
#include "client/outbox.h"
#include "client/own_headers.h"
#include "client/verb.h"

struct send {
    struct outbox_options outbox;
    bool lines;
    bool has_timeout;
};

static void send_deinit(struct send *send)
{
    json_decref(send->outbox.peers);
    json_decref(send->outbox.headers);
}

static int read_wait(struct ctl *ctl, struct send *send, const char *state)
{
    if (state != NULL && strcmp(state, "sent") != 0 && strcmp(state, "delivered") != 0)
        return options_misuse(ctl, "--wait is for \"sent\" or \"delivered\", not \"%s\"", state);
    send->outbox.wait = state != NULL ? state : "delivered";
    return 0;
}

static int read_option(struct ctl *ctl, struct send *send, int option, const char *value)
{
    uint64_t ms;
    switch (option) {
    case 'p':
        if (value[0] == '\0')
            return options_misuse(ctl, "-p needs a name; it is given an empty one");
        if (send->outbox.peers == NULL)
            send->outbox.peers = json_array();
        json_array_append_new(send->outbox.peers, json_string(value));
        return 0;
    case 'w':
        return read_wait(ctl, send, value);
    case 't':
        if (options_duration(ctl, "--timeout", value, &ms) != 0)
            return OPTIONS_STOP;
        send->outbox.deadline_ms = clock_monotonic_ms() + ms;
        send->has_timeout = true;
        return 0;
    case 'e':
        if (options_duration(ctl, "--expires", value, &ms) != 0)
            return OPTIONS_STOP;
        send->outbox.expires_s = (json_int_t)((ms + 999) / 1000);
        return ms > 0 ? 0 : options_misuse(ctl, "--expires must be more than 0");
    case 'c':
        send->outbox.client_id = value;
        return 0;
    case 'O':
        return own_headers_add(ctl, &send->outbox.headers, "topic", json_string(value));
    case 'Y':
        return own_headers_add(ctl, &send->outbox.headers, "type", json_string(value));
    case 'R':
        return own_headers_add(ctl, &send->outbox.headers, "reply_to", json_string(value));
    case 'H':
        return own_headers_add_user(ctl, &send->outbox.headers, value);
    case 'b':
        send->outbox.binary = true;
        return 0;
    default:
        send->lines = true;
        return 0;
    }
}

static const struct option longs[] = {
    {"peer", required_argument, NULL, 'p'},      {"wait", optional_argument, NULL, 'w'},
    {"timeout", required_argument, NULL, 't'},   {"lines", no_argument, NULL, 'l'},
    {"client-id", required_argument, NULL, 'c'}, {"expires", required_argument, NULL, 'e'},
    {"topic", required_argument, NULL, 'O'},     {"type", required_argument, NULL, 'Y'},
    {"reply-to", required_argument, NULL, 'R'},  {"header", required_argument, NULL, 'H'},
    {"binary", no_argument, NULL, 'b'},          OPTIONS_LONG,
};

/* The option that the word looks like, or NULL. */
static const struct option *find_option(const char *word)
{
    for (const struct option *known = longs; known->name != NULL; known++) {
        const size_t size = strlen(known->name);
        if (strncmp(word, "--", 2) == 0 && strncmp(word + 2, known->name, size) == 0 &&
            (word[2 + size] == '\0' || word[2 + size] == '='))
            return known;
    }
    return NULL;
}

/*
 * Options end where the text begins. One that stands behind it was not meant as text, unless "--"
 * stood before: then everything is. 0 or ctl->status.
 */
static int check_late_options(struct ctl *ctl, int count, char **words)
{
    if (strcmp(words[-1], "--") == 0)
        return 0;
    if (strcmp(words[-1], "--wait") == 0 &&
        (strcmp(words[0], "sent") == 0 || strcmp(words[0], "delivered") == 0))
        return options_misuse(ctl, "write --wait=%s; or -- before a text that begins so", words[0]),
               ctl->status;
    for (int i = 1; i < count; i++) {
        if (find_option(words[i]) != NULL || strcmp(words[i], "-p") == 0)
            return options_misuse(ctl,
                                  "%s stands behind the text: write options before it, or -- "
                                  "before a text that has one",
                                  words[i]),
                   ctl->status;
    }
    return 0;
}

static int read_options(struct ctl *ctl, struct send *send, int argc, char **argv)
{
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, "+:p:H:" OPTIONS_SHORT, longs)) >= 0) {
        if (read_option(ctl, send, option, optarg) != 0)
            return OPTIONS_STOP;
    }
    if (option == OPTIONS_STOP)
        return OPTIONS_STOP;
    if (send->has_timeout && send->lines && send->outbox.wait == NULL)
        return options_misuse(ctl, "--lines has a --timeout only with --wait");
    if (send->lines && send->outbox.binary)
        return options_misuse(ctl, "--binary takes standard input as a whole, not --lines");
    if (send->lines && send->outbox.client_id != NULL)
        return options_misuse(ctl, "--client-id is for one message, not for --lines");
    return 0;
}

/* Where the first byte is that is no text: NUL, or not UTF-8. `size` when there is none. */
static size_t first_bad_byte(struct span text)
{
    uint32_t character;
    for (size_t at = 0; at < text.size;) {
        const size_t length = utf8_decode((const char *)text.data + at, text.size - at, &character);
        if (length == 0 || character == 0)
            return at;
        at += length;
    }
    return text.size;
}

/*
 * Whether the text, or the bytes, can be a message. 0 or ctl->status. `line` is its number among
 * others; 0: it is the only one.
 */
static int check_body(struct ctl *ctl, const struct send *send, struct span text, uint64_t line)
{
    const bool may_be_empty = send->outbox.binary || send->outbox.headers != NULL;
    char where[32] = "";
    if (line > 0)
        snprintf(where, sizeof where, "line %" PRIu64 ": ", line);
    if (text.size == 0 && !may_be_empty)
        return ctl_fail(ctl, RPC_KIND_empty, "%san empty message can't be sent", where);
    if (text.size > INPUT_TEXT_MAX)
        return ctl_fail(ctl, RPC_KIND_too_large,
                        "%stoo large: a message has at most %d bytes; send it in pieces", where,
                        INPUT_TEXT_MAX);
    const size_t bad = send->outbox.binary ? text.size : first_bad_byte(text);
    if (bad == text.size)
        return 0;
    return ctl_fail(ctl, RPC_KIND_not_utf8, "%snot a text: byte %zu is %s; %s", where, bad + 1,
                    text.data[bad] == 0 ? "NUL" : "not UTF-8",
                    line > 0 ? "data can be sent as text with base64(1)"
                             : "to send data as it is: --binary");
}

static int fail_read(struct ctl *ctl, int error)
{
    return ctl_fail_as(ctl, EX_IOERR, "input", "can't read standard input: %s", strerror(-error));
}

/* Sends one message and sees what becomes of it. The exit status. */
static int send_one(struct ctl *ctl, const struct send *send, struct span text)
{
    if (check_body(ctl, send, text, 0) != 0)
        return ctl->status;
    CLEANUP(outbox_deinit) struct outbox outbox;
    outbox_init(&outbox, ctl, &send->outbox);
    outbox_send(&outbox, text);
    while (outbox.count > 0)
        outbox_receive(&outbox, NULL);
    return outbox.status;
}

static int send_arguments(struct ctl *ctl, const struct send *send, int count, char **words)
{
    CLEANUP(bytes_deinit) struct bytes text = {0};
    if (check_late_options(ctl, count, words) != 0)
        return ctl->status;
    for (int i = 0; i < count; i++) {
        if ((i > 0 && bytes_append(&text, " ", 1) != 0) ||
            bytes_append(&text, words[i], strlen(words[i])) != 0)
            return ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    }
    return send_one(ctl, send, bytes_span(&text));
}

static int send_input(struct ctl *ctl, const struct send *send)
{
    CLEANUP(input_deinit) struct input input = {.fd = ctl->in};
    struct span text;
    const int r = input_all(&input, send->outbox.binary, &text);
    if (r < 0)
        return fail_read(ctl, r);
    return send_one(ctl, send, text);
}

/*
 * Sends the lines that have been read, as far as the window allows. An invalid line is reported and
 * skipped, so that one of them does not end a log that is piped in. Whether there will be more.
 */
static bool send_read_lines(struct ctl *ctl, const struct send *send, struct input *input,
                            struct outbox *outbox)
{
    while (outbox_ready(outbox)) {
        struct span line;
        const int r = input_line(input, &line);
        if (r == INPUT_NONE || r == INPUT_END)
            return r == INPUT_NONE;
        if (r == INPUT_TOO_LONG)
            line.size = INPUT_TEXT_MAX + 1;
        if (r == 0 && line.size == 0)
            continue;
        if (check_body(ctl, send, line, input->lines) != 0) {
            if (outbox->status == EX_OK)
                outbox->status = ctl->status;
            continue;
        }
        outbox_send(outbox, line);
    }
    return !outbox->stop;
}

/* A message per line, sent as the lines come while answers come back. */
static int send_lines(struct ctl *ctl, const struct send *send)
{
    if (ctl_connect(ctl) != 0)
        return ctl->status;
    CLEANUP(input_deinit) struct input input = {.fd = ctl->in};
    CLEANUP(outbox_deinit) struct outbox outbox;
    outbox_init(&outbox, ctl, &send->outbox);
    bool more = true;
    while ((more = more && send_read_lines(ctl, send, &input, &outbox)) || outbox.count > 0) {
        struct pollfd stdin_ready = {.fd = input.fd, .events = POLLIN};
        const bool reading = more && outbox_ready(&outbox);
        if (outbox_receive(&outbox, reading ? &stdin_ready : NULL) != OUTBOX_INPUT)
            continue;
        const int r = input_read(&input);
        if (r != 0)
            return fail_read(ctl, r);
    }
    return outbox.status;
}

int cmd_send(struct ctl *ctl, int argc, char **argv)
{
    CLEANUP(send_deinit) struct send send = {.outbox.deadline_ms = CONNECTION_NEVER};
    if (read_options(ctl, &send, argc, argv) != 0)
        return ctl->status;
    const int count = argc - optind;
    const bool has_text = count > 0 && (count > 1 || strcmp(argv[optind], "-") != 0);
    if (send.outbox.binary && has_text)
        return options_misuse(ctl, "--binary reads standard input, not arguments"), ctl->status;
    if (send.lines && has_text)
        return options_misuse(ctl, "--lines reads standard input, not arguments"), ctl->status;
    if (has_text)
        return send_arguments(ctl, &send, count, argv + optind);
    if (count == 0 && isatty(ctl->in) == 1)
        return options_misuse(ctl, "what shall be sent?"), ctl->status;
    return send.lines ? send_lines(ctl, &send) : send_input(ctl, &send);
}
