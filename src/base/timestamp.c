/* SPDX-License-Identifier: ISC */
/*
 * RFC 3339 text and milliseconds since 1970. No local time: offsets are understood, never written.
 */
#include "base/timestamp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const uint64_t year_10000_ms = UINT64_C(253402300800000);

void timestamp_format(uint64_t wall_ms, char text[static TIMESTAMP_TEXT_MAX])
{
    struct tm parts;
    time_t seconds;
    if (wall_ms >= year_10000_ms)
        wall_ms = year_10000_ms - 1;
    seconds = (time_t)(wall_ms / 1000);
    gmtime_r(&seconds, &parts);
    /* Every field is in range here; the remainders show that to the compiler. */
    snprintf(text, TIMESTAMP_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)(parts.tm_year + 1900) % 10000, (unsigned)(parts.tm_mon + 1) % 100,
             (unsigned)parts.tm_mday % 100, (unsigned)parts.tm_hour % 100,
             (unsigned)parts.tm_min % 100, (unsigned)parts.tm_sec % 100,
             (unsigned)(wall_ms % 1000));
}

/* Reads exactly `count` digits at *text and moves behind them. */
static bool take_number(const char **text, int count, int *value)
{
    *value = 0;
    for (; count > 0; count--) {
        char digit = **text;
        if (digit < '0' || digit > '9')
            return false;
        *value = *value * 10 + (digit - '0');
        ++*text;
    }
    return true;
}

/* Moves behind the next character if it is one of `set`. */
static bool take_one_of(const char **text, const char *set)
{
    if (**text == '\0' || strchr(set, **text) == NULL)
        return false;
    ++*text;
    return true;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static bool take_date(const char **text, struct tm *parts)
{
    int year;
    int month;
    int day;
    if (!take_number(text, 4, &year) || !take_one_of(text, "-") || !take_number(text, 2, &month) ||
        !take_one_of(text, "-") || !take_number(text, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
        return false;
    parts->tm_year = year - 1900;
    parts->tm_mon = month - 1;
    parts->tm_mday = day;
    return true;
}

/* The time of day; a leap second is accepted and counts as the second after it. */
static bool take_time(const char **text, struct tm *parts)
{
    return take_number(text, 2, &parts->tm_hour) && take_one_of(text, ":") &&
           take_number(text, 2, &parts->tm_min) && take_one_of(text, ":") &&
           take_number(text, 2, &parts->tm_sec) && parts->tm_hour <= 23 && parts->tm_min <= 59 &&
           parts->tm_sec <= 60;
}

/* The optional fraction of a second; digits after the third are understood and dropped. */
static bool take_fraction(const char **text, int *ms)
{
    int weight = 100;
    *ms = 0;
    if (!take_one_of(text, "."))
        return true;
    if (**text < '0' || **text > '9')
        return false;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        *ms += (**text - '0') * weight;
        weight /= 10;
    }
    return true;
}

/* "Z" or "+hh:mm": how far local time is ahead of UTC. */
static bool take_offset(const char **text, int *seconds)
{
    bool behind = **text == '-';
    int hours;
    int minutes;
    *seconds = 0;
    if (take_one_of(text, "Zz"))
        return true;
    if (!take_one_of(text, "+-") || !take_number(text, 2, &hours) || !take_one_of(text, ":") ||
        !take_number(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = (hours * 60 + minutes) * 60;
    if (behind)
        *seconds = -*seconds;
    return true;
}

int timestamp_parse(const char *text, uint64_t *wall_ms)
{
    struct tm parts = {0};
    int ms = 0;
    int offset = 0;
    int64_t seconds;
    if (!take_date(&text, &parts))
        return -EINVAL;
    if (*text != '\0') {
        if (!take_one_of(&text, "Tt ") || !take_time(&text, &parts) || !take_fraction(&text, &ms) ||
            !take_offset(&text, &offset) || *text != '\0')
            return -EINVAL;
    }
    seconds = (int64_t)timegm(&parts) - offset;
    if (seconds < 0)
        return -EINVAL;
    *wall_ms = (uint64_t)seconds * 1000 + (uint64_t)ms;
    return 0;
}
