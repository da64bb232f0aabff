/*
 * The configuration file, read with libconfuse.
 */
#include "daemon/config.h"

#include <confuse.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/file.h"
#include "base/number.h"
#include "base/utf8.h"
#include "rpc/rpc_value.h"

static const char *const policy_names[] = {
    [UNKNOWN_ASK] = "ask",
    [UNKNOWN_REJECT] = "reject",
    [UNKNOWN_ACCEPT] = "accept",
};

enum { CONFIG_SIZE_MAX = 256 * 1024 };

enum { POLICY_COUNT = sizeof policy_names / sizeof policy_names[0] };

/* Every key, its default and what it is for; -T prints them in this order. */
static cfg_opt_t option_table[] = {
    CFG_STR_LIST("listen", "{\"[::]:8766\"}", CFGF_NONE),
    CFG_STR("identity", "", CFGF_NONE),
    CFG_STR("identity-passphrase-file", "", CFGF_NONE),
    CFG_INT("identity-bits", 2048, CFGF_NONE),
    CFG_STR("default-peer", "", CFGF_NONE),
    CFG_STR("unknown-peers", "ask", CFGF_NONE),
    CFG_STR("retention", "30d", CFGF_NONE),
    CFG_INT("retention-count", 0, CFGF_NONE),
    CFG_STR("expire", "1w", CFGF_NONE),
    CFG_INT("queue-limit-messages", 100000, CFGF_NONE),
    CFG_STR("queue-limit-bytes", "1GiB", CFGF_NONE),
    CFG_INT("max-links", 4096, CFGF_NONE),
    CFG_STR("log-level", "info", CFGF_NONE),
    CFG_END(),
};

/* libconfuse hands its complaints to a callback without context; this is where it leaves the first.
 */
static char *complaint_place;

__attribute__((format(printf, 2, 0))) static void keep_complaint(cfg_t *cfg, const char *format,
                                                                 va_list arguments)
{
    if (complaint_place == NULL || complaint_place[0] != '\0')
        return;
    char text[CONFIG_COMPLAINT_MAX];
    int used =
        snprintf(complaint_place, CONFIG_COMPLAINT_MAX,
                 "%s:%d: ", cfg->filename != NULL ? cfg->filename : "configuration", cfg->line);
    vsnprintf(text, sizeof text, format, arguments);
    if (used > 0 && used <= CONFIG_COMPLAINT_MAX - 8) /* what escape_copy() needs */
        escape_copy(complaint_place + used, CONFIG_COMPLAINT_MAX - (size_t)used, text, ESCAPE_LINE);
}

