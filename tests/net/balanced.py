# SPDX-License-Identifier: BSD-2-Clause
"""Configuration of a measured lab's edge, as an operator would write it, but impatient: each change is a matter of a
second, and what damps flapping is short."""

from __future__ import annotations

from lab import EDGE4, EDGE6
from measured_lab import ADDRESSES
from zones import HEAD, TTL, quoted

TTL_MIN = 3
FALLBACK = ("203.0.113.99", "2001:db8:9::99")

# The figures of the policy `latency` follow within a second, and a server that was down is soon forgiven.
QUICK_FIGURES = '''
[probe]
per_address = 100

[latency]
smoothing = "1s"
penalty_smoothing = "1s"
lost_penalty = "100ms"
failed_penalty = "100ms"
evidence = 10
'''

SOA_AND_ADDRESSES = f"\nrecords = '''\ne17.ns IN A {EDGE4}\ne17.ns IN AAAA {EDGE6}\n'''\n"


def check(name: str, type: str = "http", **keys: object) -> str:
    """A [[check]] that is made twice a second, ten times for the server in use, and believes two results.

    The time-out is long beside the round trips (far: 240 ms), so that a busy machine is not taken for a dead server.
    """
    given = {"interval": "500ms", "interval_in_use": "100ms", "recheck": "50ms", "timeout": "500ms", "fall": 2,
             "rise": 2, "rise_most": 2} | keys
    return f'\n[[check]]\nname = "{name}"\ntype = "{type}"\n' + "".join(_line(*item) for item in given.items())


def server(name: str, addresses: tuple[str, str], **keys: object) -> str:
    """A [[server]] with an IPv4 and an IPv6 address."""
    return (f'\n[[server]]\nname = "{name}"\nipv4 = "{addresses[0]}"\nipv6 = "{addresses[1]}"\n'
            + "".join(_line(*item) for item in keys.items()))


def balance(name: str, servers: str, **keys: object) -> str:
    """A [[zone.balance]] over servers named in one string, by the policy `latency` and the check `web` by default."""
    given = {"policy": "latency", "checks": ["web"], "ttl": f"{TTL}s", "ttl_min": f"{TTL_MIN}s"} | keys
    return (f'\n[[zone.balance]]\nname = "{name}"\nservers = {quoted(servers.split())}\n'
            + "".join(_line(*item) for item in given.items()))


def _line(key: str, value: object) -> str:
    return f"{key} = {_toml(value)}\n"


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


CHECKS = check("web") + QUICK_FIGURES

SERVERS = (server("near", ADDRESSES["near"], site="east")
           + server("mid", ADDRESSES["mid"], site="west")
           + server("far", ADDRESSES["far"], site="west"))

ZONE_HEAD = HEAD + SOA_AND_ADDRESSES

# The usual three servers, and one name for whoever needs no more.
SMALL = CHECKS + SERVERS + ZONE_HEAD + balance("www", "near mid far")
