/*
 * The queue of one peer as the store keeps it: the states of ordinary messages follow from two
 * marks, strays have their own state and ticket, and what is in memory is rolled forward from what
 * was settled and the rows of the log after that.
 *
 * Beside it stands what each message really went through, message by message. They always agree; a
 * session is given what was transmitted before in the order in which it was, each message after the
 * same one as at first; and only then what waits, in the order of acceptance.
 */
#ifndef MESSAGES
#define MESSAGES 3 /* accepted at most */
#endif
#ifndef ENDS
#define ENDS 1 /* messages in flight that are given up at most */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef DESIGN
#define DESIGN MARKS
#endif

/* The design, and what else one might think of. */
#define MARKS             0
#define STRAY_MOVES_MARK  1 /* the acknowledgement of a stray moves the mark */
#define NO_FREEZE_TO_DRAW 2 /* a stray is transmitted while ordinary ones are in flight */
#define NO_FREEZE_TO_END  3 /* one in flight is given up, and the others stay ordinary */
#define BASE_OF_DELIVERED 4 /* a roll forward takes the last one delivered for the one before */
#define BASE_OF_ORDINARY  5 /* the one before the first in flight is always an ordinary one */

#define SIZE (MESSAGES + 1) /* messages are 1, 2, ...; 0 is none */

/* What a row says of its message. */
#define BY_MARKS  0
#define WAITS     1 /* a stray that was never transmitted */
#define FLIES     2 /* a stray in flight */
#define ENDED     3 /* acknowledged or given up: the row says which */
#define ELSEWHERE 4 /* it belongs to another peer, which turns out to be this one */

/* What really happened. */
#define QUEUED    0
#define SENT      1
#define DELIVERED 2
#define FAILED    3

byte accepted = 0;

/* The disk. */
byte row[SIZE], end[SIZE]; /* what the row says; how it ended */
byte row_ticket[SIZE], row_previous[SIZE];

/* In memory: the marks. */
byte sent = 0, delivered = 0, last_out = 0, base = 0, tickets = 0;

/* On disk: the marks as they were settled, and the log since. */
byte old_sent = 0, old_delivered = 0, old_last_out = 0, old_base = 0;
byte told[SIZE * 2], told_state[SIZE * 2], told_count = 0;

/* What really happened to each, the order in which they were transmitted, and after which. */
byte state[SIZE], order[SIZE], previous[SIZE];
byte orders = 0, last = 0;

/* The session: what it was given, in order. */
bool up = false;
byte given[SIZE], given_count = 0, acked = 0;
bool was_given[SIZE];

byte ends = 0, crashes = 0;
bool one = false; /* the other peer turned out to be this one */

#define IN_FLIGHT(n) (row[n] == BY_MARKS && n > delivered && n <= sent)

/* The state that is shown of a message. */
#define SHOWN(n) \
    (row[n] == BY_MARKS -> (n <= delivered -> DELIVERED : (n <= sent -> SENT : QUEUED)) : \
     (row[n] == WAITS -> QUEUED : (row[n] == FLIES -> SENT : \
     (row[n] == ENDED -> end[n] : ELSEWHERE))))

inline check() {
    i = 1;
    do
    :: i <= accepted -> assert(SHOWN(i) == state[i]); i++
    :: i > accepted -> break
    od;
    i = 0
}

/* The message in flight before an ordinary one, or what was before the first. */
inline find_before(n, found) {
    found = base;
    i = delivered + 1;
    do
    :: i < n && IN_FLIGHT(i) -> found = i; i++
    :: i < n && !IN_FLIGHT(i) -> i++
    :: i >= n -> break
    od;
    i = 0
}

inline settle() {
    do
    :: told_count > 0 -> told_count--; told[told_count] = 0; told_state[told_count] = 0
    :: told_count == 0 -> break
    od;
    old_sent = sent; old_delivered = delivered; old_last_out = last_out; old_base = base
}

inline tell(n, what) {
    told[told_count] = n; told_state[told_count] = what; told_count++
}

/* Is there an ordinary one in flight? */
inline find_inflight(found) {
    found = false; i = delivered + 1;
    do
    :: i <= sent -> found = found || row[i] == BY_MARKS; i++
    :: i > sent -> break
    od;
    i = 0
}

inline freeze() {
    find_inflight(inflight);
    if
    :: inflight ->
        j = delivered + 1; k = base;
        do
        :: j <= sent && row[j] == BY_MARKS ->
            tickets++;
            row[j] = FLIES; row_ticket[j] = tickets; row_previous[j] = k; k = j; j++
        :: j <= sent && row[j] != BY_MARKS -> j++
        :: j > sent -> break
        od;
        j = 0; k = 0; delivered = sent; base = last_out; settle()
    :: else -> skip
    fi;
    inflight = false
}

/* Memory is lost, and made again of what was settled and told. */
inline roll_forward() {
    sent = old_sent; delivered = old_delivered; last_out = old_last_out; base = old_base;
    j = 0;
    do
    :: j < told_count && told_state[j] == SENT ->
        if
        :: row[told[j]] == BY_MARKS && told[j] > sent ->
            if
            :: delivered >= sent && DESIGN != BASE_OF_DELIVERED -> base = last_out
            :: else -> skip
            fi;
            sent = told[j]
        :: else -> skip
        fi;
        last_out = told[j]; j++
    :: j < told_count && told_state[j] == DELIVERED ->
        if
        :: row[told[j]] == BY_MARKS && told[j] > delivered -> delivered = told[j]; base = told[j]
        :: else -> skip
        fi;
        j++
    :: j >= told_count -> break
    od;
    j = 0
}

