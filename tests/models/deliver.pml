/*
 * Delivery in one direction: from the sender's queue to the receiver's history.
 *
 * Sessions break at any time and with them everything in flight; either side may crash, which loses
 * what it had not committed, and either side may be restored from an old backup.
 *
 * A message is never twice in the history; what the sender takes out of its queue as delivered is
 * in the receiver's history (unless the receiver itself went back in time); and without backups the
 * history has the order in which the messages were written. A message that the receiver can't take
 * is given up, and no other ever is, however often somebody on the way breaks the sessions.
 */
#ifndef MESSAGES
#define MESSAGES 4 /* written at most */
#endif
#ifndef SENDER_RESTORES
#define SENDER_RESTORES 1
#endif
#ifndef RECEIVER_RESTORES
#define RECEIVER_RESTORES 0
#endif
#ifndef POISON
#define POISON 0 /* the message that the receiver can't take; 0 for none */
#endif
#ifndef DESIGN
#define DESIGN RANDOM_IDS
#endif

/* The design, and what else one might think of. */
#define RANDOM_IDS        0 /* an id never seen before is stored; acknowledged after the commit */
#define SEQUENCE_NUMBERS  1 /* durable numbers; the receiver says how far it is, the sender skips */
#define NO_REPETITION     2 /* what arrives is stored, seen before or not */
#define EARLY_ACKNOWLEDGE 3 /* acknowledged when it arrives, before the commit */
#define FIRE_AND_FORGET   4 /* out of the queue when transmitted */
#define UNORDERED_RESEND  5 /* a new session begins with the newest message */
#define BLAME_ANY_END     6 /* whatever ends a session counts against the oldest in flight */
#define BLAME_IN_A_CROWD  7 /* a suspect is sent again together with others */

/* The sender's disk. Message ids are 1, 2, ... in the order of writing, and are never reused. */
byte written = 0;
byte queue[MESSAGES];
byte queued = 0;
byte next_number = 1; /* SEQUENCE_NUMBERS: of the next message to be written */

/* The receiver's disk. */
byte times[MESSAGES + 1]; /* how often each message is in the history */
byte newest = 0;
byte numbers = 0; /* SEQUENCE_NUMBERS: stored up to here */

/* The session; the n-th message sent in it has the ordinal n. */
bool up = false;
byte sent = 0, arrived = 0, committed = 0, acknowledged = 0;
byte wire[MESSAGES];
byte in_flight = 0;
byte uncommitted[MESSAGES]; /* arrived, but not on the receiver's disk yet */
byte pending = 0;

/* How often in a row the receiver could not take something, and what was the oldest in flight. */
#define BLAMES 3
byte suspect = 0, blames = 0, poison = POISON;

/* The backups. */
bool sender_backed_up = false, receiver_backed_up = false;
byte old_queue[MESSAGES], old_queued, old_next_number;
byte old_times[MESSAGES + 1], old_newest, old_numbers;
byte sender_restores = SENDER_RESTORES, receiver_restores = RECEIVER_RESTORES;
bool receiver_lost = false, travelled = false; /* only for what is asserted */

#define COPY(to, from, size) \
    for (i : 0 .. (size) - 1) { \
        to[i] = from[i] \
    } \
    i = 0

/* Takes the first element out of an array of MESSAGES. */
#define TAKE(array, count, element) \
    element = array[0]; \
    for (i : 0 .. MESSAGES - 2) { \
        array[i] = array[i + 1] \
    } \
    i = 0; array[MESSAGES - 1] = 0; count--

/* The head of the queue is delivered, as far as the sender knows. */
inline deliver() {
    TAKE(queue, queued, id);
    assert(times[id] >= 1 || receiver_lost);
    id = 0
}

inline store(message) {
    if
    :: (DESIGN == SEQUENCE_NUMBERS || DESIGN == NO_REPETITION || times[message] == 0) ->
        times[message]++;
        assert(times[message] == 1);
        assert(message > newest || travelled);
        newest = message
    :: else -> skip
    fi;
    if
    :: DESIGN == SEQUENCE_NUMBERS -> numbers++
    :: else -> skip
    fi
}

