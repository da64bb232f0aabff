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

fuzz_address_OBJS = $(fuzz_driver) proto/invite_uri base/address base/number base/base64 base/bytes
fuzz_vault_OBJS = $(fuzz_driver) $(crypto_core) core/vault crypto/aead crypto/kdf crypto/secret \
	tests/unit/fake_random
fuzz_text_OBJS = $(fuzz_driver) tests/fuzz/harmless client/width base/escape base/utf8 base/bytes
fuzz_view_OBJS = $(fuzz_driver) tests/fuzz/harmless $(client_core) client/connection base/clock
fuzz_config_OBJS = $(fuzz_driver) tests/fuzz/harmless daemon/config rpc/rpc_value base/file base/bytes \
	base/address base/number base/log \
	base/escape base/utf8 base/clock
build/tests/fuzz/fuzz_config: LDFLAGS += -Wl,--wrap=file_read
fuzz_identity_OBJS = $(fuzz_driver) $(filter-out crypto/random,$(crypto_identity)) \
	tests/unit/fake_random
build/tests/fuzz/fuzz_identity: LDFLAGS += -Wl,--wrap=EVP_KDF_derive -Wl,--wrap=PKCS8_decrypt_ex

# Sessions of the protocol, without RSA or without any cryptography.
comma := ,
wrap = $(addprefix -Wl$(comma)--wrap=,$(1))
fuzz_session = $(fuzz_driver) tests/fuzz/talker tests/unit/fake_random tests/vectors/vectors \
	$(proto_base) $(proto_crypto) $(proto_handshake) $(proto_session)
fuzz_no_rsa = identity_sign identity_unwrap pubkey_check pubkey_verify pubkey_wrap

fuzz_frames_OBJS = $(fuzz_session) tests/fuzz/open_doors
build/tests/fuzz/fuzz_frames: LDFLAGS += $(call wrap,aead_open aead_seal identity_sign \
	identity_unwrap pubkey_verify pubkey_wrap secret_equal)

fuzz_handshake_OBJS = $(fuzz_session) tests/simulation/stand_ins
build/tests/fuzz/fuzz_handshake: LDFLAGS += $(call wrap,$(fuzz_no_rsa) handshake_sign \
	hello_host_encode hello_joiner_encode seal_frame)

fuzz_records_OBJS = $(fuzz_session) tests/simulation/stand_ins
build/tests/fuzz/fuzz_records: LDFLAGS += $(call wrap,$(fuzz_no_rsa))

fuzz_dialogue_OBJS = $(fuzz_session) tests/simulation/stand_ins
build/tests/fuzz/fuzz_dialogue: LDFLAGS += $(call wrap,$(fuzz_no_rsa))

# A node on the simulated network.
fuzz_world = $(fuzz_driver) tests/fuzz/house $(simulated) \
	$(addprefix tests/simulation/,dice stand_ins stream wire world)
build/obj/tests/fuzz/house.o: CPPFLAGS += -DKEYS_DIR='"$(abspath $(srcdir))/tests/simulation/keys"'

fuzz_control_OBJS = $(fuzz_world) $(patsubst $(srcdir)/src/%.c,%,$(wildcard $(srcdir)/src/daemon/control*.c \
	$(srcdir)/src/rpc/*.c))
build/tests/fuzz/fuzz_control: LDFLAGS += $(call wrap,$(fuzz_no_rsa) stream_user)

fuzz_strangers_OBJS = $(fuzz_world) tests/fuzz/talker tests/vectors/vectors
build/tests/fuzz/fuzz_strangers: LDFLAGS += $(call wrap,$(fuzz_no_rsa) handshake_host_admit)

fuzz_schedule_OBJS = $(fuzz_driver) $(simulated) \
	$(addprefix tests/simulation/,dice host ledger stand_ins stream wire world)
build/tests/fuzz/fuzz_schedule: LDFLAGS += $(call wrap,$(fuzz_no_rsa) db_commit space_check)
