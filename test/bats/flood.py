#!/usr/bin/env python3
"""flood.py - callers that ask for more than is good for a volunteer.

usage: flood.py ADDRESS ATTACK [ARGUMENT]...

Each attack holds what it got, says how far it came ("NAME NUMBER", one a
line, then "holding"), and lets go when its standard input ends. All of it
comes from 127.0.0.2: to a volunteer without a key, that is one caller.
"""
import hashlib
import os
import select
import socket
import struct
import sys
import time
import zlib

from caller import (BYE, GRANT, INPUT, INPUT_END, JOB, REFUSE, RESERVE, TOOLCHAIN, TOOLCHAIN_STATE, WELCOME,
                    Connection, job_of, text, tree_of, xxh3)

PING, PONG = 11, 12
CONTROL, RUNNER = 0, 1
address = sys.argv[1]
kept = []


def say(**figures):
    for name, value in figures.items():
        print(name, value, flush=True)


def frame(kind, payload=b"", ident=0, raw=None, codec=0, more=0):
    return struct.pack("<IIIBBBB", len(payload), len(payload) if raw is None else raw, ident, kind, codec, more, 0) + payload


def connect(role, source="127.0.0.2"):
    c = Connection(address, role, source=source)
    kept.append(c)
    return c


def push(c, data, seconds=3.0):
    """Send, and read nothing. How many bytes were taken before it stalled or was cut off."""
    taken, end = 0, time.monotonic() + seconds
    c.socket.setblocking(False)
    while taken < len(data) and time.monotonic() < end:
        if not select.select([], [c.socket], [], 0.2)[1]:
            continue
        try:
            taken += c.socket.send(data[taken:taken + 1000000])
        except BlockingIOError:
            pass
        except OSError:
            return taken, True
    return taken, False


def connections(count, role):
    """So many of one caller."""
    welcomed, said = 0, ""
    for _ in range(int(count)):
        c = connect(int(role))
        kind, payload = first(c)
        welcomed += kind == WELCOME
        if kind == BYE:
            said = payload[5:].decode()
    say(welcomed=welcomed, said=said)


def first(c):
    try:
        length, _, _, kind, _, _, _ = struct.unpack("<IIIBBBB", c.read(16))
        return kind, c.read(length)
    except (OSError, SystemExit):
        return None, b""


