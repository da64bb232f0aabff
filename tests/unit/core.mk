# Tests of src/core/. What needs a network is in ../simulation.

test_suspicion_OBJS = core/suspicion
test_limits_OBJS = core/limits base/bucket base/bytes
test_turn_OBJS = core/turn
test_link_OBJS = tests/unit/fake_loop core/link core/turn net/pulse base/bytes
test_links_OBJS = core/links base/fingerprint base/base64 base/bytes
test_peer_name_OBJS = core/peer_name base/escape base/utf8 base/bytes
test_pending_keys_OBJS = core/pending_keys base/fingerprint base/base64 base/bytes
test_trust_OBJS = core/trust
test_adoption_OBJS = core/adoption base/log base/escape base/utf8 base/bytes base/clock
channels_rig = $(addprefix core/,channel channel_local channels channels_input channels_output credit) \
	$(addprefix proto/,frame keyschedule lane lane_keys lane_record message file_item headers record service_name told) \
	crypto/kdf crypto/aead crypto/digest crypto/secret base/blocks base/bucket base/uuid base/address base/number \
	$(crypto_core) tests/unit/channels_rig tests/unit/fake_random
test_channels_OBJS = $(channels_rig) tests/unit/deep
test_credit_OBJS = core/credit
test_body_sealer_OBJS = $(crypto_core) core/body_sealer crypto/aead crypto/kdf crypto/secret crypto/random
test_hearsay_OBJS = core/hearsay base/address base/number
test_former_OBJS = core/former crypto/secret
test_clones_OBJS = tests/unit/fake_loop core/clones base/shell base/log base/escape base/utf8 base/bytes base/clock
test_redial_OBJS = core/redial base/backoff
test_ways_OBJS = core/ways base/address base/number
test_attempts_OBJS = core/attempts base/address base/number
test_admission_OBJS = tests/unit/fake_loop base/shell core/admission core/merging core/trust core/limits core/pending_keys base/bucket base/fingerprint base/base64 \
	crypto/secret base/log base/escape base/utf8 base/bytes base/clock tests/unit/admission_rig
test_quota_OBJS = core/quota store/retention store/requests base/shell $(STORE_OBJS)
test_outgoing_OBJS = tests/unit/fake_loop core/outgoing base/uuid base/number base/base64 base/bytes
test_runtime_OBJS = tests/unit/fake_loop core/runtime base/log base/escape base/utf8 base/bytes base/clock
test_sealed_message_OBJS = core/sealed_message $(STORE_OBJS)
test_delivery_OBJS = core/delivery core/sealed_message core/turn core/suspicion core/body_sealer crypto/crypto crypto/aead crypto/kdf \
	crypto/secret crypto/random tests/unit/delivery_rig $(STORE_OBJS)
test_housekeeping_OBJS = tests/unit/fake_loop core/housekeeping store/redate store/expiry store/retention store/requests store/space store/invites \
	$(STORE_OBJS)
test_services_OBJS = core/services proto/service_name base/log base/escape base/utf8 base/bytes base/clock
calls_rig = core/calls core/calls_items core/outgoing core/sealed_message core/services core/body_sealer proto/headers proto/service_name \
	store/calls store/served crypto/crypto crypto/aead crypto/kdf crypto/secret crypto/random \
	tests/unit/calls_rig tests/unit/fake_loop $(STORE_OBJS)
test_calls_OBJS = $(calls_rig)
test_calls_ends_OBJS = $(calls_rig)
test_doorway_OBJS = tests/unit/fake_loop core/doorway
test_notice_OBJS = tests/unit/fake_loop core/notice base/log base/escape base/utf8 base/bytes base/clock
test_tell_OBJS = tests/unit/fake_loop core/tell core/hearsay proto/told base/address base/number base/log base/escape base/utf8 base/bytes base/clock
test_roster_OBJS = $(crypto_core) core/roster store/served core/body_sealer core/peer_name core/trust core/hearsay crypto/aead crypto/kdf \
	crypto/secret proto/features base/hash base/fingerprint base/address \
	tests/unit/fake_random $(STORE_OBJS)
test_round_OBJS = tests/unit/fake_loop core/round core/former crypto/secret base/address base/number base/fingerprint base/base64 base/bytes
test_link_events_OBJS = tests/unit/link_events_rig core/link_events base/log base/escape base/utf8 base/bytes base/clock
test_peer_OBJS = tests/unit/fake_loop tests/unit/peer_rig core/peer core/redial core/ways core/attempts core/hearsay core/former crypto/secret base/backoff base/bucket \
	base/hash base/address base/number base/log base/escape base/utf8 base/bytes base/clock
test_mapping_OBJS = core/mapping net/pcp_packet base/bytes
trunk_rig = tests/unit/fake_loop tests/unit/trunk_rig core/trunk core/trunk_lane crypto/secret base/backoff base/hash base/address \
	base/number base/log base/escape base/utf8 base/bytes base/base64 base/clock base/uuid $(addprefix proto/,record message file_item headers service_name told) crypto/digest $(crypto_core)
test_trunk_OBJS = $(trunk_rig)
test_trunk_lane_OBJS = $(trunk_rig)
streams_rig = tests/unit/fake_loop tests/unit/streams_rig core/streams base/backoff base/hash base/log base/escape base/utf8 base/bytes base/clock
test_streams_OBJS = $(streams_rig)
test_streams_turn_OBJS = $(streams_rig)
test_node_peers_OBJS = tests/unit/fake_loop tests/unit/node_peers_rig core/node_peers core/pending_keys base/fingerprint base/address base/number base/base64 base/log base/escape base/utf8 base/bytes base/clock
test_node_turn_OBJS = core/node_turn base/log base/escape base/utf8 base/bytes base/clock
test_node_invites_OBJS = tests/unit/fake_loop core/node_invites core/peer_name base/address base/number base/escape base/utf8 base/bytes
build/tests/unit/test_node_invites: LDFLAGS += -Wl,--wrap=gethostname
test_removal_OBJS = tests/unit/fake_loop core/removal base/log base/escape base/utf8 base/bytes base/clock
test_portmap_OBJS = tests/unit/fake_loop core/portmap core/mapping net/pcp_packet base/address base/number base/log base/escape \
	base/utf8 base/bytes base/clock
test_node_messages_OBJS = tests/unit/fake_loop core/node_messages base/utf8 base/bytes
test_spool_OBJS = core/spool base/file proto/file_item crypto/aead crypto/digest crypto/kdf crypto/secret crypto/random base/base64 \
	base/bytes base/uuid $(crypto_core)
build/tests/unit/test_spool: LDFLAGS += -Wl,--wrap=aead_key_seal
