#!/usr/bin/env python3
"""lying.py - a volunteer that offers file mode, has every toolchain, and compiles nothing.

usage: lying.py LIE [ARGUMENT]...

Prints "listening ADDRESS", then a line for each job and for what it was told, until it is killed. What it
returns is always the object "made up". LIE says how it gets there:

  object                    nothing but that: the lie that a caller must believe
  ask PATH...               asks for each of them, prints "told PATH KIND SIZE DIGEST" of each fact, wants the contents
                            of each file told, prints "content PATH BYTES", then as object
  ask-raw HEX               asks for these bytes
  ask-forever PATH          for names below it, while anybody answers
  want HEX|start            contents by a digest that it was not told; again and again those of one file
  early                     RESULT before anything
  change PATH KIND KEPT MODE [TARGET]   the object, and that
  used-other PATH | used-listing PATH | used-beyond | used-twice   what it says that it used
  hash                      RESULT with another hash
  more | fewer              bytes than CHANGES says
  status N | signal N | step N          what RESULT says
  late                      goes on after RESULT
  stall                     takes the job, and is silent
  garbage KIND HEX          a message of that type
"""
import asyncio
import struct
import sys
import time
import traceback

import wire
from wire import ANSWER, BLOB, BLOB_DATA, BLOB_NONE, CANCEL, CHANGES, FACTS, FILE, GRANT, HELLO, JOB, JOB_END, OUTPUT, PING, PONG, \
    QUESTION, RESERVE, RESULT, STATE, TOOLCHAIN, TOOLCHAIN_STATE, USED, WANT, WELCOME, Peer

OBJECT = b"made up"
KINDS = ["absent", "file", "link", "dir", "denied", "other"]
lie, arguments = sys.argv[1], sys.argv[2:]


def say(*words):
    print(*words, flush=True)


class Job:
    """As far as a liar must know it."""

    def __init__(self, peer, payload):
        self.peer, self.payload, self.at = peer, payload, 8
        assert self.take(1) == b"\1", "not in file mode"
        self.take(32)
        self.words()
        self.word()
        self.steps = self.take(1)[0]
        for _ in range(self.steps):
            self.word()
            self.argv = self.words()
            self.take(1)
        self.words()
        self.cwd = self.word()
        self.take(6)
        self.manifest = self.take(32)

    def take(self, n):
        self.at += n
        return self.payload[self.at - n:self.at]

    def word(self):
        return self.take(struct.unpack("<I", self.take(4))[0])

    def words(self):
        return [self.word() for _ in range(struct.unpack("<I", self.take(4))[0])]

    async def begin(self):
        _, _, payload = await self.peer.next(FACTS)
        self.told = wire.read_facts(await self.content(self.manifest)) if any(self.manifest) else {}
        for path, fact in wire.read_facts(payload).items():
            self.learn(path, fact)
        self.count = len(self.told)

    def learn(self, path, fact):
        """As facts_set() does."""
        if fact[0] != wire.DIR:
            self.told = {p: f for p, f in self.told.items() if not p.startswith(path + "/")}
        self.told = {p: f for p, f in self.told.items() if f[0] == wire.DIR or not path.startswith(p + "/")}
        self.told[path] = fact

    def end(self, *more, said=None, others=(), used=None, object_size=None, hashed=None, **result):
        """CHANGES of the object and more, its bytes, USED, RESULT."""
        path = self.cwd + b"/a.o"
        size = len(OBJECT) if object_size is None else object_size
        listed = sorted([(path, wire.change(path, size=size)), *more], key=lambda c: c[0].replace(b"/", b"\0"))
        self.peer.send(CHANGES, wire.changes(*(c for _, c in listed)))
        self.peer.send(OUTPUT, OBJECT, 2)
        self.peer.send(USED, wire.used(self.count, 0, others) if used is None else used)
        result.setdefault("step", self.steps - 1)
        self.peer.send(RESULT, wire.result(OBJECT, hashed, **result))

    async def ask(self, path, listing=0):
        self.peer.send(QUESTION, bytes([listing]) + wire.text(path), 7)
        _, _, payload = await self.peer.next(ANSWER)
        facts = wire.read_facts(payload)
        for p, (kind, size, of, _) in facts.items():
            say("told", p, KINDS[kind], size, of.hex())
        return facts

    async def content(self, of):
        self.peer.send(WANT, struct.pack("<I", 1) + of)
        kind, _, payload = await self.peer.next(BLOB, BLOB_NONE)
        left = struct.unpack_from("<Q", payload, 32)[0] if kind == BLOB else 0
        whole = b""
        while len(whole) < left:
            _, _, part = await self.peer.next(BLOB_DATA)
            whole += part
        assert kind == BLOB_NONE or wire.digest(whole) == of
        return whole if kind == BLOB else None


