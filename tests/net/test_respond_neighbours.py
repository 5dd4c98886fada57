# SPDX-License-Identifier: BSD-2-Clause
"""Our responder and NSD answer every question about the same master file alike, but for the differences listed here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from conftest import need

APEX = "lb.example."
ROOT = Path(__file__).resolve().parents[2]
MASTER_FILE = r"""$TTL 20
@ 300 IN SOA ns1 host 1 3600 600 86400 30
@       NS    ns1
@       NS    ns2
@       NS    ns.other.example.
@       MX    10 mail
@       TXT   "the apex"
ns1     A     192.0.2.1
ns1     AAAA  2001:db8::1
ns2     A     192.0.2.2
www     A     192.0.2.80
www     A     192.0.2.81
www     AAAA  2001:db8::80
mail    A     192.0.2.25
alias   CNAME www
alias2  CNAME alias
nowhere CNAME missing
noaaaa  CNAME mail
toent   CNAME ent
towild  CNAME x.wild
outside CNAME www.example.net.
inward  CNAME host.sub
tocut   CNAME sub
a.b.ent TXT   "below two empty non-terminals"
*.wild  A     192.0.2.7
*.wild  TXT   "synthesised"
there.wild TXT "itself"
deep.er.wild A 192.0.2.8
*.walias CNAME www
a.*.star TXT  "below an asterisk"
srv     SRV   0 0 53 mail
h       HTTPS 1 . alpn=h2
u       TYPE65280 \# 3 010203
sub     NS    ns.sub
sub     NS    ns.other.example.
sub     DS    1 13 2 0000000000000000000000000000000000000000000000000000000000000000
ns.sub  A     192.0.2.53
ns.sub  AAAA  2001:db8::53
host.sub A    192.0.2.54
plain   NS    ns.other.example.
kin     NS    ns.sub
"""
NAMES = """@ ns1 ns2 www WwW mail alias aLias2 nowhere noaaaa toent towild outside inward tocut ent b.ent a.b.ent
    c.b.ent x.a.b.ent wild x.wild x.y.wild *.wild x.*.wild there.wild x.there.wild er.wild x.er.wild
    deep.er.wild x.walias walias star x.star *.star a.*.star b.*.star srv h u sub ns.sub host.sub missing.sub
    x.y.sub plain x.plain kin x.kin missing x.missing \\000 www\\.x""".split()
TYPES = "A AAAA NS SOA CNAME MX TXT SRV HTTPS DS PTR CAA TYPE65280 TYPE1000".split()


def questions() -> list[tuple[str, str]]:
    return [(APEX if name == "@" else f"{name}.{APEX}", qtype) for name in NAMES for qtype in TYPES]


@pytest.fixture(scope="module")
def master_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("neighbours") / "lb.example.zone"
    path.write_text(MASTER_FILE)
    return path


class Ours:
    """The responder behind its standard input and output."""

    def __init__(self, program: Path, master_file: Path) -> None:
        self.process = subprocess.Popen([program, APEX, master_file], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, query: dns.message.Message) -> dns.message.Message:
        """Asks with the two octets of length that TCP has."""
        assert self.process.stdin and self.process.stdout
        wire = query.to_wire()
        self.process.stdin.write(len(wire).to_bytes(2, "big") + wire)
        self.process.stdin.flush()
        length = int.from_bytes(self.process.stdout.read(2), "big")
        return dns.message.from_wire(self.process.stdout.read(length))


@pytest.fixture(scope="module")
def ours(master_file: Path) -> Iterator[Ours]:
    build = ROOT / os.environ.get("NEARSIDE_BUILD", "build/dev")
    program = next((p for p in sorted(build.rglob("respond_stdio")) if p.is_file()), None)
    need("" if program else f"respond_stdio is not built below {build}")
    assert program is not None
    responder = Ours(program, master_file)
    yield responder
    assert responder.process.stdin
    responder.process.stdin.close()
    assert responder.process.wait(timeout=10) == 0


@pytest.fixture(scope="module")
def nsd_port(master_file: Path) -> Iterator[int]:
    """NSD in the foreground on a free port of 127.0.0.1, all its files in a folder of the test."""
    program = shutil.which("nsd", path=os.environ.get("PATH", "") + ":/usr/sbin")
    need("" if program else "nsd is not installed")
    folder = master_file.parent
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "nsd.conf"
    config.write_text(
        f'server:\n  ip-address: 127.0.0.1@{port}\n  username: ""\n  chroot: ""\n  zonesdir: "{folder}"\n'
        f'  database: ""\n  zonelistfile: "{folder}/zone.list"\n  xfrdfile: "{folder}/xfrd.state"\n'
        f'  xfrdir: "{folder}"\n  pidfile: "{folder}/nsd.pid"\n  logfile: "{folder}/nsd.log"\n  server-count: 1\n'
        f"  minimal-responses: no\n  rrl-ratelimit: 0\n"
        f'remote-control:\n  control-enable: no\nzone:\n  name: "{APEX}"\n  zonefile: "{master_file.name}"\n'
    )
    process = subprocess.Popen([str(program), "-d", "-c", str(config)])
    try:
        wait_until_answered(port, process, folder / "nsd.log")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait_until_answered(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    query = dns.message.make_query(APEX, "SOA")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            if dns.query.udp(query, "127.0.0.1", port=port, timeout=0.5).rcode() == dns.rcode.NOERROR:
                return
        except (dns.exception.Timeout, OSError):
            time.sleep(0.1)
    pytest.fail("nsd does not answer: " + (log.read_text() if log.exists() else ""), pytrace=False)


def records(section: list) -> set[tuple[str, str, int, str]]:
    """The RRs of a section; TTLs count, the case of names does not."""
    return {
        (rrset.name.to_text().lower(), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl, rdata.to_text().lower())
        for rrset in section
        for rdata in rrset
    }


def seen(reply: dns.message.Message) -> dict[str, object]:
    return {
        "rcode": dns.rcode.to_text(reply.rcode()),
        "aa": bool(reply.flags & dns.flags.AA),
        "answer": records(reply.answer),
        "authority": records(reply.authority),
        "additional": records(reply.additional),
    }


def without_known_differences(ours: dict, theirs: dict, qtype: str) -> tuple[dict, dict]:
    """NSD fills its replies up; takes that away, and nothing that answers the question."""
    ours, theirs = dict(ours), dict(theirs)
    if any(r[1] == "NS" for r in ours["authority"]):
        # Referrals: NSD has the DS only in signed zones, we always (RFC 4035 3.1.4 asks for it where there is one).
        ours["authority"] = {r for r in ours["authority"] if r[1] != "DS"}
        theirs["authority"] = {r for r in theirs["authority"] if r[1] != "DS"}
    if ours["answer"]:
        # Positive answers: NSD adds the apex NS to AUTHORITY and the addresses of names in these and in MX and SRV to
        # ADDITIONAL (RFC 1034 4.3.2 step 6 leaves it open); ours has addresses only beside NS, which are compared.
        theirs["authority"] = {r for r in theirs["authority"] if r[:2] != (APEX, "NS")}
        if qtype != "NS" and not any(r[1] == "NS" for r in theirs["authority"]):
            theirs["additional"] = set()
    return ours, theirs


@pytest.mark.parametrize("dnssec_ok", [False, True], ids=["plain", "do"])
def test_every_question_is_answered_as_nsd_does(ours: Ours, nsd_port: int, dnssec_ok: bool) -> None:
    """Positive answers, NODATA, NXDOMAIN, empty non-terminals, wildcards, CNAMEs and referrals agree."""
    differing = []
    for qname, qtype in questions():
        query = dns.message.make_query(qname, qtype, use_edns=0, payload=1232, want_dnssec=dnssec_ok)
        theirs = seen(dns.query.udp(query, "127.0.0.1", port=nsd_port, timeout=5))
        mine, theirs = without_known_differences(seen(ours.ask(query)), theirs, qtype)
        if mine != theirs:
            keys = [key for key in mine if mine[key] != theirs[key]]
            parts = [f"  {key}: ours {mine[key]}\n  {key}: nsd  {theirs[key]}" for key in keys]
            differing.append(f"{qname} {qtype}\n" + "\n".join(parts))
    assert not differing, f"{len(differing)} of {len(questions())} differ:\n" + "\n".join(differing)
