/* SPDX-License-Identifier: ISC */
/*
 * The daemon's secrets on disk.
 */
#define LOG_COMPONENT "keys"
#include "daemon/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/random.h"
#include "daemon/passphrase.h"

/* One secret's file. */
struct key_file {
    char *path;      /* NULL: there is none */
    bool credential; /* guarded by the service manager, and not ours to make */
};

static void key_file_deinit(struct key_file *file)
{
    free(file->path);
}

static int explain_access(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0 || !S_ISREG(status.st_mode))
        log_error("%s: a secret must be in a plain file", path);
    else if (status.st_uid != geteuid() && status.st_uid != 0)
        log_error("%s: the file belongs to another user, who could change it; to make it ours: "
                  "chown %u '%s' && chmod 600 '%s'",
                  path, (unsigned)geteuid(), path, path);
    else
        log_error("%s: others can read or change this secret; to make it private: chmod 600 '%s'",
                  path, path);
    return -EPERM;
}

static int explain(const char *path, int r)
{
    if (r == -EPERM)
        return explain_access(path);
    log_error("%s: %s", path, strerror(-r));
    return r;
}

static int explain_identity(const char *path, int outcome)
{
    static const char *const reasons[] = {
        [IDENTITY_MALFORMED] = "not a PEM private key",
        [IDENTITY_UNSUITABLE] = "not an RSA key of 2048, 3072 or 4096 bits with exponent 65537",
        [IDENTITY_ENCRYPTED] = "encrypted; put the passphrase into a file of mode 600 and name it "
                               "as identity-passphrase-file, or hand over the credential "
                               "\"passphrase\"",
        [IDENTITY_PASSPHRASE] = "the passphrase is wrong",
    };
    log_error("%s: %s", path, reasons[outcome]);
    return -EINVAL;
}

/* --- where they are --------------------------------------------------------------------------- */

/* The credential of this name, if the service manager has handed it over. */
static int find_credential(const char *name, struct key_file *file)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    *file = (struct key_file){.credential = true};
    if (directory == NULL || directory[0] != '/')
        return 0;
    file->path = path_join(directory, name);
    if (file->path == NULL)
        return -ENOMEM;
    if (access(file->path, F_OK) < 0) {
        free(file->path);
        file->path = NULL;
    }
    return 0;
}

/* The credential, else the configured file, else (if it has a name there) the state directory's. */
static int find_key_file(const struct keys_source *source, const char *credential,
                         const char *configured, const char *name, struct key_file *file)
{
    int r = find_credential(credential, file);
    if (r < 0 || file->path != NULL || (configured[0] == '\0' && name == NULL))
        return r;
    file->credential = false;
    file->path = configured[0] != '\0' ? strdup(configured) : path_join(source->state_dir, name);
    return file->path != NULL ? 0 : -ENOMEM;
}

static int find_identity(const struct keys_source *source, struct key_file *file)
{
    return find_key_file(source, "identity", source->identity, "identity.pem", file);
}

static int read_key_file(const struct key_file *file, size_t limit, struct bytes *content)
{
    return file->credential ? file_read(file->path, limit, content)
                            : file_read_secret(file->path, limit, content);
}

/* --- the identity ----------------------------------------------------------------------------- */

/* The first line of its file, terminated; empty when there is none. */
static int read_passphrase(const struct keys_source *source, struct bytes *passphrase)
{
    CLEANUP(key_file_deinit) struct key_file file;
    int r = find_key_file(source, "passphrase", source->passphrase_file, NULL, &file);
    if (r < 0 || file.path == NULL)
        return r;
    r = read_key_file(&file, PASSPHRASE_MAX, passphrase);
    if (r < 0)
        return explain(file.path, r);
    return passphrase_take_line(passphrase, file.path);
}

static const char *text_of(const struct bytes *passphrase)
{
    return passphrase->size > 0 ? (const char *)passphrase->data : NULL;
}

static int make_identity(const char *path, unsigned bits, const char *passphrase,
                         struct identity **identity)
{
    struct bytes pem = {0};
    int r = identity_generate(identity, bits);
    if (r < 0)
        return explain(path, r);
    r = identity_export(*identity, passphrase, &pem);
    if (r == 0)
        r = file_create_secret(path, bytes_span(&pem));
    bytes_deinit(&pem);
    if (r < 0) {
        identity_free(*identity);
        *identity = NULL;
        return explain(path, r);
    }
    log_event(LOG_LEVEL_NOTICE, "identity-made", NULL, "made a new identity in %s", path);
    return 0;
}

static int import_identity(const char *path, const struct bytes *pem, const char *passphrase,
                           struct identity **identity)
{
    int r = identity_import(identity, bytes_span(pem), passphrase);
    return r > 0 ? explain_identity(path, r) : r < 0 ? explain(path, r) : 0;
}