inline begin_session() {
    up = true;
    if
    :: DESIGN == SEQUENCE_NUMBERS ->
        do
        :: queued > 0 && next_number - queued <= numbers -> deliver()
        :: !(queued > 0 && next_number - queued <= numbers) -> break
        od
    :: DESIGN == UNORDERED_RESEND && queued == 2 ->
        id = queue[0]; queue[0] = queue[1]; queue[1] = id; id = 0
    :: else -> skip
    fi
}

inline end_session() {
    up = false;
    sent = 0; arrived = 0; committed = 0; acknowledged = 0; in_flight = 0; pending = 0;
    for (i : 0 .. MESSAGES - 1) {
        wire[i] = 0;
        uncommitted[i] = 0
    }
    i = 0
}

/* A session ended for what is in flight: the oldest is suspected, and given up the third time. */
inline blame() {
    if
    :: sent > acknowledged ->
        if
        :: suspect == queue[0] -> blames++
        :: else -> suspect = queue[0]; blames = 1
        fi;
        if
        :: blames == BLAMES ->
            TAKE(queue, queued, id);
            assert(id == poison);
            id = 0; suspect = 0; blames = 0
        :: else -> skip
        fi
    :: else -> skip
    fi
}

active proctype World() {
    byte id = 0;
    byte i = 0;
    do
    :: d_step { written < MESSAGES -> written++; queue[queued] = written; queued++; next_number++ }

    :: d_step { !up && queued > 0 -> begin_session() }
    :: d_step { /* the network, or somebody on the way */
        up ->
        if
        :: DESIGN == BLAME_ANY_END -> blame()
        :: else -> skip
        fi;
        end_session()
    }

    :: d_step { /* the sender transmits */
        up && sent - acknowledged < queued &&
            (blames == 0 || sent == acknowledged || DESIGN == BLAME_IN_A_CROWD) ->
        wire[in_flight] = queue[sent - acknowledged];
        in_flight++;
        if
        :: DESIGN == FIRE_AND_FORGET -> deliver()
        :: else -> sent++
        fi
    }
    :: d_step { /* the receiver gets it */
        up && in_flight > 0 && wire[0] != poison ->
        TAKE(wire, in_flight, id);
        uncommitted[pending] = id;
        pending++; arrived++; id = 0
    }
    :: d_step { /* it can't take it, says so and keeps nothing of this turn */
        up && in_flight > 0 && wire[0] == poison ->
        blame();
        end_session()
    }
    :: d_step { /* a turn of the receiver ends */
        up && pending > 0 ->
        do
        :: pending > 0 -> TAKE(uncommitted, pending, id); store(id)
        :: pending == 0 -> break
        od;
        committed = arrived; id = 0
    }
    :: d_step { /* the acknowledgement gets through */
        up && acknowledged < (DESIGN == EARLY_ACKNOWLEDGE -> arrived : committed) &&
            queued > 0 && DESIGN != FIRE_AND_FORGET ->
        acknowledged++;
        suspect = 0; blames = 0;
        deliver()
    }

    :: d_step {
        sender_restores > 0 && !sender_backed_up ->
        sender_backed_up = true;
        COPY(old_queue, queue, MESSAGES);
        old_queued = queued; old_next_number = next_number
    }
    :: d_step {
        sender_restores > 0 && sender_backed_up && !up ->
        sender_restores--; travelled = true;
        COPY(queue, old_queue, MESSAGES);
        queued = old_queued; next_number = old_next_number;
        suspect = 0; blames = 0
    }
    :: d_step {
        receiver_restores > 0 && !receiver_backed_up ->
        receiver_backed_up = true;
        COPY(old_times, times, MESSAGES + 1);
        old_newest = newest; old_numbers = numbers
    }
    :: d_step {
        receiver_restores > 0 && receiver_backed_up && !up ->
        receiver_restores--; travelled = true; receiver_lost = true;
        COPY(times, old_times, MESSAGES + 1);
        newest = old_newest; numbers = old_numbers
    }

    :: written == MESSAGES && queued == 0 && in_flight == 0 && pending == 0 -> break
    od
}
