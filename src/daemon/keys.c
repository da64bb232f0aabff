/*
 * The daemon's secrets on disk.
 */
#define LOG_COMPONENT "keys"
#include "daemon/keys.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "crypto/random.h"

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
        [IDENTITY_ENCRYPTED] = "encrypted; give a key without passphrase",
        [IDENTITY_PASSPHRASE] = "the passphrase is wrong",
    };
    log_error("%s: %s", path, reasons[outcome]);
    return -EINVAL;
}

static int make_identity(const char *path, unsigned bits, struct identity **identity)
{
    struct bytes pem = {0};
    int r = identity_generate(identity, bits);
    if (r < 0)
        return explain(path, r);
    r = identity_export(*identity, NULL, &pem);
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

int keys_load_identity(const char *path, unsigned bits, struct identity **identity)
{
    struct bytes pem = {0};
    int r = file_read_secret(path, IDENTITY_PEM_MAX, &pem);
    if (r == -ENOENT)
        return make_identity(path, bits, identity);
    if (r < 0)
        return explain(path, r);
    r = identity_import(identity, bytes_span(&pem), NULL);
    bytes_deinit(&pem);
    if (r > 0)
        return explain_identity(path, r);
    return r < 0 ? explain(path, r) : 0;
}

int keys_load_store_key(const char *path, struct secret *key)
{
    struct bytes content = {0};
    int r = file_read_secret(path, SECRET_SIZE, &content);
    if (r == -ENOENT) {
        r = random_bytes(key, sizeof *key);
        if (r == 0)
            r = file_write_secret(path, SPAN(key, sizeof *key));
    } else if (r == 0 && content.size != SECRET_SIZE) {
        log_error("%s: not a store key of %d bytes", path, SECRET_SIZE);
        r = -EINVAL;
    } else if (r == 0) {
        memcpy(key, content.data, SECRET_SIZE);
    }
    bytes_deinit(&content);
    return r < 0 && r != -EINVAL ? explain(path, r) : r;
}
