/* SPDX-License-Identifier: ISC */
/*
 * Settings: how a text becomes a value, and a value a text again.
 */
#include "daemon/setting.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/fingerprint.h"
#include "base/number.h"
#include "base/utf8.h"
#include "core/peer_name.h"
#include "rpc/rpc_value.h"

struct setting_type {
    int (*parse)(const struct setting *setting, const char *text, void *place);
    json_t *(*view)(const void *place);
    const char *wanted; /* what it must be; NULL: a number in the range */
};

static bool in_range(const struct setting *setting, uint64_t value)
{
    return value >= setting->low && value <= setting->high;
}

/* --- numbers, sizes and durations ------------------------------------------------------------- */

static int parse_number(const struct setting *setting, const char *text, void *place)
{
    uint64_t *value = place;
    return number_parse(text, setting->high, value) == 0 && in_range(setting, *value) ? 0 : -EINVAL;
}

static json_t *view_number(const void *place)
{
    const uint64_t *value = place;
    return json_integer((json_int_t)*value);
}

static int parse_key_size(const struct setting *setting, const char *text, void *place)
{
    uint64_t *value = place;
    (void)setting;
    int r = number_parse(text, UINT64_MAX, value);
    return r == 0 && (*value == 2048 || *value == 3072 || *value == 4096) ? 0 : -EINVAL;
}

static int parse_size(const struct setting *setting, const char *text, void *place)
{
    uint64_t *value = place;
    return size_parse(text, value) == 0 && in_range(setting, *value) ? 0 : -EINVAL;
}

static json_t *view_size(const void *place)
{
    const uint64_t *value = place;
    char text[QUANTITY_TEXT_MAX];
    size_format(*value, text);
    return json_string(text);
}

/* A whole number of per cent. */
static int parse_share(const struct setting *setting, const char *text, void *place)
{
    char digits[sizeof "100"];
    const size_t size = strlen(text);
    if (size < 2 || size > sizeof digits || text[size - 1] != '%')
        return -EINVAL;
    snprintf(digits, sizeof digits, "%.*s", (int)size - 1, text);
    return parse_number(setting, digits, place);
}

static json_t *view_share(const void *place)
{
    const uint64_t *value = place;
    return json_sprintf("%" PRIu64 "%%", *value);
}

/* A duration; "forever" is 0. */
static int parse_age(const struct setting *setting, const char *text, void *place)
{
    uint64_t *value = place;
    *value = 0;
    if (strcmp(text, "forever") == 0)
        return 0;
    return duration_parse(text, value) == 0 && in_range(setting, *value) ? 0 : -EINVAL;
}

static json_t *view_age(const void *place)
{
    const uint64_t *value = place;
    char text[QUANTITY_TEXT_MAX] = "forever";
    if (*value != 0)
        duration_format(*value, text);
    return json_string(text);
}

/* --- words and texts -------------------------------------------------------------------------- */

static const char *const policy_names[] = {
    [UNKNOWN_ASK] = "ask",
    [UNKNOWN_REJECT] = "reject",
    [UNKNOWN_ACCEPT] = "accept",
};

static int parse_policy(const struct setting *setting, const char *text, void *place)
{
    enum unknown_policy *policy = place;
    (void)setting;
    for (unsigned i = 0; i < sizeof policy_names / sizeof policy_names[0]; i++) {
        if (strcmp(text, policy_names[i]) == 0) {
            *policy = (enum unknown_policy)i;
            return 0;
        }
    }
    return -EINVAL;
}

static json_t *view_policy(const void *place)
{
    const enum unknown_policy *policy = place;
    return json_string(policy_names[*policy]);
}

static int parse_switch(const struct setting *setting, const char *text, void *place)
{
    bool *on = place;
    (void)setting;
    *on = strcmp(text, "yes") == 0;
    return *on || strcmp(text, "no") == 0 ? 0 : -EINVAL;
}

static json_t *view_switch(const void *place)
{
    const bool *on = place;
    return json_string(*on ? "yes" : "no");
}

static int parse_log_level(const struct setting *setting, const char *text, void *place)
{
    (void)setting;
    return log_level_parse(text, place);
}

static json_t *view_log_level(const void *place)
{
    const enum log_level *level = place;
    return json_string(log_level_name(*level));
}

static int copy_text(const char *text, char *place, size_t size)
{
    return snprintf(place, size, "%s", text) < (int)size ? 0 : -EINVAL;
}

/* A peer is named by its fingerprint as well. */
static int parse_peer_name(const struct setting *setting, const char *text, void *place)
{
    struct fingerprint key;
    (void)setting;
    if (text[0] != '\0' && !peer_name_valid(text) && fingerprint_parse(text, &key) != 0)
        return -EINVAL;
    return copy_text(text, place, PEER_NAME_MAX);
}

static int parse_path(const struct setting *setting, const char *text, void *place)
{
    (void)setting;
    return copy_text(text, place, CONFIG_PATH_MAX);
}

static json_t *view_text(const void *place)
{
    return json_string(place);
}

/* --- addresses -------------------------------------------------------------------------------- */

