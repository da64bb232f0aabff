/* SPDX-License-Identifier: ISC */
/*
 * What this daemon is.
 */
#include "daemon/version.h"

#include <stdio.h>

#include "base/version.h"
#include "crypto/crypto.h"
#include "daemon/control_view.h"
#include "daemon/notify.h"
#include "daemon/sandbox.h"
#include "proto/exchange.h"
#include "rpc/rpc_value.h"

int version_print(void)
{
    const int r = crypto_init();
    if (r < 0)
        return r;
    printf("p2pchatd %s\n", VERSION);
    printf("control interface %d.%d, protocol %d, suites 1%s, OpenSSL %s\n", VERSION_CONTROL_MAJOR,
           VERSION_CONTROL_MINOR, VERSION_PROTOCOL,
           (exchange_suites() & SUITE_BIT(SUITE_HYBRID)) != 0 ? " 2" : "",
           crypto_library_version());
    printf("%csystemd %csandbox\n", notify_built ? '+' : '-', sandbox_built ? '+' : '-');
    crypto_deinit();
    return 0;
}

static json_t *view_features(void)
{
    json_t *list = json_array();
    if (notify_built)
        rpc_value_append(&list, json_string("systemd"));
    if (sandbox_built)
        rpc_value_append(&list, json_string("sandbox"));
    return list;
}

void version_view(json_t **object)
{
    rpc_value_set(object, "version", json_string(VERSION));
    rpc_value_set(
        object, "api",
        json_pack("{s:i, s:i}", "major", VERSION_CONTROL_MAJOR, "minor", VERSION_CONTROL_MINOR));
    rpc_value_set(object, "protocol", json_integer(VERSION_PROTOCOL));
    rpc_value_set(object, "suites", control_view_suites());
    rpc_value_set(object, "openssl", json_string(crypto_library_version()));
    rpc_value_set(object, "features", view_features());
}
