/*
 * Who records a link now and can break its mathematics later: the secrets of one link with suite 2,
 * through its handshake and its rekeys, and what such a person can work out of them.
 *
 * The recorder has all that went over the wire. At any moment X25519 or ML-KEM is broken, not both
 * (BREAKS=2 breaks both), and RSA is broken or the long-term keys are stolen; THEFTS times all that
 * either side has in memory is copied. Until RSA is broken the handshake may be meddled with, too: a
 * key to encapsulate to may be replaced on the way, and suite 2 taken out of the offer. Signatures
 * and AEAD are perfect, as in the models of ProVerif, which hold the authenticity of the handshake.
 *
 * Held: the chain of an epoch, and so each packet of it, stays secret, unless memory was stolen
 * between the begin of that epoch's own exchange and the end of its chain.
 */
#define SOUND 0
#define SUITE_1 1          /* no ML-KEM anywhere */
#define REKEYS_WITHOUT 2   /* ML-KEM in the handshake only */
#define REPLACES_X25519 3  /* ML-KEM alone, instead of beside it */
#define FORGETS_TO_WIPE 4  /* the key to decapsulate with stays in memory */
#define SIGNS_NO_KEY 5     /* signatures don't cover the key to encapsulate to */
#define SIGNS_NO_OFFER 6   /* signatures don't cover the suites that were offered */
#define KEEPS_CHAIN 7      /* the old chain stays when a new epoch begins */

#ifndef DESIGN
#define DESIGN SOUND
#endif
#ifndef EPOCHS
#define EPOCHS 3
#endif
#ifndef THEFTS
#define THEFTS 2
#endif
#ifndef BREAKS
#define BREAKS 1
#endif

/* What either side has in memory, by epochs: the two private keys of its exchange, its root, its chain. */
bool has_exponent[EPOCHS], has_decapsulation[EPOCHS], has_root[EPOCHS], has_chain[EPOCHS];

/* What the recorder knows: the shared secrets of each exchange, the host's K, and what follows. */
bool x25519[EPOCHS], mlkem[EPOCHS], transported = false, root[EPOCHS], chain[EPOCHS];

/* Which exchanges were on the wire, and what they were made of. */
bool exchanged[EPOCHS], with_x25519[EPOCHS], with_mlkem[EPOCHS];

bool x25519_broken = false, mlkem_broken = false, rsa_broken = false;
byte breaks = 0, thefts = 0;

/* Whether it is being made or used, and whether memory was stolen meanwhile. */
bool in_use[EPOCHS], exposed[EPOCHS];

/* What the secret of an epoch is made of is known: the part by each exchange, and what came before. */
#define PART(shared, with) (shared[i] || !with[i])
#define PAST (i == 0 -> transported : root[(i == 0 -> 0 : i - 1)])
#define KNOWN (exchanged[i] && PART(x25519, with_x25519) && PART(mlkem, with_mlkem) && PAST)

/* All that follows from what is known, epoch by epoch; a root alone gives no chain. */
inline work_out() {
    d_step {
        transported = transported || (exchanged[0] && rsa_broken);
        for (i : 0 .. EPOCHS - 1) {
            x25519[i] = x25519[i] || (exchanged[i] && x25519_broken);
            mlkem[i] = mlkem[i] || (exchanged[i] && mlkem_broken);
            chain[i] = chain[i] || KNOWN;
            root[i] = root[i] || KNOWN;
            assert(!chain[i] || exposed[i])
        }
        i = 0
    }
}

/* Two sides that agree about everything, or don't get past the handshake. */
active proctype link() {
    byte epoch = 0;
    bool meddled = false;

    do
    :: epoch < EPOCHS ->
        atomic {
            in_use[epoch] = true;
            with_x25519[epoch] = (DESIGN != REPLACES_X25519);
            with_mlkem[epoch] = (DESIGN != SUITE_1 && (epoch == 0 || DESIGN != REKEYS_WITHOUT));
            has_exponent[epoch] = with_x25519[epoch];
            has_decapsulation[epoch] = with_mlkem[epoch]
        }
        atomic {
            if
            :: epoch == 0 && !rsa_broken -> /* on the wire, by somebody who has no key */
                if
                :: mlkem[0] = true; meddled = (DESIGN != SIGNS_NO_KEY)
                :: with_mlkem[0] = false; meddled = (DESIGN != SIGNS_NO_OFFER)
                :: true
                fi
            :: else
            fi;
            if
            :: meddled -> has_exponent[0] = false; has_decapsulation[0] = false; goto ended
            :: else
            fi;
            exchanged[epoch] = true;
            has_exponent[epoch] = false;
            has_decapsulation[epoch] = (DESIGN == FORGETS_TO_WIPE && with_mlkem[epoch]);
            has_root[epoch] = true;
            has_chain[epoch] = true;
            if
            :: epoch > 0 -> has_root[epoch - 1] = false
            :: else
            fi
        }
        atomic {
            /* The last packets under the old chain have come. */
            if
            :: epoch > 0 ->
                has_chain[epoch - 1] = (DESIGN == KEEPS_CHAIN);
                in_use[epoch - 1] = false
            :: else
            fi;
            epoch++
        }
    :: break
    od;
ended:
    skip
}

active proctype recorder() {
    byte i = 0;

    do
    :: atomic { !x25519_broken && breaks < BREAKS -> x25519_broken = true; breaks++; work_out() }
    :: atomic { !mlkem_broken && breaks < BREAKS -> mlkem_broken = true; breaks++; work_out() }
    :: atomic { !rsa_broken -> rsa_broken = true; work_out() }
    :: atomic {
        thefts < THEFTS ->
        thefts++;
        rsa_broken = true;
        for (i : 0 .. EPOCHS - 1) {
            x25519[i] = x25519[i] || has_exponent[i];
            mlkem[i] = mlkem[i] || has_decapsulation[i];
            root[i] = root[i] || has_root[i];
            chain[i] = chain[i] || has_chain[i];
            exposed[i] = exposed[i] || in_use[i]
        }
        work_out()
       }
    :: atomic { work_out() } -> break
    od
}
