/* SPDX-License-Identifier: ISC */
/*
 * Findings, as lines or as JSON.
 */
#include "client/findings.h"

#include <stdarg.h>

#include "base/cleanup.h"
#include "base/hint.h"
#include "base/text.h"
#include "client/connection.h"
#include "client/manager.h"
#include "client/output.h"

void findings_add(struct findings *findings, enum finding_level level, const char *check,
                  const char *finding, const char *remedy)
{
    static const char *const names[] = {
        [LEVEL_OK] = "ok", [LEVEL_NOTE] = "note", [LEVEL_WRONG] = "WRONG"};
    static const char *const json_names[] = {
        [LEVEL_OK] = "ok", [LEVEL_NOTE] = "note", [LEVEL_WRONG] = "wrong"};
    struct ctl *ctl = findings->ctl;
    findings->broken = findings->broken || level == LEVEL_WRONG;
    if (ctl->json) {
        CLEANUP(json_release)
        json_t *line =
            json_pack("{s:s,s:s,s:b,s:s,s:s*}", "check", check, "level", json_names[level], "ok",
                      level != LEVEL_WRONG, "finding", finding, "remedy", remedy);
        output_json(ctl, line, '\n');
    } else if (level == LEVEL_WRONG || !ctl->quiet) {
        output_line(ctl, "%-6s %-10s %s", names[level], check, finding);
        if (remedy != NULL)
            output_line(ctl, "%-6s %-10s what to do: %s", "", "", remedy);
    }
}

void findings_ok(struct findings *findings, const char *check, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(cleanup_free) char *text = text_vformat(format, arguments);
    va_end(arguments);
    if (text != NULL)
        findings_add(findings, LEVEL_OK, check, text, NULL);
    else
        findings_add(findings, LEVEL_WRONG, check, "out of memory", "try again");
}

void findings_advise(struct findings *findings, enum finding_level level, const char *check,
                     const char *finding, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(cleanup_free) char *remedy = text_vformat(format, arguments);
    va_end(arguments);
    CLEANUP(bytes_deinit) struct bytes typed = {0};
    const struct hint_reader reader = manager_reader(findings->ctl->socket);
    const bool made = remedy != NULL && hint_append(&typed, remedy, &reader) == 0 &&
                      bytes_append_u8(&typed, '\0') == 0;
    findings_add(findings, level, check, finding,
                 made ? (const char *)typed.data : "out of memory");
}
