/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl files: what was offered, by us and to us, and getting it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/uuid.h"
#include "client/connection.h"
#include "client/files_loop.h"
#include "client/options.h"
#include "client/output.h"
#include "client/transfer.h"
#include "client/verb.h"
#include "client/view.h"

struct files_call {
    bool all; /* list: those that have ended, too; get: everything that is offered */
    const char *peer;
    bool loop; /* get: what comes later, too */
    struct files_get get;
};

/* --- list ------------------------------------------------------------------------------------- */

static json_t *fetch_list(struct ctl *ctl, const struct files_call *call)
{
    CLEANUP(json_release)
    json_t *result = ctl_call(ctl, "file.list", json_pack("{s:b}", "ended", call->all));
    json_t *list = json_array();
    size_t i;
    json_t *transfer;
    json_array_foreach(json_object_get(result, "transfers"), i, transfer)
    {
        if (call->peer == NULL || strcmp(member_string(transfer, "peer", ""), call->peer) == 0)
            json_array_append(list, transfer);
    }
    if (result != NULL)
        return list;
    json_decref(list);
    return NULL;
}

/* "moving 45 %", "refused: size". */
static void describe(const json_t *transfer, char text[static 64])
{
    const char *state = member_string(transfer, "state", "?");
    const char *reason = member_string(transfer, "reason", "");
    const json_int_t size = member_integer(transfer, "size");
    if (strcmp(state, "moving") == 0 && size > 0)
        snprintf(text, 64, "moving %d %%",
                 (int)((double)member_integer(transfer, "moved") / (double)size * 100));
    else
        snprintf(text, 64, "%.20s%s%.30s", state, reason[0] != '\0' ? ": " : "", reason);
}

static int print_table(struct ctl *ctl, const json_t *transfers)
{
    struct table table = {.columns = 6, .head = {"ID", "PEER", "", "STATE", "SIZE", "NAME"}};
    char size[VIEW_SIZE_MAX], state[64];
    size_t i;
    json_t *transfer;
    json_array_foreach(transfers, i, transfer)
    {
        view_size(member_integer(transfer, "size"), size);
        describe(transfer, state);
        table_add(&table, member_string(transfer, "id", "?"));
        table_add(&table, member_string(transfer, "peer", "?"));
        table_add(&table, member_string(transfer, "direction", "?"));
        table_add(&table, state);
        table_add(&table, size);
        table_add(&table, member_string(transfer, "name", "?"));
    }
    const int r = table_print(ctl, &table);
    table_deinit(&table);
    return r;
}

static int list(struct ctl *ctl, const struct files_call *call)
{
    CLEANUP(json_release) json_t *transfers = fetch_list(ctl, call);
    if (transfers == NULL || output_list(ctl, transfers, "id"))
        return ctl->status;
    if (json_array_size(transfers) > 0)
        return print_table(ctl, transfers);
    ctl_note(ctl, "no files are offered");
    return ctl->status;
}

/* --- show ------------------------------------------------------------------------------------- */

static void print_entry(struct ctl *ctl, const struct manifest_entry *entry)
{
    static const char types[] = "-dl", bits[] = "rwxrwxrwx";
    char mode[11] = "", time_text[32] = "", path[BENEATH_PATH_MAX + 1];
    const time_t seconds = (time_t)(entry->mtime_ns / 1000000000);
    struct tm local;
    mode[0] = types[entry->type];
    for (int i = 0; i < 9; i++)
        mode[1 + i] = (entry->mode >> (8 - i) & 1) != 0 ? bits[i] : '-';
    if (localtime_r(&seconds, &local) != NULL)
        strftime(time_text, sizeof time_text, "%Y-%m-%d %H:%M", &local);
    manifest_path(entry, path);
    if (entry->type == MANIFEST_SYMLINK)
        output_line(ctl, "%s %12s %s %s -> %.*s", mode, "", time_text, path,
                    (int)entry->target.size, (const char *)entry->target.data);
    else
        output_line(ctl, "%s %12" JSON_INTEGER_FORMAT " %s %s", mode, (json_int_t)entry->size,
                    time_text, path);
}

