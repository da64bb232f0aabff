/* SPDX-License-Identifier: ISC */
/*
 * Points in time as text: RFC 3339, UTC, milliseconds ("2026-11-22T19:51:03.214Z").
 */
#pragma once

#include <stdint.h>

enum { TIMESTAMP_TEXT_MAX = 32 };

/*
 * Writes `wall_ms` (since 1970) as text. Values after the year 9999 give
 * "9999-12-31T23:59:59.999Z".
 */
void timestamp_format(uint64_t wall_ms, char text[static TIMESTAMP_TEXT_MAX]);

/*
 * Reads RFC 3339 with "Z" or an offset, fraction optional, date alone allowed (its midnight in
 * UTC). Times before 1970 give 0. 0 or -EINVAL.
 */
int timestamp_parse(const char *text, uint64_t *wall_ms);

/*
 * Reads what people write: the same; without "Z" or an offset it is local time, and seconds or the
 * whole time of day may be missing; "now", "today" and "yesterday" (their midnight); "-" and a
 * duration, as far before `now_ms`. 0 or -EINVAL.
 */
int timestamp_parse_local(const char *text, uint64_t now_ms, uint64_t *wall_ms);