static int parse_address(const struct setting *setting, const char *text, void *place)
{
    struct address_list *list = place;
    struct address address = {0};
    (void)setting;
    if (address_parse(text, &address) < 0 || !address_is_numeric(&address))
        return -EINVAL;
    if (list->count == SETTINGS_LISTEN_MAX)
        return -E2BIG;
    list->at[list->count++] = address;
    return 0;
}

static json_t *view_addresses(const void *place)
{
    const struct address_list *list = place;
    json_t *view = json_array();
    for (unsigned i = 0; i < list->count; i++) {
        char text[ADDRESS_TEXT_MAX];
        address_format(&list->at[i], text);
        rpc_value_append(&view, json_string(text));
    }
    return view;
}

/* --- the table -------------------------------------------------------------------------------- */

/* Where each type's values are kept. */
enum {
    SIZE_ADDRESSES = sizeof(struct address_list),
    SIZE_PATH = CONFIG_PATH_MAX,
    SIZE_PEER_NAME = PEER_NAME_MAX,
    SIZE_NUMBER = sizeof(uint64_t),
    SIZE_KEY_SIZE = sizeof(uint64_t),
    SIZE_SIZE = sizeof(uint64_t),
    SIZE_SHARE = sizeof(uint64_t),
    SIZE_AGE = sizeof(uint64_t),
    SIZE_POLICY = sizeof(enum unknown_policy),
    SIZE_SWITCH = sizeof(bool),
    SIZE_LOG_LEVEL = sizeof(enum log_level),
};

#define SETTING(name, type, standard, low, high, place, effect, help)    \
    static_assert(sizeof(((struct config *)NULL)->place) == SIZE_##type, \
                  name " has a place of another type");
#include "daemon/settings.def"
#undef SETTING

static const struct setting_type type_ADDRESSES = {parse_address, view_addresses,
                                                   "an IP address like [::]:8766"};
static const struct setting_type type_PATH = {parse_path, view_text, "a shorter path"};
static const struct setting_type type_PEER_NAME = {
    parse_peer_name, view_text, "a peer's name (" PEER_NAME_RULE ") or fingerprint"};
static const struct setting_type type_NUMBER = {parse_number, view_number, NULL};
static const struct setting_type type_KEY_SIZE = {parse_key_size, view_number,
                                                  "2048, 3072 or 4096"};
static const struct setting_type type_SIZE = {parse_size, view_size, "a size like 1GiB"};
static const struct setting_type type_SHARE = {parse_share, view_share,
                                               "a share of the disk from 1% to 50%"};
static const struct setting_type type_AGE = {parse_age, view_age,
                                             "a duration above 0 like 7d, or forever"};
static const struct setting_type type_POLICY = {parse_policy, view_policy, "ask, reject or accept"};
static const struct setting_type type_SWITCH = {parse_switch, view_switch, "yes or no"};
static const struct setting_type type_LOG_LEVEL = {parse_log_level, view_log_level,
                                                   "error, warning, notice, info or debug"};

const struct setting setting_table[] = {
#define SETTING(name, type, standard, low, high, place, effect, help)                   \
    {name,        &type_##type,    standard, low, high, offsetof(struct config, place), \
     SIZE_##type, SETTING_##effect},
#include "daemon/settings.def"
#undef SETTING
    {0},
};

static void describe_range(const struct setting *setting, char text[static SETTING_WANTED_MAX])
{
    if (setting->high == INT64_MAX)
        snprintf(text, SETTING_WANTED_MAX, "a number of at least %" PRIu64, setting->low);
    else
        snprintf(text, SETTING_WANTED_MAX, "a number between %" PRIu64 " and %" PRIu64,
                 setting->low, setting->high);
}

int setting_parse(const struct setting *setting, const char *text, struct config *config,
                  char wanted[static SETTING_WANTED_MAX])
{
    int r = -EINVAL;
    if (!utf8_valid(text, strlen(text)))
        snprintf(wanted, SETTING_WANTED_MAX, "UTF-8");
    else if ((r = setting->type->parse(setting, text, (char *)config + setting->place)) == 0)
        return 0;
    else if (r == -E2BIG)
        snprintf(wanted, SETTING_WANTED_MAX, "one of at most %d addresses", SETTINGS_LISTEN_MAX);
    else if (setting->type->wanted != NULL)
        snprintf(wanted, SETTING_WANTED_MAX, "%s", setting->type->wanted);
    else
        describe_range(setting, wanted);
    return r;
}

bool setting_is_list(const struct setting *setting)
{
    return setting->type == &type_ADDRESSES;
}

json_t *setting_view(const struct setting *setting, const struct config *config)
{
    return setting->type->view((const char *)config + setting->place);
}

bool setting_copy(const struct setting *setting, struct config *to, const struct config *from)
{
    json_t *before = setting_view(setting, to);
    json_t *after = setting_view(setting, from);
    const bool same = json_equal(before, after);
    json_decref(before);
    json_decref(after);
    memcpy((char *)to + setting->place, (const char *)from + setting->place, setting->size);
    return !same;
}
