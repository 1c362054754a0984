"""wire.py - the frames and messages of doc/PROTOCOL.md, for the peers that tests are: what both sides need."""
import ctypes
import hashlib
import os
import struct

MAGIC, VERSION = 0x31636372, 4
HELLO, WELCOME, BYE, STATE, TOOLCHAIN, TOOLCHAIN_STATE, RESERVE, GRANT, REFUSE, CANCEL, PING, PONG = range(1, 13)
JOB, INPUT, INPUT_END, OUTPUT, RESULT = range(13, 18)
PROGRESS, SUPPLY, WANT, BLOB, BLOB_DATA, BLOB_NONE = range(19, 25)
FACTS, QUESTION, ANSWER, CHANGES, USED, JOB_END = range(25, 31)
BULK = {INPUT, OUTPUT, BLOB_DATA}
CONTROL, RUNNER, STORE = range(3)		# roles
READY, LACKING, WANTED, FETCHING = range(4)	# of a toolchain
ABSENT, FILE, LINK, DIR, DENIED, OTHER = range(6)	# facts
FRAME_MAX = 65536


def header(length, kind, ident=0, more=False):
    return struct.pack("<IIIBBBB", length, length, ident, kind, 0, more, 0)


def frames(kind, payload=b"", ident=0):
    """A message in as many frames as it takes."""
    out = b""
    for at in range(0, max(len(payload), 1), FRAME_MAX):
        part = payload[at:at + FRAME_MAX]
        out += header(len(part), kind, ident, at + FRAME_MAX < len(payload) and kind not in BULK) + part
    return out


def text(s):
    s = s if isinstance(s, bytes) else os.fsencode(s)
    return struct.pack("<I", len(s)) + s


def texts(words):
    return struct.pack("<I", len(words)) + b"".join(map(text, words))


def digest(data):
    return hashlib.sha256(data).digest()


def xxh3(data):
    """By the shared object that the environment variable XXH names."""
    function = ctypes.CDLL(os.environ["XXH"]).hash_of
    function.restype = ctypes.c_uint64
    function.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    return function(data, len(data))


class Peer:
    """The other end of a connection, in asyncio."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, kind, payload=b"", ident=0):
        self.writer.write(frames(kind, payload, ident))

    async def next(self, *kinds):
        """One whole message, of these types if any are named: type, id, payload."""
        whole = b""
        while True:
            length, raw, ident, kind, codec, flags, _ = struct.unpack("<IIIBBBB", await self.reader.readexactly(16))
            assert codec == 0 and raw == length, "packed on its way to this very machine"
            whole += await self.reader.readexactly(length)
            if flags & 1:
                continue
            if not kinds or kind in kinds:
                return kind, ident, whole
            whole = b""


def fact(path, kind, *, size=0, of=bytes(32), mode=0o644, access=7, mtime=0, inode=1, target=b"", names=None, shared=0):
    """One fact of a list, its path as what follows shared bytes of the one before."""
    path = path if isinstance(path, bytes) else os.fsencode(path)
    out = struct.pack("<HH", shared, len(path)) + path + bytes([kind])
    if kind in (FILE, DIR):
        out += struct.pack("<HB", mode, access)
    if kind in (FILE, LINK, DIR):
        out += struct.pack("<q", mtime)
    if kind == FILE:
        out += struct.pack("<QQ", inode, size) + of
    if kind == LINK:
        out += struct.pack("<H", len(target)) + target
    if kind == DIR:
        out += b"\0" if names is None else b"\1" + struct.pack("<H", len(names)) + b"".join(bytes([len(n)]) + n for n in names)
    return out


def facts(*each):
    """Of fact()'s arguments, as dictionaries, in this order: each shares with the one before what it can."""
    out, before = struct.pack("<I", len(each)), b""
    for one in each:
        whole = one["path"] if isinstance(one["path"], bytes) else os.fsencode(one["path"])
        shared = len(os.path.commonprefix([before, whole]))
        out += fact(**{**one, "path": whole[shared:], "shared": shared})
        before = whole
    return out


def read_facts(data):
    """path -> (kind, size, digest, mode)"""
    count, at, path, out = struct.unpack_from("<I", data)[0], 4, b"", {}
    for _ in range(count):
        shared, rest = struct.unpack_from("<HH", data, at)
        path = path[:shared] + data[at + 4:at + 4 + rest]
        at += 4 + rest
        kind, at = data[at], at + 1
        mode = size = 0
        of = bytes(32)
        if kind in (FILE, DIR):
            mode = struct.unpack_from("<H", data, at)[0]
            at += 3
        if kind in (FILE, LINK, DIR):
            at += 8
        if kind == FILE:
            size = struct.unpack_from("<Q", data, at + 8)[0]
            of = data[at + 16:at + 48]
            at += 48
        if kind == LINK:
            at += 2 + struct.unpack_from("<H", data, at)[0]
        if kind == DIR:
            listed, at = data[at], at + 1
            names = struct.unpack_from("<H", data, at)[0] if listed else 0
            at += 2 * listed
            for _ in range(names):
                at += 1 + data[at]
        out[os.fsdecode(path)] = (kind, size, of, mode)
    assert at == len(data)
    return out


def change(path, kind=0, kept=0, mode=0o644, size=0, target=""):
    return text(path) + struct.pack("<BBHQq", kind, kept, mode if kind < 2 else 0, size, 0) + text(target)


def changes(*each):
    return struct.pack("<I", len(each)) + b"".join(each)


def used(count, how=0, others=()):
    """count facts of the start used alike, and others: (path, how) in their order."""
    out = (struct.pack("<BI", how, count) if count else b"") + struct.pack("<I", len(others))
    for path, use in others:
        path = os.fsencode(path)
        out += struct.pack("<BHH", use, 0, len(path)) + path
    return out


def result(output, hashed=None, outcome=0, step=0, status=0, signal=0, said=""):
    """RESULT of a job whose streams were output, all in one."""
    return (bytes([outcome, step, status, signal]) + struct.pack("<QQQ", 0, 0, 0)
            + struct.pack("<QQ", len(output), xxh3(output) if hashed is None else hashed) + text(said))
