/*
 * Two links to the same peer: which one stays.
 *
 * Peer A has the smaller fingerprint, peer B the larger one. Both may dial at any time while they
 * have no link; each end of a link applies the rule alone, when the link is about to become
 * established: a link is preferred if A dialled it, a new link displaces an old one that the same
 * side dialled or that is not preferred, and otherwise it is refused and the old one probed.
 *
 * At rest there is never more than one link, and without crashes crossing dials leave exactly one.
 */
#ifndef LINKS
#define LINKS 3 /* dials at most */
#endif
#ifndef CRASHES
#define CRASHES 0 /* a peer forgets all of its links and says nothing */
#endif
#ifndef RULE
#define RULE PREFER
#endif

/* The rule, and what else one might think of. */
#define PREFER    0
#define NEWEST    1 /* the new link always wins */
#define OLDEST    2 /* the old link always wins */
#define OWN_DIAL  3 /* what this side dialled wins */
#define KEEP_BOTH 4 /* there is no rule */

#define ROOM 6 /* words in flight per link and direction */

#define A 0
#define B 1
#define AT(link, peer) (2 * (link) + (peer))
#define OTHER(peer)    (1 - (peer))

#if RULE == PREFER
#define DISPLACES(new, old, peer) (joiner[new] == joiner[old] || joiner[new] == A)
#elif RULE == NEWEST
#define DISPLACES(new, old, peer) true
#elif RULE == OLDEST
#define DISPLACES(new, old, peer) false
#elif RULE == OWN_DIAL
#define DISPLACES(new, old, peer) (joiner[new] == peer)
#endif

mtype:word = { CONFIRM_J, CONFIRM_H, BYE, PING };
mtype:state = { NONE, SHAKING, OPEN, CLOSED };

chan towards[2 * LINKS] = [ROOM] of { mtype:word };
mtype:state side[2 * LINKS]; /* a link as seen from one peer */
byte joiner[LINKS];
byte dialled = 0;

#define GONE(link, peer) (side[AT(link, peer)] == CLOSED || side[AT(link, peer)] == NONE)
#define SILENT(link)     (len(towards[AT(link, A)]) == 0 && len(towards[AT(link, B)]) == 0)

inline say(link, to, word) {
    assert(len(towards[AT(link, to)]) < ROOM);
    towards[AT(link, to)]!word
}

inline hang_up(link, peer) {
    side[AT(link, peer)] = CLOSED;
    say(link, OTHER(peer), BYE)
}

/* The rule, asked by a peer for a link that is about to become established. */
inline judge(new, peer, may_open) {
    may_open = true;
    old = 0;
    do
    :: old < dialled && old != new && side[AT(old, peer)] == OPEN && RULE != KEEP_BOTH ->
#if RULE != KEEP_BOTH
        if
        :: DISPLACES(new, old, peer) -> hang_up(old, peer)
        :: else -> may_open = false; say(old, OTHER(peer), PING)
        fi;
#endif
        old++
    :: old < dialled && !(old != new && side[AT(old, peer)] == OPEN && RULE != KEEP_BOTH) -> old++
    :: old >= dialled -> break
    od;
    old = 0
}

proctype Side(byte link; byte peer) {
    mtype:word word;
    byte old;
    bool may_open;
end:
    do
    :: atomic {
        towards[AT(link, peer)]?word ->
        if
        :: side[AT(link, peer)] == SHAKING && (word == CONFIRM_J || word == CONFIRM_H) ->
            judge(link, peer, may_open);
            if
            :: may_open && word == CONFIRM_J ->
                side[AT(link, peer)] = OPEN;
                say(link, OTHER(peer), CONFIRM_H)
            :: may_open && word == CONFIRM_H -> side[AT(link, peer)] = OPEN
            :: !may_open -> hang_up(link, peer)
            fi
        :: word == BYE -> side[AT(link, peer)] = CLOSED
        :: word == PING && GONE(link, peer) -> say(link, OTHER(peer), BYE)
        :: else -> skip
        fi;
        word = BYE; may_open = false
    }
    /* Keepalive and deadlines: an end whose other end is gone finds out in the end. */
    :: atomic {
        !GONE(link, peer) && GONE(link, OTHER(peer)) && SILENT(link) ->
        side[AT(link, peer)] = CLOSED
    }
    od
}

#define HAS_LINK(link, peer) \
    (side[AT(link, peer)] == OPEN || (side[AT(link, peer)] == SHAKING && joiner[link] == (peer)))

proctype Dialler(byte peer) {
    byte each;
    bool linked;
end:
    do
    :: atomic {
        dialled < LINKS ->
        linked = false;
        for (each : 0 .. LINKS - 1) {
            linked = linked || HAS_LINK(each, peer)
        }
        each = 0;
        if
        :: !linked ->
            joiner[dialled] = peer;
            side[AT(dialled, A)] = SHAKING;
            side[AT(dialled, B)] = SHAKING;
            say(dialled, OTHER(peer), CONFIRM_J);
            dialled++
        :: else -> skip
        fi;
        linked = false
    }
    od
}

#if CRASHES > 0
proctype Crasher() {
    byte crashes = 0;
    byte each, peer;
    do
    :: atomic {
        crashes < CRASHES ->
        crashes++;
        if
        :: peer = A
        :: peer = B
        fi;
        for (each : 0 .. LINKS - 1) {
            side[AT(each, peer)] = NONE;
            do
            :: len(towards[AT(each, peer)]) > 0 -> towards[AT(each, peer)]?_
            :: len(towards[AT(each, peer)]) == 0 -> break
            od
        }
        each = 0; peer = A
    }
    :: crashes == CRASHES -> break
    od
}
#endif

/* Looks at moments when nothing is in flight and no end waits for anything. */
proctype Judge() {
    byte each, links, halves;
    bool moving;
end:
    do
    :: d_step {
        links = 0; halves = 0; moving = false;
        for (each : 0 .. LINKS - 1) {
            moving = moving || !SILENT(each) || side[AT(each, A)] == SHAKING ||
                     side[AT(each, B)] == SHAKING;
            if
            :: side[AT(each, A)] == OPEN && side[AT(each, B)] == OPEN -> links++
            :: (side[AT(each, A)] == OPEN) != (side[AT(each, B)] == OPEN) -> halves++
            :: else -> skip
            fi
        }
        assert(moving || halves > 0 || links <= 1);
#if CRASHES == 0
        assert(moving || halves > 0 || dialled == 0 || links == 1);
#endif
        each = 0; links = 0; halves = 0; moving = false
    }
    od
}

init {
    byte each;
    atomic {
        for (each : 0 .. 2 * LINKS - 1) {
            side[each] = NONE
        }
        for (each : 0 .. LINKS - 1) {
            run Side(each, A);
            run Side(each, B)
        }
        run Dialler(A);
        run Dialler(B);
        run Judge();
#if CRASHES > 0
        run Crasher();
#endif
        each = 0
    }
}
