# The programs of the fault tests that are not tests themselves: what fills a store, and what makes
# memory fail (loaded into a program before the C library).
FAULT_TOOLS = build/tests/faults/fill build/tests/faults/failing_malloc.so

fill_OBJS = core/body_sealer crypto/crypto crypto/aead crypto/kdf crypto/random crypto/secret base/base64 store/db \
	store/sql store/schema store/log store/lives store/footprint store/inbound store/mark store/marks store/marks_load store/message_columns store/settle store/noted store/queue store/queue_due store/queue_end store/strays store/peers store/messages store/events base/file base/bytes base/log \
	base/escape base/utf8 base/clock base/uuid base/number

test_power_loss_OBJS = tests/faults/lossy_vfs tests/unit/deep store/db store/sql store/schema store/log store/lives store/footprint store/inbound store/mark store/marks store/marks_load store/message_columns store/settle store/noted store/queue store/queue_due store/queue_end store/strays store/peers \
	store/messages store/events base/bytes base/log base/escape base/utf8 base/clock base/uuid \
	base/base64 base/number

test_migration_OBJS = tests/unit/deep store/expiry store/requests store/consumers $(STORE_OBJS)

test_damage_OBJS = tests/unit/deep store/invites tests/unit/whole_store $(STORE_OBJS)

build/tests/faults/failing_malloc.so: $(TEST_OBJ)/tests/faults/failing_malloc.o
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -shared $(LDFLAGS) -o $@ $^