async def ask(job):
    for path in arguments:
        for p, (kind, _, of, _) in (await job.ask(path)).items():
            if kind == FILE:
                content = await job.content(of)
                say("content", p, "none" if content is None else len(content))
    job.end()


async def ask_forever(job):
    for n in range(1 << 30):
        job.peer.send(QUESTION, b"\0" + wire.text("%s/%d" % (arguments[0], n)), n)
        await job.peer.writer.drain()


async def want(job):
    if arguments[0] != "start":
        job.peer.send(WANT, struct.pack("<I", 1) + bytes.fromhex(arguments[0]))
        await job.peer.next()
        return
    wanted = next(of for kind, size, of, _ in job.told.values() if kind == FILE and size)
    while True:
        job.peer.send(WANT, struct.pack("<I", 1024) + 1024 * wanted)
        for _ in range(1024):
            await job.peer.next(BLOB_DATA)


async def change(job):
    path, kind, kept, mode = arguments[0].encode(), *(int(n, 8) for n in arguments[1:4])
    target = arguments[4] if len(arguments) > 4 else ""
    if path[:1] != b"/":
        path = job.cwd + b"/" + path
    if path == job.cwd + b"/a.o":
        job.peer.send(CHANGES, wire.changes(wire.change(path, kind, kept, mode, len(OBJECT) if kind == 0 else 0, target)))
        job.peer.send(OUTPUT, OBJECT if kind == 0 else b"", 2)
        job.peer.send(USED, wire.used(job.count))
        job.peer.send(RESULT, wire.result(OBJECT if kind == 0 else b"", step=job.steps - 1))
    else:
        job.end((path, wire.change(path, kind, kept, mode, 0, target)))


async def late(job):
    job.end()
    for kind in (QUESTION, WANT, CHANGES, USED, RESULT):
        job.peer.send(kind, b"\0" * 40)


async def simple(job):
    first = arguments[0] if arguments else ""
    end = {
        "object": {},
        "used-other": {"others": [(first, 1)]},
        "used-listing": {"others": [(first, 4)]},
        "used-beyond": {"used": struct.pack("<BII", 0, job.count + 1, 0)},
        "used-twice": {"others": [("/a", 1), ("/a", 1)]},
        "hash": {"hashed": 1},
        "more": {"object_size": len(OBJECT) - 1},
        "fewer": {"object_size": len(OBJECT) + 1},
    }
    job.end(**end[lie] if lie in end else {lie: int(first)})


LIES = {"ask": ask, "ask-forever": ask_forever, "want": want, "change": change, "late": late}


async def run(peer):
    while True:
        _, _, payload = await peer.next(JOB)
        job = Job(peer, payload)
        say("job", job.cwd.decode())
        if lie == "early":
            peer.send(RESULT, wire.result(b"", step=job.steps - 1))
        elif lie == "stall":
            await asyncio.sleep(3600)
        else:
            await job.begin()
            if lie == "ask-raw":
                peer.send(QUESTION, b"\0" + wire.text(bytes.fromhex(arguments[0])), 7)
            elif lie == "garbage":
                peer.send(int(arguments[0]), bytes.fromhex(arguments[1]), 7)
            else:
                await LIES.get(lie, simple)(job)
        await peer.next(JOB_END)


async def control(peer):
    peer.send(STATE, struct.pack("<IIIBB", 2, 2, 0, 0, 0))
    while True:
        kind, ident, payload = await peer.next()
        if kind == TOOLCHAIN:
            peer.send(TOOLCHAIN_STATE, wire.digest(payload) + struct.pack("<BQQ", wire.READY, 0, 0) + wire.text(""))
        elif kind == RESERVE:
            say("reserve")
            if lie != "no-grant":
                peer.send(GRANT, struct.pack("<Q", 1), ident)
        elif kind == PING:
            peer.send(PONG, payload + struct.pack("<Q", time.time_ns() // 1000), ident)
        else:
            assert kind == CANCEL, kind


async def serve(reader, writer):
    peer = Peer(reader, writer)
    try:
        _, _, payload = await peer.next(HELLO)
        _, version, role = struct.unpack_from("<IIB", payload)
        peer.send(WELCOME, struct.pack("<III", version, 2, 2) + wire.text("liar") + wire.text("x86_64") + wire.text("6")
                  + wire.text("0") + b"\3")
        await (control(peer) if role == wire.CONTROL else run(peer))
    except (asyncio.IncompleteReadError, ConnectionError):
        say("hung up")
    except Exception:
        traceback.print_exc()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    say("listening 127.0.0.1:%d" % server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
