/* SPDX-License-Identifier: ISC */
/*
 * Makes memory fail: loaded with LD_PRELOAD, lets the N-th allocation of the program give NULL, or
 * every one from there on.
 *
 *     FAIL_FROM=N       the first that fails, counted from the program's start
 *     FAIL_COUNT=M      so many fail from there on (1; 0: all)
 *     FAIL_ON_SIGNAL=1  count from the last SIGUSR2 instead
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

static unsigned long from, count = 1, seen;
static bool counting;

static unsigned long read_number(const char *name, unsigned long missing)
{
    const char *text = getenv(name);
    return text != NULL ? strtoul(text, NULL, 10) : missing;
}

static void begin(int signal_number)
{
    (void)signal_number;
    seen = 0;
    counting = true;
}

__attribute__((constructor)) static void set_up(void)
{
    from = read_number("FAIL_FROM", 0);
    count = read_number("FAIL_COUNT", 1);
    if (getenv("FAIL_ON_SIGNAL") != NULL)
        signal(SIGUSR2, begin);
    else
        counting = from > 0;
}

/* Whether this allocation is to fail. */
static bool fails(void)
{
    if (!counting)
        return false;
    seen++;
    if (seen < from || (count != 0 && seen >= from + count))
        return false;
    errno = ENOMEM;
    return true;
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t number, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    return fails() ? NULL : __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}
