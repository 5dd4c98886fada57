# SPDX-License-Identifier: BSD-2-Clause
"""What the checks are tried on: an edge and a far namespace with web, TLS and DNS servers, a silent port, a black hole.

    edge 192.0.2.53, 2001:db8::53 ---- far 198.51.100.1, 2001:db8:1::1
                                       .80 nginx, NSD    .99 black hole    .98 unreachable
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import dns.message
import dns.query

from environment import build_directory, missing_programs
from namespaces import Namespace, add_address, connect, run
from process import Process
from wait import wait_until

SERVER4, SERVER6 = "198.51.100.80", "2001:db8:1::80"
BLACK_HOLE4, BLACK_HOLE6 = "198.51.100.99", "2001:db8:1::99"
UNREACHABLE4, UNREACHABLE6 = "198.51.100.98", "2001:db8:1::98"
SILENT, MUTE = 7001, 7002  # accepts and never answers; closes without an answer
NAME = "www.example.com"

NGINX = """
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log;
worker_processes 1;
user root;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  default_type text/plain;
  server {{
    listen 80;
    listen [::]:80;
    location / {{ return 200 "$host says all is well\\n"; }}
    location = /busy {{ return 503 "busy\\n"; }}
    location = /moved {{ return 301 "/"; }}
    location = /host {{ if ($http_host != "{name}") {{ return 421; }} return 204; }}
    location = /agent {{ if ($http_user_agent != "nearside") {{ return 403; }} return 204; }}
    location = /head {{ if ($request_method != "HEAD") {{ return 405; }} return 200; }}
  }}
{tls}
}}
"""

TLS = """  server {{
    listen {port} ssl;
    listen [::]:{port} ssl;
    ssl_certificate {directory}/{certificate}.pem;
    ssl_certificate_key {directory}/key.pem;
    location / {{ return 200 "$ssl_server_name\\n"; }}
  }}
"""
# Certificate -> the port where nginx shows it.
TLS_PORTS = {"good": 443, "expired": 444, "other-name": 445, "self-signed": 446, "address": 447, "not-yet": 448}

NSD = """server:
  ip-address: {address4}
  ip-address: {address6}
  port: 53
  server-count: 1
  username: ""
  zonesdir: "{directory}"
  database: ""
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd"
  zonelistfile: "{directory}/zones"
  xfrdir: "{directory}"
remote-control:
  control-enable: no
zone:
  name: example.com
  zonefile: example.com.zone
