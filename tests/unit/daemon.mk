# Unit tests of what runs around the node.
test_confine_OBJS = daemon/confine base/log base/escape base/utf8 base/bytes base/clock
test_backup_file_OBJS = $(crypto_core) daemon/backup_file base/file crypto/aead crypto/kdf crypto/secret crypto/random
test_heartbeat_OBJS = tests/unit/fake_loop daemon/heartbeat
# The real one also in a build that goes without.
test_sandbox_OBJS = daemon/sandbox base/landlock base/file base/bytes base/log base/escape base/utf8 base/clock
test_paths_OBJS = daemon/paths base/file base/bytes base/log base/escape base/utf8 base/clock
test_state_OBJS = daemon/state base/file base/bytes base/log base/escape base/utf8 base/clock
build/tests/unit/test_paths: LDFLAGS += -Wl,--wrap=geteuid
build/tests/unit/test_backup_file: LDFLAGS += -Wl,--wrap=scrypt
