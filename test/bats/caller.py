#!/usr/bin/env python3
"""caller.py - a caller that keeps to the wire, but not to what rcc would send.

usage: caller.py ADDRESS DIR INPUT-NAME PROGRAM [ARGUMENT]...

Announces PROGRAM with the libraries it needs as a toolchain, then runs it as
a job over what is on standard input, which becomes the file INPUT-NAME, or
goes to its stdin ("-"). Each stream of the answer becomes a file in DIR; how
it ended is printed: "OUTCOME exit N signal N TEXT", or "refused TEXT".
XXH3 comes from the shared object that the environment variable XXH names.
"""
import hashlib
import os
import socket
import struct
import subprocess
import sys
import zlib

from wire import MAGIC, VERSION, BYE, GRANT, HELLO, INPUT, INPUT_END, JOB, REFUSE, RESERVE, RESULT, OUTPUT, TOOLCHAIN, TOOLCHAIN_STATE, WELCOME, frames, \
    text, texts, xxh3

OUTCOMES = ["ran", "limit", "failed", "bad-input"]


class Connection:
    def __init__(self, address, role, name="mallory@test", source=""):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=60, source_address=(source, 0) if source else None)
        self.send(HELLO, struct.pack("<IIB", MAGIC, VERSION, role) + text(name))

    def send(self, kind, payload):
        self.socket.sendall(frames(kind, payload, 1 if kind == RESERVE else 0))

    def read(self, n):
        got = b""
        while len(got) < n:
            part = self.socket.recv(n - len(got))
            if not part:
                sys.exit("caller: the volunteer closed the connection")
            got += part
        return got

    def next(self, *kinds):
        while True:
            length, _, ident, kind, codec, _, _ = struct.unpack("<IIIBBBB", self.read(16))
            payload = self.read(length)
            if kind == BYE:
                sys.exit("caller: BYE %r" % payload)
            if kind in kinds:
                return kind, ident, zlib.decompress(payload) if codec == 2 else payload


def add(entries, path):
    """The file that path leads to, and every link on the way."""
    at, rest = "", [p for p in path.split("/") if p]
    while rest:
        here = os.path.normpath(at + "/" + rest.pop(0))
        if os.path.islink(here):
            target = os.readlink(here)
            entries[here] = struct.pack("<BHQ", 1, 0, 0) + text(target)
            if target.startswith("/"):
                at = ""
            rest = [p for p in target.split("/") if p] + rest
        else:
            at = here
    with open(at, "rb") as f:
        data = f.read()
    entries[at] = struct.pack("<BHQ", 0, os.stat(at).st_mode & 0o777, len(data)) + hashlib.sha256(data).digest()


def tree_of(program):
    entries = {}
    add(entries, program)
    for word in subprocess.run(["ldd", program], capture_output=True, text=True).stdout.split():
        if word.startswith("/"):
            add(entries, word)
    # the order of tree_put(): by bytes
    names = sorted(entries, key=os.fsencode)
    return struct.pack("<I", len(names)) + b"".join(text(n) + entries[n] for n in names)


def job_of(identity, name, program, arguments):
    return (b"\0" + identity + texts([]) + text("" if name == "-" else name) + b"\x01" + text(program)
            + texts([program] + arguments) + bytes([name == "-"]) + texts(["out.s", "out.o"]))


def main():
    address, out, name, program, *arguments = sys.argv[1:]
    data = sys.stdin.buffer.read()
    tree = tree_of(program)
    identity = hashlib.sha256(tree).digest()
    control = Connection(address, 0)
    control.send(TOOLCHAIN, tree)
    _, _, state = control.next(TOOLCHAIN_STATE)
    if state[32] != 0:
        sys.exit("caller: lacking: %r" % state[33:])
    runner = Connection(address, 1)
    runner.next(WELCOME)
    control.send(RESERVE, identity + struct.pack("<IIb", 0, 0, 0))
    kind, _, grant = control.next(GRANT, REFUSE)
    if kind == REFUSE:
        sys.exit("caller: no grant: %r" % grant)
    runner.send(JOB, grant + job_of(identity, name, program, arguments))
    try:
        if data:
            runner.send(INPUT, data)
        runner.send(INPUT_END, struct.pack("<QQ", len(data), xxh3(data)))
    except OSError:
        pass		# refused already: the answer says why
    while True:
        kind, ident, payload = runner.next(OUTPUT, RESULT, REFUSE)
        if kind == REFUSE:
            print("refused", payload[5:].decode())
            return
        if kind == RESULT:
            outcome, _, status, signal = payload[:4]
            print(OUTCOMES[outcome], "exit", status, "signal", signal, payload[48:].decode())
            return
        with open(os.path.join(out, "stream%d" % ident), "ab") as f:
            f.write(payload)


if __name__ == "__main__":
    main()
