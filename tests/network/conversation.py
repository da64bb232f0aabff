"""A conversation of two hosts, and what must be true of it whatever the network does."""

from harness import PATIENCE_S, Control, eventually


class Conversation:
    """Numbered messages both ways. Each that was accepted arrives once and in order."""

    def __init__(self, one, other):
        self.hosts = one, other
        self.both_ways = (one, other), (other, one)
        self.said = {one: [], other: []}
        self.last = {}

    def say(self, count=10, by=None, size=0):
        """Each side (or one) has so many more messages accepted, of at least `size` bytes."""
        for host, other in self.both_ways:
            if by in (None, host):
                said = self.said[host]
                texts = [f"{host.name} {number} ".ljust(size, ".")
                         for number in range(len(said), len(said) + count)]
                self.last[host] = send(host, other, texts)
                said += texts

    def settle(self):
        """Waits until everything is delivered, and compares what was said with what was heard."""
        for host, id in self.last.items():
            control = Control(host.socket)
            control.socket.settimeout(3 * PATIENCE_S)
            control.call("message.wait", id=id, state="delivered")
            control.end()
        for host, other in self.both_ways:
            heard = other.received()
            assert heard == self.said[host], f"{other.name} did not hear what {host.name} said"
            assert host.peer(other.name)["queued"] == 0

    @property
    def outcome(self):
        """What settle() has found, in words."""
        return f"all {sum(map(len, self.said.values())):,} messages came once and in order"

    def wait_for(self, change):
        """Waits until both sides hear of this change of presence."""
        for host in self.hosts:
            host.presence.wait_for(change)

    def check_presence(self, *interruptions):
        """Whether both sides heard of each coming and going once; how often may be one of several."""
        for host in self.hosts:
            host.presence.check(*interruptions)

    def check_states(self, online):
        """Whether all that a person can ask for tells the truth about the link, once it is known."""
        for host, other in self.both_ways:
            eventually(lambda: links_shown(host, other) == {online}, "the truth about the link")


def links_shown(host, other):
    """Whether the link is online, as people are told in one place and another."""
    [peer] = host.ctl("--json", "status").json[0]["peers"]
    return {shown["link"] == "online" for shown in (peer, host.peer(other.name))}


def send(host, other, texts):
    """Sends texts without waiting for one answer before the next. Returns the id of the last."""
    control = Control(host.socket)
    for text in texts:
        control.ask("message.send", peer=other.name, body=text)
    for _ in texts:
        [message] = control.read()["result"]["messages"]
    control.end()
    return message["id"]
