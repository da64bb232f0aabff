# The simulation: all of the program below the control interface, with a simulated network, clock
# and source of randomness in the place of the real ones.

COMMA := ,

SIMULATION = build/tests/simulation/simulate

simulated = $(filter-out crypto/random base/clock,$(patsubst $(srcdir)/src/%.c,%,\
	$(wildcard $(addprefix $(srcdir)/src/,$(addsuffix /*.c,base crypto store proto core))))) \
	net/dialer net/candidates net/pcp_packet net/pulse
simulate_OBJS = $(simulated) $(patsubst $(srcdir)/%.c,%,\
	$(filter-out %/simulate.c,$(wildcard $(srcdir)/tests/simulation/*.c)))

$(TEST_OBJ)/tests/simulation/machine.o: CPPFLAGS += -DKEYS_DIR='"$(abspath $(srcdir))/tests/simulation/keys"'

$(SIMULATION): LDFLAGS += $(addprefix -Wl$(COMMA)--wrap=,db_commit identity_sign identity_unwrap \
	pubkey_check pubkey_verify pubkey_wrap space_check space_set_share)
