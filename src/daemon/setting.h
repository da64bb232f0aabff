/* SPDX-License-Identifier: ISC */
/*
 * The table of settings, and what each type of value accepts and looks like.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/log.h"
#include "core/settings.h"

enum { CONFIG_PATH_MAX = 4096 };

/* The values of all settings. */
struct config {
    struct settings settings;
    bool listen_chosen;             /* settings.listen is no default */
    char identity[CONFIG_PATH_MAX]; /* path of the private key; "" for the state directory's */
    char passphrase_file[CONFIG_PATH_MAX]; /* path of its passphrase; "" for none */
    uint64_t identity_bits;                /* of a newly made identity */
    enum log_level log_level;
};

enum setting_effect {
    SETTING_RELOAD, /* a change takes effect at a reload */
    SETTING_START,  /* it waits for the next start */
};

struct setting {
    const char *name;
    const struct setting_type *type;
    const char *standard; /* the default, as in the file */
    uint64_t low, high;   /* of numbers, sizes and durations */
    size_t place;         /* in struct config */
    size_t size;          /* of that place */
    enum setting_effect effect;
};

/* All of them in the order in which they are printed; the last has no name. */
extern const struct setting setting_table[];

/* Whether it takes a list of texts, each of which is given to setting_parse(). */
bool setting_is_list(const struct setting *setting);

enum { SETTING_WANTED_MAX = 160 };

/*
 * Takes over a value as it stands in the file, without quotes; of a list one more element. 0, or
 * -EINVAL or -E2BIG with what it must be instead.
 */
int setting_parse(const struct setting *setting, const char *text, struct config *config,
                  char wanted[static SETTING_WANTED_MAX]);

/* The value in effect: a number, a text or a list of texts; NULL when there is no memory. */
json_t *setting_view(const struct setting *setting, const struct config *config);

/* Takes over the value of another configuration; whether it differed. */
bool setting_copy(const struct setting *setting, struct config *to, const struct config *from);
