# SPDX-License-Identifier: BSD-2-Clause
"""The DNS above Nearside in the full lab: root and TLD on Knot, the owner's zone on BIND, over IPv4 and IPv6."""

from __future__ import annotations

from pathlib import Path

from full_plan import BACKBONES, OWNER, OWNER_ZONE, ROOT, WWW, ZONE
from namespaces import Namespace
from process import Process
from stage import Stage

SOA = "hostmaster.example. 1 3600 900 604800 60"

ROOT_ZONE = f"""$TTL 3600
.            SOA  a.root-servers.example. {SOA}
.            NS   a.root-servers.example.
a.root-servers.example. A {ROOT[0]}
a.root-servers.example. AAAA {ROOT[1]}
com.         NS   a.tld-servers.example.
a.tld-servers.example. A {ROOT[0]}
a.tld-servers.example. AAAA {ROOT[1]}
"""

COM_ZONE = f"""$ORIGIN com.
$TTL 3600
@            SOA  a.tld-servers.example. {SOA}
@            NS   a.tld-servers.example.
example      NS   ns.example
ns.example   A    {OWNER[0]}
ns.example   AAAA {OWNER[1]}
"""

# What docs/ tell an owner to put into his zone: the delegation with its glue, and a CNAME for each balanced name.
DELEGATION = "".join(f"""{ZONE}. NS {backbone.ns}.
{backbone.ns}. A {backbone.address[0]}
{backbone.ns}. AAAA {backbone.address[1]}
""" for backbone in BACKBONES.values())

OWNER_RECORDS = f"""$ORIGIN {OWNER_ZONE}.
$TTL 3600
@            SOA  ns {SOA}
@            NS   ns
ns           A    {OWNER[0]}
ns           AAAA {OWNER[1]}
{WWW}. CNAME www.{ZONE}.
{DELEGATION}"""

HINTS = f""". 3600000 NS a.root-servers.example.
a.root-servers.example. 3600000 A {ROOT[0]}
a.root-servers.example. 3600000 AAAA {ROOT[1]}
"""

KNOT = """server:
  rundir: {directory}
  listen: [{addresses}]
  automatic-acl: off
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: {directory}
zone:
""" + "".join(f"""  - domain: {zone}
    storage: {{directory}}
    file: {file}.zone
    zonefile-load: whole
    journal-content: none
""" for zone, file in ((".", "root"), ("com", "com")))

NAMED = """options {{
  directory "{directory}";
  pid-file none;
  session-keyfile none;
  listen-on {{ {address4}; }};
  listen-on-v6 {{ {address6}; }};
  notify no;
  dnssec-validation no;
  empty-zones-enable no;
  max-cache-size 16m;
  {options}
}};
controls {{ }};
{zones}
"""


def own_directory(lab: Stage, name: str) -> Path:
    """A directory for the files of one server."""
    path = lab.directory / name
    path.mkdir(exist_ok=True)
    return path


def start_root(lab: Stage, space: Namespace) -> Process:
    """Root and com. Returns at once, as all that is started here does."""
    directory = own_directory(lab, "root")
    (directory / "root.zone").write_text(ROOT_ZONE)
    (directory / "com.zone").write_text(COM_ZONE)
    (directory / "knot.conf").write_text(KNOT.format(directory=directory,
                                                     addresses=", ".join(f'"{address}@53"' for address in ROOT)))
    return lab.start(space, "root-knot", "knotd", "-c", str(directory / "knot.conf"))


def start_owner(lab: Stage, space: Namespace) -> Process:
    """The owner's DNS."""
    directory = own_directory(lab, "owner")
    (directory / "owner.zone").write_text(OWNER_RECORDS)
    (directory / "named.conf").write_text(NAMED.format(
        directory=directory, address4=OWNER[0], address6=OWNER[1], options="recursion no;",
        zones=f'zone "{OWNER_ZONE}" {{ type primary; file "owner.zone"; }};'))
    return lab.start(space, "owner-bind", "named", "-f", "-n", "1", "-c", str(directory / "named.conf"))
