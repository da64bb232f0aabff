# Tests of src/rpc/.

rpc_text = base/escape base/suggest base/utf8 base/bytes

test_rpc_error_OBJS = rpc/rpc_error
test_rpc_line_OBJS = rpc/rpc_line base/bytes
test_rpc_message_OBJS = rpc/rpc_message rpc/rpc_value rpc/rpc_method rpc/rpc_error $(rpc_text)
test_rpc_method_OBJS = rpc/rpc_method $(rpc_text)
test_rpc_path_OBJS = rpc/rpc_path base/file base/bytes
test_rpc_value_OBJS = rpc/rpc_value
build/tests/unit/test_rpc_message: LDFLAGS += -Wl,--wrap=bytes_append
