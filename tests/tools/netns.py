# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks of namespaces: a hub with a server, and homes that are linked to it and to nothing else."""
import ctypes
import os
import pathlib
import re
import subprocess

CLONE_NEWNET = 0x40000000


def ip(*words, check=True):
    subprocess.run(["ip", *words], check=check, capture_output=True)


def isolate():
    """A network of our own, where that may be made: then two runs on one machine do not meet. Peers take a machine without an interface for
    offline, so there is one, which leads nowhere. The machine's name servers are out of reach, and say so at once: a peer that asks for a
    name goes on without an answer. An ordinary user's tests share the machine's loopback."""
    if os.geteuid() == 0 and ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0:
        ip("link", "set", "lo", "up")
        ip("link", "add", "up0", "type", "veth", "peer", "name", "nowhere")
        ip("address", "add", "10.66.0.1/24", "dev", "up0")
        for end in ("up0", "nowhere"):
            ip("link", "set", end, "up")
        ip("route", "add", "default", "via", "10.66.0.2")
        resolver = pathlib.Path("/etc/resolv.conf")
        for server in re.findall(r"^nameserver\s+([\d.]+)", resolver.read_text() if resolver.exists() else "", re.MULTILINE):
            if not server.startswith("127."):
                ip("route", "replace", "unreachable", server)


class Network:
    """`hub` has 10.64.N.1 on the link to the home N, which has 10.64.N.2 (and what is added). The hub forwards nothing. The namespaces
    are called PREFIX-PID-hub and PREFIX-PID-N: two runs do not meet."""

    def __init__(self, prefix):
        self.sweep(prefix)
        self.prefix = f"{prefix}-{os.getpid()}"
        self.hub = f"{self.prefix}-hub"
        self.names = []

    @staticmethod
    def sweep(prefix):
        """What runs left that were killed."""
        for path in pathlib.Path("/run/netns").glob(f"{prefix}-*-*"):
            pid = path.name[len(prefix) + 1:].partition("-")[0]
            if pid.isdigit() and not pathlib.Path(f"/proc/{pid}").exists():
                ip("netns", "del", path.name, check=False)

    def add(self, name):
        ip("netns", "add", name)
        self.names.append(name)
        ip("-n", name, "link", "set", "lo", "up")

    def start(self, homes):
        self.add(self.hub)
        for number in range(1, homes + 1):
            name = f"{self.prefix}-{number}"
            self.add(name)
            ip("-n", self.hub, "link", "add", f"to{number}", "type", "veth", "peer", "name", "up0", "netns", name)
            ip("-n", self.hub, "address", "add", f"10.64.{number}.1/24", "dev", f"to{number}")
            ip("-n", name, "address", "add", f"10.64.{number}.2/24", "dev", "up0")
            ip("-n", self.hub, "link", "set", f"to{number}", "up")
            ip("-n", name, "link", "set", "up0", "up")
            ip("-n", name, "route", "add", "default", "via", f"10.64.{number}.1")

    def stop(self):
        for name in self.names:
            ip("netns", "del", name, check=False)

    def enter(self, name, then=None):
        """For preexec_fn: what is executed lives there."""
        def run():
            handle = os.open(f"/run/netns/{name}", os.O_RDONLY)
            if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            os.close(handle)
            if then:
                then()
        return run

    def call(self, name, function):
        """Runs the function there: sockets, threads and processes that it makes belong there."""
        handle = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            self.enter(name)()
            return function()
        finally:
            if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            os.close(handle)

    def home(self, number):
        return f"{self.prefix}-{number}"

    def filter(self, number, *rules):
        """Replaces what the home lets out: rules of an nft output chain whose policy is accept."""
        text = "flush ruleset\ntable inet way {\nchain out {\ntype filter hook output priority 0;\n" + "\n".join(rules) + "\n}\n}\n"
        subprocess.run(["ip", "netns", "exec", self.home(number), "nft", "-f", "-"], input=text, text=True, check=True)
