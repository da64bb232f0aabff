/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl rpc: any method of the control interface, as it is.
 *
 * The daemon is the judge of methods and parameters, since it may be of another version.
 */
#include "base/cleanup.h"
#include "client/options.h"
#include "client/output.h"
#include "client/verb.h"
#include "rpc/rpc_method.h"
#include "rpc/rpc_value.h"

/* All methods as objects. */
static json_t *collect_methods(void)
{
    json_t *methods = json_array();
    for (size_t i = 0; i < rpc_method_count; i++) {
        const struct rpc_method *method = &rpc_methods[i];
        rpc_value_append(&methods, json_pack("{s:s,s:b,s:s,s:s}", "method", method->name, "admin",
                                             method->access == RPC_ADMIN, "parameters",
                                             method->parameters, "help", method->help));
    }
    return methods;
}

static int list_methods(struct ctl *ctl)
{
    CLEANUP(json_release) json_t *methods = collect_methods();
    struct table table = {.columns = 3, .head = {"METHOD", "PARAMETERS", "WHAT"}};
    if (output_list(ctl, methods, "method"))
        return ctl->status;
    for (size_t i = 0; i < rpc_method_count; i++) {
        table_add(&table, rpc_methods[i].name);
        table_add(&table, rpc_methods[i].parameters);
        table_add(&table, rpc_methods[i].help);
    }
    const int r = table_print(ctl, &table);
    table_deinit(&table);
    return r;
}

int cmd_rpc(struct ctl *ctl, int argc, char **argv)
{
    json_t *params = NULL;
    json_error_t error;
    if (options_none(ctl, argc, argv) != 0 || options_count(ctl, argc - optind, 0, 2) != 0)
        return ctl->status;
    if (optind == argc)
        return list_methods(ctl);
    if (optind + 1 == argc)
        params = json_object();
    else if ((params = json_loads(argv[optind + 1], JSON_REJECT_DUPLICATES, &error)) == NULL)
        return ctl_fail(ctl, RPC_KIND_usage, "the parameters are not JSON: %s", error.text);

    CLEANUP(json_release) json_t *result = ctl_call(ctl, argv[optind], params);
    if (result != NULL)
        output_json(ctl, result, '\n');
    return ctl->status;
}
