"""What daemons with links do when there is nothing to do."""

import time

from harness import pair
from process import processor_seconds, wakeups
from scene import scene
from table import Row

LINKS = 3
SECONDS = 15


def rows(_):
    with scene() as start:
        hub = start("hub")
        for number in range(LINKS):
            pair(hub, start(f"peer{number}"))
        hub.follow("message.received")
        time.sleep(2)  # what begins with a link is over
        before = wakeups(hub.pid), processor_seconds(hub.pid)
        time.sleep(SECONDS)
        woken, busy = wakeups(hub.pid) - before[0], processor_seconds(hub.pid) - before[1]
    yield Row(f"idle with {LINKS} links, wake-ups", woken / SECONDS, "a second")
    yield Row("idle, processor time in a second", busy / SECONDS, "s")
