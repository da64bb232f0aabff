/* SPDX-License-Identifier: ISC */
/*
 * The peers that a subscription is about, known again when they were renamed, or have another key,
 * while the daemon was away.
 */
#pragma once

#include "client/ctl.h"

/*
 * What the peers are called now of which `follow` said {name, fingerprint}, as an array of names: a
 * new reference in *names. Who has the key is meant, else who has the name. 0, CONNECTION_LOST or
 * -errno.
 */
int whom_now(struct ctl *ctl, const json_t *peers, json_t **names);
