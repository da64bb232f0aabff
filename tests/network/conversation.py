"""A conversation of two machines, and what must be true of it whatever the network does."""

from harness import PATIENCE_S, Control, eventually


class Conversation:
    """Numbered messages both ways. Each that was accepted arrives once and in order."""

    def __init__(self, one, other):
        self.machines = one, other
        self.both_ways = (one, other), (other, one)
        self.said = {one: [], other: []}
        self.last = {}

    def say(self, count=10, by=None, size=0):
        """Each side (or one) has so many more messages accepted, of at least `size` bytes."""
        for machine, other in self.both_ways:
            if by in (None, machine):
                said = self.said[machine]
                texts = [f"{machine.name} {number} ".ljust(size, ".")
                         for number in range(len(said), len(said) + count)]
                self.last[machine] = send(machine, other, texts)
                said += texts

    def settle(self):
        """Waits until everything is delivered, and compares what was said with what was heard."""
        for machine, id in self.last.items():
            control = Control(machine.socket)
            control.socket.settimeout(3 * PATIENCE_S)
            control.call("message.wait", id=id, state="delivered")
            control.end()
        for machine, other in self.both_ways:
            heard = other.received()
            assert heard == self.said[machine], f"{other.name} did not hear what {machine.name} said"
            assert machine.peer(other.name)["queued"] == 0

    @property
    def outcome(self):
        """What settle() has found, in words."""
        return f"all {sum(map(len, self.said.values())):,} messages came once and in order"

    def wait_for(self, change):
        """Waits until both sides hear of this change of presence."""
        for machine in self.machines:
            machine.presence.wait_for(change)

    def check_presence(self, *interruptions):
        """Whether both sides heard of each coming and going once; how often may be one of several."""
        for machine in self.machines:
            machine.presence.check(*interruptions)

    def check_states(self, online):
        """Whether all that a person can ask for tells the truth about the link, once it is known."""
        for machine, other in self.both_ways:
            eventually(lambda: links_shown(machine, other) == {online}, "the truth about the link")


def links_shown(machine, other):
    """Whether the link is online, as people are told in one place and another."""
    [peer] = machine.ctl("--json", "status").json[0]["peers"]
    return {shown["link"] == "online" for shown in (peer, machine.peer(other.name))}


def send(machine, other, texts):
    """Sends texts without waiting for one answer before the next. Returns the id of the last."""
    control = Control(machine.socket)
    for text in texts:
        control.ask("message.send", peer=other.name, body=text)
    for _ in texts:
        [message] = control.read()["result"]["messages"]
    control.end()
    return message["id"]
