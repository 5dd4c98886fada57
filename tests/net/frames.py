# SPDX-License-Identifier: BSD-2-Clause
"""Frames put on the client's wire as they are, and the frames that come back, VLAN tags included."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterator

from scapy.layers.l2 import Ether
from scapy.packet import Packet

from namespaces import Namespace

ETH_P_ALL = 3
SOL_PACKET, PACKET_AUXDATA = 263, 8
TP_STATUS_VLAN_VALID = 1 << 4
PACKET_OUTGOING = 4
# struct tpacket_auxdata: status, length, captured length, offsets of MAC and network header, VLAN TCI and TPID.
AUXDATA = struct.Struct("=IIIHHHH")


class Wire:
    """A raw socket on one interface. The kernel takes the outermost tag off what it receives; it is put back here."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def send(self, frame: Packet) -> None:
        """Sends the frame as it stands."""
        self._sock.send(bytes(frame))

    def received(self, seconds: float) -> Iterator[Ether]:
        """The frames that arrive within that time; what this host sends itself is left out."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._sock.settimeout(left)
            with contextlib.suppress(TimeoutError):
                octets, control, _, address = self._sock.recvmsg(65535, socket.CMSG_SPACE(AUXDATA.size))
                if address[2] != PACKET_OUTGOING:
                    yield Ether(_with_tag(octets, control))


def _with_tag(octets: bytes, control: list[tuple[int, int, bytes]]) -> bytes:
    for level, kind, data in control:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tci, tpid = AUXDATA.unpack(data[:AUXDATA.size])
            if status & TP_STATUS_VLAN_VALID:
                return octets[:12] + struct.pack("!HH", tpid, tci) + octets[12:]
    return octets


@contextlib.contextmanager
def wire(space: Namespace, interface: str) -> Iterator[Wire]:
    """Opens the interface of a namespace for raw frames."""
    with space.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as sock:
        sock.bind((interface, ETH_P_ALL))
        sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        yield Wire(sock)


def mac_address(space: Namespace, interface: str) -> str:
    """The MAC address of an interface."""
    return space.run("ip", "-br", "link", "show", "dev", interface).split()[2]
