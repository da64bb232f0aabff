/* SPDX-License-Identifier: ISC */
/*
 * Fills the store of a daemon that is not running: history of a million messages in seconds.
 *
 *     fill STATE_DIR COUNT     needs p2pchat.db with one peer, and store.key
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "core/body_sealer.h"
#include "crypto/crypto.h"
#include "crypto/random.h"
#include "store/db.h"
#include "store/messages.h"
#include "store/peers.h"
#include "store/queue.h"

enum { TURN = 1000 }; /* messages in one transaction */

static int take_id(void *context, const struct peer_row *row)
{
    *(int64_t *)context = row->id;
    return 0;
}

static int read_key(const char *directory, struct secret *key)
{
    CLEANUP(cleanup_free) char *path = path_join(directory, "store.key");
    struct bytes content = {0};
    int r = path != NULL ? file_read_secret(path, sizeof *key, &content) : -1;
    if (r == 0)
        memcpy(key, content.data, sizeof *key);
    bytes_deinit(&content);
    return r;
}

static int deliver(struct db *db, const struct message_row *row, uint64_t now_ms)
{
    struct uuid last;
    int r = messages_last(db, row->peer, MESSAGE_OUT, &last);
    if (r == 0)
        r = queue_set_transmitted(db, row->seq, &last, now_ms);
    return r == 0 ? queue_set_state(db, row->seq, MESSAGE_DELIVERED, NULL, now_ms) : r;
}

static int add(struct db *db, struct body_sealer *body_sealer, int64_t peer, unsigned number,
               uint64_t now_ms)
{
    char text[128];
    uint8_t random[UUID_RANDOM_SIZE];
    struct bytes sealed = {0};
    int size = snprintf(text, sizeof text, "message %u, of a length that people write", number);
    int r = random_bytes(random, sizeof random);
    struct uuid id = uuid_make(now_ms, random);
    enum message_direction direction = number % 2 ? MESSAGE_IN : MESSAGE_OUT;
    struct message_row row = {.peer = peer,
                              .direction = direction,
                              .id = id,
                              .state = number % 2 ? MESSAGE_RECEIVED : MESSAGE_QUEUED,
                              .trust = PEER_VERIFIED,
                              .time_ms = now_ms,
                              .sent_ms = now_ms,
                              .text_size = (size_t)size};
    if (r == 0)
        r = body_sealer_seal(body_sealer, &row, SPAN(text, (size_t)size), &sealed);
    row.body = bytes_span(&sealed);
    if (r == 0)
        r = messages_add(db, &row);
    if (r == 0 && direction == MESSAGE_OUT)
        r = deliver(db, &row, now_ms);
    bytes_deinit(&sealed);
    return r;
}

static int fill(struct db *db, struct body_sealer *body_sealer, unsigned count)
{
    int64_t peer = 0;
    int r = peers_each(db, take_id, &peer);
    for (unsigned n = 0; r == 0 && n < count; n++) {
        r = add(db, body_sealer, peer, n, clock_wall_ms());
        if (r == 0 && (n % TURN == 0 || n + 1 == count))
            r = db_commit(db);
    }
    return r;
}

int main(int argc, char **argv)
{
    struct db *db = NULL;
    struct body_sealer *body_sealer = NULL;
    struct secret key;
    if (argc != 3)
        return 64;
    CLEANUP(cleanup_free) char *path = path_join(argv[1], "p2pchat.db");
    int r = crypto_init();
    if (r == 0)
        r = read_key(argv[1], &key);
    if (r == 0)
        r = body_sealer_new(&body_sealer, &key);
    if (r == 0)
        r = db_open(&db, path);
    if (r == 0)
        r = fill(db, body_sealer, (unsigned)strtoul(argv[2], NULL, 10));
    db_close(db);
    body_sealer_free(body_sealer);
    return r == 0 ? 0 : 1;
}
