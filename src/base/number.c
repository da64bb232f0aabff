/* SPDX-License-Identifier: ISC */
/*
 * Numbers with units, as in configuration and on command lines. Unsigned only; no locale, no
 * exponent.
 */
#include "base/number.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* The smallest is the first, and of equal ones the first is written. */
static const struct unit duration_units[] = {
    {"ms", 1},      {"s", 1000},     {"", 1000},       {"min", 60000},
    {"h", 3600000}, {"d", 86400000}, {"w", 604800000},
};

static const struct unit size_units[] = {
    {"B", 1},
    {"", 1},
    {"KiB", UINT64_C(1) << 10},
    {"K", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"M", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"G", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
    {"T", UINT64_C(1) << 40},
};

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Reads the digits at *text, at least one, and moves behind them. */
static int digits_read(const char **text, uint64_t *value)
{
    const char *at = *text;
    uint64_t sum = 0;
    if (!is_digit(*at))
        return -EINVAL;
    for (; is_digit(*at); at++) {
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*at - '0'), &sum))
            return -ERANGE;
    }
    *text = at;
    *value = sum;
    return 0;
}

static const struct unit *unit_find(const struct unit *units, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    }
    return NULL;
}

int number_parse(const char *text, uint64_t max, uint64_t *value)
{
    uint64_t number;
    int r = digits_read(&text, &number);
    if (r < 0)
        return r;
    if (*text != '\0')
        return -EINVAL;
    if (number > max)
        return -ERANGE;
    *value = number;
    return 0;
}

/* Reads ".digits" at *text, if it is there, as billionths. */
static int fraction_read(const char **text, uint64_t *billionths)
{
    uint64_t weight = 1000000000;
    *billionths = 0;
    if (**text != '.')
        return 0;
    ++*text;
    if (!is_digit(**text))
        return -EINVAL;
    for (; is_digit(**text); ++*text) {
        weight /= 10;
        *billionths += (uint64_t)(**text - '0') * weight;
    }
    return 0;
}

int duration_parse(const char *text, uint64_t *ms)
{
    const struct unit *unit;
    uint64_t whole;
    uint64_t billionths = 0;
    uint64_t sum;
    int r = digits_read(&text, &whole);
    if (r == 0)
        r = fraction_read(&text, &billionths);
    if (r < 0)
        return r;
    unit = unit_find(duration_units, sizeof duration_units / sizeof duration_units[0], text);
    if (unit == NULL)
        return -EINVAL;
    if (__builtin_mul_overflow(whole, unit->factor, &sum) ||
        __builtin_add_overflow(sum, billionths * unit->factor / 1000000000, &sum))
        return -ERANGE;
    *ms = sum;
    return 0;
}

static void quantity_format(const struct unit *units, size_t count, uint64_t quantity,
                            char text[static QUANTITY_TEXT_MAX])
{
    const struct unit *best = &units[0];
    for (size_t i = 1; i < count && quantity > 0; i++) {
        if (quantity % units[i].factor == 0 && units[i].factor > best->factor)
            best = &units[i];
    }
    snprintf(text, QUANTITY_TEXT_MAX, "%llu%s", (unsigned long long)(quantity / best->factor),
             best->name);
}

void duration_format(uint64_t ms, char text[static QUANTITY_TEXT_MAX])
{
    quantity_format(duration_units, sizeof duration_units / sizeof duration_units[0], ms, text);
}

void size_format(uint64_t bytes, char text[static QUANTITY_TEXT_MAX])
{
    quantity_format(size_units, sizeof size_units / sizeof size_units[0], bytes, text);
}

int size_parse(const char *text, uint64_t *bytes)
{
    const struct unit *unit;
    uint64_t number;
    uint64_t product;
    int r = digits_read(&text, &number);
    if (r < 0)
        return r;
    unit = unit_find(size_units, sizeof size_units / sizeof size_units[0], text);
    if (unit == NULL)
        return -EINVAL;
    if (__builtin_mul_overflow(number, unit->factor, &product))
        return -ERANGE;
    *bytes = product;
    return 0;
}
