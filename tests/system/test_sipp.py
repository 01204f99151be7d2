# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIPp calls a phone, and is called, without a provider between: races, losses, glare, and a flood. Every scenario is judged on both sides:
SIPp says whether the messages came as written, the phone what its user is told."""
import socket

import pytest

from phone import Phone
from sipp import Sipp

ADDRESS, SIPP = "127.60.4.1", "127.60.4.2"
MAX_CALLS = 4
EXIT_STATE = 8


@pytest.fixture(scope="module")
def phone(work, build):
    phone = Phone("us", work, build, audio={"input": "tone", "output": "silence", "ring": "silence"}, log_level="debug",
                  config={"sip": {"bind": f"{ADDRESS}:5060", "trace": "true"}, "daemon": {"linger": 60},
                          "media": {"rtp-timeout": 0}})
    phone.start()
    try:
        phone.ctl("account", "add", "us", f"aor=sip:us@{ADDRESS}", "register=false", "transport=udp", f"max-calls={MAX_CALLS}")
        yield phone
    finally:
        phone.stop()


@pytest.fixture(autouse=True)
def quiet(phone):
    yield
    assert phone.daemon.poll() is None, "the phone has died"
    phone.ctl("hangup", "--all")
    phone.wait_idle()


@pytest.fixture
def sipp(work):
    made = []

    def make(scenario, **more):
        made.append(Sipp(work, scenario, more.pop("address", SIPP), **more))
        return made[-1]

    yield make
    for process in made:
        process.stop()


@pytest.fixture
def caller(sipp):
    """SIPp calls."""
    return lambda scenario, **more: sipp(scenario, peer=f"{ADDRESS}:5060", **more)


@pytest.fixture
def callee(sipp, phone):
    """SIPp is called; returns it and the number of the call."""
    def call(scenario, **more):
        process = sipp(scenario, **more)
        process.wait_bound()
        return process, phone.ctl("dial", f"sip:them@{SIPP}")["call"]
    return call


def newest(phone):
    return max(phone.calls, key=int)


def ring(phone):
    return phone.wait_call("incoming")


def answer(phone):
    number = ring(phone)
    phone.ctl("answer", number)
    phone.wait_call("active", number)
    return number


# ---- SIPp calls ----

def test_bye_with_reason(phone, caller):
    process = caller("caller-bye")
    reason = phone.reason(answer(phone))
    process.finish()
    assert (reason["actor"], reason["reason"], reason["q850"]) == ("remote", "hangup", 31), reason


@pytest.mark.parametrize("scenario, reason, elsewhere", [("caller-cancel", "cancelled", None),
                                                         ("caller-cancel-elsewhere", "answered-elsewhere", True)])
def test_cancel(phone, caller, scenario, reason, elsewhere):
    process = caller(scenario)
    found = phone.reason(ring(phone))
    process.finish()
    assert (found["actor"], found["reason"], found.get("answered-elsewhere")) == ("remote", reason, elsewhere), found


def test_retransmitted_invite(phone, caller):
    """The same INVITE again and again is one call."""
    before = len(phone.calls)
    process = caller("caller-retransmit")
    number = ring(phone)
    phone.wait(lambda: process.messages().count("SIP/2.0 180") >= 2, "the answer to the retransmission")
    phone.ctl("answer", number)
    phone.reason(number)
    process.finish()
    assert len(phone.calls) == before + 1


def test_offerless(phone, caller):
    process = caller("caller-offerless")
    number = answer(phone)
    assert phone.ctl("call", "show", number)["Codec"] == "pcma"
    phone.ctl("hangup", number)
    process.finish()


def test_other_family(phone, caller):
    """Signalling over IPv4, media over IPv6."""
    process = caller("caller-bye", media="::1")
    number = answer(phone)
    assert phone.calls[str(number)]["RemoteAddress"] == "[::1]:30000"
    process.finish()


def test_reliable_ringing(phone, caller):
    """A caller who requires 100rel, and whose PRACK is late: the 180 is sent again until it comes."""
    process = caller("caller-prack")
    number = answer(phone)
    assert process.messages().count("SIP/2.0 180") >= 2
    phone.ctl("hangup", number)
    process.finish()


def test_reinvite(phone, caller):
    """Hold, another codec at another address, UPDATE, and an offer that is refused and changes nothing."""
    process = caller("caller-reinvite")
    number = answer(phone)
    phone.wait_property(number, "RemoteHold", True)
    phone.wait_property(number, "RemoteHold", False)
    phone.wait_property(number, "RemoteAddress", "127.60.4.3:30010")
    assert phone.ctl("call", "show", number)["Codec"] == "pcma"
    phone.wait_property(number, "RemoteHold", True)
    phone.wait(lambda: "SIP/2.0 488" in process.messages(), "the refusal")
    shown = phone.ctl("call", "show", number)
    assert (shown["State"], shown["Codec"], shown["RemoteAddress"], shown["RemoteHold"]) == ("active", "pcma", "127.60.4.3:30010", True)
    phone.ctl("hangup", number)
    process.finish()


def test_glare(phone, caller):
    """Hold succeeds although both sides wanted to change the session at the same moment."""
    process = caller("caller-glare")
    number = answer(phone)
    phone.ctl("hold", number)
    phone.wait_property(number, "State", "held")
    assert phone.calls[number]["LocalHold"] is True
    phone.ctl("hangup", number)
    process.finish()


def test_patience(phone, caller):
    """What takes long, side by side: a caller whose ACK never comes (64 * T1), and one who wants refreshes (half of 90 s)."""
    refresh = caller("caller-refresh", port=5061, timeout=90)
    other = answer(phone)
    lost = caller("caller-lost-ack", port=5062, timeout=90)
    number = phone.wait_call("waiting")
    answering = phone.run("--timeout", "60", "answer", number, "--keep-others", check=False)
    assert answering.returncode == EXIT_STATE, "an answer without ACK is no call"
    reason = phone.reason(number)
    assert reason["reason"] == "ack-timeout", reason
    lost.finish()
    phone.wait(lambda: "CSeq" in refresh.messages() and "\nUPDATE sip:" in refresh.messages(), "the refresh", 60)
    assert phone.calls[other]["State"] == "active"
    phone.ctl("hangup", other)
    refresh.finish()


def test_flood(phone, caller):
    """As many ring as may, the rest is busy, and the user's commands are answered meanwhile."""
    before = set(phone.calls)
    process = caller("caller-flood", calls=200, rate=100, timeout=60)
    ring(phone)
    for _ in range(5):
        assert phone.ctl("status")["State"] == "ringing"
    phone.wait(lambda: process.messages().count("SIP/2.0 486") >= 200 - MAX_CALLS, "the others to be refused", 40)
    ringing = [number for number in set(phone.calls) - before if phone.calls[number]["State"] in ("incoming", "waiting")]
    assert len(ringing) == MAX_CALLS
    phone.ctl("hangup", "--all")
    process.finish()
    phone.wait_idle()


