# SPDX-License-Identifier: BSD-2-Clause
"""Prints how many instructions the verifier went through for a pinned program; null before Linux 5.16, which does not tell."""

from __future__ import annotations

import ctypes
import json
import os
import struct
import sys

BPF_SYSTEM_CALL = 321  # x86-64
BPF_OBJ_GET = 7
BPF_OBJ_GET_INFO_BY_FD = 15
INFO_OCTETS = 256
VERIFIED_INSTRUCTIONS = 216  # the offset in struct bpf_prog_info (linux/bpf.h)

_libc = ctypes.CDLL(None, use_errno=True)


def _bpf(command: int, attributes: bytes) -> tuple[int, bytes]:
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    returned = _libc.syscall(BPF_SYSTEM_CALL, command, buffer, len(attributes))
    if returned < 0:
        raise OSError(ctypes.get_errno(), f"bpf command {command}")
    return returned, buffer.raw


def verified_instructions(pin: str) -> int | None:
    """Of the program that is pinned at a path."""
    path = ctypes.create_string_buffer(pin.encode())
    program, _ = _bpf(BPF_OBJ_GET, struct.pack("=QII", ctypes.addressof(path), 0, 0))
    info = ctypes.create_string_buffer(INFO_OCTETS)
    try:
        _, told = _bpf(BPF_OBJ_GET_INFO_BY_FD, struct.pack("=IIQ", program, INFO_OCTETS, ctypes.addressof(info)))
    finally:
        os.close(program)
    # The kernel says how much of the structure it knows.
    known = struct.unpack_from("=II", told)[1]
    if known < VERIFIED_INSTRUCTIONS + 4:
        return None
    return struct.unpack_from("=I", info.raw, VERIFIED_INSTRUCTIONS)[0]


if __name__ == "__main__":
    print(json.dumps({"verified_instructions": verified_instructions(sys.argv[1])}))
