# SPDX-License-Identifier: LGPL-2.1-or-later
"""phonectl -H over a real ssh: an sshd of our own with a key made on the spot, and a phone that is reached through it alone."""
import getpass
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest

HOST, PORT = "127.80.1.1", 22022
ANN, BEN = "127.80.1.2", "127.80.1.3"
EXIT_BUSY, TIMEOUT = 3, 30

SSHD_CONFIG = """
ListenAddress {host}:{port}
HostKey {folder}/host-key
PidFile none
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv XDG_RUNTIME_DIR={runtime} PATH={path}
"""
CLIENT_CONFIG = """
Host there
  HostName {host}
  Port {port}
  User {user}
  IdentityFile {folder}/key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known-hosts
  StrictHostKeyChecking yes
"""


class Remote:
    """phonectl on this side: without a session bus of its own, and an ssh that reads our configuration rather than the user's."""

    def __init__(self, phone, folder, sshd):
        self.phone, self.sshd = phone, sshd
        (folder / "bin").mkdir()
        wrapper = folder / "bin" / "ssh"
        wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/config "$@"\n')
        wrapper.chmod(0o755)
        self.environment = {key: value for key, value in os.environ.items() if key not in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")}
        self.environment["PATH"] = f"{folder}/bin:{os.environ['PATH']}"

    def start(self, *words):
        return subprocess.Popen([str(self.phone.phonectl), "-H", "there", *words], env=self.environment, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *words, stdin=None):
        process = self.start(*words)
        out, errors = process.communicate(stdin, timeout=TIMEOUT)
        return process.returncode, out, errors


def wait_for_port():
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            with socket.create_connection((HOST, PORT), timeout=1) as connection:
                return connection.recv(4)
        except OSError:
            assert time.monotonic() < deadline, "sshd does not listen"
            time.sleep(0.05)


@pytest.fixture
def folder(tmp_path):
    for name in ("host-key", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    kind, key, _ = (tmp_path / "host-key.pub").read_text().split(None, 2)
    (tmp_path / "known-hosts").write_text(f"[{HOST}]:{PORT} {kind} {key}\n")
    (tmp_path / "config").write_text(CLIENT_CONFIG.format(host=HOST, port=PORT, user=getpass.getuser(), folder=tmp_path))
    return tmp_path


@pytest.fixture
def ben(phones):
    phone = phones("ben", audio={"input": "tone", "output": "silence", "ring": "silence"}, config={"sip": {"bind": f"{BEN}:5060"}})
    phone.ctl("account", "add", "direct", f"aor=sip:ben@{BEN}", "register=false", "transport=udp")
    return phone


@pytest.fixture
def remote(phones, build, folder):
    """A phone behind an sshd."""
    phone = phones("ann", audio={"input": "tone", "output": "silence", "ring": "silence"}, config={"sip": {"bind": f"{ANN}:5060"}})
    (folder / "sshd-config").write_text(SSHD_CONFIG.format(host=HOST, port=PORT, folder=folder, runtime=phone.home / "runtime",
                                                          path=f"{build}/client:/usr/bin:/bin"))
    if os.geteuid() == 0:
        pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd-config")], stderr=open(folder / "sshd.log", "w"))
    assert wait_for_port() == b"SSH-"
    yield Remote(phone, folder, sshd)
    sshd.terminate()
    sshd.wait(TIMEOUT)


def cut(sshd):
    """The other side ends what connections it has."""
    for pid in pathlib.Path(f"/proc/{sshd.pid}/task/{sshd.pid}/children").read_text().split():
        os.kill(int(pid), signal.SIGTERM)


def test_ssh(remote, ben):
    phone = remote.phone
    # the account itself, with its password by the standard input of the phonectl over there
    phone.secrets.add("secret over ssh")
    words = ("account", "add", "direct", f"aor=sip:ann@{ANN}", "register=false", "transport=udp", "--password-stdin")
    assert remote.run(*words, stdin="secret over ssh") == (0, "", "")
    status, out, errors = remote.run("status")
    assert (status, errors) == (0, "") and "direct" in out
    assert out == phone.ctl_text("status")

    # a call that is answered and ends well, one that is refused
    dial = remote.start("dial", "--wait", f"sip:ben@{BEN}")
    ours, theirs = phone.wait_call("alerting"), ben.wait_call("incoming")
    ben.ctl("answer", theirs)
    phone.wait_call("active", ours)
    stats = remote.start("--json", "stats", "--follow", ours)
    assert '"codec"' in stats.stdout.readline()
    ben.ctl("hangup", theirs)
    out, errors = dial.communicate(timeout=TIMEOUT)
    assert (dial.returncode, errors) == (0, "") and "hangup by remote" in out
    stats.communicate(timeout=TIMEOUT)
    assert stats.returncode == 0        # it ends with the call
    dial = remote.start("dial", "--wait", f"sip:ben@{BEN}")
    ben.ctl("reject", ben.wait_call("incoming"), "--busy")
    dial.communicate(timeout=TIMEOUT)
    assert dial.returncode == EXIT_BUSY
    ben.wait_idle()

    # the connection dies under a client that follows: it says so and ends, and the call goes on
    phone.ctl("dial", f"sip:ben@{BEN}")
    ben.ctl("answer", ben.wait_call("incoming"))
    ours = phone.wait_call("active")
    stats = remote.start("--json", "stats", "--follow", ours)
    assert '"codec"' in stats.stdout.readline()
    cut(remote.sshd)
    _, errors = stats.communicate(timeout=TIMEOUT)
    assert stats.returncode == 1 and "no connection with there" in errors
    assert phone.calls[ours]["State"] == "active"

    # and nobody there
    remote.sshd.terminate()
    remote.sshd.wait(TIMEOUT)
    status, _, errors = remote.run("status")
    assert status == 1 and "no connection with there" in errors and "Connection refused" in errors