static int find_policy(const char *name, enum unknown_policy *policy)
{
    for (unsigned i = 0; i < POLICY_COUNT; i++) {
        if (strcmp(name, policy_names[i]) == 0) {
            *policy = (enum unknown_policy)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* A duration; "forever" is 0. */
static int parse_age(const char *text, uint64_t *ms)
{
    *ms = 0;
    return strcmp(text, "forever") == 0 ? 0 : duration_parse(text, ms);
}

static bool is_age(const char *name)
{
    return strcmp(name, "expire") == 0 || strcmp(name, "retention") == 0;
}

/* --- checks, called for each value as it is read, so that the complaint has the line ---------- */

static int check_text(cfg_t *cfg, cfg_opt_t *opt)
{
    const char *name = cfg_opt_name(opt);
    const char *value = cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);
    struct settings s;
    struct address address;
    enum log_level level;
    uint64_t number;
    const char *wanted = NULL;
    if (!utf8_valid(value, strlen(value)))
        wanted = "UTF-8";
    else if (strcmp(name, "listen") == 0 &&
             (address_parse(value, &address) < 0 || !address_is_numeric(&address)))
        wanted = "an IP address like [::]:8766";
    else if (strcmp(name, "listen") == 0 && cfg_opt_size(opt) > SETTINGS_LISTEN_MAX)
        wanted = "at most 16 addresses";
    else if (strcmp(name, "unknown-peers") == 0 && find_policy(value, &s.unknown_peers) < 0)
        wanted = "ask, reject or accept";
    else if (is_age(name) && parse_age(value, &number) < 0)
        wanted = "a duration like 7d, or forever";
    else if (strcmp(name, "queue-limit-bytes") == 0 && size_parse(value, &number) < 0)
        wanted = "a size like 1GiB";
    else if (strcmp(name, "log-level") == 0 && log_level_parse(value, &level) < 0)
        wanted = "error, warning, notice, info or debug";
    else if (strcmp(name, "default-peer") == 0 && strlen(value) >= PEER_NAME_MAX)
        wanted = "a name of at most 64 bytes";
    else if (strncmp(name, "identity", strlen("identity")) == 0 && strlen(value) >= CONFIG_PATH_MAX)
        wanted = "a shorter path";
    if (wanted == NULL)
        return 0;
    cfg_error(cfg, "%s: '%s' is not %s", name, value, wanted);
    return -1;
}

static int check_number(cfg_t *cfg, cfg_opt_t *opt)
{
    const char *name = cfg_opt_name(opt);
    long value = cfg_opt_getnint(opt, 0);
    const char *wanted = NULL;
    if (strcmp(name, "identity-bits") == 0 && value != 2048 && value != 3072 && value != 4096)
        wanted = "2048, 3072 or 4096";
    else if (strcmp(name, "retention-count") == 0 && value < 0)
        wanted = "a number of messages, or 0 for all";
    else if (strcmp(name, "queue-limit-messages") == 0 && value < 1)
        wanted = "at least 1";
    else if (strcmp(name, "max-links") == 0 && (value < 1 || value > 65536))
        wanted = "between 1 and 65536";
    if (wanted == NULL)
        return 0;
    cfg_error(cfg, "%s: %ld is not %s", name, value, wanted);
    return -1;
}

static cfg_t *new_parser(void)
{
    cfg_t *cfg = cfg_init(option_table, CFGF_NONE);
    if (cfg == NULL)
        return NULL;
    cfg_set_error_function(cfg, keep_complaint);
    for (const cfg_opt_t *opt = option_table; opt->name != NULL; opt++)
        cfg_set_validate_func(cfg, opt->name, opt->type == CFGT_INT ? check_number : check_text);
    return cfg;
}

/* --- values that were checked already --------------------------------------------------------- */

static void take_settings(struct settings *settings, cfg_t *cfg)
{
    settings->listen_count = cfg_size(cfg, "listen");
    for (unsigned i = 0; i < settings->listen_count; i++)
        address_parse(cfg_getnstr(cfg, "listen", i), &settings->listen[i]);
    find_policy(cfg_getstr(cfg, "unknown-peers"), &settings->unknown_peers);
    snprintf(settings->default_peer, sizeof settings->default_peer, "%s",
             cfg_getstr(cfg, "default-peer"));
    parse_age(cfg_getstr(cfg, "retention"), &settings->retention_ms);
    settings->retention_messages = (uint64_t)cfg_getint(cfg, "retention-count");
    parse_age(cfg_getstr(cfg, "expire"), &settings->expire_ms);
    settings->queue_messages = (uint64_t)cfg_getint(cfg, "queue-limit-messages");
    size_parse(cfg_getstr(cfg, "queue-limit-bytes"), &settings->queue_bytes);
    settings->max_links = (unsigned)cfg_getint(cfg, "max-links");
}

static void take_options(struct config *config, const struct options *options)
{
    if (options->listen_count > 0) {
        memcpy(config->settings.listen, options->listen, sizeof options->listen);
        config->settings.listen_count = options->listen_count;
    }
    if (options->has_log_level)
        config->log_level = options->log_level;
}

/* The end of the comment at `text`, or NULL when there is none. */
static const char *comment_end(const char *text, const char *end)
{
    const bool long_one = end - text >= 2 && memcmp(text, "/*", 2) == 0;
    if (!long_one && *text != '#' && (end - text < 2 || memcmp(text, "//", 2) != 0))
        return NULL;
    const char *last = long_one ? memmem(text + 2, (size_t)(end - text) - 2, "*/", 2)
                                : memchr(text, '\n', (size_t)(end - text));
    return last == NULL ? end : long_one ? last + 2 : last;
}

/*
 * Overwrites comments with spaces: libconfuse 3.3 counts the lines of comments wrongly, and then
 * complaints would name others than the wrong ones.
 */
static void blank_comments(char *text, char *end)
{
    char quote = '\0';
    while (text < end) {
        const char *after = quote == '\0' ? comment_end(text, end) : NULL;
        if (after != NULL) {
            for (; text < after; text++)
                *text = *text == '\n' ? '\n' : ' ';
            continue;
        }
        if (quote != '\0' && *text == '\\' && text + 1 < end)
            text++;
        else if (quote != '\0')
            quote = *text == quote ? '\0' : quote;
        else if (*text == '"' || *text == '\'')
            quote = *text;
        text++;
    }
}

static int parse_text(cfg_t *cfg, const char *path, struct bytes *text)
{
    if (text->size == 0)
        return 0;
    blank_comments((char *)text->data, (char *)text->data + text->size);
    cfg->filename = strdup(path); /* freed with cfg */
    FILE *file = fmemopen(text->data, text->size, "r");
    const bool parsed =
        cfg->filename != NULL && file != NULL && cfg_parse_fp(cfg, file) == CFG_SUCCESS;
    if (file != NULL)
        fclose(file);
    return parsed ? 0 : -EINVAL;
}

static int parse_file(cfg_t *cfg, const char *path, bool required, char *complaint)
{
    CLEANUP(bytes_deinit) struct bytes text = {0};
    int r = file_read(path, CONFIG_SIZE_MAX, &text);
    if (r == -ENOENT && !required)
        return 0;
    if (r == 0)
        return parse_text(cfg, path, &text);
    snprintf(complaint, CONFIG_COMPLAINT_MAX, "%s: %s", path, strerror(-r));
    return -EINVAL;
}

/* libconfuse does not notice when it gets no memory for a default. */
static bool is_complete(cfg_t *cfg)
{
    for (const cfg_opt_t *opt = option_table; opt->name != NULL; opt++) {
        if (opt->type != CFGT_STR)
            continue;
        unsigned count = cfg_size(cfg, opt->name);
        for (unsigned i = 0; i < count; i++)
            if (cfg_getnstr(cfg, opt->name, i) == NULL)
                return false;
        if (count == 0 && (opt->flags & CFGF_LIST) == 0)
            return false;
    }
    return true;
}

int config_load(struct config *config, const char *path, bool required,
                const struct options *options, char complaint[static CONFIG_COMPLAINT_MAX])
{
    complaint[0] = '\0';
    complaint_place = complaint;
    cfg_t *cfg = new_parser();
    int r = cfg == NULL ? -EINVAL : parse_file(cfg, path, required, complaint);
    complaint_place = NULL;
    if (r == 0 && !is_complete(cfg))
        r = -ENOMEM;
    if (r == 0) {
        *config = (struct config){0};
        take_settings(&config->settings, cfg);
        snprintf(config->identity, sizeof config->identity, "%s", cfg_getstr(cfg, "identity"));
        snprintf(config->passphrase_file, sizeof config->passphrase_file, "%s",
                 cfg_getstr(cfg, "identity-passphrase-file"));
        config->identity_bits = (unsigned)cfg_getint(cfg, "identity-bits");
        log_level_parse(cfg_getstr(cfg, "log-level"), &config->log_level);
        take_options(config, options);
    } else if (complaint[0] == '\0') {
        snprintf(complaint, CONFIG_COMPLAINT_MAX, "%s: can't be read: %s", path,
                 r == -ENOMEM ? strerror(ENOMEM) : "it is no configuration");
    }
    if (cfg != NULL)
        cfg_free(cfg);
    return r < 0 ? -EINVAL : 0;
}

struct keys_source config_keys(const struct config *config, const char *state_dir)
{
    return (struct keys_source){.state_dir = state_dir,
                                .identity = config->identity,
                                .passphrase_file = config->passphrase_file,
                                .bits = config->identity_bits};
}

static json_t *view_listen(const struct settings *settings)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < settings->listen_count; i++) {
        char text[ADDRESS_TEXT_MAX];
        address_format(&settings->listen[i], text);
        rpc_value_append(&list, json_string(text));
    }
    return list;
}

