# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls whose media find their way by ICE: two phones on loopback, and one of them with a peer that has none."""
import pytest

from phone import Phone
from recording import assert_heard

PROVIDER_ADDRESS = "127.64.2.1"
USERS = {"alice": "secret of alice", "bob": "secret of bob"}
TALK = 1.6


@pytest.fixture(scope="module")
def heard(work):
    return {name: work / f"{name}-heard.wav" for name in USERS}


@pytest.fixture(scope="module")
def pair(provider, work, build, speech, heard):
    phones = []
    for number, name in enumerate(USERS):
        phones.append(Phone(name, work, build, hurry=True, log_level="debug",
                            audio={"input": f"file:{speech[number]}", "output": f"file:{heard[name]}", "ring": "silence"},
                            config={"media": {"bind": f"127.64.2.{11 + number}"}, "sip": {"trace": "true"}}))
    try:
        for phone in phones:
            phone.start()
            phone.add_account(phone.name, provider.account_settings(phone.name, "udp", ice="on"), USERS[phone.name])
        yield phones
    finally:
        for phone in phones:
            phone.stop()


def connect(alice, bob):
    ours = alice.ctl("dial", "bob")["call"]
    theirs = bob.wait_call("incoming")
    bob.ctl("answer", theirs)
    alice.wait_call("active", ours)
    bob.wait_call("active", theirs)
    return str(ours), theirs


def hang_up(alice, bob, ours):
    alice.ctl("hangup", ours)
    alice.wait_idle()
    bob.wait_idle()


def test_both(pair, speech, heard):
    """Both take the pair of their addresses, hear each other, and still do after hold and resume."""
    alice, bob = pair
    ours, theirs = connect(alice, bob)
    alice.wait_property(ours, "IceState", "connected")
    bob.wait_property(theirs, "IceState", "connected")
    alice.ctl("hold", ours)
    bob.wait_property(theirs, "RemoteHold", True)
    alice.ctl("resume", ours)
    bob.wait_property(theirs, "RemoteHold", False)
    alice.collect_stats(ours, TALK)
    shown = alice.ctl("call", "show", ours), bob.ctl("call", "show", theirs)
    stats = alice.stats(ours), bob.stats(theirs)
    hang_up(alice, bob, ours)
    assert shown[0]["RemoteAddress"].startswith("127.64.2.12:") and shown[1]["RemoteAddress"].startswith("127.64.2.11:")
    assert stats[0]["ice-local"] == stats[1]["ice-remote"] == f"host {shown[1]['RemoteAddress']}"
    assert stats[0]["ice-remote"] == stats[1]["ice-local"] == f"host {shown[0]['RemoteAddress']}"
    assert [call["IceState"] for call in shown] == ["connected", "connected"]
    assert_heard(speech[1], heard["alice"], "alice")
    assert_heard(speech[0], heard["bob"], "bob")


@pytest.mark.parametrize("without", ["caller", "callee"])
def test_peer_without(pair, speech, heard, without):
    """A peer that has no ICE gets plain RTP at the address that the description names."""
    alice, bob = pair
    plain = alice if without == "caller" else bob
    plain.ctl("account", "set", plain.name, "ice=off")
    try:
        ours, theirs = connect(alice, bob)
        alice.collect_stats(ours, TALK)
        states = alice.ctl("call", "show", ours)["IceState"], bob.ctl("call", "show", theirs)["IceState"]
        hang_up(alice, bob, ours)
    finally:
        plain.ctl("account", "set", plain.name, "ice=on")
    assert states == ("off", "off")
    assert_heard(speech[1], heard["alice"], "alice")
    assert_heard(speech[0], heard["bob"], "bob")
