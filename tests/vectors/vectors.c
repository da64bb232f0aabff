/* SPDX-License-Identifier: ISC */
/*
 * Reads the recorded conversations. Whatever goes wrong here ends the test program.
 */
#include "vectors/vectors.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

enum { FILES_MAX = 4, VALUES_MAX = 128, PEM_LINE = 64 };

/* What was read of one file: it is kept, because values live on when another one is chosen. */
struct recording {
    const char *file;
    const json_t *document;
    struct {
        char *name;
        struct span value;
    } decoded[VALUES_MAX];
};

static struct recording recordings[FILES_MAX];
static struct recording *chosen;

static const json_t *read_document(const char *file)
{
    char path[4096];
    json_error_t error;
    snprintf(path, sizeof(path), "%s/%s", VECTORS_DIR, file);
    const json_t *document = json_load_file(path, 0, &error);
    if (document == NULL) {
        fprintf(stderr, "vectors: %s\n", error.text);
        abort();
    }
    return document;
}

void vectors_choose(const char *file)
{
    size_t i = 0;
    while (recordings[i].file != NULL && strcmp(recordings[i].file, file) != 0) {
        i++;
        assert(i < FILES_MAX);
    }
    chosen = &recordings[i];
    if (chosen->file == NULL)
        *chosen = (struct recording){.file = file, .document = read_document(file)};
}

static struct recording *recording(void)
{
    if (chosen == NULL)
        vectors_choose(VECTORS_SUITE_1);
    return chosen;
}

const char *vector_text(const char *name)
{
    const char *text = json_string_value(json_object_get(recording()->document, name));
    if (text == NULL) {
        fprintf(stderr, "vectors: there is no %s\n", name);
        abort();
    }
    return text;
}

struct span vector(const char *name)
{
    const char *text = vector_text(name);
    size_t i = 0, size = strlen(text) / 2;
    for (; chosen->decoded[i].name != NULL; i++) {
        assert(i + 1 < VALUES_MAX);
        if (strcmp(chosen->decoded[i].name, name) == 0)
            return chosen->decoded[i].value;
    }

    uint8_t *data = malloc(size);

    if (data == NULL || hex_decode(text, data, size) != 0)
        abort();
    chosen->decoded[i].name = strdup(name);
    chosen->decoded[i].value = SPAN(data, size);
    return chosen->decoded[i].value;
}

struct identity *vector_identity(const char *name)
{
    struct span der = vector(name);
    char base64[4096], pem[8192];
    struct identity *identity;
    int used;
    assert(BASE64_LENGTH(der.size) + 3 < sizeof(base64));
    base64_encode(BASE64_STANDARD, der.data, der.size, base64);
    for (size_t length = strlen(base64); length % 4 != 0; length++) {
        base64[length] = '=';
        base64[length + 1] = '\0';
    }
    used = snprintf(pem, sizeof(pem), "-----BEGIN RSA PRIVATE KEY-----\n");
    for (size_t at = 0; at < strlen(base64); at += PEM_LINE)
        used += snprintf(pem + used, sizeof(pem) - (size_t)used, "%.*s\n", PEM_LINE, base64 + at);
    used += snprintf(pem + used, sizeof(pem) - (size_t)used, "-----END RSA PRIVATE KEY-----\n");
    if (identity_import(&identity, SPAN(pem, (size_t)used), NULL) != 0)
        abort();
    return identity;
}
