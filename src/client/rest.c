/* SPDX-License-Identifier: ISC */
/*
 * By nanosleep(2).
 */
#include "client/rest.h"

#include <time.h>

void rest_ms(uint64_t ms)
{
    const struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}
