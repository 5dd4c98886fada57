# SPDX-License-Identifier: BSD-2-Clause
"""The ISPs' recursive resolvers in the full lab, one of each make: each walks from its own root hints.

They forget failures within seconds, not within minutes as by default, so that tests can follow each other. Unbound does
as by default: with a shorter memory it would fall for the same dead server again within one client's patience.
"""

from __future__ import annotations

from collections.abc import Callable

from full_authorities import HINTS, NAMED, own_directory
from full_plan import BACKBONES, EDGES, ROOT, Isp
from namespaces import Namespace
from process import Process
from stage import Stage

# The farm: a query leaves by one of eight addresses, taken at random. It sends ECS to whoever is ours. By default it does
# not send an answer that took longer than 1.9 s, since the client will ask again and find it in the cache; here, where
# answers are kept for 2 s, it would be gone by then.
UNBOUND = """server:
  directory: "{directory}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  num-threads: 1
  interface: {address4}
  interface: {address6}
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
{egresses}
  discard-timeout: 4000
  root-hints: "{directory}/hints"
  module-config: "subnetcache iterator"
{subnets}
remote-control:
  control-enable: no
"""

# Two resolvers in one process, each with a cache and an egress of its own: what a user asks decides.
BIND_VIEW = """view "{address4}" {{
  match-destinations {{ {address4}; {address6}; }};
  query-source address {address4};
  query-source-v6 address {address6};
  zone "." {{ type hint; file "hints"; }};
}};
"""

KRESD = """net.listen({{ '{address4}', '{address6}' }}, 53, {{ kind = 'dns' }})
net.outgoing_v4('{address4}')
net.outgoing_v6('{address6}')
trust_anchors.remove('.')
modules.unload('priming')
modules.unload('ta_signal_query')
modules.unload('ta_sentinel')
modules.load('hints > iterate')
hints.root({{ ['a.root-servers.example.'] = {{ '{root4}', '{root6}' }} }})
cache.open(10 * MB, 'lmdb://{directory}/cache')
cache.min_ttl(0)
"""

# dont-query: by default documentation addresses are not asked.
PDNS = """local-address={address4}, {address6}
query-local-address={address4}, {address6}
hint-file={directory}/hints
socket-dir={directory}
dont-query=
allow-from=0.0.0.0/0, ::/0
dnssec=off
daemon=no
write-pid=no
disable-syslog=yes
quiet=yes
security-poll-suffix=
threads=1
pdns-distributes-queries=no
max-cache-entries=10000
packetcache-servfail-ttl=1
minimum-ttl-override=0
server-down-throttle-time=2
non-resolving-ns-throttle-time=2
"""


def _unbound(lab: Stage, space: Namespace, isp: Isp) -> Process:
    directory = own_directory(lab, f"resolver-{isp.name}")
    (directory / "hints").write_text(HINTS)
    ours = [address for node in (*BACKBONES.values(), *EDGES.values())
            for address in (node.edge if isinstance(node, Isp) else (*node.address, *node.direct))]
    (directory / "unbound.conf").write_text(UNBOUND.format(
        directory=directory, address4=isp.resolver[0], address6=isp.resolver[1],
        egresses="\n".join(f"  outgoing-interface: {address}" for family in isp.egresses for address in family),
        subnets="\n".join(f"  send-client-subnet: {address}" for address in ours)))
    return lab.start(space, f"unbound-{isp.name}", "unbound", "-d", "-d", "-c", str(directory / "unbound.conf"))


def _bind(lab: Stage, space: Namespace, isp: Isp) -> Process:
    directory = own_directory(lab, f"resolver-{isp.name}")
    (directory / "hints").write_text(HINTS)
    both = (isp.resolver, isp.other_resolver)
    (directory / "named.conf").write_text(NAMED.format(
        directory=directory, address4="; ".join(pair[0] for pair in both), address6="; ".join(pair[1] for pair in both),
        options="recursion yes; allow-query { any; }; servfail-ttl 0; lame-ttl 0;",
        zones="".join(BIND_VIEW.format(address4=pair[0], address6=pair[1]) for pair in both)))
    return lab.start(space, f"bind-{isp.name}", "named", "-f", "-n", "1", "-c", str(directory / "named.conf"))


def _kresd(lab: Stage, space: Namespace, isp: Isp) -> Process:
    directory = own_directory(lab, f"resolver-{isp.name}")
    (directory / "kresd.conf").write_text(KRESD.format(
        directory=directory, address4=isp.resolver[0], address6=isp.resolver[1], root4=ROOT[0], root6=ROOT[1]))
    return lab.start(space, f"kresd-{isp.name}", "kresd", "--noninteractive", "-c", str(directory / "kresd.conf"),
                     str(directory))


def _pdns(lab: Stage, space: Namespace, isp: Isp) -> Process:
    directory = own_directory(lab, f"resolver-{isp.name}")
    (directory / "hints").write_text(HINTS)
    (directory / "recursor.conf").write_text(PDNS.format(
        directory=directory, address4=isp.resolver[0], address6=isp.resolver[1]))
    return lab.start(space, f"pdns-{isp.name}", "pdns_recursor", f"--config-dir={directory}")


_MAKERS: dict[str, Callable[[Stage, Namespace, Isp], Process]] = {
    "unbound": _unbound, "bind": _bind, "kresd": _kresd, "pdns": _pdns}
PROGRAMS = ("unbound", "named", "kresd", "pdns_recursor")


def start_resolver(lab: Stage, space: Namespace, isp: Isp) -> Process:
    """The resolver of an ISP, of the make that the plan says. Returns at once."""
    return _MAKERS[isp.make](lab, space, isp)
