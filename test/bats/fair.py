#!/usr/bin/env python3
"""fair.py - two callers of unequal greed at one slot.

usage: fair.py ADDRESS PROGRAM GRANTS

One keeps twelve reservations waiting, the other one. Each holds the slot as
long as the other. How many grants each had is printed: "greedy N modest N".
The volunteer must run with --fault silent-job: a slot is then free when its
connection ends.
"""
import hashlib
import select
import struct
import sys

from caller import GRANT, JOB, RESERVE, TOOLCHAIN, TOOLCHAIN_STATE, WELCOME, Connection, job_of, tree_of

address, program, grants = sys.argv[1], sys.argv[2], int(sys.argv[3])
tree = tree_of(program)
identity = hashlib.sha256(tree).digest()


class Caller:
    def __init__(self, name, source, waiting):
        self.name, self.source, self.granted = name, source, 0
        self.control = Connection(address, 0, name, source)
        self.control.send(TOOLCHAIN, tree)
        _, _, state = self.control.next(TOOLCHAIN_STATE)
        while state[32] != 0:
            _, _, state = self.control.next(TOOLCHAIN_STATE)
        self.waiting = waiting

    def ask(self):
        self.control.send(RESERVE, identity + struct.pack("<IIb", 0, 0, 0))

    def work(self, token):
        """A grant that was too late for its token is not counted."""
        runner = Connection(address, 1, self.name, self.source)
        runner.next(WELCOME)
        runner.send(JOB, token + job_of(identity, "-", program, []))
        late, _, _ = select.select([runner.socket], [], [], 0.1)
        runner.socket.close()
        self.granted += not late


callers = [Caller("greedy@test", "127.0.0.1", 12), Caller("modest@test", "127.0.0.2", 1)]
for c in callers:
    for _ in range(c.waiting):
        c.ask()
while sum(c.granted for c in callers) < grants:
    for ready in select.select([c.control.socket for c in callers], [], [])[0]:
        c = next(c for c in callers if c.control.socket is ready)
        length, _, _, kind, _, _, _ = struct.unpack("<IIIBBBB", c.control.read(16))
        payload = c.control.read(length)
        if kind == GRANT:
            c.ask()
            c.work(payload)
print(*("%s %d" % (c.name.split("@")[0], c.granted) for c in callers))
