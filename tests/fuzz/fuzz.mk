# Fuzz targets: one source, one program and one folder of inputs in corpus/ each. The objects are
# named as those of a unit test.
#
# In the sanitized build they are libFuzzer's, elsewhere they replay the corpus. To look for more:
#
#     make sanitized
#     cd build/sanitized/build/tests/fuzz
#     mkdir -p found && ./fuzz_frames found ../../../../../tests/fuzz/corpus/fuzz_frames
#     ./fuzz_frames -merge=1 ../../../../../tests/fuzz/corpus/fuzz_frames found
#
# What made a program fail goes into the corpus under the name of the mistake.

FUZZ_TARGETS = $(patsubst $(srcdir)/tests/%.c,build/tests/%,$(wildcard $(srcdir)/tests/fuzz/fuzz_*.c))

$(FUZZ_TARGETS): LDFLAGS += $(FUZZER)
fuzz_driver = $(if $(FUZZER),,tests/fuzz/replay)
fuzz_wrap = $(addprefix -Wl$(COMMA)--wrap=,$(1))

# Texts and files.
fuzz_address_OBJS = $(fuzz_driver) proto/invite_uri base/address base/number crypto/digest $(crypto_core)
fuzz_text_OBJS = $(fuzz_driver) tests/fuzz/harmless client/width base/escape base/utf8 base/bytes
fuzz_view_OBJS = $(fuzz_driver) tests/fuzz/harmless $(client_core) client/connection client/manager base/clock
fuzz_unpack_OBJS = $(fuzz_driver) tests/fuzz/harmless $(client_core) client/connection client/manager base/clock
fuzz_headers_OBJS = $(fuzz_driver) proto/headers proto/service_name base/bytes base/utf8 base/uuid base/base64
fuzz_config_OBJS = $(fuzz_driver) tests/fuzz/harmless daemon/config daemon/setting core/peer_name rpc/rpc_value base/file \
	base/bytes base/address base/base64 base/fingerprint base/number base/log base/escape base/utf8 base/clock
fuzz_identity_OBJS = $(fuzz_driver) $(filter-out crypto/random,$(crypto_identity)) \
	tests/unit/fake_random
fuzz_body_sealer_OBJS = $(fuzz_driver) $(crypto_core) core/body_sealer crypto/aead crypto/kdf crypto/secret \
	tests/unit/fake_random

build/tests/fuzz/fuzz_config: LDFLAGS += $(call fuzz_wrap,file_read)
build/tests/fuzz/fuzz_unpack: LDFLAGS += $(call fuzz_wrap,syncfs fsync)
build/tests/fuzz/fuzz_identity: LDFLAGS += $(call fuzz_wrap,EVP_KDF_derive PKCS8_decrypt_ex)

# Sessions of the protocol, without RSA or without any cryptography.
fuzz_session = $(fuzz_driver) tests/dialogue/party tests/unit/fake_random tests/vectors/vectors \
	$(proto_base) $(proto_crypto) $(proto_handshake) $(proto_session)
fuzz_rsa_stand_ins = tests/simulation/stand_ins tests/simulation/bare_wrap
fuzz_no_rsa = identity_sign identity_unwrap pubkey_check pubkey_verify pubkey_wrap

fuzz_frames_OBJS = $(fuzz_session) tests/fuzz/transparent_crypto tests/simulation/bare_wrap
fuzz_handshake_OBJS = $(fuzz_session) $(fuzz_rsa_stand_ins)
fuzz_records_OBJS = $(fuzz_session) $(fuzz_rsa_stand_ins)
fuzz_dialogue_OBJS = $(fuzz_session) $(fuzz_rsa_stand_ins)

build/tests/fuzz/fuzz_frames: LDFLAGS += $(call fuzz_wrap,aead_open aead_seal identity_sign \
	identity_unwrap pubkey_verify pubkey_wrap secret_equal)
build/tests/fuzz/fuzz_handshake: LDFLAGS += $(call fuzz_wrap,$(fuzz_no_rsa) handshake_sign \
	hello_host_encode hello_joiner_encode seal_frame)
build/tests/fuzz/fuzz_records: LDFLAGS += $(call fuzz_wrap,$(fuzz_no_rsa))
build/tests/fuzz/fuzz_dialogue: LDFLAGS += $(call fuzz_wrap,$(fuzz_no_rsa))

# Lanes and streams, without cryptography.
fuzz_mapping_OBJS = $(fuzz_driver) core/mapping net/pcp_packet base/bytes
fuzz_lane_OBJS = $(fuzz_driver) tests/fuzz/transparent_crypto tests/unit/fake_random \
	$(filter-out crypto/random,$(crypto_identity)) \
	$(addprefix proto/,frame keyschedule lane lane_keys lane_record message file_item headers record service_name told) \
	crypto/kdf crypto/aead base/uuid base/address base/number
fuzz_file_service_OBJS = $(fuzz_driver) core/file_pull core/file_serve proto/file_item crypto/digest base/bytes \
	base/uuid $(crypto_core)
fuzz_lane_records_OBJS = $(fuzz_driver) $(channels_rig)
fuzz_streams_OBJS = $(fuzz_driver) $(channels_rig)

build/tests/fuzz/fuzz_lane: LDFLAGS += $(call fuzz_wrap,aead_open aead_seal)

# Daemons on the simulated network.
fuzz_world = $(fuzz_driver) $(simulated) \
	$(addprefix tests/simulation/,bare_wrap dice pipe stand_ins stream wire world)

fuzz_control_OBJS = $(fuzz_world) tests/fuzz/house daemon/version daemon/notify_none daemon/sandbox_none \
	$(patsubst $(srcdir)/src/%.c,%,$(wildcard $(srcdir)/src/daemon/control*.c $(srcdir)/src/rpc/*.c))
fuzz_strangers_OBJS = $(fuzz_world) tests/fuzz/house tests/dialogue/party tests/vectors/vectors
fuzz_schedule_OBJS = $(fuzz_world) tests/simulation/machine tests/simulation/ledger

$(TEST_OBJ)/tests/fuzz/house.o: CPPFLAGS += -DKEYS_DIR='"$(abspath $(srcdir))/tests/simulation/keys"'
build/tests/fuzz/fuzz_control: LDFLAGS += $(call fuzz_wrap,$(fuzz_no_rsa) stream_user)
build/tests/fuzz/fuzz_strangers: LDFLAGS += $(call fuzz_wrap,$(fuzz_no_rsa) handshake_admit)
build/tests/fuzz/fuzz_schedule: LDFLAGS += $(call fuzz_wrap,$(fuzz_no_rsa) db_commit space_check space_set_share)
