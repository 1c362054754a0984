#!/usr/bin/env python3
"""lyingcaller.py - a caller that has a job in file mode run over files that it makes up.

usage: lyingcaller.py ADDRESS PROGRAM LIE [ARGUMENT]...

The job is "PROGRAM -o out.o a.s" in /w, a directory of its own in a tree that has nothing else but what LIE adds to
it. The job's output is written to standard output as it came; how it ended is the last line: "OUTCOME exit N: TEXT", or
"refused", "bye" or "closed" with what was said. LIE is one of:

  none SOURCE [PATH=CONTENT]...   no lie: a.s holds SOURCE (backslashes are understood), the files PATH their CONTENT
  facts HEX                       these bytes for FACTS
  twice                           FACTS again
  odd N                           a list that facts_get() must refuse, the N-th of 17 kinds
  many                            as many facts as there may be, and again as many on top of a manifest
  manifest HEX                    FACTS of nothing, upon a manifest of these bytes
  unasked                         an ANSWER to nothing
  other PATH                      every ANSWER is of PATH
  names N                         /w has so many names
  loop                            a.s is a link to itself
  wrong | short | long | none-of-it | unwanted    what comes for BLOB
  end                             JOB_END at once
  leave jobs|facts|question|blob|changes          hangs up then
"""
import os
import struct
import sys
import time

import wire
from caller import Connection, tree_of
from wire import ABSENT, ANSWER, BLOB, BLOB_DATA, BLOB_NONE, CHANGES, DIR, FACTS, FILE, GRANT, JOB, JOB_END, LINK, OUTPUT, \
    QUESTION, REFUSE, RESERVE, RESULT, TOOLCHAIN, TOOLCHAIN_STATE, USED, WANT, WELCOME

OUTCOMES = ["ran", "limit", "failed", "bad-input", "preempted", "unfit"]
address, program, lie, arguments = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
source = b"\t.long 42\n# not in any store yet: %d.%d\n" % (os.getpid(), time.time_ns())
files = {}
if lie == "none":
    source = arguments[0].encode().decode("unicode_escape").encode()
    files = dict(a.encode().split(b"=", 1) for a in arguments[1:])
files[b"/w/a.s"] = source
contents = {wire.digest(c): c for c in files.values()}


def here(path):
    """The fact of path, or of the first part of it that is no directory."""
    parts = path.strip(b"/").split(b"/")
    for n in range(len(parts) + 1):
        at = b"/" + b"/".join(parts[:n]) if path != b"/" else b"/"
        if lie == "loop" and at == b"/w/a.s":
            return dict(path=at, kind=LINK, target=b"a.s")
        if at in files:
            return dict(path=at, kind=FILE, size=len(files[at]), of=wire.digest(files[at]), inode=len(at))
        if at != b"/" and not any(f.startswith(at + b"/") for f in files):
            return dict(path=at, kind=ABSENT)
        if path == b"/":
            break
    names = [b"%06d" % n for n in range(int(arguments[0]))] if lie == "names" and at == b"/w" else None
    return dict(path=at, kind=DIR, mode=0o755, names=names)


# Lists that no honest encoder makes.
ODD = [wire.facts(*facts) for facts in [
    [dict(path="/b", kind=ABSENT), dict(path="/a", kind=ABSENT)],
    [dict(path="/b", kind=ABSENT), dict(path="/b/a", kind=ABSENT)],
    [dict(path="/b", kind=FILE), dict(path="/b/a", kind=DIR)],
    [dict(path="/b", kind=DIR), dict(path="/b", kind=DIR)],
    [dict(path="/a/../b", kind=DIR)],
    [dict(path="a", kind=DIR)],
    [dict(path=b"/a\0b", kind=DIR)],
    [dict(path="/a", kind=DIR, names=[b"b", b"a"])],
    [dict(path="/a", kind=DIR, names=[b"b/c"])],
    [dict(path="/a", kind=DIR, names=[b"..", b"b"])],
    [dict(path="/a", kind=DIR, mode=0o177777)],
    [dict(path="/a", kind=LINK, target=b"")],
    [dict(path="/a" * 2048, kind=ABSENT)],
    [dict(path="/a", kind=6)],
]] + [struct.pack("<I", 0xffffffff), struct.pack("<I", 65536) + wire.fact("/a", ABSENT), b""]


