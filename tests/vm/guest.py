# SPDX-License-Identifier: BSD-2-Clause
"""One guest: qemu on a tap, queries through the tap, and what the kernel in the guest counted of them.

All of it happens in a child process with a network namespace of its own, without a name: tap and namespace are gone
when the child and its qemu are, however they ended.
"""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode

import initramfs
from kernels import Kernel

HERE = Path(__file__).resolve().parent
QUERIES = 50
NAME = "www.lb.example.com"
# Where to ask, for what, and what must come back in some order.
ASKED = (("192.0.2.53", "A", {"192.0.2.80", "192.0.2.81"}),
         ("2001:db8::53", "AAAA", {"2001:db8::80", "2001:db8::81"}))
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """The guest did not do what it should; the message says what, with the end of its logs."""


def _end_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: {done.stderr.strip()}")


def _make_network() -> None:
    if _libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    # Several queues: up to Linux 5.12 virtio_net runs XDP only with a queue to send on for each processor beside its own.
    _run("ip", "tuntap", "add", "dev", "tap0", "mode", "tap", "multi_queue")
    _run("ip", "address", "add", "192.0.2.1/24", "dev", "tap0")
    _run("ip", "address", "add", "2001:db8::1/64", "dev", "tap0", "nodad")
    # A checksum left to a NIC would never be finished, and the program checks it.
    _run("ethtool", "-K", "tap0", "tx", "off")
    _run("ip", "link", "set", "tap0", "up")


def _command(kernel: Kernel, work: Path) -> list[str]:
    return [
        "nice", "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off", "-smp", "2", "-m", "1024",
        "-kernel", str(kernel.image), "-initrd", str(work / "initramfs"),
        "-append", "console=ttyS0 quiet panic=-1 net.ifnames=0", "-serial", f"file:{work / 'console'}",
        "-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
        "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
        "-fsdev", f"local,id=work,path={work / 'shared'},security_model=none",
        "-device", "virtio-9p-pci,fsdev=work,mount_tag=work",
        "-netdev", "tap,id=net,ifname=tap0,script=no,downscript=no,queues=4",
        "-device", "virtio-net-pci,netdev=net,mq=on,vectors=10"]


def _logs(work: Path) -> str:
    shown = ""
    for name in ("console", "shared/guest.log", "shared/agent.log"):
        path = work / name
        if path.exists() and (text := path.read_text(errors="replace").strip()):
            shown += f"\n  --- {name} ---\n{text[-3000:]}"
    return shown


def _prepare(kernel: Kernel, build: Path, work: Path) -> Path:
    shared = work / "shared"
    shared.mkdir()
    for name in ("guest.sh", "edge.toml", "program_info.py"):
        shutil.copy(HERE / name, shared)
    (shared / "build").write_text(f"{build}\n")
    busybox = shutil.which("busybox")
    assert busybox
    (work / "initramfs").write_bytes(initramfs.build(kernel.modules, HERE / "init.sh", Path(busybox)))
    return shared


def _ask(address: str, rrtype: str, expected: set[str]) -> None:
    for number in range(1, QUERIES + 1):
        query = dns.message.make_query(NAME, rrtype)
        try:
            reply = dns.query.udp(query, address, timeout=5)
        except dns.exception.Timeout:
            raise Failure(f"{address}: query {number} of {QUERIES} was not answered") from None
        got = {record.to_text() for rrset in reply.answer for record in rrset}
        if reply.rcode() != dns.rcode.NOERROR or got != expected:
            raise Failure(f"{address}: query {number} of {QUERIES} had this answer:\n{reply}")


def _judge(shared: Path) -> str:
    mode = json.loads((shared / "attach.json").read_text())["mode"]
    if mode != "native":
        raise Failure(f"the program is attached in mode {mode}, not native")
    answered = json.loads((shared / "counters.json").read_text())["equation"]["answered"]
    if answered != len(ASKED) * QUERIES:
        raise Failure(f"the kernel answered {answered} of {len(ASKED) * QUERIES} queries")
    verified = json.loads((shared / "program.json").read_text())["verified_instructions"]
    return (f"native, {answered} of {len(ASKED) * QUERIES} queries answered by the kernel, verifier: "
            + (f"{verified} instructions" if verified else "does not tell its instructions"))


def _converse(kernel: Kernel, build: Path, work: Path, timeout: float) -> str:
    shared = _prepare(kernel, build, work)
    _make_network()
    deadline = time.monotonic() + timeout
    qemu = subprocess.Popen(_command(kernel, work), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=(work / "console").open("ab"), preexec_fn=_end_with_parent)
    try:
        while not (shared / "ready").exists():
            if qemu.poll() is not None:
                raise Failure("the guest ended before its agent was ready")
            if time.monotonic() > deadline:
                raise Failure(f"the guest's agent was not ready after {timeout:g} s")
            time.sleep(0.1)
        for address, rrtype, expected in ASKED:
            _ask(address, rrtype, expected)
        (shared / "asked").touch()
        qemu.wait(max(deadline - time.monotonic(), 20))
    except subprocess.TimeoutExpired:
        raise Failure("the guest did not end") from None
    finally:
        qemu.kill()
        qemu.wait()
    status = (shared / "status").read_text().strip() if (shared / "status").exists() else "none"
    if status != "0":
        raise Failure(f"the guest's script ended with status {status}")
    return _judge(shared)


def _child(kernel: Kernel, build: Path, timeout: float, work: Path, outcome: multiprocessing.SimpleQueue) -> None:
    _end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        outcome.put((True, f"{kernel.version}: " + _converse(kernel, build, work, timeout)))
    except (Failure, OSError, ValueError, KeyError) as broken:
        outcome.put((False, f"{kernel.version}: {broken}{_logs(work)}"))


def check(kernel: Kernel, build: Path, timeout: float) -> str:
    """Boots one kernel and asks it; a sentence about what was seen, or raises Failure."""
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory(prefix="nearside-vm-") as directory:
        outcome = context.SimpleQueue()
        child = context.Process(target=_child, args=(kernel, build, timeout, Path(directory), outcome))
        child.start()
        try:
            child.join()
        finally:
            child.kill()
        if outcome.empty():
            raise Failure(f"{kernel.version}: the test's own process ended with status {child.exitcode}")
        good, told = outcome.get()
    if not good:
        raise Failure(told)
    return told
