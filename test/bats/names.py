#!/usr/bin/env python3
"""names.py - a name server of a few records, on loopback.

usage: names.py ADDRESS ZONE

Answers by the lines of the file ZONE, read anew for each question:

  A NAME ADDRESS
  SRV NAME TTL PORT TARGET
  FAIL NAME               the server cannot tell

Any other name does not exist. Prints "listening", then each question.
"""
import socket
import struct
import sys

A, AAAA, SRV = 1, 28, 33
ANSWER, NO_SUCH_NAME, FAILURE = 0x8180, 3, 2


def name_bytes(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def read_question(packet):
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack_from(">H", packet, at + 1)[0], packet[12:at + 5]


def record(kind, ttl, data):
    return struct.pack(">HHHIH", 0xC00C, kind, 1, ttl, len(data)) + data


def answer(zone, name, kind):
    """The code, and the records."""
    known, records = False, []
    for words in (line.split() for line in zone):
        if len(words) < 2 or words[1] != name:
            continue
        known = True
        if words[0] == "FAIL":
            return FAILURE, []
        if words[0] == "A" and kind == A:
            records.append(record(A, 0, socket.inet_aton(words[2])))
        if words[0] == "SRV" and kind == SRV:
            records.append(record(SRV, int(words[2]), struct.pack(">HHH", 1, len(records), int(words[3]))
                                  + name_bytes(words[4])))
    return (0 if known else NO_SUCH_NAME), records


def main():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((sys.argv[1], 53))
    print("listening", flush=True)
    while True:
        packet, who = s.recvfrom(4096)
        name, kind, question = read_question(packet)
        with open(sys.argv[2]) as zone:
            code, records = answer(zone, name, kind)
        print({A: "A", AAAA: "AAAA", SRV: "SRV"}.get(kind, kind), name, flush=True)
        s.sendto(packet[:2] + struct.pack(">HHHHH", ANSWER | code, 1, len(records), 0, 0) + question + b"".join(records), who)


main()
