# SPDX-License-Identifier: BSD-2-Clause
"""An Internet of its own for resolvers: root and TLD by Knot, the owner's DNS by BIND, and three resolvers.

All of them run in the client's namespace, each at an address of its own; the owner's DNS delegates
lb.example.com to the edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import questions
from lab import EDGE4, EDGE6, Lab
from namespaces import add_address
from process import Process
from wait import wait_until

ROOT4, OWNER4 = "192.0.2.11", "192.0.2.12"
UNBOUND4, BIND4, KRESD4 = "192.0.2.21", "192.0.2.22", "192.0.2.23"
UNBOUND6 = "2001:db8::21"

ROOT_ZONE = f"""$TTL 3600
.            SOA  a.root-servers.example. hostmaster.example. 1 3600 900 604800 60
.            NS   a.root-servers.example.
a.root-servers.example. A {ROOT4}
com.         NS   a.tld-servers.example.
a.tld-servers.example. A {ROOT4}
"""

COM_ZONE = f"""$ORIGIN com.
$TTL 3600
@            SOA  a.tld-servers.example. hostmaster.example. 1 3600 900 604800 60
@            NS   a.tld-servers.example.
example      NS   ns.example
ns.example   A    {OWNER4}
"""

OWNER_ZONE = f"""$ORIGIN example.com.
$TTL 3600
@            SOA  ns hostmaster 1 3600 900 604800 60
@            NS   ns
ns           A    {OWNER4}
www          CNAME www.lb
lb           NS   e17.ns.lb
e17.ns.lb    A    {EDGE4}
e17.ns.lb    AAAA {EDGE6}
"""

HINTS = f". 3600000 NS a.root-servers.example.\na.root-servers.example. 3600000 A {ROOT4}\n"

KNOT = """server:
  rundir: {directory}
  listen: {address}@53
  automatic-acl: off
database:
  storage: {directory}
zone:
  - domain: .
    storage: {directory}
    file: root.zone
    zonefile-load: whole
    journal-content: none
  - domain: com
    storage: {directory}
    file: com.zone
    zonefile-load: whole
    journal-content: none
"""

NAMED = """options {{
  directory "{directory}";
  pid-file none;
  session-keyfile none;
  listen-on {{ {address}; }};
  listen-on-v6 {{ none; }};
  query-source address {address};
  notify no;
  dnssec-validation no;
  empty-zones-enable no;
  {options}
}};
controls {{ }};
{zones}
"""

UNBOUND = """server:
  directory: "{directory}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  num-threads: 1
  interface: {address}
  access-control: 0.0.0.0/0 allow
  outgoing-interface: {address}
  outgoing-interface: {address6}
  prefer-ip6: yes
  use-caps-for-id: yes
  root-hints: "{directory}/hints"
  module-config: "subnetcache iterator"
  send-client-subnet: {edge4}
  send-client-subnet: {edge6}
remote-control:
  control-enable: no
"""

KRESD = """net.listen('{address}', 53, {{ kind = 'dns' }})
net.outgoing_v4('{address}')
net.ipv6 = false
trust_anchors.remove('.')
modules.unload('priming')
modules.unload('ta_signal_query')
modules.unload('ta_sentinel')
modules.load('hints > iterate')
hints.root({{ ['a.root-servers.example.'] = {{ '{root}' }} }})
cache.open(10 * MB, 'lmdb://{directory}/cache')
"""


@dataclass
class Resolver:
    """A recursive resolver of the lab, as its clients see it."""

    name: str
    address: str
    lab: Lab

    def dig(self, *arguments: str) -> questions.Reply:
        """dig as a user of this resolver, with time for it to walk the tree."""
        return questions.read_reply(self.lab.client.attempt(
            "dig", "-r", "+tries=2", "+time=5", f"@{self.address}", *arguments).stdout)


def _own_directory(lab: Lab, name: str) -> Path:
    path = lab.directory / name
    path.mkdir()
    return path


def _wait_for(lab: Lab, process: Process, address: str, name: str) -> None:
    """Returns when the server answers a question for a name that it must know."""
    def answers() -> bool:
        process.must_run()
        return questions.dig(lab.client, f"@{address}", name, "SOA").status == "NOERROR"
    wait_until(f"{process.name} answers {name} SOA at {address}", answers, timeout=20)


def start_authorities(lab: Lab) -> None:
    """Root and com on Knot, example.com on BIND."""
    add_address(lab.client, "client0", *(f"{address}/24" for address in (ROOT4, OWNER4, UNBOUND4, BIND4, KRESD4)),
                f"{UNBOUND6}/64")
    directory = _own_directory(lab, "knot")
    (directory / "root.zone").write_text(ROOT_ZONE)
    (directory / "com.zone").write_text(COM_ZONE)
    (directory / "knot.conf").write_text(KNOT.format(directory=directory, address=ROOT4))
    knot = lab.start(lab.client, "knot", "knotd", "-c", str(directory / "knot.conf"))
    directory = _own_directory(lab, "owner")
    (directory / "example.com.zone").write_text(OWNER_ZONE)
    (directory / "named.conf").write_text(NAMED.format(
        directory=directory, address=OWNER4, options="recursion no;",
        zones='zone "example.com" { type primary; file "example.com.zone"; };'))
    owner = lab.start(lab.client, "owner", "named", "-f", "-n", "1", "-c", str(directory / "named.conf"))
    _wait_for(lab, knot, ROOT4, "com")
    _wait_for(lab, owner, OWNER4, "example.com")


def start_unbound(lab: Lab) -> Resolver:
    """Unbound sends ECS to the edge, mixes the case, and prefers IPv6."""
    directory = _own_directory(lab, "unbound")
    (directory / "hints").write_text(HINTS)
    config = directory / "unbound.conf"
    config.write_text(UNBOUND.format(directory=directory, address=UNBOUND4, address6=UNBOUND6,
                                     edge4=EDGE4, edge6=EDGE6))
    process = lab.start(lab.client, "unbound", "unbound", "-d", "-d", "-c", str(config))
    _wait_for(lab, process, UNBOUND4, "example.com")
    return Resolver("unbound", UNBOUND4, lab)


def start_bind(lab: Lab) -> Resolver:
    """BIND sends a COOKIE and DO=1."""
    directory = _own_directory(lab, "bind")
    (directory / "hints").write_text(HINTS)
    config = directory / "named.conf"
    config.write_text(NAMED.format(directory=directory, address=BIND4, options="recursion yes; allow-query { any; };",
                                   zones='zone "." { type hint; file "hints"; };'))
    process = lab.start(lab.client, "bind", "named", "-f", "-n", "1", "-c", str(config))
    _wait_for(lab, process, BIND4, "example.com")
    return Resolver("bind", BIND4, lab)


def start_kresd(lab: Lab) -> Resolver:
    """Knot Resolver mixes the case and minimises the QNAME."""
    directory = _own_directory(lab, "kresd")
    config = directory / "kresd.conf"
    config.write_text(KRESD.format(directory=directory, address=KRESD4, root=ROOT4))
    process = lab.start(lab.client, "kresd", "kresd", "--noninteractive", "-c", str(config), str(directory))
    _wait_for(lab, process, KRESD4, "example.com")
    return Resolver("kresd", KRESD4, lab)


STARTERS = {"unbound": start_unbound, "bind": start_bind, "kresd": start_kresd}