"""

ZONE = """$ORIGIN example.com.
$TTL 60
@    SOA ns hostmaster 1 3600 600 86400 60
@    NS  ns
@    MX  10 mail
ns   A   198.51.100.80
www  A   192.0.2.1
www  A   192.0.2.2
www  AAAA 2001:db8::1
"""

OPENSSL = """[ca]
default_ca = ours
[ours]
new_certs_dir = {directory}
database = {directory}/index
serial = {directory}/serial
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
"""

_numbers = itertools.count(1)


def missing_for_checks() -> str:
    """Why this lab cannot be made here, as one sentence; empty: it can."""
    if os.geteuid() != 0:
        return "the lab needs root: it makes network namespaces"
    if absent := missing_programs("ip", "nsenter", "ethtool", "nginx", "nsd", "openssl", "setpriv"):
        return absent
    binary = build_directory() / "cli" / "nearside"
    return "" if binary.exists() else f"{binary} is not there: build first (./dev build)"


class CheckLab:
    """The two namespaces and all servers; leaving the `with` block removes them."""

    def __init__(self) -> None:
        self.id = f"{os.getpid()}c{next(_numbers)}"
        self.directory = Path(tempfile.mkdtemp(prefix=f"nearside-checks-{self.id}-"))
        self._undo = contextlib.ExitStack()
        self.config = self.directory / "nearsided.toml"

    def __enter__(self) -> CheckLab:
        self._undo.callback(shutil.rmtree, self.directory, ignore_errors=True)
        try:
            self._make_network()
            self._make_certificates()
            self._start_nginx()
            self._start_nsd()
            self._start_silent()
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def _make_network(self) -> None:
        self.edge, self.far = Namespace(f"nscheck-{self.id}-edge"), Namespace(f"nscheck-{self.id}-far")
        self._undo.callback(self.far.remove)
        self._undo.callback(self.edge.remove)
        connect(self.edge, "edge0", self.far, "far0")
        add_address(self.edge, "edge0", "192.0.2.53/24", "2001:db8::53/64")
        add_address(self.far, "far0", "192.0.2.1/24", "2001:db8::1/64")
        add_address(self.far, "lo", f"{SERVER4}/32", f"{SERVER6}/128")
        self.edge.run("ip", "route", "add", "198.51.100.0/24", "via", "192.0.2.1")
        self.edge.run("ip", "route", "add", "2001:db8:1::/64", "via", "2001:db8::1")
        self.far.set_option("net/ipv4/ip_forward", "1")
        self.far.set_option("net/ipv6/conf/all/forwarding", "1")
        # A router tells a host once a second that something is unreachable; tests come faster.
        self.far.set_option("net/ipv4/icmp_ratelimit", "0")
        self.far.set_option("net/ipv6/icmp/ratelimit", "0")
        for kind, address4, address6 in (("blackhole", BLACK_HOLE4, BLACK_HOLE6),
                                         ("unreachable", UNREACHABLE4, UNREACHABLE6)):
            self.far.run("ip", "route", "add", kind, address4)
            self.far.run("ip", "route", "add", kind, address6)

    # Certificates

    def _openssl(self, *arguments: str) -> None:
        run("openssl", *arguments)

    def _make_certificates(self) -> None:
        here = self.directory
        (here / "ca.conf").write_text(OPENSSL.format(directory=here))
        (here / "index").write_text("")
        (here / "serial").write_text("1000\n")
        elliptic = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        self._openssl("req", "-x509", *elliptic, "-keyout", f"{here}/ca-key.pem", "-out", f"{here}/ca.pem",
                      "-subj", "/CN=Lab CA", "-days", "3650")
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{here}/key.pem")
        self._openssl("req", "-x509", "-key", f"{here}/key.pem", "-out", f"{here}/self-signed.pem",
                      "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-days", "30")
        self._sign("good", f"DNS:{NAME}", "20200101000000Z", "20991231235959Z")
        an_hour_ago = datetime.now(timezone.utc) - timedelta(hours=1)
        self._sign("expired", f"DNS:{NAME}", "20200101000000Z", f"{an_hour_ago:%Y%m%d%H%M%SZ}")
        self._sign("not-yet", f"DNS:{NAME}", "20980101000000Z", "20991231235959Z")
        self._sign("other-name", "DNS:mail.example.com", "20200101000000Z", "20991231235959Z")
        self._sign("address", f"IP:{SERVER4},IP:{SERVER6}", "20200101000000Z", "20991231235959Z")

    def _sign(self, certificate: str, names: str, begin: str, end: str) -> None:
        """A certificate of our CA with dates of our choice: no clock has to be turned."""
        request = f"{self.directory}/{certificate}.csr"
        self._openssl("req", "-new", "-key", f"{self.directory}/key.pem", "-out", request,
                      "-subj", f"/CN={certificate}", "-addext", f"subjectAltName={names}")
        self._openssl("ca", "-batch", "-notext", "-config", f"{self.directory}/ca.conf",
                      "-cert", f"{self.directory}/ca.pem", "-keyfile", f"{self.directory}/ca-key.pem",
                      "-in", request, "-out", f"{self.directory}/{certificate}.pem", "-startdate", begin, "-enddate", end)

    # Servers

    def _start(self, name: str, *command: str) -> Process:
        process = self.far.start(name, list(command), self.directory / f"{name}.log")
        self._undo.callback(process.stop)
        return process

    def _start_nginx(self) -> None:
        tls = "".join(TLS.format(port=port, directory=self.directory, certificate=certificate)
                      for certificate, port in TLS_PORTS.items())
        config = self.directory / "nginx.conf"
        config.write_text(NGINX.format(directory=self.directory, name=NAME, tls=tls))
        nginx = self._start("nginx", "nginx", "-e", "stderr", "-p", str(self.directory), "-c", str(config))

        def serves() -> bool:
            nginx.must_run()
            with self.far.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
                return sock.connect_ex(("127.0.0.1", 80)) == 0
        wait_until("nginx accepts connections", serves)

    def _start_nsd(self) -> None:
        here = self.directory / "nsd"
        here.mkdir()
        (here / "nsd.conf").write_text(NSD.format(directory=here, address4=SERVER4, address6=SERVER6))
        (here / "example.com.zone").write_text(ZONE)
        nsd = self._start("nsd", "nsd", "-d", "-c", str(here / "nsd.conf"))

        def answers() -> bool:
            nsd.must_run()
            with self.far.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                with contextlib.suppress(Exception):
                    dns.query.udp(dns.message.make_query("example.com", "SOA"), SERVER4, timeout=0.3, sock=sock)
                    return True
            return False
        wait_until("NSD answers", answers, timeout=10)

    def _start_silent(self) -> None:
        """A port that accepts and never answers, and one that closes what it has accepted."""
        listeners = {}
        for port in (SILENT, MUTE):
            sock = self.far.socket(socket.AF_INET6, socket.SOCK_STREAM)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.bind(("::", port))
            sock.listen(64)
            self._undo.callback(sock.close)
            listeners[port] = sock
        # The kernel completes the handshakes of the silent one; only the other needs someone to accept.
        mute = listeners[MUTE]

        def close_each() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted, _ = mute.accept()
                    accepted.recv(4096)
                    accepted.close()
        threading.Thread(target=close_each, daemon=True).start()
        self._undo.callback(mute.shutdown, socket.SHUT_RDWR)

    # Probing

    def write_check(self, **keys: object) -> None:
        """The configuration with this one check, `check`. It has time, for a machine that is busy with other things."""
        lines = [f"{key} = {json.dumps(value)}" for key, value in {"name": "check", "timeout": "5s", **keys}.items()]
        self.config.write_text(f'''[node]
name = "e17.ns.lb.example.com"
id = "e17"

[edge]
interfaces = ["edge0"]
listen = ["192.0.2.53"]

[[server]]
name = "fra1"
ipv4 = "{SERVER4}"
ipv6 = "{SERVER6}"

[[check]]
''' + "\n".join(lines) + "\n")

    def attempt(self, address: str, *more: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """nearside probe of the check written last, in the edge's namespace."""
        return self.edge.attempt(*prefix, str(build_directory() / "cli" / "nearside"), "probe", "--config",
                                 str(self.config), "check", address, *more)

    def probe(self, address: str, *more: str, **keys: object) -> dict[str, object]:
        """Writes the check and runs it once; the sample."""
        self.write_check(**keys)
        done = self.attempt(address, "--json", *more)
        assert done.stdout, done.stderr
        told = json.loads(done.stdout)
        assert told["address"] == address
        [sample] = told["samples"]
        assert done.returncode == (0 if sample["outcome"] == "ok" else 8), done
        return sample
