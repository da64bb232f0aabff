# Tests of src/crypto/.

crypto_core = crypto/crypto base/base64 base/log base/escape base/utf8 base/bytes base/clock
crypto_rsa = $(crypto_core) crypto/pubkey crypto/rsa_scheme crypto/digest crypto/secret \
	base/fingerprint
crypto_identity = $(crypto_rsa) crypto/identity crypto/pem_key crypto/pkcs8 crypto/random

test_aead_OBJS = $(crypto_core) crypto/aead crypto/secret
test_crypto_OBJS = $(crypto_core) crypto/digest
test_digest_OBJS = $(crypto_core) crypto/digest
test_identity_OBJS = $(crypto_identity)
test_kdf_OBJS = $(crypto_core) crypto/kdf
test_kem_OBJS = $(filter-out crypto/random,$(crypto_identity)) crypto/kem tests/unit/fake_random \
	tests/vectors/vectors
test_keyx_OBJS = $(crypto_core) crypto/keyx crypto/secret tests/unit/fake_random
test_pubkey_OBJS = $(crypto_identity)
test_random_OBJS = $(crypto_core) crypto/random
test_secret_OBJS = crypto/secret

test_crypto_memory_OBJS = $(crypto_identity) crypto/aead crypto/kdf crypto/keyx
build/tests/unit/test_crypto_memory: LDFLAGS += -Wl,--wrap=calloc,--wrap=EVP_KDF_derive
