# SPDX-License-Identifier: BSD-2-Clause
"""Asking from within any namespace, by UDP or TCP, and what of a reply the tests of the full lab look at."""

from __future__ import annotations

import socket
from dataclasses import dataclass

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from namespaces import Namespace


@dataclass(frozen=True)
class Told:
    """One reply. Names are lower case without the final dot; addresses in the order of the reply."""

    status: str                        # RCODE; "timeout": no reply came
    aa: bool = False
    addresses: tuple[str, ...] = ()    # A or AAAA in ANSWER, whatever CNAME led to them
    texts: tuple[str, ...] = ()        # TXT in ANSWER
    ttl: int | None = None             # of those, else of the NS RRset
    ns: tuple[str, ...] = ()           # NS in AUTHORITY, or in ANSWER where NS was asked for
    cut: str = ""                      # their owner
    soa: str = ""                      # owner of the SOA in AUTHORITY
    glue: frozenset[tuple[str, str]] = frozenset()  # owner and address in ADDITIONAL
    scope: int | None = None           # of the client subnet option
    truncated: bool = False

    @property
    def refers(self) -> bool:
        """Whether it is a referral."""
        return self.status == "NOERROR" and not self.aa and not self.addresses and bool(self.ns)


def ask(space: Namespace, server: str, name: str, rrtype: str = "A", *, source: str = "", subnet: str = "",
        tcp: bool = False, recurse: bool = False, timeout: float = 2.0) -> Told:
    """Asks once, with EDNS and DO as resolvers do; where `source` is given, from that address."""
    options = [dns.edns.ECSOption.from_text(subnet)] if subnet else None
    query = dns.message.make_query(name, rrtype, use_edns=0, want_dnssec=True, options=options)
    query.flags = dns.flags.RD if recurse else 0
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    try:
        with space.socket(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout)
            if source:
                sock.bind((source, 0))
            if tcp:
                sock.connect((server, 53))
                sock.setblocking(False)
                reply = dns.query.tcp(query, server, timeout=timeout, sock=sock)
            else:
                # A connected socket is told at once when nobody listens there.
                sock.connect((server, 53))
                sock.send(query.to_wire())
                reply = dns.message.from_wire(sock.recv(65535))
                assert query.is_response(reply), reply
    except (dns.exception.Timeout, OSError):
        return Told("timeout")
    return told(reply)


def told(reply: dns.message.Message) -> Told:
    """What the tests look at."""
    def text(name: object) -> str:
        return str(name).rstrip(".").lower()
    answers = [(rrset, rdata) for rrset in reply.answer for rdata in rrset]
    addresses = [(rdata.address, rrset.ttl) for rrset, rdata in answers
                 if rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)]
    referral = [rrset for rrset in reply.authority + reply.answer if rrset.rdtype == dns.rdatatype.NS]
    soa = [text(rrset.name) for rrset in reply.authority if rrset.rdtype == dns.rdatatype.SOA]
    scopes = [option.scopelen for option in reply.options if isinstance(option, dns.edns.ECSOption)]
    return Told(
        status=dns.rcode.to_text(reply.rcode()), aa=bool(reply.flags & dns.flags.AA),
        addresses=tuple(address for address, _ in addresses),
        texts=tuple(b"".join(rdata.strings).decode() for rrset, rdata in answers if rrset.rdtype == dns.rdatatype.TXT),
        ttl=addresses[0][1] if addresses else referral[0].ttl if referral else None,
        ns=tuple(text(rdata.target) for rrset in referral[:1] for rdata in rrset),
        cut=text(referral[0].name) if referral else "", soa=soa[0] if soa else "",
        glue=frozenset((text(rrset.name), rdata.address) for rrset in reply.additional for rdata in rrset
                       if rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)),
        scope=scopes[0] if scopes else None, truncated=bool(reply.flags & dns.flags.TC))