static json_t *view_age(uint64_t ms)
{
    char text[QUANTITY_TEXT_MAX] = "forever";
    if (ms != 0)
        duration_format(ms, text);
    return json_string(text);
}

static json_t *view_size(uint64_t bytes)
{
    char text[QUANTITY_TEXT_MAX];
    size_format(bytes, text);
    return json_string(text);
}

json_t *config_view(const struct config *config)
{
    const struct settings *settings = &config->settings;
    return json_pack(
        "{s:o, s:s, s:s, s:i, s:s, s:s, s:o, s:I, s:o, s:I, s:o, s:i, s:s}", "listen",
        view_listen(settings), "identity", config->identity, "identity-passphrase-file",
        config->passphrase_file, "identity-bits", (int)config->identity_bits, "default-peer",
        settings->default_peer, "unknown-peers", policy_names[settings->unknown_peers], "retention",
        view_age(settings->retention_ms), "retention-count",
        (json_int_t)settings->retention_messages, "expire", view_age(settings->expire_ms),
        "queue-limit-messages", (json_int_t)settings->queue_messages, "queue-limit-bytes",
        view_size(settings->queue_bytes), "max-links", (int)settings->max_links, "log-level",
        log_level_name(config->log_level));
}

/* Between quotes a dollar would stand for a variable of the environment. */
static void print_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const char *c = text; *c != '\0'; c++)
        fprintf(out, strchr("\"\\$", *c) != NULL ? "\\%c" : "%c", *c);
    fputc('"', out);
}

static void print_value(FILE *out, const json_t *value)
{
    size_t i;
    json_t *element;
    if (json_is_integer(value)) {
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_string(value)) {
        print_text(out, json_string_value(value));
    } else {
        fputc('{', out);
        json_array_foreach(value, i, element)
        {
            fputs(i > 0 ? ", " : "", out);
            print_text(out, json_string_value(element));
        }
        fputc('}', out);
    }
}

int config_print(const struct config *config, FILE *out)
{
    json_t *view = config_view(config);
    const char *name;
    json_t *value;
    if (view == NULL)
        return -ENOMEM;
    json_object_foreach(view, name, value)
    {
        fprintf(out, "%s = ", name);
        print_value(out, value);
        fputc('\n', out);
    }
    json_decref(view);
    return 0;
}
