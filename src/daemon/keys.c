/*
 * The daemon's secrets: on disk, or handed over by the service manager.
 */
#define LOG_COMPONENT "keys"
#include "daemon/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/random.h"

enum { PASSPHRASE_MAX = 1024 };

static int explain(const char *path, int r)
{
    if (r == -EPERM)
        log_error("%s: others could read or change this key; make it yours alone: "
                  "chown %s and chmod 600 %s",
                  path, "the daemon's user", path);
    else
        log_error("%s: %s", path, strerror(-r));
    return r;
}

static int explain_identity(const char *path, int outcome)
{
    static const char *const reasons[] = {
        [IDENTITY_MALFORMED] = "not a PEM private key",
        [IDENTITY_UNSUITABLE] = "not an RSA key of 2048, 3072 or 4096 bits with exponent 65537",
        [IDENTITY_ENCRYPTED] = "encrypted; hand over the credential \"passphrase\" as well",
        [IDENTITY_PASSPHRASE] = "the passphrase is wrong",
    };
    log_error("%s: %s", path, reasons[outcome]);
    return -EINVAL;
}

/* --- credentials --- */

/*
 * Reads what the service manager hands over under this name. Who else may read it is the manager's
 * care. 0, -ENOENT when it is nothing, or another -errno (logged).
 */
static int read_credential(const char *name, size_t limit, struct bytes *content)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    if (directory == NULL)
        return -ENOENT;
    CLEANUP(cleanup_free) char *path = path_join(directory, name);
    int r = path != NULL ? file_read(path, limit, content) : -ENOMEM;
    return r < 0 && r != -ENOENT ? explain(name, r) : r;
}

/* The passphrase of the identity as text; without one `content` stays empty. 0 or -errno. */
static int read_passphrase(struct bytes *content)
{
    int r = read_credential("passphrase", PASSPHRASE_MAX, content);
    if (r == -ENOENT)
        return 0;
    if (r == 0 && content->size > 0 && content->data[content->size - 1] == '\n')
        content->size--;
    return r == 0 ? bytes_append_u8(content, '\0') : r;
}

/* --- the identity --- */

static int make_identity(const char *path, unsigned bits, const char *passphrase,
                         struct identity **identity)
{
    struct bytes pem = {0};
    int r = identity_generate(identity, bits);
    if (r < 0)
        return explain(path, r);
    r = identity_export(*identity, passphrase, &pem);
    if (r == 0)
        r = file_write_secret(path, bytes_span(&pem));
    bytes_deinit(&pem);
    if (r < 0) {
        identity_free(*identity);
        *identity = NULL;
        return explain(path, r);
    }
    log_event(LOG_LEVEL_NOTICE, "identity-made", NULL, "made a new identity in %s", path);
    return 0;
}

static int read_identity(const char *origin, struct span pem, const char *passphrase,
                         struct identity **identity)
{
    int r = identity_import(identity, pem, passphrase);
    if (r > 0)
        return explain_identity(origin, r);
    return r < 0 ? explain(origin, r) : 0;
}

static int load_identity(const char *path, unsigned bits, const char *passphrase,
                         struct identity **identity)
{
    struct bytes pem = {0};
    const char *origin = "the credential \"identity\"";
    int r = read_credential("identity", IDENTITY_PEM_MAX, &pem);
    if (r == -ENOENT) {
        origin = path;
        r = file_read_secret(path, IDENTITY_PEM_MAX, &pem);
        if (r == -ENOENT)
            return make_identity(path, bits, passphrase, identity);
        if (r < 0)
            explain(path, r);
    }
    if (r == 0)
        r = read_identity(origin, bytes_span(&pem), passphrase, identity);
    bytes_deinit(&pem);
    return r;
}

int keys_load_identity(const char *path, unsigned bits, struct identity **identity)
{
    struct bytes passphrase = {0};
    int r = read_passphrase(&passphrase);
    if (r == 0)
        r = load_identity(path, bits, (const char *)passphrase.data, identity);
    bytes_deinit(&passphrase);
    return r;
}

/* --- the store key --- */

static int make_store_key(const char *path, struct secret *key)
{
    int r = random_bytes(key, sizeof *key);
    if (r == 0)
        r = file_write_secret(path, SPAN(key, sizeof *key));
    return r < 0 ? explain(path, r) : 0;
}

int keys_load_store_key(const char *path, struct secret *key)
{
    struct bytes content = {0};
    const char *origin = "the credential \"store-key\"";
    int r = read_credential("store-key", SECRET_SIZE, &content);
    if (r == -ENOENT) {
        origin = path;
        r = file_read_secret(path, SECRET_SIZE, &content);
        if (r == -ENOENT)
            return make_store_key(path, key);
        if (r < 0)
            explain(path, r);
    }
    if (r == 0 && content.size != SECRET_SIZE) {
        log_error("%s: not a store key of %d bytes", origin, SECRET_SIZE);
        r = -EINVAL;
    }
    if (r == 0)
        memcpy(key, content.data, SECRET_SIZE);
    bytes_deinit(&content);
    return r;
}
