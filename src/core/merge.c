/*
 * The merger of two peers.
 */
#define LOG_COMPONENT "merge"
#include "core/merge.h"

#include "base/log.h"
#include "core/delivery.h"
#include "core/node_state.h"
#include "store/messages.h"

struct resealing {
    const struct body_sealer *body_sealer;
    int64_t peer; /* for whom */
};

/* A sealed body is bound to its peer. One that is damaged stays so. */
static int reseal(void *context, const struct message_row *row, struct bytes *body)
{
    const struct resealing *resealing = context;
    struct bytes text = {0};
    int r = body_sealer_open(resealing->body_sealer, row, &text);
    if (r == 0)
        r = body_sealer_seal(resealing->body_sealer, resealing->peer, row->direction, &row->id,
                             bytes_span(&text), body);
    else if (r == BODY_SEALER_DAMAGED)
        r = bytes_append(body, row->body.data, row->body.size);
    bytes_deinit(&text);
    return r;
}

int merge_peers(struct node *node, struct peer *keyless, struct peer *nameless)
{
    struct resealing resealing = {node->body_sealer, nameless->row.id};
    const int64_t former = keyless->row.id;
    log_event(LOG_LEVEL_NOTICE, "peer-trust", keyless->row.name,
              "%s, who called in before, answers at the peer's address: they are one peer now",
              nameless->row.name);
    int r = messages_hand_over(node->runtime.db, former, nameless->row.id, reseal, &resealing);
    if (r != 0)
        return outcome_of_store(r);
    r = roster_merge(&node->roster, nameless, keyless);
    if (r != 0)
        return r;
    inflight_rewind(&nameless->inflight);
    delivery_touch(nameless);
    node->runtime.observer->merged(node->runtime.observer_context, nameless, former);
    return 0;
}
