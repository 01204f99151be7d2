# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two phones in networks of their own that reach nothing but a hub, which has the provider and coturn and forwards nothing: only a relay can
carry their voices. One of them may lose UDP altogether and use TURN by TCP or TLS."""
import os
import subprocess

import pytest

from netns import Network, ip
from phone import Phone, Provider, urgent
from recording import Recording, assert_heard, now
from turn import Turn

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

HUB = "10.64.1.1"
USERS = {"alice": "secret of alice", "bob": "secret of bob"}
RELAY_USER, RELAY_PASSWORD = "relayed", "secret of the relay"
TALK = 1.6


@pytest.fixture(scope="module")
def network():
    network = Network("phice")
    try:
        network.start(2)
        yield network
    finally:
        network.stop()


@pytest.fixture(scope="module")
def provider(network, work):
    class Away(Provider):
        def start(self):
            command = ["ip", "netns", "exec", network.hub, str(self.script), "start", str(self.folder), "--address", self.address]
            for user, password in self.users.items():
                command += ["--user", f"{user}:{password}"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    server = Away(work / "provider", address=HUB, users=USERS)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def relay(network, work):
    server = Turn(work / "turn", HUB, RELAY_USER, RELAY_PASSWORD, preexec=network.enter(network.hub))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def heard(work):
    return {name: work / f"{name}-heard.wav" for name in USERS}


@pytest.fixture(scope="module")
def pair(network, provider, relay, work, build, speech, heard):
    password = work / "relay-password"
    password.write_text(RELAY_PASSWORD + "\n")
    password.chmod(0o600)
    phones = []
    for number, name in enumerate(USERS):
        phone = Phone(name, work, build, log_level="debug",
                      audio={"input": f"file:{speech[number]}", "output": f"file:{heard[name]}", "ring": "silence"})
        phone.before_daemon = network.enter(network.home(number + 1), urgent)
        phone.secrets.add(RELAY_PASSWORD)
        phones.append(phone)
    try:
        for phone in phones:
            phone.start()
            settings = provider.account_settings(phone.name, "udp", ice="on", stun_server=f"stun:{HUB}", turn_server=f"turn:{HUB}",
                                                 turn_user=RELAY_USER, turn_password_file=password, tls_ca=relay.ca)
            phone.add_account(phone.name, settings, USERS[phone.name])
        yield phones
    finally:
        for phone in phones:
            phone.stop()
    for phone in phones:
        log = phone.log_path.read_text(errors="replace")
        assert not [secret for secret in phone.secrets if secret in log]


def connect(alice, bob):
    ours = str(alice.ctl("dial", "bob")["call"])
    theirs = bob.wait_call("incoming")
    bob.ctl("answer", theirs)
    alice.wait_call("active", ours)
    bob.wait_call("active", theirs)
    return ours, theirs


@pytest.mark.parametrize("server", ["turn:{}", "turn:{}?transport=tcp", "turns:{}"], ids=["udp", "tcp", "tls"])
def test_relayed(network, pair, speech, heard, server):
    alice, bob = pair
    alice.ctl("account", "set", "alice", f"turn-server={server.format(HUB)}")
    if server != "turn:{}":
        network.filter(1, "udp dport != 5060 drop")
    ours, theirs = connect(alice, bob)
    alice.wait_property(ours, "IceState", "connected")
    bob.wait_property(theirs, "IceState", "connected")
    alice.collect_stats(ours, TALK)
    stats = alice.stats(ours), bob.stats(theirs)
    alice.ctl("hangup", ours)
    alice.wait_idle()
    bob.wait_idle()
    network.filter(1)
    assert "servers that do not answer" not in alice.log_path.read_text(errors="replace")
    assert any(stat[end].startswith("relay ") for stat in stats for end in ("ice-local", "ice-remote")), stats
    if server != "turn:{}":
        assert stats[0]["ice-local"].startswith("relay "), stats[0]
    assert_heard(speech[1], heard["alice"], "alice")
    assert_heard(speech[0], heard["bob"], "bob")


def test_network_changes(network, pair, speech, heard):
    """Another address in the middle of the call: the call finds the peer from there, and the voices go on."""
    alice, bob = pair
    alice.ctl("account", "set", "alice", f"turn-server=turn:{HUB}")
    ours, theirs = connect(alice, bob)
    alice.wait_property(ours, "IceState", "connected")
    before = alice.stats(ours)
    home = network.home(1)
    ip("-n", home, "address", "del", "10.64.1.2/24", "dev", "up0")
    ip("-n", home, "address", "add", "10.64.1.3/24", "dev", "up0")
    ip("-n", home, "route", "add", "default", "via", HUB)
    alice.wait(lambda: alice.stats(ours).get("ice-local", "") not in ("", before["ice-local"]), "another path")
    bob.wait_property(theirs, "IceState", "connected")
    begin = now() + 0.5
    alice.collect_stats(ours, TALK + 0.5)
    end = now()
    stats = alice.stats(ours), bob.stats(theirs)
    alice.ctl("hangup", ours)
    alice.wait_idle()
    bob.wait_idle()
    for name, reference, stat in (("alice", speech[1], stats[0]), ("bob", speech[0], stats[1])):
        sound = Recording(heard[name], stat["output-origin"]).compare(reference, begin, end)
        assert sound["matched"] >= 0.6, (name, sound)


def test_consent_lost(network, pair):
    """Packets vanish without a word: the phones notice that the peer no longer consents, begin anew, and find the way when there is one."""
    alice, bob = pair
    alice.ctl("account", "set", "alice", f"turn-server=turn:{HUB}")
    ours, theirs = connect(alice, bob)
    alice.wait_property(ours, "IceState", "connected")
    bob.wait_property(theirs, "IceState", "connected")
    network.filter(1, "udp dport != 5060 drop")
    alice.wait(lambda: alice.calls[ours]["IceState"] != "connected", "the loss of consent", 30)
    network.filter(1)
    alice.wait_property(ours, "IceState", "connected")
    bob.wait_property(theirs, "IceState", "connected")
    count = alice.stats(ours)["packets-received"]
    alice.wait(lambda: alice.stats(ours)["packets-received"] > count, "packets on the new path")
    assert alice.calls[ours]["State"] == "active"
    alice.ctl("hangup", ours)
    alice.wait_idle()
    bob.wait_idle()
