/*
 * Two links to the same peer: which one stays.
 *
 * Peer A has the smaller fingerprint, peer B the larger one. Either may dial while no link of its
 * own, or a worse one, is there; each end of a link applies the rule alone, when the link is about
 * to become established. A link is direct or leads through somebody else (both ends know which),
 * and a direct one may be dialled beside one that is not. A link waits as long as a person on
 * either side has yet to approve the other. An end may lose a link without a word to the other end
 * (LOSSES: its address went away): the next dial of the one who noticed names what is gone.
 *
 * The rule: a new link displaces an old one that it names as gone. Else one that both had approved
 * when it began is worth more than one that had to wait; of equals, a direct one is worth more; of
 * equals, the new one if the same side dialled both, and otherwise the one that A dialled. A new
 * link that is worth less is refused, and the old one probed.
 *
 * At rest there is never more than one link. Without losses and crashes exactly one is left, and a
 * direct one if a direct dial got as far as the rule. After a loss, a dial of the end that noticed
 * it leaves one if nothing else was in flight when it began (else the dial after it does).
 */
#ifndef LINKS
#define LINKS 3 /* dials at most */
#endif
#ifndef LOSSES
#define LOSSES 0 /* silent losses of one end */
#endif
#ifndef CRASHES
#define CRASHES 0 /* a peer forgets all of its links, and that it had them */
#endif
#ifndef PEOPLE
#define PEOPLE 0 /* whether persons may approve late */
#endif
/* The rule, and what else one might think of. */
#define CLASS_FIRST   0
#define NEWEST        1  /* the new link always wins */
#define OLDEST        2  /* the old link always wins */
#define OWN_DIAL      3  /* what this side dialled wins */
#define KEEP_BOTH     4  /* there is no rule */
#define NO_CLASS      5  /* direct and indirect are treated alike */
#define JOINER_KNOWS  6  /* only who dialled knows that a link is indirect */
#define CLASS_CHANGES 7  /* a link of another class than the old one wins */
#define ANY_GONE      8  /* a dial says "I have no link" instead of which one is gone */
#define NEVER_GONE    9  /* nothing is said of lost links */
#define LAST_ONLY     10 /* only the link that ended last is named */
#define TWO_AT_ONCE   11 /* one side shakes hands twice at once in the same class */
#define LIVE_PROMOTION 12 /* what counts is who has approved by now, not at the beginning */
#ifndef RULE
#define RULE CLASS_FIRST
#endif

#define ROOM 6 /* words in flight per link and direction */

#define A 0
#define B 1
#define AT(link, peer) (2 * (link) + (peer))
#define OTHER(peer)    (1 - (peer))
#define BIT(link)      (1 << (link))

mtype:word = { CONFIRM_J, CONFIRM_H, APPROVE, BYE, PING };
mtype:state = { NONE, SHAKING, OPEN, CLOSED };

/* A word, and with CONFIRM whether the one who says it has approved the other. */
chan towards[2 * LINKS] = [ROOM] of { mtype:word, bool };
mtype:state side[2 * LINKS]; /* a link as seen from one peer … */
bool here[2 * LINKS];        /* … who has approved on it … */
bool there[2 * LINKS];       /* … and believes the other to have */
bool ready[2 * LINKS];       /* … both had when it began */
bool welcome[2];             /* a person of this peer has approved the other one */
byte joiner[LINKS];
bool direct[LINKS];
byte gone[LINKS];     /* the former links that the dial names, as bits */
byte former[2];       /* of each peer: the links that it had and has no more, as bits */
bool refused = false; /* a direct link was */
bool renewed = false; /* the loser of a link dialled after its loss, when all was quiet */
bool lost = false;
byte loser = A;
byte dialled = 0;

#define APPROVED(link, peer) (here[AT(link, peer)] && there[AT(link, peer)])

#if RULE == ANY_GONE
#define NAMES(new, old) (gone[new] != 0)
#elif RULE == LAST_ONLY
#define NAMES(new, old) (gone[new] == BIT(old))
#elif RULE == NEVER_GONE
#define NAMES(new, old) false
#else
#define NAMES(new, old) ((gone[new] & BIT(old)) != 0)
#endif

#if RULE == LAST_ONLY
#define REMEMBER(link, peer) former[peer] = BIT(link)
#else
#define REMEMBER(link, peer) former[peer] = former[peer] | BIT(link)
#endif

#if RULE == LIVE_PROMOTION
#define READY(link, peer) APPROVED(link, peer)
#else
#define READY(link, peer) ready[AT(link, peer)]
#endif

#if RULE == NO_CLASS
#define SEEN_DIRECT(link, peer) true
#elif RULE == JOINER_KNOWS
#define SEEN_DIRECT(link, peer) (direct[link] || joiner[link] != (peer))
#else
#define SEEN_DIRECT(link, peer) direct[link]
#endif
#define SAME_CLASS(new, old, peer) (SEEN_DIRECT(new, peer) == SEEN_DIRECT(old, peer))
#if RULE == CLASS_CHANGES
#define BETTER(new, old, peer) (!SAME_CLASS(new, old, peer))
#else
#define BETTER(new, old, peer) (SEEN_DIRECT(new, peer) && !SEEN_DIRECT(old, peer))
#endif