def many(prefix):
    return wire.facts(*(dict(path="/%s%05d" % (prefix, n), kind=ABSENT) for n in range(60000)))


def manifest():
    if lie == "manifest":
        return bytes.fromhex(arguments[0])
    return many("a") if lie == "many" else b""


named = manifest()
contents[wire.digest(named)] = named


def job_of(identity):
    name = wire.digest(named) if named else bytes(32)
    return (b"\1" + identity + wire.texts([]) + wire.text("") + b"\1" + wire.text(program)
            + wire.texts([program, "-o", "out.o", "a.s"]) + b"\0" + wire.texts([])
            + wire.text("/w") + struct.pack("<HHH", 0o22, 0, 0) + name + struct.pack("<Q", len(named)))


def first_facts():
    if lie == "facts":
        return bytes.fromhex(arguments[0])
    if lie == "odd":
        return ODD[int(arguments[0])]
    return many("b") if lie == "many" else wire.facts()


def bring(runner, wanted):
    """What is wanted, as LIE has it. False: that was all."""
    for at in range(4, len(wanted), 32):
        of = wanted[at:at + 32]
        content = contents[of]
        if lie == "unwanted":
            of = wire.digest(b"something else")
        size = len(content) + {"short": -1, "long": 1}.get(lie, 0)
        if lie == "none-of-it":
            runner.send(BLOB_NONE, of)
            continue
        runner.send(BLOB, of + struct.pack("<Q", size))
        if lie == "leave" and arguments[0] == "blob":
            return False
        runner.send(BLOB_DATA, bytes(len(content)) if lie == "wrong" else content[:size])
    return True


def leaves(when):
    return lie == "leave" and arguments[0] == when


def run(runner, identity, grant):
    runner.send(JOB, grant + job_of(identity))
    if lie == "end":
        runner.send(JOB_END, b"")
    if leaves("jobs"):
        return "left"
    runner.send(FACTS, first_facts())
    if lie == "twice":
        runner.send(FACTS, first_facts())
    if lie == "unasked":
        runner.answer(99, wire.facts(here(b"/w")))
    if leaves("facts"):
        return "left"
    while True:
        kind, ident, payload = runner.next(QUESTION, WANT, CHANGES, OUTPUT, USED, RESULT, REFUSE)
        if (kind == QUESTION and leaves("question")) or (kind == CHANGES and leaves("changes")):
            return "left"
        if kind == QUESTION:
            path = arguments[0].encode() if lie == "other" else payload[5:]
            runner.answer(ident, wire.facts(here(path)))
        elif kind == WANT:
            if not bring(runner, payload):
                return "left"
        elif kind == OUTPUT:
            sys.stdout.buffer.write(payload)
        elif kind == REFUSE:
            return "refused " + payload[5:].decode()
        elif kind == RESULT:
            outcome, _, status, _ = payload[:4]
            return "%s exit %d: %s" % (OUTCOMES[outcome], status, payload[48:].decode())


def main():
    tree = tree_of(program)
    identity = wire.digest(tree)
    control = Connection(address, wire.CONTROL)
    control.send(TOOLCHAIN, tree)
    _, _, state = control.next(TOOLCHAIN_STATE)
    if state[32] != wire.READY:
        sys.exit("lyingcaller: lacking: %r" % state[33:])
    runner = Connection(address, wire.RUNNER)
    runner.answer = lambda ident, facts: runner.socket.sendall(wire.frames(ANSWER, facts, ident))
    runner.next(WELCOME)
    control.send(RESERVE, identity + struct.pack("<IIb", 0, 0, 0))
    kind, _, grant = control.next(GRANT, REFUSE)
    if kind == REFUSE:
        sys.exit("lyingcaller: no grant: %r" % grant)
    try:
        said = run(runner, identity, grant)
    except SystemExit as e:
        said = str(e).replace("caller: ", "", 1)
    except OSError as e:
        said = "closed: %s" % e
    sys.stdout.flush()
    print("\n" + said)


main()
