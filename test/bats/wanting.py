#!/usr/bin/env python3
"""wanting.py - a volunteer that has no compiler and wants any it hears of.

usage: wanting.py [FAULT]

Prints "listening ADDRESS", then a line for each thing that happens, until it
is killed. It asks for small files first. Each is checked against its digest.
It has no slots to give: a job is refused. With a FAULT it errs:

  stuck   wants a toolchain, and asks for none of its files
  drop    hangs up in the middle of the first large file, once
  slow    lets half a second pass before each file
"""
import asyncio
import hashlib
import struct
import sys
import time

from wire import BLOB, BLOB_DATA, BLOB_NONE, CANCEL, CONTROL, FETCHING, HELLO, PING, PONG, READY, REFUSE, RESERVE, STATE, STORE, \
    SUPPLY, TOOLCHAIN, TOOLCHAIN_STATE, WANT, WANTED, WELCOME, Peer, text

AT_ONCE = 8		# files asked for in one WANT
LARGE = 1 << 20

fault = sys.argv[1] if len(sys.argv) > 1 else ""


def say(*words):
    print(*words, flush=True)


class Toolchain:
    def __init__(self, tree, peer):
        self.id, self.peer = hashlib.sha256(tree).digest(), peer
        self.state, self.done, self.files, self.sizes = WANTED, 0, [], {}
        self.read(tree)

    def read(self, tree):
        count, at = struct.unpack_from("<I", tree)[0], 4
        for _ in range(count):
            n = struct.unpack_from("<I", tree, at)[0]
            at += 4 + n
            kind, _, size = struct.unpack_from("<BHQ", tree, at)
            at += 11
            if kind == 0:
                digest = tree[at:at + 32]
                at += 32
                if digest not in self.sizes:
                    self.files.append(digest)
                self.sizes[digest] = size
            else:
                at += 4 + struct.unpack_from("<I", tree, at)[0]
        assert at == len(tree)
        self.files.sort(key=self.sizes.get)

    def tell(self):
        total = sum(self.sizes.values())
        self.peer.send(TOOLCHAIN_STATE, self.id + struct.pack("<BQQ", self.state, self.done, total) + text(""))


toolchains = {}


async def control(peer):
    peer.send(STATE, struct.pack("<IIIBB", 2, 2, 0, 0, 0))
    while True:
        kind, ident, payload = await peer.next()
        if kind == TOOLCHAIN:
            t = Toolchain(payload, peer)
            toolchains[t.id] = t
            say("wanted", len(t.files))
            t.tell()
        elif kind == RESERVE:
            say("reserve")
            peer.send(REFUSE, struct.pack("<B", 9) + text("no slots here"), ident)
        elif kind == PING:
            peer.send(PONG, payload + struct.pack("<Q", time.time_ns() // 1000), ident)
        else:
            assert kind == CANCEL, kind


async def take_file(peer, t, digest):
    global fault
    kind, _, payload = await peer.next()
    if kind == BLOB_NONE:
        assert payload == digest
        say("none")
        return
    assert kind == BLOB and payload == digest + struct.pack("<Q", t.sizes[digest]), (kind, payload)
    hasher, left = hashlib.sha256(), t.sizes[digest]
    while left:
        kind, _, payload = await peer.next()
        assert kind == BLOB_DATA and 0 < len(payload) <= left
        hasher.update(payload)
        left -= len(payload)
        t.done += len(payload)
        if fault == "drop" and left and t.sizes[digest] > LARGE:
            fault = ""
            t.done -= t.sizes[digest] - left
            raise asyncio.IncompleteReadError(b"", 1)
    assert hasher.digest() == digest, "not the file it should be"
    t.files.remove(digest)
    say("file", t.sizes[digest])


async def store(peer):
    kind, _, ident = await peer.next()
    assert kind == SUPPLY
    t = toolchains[ident]
    say("supply")
    if fault == "stuck":
        await asyncio.sleep(3600)
    t.state = FETCHING
    try:
        while t.files:
            if fault == "slow":
                await asyncio.sleep(0.5)
            asked = t.files[:1 if fault == "slow" else AT_ONCE]
            peer.send(WANT, struct.pack("<I", len(asked)) + b"".join(asked))
            for digest in asked:
                await take_file(peer, t, digest)
                t.tell()
            if set(asked) & set(t.files):
                t.state = WANTED
                break
        else:
            t.state = READY
        peer.send(WANT, struct.pack("<I", 0))
    except asyncio.IncompleteReadError:
        t.state = WANTED
        say("dropped")
    t.tell()
    if t.state == READY:
        say("installed")


async def serve(reader, writer):
    peer = Peer(reader, writer)
    try:
        kind, _, payload = await peer.next()
        magic, version, role = struct.unpack_from("<IIB", payload)
        assert kind == HELLO and magic == 0x31636372
        peer.send(WELCOME, struct.pack("<III", version, 2, 2) + text("bare") + text("x86_64") + text("6") + text("0") + b"\1")
        await (control(peer) if role == CONTROL else store(peer) if role == STORE else peer.next())
    except asyncio.IncompleteReadError:
        pass		# hung up
    except AssertionError as e:
        say("violation", e)
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    say("listening 127.0.0.1:%d" % server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