#if RULE == NEWEST
#define DISPLACES(new, old, peer) true
#elif RULE == OLDEST
#define DISPLACES(new, old, peer) false
#elif RULE == OWN_DIAL
#define DISPLACES(new, old, peer) (joiner[new] == peer)
#else
#define SAME_START(new, old, peer) (READY(new, peer) == READY(old, peer))
#define DISPLACES(new, old, peer) \
    (NAMES(new, old) || (READY(new, peer) && !READY(old, peer)) || \
     (SAME_START(new, old, peer) && BETTER(new, old, peer)) || \
     (SAME_START(new, old, peer) && SAME_CLASS(new, old, peer) && \
      (joiner[new] == joiner[old] || joiner[new] == A)))
#endif

#define IS_GONE(link, peer) (side[AT(link, peer)] == CLOSED || side[AT(link, peer)] == NONE)
#define SILENT(link) (len(towards[AT(link, A)]) == 0 && len(towards[AT(link, B)]) == 0)
/* The other end may believe that there is a link. */
#define BELIEVABLE(link, peer) \
    (side[AT(link, peer)] == OPEN || (side[AT(link, peer)] == SHAKING && joiner[link] == (peer)))

inline say(link, to, word, flag) {
    assert(len(towards[AT(link, to)]) < ROOM);
    towards[AT(link, to)]!word(flag)
}

inline close_end(link, peer) {
    if
    :: BELIEVABLE(link, peer) -> REMEMBER(link, peer)
    :: else -> skip
    fi;
    side[AT(link, peer)] = CLOSED
}

inline hang_up(link, peer) {
    close_end(link, peer);
    say(link, OTHER(peer), BYE, false)
}

inline drain(link, peer) {
    do
    :: len(towards[AT(link, peer)]) > 0 -> towards[AT(link, peer)]?_(_)
    :: len(towards[AT(link, peer)]) == 0 -> break
    od
}

/* The rule, asked by a peer for a link that is about to become established. */
inline judge(new, peer, may_open) {
    may_open = true;
    old = 0;
    do
    :: old < dialled && old != new && side[AT(old, peer)] == OPEN && may_open && RULE != KEEP_BOTH ->
        if
        :: DISPLACES(new, old, peer) -> hang_up(old, peer)
        :: else ->
            may_open = false;
            refused = refused || direct[new];
            say(old, OTHER(peer), PING, false)
        fi;
        old++
    :: old < dialled &&
       !(old != new && side[AT(old, peer)] == OPEN && may_open && RULE != KEEP_BOTH) -> old++
    :: old >= dialled -> break
    od;
    old = 0
}

/* A person approved before or while the link came up: the other end is told. */
inline approve(link, peer) {
    if
    :: side[AT(link, peer)] == OPEN && welcome[peer] && !here[AT(link, peer)] ->
        here[AT(link, peer)] = true;
        say(link, OTHER(peer), APPROVE, false)
    :: else -> skip
    fi
}

proctype Side(byte link; byte peer) {
    mtype:word word;
    bool flag;
    byte old;
    bool may_open;
end:
    do
    :: atomic {
        towards[AT(link, peer)]?word(flag) ->
        if
        :: side[AT(link, peer)] == SHAKING && (word == CONFIRM_J || word == CONFIRM_H) ->
            there[AT(link, peer)] = flag;
            ready[AT(link, peer)] = APPROVED(link, peer);
            judge(link, peer, may_open);
            if
            :: may_open ->
                side[AT(link, peer)] = OPEN;
                if
                :: word == CONFIRM_J -> say(link, OTHER(peer), CONFIRM_H, here[AT(link, peer)])
                :: else -> skip
                fi;
                approve(link, peer)
            :: else -> hang_up(link, peer)
            fi
        :: word == APPROVE -> there[AT(link, peer)] = true
        :: word == BYE -> close_end(link, peer)
        :: word == PING && IS_GONE(link, peer) -> say(link, OTHER(peer), BYE, false)
        :: else -> skip
        fi;
        word = BYE; flag = false; may_open = false
    }
    /* Keepalive and deadlines: an end whose other end is gone finds out in the end. */
    :: atomic {
        !IS_GONE(link, peer) && IS_GONE(link, OTHER(peer)) && SILENT(link) -> close_end(link, peer)
    }
    od
}

#define SHAKES(link, peer, is_direct) \
    (side[AT(link, peer)] == SHAKING && joiner[link] == (peer) && direct[link] == (is_direct))

/* Whether `peer` has a link that makes a dial of this class needless, or is at one. */
#define HINDERS(link, peer, is_direct) \
    ((link) < dialled && ((side[AT(link, peer)] == OPEN && (!(is_direct) || direct[link])) || \
                          (RULE != TWO_AT_ONCE && SHAKES(link, peer, is_direct))))

