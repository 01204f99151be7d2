# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls with baresip through Kamailio: every transport, every codec, with and without SRTP, in both roles. What counts is that each side's
recording is the other side's speech."""
import pytest

from baresip import Baresip
from recording import assert_heard

PROVIDER_ADDRESS = "127.60.1.1"
USERS = {"us": "s3cret-of-us", "them": "s3cret-of-them"}
TALK = 1.5
CODECS = ["opus", "g722", "pcma", "pcmu"]


@pytest.fixture(scope="module", params=["udp", "tcp", "tls"])
def pair(request, provider, work, build, speech):
    from phone import Phone
    transport = request.param
    heard = work / f"us-heard-{transport}.wav"
    us = Phone(f"us-{transport}", work, build, hurry=True,
               audio={"input": f"file:{speech[0]}", "output": f"file:{heard}", "ring": "silence"})
    port = provider.tls_port if transport == "tls" else provider.port
    them = Baresip(f"them-{transport}", work, f"127.60.1.{dict(udp=11, tcp=12, tls=13)[transport]}", speech[1], f"sip:them@{provider.domain}",
                   outbound=f"{provider.address}:{port}", password=USERS["them"], transport=transport, regint=60,
                   codecs="opus/48000/2,g722/16000/1,pcma/8000/1,pcmu/8000/1", mediaenc="srtp", hurry=True,
                   ca=provider.ca if transport == "tls" else None)
    us.start()
    them.start()
    try:
        us.add_account("us", provider.account_settings("us", transport, sdes_in_clear="true"), USERS["us"])
        them.wait_registered()
        yield us, them, heard
    finally:
        us.stop()
        them.stop()


def talk(us, them, heard, speech, number, codec, srtp):
    us.collect_stats(number, TALK)
    media = us.ctl("call", "show", number)
    stats = us.stats(number)
    us.ctl("hangup", number)
    us.wait_call("disconnected", number)
    assert media["Codec"] == codec
    assert bool(media["Security"]) == (srtp == "required")
    assert stats["loss-local"] < 0.05
    assert_heard(speech[1], heard, "us")
    assert_heard(speech[0], them.heard(), "baresip")
    return media


@pytest.mark.parametrize("srtp", ["off", "required"])
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("role", ["caller", "callee"])
def test_audio_both_ways(pair, provider, speech, role, codec, srtp):
    us, them, heard = pair
    us.ctl("account", "set", "us", f"codecs={codec}", f"srtp={srtp}")
    us.wait_registered("us")
    mark = len(them.events)
    if role == "caller":
        us.ctl("dial", "them")
        them.wait_event("CALL_INCOMING", after=mark)
        them.command("accept")
        number = us.wait_call("active")
    else:
        them.command("dial", f"sip:us@{provider.domain}")
        number = us.wait_call("incoming")
        us.ctl("answer", number)
        us.wait_call("active", number)
    media = talk(us, them, heard, speech, number, codec, srtp)
    if srtp == "required":
        # baresip answers the strongest that it knows of ours, and offers only one itself
        assert media["Security"]["suite"] in ("AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80")
    them.wait_event("CALL_CLOSED", after=mark)
