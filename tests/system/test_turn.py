# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two phones in networks of their own that reach nothing but a hub, which has the provider and coturn and forwards nothing: only a relay can
carry their voices. One of them may lose UDP altogether and use TURN by TCP or TLS. And calls with baresip by ICE, who lives in the hub: on
loopback it has no candidates."""
import os
import subprocess

import pytest

from baresip import Baresip
from netns import Network, ip
from phone import Phone, Provider, urgent
from recording import Recording, assert_heard, now
from turn import Turn

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

HUB = "10.64.1.1"
NAMES = ["alice", "bob"]
USERS = {"alice": "secret of alice", "bob": "secret of bob", "carol": "secret-of-carol"}
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
    return {name: work / f"{name}-heard.wav" for name in NAMES}


@pytest.fixture(scope="module")
def pair(network, provider, relay, work, build, speech, heard):
    password = work / "relay-password"
    password.write_text(RELAY_PASSWORD + "\n")
    password.chmod(0o600)
    phones = []
    for number, name in enumerate(NAMES):
        phone = Phone(name, work, build, log_level="debug",
                      audio={"input": f"file:{speech[number]}", "output": f"file:{heard[name]}", "ring": "silence"})
        phone.before_daemon = network.enter(network.home(number + 1), urgent)
        phone.secrets.add(RELAY_PASSWORD)
        phones.append(phone)
    try:
        for phone in phones:
            phone.start()
            settings = provider.account_settings(phone.name, "udp", ice="on", stun_server=f"stun:{HUB}", turn_server=f"turn:{HUB}",
                                                 turn_user=RELAY_USER, tls_ca=relay.ca, **({"turn_password_file": password} if phone.name == "bob" else {}))
            phone.add_account(phone.name, settings, USERS[phone.name])
        phones[0].run("account", "passwd", "alice", "--turn", stdin=RELAY_PASSWORD + "\n")
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


@pytest.mark.parametrize("what", ["dead", "untrusted"])
def test_no_help(network, provider, relay, pair, what):
    """A server that is dead, or whose certificate nobody vouches for, costs a moment, not the call: it goes out, and rings."""
    alice, bob = pair
    if what == "dead":
        settings, trouble = ["stun-server=stun:10.64.1.99", "turn-server="], "servers that do not answer"
    else:
        settings, trouble = ["stun-server=", f"turn-server=turns:{HUB}", f"tls-ca={provider.ca}"], f"TURN server {HUB} port 5349: TLS: unable to get"
    alice.ctl("account", "set", "alice", *settings)
    alice.wait_registered("alice")
    try:
        ours = str(alice.ctl("dial", "bob")["call"])
        bob.wait_call("incoming")
        alice.wait_call("alerting", ours)
        alice.ctl("hangup", ours)
        alice.wait_idle()
        bob.wait_idle()
    finally:
        alice.ctl("account", "set", "alice", f"stun-server=stun:{HUB}", f"turn-server=turn:{HUB}", f"tls-ca={relay.ca}")
        alice.wait_registered("alice")
    assert trouble in alice.log_path.read_text(errors="replace")


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


@pytest.mark.parametrize("role", ["caller", "callee"])
@pytest.mark.parametrize("mux", ["no", "yes"])
def test_baresip(network, provider, pair, work, speech, heard, role, mux):
    """A foreign agent, with RTCP on its own component or not: both take the direct way."""
    alice = pair[0]
    # It speaks when it has tried every pair, and a relay that lets nobody else in takes its time to fail.
    alice.ctl("account", "set", "alice", "codecs=pcma", "turn-server=")
    them = Baresip(f"{role}-{mux}", work, "10.64.2.1", speech[1], f"sip:carol@{provider.domain}", outbound=f"{HUB}:5060",
                   password=USERS["carol"], regint=60, codecs="pcma/8000/1", hurry=True, modules=("ice",), rtcp_mux=mux, extra="medianat=ice")
    network.call(network.hub, them.start)
    try:
        them.wait_registered()
        if role == "caller":
            number = str(alice.ctl("dial", "carol")["call"])
            them.wait_event("CALL_INCOMING")
            them.command("accept")
        else:
            them.command("dial", f"sip:alice@{provider.domain}")
            number = alice.wait_call("incoming")
            alice.ctl("answer", number)
        alice.wait_call("active", number)
        alice.wait_property(number, "IceState", "connected")
        alice.collect_stats(number, TALK)
        stats = alice.stats(number)
        alice.ctl("hangup", number)
        alice.wait_idle()
        them.wait_event("CALL_CLOSED")
    finally:
        them.stop()
        alice.ctl("account", "set", "alice", "codecs=")
    assert stats["ice-local"].split()[0] == "host" and stats["ice-remote"].split()[0] in ("host", "prflx"), stats
    assert_heard(speech[1], heard["alice"], "alice")
    assert_heard(speech[0], them.heard(), "baresip")
