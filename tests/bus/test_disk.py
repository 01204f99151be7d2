# SPDX-License-Identifier: LGPL-2.1-or-later
"""The disk under the archive does what disks do while calls go on: full, read-only, damaged. The daemon's folder is a small file system that
only it sees."""
import os
import sqlite3
import subprocess
import sys

import pytest

import phonebus
from phonebus import CALL, HISTORY, ROOT, wait
from phonectl import Ctl
from test_history import added, end, listed, missed, wait_added

SIZE_KB = 512


class SmallPhone(phonebus.Phone):
    """Its archive is on a file system of its own, which the outside finds below /proc; with a file for it: read-only, and with that in it."""

    def __init__(self, *arguments, read_only=None):
        self.read_only = read_only
        super().__init__(*arguments)

    def start_daemon(self, *arguments):
        self.small = self.directory.name + "/small"
        os.makedirs(self.small, exist_ok=True)
        environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=self.address)
        script = f'mount -t tmpfs -o size={SIZE_KB}k,mode=700 none "$0"'
        if self.read_only:
            script += f' && cp -p "{self.read_only}" "$0"/phone.db && mount -o remount,ro "$0"'
        script += ' && exec "$@"'
        return subprocess.Popen(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, self.small, os.environ["PHONED_FAKE"],
                                 "--state", self.directory.name + "/state", "--archive", self.small + "/phone.db", *arguments],
                                stdout=subprocess.PIPE, text=True, env=environment)

    def seen(self, name):
        return f"/proc/{self.daemon.pid}/root{self.small}/{name}"

    def inside(self, *command):
        subprocess.run(["nsenter", "--target", str(self.daemon.pid), "--user", "--mount", "--preserve-credentials", *command], check=True)


pytestmark = pytest.mark.skipif(subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "true"], capture_output=True).returncode != 0,
                                reason="no user namespaces here")


# Somebody else's change makes the daemon look at the file again, and not at what it remembers of it.
DAMAGE = """
import os, sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("UPDATE history SET phrase = 'changed'")
other.execute("PRAGMA wal_checkpoint (TRUNCATE)")
other.close()
with open(sys.argv[1], "r+b") as file:
    size = os.fstat(file.fileno()).st_size
    file.seek(4096)
    file.write(b"\\x5a" * (size - 4096))
"""


@pytest.fixture
def phone():
    running = SmallPhone("--linger", "0")
    yield running
    assert running.stop() == 0


def fill(path):
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 1024)
        except OSError as error:
            assert "No space left" in str(error)


def test_full_disk(phone, client):
    first = missed(client)
    talking = client.dial("sip:echo@example.org")
    client.wait_state(talking, "active")
    fill(phone.seen("ballast"))
    for i in range(200):        # what is left of the last pages is soon used up
        missed(client, f"sip:u{i}@example.org")
        if not added(client)[-1]["stored"]:
            break
    kept = [e for e in added(client) if not e["stored"]]
    assert len(kept) == 1 and "full" in client.get(ROOT, HISTORY, "Fault") and client.get(ROOT, HISTORY, "Waiting") >= 1
    assert client.get(talking, CALL, "State") == "active" and first["id"] in [e["id"] for e in listed(client, limit=1000)]
    assert {"Fault", "Waiting"} <= {k for c in client.changes(ROOT, HISTORY) for k in c}
    os.unlink(phone.seen("ballast"))
    wait(lambda: client.get(ROOT, HISTORY, "Waiting") == 0 and client.get(ROOT, HISTORY, "Fault") == "", "the disk to take it")
    assert [e["id"] for e in listed(client, limit=1000)] == [e["id"] for e in added(client)][::-1]
    client.call(talking, CALL, "Hangup")
    assert wait_added(client, len(added(client)))[-1]


def test_read_only_home(tmp_path):
    before = phonebus.Phone("--archive", str(tmp_path / "phone.db"), "--linger", "0")
    client = before.client().listen()
    client.add_account("alice", aor="sip:alice@example.org")
    first = missed(client)
    assert before.stop() == 0
    phone = SmallPhone("--linger", "0", read_only=tmp_path / "phone.db")
    client = phone.client().listen()
    client.add_account("alice", aor="sip:alice@example.org")
    wait(lambda: "read-only" in client.get(ROOT, HISTORY, "Fault").lower(), "the fault")
    assert [e["id"] for e in listed(client)] == [first["id"]]
    talking = client.dial("sip:echo@example.org")
    client.wait_state(talking, "active")
    assert missed(client, "sip:carol@example.org")["stored"] is False and client.get(ROOT, HISTORY, "Waiting") >= 1
    assert client.get(talking, CALL, "State") == "active" and client.get(ROOT, HISTORY, "Unseen") == 2
    client.call(talking, CALL, "Hangup")
    assert wait_added(client, 2)[1]["outcome"] == "answered"
    assert [e["id"] for e in listed(client)] == [first["id"]]
    assert phone.stop() == 0


OLDER = """
DROP INDEX history_tail;
ALTER TABLE history DROP COLUMN tail;
ALTER TABLE message DROP COLUMN disposition;
PRAGMA user_version = 4;
"""


def test_read_only_home_of_an_older_phone(tmp_path):
    """What an older phoned wrote is there all the same, and calls go on."""
    before = phonebus.Phone("--archive", str(tmp_path / "phone.db"), "--linger", "0")
    client = before.client().listen()
    client.add_account("alice", aor="sip:alice@example.org")
    first = missed(client, "sip:bob@example.org", "Bob Builder")
    assert before.stop() == 0
    with sqlite3.connect(tmp_path / "phone.db") as database:
        database.executescript(OLDER)
    database.close()
    phone = SmallPhone("--linger", "0", read_only=tmp_path / "phone.db")
    client = phone.client().listen()
    client.add_account("alice", aor="sip:alice@example.org")
    wait(lambda: "read-only" in client.get(ROOT, HISTORY, "Fault").lower() or "readonly" in client.get(ROOT, HISTORY, "Fault"), "the fault")
    ctl = Ctl(phone.address)
    for words in ((), ("--text", "uilder"), ("--party", "bob@example.org")):
        assert [e["id"] for e in ctl.json("history", *words)] == [first["id"]], words
    assert "history: " in ctl.ok("status")
    assert missed(client, "sip:carol@example.org")["stored"] is False
    assert phone.stop() == 0


def test_damaged_while_a_call_goes_on(phone, client):
    missed(client)
    talking = client.dial("sip:echo@example.org")
    client.wait_state(talking, "active")
    phone.inside(sys.executable, "-c", DAMAGE, phone.small + "/phone.db")
    end(client, client.incoming("sip:carol@example.org", "Carol"), 487)
    entry = wait_added(client, 2)[1]
    assert entry["stored"] is True
    assert "was damaged and a new one begun" in client.get(ROOT, HISTORY, "Fault")
    assert client.get(talking, CALL, "State") == "active"
    assert [e["id"] for e in listed(client)] == [entry["id"]]
    assert [n for n in os.listdir(os.path.dirname(phone.seen("phone.db"))) if n.startswith("phone.db.damaged-")]
    client.call(talking, CALL, "Hangup")
    assert wait_added(client, 3)[2]["outcome"] == "answered"
