/* SPDX-License-Identifier: ISC */
/*
 * From PEM to a key and back. Which keys may be an identity is for identity to say.
 */
#include "crypto/pem_key.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "crypto/identity_outcome.h"
#include "crypto/pkcs8.h"

DEFINE_CLEANUP(PKCS8_PRIV_KEY_INFO *, key_info_cleanup, PKCS8_PRIV_KEY_INFO_free)

/* One PEM block; `data` may be the key itself. */
struct block {
    char *name;
    char *header;
    unsigned char *data;
    long size;
};

static void block_deinit(struct block *block)
{
    OPENSSL_free(block->name);
    OPENSSL_free(block->header);
    OPENSSL_clear_free(block->data, (size_t)block->size);
}

static int key_from_info(const PKCS8_PRIV_KEY_INFO *info, EVP_PKEY **key)
{
    *key = EVP_PKCS82PKEY_ex(info, openssl()->context, NULL);
    return *key != NULL ? 0 : IDENTITY_MALFORMED;
}

static int read_plain(const struct block *block, EVP_PKEY **key)
{
    const unsigned char *at = block->data;
    CLEANUP(key_info_cleanup)
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, block->size);
    return info != NULL ? key_from_info(info, key) : IDENTITY_MALFORMED;
}

static int read_encrypted(const struct block *block, const char *passphrase, EVP_PKEY **key)
{
    const unsigned char *at = block->data;
    CLEANUP(sig_cleanup) X509_SIG *encrypted = d2i_X509_SIG(NULL, &at, block->size);
    CLEANUP(key_info_cleanup) PKCS8_PRIV_KEY_INFO *info = NULL;
    if (encrypted == NULL)
        return IDENTITY_MALFORMED;
    if (passphrase == NULL)
        return IDENTITY_ENCRYPTED;
    if (pkcs8_decrypt(encrypted, passphrase, &info) != 0)
        return IDENTITY_PASSPHRASE;
    return key_from_info(info, key);
}

/* For PEM_do_header(), which would ask the terminal without it. */
static int give_passphrase(char *buffer, int size, int writing, void *passphrase)
{
    size_t length = strlen(passphrase);
    (void)writing;
    if (length > (size_t)size)
        return -1;
    memcpy(buffer, passphrase, length);
    return (int)length;
}

/* PKCS#1, perhaps encrypted in the way of old PEM headers. */
static int read_pkcs1(struct block *block, const char *passphrase, EVP_PKEY **key)
{
    const unsigned char *at = block->data;
    EVP_CIPHER_INFO cipher;
    if (PEM_get_EVP_CIPHER_INFO(block->header, &cipher) != 1)
        return IDENTITY_MALFORMED;
    if (cipher.cipher != NULL) {
        if (passphrase == NULL)
            return IDENTITY_ENCRYPTED;
        if (PEM_do_header(&cipher, block->data, &block->size, give_passphrase,
                          (void *)passphrase) != 1)
            return IDENTITY_PASSPHRASE;
    }
    *key = d2i_PrivateKey_ex(EVP_PKEY_RSA, NULL, &at, block->size, openssl()->context, NULL);
    if (*key != NULL)
        return 0;
    return cipher.cipher != NULL ? IDENTITY_PASSPHRASE : IDENTITY_MALFORMED;
}

static int read_block(struct block *block, const char *passphrase, EVP_PKEY **key)
{
    if (strcmp(block->name, PEM_STRING_PKCS8INF) == 0)
        return read_plain(block, key);
    if (strcmp(block->name, PEM_STRING_PKCS8) == 0)
        return read_encrypted(block, passphrase, key);
    if (strcmp(block->name, PEM_STRING_RSA) == 0)
        return read_pkcs1(block, passphrase, key);
    return IDENTITY_MALFORMED;
}

int pem_key_read(struct span pem, const char *passphrase, EVP_PKEY **key)
{
    CLEANUP(bio_cleanup) BIO *bio = NULL;
    CLEANUP(block_deinit) struct block block = {0};
    int r;
    if (pem.size == 0 || pem.size > INT_MAX)
        return IDENTITY_MALFORMED;
    bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    if (bio == NULL)
        return -ENOMEM;
    if (PEM_read_bio(bio, &block.name, &block.header, &block.data, &block.size) != 1)
        r = IDENTITY_MALFORMED;
    else
        r = read_block(&block, passphrase, key);
    ERR_clear_error();
    return r;
}

static int write_encrypted(BIO *bio, PKCS8_PRIV_KEY_INFO *info, const char *passphrase)
{
    CLEANUP(sig_cleanup) X509_SIG *encrypted = NULL;
    int r = pkcs8_encrypt(info, passphrase, &encrypted);
    if (r < 0)
        return r;
    return PEM_write_bio_PKCS8(bio, encrypted) == 1 ? 0 : openssl_failed("writing PEM");
}

static int write_plain(BIO *bio, PKCS8_PRIV_KEY_INFO *info)
{
    return PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info) == 1 ? 0 : openssl_failed("writing PEM");
}

int pem_key_append(const EVP_PKEY *key, const char *passphrase, struct bytes *pem)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    CLEANUP(key_info_cleanup) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    char *text;
    long size;
    int r;
    if (bio == NULL || info == NULL)
        return openssl_failed("encoding the private key");
    r = passphrase != NULL ? write_encrypted(bio, info, passphrase) : write_plain(bio, info);
    if (r < 0)
        return r;
    size = BIO_get_mem_data(bio, &text);
    return bytes_append(pem, text, (size_t)size);
}
