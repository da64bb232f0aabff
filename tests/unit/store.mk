STORE_OBJS = store/db store/sql store/schema store/log store/lives store/footprint store/inbound store/mark store/marks store/marks_load store/message_columns store/settle store/noted store/peers \
	store/messages store/queue store/queue_due store/queue_end store/strays store/events \
	base/file base/bytes base/log base/escape base/utf8 base/clock base/uuid base/base64 base/number tests/unit/scratch_db

test_db_OBJS = $(STORE_OBJS)
test_db_failure_OBJS = store/consumers $(STORE_OBJS)
test_db_damage_OBJS = store/invites tests/unit/whole_store $(STORE_OBJS)
test_invites_OBJS = store/invites $(STORE_OBJS)
test_peers_OBJS = $(STORE_OBJS) base/address base/number
test_messages_OBJS = store/retention store/handover store/requests $(STORE_OBJS)
test_messages_newest_OBJS = $(STORE_OBJS)
test_events_OBJS = $(STORE_OBJS)
test_lives_OBJS = $(STORE_OBJS)
test_inbound_OBJS = store/retention store/handover store/requests $(STORE_OBJS)
test_steps_OBJS = store/handover $(STORE_OBJS)
test_retention_OBJS = store/retention store/expiry store/requests $(STORE_OBJS)
test_call_rows_OBJS = store/calls store/retention store/requests $(STORE_OBJS)
test_served_OBJS = store/served $(STORE_OBJS)
test_consumers_OBJS = store/consumers $(STORE_OBJS)
test_queue_history_OBJS = tests/unit/deep store/expiry store/handover store/retention store/requests $(STORE_OBJS)
test_plans_OBJS = store/expiry store/handover store/served store/calls store/retention store/requests store/consumers store/invites tests/unit/whole_store $(STORE_OBJS)