static int print_manifest(struct ctl *ctl, struct span manifest, const json_t *transfer)
{
    struct manifest_walk walk;
    struct manifest_entry entry;
    const char *complaint;
    if (manifest_check(manifest, (uint32_t)member_integer(transfer, "entries"),
                       (uint64_t)member_integer(transfer, "size"), &complaint) != 0)
        return ctl_fail(ctl, RPC_KIND_bad_manifest, "the list of files is not a legal one: %s",
                        complaint);
    manifest_begin(&walk, manifest);
    while (manifest_next(&walk, &entry) == 0)
        print_entry(ctl, &entry);
    return 0;
}

/* The manifest comes with none of the data when that is asked for from its end on. */
static int show(struct ctl *ctl, const char *id)
{
    CLEANUP(json_release)
    json_t *transfer = ctl_call(ctl, "file.get", json_pack("{s:s}", "id", id));
    CLEANUP(json_release) json_t *reply = NULL;
    CLEANUP(bytes_deinit) struct bytes manifest = {0};
    uint8_t piece[4096];
    json_int_t request;
    int socket;
    if (transfer == NULL)
        return ctl->status;
    if (ctl->json)
        output_json(ctl, transfer, '\n');
    int r = transfer_fetch(ctl, id, member_integer(transfer, "size"), &socket, &request);
    if (r != 0)
        return ctl_fail_connection(ctl, r);
    for (ssize_t size; (size = read(socket, piece, sizeof piece)) != 0;) {
        if (size < 0 && errno != EINTR)
            break;
        if (size > 0 &&
            (manifest.size > MANIFEST_SIZE_MAX || bytes_append(&manifest, piece, (size_t)size) < 0))
            break;
    }
    close(socket);
    r = transfer_await(ctl, request, &reply);
    if (r != 0)
        return ctl_fail_connection(ctl, r);
    const json_t *error = json_object_get(reply, "error");
    if (error != NULL)
        return ctl_fail_reply(ctl, error);
    return ctl->json ? 0 : print_manifest(ctl, bytes_span(&manifest), transfer);
}

/* --- get -------------------------------------------------------------------------------------- */

static bool is_id(const char *text)
{
    struct uuid id;
    return uuid_parse(text, &id) == 0;
}

static void get_all(struct ctl *ctl, struct files_call *call)
{
    const struct files_call open = {.peer = call->peer};
    CLEANUP(json_release) json_t *transfers = fetch_list(ctl, &open);
    size_t i;
    json_t *transfer;
    json_array_foreach(transfers, i, transfer)
    {
        if (files_loop_is_open(transfer, NULL))
            files_get_one(&call->get, member_string(transfer, "id", ""));
    }
}

/* 0, or OPTIONS_STOP after telling. */
static int check_words(struct ctl *ctl, const struct files_call *call, int count, char **ids)
{
    if (call->loop && call->peer == NULL)
        return options_misuse(ctl, "--loop needs -p: from whom?");
    if (call->all || call->loop ? count > 0 : count == 0)
        return options_misuse(ctl, call->all    ? "--all, or ids?"
                                   : call->loop ? "--loop, or ids?"
                                                : "which transfer?");
    for (int i = 0; i < count; i++)
        if (!is_id(ids[i]))
            return options_misuse(ctl, "\"%s\" is no id of a transfer", ids[i]);
    return 0;
}