int keys_load_identity(const struct keys_source *source, struct identity **identity)
{
    CLEANUP(key_file_deinit) struct key_file file = {0};
    struct bytes pem = {0}, passphrase = {0};
    int r = find_identity(source, &file);
    if (r == 0)
        r = read_passphrase(source, &passphrase);
    if (r == 0) {
        r = read_key_file(&file, IDENTITY_PEM_MAX, &pem);
        if (r == 0)
            r = import_identity(file.path, &pem, text_of(&passphrase), identity);
        else if (r == -ENOENT && source->peopled)
            log_error("%s is missing, and the peers in %s know this machine by it: put "
                      "it back from where the database was, or from its backup; to be somebody "
                      "new to them, which each has to accept: p2pchatd --generate-identity "
                      "--state-dir '%s'",
                      file.path, source->store, source->state_dir);
        else if (r == -ENOENT)
            r = make_identity(file.path, source->bits, text_of(&passphrase), identity);
        else
            r = explain(file.path, r);
    }
    bytes_deinit(&pem);
    bytes_deinit(&passphrase);
    return r;
}

int keys_check_no_identity(const struct keys_source *source)
{
    CLEANUP(key_file_deinit) struct key_file file = {0};
    int r = find_identity(source, &file);
    if (r < 0)
        return r;
    if (access(file.path, F_OK) == 0 || errno != ENOENT) {
        log_error("%s: there is an identity already, by which others know this machine. "
                  "To give it up: mv '%s' '%s.old'",
                  file.path, file.path, file.path);
        return -EEXIST;
    }
    return 0;
}

int keys_generate_identity(const struct keys_source *source, struct identity **identity)
{
    CLEANUP(key_file_deinit) struct key_file file = {0};
    struct bytes passphrase = {0};
    int r = find_identity(source, &file);
    if (r == 0)
        r = read_passphrase(source, &passphrase);
    if (r == 0)
        r = make_identity(file.path, source->bits, text_of(&passphrase), identity);
    bytes_deinit(&passphrase);
    return r;
}

/* --- the store key ---------------------------------------------------------------------------- */

static int make_store_key(const char *path, struct secret *key)
{
    int r = random_bytes(key, sizeof *key);
    if (r == 0)
        r = file_create_secret(path, SPAN(key, sizeof *key));
    return r < 0 ? explain(path, r) : 0;
}

static int find_store_key(const struct keys_source *source, struct key_file *file)
{
    return find_key_file(source, "store-key", source->store_key != NULL ? source->store_key : "",
                         "store.key", file);
}

uint64_t keys_identity_created(const struct keys_source *source)
{
    CLEANUP(key_file_deinit) struct key_file file = {0};
    struct stat status;
    if (find_identity(source, &file) < 0 || file.credential || stat(file.path, &status) < 0 ||
        status.st_mtim.tv_sec < 0)
        return 0;
    return (uint64_t)status.st_mtim.tv_sec * 1000 + (uint64_t)status.st_mtim.tv_nsec / 1000000;
}

int keys_load_store_key(const struct keys_source *source, struct secret *key)
{
    CLEANUP(key_file_deinit) struct key_file file = {0};
    struct bytes content = {0};
    int r = find_store_key(source, &file);
    if (r < 0)
        return r;
    r = read_key_file(&file, SECRET_SIZE, &content);
    if (r == -ENOENT && source->sealed) {
        log_error("%s is missing, and without it nobody can read the messages in %s: put "
                  "it back from where the database was, or from its backup; to begin without them: "
                  "mv '%s' '%s.old'",
                  file.path, source->store, source->store, source->store);
    } else if (r == -ENOENT) {
        r = make_store_key(file.path, key);
    } else if (r < 0 && r != -EFBIG) {
        r = explain(file.path, r);
    } else if (content.size != SECRET_SIZE) {
        log_error("%s: not a store key of %d bytes", file.path, SECRET_SIZE);
        r = -EINVAL;
    } else {
        memcpy(key, content.data, SECRET_SIZE);
    }
    bytes_deinit(&content);
    return r;
}

/* --- both ------------------------------------------------------------------------------------- */

static int read_as_it_is(const struct key_file *file, size_t limit, struct bytes *content)
{
    int r = read_key_file(file, limit, content);
    if (r == -ENOENT)
        log_error("%s: there is none; if it is a credential, say where its file is: "
                  "--identity FILE, --store-key FILE",
                  file->path);
    else if (r < 0)
        explain(file->path, r);
    return r;
}

int keys_read(const struct keys_source *source, struct bytes *identity, struct bytes *store_key)
{
    CLEANUP(key_file_deinit) struct key_file one = {0};
    CLEANUP(key_file_deinit) struct key_file other = {0};
    int r = find_identity(source, &one);
    if (r == 0)
        r = find_store_key(source, &other);
    if (r == 0)
        r = read_as_it_is(&one, IDENTITY_PEM_MAX, identity);
    if (r == 0)
        r = read_as_it_is(&other, SECRET_SIZE, store_key);
    return r;
}
