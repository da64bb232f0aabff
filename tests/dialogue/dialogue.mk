# Programs that let whole sessions talk to each other, or to somebody who cheats.

proto_base = base/address base/number base/base64 base/bytes base/clock base/escape base/fingerprint base/log \
	base/utf8 base/uuid
proto_crypto = $(addprefix crypto/,aead crypto digest identity kdf kem keyx pem_key pkcs8 \
	pubkey rsa_scheme secret)
proto_handshake = $(addprefix proto/,confirm exchange gone handshake handshake_host handshake_joiner hello ident \
	invite_proof keyschedule safety_number seal)
proto_session = $(addprefix proto/,batch close_code epoch features file_item frame headers message packet pings record record_check service_name \
	session session_input session_output session_timer told window)
dialogue_OBJS = $(proto_base) $(proto_crypto) $(proto_handshake) $(proto_session) \
	tests/unit/fake_random tests/vectors/vectors tests/dialogue/rig tests/dialogue/party

test_recorded_OBJS = $(dialogue_OBJS)
test_meeting_OBJS = $(dialogue_OBJS)
test_talking_OBJS = $(dialogue_OBJS)
test_suites_OBJS = $(dialogue_OBJS) tests/dialogue/puppet
test_changing_keys_OBJS = $(dialogue_OBJS)
test_hostile_hello_OBJS = $(dialogue_OBJS) tests/dialogue/puppet
test_hostile_identity_OBJS = $(dialogue_OBJS) tests/dialogue/puppet
test_hostile_packets_OBJS = $(dialogue_OBJS) tests/dialogue/puppet
test_hostile_records_OBJS = $(dialogue_OBJS) tests/dialogue/puppet
test_failures_OBJS = $(dialogue_OBJS)
test_hostile_wire_OBJS = $(dialogue_OBJS) tests/unit/deep
test_identities_OBJS = $(dialogue_OBJS)
test_former_links_OBJS = $(dialogue_OBJS)

$(TEST_OBJ)/tests/vectors/vectors.o: CPPFLAGS += -DVECTORS_DIR='"$(abspath $(srcdir))/tests/vectors"'

# The recorded RSA outputs take the place of fresh ones.
build/tests/dialogue/test_recorded: LDFLAGS += -Wl,--wrap=identity_sign -Wl,--wrap=pubkey_wrap

# Everything that a session calls and that can fail.
failing = malloc calloc random_bytes sha256 sha256_state_new sha256_state_add \
	hmac_sha256 hkdf_extract hkdf_expand keyx_derive aead_seal aead_open pubkey_new pubkey_verify \
	pubkey_wrap identity_sign identity_unwrap
build/tests/dialogue/test_failures: LDFLAGS += $(foreach name,$(failing),-Wl,--wrap=$(name))
