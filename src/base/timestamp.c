/* SPDX-License-Identifier: ISC */
/*
 * RFC 3339 text and milliseconds since 1970. Local time is understood, never written.
 */
#include "base/timestamp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/number.h"

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

static bool take_minutes(const char **text, struct tm *parts)
{
    return take_number(text, 2, &parts->tm_hour) && take_one_of(text, ":") &&
           take_number(text, 2, &parts->tm_min) && parts->tm_hour <= 23 && parts->tm_min <= 59;
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

/* The seconds behind the minutes; a leap second is accepted and counts as the second after it. */
static bool take_whole_seconds(const char **text, struct tm *parts, int *ms)
{
    return take_one_of(text, ":") && take_number(text, 2, &parts->tm_sec) && parts->tm_sec <= 60 &&
           take_fraction(text, ms);
}

/* The same, if there are any. */
static bool take_seconds(const char **text, struct tm *parts, int *ms)
{
    return **text != ':' || take_whole_seconds(text, parts, ms);
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
        if (!take_one_of(&text, "Tt ") || !take_minutes(&text, &parts) ||
            !take_whole_seconds(&text, &parts, &ms) || !take_offset(&text, &offset) ||
            *text != '\0')
            return -EINVAL;
    }
    seconds = (int64_t)timegm(&parts) - offset;
    *wall_ms = seconds < 0 ? 0 : (uint64_t)seconds * 1000 + (uint64_t)ms;
    return 0;
}

/* --- what people write ------------------------------------------------------------------------ */

/* "2026-11-22", "2026-11-22 19:51", "2026-11-22 19:51:03.214", in local time. */
static int parse_local(const char *text, uint64_t *wall_ms)
{
    struct tm parts = {.tm_isdst = -1};
    int ms = 0;
    if (!take_date(&text, &parts))
        return -EINVAL;
    if (*text != '\0' && (!take_one_of(&text, "Tt ") || !take_minutes(&text, &parts) ||
                          !take_seconds(&text, &parts, &ms) || *text != '\0'))
        return -EINVAL;
    const int64_t seconds = (int64_t)mktime(&parts);
    *wall_ms = seconds < 0 ? 0 : (uint64_t)seconds * 1000 + (uint64_t)ms;
    return 0;
}

/* The midnight that began the local day, or the one `days` before. */
static uint64_t midnight(uint64_t now_ms, int days)
{
    const time_t now = (time_t)(now_ms / 1000);
    struct tm parts;
    if (localtime_r(&now, &parts) == NULL)
        return 0;
    parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
    parts.tm_mday -= days;
    parts.tm_isdst = -1;
    const time_t seconds = mktime(&parts);
    return seconds < 0 ? 0 : (uint64_t)seconds * 1000;
}

int timestamp_parse_local(const char *text, uint64_t now_ms, uint64_t *wall_ms)
{
    uint64_t ago_ms;
    if (strcmp(text, "now") == 0)
        *wall_ms = now_ms;
    else if (strcmp(text, "today") == 0)
        *wall_ms = midnight(now_ms, 0);
    else if (strcmp(text, "yesterday") == 0)
        *wall_ms = midnight(now_ms, 1);
    else if (text[0] == '-' && duration_parse(text + 1, &ago_ms) == 0)
        *wall_ms = ago_ms < now_ms ? now_ms - ago_ms : 0;
    else if (parse_local(text, wall_ms) != 0)
        return timestamp_parse(text, wall_ms);
    return 0;
}
