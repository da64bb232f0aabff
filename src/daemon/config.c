/* SPDX-License-Identifier: ISC */
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
#include "rpc/rpc_value.h"

enum { CONFIG_SIZE_MAX = 256 * 1024 };

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

static const struct setting *find_setting(const char *name)
{
    const struct setting *setting = setting_table;
    while (strcmp(setting->name, name) != 0)
        setting++;
    return setting;
}

/* Called for each value as it is read, so that the complaint has the line. */
static int check_value(cfg_t *cfg, cfg_opt_t *opt)
{
    const struct setting *setting = find_setting(cfg_opt_name(opt));
    struct config ignored = {0};
    char wanted[SETTING_WANTED_MAX];
    int r = 0;
    for (unsigned i = 0; r == 0 && i < cfg_opt_size(opt); i++)
        r = setting_parse(setting, cfg_opt_getnstr(opt, i), &ignored, wanted);
    if (r < 0)
        cfg_error(cfg, "%s: '%s' is not %s", setting->name,
                  cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1), wanted);
    return r;
}

static cfg_t *new_parser(void)
{
    size_t count = 0;
    while (setting_table[count].name != NULL)
        count++;
    CLEANUP(cleanup_free) cfg_opt_t *options = calloc(count + 1, sizeof *options);
    if (options == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const struct setting *setting = &setting_table[i];
        if (setting_is_list(setting))
            options[i] =
                (cfg_opt_t)CFG_STR_LIST(setting->name, (char *)setting->standard, CFGF_NONE);
        else
            options[i] = (cfg_opt_t)CFG_STR(setting->name, setting->standard, CFGF_NONE);
    }
    options[count] = (cfg_opt_t)CFG_END();
    cfg_t *cfg = cfg_init(options, CFGF_NONE); /* copies them */
    if (cfg == NULL)
        return NULL;
    cfg_set_error_function(cfg, keep_complaint);
    for (size_t i = 0; i < count; i++)
        cfg_set_validate_func(cfg, setting_table[i].name, check_value);
    return cfg;
}

/* All values, which were checked. libconfuse does not notice when it gets no memory for a default.
 */
static int take_values(struct config *config, cfg_t *cfg)
{
    char wanted[SETTING_WANTED_MAX];
    *config = (struct config){0};
    config->listen_chosen = (cfg_getopt(cfg, "listen")->flags & CFGF_MODIFIED) != 0;
    for (const struct setting *setting = setting_table; setting->name != NULL; setting++) {
        const unsigned count = cfg_size(cfg, setting->name);
        if (count == 0 && !setting_is_list(setting))
            return -ENOMEM;
        for (unsigned i = 0; i < count; i++) {
            const char *value = cfg_getnstr(cfg, setting->name, i);
            if (value == NULL || setting_parse(setting, value, config, wanted) < 0)
                return -ENOMEM;
        }
    }
    return 0;
}

static void take_options(struct config *config, const struct options *options)
{
    if (options->listen.count > 0) {
        config->settings.listen = options->listen;
        config->listen_chosen = true;
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

int config_load(struct config *config, const char *path, bool required,
                const struct options *options, char complaint[static CONFIG_COMPLAINT_MAX])
{
    complaint[0] = '\0';
    complaint_place = complaint;
    cfg_t *cfg = new_parser();
    int r = cfg == NULL ? -EINVAL : parse_file(cfg, path, required, complaint);
    if (r == 0)
        r = take_values(config, cfg);
    complaint_place = NULL;
    if (r == 0) {
        take_options(config, options);
    } else if (complaint[0] == '\0') {
        snprintf(complaint, CONFIG_COMPLAINT_MAX, "%s: can't be read: %s", path,
                 r == -ENOMEM ? strerror(ENOMEM) : "it is no configuration");
    }
    if (cfg != NULL)
        cfg_free(cfg);
    return r < 0 ? -EINVAL : 0;
}

struct keys_source config_keys(const struct config *config, const struct paths *paths)
{
    return (struct keys_source){.state_dir = paths->state_dir,
                                .store = paths->store,
                                .identity = config->identity,
                                .passphrase_file = config->passphrase_file,
                                .bits = (unsigned)config->identity_bits};
}

json_t *config_view(const struct config *config)
{
    json_t *view = json_object();
    for (const struct setting *setting = setting_table; setting->name != NULL; setting++)
        rpc_value_set(&view, setting->name, setting_view(setting, config));
    return view;
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

int config_print(const struct config *config, const char *listen_note, FILE *out)
{
    json_t *view = config_view(config);
    const char *name;
    json_t *value;
    if (view == NULL)
        return -ENOMEM;
    json_object_foreach(view, name, value)
    {
        if (listen_note != NULL && strcmp(name, "listen") == 0)
            fprintf(out, "# %s\n", listen_note);
        fprintf(out, "%s = ", name);
        print_value(out, value);
        fputc('\n', out);
    }
    json_decref(view);
    return 0;
}
