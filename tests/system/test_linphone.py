# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls with linphone through Kamailio: every transport, with and without SRTP, the codecs that both have, in both roles, and every SDES
suite. What counts is that each side's recording is the other side's speech. And linphone as a member of a conference of ours."""
import pytest

from linphone import Linphone, LinphoneReader
from phone import Phone
from recording import assert_heard

PROVIDER_ADDRESS = "127.60.3.1"
USERS = {"us": "s3cret-of-us", "them": "s3cret-of-them", "third": "s3cret-of-third", "fourth": "s3cret-of-fourth",
         "member": "s3cret-of-member"}
TALK = 1.5
CODECS = ["opus", "g722", "pcma", "pcmu"]
SUITES = ["AES_256_CM_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_32", "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"]


class Pair:
    def __init__(self, work, build, provider, speech, transport, name, **more):
        self.speech, self.provider, self.calls = speech, provider, 0
        self.heard = work / f"us-heard-{name}.wav"
        self.us = Phone(f"us-{name}", work, build, hurry=True,
                        audio={"input": f"file:{speech[0]}", "output": f"file:{self.heard}", "ring": "silence"})
        self.them = Linphone(name, work, speech[1], "them", provider, password=USERS["them"], transport=transport, **more)
        self.transport = transport

    def start(self):
        self.us.start()
        self.us.add_account("us", self.provider.account_settings("us", self.transport, sdes_in_clear="true"), USERS["us"])
        self.them.start()
        self.them.wait_registered()

    def stop(self):
        self.us.stop()
        self.them.stop()

    def call(self, role):
        """Sets up a call, lets both talk, ends it; what was agreed on, and what linphone heard."""
        self.calls += 1
        theirs = self.them.home / f"heard-{self.calls}.wav"
        self.them.record(theirs)
        mark = self.them.mark()
        if role == "caller":
            self.us.ctl("dial", "them")
            self.them.wait("Receiving new incoming call", mark)
            self.them.command("answer")
            number = self.us.wait_call("active")
        else:
            self.them.command(f"call sip:us@{self.provider.domain}")
            number = self.us.wait_call("incoming")
            self.us.ctl("answer", number)
            self.us.wait_call("active", number)
        self.them.wait("Media streams established", mark)
        self.us.collect_stats(number, TALK)
        media, stats = self.us.ctl("call", "show", number), self.us.stats(number)
        if role == "caller":
            self.us.ctl("hangup", number)
        else:
            self.them.command("terminate")
        self.us.wait_call("disconnected", number)
        reason = self.us.reason(number)
        assert (reason["actor"], reason["reason"]) == ("local" if role == "caller" else "remote", "hangup")
        self.them.wait("Call [0-9]+ with .* ended", mark)
        assert stats["loss-local"] < 0.05
        assert_heard(self.speech[1], self.heard, "us")
        assert_heard(self.speech[0], theirs, "linphone")
        return media


@pytest.fixture(scope="module", params=[(transport, encryption) for transport in ("udp", "tcp", "tls") for encryption in ("none", "srtp")],
                ids=lambda param: "-".join(param))
def pair(request, provider, work, build, speech):
    transport, encryption = request.param
    both = Pair(work, build, provider, speech, transport, f"{transport}-{encryption}", encryption=encryption)
    try:
        both.start()
        both.us.ctl("account", "set", "us", f"srtp={'required' if encryption == 'srtp' else 'off'}")
        both.encrypted = encryption == "srtp"
        yield both
    finally:
        both.stop()


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("role", ["caller", "callee"])
def test_audio_both_ways(pair, role, codec):
    pair.us.ctl("account", "set", "us", f"codecs={codec}")
    media = pair.call(role)
    assert media["Codec"] == codec
    assert bool(media["Security"]) == pair.encrypted


@pytest.mark.parametrize("suite", SUITES)
def test_suite(provider, work, build, speech, suite):
    """linphone has that suite alone: we offer it among ours, and take it when it is all that is offered."""
    both = Pair(work, build, provider, speech, "tls", suite, encryption="srtp", suites=suite)
    try:
        both.start()
        for role in ("caller", "callee"):
            assert both.call(role)["Security"] == {"keying": "sdes", "suite": suite}
    finally:
        both.stop()


@pytest.mark.parametrize("role", ["caller", "callee"])
def test_dtls(provider, work, build, speech, role):
    both = Pair(work, build, provider, speech, "udp", f"dtls-{role}", encryption="dtls")
    try:
        both.start()
        both.us.ctl("account", "set", "us", "srtp=required", "keying=dtls")
        security = both.call(role)["Security"]
        assert security["keying"] == "dtls" and security["verified"]
    finally:
        both.stop()


def test_conference(provider, work, build, speech):
    """It sees isfocus in our UPDATE, subscribes by itself, and knows who comes: all of it at first, then what is new (RFC 4575). A user of its own:
    linphonec leaves its bindings behind, and a proxy forks to twelve at the most."""
    quiet = {"input": "silence", "output": "silence", "ring": "silence"}
    us, third = Phone("us-focus", work, build, audio=quiet), Phone("third", work, build, audio=quiet)
    them = LinphoneReader("member", work, speech[1], "member", provider, password=USERS["member"])
    try:
        for phone, user, more in ((us, "us", {"focus": "true", "max_calls": "4"}), (third, "third", {}), (third, "fourth", {})):
            if not phone.daemon:
                phone.start()
            phone.add_account(user, provider.account_settings(user, "udp", sdes_in_clear="true", **more), USERS[user])
        them.start()
        them.wait_registered()
        first, second, last = (us.ctl("dial", target, "--keep-others")["call"] for target in ("member", "third", "fourth"))
        us.wait_call("active", first)
        for state, number in (("incoming", second), ("waiting", last)):
            third.ctl("answer", third.wait_call(state), "--keep-others")
            us.wait_call("active", number)
        us.ctl("conference", "create", first, second)
        them.wait_members("us", "third")
        us.ctl("conference", "add", last)
        them.wait_members("us", "third", "fourth")
    finally:
        for one in (us, third, them):
            one.stop()
