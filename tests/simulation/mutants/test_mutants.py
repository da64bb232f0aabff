"""The simulation notices when the program is broken: each of these changes must be caught."""

import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
SEEDS = 200

# name: [(file, what is there, what takes its place), ...]
MUTANTS = {
    "acknowledge before the commit": [
        ("src/core/node_turn.c",
         "    pump_deliveries(node);\n",
         "    pump_deliveries(node);\n    links_turn_end(&node->links);\n"),
    ],
    "answer clients before the commit": [
        ("src/core/node_turn.c",
         "    pump_deliveries(node);\n",
         "    pump_deliveries(node);\n    node->settled(node->settled_context, 0);\n"),
    ],
    "store repetitions": [
        ("src/core/delivery.c",
         ".id = item->id,\n                              .state",
         ".id = uuid_make(loop_wall(delivery->runtime->loop), item->id.bytes),\n"
         "                              .state"),
    ],
    "deliver when transmitted": [
        ("src/core/delivery.c",
         "    if (r != 0 || row->transmitted)\n        return r;\n",
         "    if (r == 0 && note_transmitted(delivery, row->seq, &item.previous) >= 0)\n"
         "        return queue_set_state(delivery->runtime->db, row->seq, MESSAGE_DELIVERED, NULL,"
         " 0);\n    if (r != 0 || row->transmitted)\n        return r;\n"),
    ],
    "acknowledge what is only received": [
        ("src/core/delivery.c", "        r = store_item(delivery, peer, item);\n",
         "        r = item->text.size % 16 ? store_item(delivery, peer, item) : 0;\n"),
    ],
    "forget the last id sent": [
        ("src/store/marks.c", "    mark->last_out = item.id;\n", ""),
    ],
    "forget the last id received": [
        ("src/store/messages.c", "        mark->last_in = row->id;\n", "        ;\n"),
    ],
    "link repetitions anew": [
        ("src/core/delivery.c", "    int r = row->transmitted\n                ? 0\n",
         "    int r = row->seq == 0\n                ? 0\n"),
    ],
    "go on where the last session stopped": [
        ("src/core/delivery.c", "    peer->given = (struct queue_session){.features = ",
         "    (void)(struct queue_session){.features = peer->given.features = "),
    ],
    "send the newest first": [
        ("src/store/queue_due.c", "AND m.state IS NULL ORDER BY o.seq\"",
         "AND m.state IS NULL ORDER BY o.seq % 7\""),
        ("src/store/queue_due.c", "AND m.state IS NULL ORDER BY m.seq\"",
         "AND m.state IS NULL ORDER BY m.seq % 7\""),
    ],
    "bury no ids": [
        ("src/store/retention.c", "    int r = bury(db, row, now_ms);\n",
         "    int r = row != NULL ? 0 : bury(db, row, now_ms);\n"),
    ],
    "go on after what was declined": [
        ("src/core/delivery.c", "    if (link->declined || !housekeeping_has_room(",
         "    if (!housekeeping_has_room("),
    ],
    "never ask again for what was declined": [
        ("src/core/housekeeping.c", "    else if (was_low)\n", "    else if (was_low && room != true)\n"),
    ],
    "send an alert to a host that may have confirmed": [
        ("src/proto/session.c", "handshake_awaits_verdict(session->handshake)", "false"),
    ],
    "take back what was transmitted": [
        ("src/core/node_messages.c", "MESSAGE_OUT && message.state == MESSAGE_QUEUED;",
         "MESSAGE_OUT && message.state <= MESSAGE_SENT;"),
    ],
    "no rule for two links": [
        ("src/core/links.c", "    if (old == NULL)\n        return true;\n", "    return true;\n"),
    ],
    "never dial again": [
        ("src/core/peer.c", "    note(peer, event, class);\n    peer_dial(peer);\n}",
         "    note(peer, event, class);\n    set_state(peer, PEER_OFFLINE);\n}"),
    ],
    "raise the alarm when a peer that called in is reached": [
        ("src/core/trust.c", "facts->unnamed ? TRUST_MERGE", "facts->unnamed ? TRUST_ALARM"),
    ],
    "forget what waited for a peer that had called in": [
        ("src/core/merging.c", "    int r = 0;\n    for (unsigned i = 0; r == 0 && more",
         "    int r = 0;\n    more = false;\n    for (unsigned i = 0; r == 0 && more"),
    ],
    "never sleep": [
        ("src/core/link.c", "    link->dirty = false;\n", "    link_touch(link);\n"),
    ],
    "ignore that the socket is full": [
        ("src/core/link.c", " && stream_unsent(link->stream) <= STREAM_LOW_WATER", ""),
    ],
}


def make_mutant(folder, changes):
    """A build of the program with these changes."""
    shutil.copytree(ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(
        ".git", "sanitized", "p2pchat*", "test_*", "*.pyc"))
    for file, old, new in changes:
        text = (folder / file).read_text()
        assert text.count(old) == 1, f"{file} has changed: the mutant needs to be written anew"
        (folder / file).write_text(text.replace(old, new))
    made = subprocess.run(["make", "-s", "WERROR=", "build/tests/simulation/simulate"], cwd=folder,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert made.returncode == 0, made.stdout
    return folder / "build/tests/simulation/simulate"


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(tmp_path, name):
    mutant = make_mutant(tmp_path / "p2pchat", MUTANTS[name])
    run = subprocess.run([mutant, "--seeds", f"1..{SEEDS}"], text=True, errors="replace",
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    caught = len(re.findall("^seed ", run.stdout, re.MULTILINE))
    print(f"{name}: caught by {caught} of {SEEDS} seeds")
    assert caught > 0, run.stdout
