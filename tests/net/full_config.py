# SPDX-License-Identifier: BSD-2-Clause
"""Configuration of the full lab's edges and backbone nodes: the one place that knows how the keys are called.

As an operator would write it, but impatient: what takes minutes by default takes a second or two here.
"""

from __future__ import annotations

from pathlib import Path

from authority import Certificate
from balanced import QUICK_FIGURES, balance, check, server
from full_plan import BACKBONES, EDGES, ETCD, ISPS, SERVERS, ZONE, Backbone, Isp

# The mapped names, by the mode in which backbone nodes answer them.
MODES = {"www": "referral", "direct": "direct", "auto": "auto"}

# A server is left within seconds; clients that ask through a resolver follow as soon as its cache lets them.
TTL, TTL_MIN, REFERRAL_TTL = 2, 1, 30
# The kernel of a node whose agent is gone answers so long.
LEASE = "2s"
# A registration counts so long without a renewal; the least that the protocol allows.
LIFETIME_S = 10
# Older than an edge that is out of referrals after its agent died: for a while it is dead and its report is still good.
REPORT_MAX_AGE_S, REPORT_REFRESH_S = 6, 1

ETCD_USER, ETCD_PREFIX = "nearside", "/nearside/edges/"

# The operator's own table, for clients that a resolver tells of by ECS: egresses are /32, and no row covers a /24.
TABLED = ("isp1", "isp3")
PREFIX_TABLE = "".join(f"{prefix} {ISPS[name].edge_name}\n" for name in TABLED for prefix in ISPS[name].prefixes)

# Small maps: there are six nodes on one machine.
MAPS = "[maps]\nnames = 256\nlong_names = 16\nsets = 256\nsmall_images = 1024\nlarge_images = 1024\n"
BACKBONE_MAPS = MAPS + "mapping4 = 1024\nmapping6 = 1024\nsites = 64\n"

# Twelve addresses from four edges: seldom enough for one machine, often enough to see a change in about a second.
CHECKS = check("web", interval="1s", interval_in_use="250ms", timeout="1s") + QUICK_FIGURES
FIGURED_SERVERS = "".join(server(name, addresses) for name, addresses in SERVERS.items())


def edge_config(isp: Isp, directory: Path, identity: Certificate, ca: Path, resolv_conf: Path,
                backbones: tuple[str, ...] = tuple(BACKBONES)) -> str:
    """An edge node: it measures all servers, serves each mapped name as a zone of its own, and registers at backbones."""
    zones = "".join(f'''
[[zone]]
name = "{name}.{ZONE}"
ttl = "{TTL}s"
ns = ["{isp.edge_name}"]
parent = "backbone"
''' + balance("@", " ".join(SERVERS), ttl=f"{TTL}s", ttl_min=f"{TTL_MIN}s") for name in MODES)
    return (_node(isp.edge_name, isp.edge_id, directory) + f'''
[edge]
interfaces = ["up0"]
listen = {_texts(isp.edge)}
lease = "{LEASE}"
replies = "swap"
''' + _registration(identity, ca, resolv_conf, backbones) + MAPS + CHECKS + FIGURED_SERVERS + zones)


def _registration(identity: Certificate, ca: Path, resolv_conf: Path, backbones: tuple[str, ...]) -> str:
    return f'''
[registration]
ca = "{ca}"
certificate = "{identity.certificate}"
key = "{identity.key}"
resolv_conf = "{resolv_conf}"
lifetime = "{LIFETIME_S}s"
burst = 60
trickle = "1s"
refresh = "{REPORT_REFRESH_S}s"
''' + "".join(f'''
[[registration.backbone]]
address = "{backbone.address[0]}:8443"
name = "{backbone.ns}"
''' for backbone in map(BACKBONES.__getitem__, backbones))


def backbone_config(backbone: Backbone, directory: Path, identity: Certificate, ca: Path, etcd_ca: Path,
                    password_file: Path, prefix_table: Path) -> str:
    """A backbone node: lb.example.com with its mapped names, the nonce zones, registration, and what is shared by etcd."""
    records = "\n".join(
        line for node in BACKBONES.values()
        for line in (f"{node.ns}. 3600 A {node.address[0]}", f"{node.ns}. 3600 AAAA {node.address[1]}",
                     f"{node.direct_ns}. 3600 A {node.direct[0]}", f"{node.direct_ns}. 3600 AAAA {node.direct[1]}",
                     f"{node.nonce_zone}. 3600 NS {node.ns}."))
    return (_node(backbone.ns, backbone.name, directory) + f'''
[backbone]
interfaces = ["up0"]
listen = {_texts(backbone.address)}
direct_listen = {_texts(backbone.direct)}
direct_ns = {_texts([node.direct_ns for node in BACKBONES.values()])}
nonce_zone = "{backbone.nonce_zone}"
lease = "{LEASE}"
replies = "swap"
registration_listen = ["{backbone.address[0]}:8443"]
certificate = "{identity.certificate}"
key = "{identity.key}"
client_ca = "{ca}"
report_max_age = "{REPORT_MAX_AGE_S}s"
check_interval = "250ms"
check_timeout = "500ms"
prefix_table = "{prefix_table}"
''' + "".join(f'''
[[backbone.edge]]
name = "{isp.edge_name}"
weight = 1
''' for isp in EDGES.values()) + f'''
[backbone.etcd]
endpoints = ["https://{ETCD[0]}:2379"]
ca = "{etcd_ca}"
user = "{ETCD_USER}"
password_file = "{password_file}"
prefix = "{ETCD_PREFIX}"

''' + BACKBONE_MAPS + FIGURED_SERVERS + f"""
[[zone]]
name = "{ZONE}"
ttl = "{TTL}s"
ns = {_texts([node.ns for node in BACKBONES.values()])}
referral_ttl = "{REFERRAL_TTL}s"
records = '''
{records}
'''
""" + "".join(f'''
[[zone.balance]]
name = "{name}"
mode = "{mode}"
servers = {_texts(SERVERS)}
ttl = "{TTL}s"
ttl_min = "{TTL_MIN}s"
''' for name, mode in MODES.items()))


def _node(name: str, short: str, directory: Path) -> str:
    return f'''[node]
name = "{name}"
id = "{short}"
version = "nearside lab"

[control]
socket = "{directory}/control.sock"

[state]
directory = "{directory}/state"
'''


def _texts(values: object) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"  # type: ignore[attr-defined]