def test_intercom(phone, caller):
    """The phone opens its microphone for whom the account lists, and tells the caller that nobody else did it."""
    phone.ctl("account", "set", "us", f"intercom=sipp@{SIPP}")
    process = caller("caller-intercom")
    process.finish()
    call = phone.ctl("call", "show", newest(phone))
    assert call["Intercom"] and call["Answered"] and call["Alert"] == "urn:alert:source:internal", call


def test_intercom_of_others(phone, caller):
    phone.ctl("account", "set", "us", f"intercom=boss@{SIPP}")
    before = len(phone.calls)
    caller("caller-intruder").finish()
    assert len(phone.calls) == before


# ---- SIPp is called ----

def test_early_media(phone, callee):
    """183 with PRACK: media flows before the answer, and the call is not active yet."""
    process, number = callee("callee-prack", calls=2)
    phone.wait_property(number, "Codec", "pcmu")
    assert phone.calls[str(number)]["State"] in ("dialing", "alerting")
    phone.wait_call("active", number)
    phone.ctl("hangup", number)
    process.finish()


def test_forked_answer(phone, callee):
    process, number = callee("callee-forked")
    phone.wait_call("active", number)
    phone.wait(lambda: process.messages().count("\nBYE sip:") >= 1, "the BYE to the second")
    assert phone.calls[str(number)]["State"] == "active"
    assert phone.ctl("call", "show", number)["RemoteAddress"] == f"{SIPP}:30000"
    phone.ctl("hangup", number)
    process.finish()


def test_cancel_race(phone, callee):
    process, number = callee("callee-cancel-race")
    phone.wait_call("alerting", number)
    phone.ctl("hangup", number)
    reason = phone.reason(number)
    process.finish()
    assert (reason["actor"], reason["reason"]) == ("local", "cancelled"), reason
    assert "active" not in phone.calls[str(number)]["states"]


def test_park(phone, callee):
    phone.ctl("account", "set", "us", "park=700")
    process, number = callee("callee-parked")
    phone.wait_call("active", number)
    assert phone.ctl("park", number) == {"slot": "701"}
    assert phone.reason(number)["reason"] == "transferred"
    assert phone.ctl("call", "show", number)["Parked"] == "701"
    process.finish()


def test_focus(phone, callee):
    """A conference tells who is in it, for as long as the call lasts."""
    process, number = callee("callee-focus", calls=2)
    phone.wait_call("active", number)
    phone.wait(lambda: [(one.get("name"), one["uri"], one["status"]) for one in phone.ctl("call", "show", number)["Roster"]]
               == [(None, "sip:us@h", "connected"), (None, "sip:bob@h", "alerting")], "the roster")
    shown = phone.ctl("call", "show", number)
    assert (shown["Focus"], shown["RemoteRecording"]) == (f"sip:room@{SIPP}:5060", "on")
    assert ["└─", "ringing", "with", "sip:bob@h"] in [line.split() for line in phone.run("call", json_output=False).stdout.splitlines()]
    assert "active, peer records" in phone.run("call", json_output=False).stdout
    phone.ctl("hangup", number)
    process.finish()
    phone.wait_property(number, "Roster", [])


