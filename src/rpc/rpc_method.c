/* SPDX-License-Identifier: ISC */
/*
 * The table of control methods, and the check of parameters against it. What a method does is not
 * known here.
 */
#include "rpc/rpc_method.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"

const struct rpc_method rpc_methods[] = {
#define METHOD(name, function, access, parameters, help) {name, RPC_##access, parameters, help},
#include "rpc/methods.def"
#undef METHOD
};
const size_t rpc_method_count = sizeof rpc_methods / sizeof rpc_methods[0];

/* One entry of a method's parameter list: "name:type" or "name?:type". */
struct parameter {
    char name[32];
    char type[16];
    bool optional;
};

const struct rpc_method *rpc_method_find(const char *name)
{
    for (size_t i = 0; i < rpc_method_count; i++) {
        if (strcmp(rpc_methods[i].name, name) == 0)
            return &rpc_methods[i];
    }
    return NULL;
}

static void copy_word(char *to, size_t room, const char *word, size_t size)
{
    assert(size < room);
    memcpy(to, word, size);
    to[size] = '\0';
}

/* Takes the next entry off the list; false at its end. */
static bool parameter_next(const char **list, struct parameter *parameter)
{
    const char *name = *list + strspn(*list, " ");
    const size_t name_size = strcspn(name, "?:");
    if (*name == '\0')
        return false;
    parameter->optional = name[name_size] == '?';
    const char *type = name + name_size + (parameter->optional ? 2 : 1);
    const size_t type_size = strcspn(type, " ");
    copy_word(parameter->name, sizeof parameter->name, name, name_size);
    copy_word(parameter->type, sizeof parameter->type, type, type_size);
    *list = type + type_size;
    return true;
}

static bool is_descriptor(const struct parameter *parameter)
{
    return strcmp(parameter->type, "descriptor") == 0;
}

bool rpc_method_takes_descriptor(const struct rpc_method *method)
{
    const char *list = method->parameters;
    struct parameter parameter;
    while (parameter_next(&list, &parameter))
        if (is_descriptor(&parameter))
            return true;
    return false;
}

static bool all_strings(const json_t *array)
{
    size_t i;
    json_t *element;
    json_array_foreach(array, i, element)
    {
        if (!json_is_string(element))
            return false;
    }
    return true;
}

static bool type_fits(const char *type, const json_t *value)
{
    if (strcmp(type, "string") == 0)
        return json_is_string(value);
    if (strcmp(type, "integer") == 0)
        return json_is_integer(value) && json_integer_value(value) >= 0;
    if (strcmp(type, "boolean") == 0)
        return json_is_boolean(value);
    if (strcmp(type, "object") == 0)
        return json_is_object(value);
    return json_is_array(value) && all_strings(value);
}

/* How the types are called in a complaint. */
static const char *type_description(const char *type)
{
    if (strcmp(type, "string") == 0)
        return "a string";
    if (strcmp(type, "integer") == 0)
        return "an integer of at least 0";
    if (strcmp(type, "boolean") == 0)
        return "true or false";
    if (strcmp(type, "object") == 0)
        return "an object";
    return "an array of strings";
}

__attribute__((format(printf, 2, 3))) static bool complain(char complaint[static RPC_COMPLAINT_MAX],
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint, RPC_COMPLAINT_MAX, format, arguments);
    va_end(arguments);
    return false;
}

static bool check_known(const struct rpc_method *method, const char *key,
                        char complaint[static RPC_COMPLAINT_MAX])
{
    const char *list = method->parameters;
    struct parameter parameter;
    while (parameter_next(&list, &parameter)) {
        if (strcmp(key, parameter.name) == 0 && !is_descriptor(&parameter))
            return true;
    }
    char shown[64];
    escape_copy(shown, sizeof shown, key, ESCAPE_LINE);
    return complain(complaint, "%s has no parameter \"%s\"; it takes %s", method->name, shown,
                    method->parameters[0] != '\0' ? method->parameters : "none");
}

static bool check_parameter(const struct rpc_method *method, const struct parameter *parameter,
                            const json_t *params, char complaint[static RPC_COMPLAINT_MAX])
{
    const json_t *value = json_object_get(params, parameter->name);
    if (value == NULL && (parameter->optional || is_descriptor(parameter)))
        return true;
    if (value == NULL)
        return complain(complaint, "%s needs the parameter \"%s\"", method->name, parameter->name);
    if (!type_fits(parameter->type, value))
        return complain(complaint, "the parameter \"%s\" of %s must be %s", parameter->name,
                        method->name, type_description(parameter->type));
    return true;
}

bool rpc_method_check(const struct rpc_method *method, const json_t *params,
                      char complaint[static RPC_COMPLAINT_MAX])
{
    if (params != NULL && !json_is_object(params))
        return complain(complaint, "the parameters must be an object");

    const char *list = method->parameters;
    struct parameter parameter;
    while (parameter_next(&list, &parameter)) {
        if (!check_parameter(method, &parameter, params, complaint))
            return false;
    }

    const char *key;
    json_t *value;
    json_object_foreach((json_t *)params, key, value)
    {
        if (!check_known(method, key, complaint))
            return false;
    }
    return true;
}
