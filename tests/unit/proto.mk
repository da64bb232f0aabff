# Tests of single modules of src/proto/; whole conversations are in tests/dialogue/.

proto_bytes = base/base64 base/bytes base/utf8 base/uuid
proto_vectors = $(crypto_identity) tests/vectors/vectors

test_batch_OBJS = proto/batch
test_close_code_OBJS = proto/close_code
test_features_OBJS = proto/features
test_frame_OBJS = proto/frame $(proto_bytes)
test_hello_OBJS = proto/hello proto/gone proto/keyschedule crypto/kdf $(proto_vectors)
test_service_name_OBJS = proto/service_name
test_told_OBJS = proto/told base/address base/number $(proto_bytes)
test_headers_OBJS = proto/headers proto/service_name base/utf8 base/uuid $(proto_vectors)
test_record_OBJS = proto/record proto/record_check proto/message proto/file_item proto/headers proto/service_name proto/told base/address base/number base/uuid \
	crypto/digest $(crypto_core)
test_file_item_OBJS = proto/file_item proto/message proto/headers proto/service_name base/uuid crypto/digest $(crypto_core)
test_pings_OBJS = proto/pings
test_window_OBJS = proto/window
test_safety_number_OBJS = proto/safety_number $(proto_vectors)
test_invite_proof_OBJS = proto/invite_proof crypto/kdf $(proto_vectors)
test_invite_uri_OBJS = proto/invite_uri base/address base/number crypto/digest $(crypto_core)
test_keyschedule_OBJS = proto/keyschedule crypto/kdf $(proto_vectors)
test_packet_OBJS = proto/packet proto/keyschedule proto/frame crypto/kdf crypto/aead $(proto_vectors)
test_lane_OBJS = proto/lane proto/lane_keys proto/lane_record proto/record proto/service_name \
	proto/keyschedule proto/frame crypto/kdf crypto/aead crypto/crypto crypto/digest \
	crypto/secret base/log base/escape base/clock $(proto_bytes) tests/unit/fake_random
build/obj/tests/unit/test_lane.o: CPPFLAGS += -DVECTORS_DIR='"$(abspath $(srcdir))/tests/vectors"'
