/*
 * One stream over lanes that break: opening, resumption and the end.
 *
 * Both directions carry N bytes and FIN. The lane breaks up to BREAKS times; whatever is on its way
 * is lost, each side finds out by itself, attaches again and says RESUME if it has the stream, then
 * READY; nothing else is said before the other's READY has come. The opener may take the stream back
 * as long as nobody has accepted it (CANCEL). With TIME a clock goes on: a side finds out within one
 * unit (25 s), gives a stream up that was without a lane for two (60 s), and remembers for MEMORY
 * (180 s) that it ended well.
 *
 * Checked: bytes arrive once and in order; nothing is said of a stream that the other side has never
 * heard of; who calls it well has had everything of its own delivered and has everything of the
 * other; and unless it was taken back or given up both call it well.
 */
#ifndef N
#define N 2
#endif
#ifndef BREAKS
#define BREAKS 2
#endif
#ifndef MEMORY
#define MEMORY 6
#endif

#define RULES 0
#define FORGETS_THE_END 1 /* a stream that ended is answered as lost, however it ended */
#define GOES_ON 2         /* sends on from where it was, whatever the other side has */
#define SAYS_FIN_ONCE 3   /* FIN is not said again on the next lane */
#define TAKES_BACK_ALL 4  /* RESET, also of what the other side may not have heard of */
#define OPENS_AGAIN 5     /* OPEN again, also when the other side has said that it knows it */
#define ENDS_BY_DONE 6    /* well as soon as the other side has everything */
#ifndef DESIGN
#define DESIGN RULES
#endif

#define HAD_FIN 1
#define HAD_OPENED 2
#define HAD_DONE 4

mtype = { OPEN, OPENED, DATA, FIN, DONE, RESUME, READY, RESET };
mtype = { NONE, LIVE, WELL, LOST };

chan to[2] = [4] of { mtype, byte, byte }; /* towards that side; value and flags */
byte lane = 1;                             /* the present one; each break makes the next */
byte breaks = 0;
mtype state[2] = NONE;
byte delivered[2];
bool fin_in[2];
bool given_up = false; /* or taken back */
byte seen[2];          /* the lane that the side is attached to */
byte now = 0, broken_at = 0, detached_at[2], well_at[2];

#define up (seen[me] == lane)
#define may_say (up && ready && nfull(to[other]))

inline end_as(how) {
    state[me] = how;
    well_at[me] = now
}

