# SPDX-License-Identifier: BSD-2-Clause
"""The zone that the lab's edge node serves: every kind of content that tests ask for, as an operator would write it."""

from __future__ import annotations

from lab import EDGE4, EDGE6, SERVER1, SERVER2, ZONE

# 255 octets on the wire: 3 * 64 + 47 for these labels, and 16 for lb.example.com with the root.
LONGEST_NAME = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 46, ZONE])
TTL, NEGATIVE_TTL = 20, 10

# As many as a frame of the client's own stack can grow by on a veth: about 200 octets at its head.
SOME = [f"203.0.113.{number}" for number in range(1, 11)]
# More addresses than fit into 512 octets, and more than fit into 1232 as well.
MANY = [f"198.51.100.{number}" for number in range(1, 41)]
TOO_MANY = [f"198.51.{100 + number // 200}.{1 + number % 200}" for number in range(100)]


def quoted(addresses: list[str] | tuple[str, ...]) -> str:
    """A TOML array of strings."""
    return "[" + ", ".join(f'"{address}"' for address in addresses) + "]"


def balance(name: str, *servers: str) -> str:
    """A balanced name of the zone, relative to it."""
    return f'\n[[zone.balance]]\nname = "{name}"\nservers = {quoted(servers)}\nttl = "{TTL}s"\n'


SOA = (f'{{ mname = "e17.ns.{ZONE}", rname = "hostmaster.example.com", serial = {{serial}}, '
       f'refresh = "1h", retry = "15m", expire = "7d", minimum = "{NEGATIVE_TTL}s" }}')

HEAD = f'''
[[zone]]
name = "{ZONE}"
ttl = "{TTL}s"
soa = {SOA}
ns = ["e17.ns.{ZONE}"]
'''

# The A RRset `shared` stands in master file syntax: several addresses there are servers to balance as well.
RECORDS = f"""
records = '''
e17.ns      IN A     {EDGE4}
e17.ns      IN AAAA  {EDGE6}
alias       IN CNAME www
text        IN TXT   "one" "two words"
secure      IN HTTPS 1 . alpn=h2
mail        IN MX    10 mx1.example.net.
shared      IN A     {SERVER1[0]}
shared      IN A     {SERVER2[0]}
*.any       IN A     {SERVER1[0]}
deep.er.ent IN A     {SERVER1[0]}
child       IN NS    ns.child
ns.child    IN A     203.0.113.53
'''
"""

FULL_ZONE = (HEAD + RECORDS
             + balance("www", *SERVER1, *SERVER2)
             + balance("v4only", SERVER1[0])
             + balance("some", *SOME)
             + balance("many", *MANY)
             + balance("toomany", *TOO_MANY)
             + balance(LONGEST_NAME.removesuffix(f".{ZONE}"), SERVER1[0]))


def plain_zone(*servers: str) -> str:
    """The same zone with only `www` on these servers, to be changed and changed again."""
    return (HEAD + f"\nrecords = '''\ne17.ns IN A {EDGE4}\ne17.ns IN AAAA {EDGE6}\n'''\n" + balance("www", *servers))