static int get(struct ctl *ctl, struct files_call *call, int count, char **words)
{
    struct files_get *get = &call->get;
    get->ctl = ctl;
    get->path = ".";
    if (count > 0 && !is_id(words[count - 1]))
        get->path = words[--count];
    if (check_words(ctl, call, count, words) != 0)
        return ctl->status;
    get->directory = open(get->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (get->directory < 0)
        return ctl_fail_as(ctl, EX_CANTCREAT, "io", "%s: %s", get->path, strerror(errno));
    if (call->loop)
        files_loop(get, call->peer);
    else if (call->all)
        get_all(ctl, call);
    for (int i = 0; i < count; i++)
        files_get_one(get, words[i]);
    close(get->directory);
    return ctl->status;
}

/* --- refuse, cancel --------------------------------------------------------------------------- */

static int end_each(struct ctl *ctl, const char *method, int count, char **ids)
{
    for (int i = 0; i < count; i++) {
        CLEANUP(json_release)
        json_t *transfer = ctl_call(ctl, method, json_pack("{s:s}", "id", ids[i]));
        if (transfer == NULL)
            return ctl->status;
        if (ctl->json)
            output_json(ctl, transfer, '\n');
        else if (!ctl->quiet)
            output_line(ctl, "%s is %s", ids[i], member_string(transfer, "state", "ended"));
    }
    return ctl->status;
}

/* --- the verb --------------------------------------------------------------------------------- */

static int read_conflict(struct ctl *ctl, struct files_call *call)
{
    static const char *const words[] = {"rename", "skip", "overwrite"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(optarg, words[i]) == 0) {
            call->get.conflict = (enum unpack_conflict)i;
            return 0;
        }
    }
    return options_misuse(ctl, "--conflict is rename, skip or overwrite, not \"%s\"", optarg);
}

static int read_option(struct ctl *ctl, struct files_call *call, int option)
{
    json_int_t entries;
    switch (option) {
    case 'a':
        call->all = true;
        return 0;
    case 'p':
        call->peer = optarg;
        return 0;
    case 'l':
        call->loop = true;
        return 0;
    case 'x':
        call->get.command = optarg;
        return 0;
    case 'r':
        return options_size(ctl, "--limit-rate", optarg, &call->get.rate);
    case 'c':
        return read_conflict(ctl, call);
    case 'f':
        return options_size(ctl, "--min-free", optarg, &call->get.min_free);
    case 'e':
        if (options_number(ctl, "--max-entries", optarg, &entries) != 0)
            return OPTIONS_STOP;
        call->get.max_entries = (uint64_t)entries;
        return 0;
    default:
        return options_size(ctl, "--max-size", optarg, &call->get.max_size);
    }
}

static int read_options(struct ctl *ctl, struct files_call *call, int argc, char **argv)
{
    static const struct option longs[] = {
        {"peer", required_argument, NULL, 'p'},
        {"all", no_argument, NULL, 'a'},
        {"conflict", required_argument, NULL, 'c'},
        {"max-size", required_argument, NULL, 'm'},
        {"loop", no_argument, NULL, 'l'},
        {"max-entries", required_argument, NULL, 'e'},
        {"exec", required_argument, NULL, 'x'},
        {"min-free", required_argument, NULL, 'f'},
        {"limit-rate", required_argument, NULL, 'r'},
        OPTIONS_LONG,
    };
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":ap:" OPTIONS_SHORT, longs)) >= 0)
        if (read_option(ctl, call, option) != 0)
            return OPTIONS_STOP;
    return option == OPTIONS_STOP ? OPTIONS_STOP : 0;
}

int cmd_files(struct ctl *ctl, int argc, char **argv)
{
    struct files_call call = {.all = false};
    if (read_options(ctl, &call, argc, argv) != 0)
        return ctl->status;
    const char *command = optind < argc ? argv[optind] : "list";
    const int count = argc - optind - 1;
    char **words = argv + optind + 1;
    if (strcmp(command, "list") == 0)
        return options_count(ctl, argc - optind, 0, 1) == 0 ? list(ctl, &call) : ctl->status;
    if (strcmp(command, "get") == 0)
        return get(ctl, &call, count, words);
    if (strcmp(command, "show") == 0)
        return options_count(ctl, count, 1, 1) == 0 ? show(ctl, words[0]) : ctl->status;
    if (strcmp(command, "refuse") != 0 && strcmp(command, "cancel") != 0)
        return options_misuse(ctl, "files has no command \"%s\"", command), ctl->status;
    if (count == 0)
        return options_misuse(ctl, "which transfer?"), ctl->status;
    return end_each(ctl, strcmp(command, "refuse") == 0 ? "file.refuse" : "file.cancel", count,
                    words);
}