proctype Dialler(byte peer) {
    byte each;
    bool hindered, wants_direct, quiet;
end:
    do
    :: atomic {
        dialled < LINKS && welcome[peer] -> /* who dials knows whom */
        if
        :: wants_direct = true
        :: wants_direct = false
        fi;
        hindered = false; quiet = true;
        for (each : 0 .. LINKS - 1) {
            hindered = hindered || HINDERS(each, peer, wants_direct);
            quiet = quiet && SILENT(each) && side[AT(each, A)] != SHAKING &&
                    side[AT(each, B)] != SHAKING
        }
        each = 0;
        if
        :: !hindered ->
            joiner[dialled] = peer;
            direct[dialled] = wants_direct;
            gone[dialled] = former[peer];
#ifdef MIXED /* some versions cannot say what is gone */
            if
            :: gone[dialled] = 0
            :: skip
            fi;
#endif
            renewed = renewed || (lost && quiet && peer == loser);
            side[AT(dialled, A)] = SHAKING;
            side[AT(dialled, B)] = SHAKING;
            here[AT(dialled, A)] = welcome[A];
            here[AT(dialled, B)] = welcome[B];
            say(dialled, OTHER(peer), CONFIRM_J, true);
            dialled++
        :: else -> skip
        fi;
        hindered = false; wants_direct = false; quiet = false
    }
    od
}

#if PEOPLE > 0
/* Approves once, at any time or never. */
proctype Person(byte peer) {
    byte each;
end:
    atomic {
        !welcome[peer] ->
        welcome[peer] = true;
        for (each : 0 .. LINKS - 1) {
            approve(each, peer)
        }
        each = 0
    }
}
#endif

#if LOSSES > 0
inline forget(link, peer) {
    close_end(link, peer);
    lost = true; renewed = false; loser = peer;
    drain(link, peer)
}

/* The address of one end goes away: that end knows, and gives up its dials as well. */
proctype Loser() {
    byte losses = 0;
    byte each, peer;
end:
    do
    :: atomic {
        losses < LOSSES ->
        if
        :: peer = A
        :: peer = B
        fi;
        each = 0;
        do
        :: each < LINKS && BELIEVABLE(each, peer) -> break
        :: each < LINKS -> each++ /* that one, or another one */
        :: each == LINKS -> break
        od;
        if
        :: each < LINKS ->
            losses++;
            forget(each, peer);
            for (each : 0 .. LINKS - 1) {
                if
                :: side[AT(each, peer)] == SHAKING && joiner[each] == peer -> forget(each, peer)
                :: else -> skip
                fi
            }
        :: else -> skip
        fi;
        each = 0; peer = A
    }
    od
}
#endif

#if CRASHES > 0
proctype Crasher() {
    byte crashes = 0;
    byte each, peer;
end:
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
            drain(each, peer)
        }
        former[peer] = 0;
        each = 0; peer = A
    }
    od
}
#endif

/* Looks at moments when nothing is in flight and no end waits for anything. */
proctype Judge() {
    byte each, links, halves, stays;
    bool moving;
end:
    do
    :: d_step {
        links = 0; halves = 0; moving = false; stays = 0;
        for (each : 0 .. LINKS - 1) {
            moving = moving || !SILENT(each) || side[AT(each, A)] == SHAKING ||
                     side[AT(each, B)] == SHAKING;
            if
            :: side[AT(each, A)] == OPEN && side[AT(each, B)] == OPEN -> links++; stays = each
            :: (side[AT(each, A)] == OPEN) != (side[AT(each, B)] == OPEN) -> halves++
            :: else -> skip
            fi
        }
        assert(moving || halves > 0 || links <= 1);
#if LOSSES == 0 && CRASHES == 0
        assert(moving || halves > 0 || dialled == 0 || links == 1);
#if PEOPLE == 0
        assert(moving || halves > 0 || !refused || direct[stays]);
#endif
#elif CRASHES == 0
        assert(moving || halves > 0 || !renewed || links == 1);
#endif
#if PEOPLE > 0
        /* Who waits after both have approved waits for ever. */
        assert(moving || halves > 0 || links == 0 || !welcome[A] || !welcome[B] ||
               (APPROVED(stays, A) && APPROVED(stays, B)));
#endif
        each = 0; links = 0; halves = 0; moving = false; stays = 0
    }
    od
}

init {
    byte each;
    atomic {
        for (each : 0 .. 2 * LINKS - 1) {
            side[each] = NONE
        }
        for (each : A .. B) {
#if PEOPLE > 0
            if
            :: welcome[each] = true
            :: run Person(each)
            fi
#else
            welcome[each] = true
#endif
        }
        for (each : 0 .. LINKS - 1) {
            run Side(each, A);
            run Side(each, B)
        }
        run Dialler(A);
        run Dialler(B);
        run Judge();
#if LOSSES > 0
        run Loser();
#endif
#if CRASHES > 0
        run Crasher();
#endif
        each = 0
    }
}
