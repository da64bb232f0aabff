# Tests of src/base/.

test_address_OBJS = base/address base/number
test_backoff_OBJS = base/backoff
test_base64_OBJS = base/base64
test_bucket_OBJS = base/bucket
test_bytes_OBJS = base/bytes
test_clock_OBJS = base/clock
test_escape_OBJS = base/escape base/utf8 base/bytes
test_file_OBJS = base/file base/bytes
test_fingerprint_OBJS = base/fingerprint base/base64
test_hash_OBJS = base/hash
test_hint_OBJS = base/hint base/shell base/bytes
test_list_OBJS =
test_log_OBJS = base/log base/escape base/utf8 base/bytes tests/unit/fake_clock
test_number_OBJS = base/number
test_shell_OBJS = base/shell
test_startup_OBJS = base/startup
test_suggest_OBJS = base/suggest
test_text_OBJS = base/text base/bytes
test_timestamp_OBJS = base/timestamp base/number
test_utf8_OBJS = base/utf8
test_uuid_OBJS = base/uuid base/base64 base/bytes
