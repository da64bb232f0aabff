# Unit tests of what runs around the node.
test_confine_OBJS = daemon/confine base/log base/escape base/utf8 base/bytes base/clock
test_heartbeat_OBJS = daemon/heartbeat
test_sandbox_OBJS = daemon/$(SANDBOX) base/file base/bytes base/log base/escape base/utf8 base/clock