inline end_session() {
    do
    :: given_count > 0 ->
        given_count--; was_given[given[given_count]] = false; given[given_count] = 0
    :: given_count == 0 -> break
    od;
    up = false; acked = 0
}

inline give(n) {
    given[given_count] = n; given_count++; was_given[n] = true
}

/* What the model of the messages would give next: sent ones by their order, then waiting ones. */
inline expect(found) {
    found = 0; i = 1;
    do
    :: i <= accepted ->
        if
        :: state[i] == SENT && !was_given[i] &&
           (found == 0 || state[found] == QUEUED || order[i] < order[found]) -> found = i
        :: state[i] == QUEUED && found == 0 -> found = i
        :: else -> skip
        fi;
        i++
    :: i > accepted -> break
    od;
    i = 0
}

/* What the store gives next. */
inline choose(found) {
    found = 0; i = 1;
    do
    :: i <= accepted ->
        if
        :: row[i] == FLIES && !was_given[i] && (found == 0 || row_ticket[i] < row_ticket[found]) ->
            found = i
        :: else -> skip
        fi;
        i++
    :: i > accepted -> break
    od;
    i = delivered + 1;
    do
    :: i <= sent && found == 0 && row[i] == BY_MARKS && !was_given[i] -> found = i
    :: i <= sent && !(found == 0 && row[i] == BY_MARKS && !was_given[i]) -> i++
    :: i > sent -> break
    od;
    i = 1;
    do
    :: i <= accepted && found == 0 && (row[i] == WAITS || (row[i] == BY_MARKS && i > sent)) ->
        found = i
    :: i <= accepted && !(found == 0 && (row[i] == WAITS || (row[i] == BY_MARKS && i > sent))) ->
        i++
    :: i > accepted -> break
    od;
    i = 0
}

inline transmit(n) {
    if
    :: row[n] == WAITS ->
        if
        :: DESIGN != NO_FREEZE_TO_DRAW -> freeze()
        :: else -> skip
        fi;
        tickets++;
        row[n] = FLIES; row_ticket[n] = tickets; row_previous[n] = last_out;
        if
        :: DESIGN != BASE_OF_ORDINARY -> base = n
        :: else -> skip
        fi
    :: else ->
        find_inflight(inflight);
        if
        :: !inflight && DESIGN != BASE_OF_ORDINARY -> base = last_out
        :: else -> skip
        fi;
        inflight = false; sent = n
    fi;
    last_out = n; tell(n, SENT);
    orders++; order[n] = orders; previous[n] = last; last = n; state[n] = SENT
}

active proctype World() {
    byte i = 0, j = 0, k = 0, n = 0, m = 0;
    bool inflight = false;
    do
    :: d_step { accepted < MESSAGES -> accepted++ }
    :: d_step {
        accepted < MESSAGES && !one ->
        accepted++; row[accepted] = ELSEWHERE; state[accepted] = ELSEWHERE
    }
    :: d_step { /* two peers are one */
        !one ->
        i = 1;
        do
        :: i <= accepted && row[i] == ELSEWHERE -> row[i] = WAITS; state[i] = QUEUED; i++
        :: i <= accepted && row[i] != ELSEWHERE -> i++
        :: i > accepted -> break
        od;
        i = 0; one = true
    }

    :: d_step { !up -> up = true }
    :: d_step { up -> end_session() }
    :: d_step { told_count > 0 -> settle() }

    :: d_step { /* the session is given the next */
        up && given_count < MESSAGES ->
        expect(n); choose(m);
        assert(n == m);
        if
        :: n != 0 && state[n] == SENT ->
            if
            :: row[n] == FLIES -> m = row_previous[n]
            :: else -> find_before(n, m)
            fi;
            assert(m == previous[n]);
            give(n)
        :: n != 0 && state[n] == QUEUED -> transmit(n); give(n)
        :: else -> skip
        fi;
        n = 0; m = 0; check()
    }
    :: d_step { /* the oldest is acknowledged */
        up && acked < given_count ->
        n = given[acked]; acked++;
        if
        :: row[n] == BY_MARKS -> delivered = n; base = n; tell(n, DELIVERED)
        :: row[n] == FLIES ->
            row[n] = ENDED; end[n] = DELIVERED; tell(n, DELIVERED);
            if
            :: DESIGN == STRAY_MOVES_MARK -> delivered = n
            :: else -> skip
            fi
        :: else -> skip
        fi;
        if
        :: state[n] == SENT -> state[n] = DELIVERED
        :: else -> skip
        fi;
        n = 0; check()
    }
    :: d_step { /* one in flight is given up */
        ends < ENDS && last != 0 && state[last] == SENT ->
        ends++; n = last;
        if
        :: row[n] == BY_MARKS && DESIGN != NO_FREEZE_TO_END -> freeze()
        :: else -> skip
        fi;
        row[n] = ENDED; end[n] = FAILED; state[n] = FAILED; n = 0; check()
    }
    :: d_step { crashes < CRASHES -> crashes++; end_session(); roll_forward(); check() }
    od
}