def unread(what, megabytes):
    """Messages that are answered, on one connection, and the answers not read."""
    role = RUNNER if what == "job" else CONTROL
    one = {"ping": frame(PING, b"12345678"), "reserve": frame(RESERVE, bytes(32) + struct.pack("<IIb", 0, 0, 0)),
           "job": frame(JOB, struct.pack("<Q", 1) + job_of(bytes(32), "-", "/cc1", [])) + frame(INPUT_END, bytes(16))}[what]
    c = connect(role)
    taken, cut = push(c, one * (int(megabytes) * 1000000 // len(one)), 8)
    say(taken=taken, cut=int(cut))


def parts(count, bytes_each):
    """Messages that never become whole."""
    ended = 0
    for _ in range(int(count)):
        c = connect(RUNNER)
        c.next(WELCOME)
        _, cut = push(c, frame(JOB, bytes(65536), more=1) * (int(bytes_each) // 65536), 1)
        ended += cut
    time.sleep(0.5)
    for c in kept:
        c.socket.setblocking(True)
        if select.select([c.socket], [], [], 0)[0]:
            kind, payload = first(c)
            ended += 1
            if kind == BYE:
                say(said=payload[5:].decode())
    say(ended=ended)


def halves(count):
    """Frames of which the last byte never comes, after a large one that did."""
    for _ in range(int(count)):
        c = connect(RUNNER)
        c.next(WELCOME)
        push(c, frame(JOB, bytes(65536))[:-1], 1)
    say(halves=count)


def tree_with(names):
    return struct.pack("<I", len(names)) + b"".join(text(n) + struct.pack("<BHQ", 0, 0o644, 1) + bytes(32) for n in names)


def trees(count):
    """Large trees, each another one. How long the volunteer hears nobody else meanwhile."""
    other = connect(CONTROL, "127.0.0.3")
    other.next(WELCOME)
    c = connect(CONTROL)
    c.next(WELCOME)
    longest = 0
    stem = b"/usr/" + b"a" * 150
    for i in range(int(count)):
        names = [stem + b"%05d-%05d" % (i, k) for k in range(4096)]
        c.send(TOOLCHAIN, tree_with(names))
        start = time.monotonic()
        other.send(PING, b"12345678")
        other.next(PONG)
        longest = max(longest, time.monotonic() - start)
        drain(c)
    say(trees=count, longest_ms=int(longest * 1000))


def drain(c):
    while select.select([c.socket], [], [], 0)[0]:
        if not c.socket.recv(1 << 20):
            return


def reserves(count, program):
    """Reservations of one connection for a toolchain that is there."""
    c = connect(CONTROL)
    identity = announce(c, program)
    c.socket.sendall(b"".join(frame(RESERVE, identity + struct.pack("<IIb", 0, 0, 0), i) for i in range(int(count))))
    answers = {GRANT: 0, REFUSE: 0}
    said, end = "", time.monotonic() + 2
    while time.monotonic() < end:	# a grant that is not used lapses, and the next one comes
        kind, _, payload = c.next(GRANT, REFUSE)
        answers[kind] += 1
        if kind == REFUSE:
            said = payload[5:].decode()
    say(granted=answers[GRANT], refused=answers[REFUSE], said=said)


def announce(c, program):
    tree = tree_of(program)
    c.send(TOOLCHAIN, tree)
    while True:
        _, _, state = c.next(TOOLCHAIN_STATE)
        if state[32] == 0:
            return hashlib.sha256(tree).digest()
        if state[32] == 1:
            sys.exit("flood: lacking")


def outputs(count, size, program):
    """Jobs that give much, and nothing of it is read. Free slots are then asked for by another."""
    control = connect(CONTROL)
    identity = announce(control, program)
    source = b".space %d\n" % int(size)
    started = 0
    for i in range(int(count)):
        c = connect(RUNNER)
        c.next(WELCOME)
        control.socket.settimeout(5)
        control.socket.sendall(frame(RESERVE, identity + struct.pack("<IIb", 0, 0, 0), i + 1))
        try:
            kind, _, grant = control.next(GRANT, REFUSE)
        except TimeoutError:
            break
        if kind == REFUSE:
            break
        c.send(JOB, grant + job_of(identity, "a.s", program, ["-o", "out.o", "a.s"]))
        c.send(INPUT, source)
        c.send(INPUT_END, struct.pack("<QQ", len(source), xxh3(source)))
        started += 1
    say(started=started)


def bad_words(count):
    """A violation on a connection whose answers are not read: it must not live on."""
    for _ in range(int(count)):
        c = connect(CONTROL)
        push(c, frame(PING, b"12345678") * 20000, 2)
        push(c, frame(INPUT_END, bytes(16)), 1)
    say(spoken=count)


def ratio():
    """A header that promises more than its codec can hold."""
    for codec, length in ((1, 200), (2, 50)):
        c = connect(RUNNER)
        c.next(WELCOME)
        c.socket.sendall(frame(INPUT, bytes(length), raw=65536, codec=codec))
        kind, payload = first(c)
        say(said=payload[5:].decode() if kind == BYE else kind)


def bomb(count, program):
    """Input that a compiler takes slowly, packed several hundredfold and sent at once. What its box holds at most."""
    control, c = connect(CONTROL), connect(RUNNER)
    identity = announce(control, program)
    c.next(WELCOME)
    control.send(RESERVE, identity + struct.pack("<IIb", 0, 0, 0))
    _, _, grant = control.next(GRANT)
    c.send(JOB, grant + job_of(identity, "-", program, ["-o", "out.o", "-"]))
    raw = (b".rept 3000\nnop\n.endr\n" * 2979)[:65536 - 16]
    raw = raw[:raw.rindex(b".rept")]
    packed, count = zlib.compress(raw, 9), int(count)
    c.socket.sendall(frame(INPUT, packed, raw=len(raw), codec=2) * count)
    time.sleep(1)
    say(packed_bytes=count * len(packed), raw_bytes=count * len(raw), box_kb=boxes_kb())


def boxes_kb():
    """The largest of this farm's boxes."""
    most = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink("/proc/%s/exe" % pid).startswith(os.environ["FARM"] + "/bin/rccd-box"):
                with open("/proc/%s/status" % pid) as f:
                    most = max([most] + [int(line.split()[1]) for line in f if line.startswith("VmHWM")])
        except OSError:
            pass
    return most


globals()[sys.argv[2]](*sys.argv[3:])
print("holding", flush=True)
sys.stdin.read()