@pytest.mark.parametrize("scenario, sip, reason, exit_status", [("callee-busy", 486, "busy", 3), ("callee-moved", 302, "redirected", 1)])
def test_refused(phone, sipp, scenario, sip, reason, exit_status):
    phone.ctl("account", "set", "us", "redirects=refuse")
    process = sipp(scenario)
    process.wait_bound()
    assert phone.run("dial", "--wait", f"sip:them@{SIPP}", check=False).returncode == exit_status
    process.finish()
    found = phone.reason(newest(phone))
    assert (found["reason"], found["sip"]) == (reason, sip), found
    if reason == "busy":
        assert found["q850"] == 17


def test_forward_at_the_server(phone, sipp):
    """The code goes out as it stands, to the server."""
    phone.ctl("account", "set", "us", f"default-domain={SIPP}", "forward-on=*72{target}#", "prefix=9")
    try:
        process = sipp("callee-busy")
        process.wait_bound()
        number = phone.ctl("forward", "all", "--server", "0301234")["call"]
        assert phone.reason(number)["reason"] == "busy"
        process.finish()
        assert f"INVITE sip:*720301234%23@{SIPP} SIP/2.0" in process.messages()
    finally:
        phone.ctl("account", "set", "us", "default-domain=", "prefix=")


def test_moved(phone, sipp):
    """The caller goes where the 302 says, to one address after the other; nobody is there any more."""
    phone.ctl("account", "set", "us", "redirects=follow")
    process = sipp("callee-moved")
    process.wait_bound()
    assert phone.run("dial", "--wait", f"sip:them@{SIPP}", check=False).returncode == 6
    process.finish()
    call = phone.ctl("call", "show", newest(phone))
    assert call["RemoteUri"] == "sip:other@127.60.4.9" and SIPP in call["Diverter"], call
    assert call["Reason"]["reason"] == "unreachable", call


# ---- what is no SIP, or too much of it ----

def invite(body="", headers="", method="INVITE", cseq="1 INVITE", length=None, call_id="bad"):
    return (f"{method} sip:us@{ADDRESS} SIP/2.0\r\nVia: SIP/2.0/UDP {SIPP}:5070;branch=z9hG4bK{call_id}\r\n"
            f"From: <sip:them@{SIPP}>;tag={call_id}\r\nTo: <sip:us@{ADDRESS}>\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n"
            f"Contact: <sip:them@{SIPP}:5070>\r\nMax-Forwards: 70\r\n{headers}"
            f"Content-Length: {len(body) if length is None else length}\r\n\r\n{body}").encode()


SDP_TYPE = "Content-Type: application/sdp\r\n"
HOSTILE = {
    "no-sdp-type": (invite("hello", "Content-Type: text/plain\r\n", call_id="h1"), 415),
    "bad-sdp": (invite("v=0\r\nm=audio nonsense\r\n", SDP_TYPE, call_id="h2"), 488),
    "video-only": (invite(f"v=0\r\no=- 1 1 IN IP4 {SIPP}\r\ns=-\r\nc=IN IP4 {SIPP}\r\nt=0 0\r\nm=video 4000 RTP/AVP 96\r\n"
                          "a=rtpmap:96 VP8/90000\r\n", SDP_TYPE, call_id="h3"), 488),
    "unknown-extension": (invite("", "Require: warp-drive\r\n", call_id="h4"), 420),
    "cseq-mismatch": (invite(cseq="1 BYE", call_id="h5"), 400),
    "negative-length": (invite(length=-5, call_id="h6"), 400),
    "no-such-dialog": (invite(method="BYE", cseq="2 BYE", call_id="h7"), 481),
    "loop": (invite(headers="Max-Forwards: 0\r\n", call_id="h8").replace(b"Max-Forwards: 70\r\n", b""), None),
    "huge-header": (invite(headers=f"X-Huge: {'x' * 50000}\r\n", call_id="h9"), None),
    "many-headers": (invite(headers="".join(f"X-{i}: {i}\r\n" for i in range(3000)), call_id="h10"), None),
    "garbage": (bytes(range(256)) * 100, None),
    "empty-lines": (b"\r\n" * 5000, None),
    "no-crlf": (b"INVITE " + b"a" * 60000, None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(phone, name):
    """A status where the RFC names one; in any case the phone stays, nothing rings for what is no call, and OPTIONS is answered after it."""
    message, status = HOSTILE[name]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((SIPP, 5070))
        peer.settimeout(20)
        peer.sendto(message, (ADDRESS, 5060))
        if status is not None:
            assert await_final(peer) == status
        peer.sendto(invite(method="OPTIONS", cseq="1 OPTIONS", call_id=f"after-{name}"), (ADDRESS, 5060))
        while f"Call-ID: after-{name}".encode() not in (answer := peer.recv(65536)):
            pass
        assert answer.startswith(b"SIP/2.0 200")
    if status is not None:
        assert all(call["State"] == "disconnected" for call in phone.calls.values())


def await_final(peer):
    while True:
        status = int(peer.recv(65536).split()[1])
        if status >= 200:
            return status
