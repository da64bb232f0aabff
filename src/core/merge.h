/*
 * The merger of two peers that turn out to be one: of one that was added by its address alone, and
 * one that called in meanwhile, was adopted, and has no name but that of its key.
 *
 * They are one when our dial of the first is answered with the key of the second. Who only calls in
 * can't bring that about; who answers at the first one's address would have been pinned as it.
 */
#pragma once

struct node;
struct peer;

/*
 * Makes them one peer, with the name and the addresses of `keyless`, the key and the history of
 * `nameless`, and the queues of both; `keyless` is freed. 0, NODE_DISK_FULL or -errno.
 */
int merge_peers(struct node *node, struct peer *keyless, struct peer *nameless);
