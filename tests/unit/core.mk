# Tests of src/core/. What needs a network is in ../simulation.

test_flight_OBJS = core/flight
test_gate_OBJS = core/gate base/bucket base/bytes
test_links_OBJS = core/links crypto/fingerprint base/base64 base/bytes
test_requests_OBJS = core/requests crypto/fingerprint base/base64 base/bytes
test_trust_OBJS = core/trust
test_vault_OBJS = $(crypto_core) core/vault crypto/aead crypto/kdf crypto/secret crypto/random
