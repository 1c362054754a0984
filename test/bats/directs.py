#!/usr/bin/env python3
"""directs.py - in place of rcc-agent: directs a wrapper as it is told to.

usage: rcc-agent --dir DIR --socket NAME

Serves one wrapper with what DIR/scenario (JSON) holds: "wait" only listens;
else it sends the outcome {out, err, status, removed, changes: [[path, kind,
kept, mode, text or link's target]]}, and DONE once that was made, or LOCAL.
What the wrapper asked and answered goes to DIR/heard.
"""
import json
import os
import socket
import struct
import sys
import tempfile

ASK, DECLINED, COMMITTED, DONE, LOCAL, OUTCOME = 1, 6, 9, 10, 11, 15
FRAME_MAX, MORE = 65536, 1
FILE, LINK = 0, 2


def text(s):
    return struct.pack("<I", len(s.encode())) + s.encode()


def send(peer, kind, payload=b"", fds=()):
    parts = [payload[i:i + FRAME_MAX] for i in range(0, len(payload), FRAME_MAX)] or [b""]
    for i, part in enumerate(parts):
        header = struct.pack("<IIIBBBB", len(part), len(part), 0, kind, 0, MORE if part is not parts[-1] else 0,
                             0 if i else len(fds))
        socket.send_fds(peer, [header], [] if i else fds)
        peer.sendall(part)


def receive(peer):
    payload = b""
    while True:
        header = peer.recv(16, socket.MSG_WAITALL)
        if len(header) < 16:
            sys.exit(0)
        length, _, _, kind, _, flags, _ = struct.unpack("<IIIBBBB", header)
        payload += peer.recv(length, socket.MSG_WAITALL) if length else b""
        if not flags & MORE:
            return kind, payload


def outcome(s):
    contents = s["out"] + s["err"]
    changes = b""
    for path, kind, kept, mode, holds in s["changes"]:
        size = len(holds) if kind == FILE else 0
        contents += holds if kind == FILE else ""
        changes += text(path) + struct.pack("<BBHQQ", kind, kept, mode, size, 0) + text(holds if kind == LINK else "")
    payload = struct.pack("<IBQQI", 7, s["status"], len(s["out"]), len(s["err"]), len(s["changes"]))
    return payload + changes + text(s["removed"]), contents


def serve(peer, directory):
    with open(directory + "/scenario") as f, open(directory + "/heard", "w", buffering=1) as heard:
        s = json.load(f)
        ask = receive(peer)[1]
        print("ask umask %o columns %u" % (struct.unpack("<H", ask[-2:])[0], struct.unpack("<H", ask[-6:-4])[0]),
              file=heard)
        if s == "wait":
            receive(peer)
        payload, contents = outcome(s)
        with tempfile.TemporaryFile() as f:
            f.write(contents.encode())
            f.flush()
            send(peer, OUTCOME, payload, [f.fileno()])
        kind, answer = receive(peer)
        if kind == COMMITTED:
            print("committed", file=heard)
            send(peer, DONE)
        elif kind == DECLINED:
            print("declined round %u" % struct.unpack("<IB", answer)[0], file=heard)
            send(peer, LOCAL, b"\0" + text(""))


directory = sys.argv[2]
listener = socket.socket(socket.AF_UNIX)
listener.bind(directory + "/" + sys.argv[4])
listener.listen()
if os.fork():
    os._exit(0)
listener.settimeout(60)
peer = listener.accept()[0]
os.unlink(directory + "/" + sys.argv[4])
peer.settimeout(60)
serve(peer, directory)
