/*
 * One request of A to a service of B, which a provider P of B answers. The messages between A and B are
 * those of deliver.pml: here one comes any number of times until it is acknowledged, and then no more.
 *
 * Links break, B and P are killed at any moment, P comes back to B or is another instance, the time runs
 * out, A takes the request back, and B's store is set back to a copy (RESTORES times).
 *
 * Held: the command runs at most once; A has one answer, and more than one was only sent by a store that
 * was set back; what A was told is true.
 */
#define SOUND 0
#define GIVES_BEFORE_CLAIM 1  /* the claim is on disk only when P says that it runs */
#define RUNS_COPIES 2         /* a store that was set back runs what waits or is claimed in it */
#define LATE_ANSWER_WINS 3    /* an answer after "interrupted" takes its place */
#define TRUSTS_OLD_REQUESTS 4 /* a store that was set back takes a request from before that as new */
#define INHERITS_CLAIMS 5     /* another instance is given what the one before had */

#ifndef DESIGN
#define DESIGN SOUND
#endif
#ifndef RESTORES
#define RESTORES 1
#endif
#ifndef KILLS
#define KILLS 2
#endif

#define NOTHING 0
#define WAITING 1
#define CLAIMED 2
#define ENDED 3

#define EXITED 1
#define INTERRUPTED 2
#define LATE 3
#define CANCELLED 4

byte daemon_kills = KILLS, provider_kills = KILLS, restores = RESTORES;

/* A's store. */
bool acknowledged = false; /* its request left the queue */
bool expired = false;      /* its request is not transmitted any more */
bool taken_back = false;
byte answer = 0;           /* the first */
byte answers = 0;          /* that were different */

/* B's store, and the copy of it that was made. */
typedef store { byte call = NOTHING; byte result = 0; byte claim = 0; bool queued = false }
store here, copy;
bool copied = false, set_back = false;
bool waits_for_claim = false; /* B just started: a claim may find its instance again */

/* P. */
bool alive = false, connected = false, given = false, running = false, finished = false;
byte instance = 0;

byte runs = 0, ends = 0; /* of the command, in all */

inline end_call(what) {
    if
    :: here.call != ENDED -> here.call = ENDED; here.result = what; here.queued = true
    :: else
    fi
}

inline stop_daemon() { connected = false; given = false; waits_for_claim = true }
inline stop_provider() { alive = false; given = false; running = false; finished = false }

active proctype everything() {
    do
    /* The request reaches B, whose acknowledgement may be lost. */
    :: atomic { !acknowledged && !expired ->
        if
        :: here.call == NOTHING && set_back && DESIGN != TRUSTS_OLD_REQUESTS -> end_call(INTERRUPTED)
        :: here.call == NOTHING && (!set_back || DESIGN == TRUSTS_OLD_REQUESTS) -> here.call = WAITING
        :: else
        fi;
        if
        :: acknowledged = true
        :: skip
        fi }
    :: atomic { !expired -> expired = true }
    :: atomic { here.call == WAITING && expired -> end_call(LATE) }
    :: atomic { acknowledged && !taken_back -> taken_back = true;
        if
        :: here.call == WAITING -> end_call(CANCELLED)
        :: else
        fi }

    /* P begins, and connects. */
    :: atomic { !alive && instance < 3 -> stop_provider(); alive = true; instance++; connected = false }
    :: atomic { alive && !connected -> connected = true;
        if
        :: here.call == CLAIMED && here.claim != instance && DESIGN == INHERITS_CLAIMS ->
            here.claim = instance; given = true
        :: here.call == CLAIMED && here.claim != instance && DESIGN != INHERITS_CLAIMS &&
           !waits_for_claim -> end_call(INTERRUPTED)
        :: here.call == CLAIMED && here.claim == instance && !running && !finished ->
            end_call(INTERRUPTED) /* it never got there */
        :: else
        fi }

    /* B gives it to P. */
    :: atomic { DESIGN == GIVES_BEFORE_CLAIM && here.call == WAITING && connected && !running &&
                !finished && !given -> given = true }
    :: atomic { DESIGN == GIVES_BEFORE_CLAIM && here.call == WAITING && connected && running ->
        here.call = CLAIMED; here.claim = instance }
    :: atomic { DESIGN != GIVES_BEFORE_CLAIM && here.call == WAITING && connected && !running &&
                !finished && !given -> here.call = CLAIMED; here.claim = instance }
    :: atomic { DESIGN != GIVES_BEFORE_CLAIM && here.call == CLAIMED && connected &&
                here.claim == instance && !given && !running && !finished -> given = true }

    /* P runs the command, and says what came of it until B has heard that. */
    :: atomic { alive && given && !running -> given = false; running = true; runs++; assert(runs <= 1) }
    :: atomic { alive && running -> running = false; finished = true; ends++ }
    :: atomic { alive && finished && connected ->
        if
        :: here.call == CLAIMED && here.claim == instance -> end_call(EXITED)
        :: here.call == WAITING && DESIGN == GIVES_BEFORE_CLAIM -> end_call(EXITED)
        :: here.call == ENDED && here.result == INTERRUPTED && DESIGN == LATE_ANSWER_WINS ->
            here.result = EXITED; here.queued = true
        :: else
        fi;
        if
        :: finished = false
        :: skip
        fi }
    :: atomic { waits_for_claim -> waits_for_claim = false;
        if
        :: here.call == CLAIMED && (!connected || here.claim != instance) -> end_call(INTERRUPTED)
        :: else
        fi }

    /* The answer reaches A, whose acknowledgement may be lost. */
    :: atomic { here.queued ->
        if
        :: answer == 0 -> answer = here.result; answers++
        :: answer != 0 && answer != here.result -> answers++
        :: else
        fi;
        assert(answers <= 1 || set_back);
        assert(answer != EXITED || ends == 1);
        assert((answer != LATE && answer != CANCELLED) || runs == 0);
        if
        :: here.queued = false
        :: skip
        fi }

    /* What goes wrong. */
    :: atomic { daemon_kills > 0 -> daemon_kills--; stop_daemon() }
    :: atomic { provider_kills > 0 && alive -> provider_kills--; stop_provider();
        if
        :: connected && here.call == CLAIMED && here.claim == instance -> end_call(INTERRUPTED)
        :: else
        fi;
        connected = false }
    :: atomic { RESTORES > 0 && !copied -> copied = true;
        copy.call = here.call; copy.result = here.result; copy.claim = here.claim;
        copy.queued = here.queued }
    :: atomic { copied && restores > 0 -> restores--; stop_daemon(); waits_for_claim = false;
        set_back = true;
        here.call = copy.call; here.result = copy.result; here.claim = copy.claim;
        here.queued = copy.queued;
        if
        :: here.call == CLAIMED && DESIGN == RUNS_COPIES -> here.call = WAITING
        :: (here.call == WAITING || here.call == CLAIMED) && DESIGN != RUNS_COPIES ->
            end_call(INTERRUPTED)
        :: else
        fi }
    :: atomic { (acknowledged || expired) &&
                (here.call == NOTHING || (here.call == ENDED && !here.queued)) -> break }
    od
}
