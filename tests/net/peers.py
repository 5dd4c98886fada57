# SPDX-License-Identifier: BSD-2-Clause
"""The web servers of the lab: stock nginx, one in the namespace of each server."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from namespaces import Namespace
from process import Process
from wait import wait_until

if TYPE_CHECKING:
    from stage import Stage

NGINX = """
daemon off;
master_process off;
pid {directory}/{name}.pid;
error_log stderr warn;
user root;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {directory}/{name}-body;
  proxy_temp_path {directory}/{name}-proxy;
  fastcgi_temp_path {directory}/{name}-fastcgi;
  uwsgi_temp_path {directory}/{name}-uwsgi;
  scgi_temp_path {directory}/{name}-scgi;
  server {{
    listen 80;
    listen [::]:80;
    default_type text/plain;
    location / {{
      if (-f {directory}/{name}.503) {{ return 503 "{name} is broken\\n"; }}
      return 200 "{name} served $host$request_uri\\n";
    }}
  }}
}}
"""


def accepts(space: Namespace, address: str, port: int) -> bool:
    """Whether something accepts TCP connections there."""
    with space.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.settimeout(1)
        return sock.connect_ex((address, port)) == 0


def start_nginx(lab: Stage, space: Namespace, name: str) -> Process:
    """A web server that answers every request with its own name; with 503 as long as the lab has a file NAME.503."""
    process = begin_nginx(lab, space, name)
    wait_for_nginx(process, space)
    return process


def begin_nginx(lab: Stage, space: Namespace, name: str) -> Process:
    """Starts it and returns at once."""
    config = lab.directory / f"{name}.conf"
    config.write_text(NGINX.format(directory=lab.directory, name=name))
    return lab.start(space, name, "nginx", "-e", "stderr", "-p", str(lab.directory), "-c", str(config))


def wait_for_nginx(process: Process, space: Namespace) -> None:
    """Returns when it accepts connections."""
    def serves() -> bool:
        process.must_run()
        return accepts(space, "127.0.0.1", 80)
    wait_until(f"nginx of {process.name} accepts connections", serves)
