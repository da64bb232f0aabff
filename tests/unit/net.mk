# The programs that test src/net.

NET_BASE = base/log base/escape base/utf8 base/bytes base/clock base/address base/number
NET_STREAM = net/stream net/descriptors net/pulse net/socket net/loop $(NET_BASE) tests/unit/net_rig

test_loop_OBJS = net/loop $(NET_BASE) tests/unit/net_rig
test_pulse_OBJS = net/pulse
test_socket_OBJS = net/socket $(NET_BASE)
test_stream_OBJS = $(NET_STREAM) tests/unit/net_wire
test_stream_volume_OBJS = $(NET_STREAM) tests/unit/net_wire
test_stream_bulk_OBJS = $(NET_STREAM) tests/unit/net_wire
test_listener_OBJS = net/listener net/unixsock $(NET_STREAM)
NET_DIAL = net/dialer net/candidates net/connector net/resolver net/listener net/unixsock \
	$(NET_STREAM) tests/unit/dial_rig
test_dialer_OBJS = $(NET_DIAL)
test_race_OBJS = $(NET_DIAL)
test_listening_OBJS = net/listener net/unixsock $(NET_STREAM)
build/tests/unit/test_listener: LDFLAGS += -Wl,--wrap=bind
build/tests/unit/test_listening: LDFLAGS += -Wl,--wrap=socket
test_network_state_OBJS = net/network_state
test_netwatch_OBJS = net/netwatch net/network_state net/loop $(NET_BASE) tests/unit/net_rig
build/tests/unit/test_netwatch: LDFLAGS += -Wl,--wrap=socket
test_pcp_packet_OBJS = net/pcp_packet base/bytes base/base64