proctype Side(byte me)
{
    byte other = 1 - me;
    bool ready = false;
    bool opener = (me == 0);
    bool called = false, open_due = false, opened_due = false, opened = false;
    byte sent = 0;
    bool fin_sent = false, done_sent = false, done_in = false;
    bool answer_done = false, answer_reset = false;
    byte value, flags;

    if
    :: opener -> atomic { state[me] = LIVE; open_due = true; }
    :: else
    fi;
end:
    do
    :: atomic { seen[me] != lane && len(to[other]) <= 2 ->
        seen[me] = lane;
        ready = false;
        answer_done = false;
        answer_reset = false;
        if
        :: state[me] == LIVE && (!opener || called) ->
            to[other]!RESUME(delivered[me], (fin_in[me] -> HAD_FIN : 0) +
                (opener && opened -> HAD_OPENED : 0) + (done_in -> HAD_DONE : 0));
            open_due = opener && !opened
        :: else
        fi;
        to[other]!READY(0, 0) }
#ifdef TIME
    :: atomic { seen[me] != lane && state[me] == LIVE && now - detached_at[me] >= 2 ->
        end_as(LOST);
        given_up = true }
#endif
#ifdef CANCEL
    :: atomic { opener && state[me] == LIVE && !opened ->
        answer_reset = up && (DESIGN == TAKES_BACK_ALL || !open_due);
        open_due = false;
        end_as(LOST);
        given_up = true }
#endif
    :: atomic { up && to[me]?[RESUME] -> to[me]?RESUME(value, flags);
        if
        :: state[me] == LIVE ->
            assert(value <= N);
            if :: DESIGN != GOES_ON -> sent = value :: else fi;
            if :: DESIGN != SAYS_FIN_ONCE -> fin_sent = fin_sent && (flags & HAD_FIN) :: else fi;
            done_sent = done_sent && (flags & HAD_DONE);
            opened_due = !opener && !(flags & HAD_OPENED);
            if :: DESIGN != OPENS_AGAIN -> open_due = false :: else fi
        :: state[me] == WELL && DESIGN != FORGETS_THE_END && now - well_at[me] <= MEMORY ->
            answer_done = true
        :: state[me] == LOST ||
           (state[me] == WELL && (DESIGN == FORGETS_THE_END || now - well_at[me] > MEMORY)) ->
            answer_reset = true
        :: state[me] == NONE && (flags & HAD_OPENED) -> answer_reset = true
        :: state[me] == NONE && !(flags & HAD_OPENED) /* its OPEN comes again */
        fi }
    :: atomic { up && to[me]?[READY] -> to[me]?READY(_, _); ready = true }
    :: atomic { up && to[me]?[OPEN] -> to[me]?OPEN(_, _);
        assert(state[me] != LIVE);
        if
        :: state[me] == NONE -> state[me] = LIVE; opened_due = true
        :: else -> answer_reset = true
        fi }
    :: atomic { up && to[me]?[OPENED] -> to[me]?OPENED(_, _);
        if :: state[me] == LIVE -> assert(!opened); opened = true :: else fi }
    :: atomic { up && to[me]?[DATA] -> to[me]?DATA(value, _);
        assert(state[me] != NONE);
        if :: state[me] == LIVE -> assert(value == delivered[me]); delivered[me]++ :: else fi }
    :: atomic { up && to[me]?[FIN] -> to[me]?FIN(value, _);
        if
        :: state[me] == LIVE -> assert(value == delivered[me] && !fin_in[me]); fin_in[me] = true
        :: else
        fi }
    :: atomic { up && to[me]?[DONE] -> to[me]?DONE(_, _); done_in = true }
    :: atomic { up && to[me]?[RESET] -> to[me]?RESET(_, _);
        assert(state[me] != NONE);
        if :: state[me] == LIVE -> end_as(LOST) :: else fi }
    :: atomic { may_say && answer_done -> to[other]!DONE(0, 0); answer_done = false }
    :: atomic { may_say && answer_reset -> to[other]!RESET(0, 0); answer_reset = false }
    :: atomic { may_say && open_due && state[me] == LIVE -> 
        to[other]!OPEN(0, 0); open_due = false; called = true }
    :: atomic { may_say && opened_due && state[me] == LIVE ->
        to[other]!OPENED(0, 0); opened_due = false; opened = true }
    :: atomic { may_say && state[me] == LIVE && opened && !opened_due && sent < N ->
        to[other]!DATA(sent, 0); sent++ }
    :: atomic { may_say && state[me] == LIVE && opened && !opened_due && sent == N && !fin_sent ->
        to[other]!FIN(N, 0); fin_sent = true }
    :: atomic { may_say && state[me] == LIVE && fin_in[me] && !done_sent ->
        to[other]!DONE(0, 0); done_sent = true }
    :: atomic { state[me] == LIVE && done_in && (done_sent || DESIGN == ENDS_BY_DONE) ->
        end_as(WELL);
        assert(delivered[me] == N);
        assert(delivered[other] == N && fin_in[other]) }
    od
}

/* Whatever is on its way is lost. */
active proctype Network()
{
    do
    :: atomic { breaks < BREAKS ->
        breaks++;
        lane++;
        broken_at = now;
        detached_at[0] = now;
        detached_at[1] = now;
        do
        :: len(to[0]) > 0 -> to[0]?_(_, _)
        :: len(to[1]) > 0 -> to[1]?_(_, _)
        :: len(to[0]) + len(to[1]) == 0 -> break
        od }
    :: breaks == BREAKS -> break
    od
}

#ifdef TIME
#define attached(i) (seen[i] == lane)
#define in_time(i) (attached(i) || state[i] != LIVE || now - detached_at[i] < 2)

/* Goes on while somebody has no lane, and nobody is late: each finds out within one unit and gives up
 * after two more. */
active proctype Clock()
{
end:
    do
    :: atomic { now < TIME && !(attached(0) && attached(1)) && in_time(0) && in_time(1) ->
        now++;
        if
        :: !attached(0) && now - broken_at == 1 -> if :: detached_at[0] = now :: skip fi
        :: else
        fi;
        if
        :: !attached(1) && now - broken_at == 1 -> if :: detached_at[1] = now :: skip fi
        :: else
        fi }
    :: now == TIME -> break
    od
}
#endif

/* At rest: nothing is on its way and nobody can do anything. */
active proctype Judge()
{
    timeout ->
        assert(given_up || (state[0] == WELL && state[1] == WELL));
        assert(!(state[0] == LIVE && state[1] != LIVE) && !(state[1] == LIVE && state[0] != LIVE));
        assert(!((state[0] == WELL && state[1] == LOST) || (state[1] == WELL && state[0] == LOST)) ||
               given_up)
}

init { atomic { run Side(0); run Side(1) } }
