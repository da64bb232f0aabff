"""What a daemon takes, and what each link and each follower adds."""

from harness import pair
from process import own_memory, proportional, resident
from scene import scene
from table import Row

LINKS = 10
FOLLOWERS = 100


def rows(_):
    with scene() as start:
        hub = start("hub")
        yield Row("a daemon, resident", resident(hub.pid), "B")
        share = proportional(hub.pid)
        if share is not None:
            yield Row("a daemon, with its share of libraries", share, "B")
        others = [start(f"peer{number}") for number in range(LINKS + 1)]
        pair(hub, others.pop())  # what the first link needs, all links use
        before = own_memory(hub.pid)
        for other in others:
            pair(hub, other)
        linked = own_memory(hub.pid)
        yield Row("each idle link", (linked - before) / LINKS, "B")
        for _ in range(FOLLOWERS):
            hub.follow("message.received")
        yield Row("each follower", (own_memory(hub.pid) - linked) / FOLLOWERS, "B")
