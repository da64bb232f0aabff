# Tests of src/client/.

client_base = base/address base/backoff base/base64 base/bytes base/escape base/file base/hint base/landlock \
	base/number base/shell base/startup base/text base/suggest base/timestamp base/utf8 base/uuid
client_core = $(client_base) rpc/rpc_bytes rpc/rpc_error rpc/rpc_line rpc/rpc_message rpc/rpc_method rpc/rpc_path \
	rpc/rpc_value \
	$(filter-out client/main client/connection client/manager,\
		$(patsubst $(srcdir)/src/%.c,%,$(wildcard $(srcdir)/src/client/*.c $(srcdir)/src/client/*/*.c)))
client_rig = $(client_core) tests/unit/ctl_rig tests/unit/fake_clock

test_cmd_doctor_OBJS = $(client_rig)
test_cmd_follow_OBJS = $(client_rig)
test_cmd_history_OBJS = $(client_rig)
test_cmd_peer_OBJS = $(client_rig)
test_cmd_send_OBJS = $(client_rig)
test_cmd_status_OBJS = $(client_rig)
test_connection_OBJS = client/connection rpc/rpc_error rpc/rpc_line rpc/rpc_message rpc/rpc_value \
	rpc/rpc_method rpc/rpc_path base/file base/bytes base/clock base/escape base/suggest base/utf8
test_ctl_OBJS = $(client_rig)
test_input_OBJS = client/input base/bytes
test_diagnosis_OBJS = $(client_rig)
test_view_OBJS = $(client_rig)
test_transcript_OBJS = $(client_rig)
test_width_OBJS = client/width base/utf8
build/tests/unit/test_cmd_doctor: LDFLAGS += -Wl,--wrap=adjtimex,--wrap=___adjtimex64
test_manifest_OBJS = client/manifest base/base64 base/bytes
test_apart_OBJS = $(client_rig)
