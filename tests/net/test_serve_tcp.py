# SPDX-License-Identifier: BSD-2-Clause
"""The agent's TCP side against clients of every kind (RFC 7766): framing, pipelining, slowness, bounds, half-close."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator

import dns.rcode
import pytest

from agent_alone import ZONE, AgentAlone, framed, is_closed, missing_for_agent, query, read_message, running_agent
from conftest import need
from wait import wait_until

WWW = f"www.{ZONE}"
IDLE = 1.0  # seconds


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentAlone]:
    """An agent with a short idle time-out and room for eight connections, two of them for one client."""
    need(missing_for_agent())
    with running_agent(serve=f'tcp_connections = 8\ntcp_idle = "{int(IDLE * 1000)}ms"') as running:
        yield running
        assert running.process is not None
        running.process.must_run()


def answered(agent: AgentAlone, stream: socket.socket, number: int = 1) -> bool:
    """Whether a query on this connection is answered."""
    stream.sendall(framed(query(WWW, number=number)))
    return read_message(stream).id == number


def test_pipelined_queries_are_answered_in_their_order(agent: AgentAlone) -> None:
    """More queries at once than one round answers, each with its own ID."""
    stream = agent.connect()
    numbers = range(1, 501)
    stream.sendall(framed(*(query(WWW, number=number) for number in numbers)))
    assert [read_message(stream).id for _ in numbers] == list(numbers)


def test_a_message_may_be_cut_anywhere(agent: AgentAlone) -> None:
    """Two queries in two segments, cut at each octet in turn."""
    octets = framed(query(WWW, number=1), query(WWW, "AAAA", number=2))
    stream = agent.connect()
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for cut in range(len(octets)):
        stream.sendall(octets[:cut])
        stream.sendall(octets[cut:])
        assert [read_message(stream).id, read_message(stream).id] == [1, 2], f"cut at {cut}"


def test_an_idle_connection_is_closed_in_time(agent: AgentAlone) -> None:
    """Not before the time-out, and not long after."""
    stream = agent.connect()
    assert answered(agent, stream)
    before = time.monotonic()
    assert is_closed(stream)
    assert IDLE * 0.9 <= time.monotonic() - before < IDLE + 1


def test_octets_that_dribble_in_do_not_keep_a_connection(agent: AgentAlone) -> None:
    """A whole message must come within the time-out."""
    stream = agent.connect()
    octets = framed(query(WWW))
    stream.settimeout(IDLE / 10)
    before = time.monotonic()

    def closed() -> bool:
        try:
            stream.sendall(octets[closed.sent:closed.sent + 1])
            closed.sent = min(closed.sent + 1, len(octets) - 2)
            return stream.recv(1) == b""
        except TimeoutError:
            return False
        except (ConnectionResetError, BrokenPipeError):
            return True
    closed.sent = 0
    wait_until("the agent closes the dribbling connection", closed, timeout=IDLE + 2)
    assert time.monotonic() - before >= IDLE * 0.9


def test_a_client_that_does_not_read_is_closed(agent: AgentAlone) -> None:
    """Its answers are not heaped up: the agent stops reading, and closes after the time-out."""
    stream = agent.connect()
    before = agent.status()["serve"]
    stream.setblocking(False)
    octets = framed(*(query(WWW, number=number) for number in range(1000)))

    def refused() -> bool:
        try:
            while True:
                stream.send(octets)
        except BlockingIOError:
            return False
        except (ConnectionResetError, BrokenPipeError):
            return True
    wait_until("the agent closes the connection that does not read", refused, timeout=IDLE + 5)
    assert agent.status()["serve"]["tcp_timed_out"] > before["tcp_timed_out"]


def test_a_half_closed_client_gets_its_answers(agent: AgentAlone) -> None:
    """The client says that it is done; what it asked is answered, then the agent closes."""
    stream = agent.connect()
    stream.sendall(framed(*(query(WWW, number=number) for number in range(1, 101))))
    stream.shutdown(socket.SHUT_WR)
    assert [read_message(stream).id for _ in range(100)] == list(range(1, 101))
    assert stream.recv(1) == b""


@pytest.mark.parametrize("length", range(12))
def test_a_length_below_12_closes_the_connection(agent: AgentAlone, length: int) -> None:
    """What was asked before is answered."""
    stream = agent.connect()
    stream.sendall(framed(query(WWW, number=7)) + struct.pack("!H", length))
    assert read_message(stream).id == 7
    assert is_closed(stream)


def test_a_message_of_65535_octets_gets_a_reply(agent: AgentAlone) -> None:
    """Octets after the question are a FORMERR, however many; the connection goes on."""
    stream = agent.connect()
    stream.sendall(framed(query(WWW, number=3).ljust(65535, b"\0")))
    reply = read_message(stream)
    assert (reply.id, reply.rcode()) == (3, dns.rcode.FORMERR)
    assert answered(agent, stream, 4)


def test_a_response_is_not_answered_and_the_next_query_is(agent: AgentAlone) -> None:
    """QR=1 gets no reply."""
    stream = agent.connect()
    response = bytearray(query(WWW, number=1))
    response[2] |= 0x80
    stream.sendall(framed(bytes(response), query(WWW, number=2)))
    assert read_message(stream).id == 2


def test_one_client_has_a_quarter_of_the_connections(agent: AgentAlone) -> None:
    """At its share it loses its longest idle connection; others are not touched."""
    other = agent.connect(source="127.0.0.2")
    first, second = agent.connect(source="127.0.0.3"), agent.connect(source="127.0.0.3")
    assert answered(agent, second) and answered(agent, first) and answered(agent, other)
    third = agent.connect(source="127.0.0.3")
    assert answered(agent, third)
    assert is_closed(second)
    assert answered(agent, first) and answered(agent, other)


def test_at_the_limit_the_longest_idle_connection_is_closed(agent: AgentAlone) -> None:
    """Eight clients hold a connection each; the ninth takes the place of the one that was silent longest."""
    agent.wait_for_serve("tcp_connections", 0)
    before = agent.status()["serve"]["tcp_evicted"]
    streams = [agent.connect(source=f"127.0.1.{number}") for number in range(1, 9)]
    for stream in streams:
        assert answered(agent, stream)
    assert answered(agent, streams[0])
    ninth = agent.connect(source="127.0.1.9")
    assert answered(agent, ninth)
    assert is_closed(streams[1])
    assert answered(agent, streams[0])
    serve = agent.status()["serve"]
    assert serve["tcp_evicted"] == before + 1
    assert serve["tcp_connections"] == 8
