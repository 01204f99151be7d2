# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls whose keys are agreed on by DTLS: two phones, and baresip in both roles (with a handshake of its own for RTCP). What counts is that
each side's recording is the other side's speech."""
import pytest

from baresip import Baresip
from phone import Phone
from recording import assert_heard

PROVIDER_ADDRESS = "127.63.1.1"
USERS = {"alice": "secret of alice", "bob": "secret of bob", "them": "s3cret-of-them"}
TALK = 1.8
DONE = "DTLS handshake done"


@pytest.fixture(scope="module")
def heard(work):
    return {name: work / f"{name}-heard.wav" for name in USERS}


@pytest.fixture(scope="module")
def pair(provider, work, build, speech, heard):
    phones = [Phone(name, work, build, hurry=True,
                    audio={"input": f"file:{speech[number]}", "output": f"file:{heard[name]}", "ring": "silence"})
              for number, name in enumerate(["alice", "bob"])]
    try:
        for phone in phones:
            phone.start()
            phone.add_account(phone.name, provider.account_settings(phone.name, "udp", srtp="required", keying="dtls"), USERS[phone.name])
        yield phones
    finally:
        for phone in phones:
            phone.stop()


def verified(phone, number):
    return phone.wait(lambda: phone.calls[str(number)].get("Security", {}).get("verified"), "a verified handshake")


def test_phones(pair, speech, heard):
    """Both prove who they are, hear each other, and hold and resume do not ask for another handshake."""
    alice, bob = pair
    ours = str(alice.ctl("dial", "bob")["call"])
    theirs = bob.wait_call("incoming")
    bob.ctl("answer", theirs)
    for phone, number in ((alice, ours), (bob, theirs)):
        phone.wait_call("active", number)
        verified(phone, number)
    alice.ctl("hold", ours)
    bob.wait_property(theirs, "RemoteHold", True)
    alice.ctl("resume", ours)
    bob.wait_property(theirs, "RemoteHold", False)
    alice.collect_stats(ours, TALK)
    security = [alice.ctl("call", "show", ours)["Security"], bob.ctl("call", "show", theirs)["Security"]]
    alice.ctl("hangup", ours)
    alice.wait_idle()
    bob.wait_idle()
    assert security == [{"keying": "dtls", "suite": "AEAD_AES_256_GCM", "verified": True}] * 2
    assert [phone.log_path.read_text().count(DONE) for phone in pair] == [1, 1]
    assert_heard(speech[1], heard["alice"], "alice")
    assert_heard(speech[0], heard["bob"], "bob")


@pytest.fixture(scope="module")
def them(provider, work, speech):
    peer = Baresip("them", work, "127.63.1.21", speech[1], f"sip:them@{provider.domain}", outbound=f"{provider.address}:{provider.port}",
                   password=USERS["them"], regint=60, codecs="opus/48000/2", mediaenc="dtls_srtp", hurry=True)
    peer.start()
    try:
        peer.wait_registered()
        yield peer
    finally:
        peer.stop()


# any: what the peer offers is answered, and what it refuses is tried the other way.
@pytest.mark.parametrize("keying", ["dtls", "any"])
@pytest.mark.parametrize("role", ["caller", "callee"])
def test_baresip(pair, them, provider, speech, heard, role, keying):
    alice = pair[0]
    alice.ctl("account", "set", "alice", f"keying={keying}")
    alice.wait_registered("alice")
    mark = len(them.events)
    if role == "caller":
        number = str(alice.ctl("dial", "them")["call"])
        them.wait_event("CALL_INCOMING", after=mark)
        them.command("accept")
    else:
        them.command("dial", f"sip:alice@{provider.domain}")
        number = alice.wait_call("incoming")
        alice.ctl("answer", number)
    alice.wait_call("active", number)
    verified(alice, number)
    alice.collect_stats(number, TALK)
    security = alice.ctl("call", "show", number)["Security"]
    alice.ctl("hangup", number)
    alice.wait_call("disconnected", number)
    them.wait_event("CALL_CLOSED", after=mark)
    assert security["keying"] == "dtls" and security["verified"]
    assert security["suite"] in ("AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80")
    assert_heard(speech[1], heard["alice"], "alice")
    assert_heard(speech[0], them.heard(), "baresip")
