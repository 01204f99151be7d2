# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls with Chromium, SIP over WebSocket through Kamailio: keys by DTLS, paths by ICE, in both directions, and each side's recording is
the other side's speech."""
import pytest

from browser import Browser, WebSocketProxy
from phone import Phone
from recording import assert_heard

ADDRESS = "127.63.3.1"
TALK = 5
SUITES = {"SRTP_AEAD_AES_256_GCM": "AEAD_AES_256_GCM", "SRTP_AEAD_AES_128_GCM": "AEAD_AES_128_GCM",
          "SRTP_AES128_CM_HMAC_SHA1_80": "AES_CM_128_HMAC_SHA1_80"}


@pytest.fixture(scope="module")
def proxy(work):
    server = WebSocketProxy(work / "proxy", ADDRESS)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def us(work, build, speech, proxy):
    phone = Phone("us", work, build, hurry=True, log_level="debug", config={"media": {"bind": "127.63.3.11"}},
                  audio={"input": f"file:{speech[0]}", "output": f"file:{work / 'us-heard.wav'}", "ring": "silence"})
    try:
        phone.start()
        phone.add_account("us", [f"aor=sip:us@{ADDRESS}", f"outbound-proxy={ADDRESS}:5060", "transport=udp", "srtp=required", "keying=any",
                                 "ice=on"], "unused")
        yield phone
    finally:
        phone.stop()


@pytest.mark.parametrize("role", ["caller", "callee"])
def test_audio_both_ways(us, proxy, work, speech, role):
    browser = Browser(role, work, "127.63.3.2", proxy, speech[1], "page", call=f"sip:us@{ADDRESS}" if role == "callee" else None)
    browser.start()
    try:
        browser.wait_event("registered", status=200)
        if role == "caller":
            number = str(us.ctl("dial", "page")["call"])
        else:
            number = us.wait_call("incoming", timeout=40)
            us.ctl("answer", number)
        us.wait_call("active", number, timeout=40)
        us.wait(lambda: us.calls[number].get("Security", {}).get("verified"), "a verified handshake")
        browser.wait_event("connection", state="connected")
        stats = us.collect_stats(number, TALK)
        shown = us.ctl("call", "show", number)
        us.ctl("hangup", number)
        us.wait_call("disconnected", number)
        ended = browser.wait_event("ended")
    finally:
        browser.stop()
    assert shown["Security"]["keying"] == "dtls" and shown["Security"]["verified"]
    assert ended["dtls"] == "connected" and SUITES[ended["srtp"]] == shown["Security"]["suite"]
    # The server of the handshake chooses: we when it answers, and then the strongest; when it offered it does, as it likes.
    assert role == "callee" or shown["Security"]["suite"] == "AEAD_AES_256_GCM"
    assert shown["Codec"] == "opus" and shown["IceState"] == "connected"
    # The page tells when our packets come, by the numbers in their header extension.
    assert stats[-1]["feedback"] == "transport-cc" and stats[-1]["send-queue"] < 100, stats[-1]
    assert_heard(speech[1], work / "us-heard.wav", "us")
    assert_heard(speech[0], browser.heard(), "the page")
