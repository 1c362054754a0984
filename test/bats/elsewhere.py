#!/usr/bin/env python3
"""Run a program whose root file system is a directory, and nothing else: elsewhere.py ROOT PROGRAM ARGUMENT...

The directory gets /proc and three devices. A chroot would not do: a box
cannot be made in one.
"""
import ctypes
import os
import sys

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 4096, 16384, 1 << 18, 2
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}[os.uname().machine]
libc = ctypes.CDLL(None, use_errno=True)


def check(what, result):
    if result < 0:
        sys.exit(f"elsewhere: {what}: {os.strerror(ctypes.get_errno())}")


def mount(source, target, kind, flags):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(source) or kind:
        os.makedirs(target, exist_ok=True)
    else:
        open(target, "a").close()
    check(f"mount {target}", libc.mount(source.encode(), target.encode(), kind, flags, None))


root, program = os.path.realpath(sys.argv[1]), sys.argv[2:]
check("unshare", libc.unshare(CLONE_NEWNS))
check("mounts", libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
mount(root, root, None, MS_BIND)
mount("proc", root + "/proc", b"proc", 0)
for device in ("null", "zero", "urandom"):
    mount("/dev/" + device, f"{root}/dev/{device}", None, MS_BIND)
os.chdir(root)
check("pivot_root", libc.syscall(PIVOT_ROOT, b".", b"."))
check("let the old root go", libc.umount2(b".", MNT_DETACH))
os.chdir("/")
os.execve(program[0], program, {})
