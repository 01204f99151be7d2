# SPDX-License-Identifier: LGPL-2.1-or-later
"""How a call sounds, told to a collector while it lasts and at its end (RFC 6035): two phones, and a collector that is busy at first. The reports are
read by the grammar of section 4.6.1, and the last one outlives the phone that it is about."""
import re
import socket

import pytest

from phone import Phone

US, THEM, COLLECTOR = "127.84.1.1", "127.84.1.2", "127.84.1.3"
WORD, NUMBER = r"[^\s]+", r"-?\d+(?:\.\d)?"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
ADDRESS = rf"IP={WORD} PORT=\d+ SSRC=0x[0-9a-f]{{8}}"
METRICS = (rf"Timestamps:START={TIME} STOP={TIME}\r\n"
           rf"SessionDesc:PT=\d+ PD=\w+ SR=\d{{4,5}}(?: PPS=\d+ FD=\d+ FPP=\d+)?(?: PLC=[1-3])?\r\n"
           rf"JitterBuffer:JBA=[23](?: JB[RNMX]=\d+)*\r\n"
           rf"(?:PacketLoss:NLR=(?P<loss@>{NUMBER}) JDR={NUMBER}\r\n)"
           rf"(?:BurstGapLoss:BLD={NUMBER} BD=\d+ GLD={NUMBER} GD=\d+ GMIN=16\r\n)"
           rf"(?:Delay:(?:RTD=\d+ )?ESD=\d+(?: SOWD=\d+)?(?: IAJ=\d+)?\r\n)"
           rf"(?:Signal:(?:SL=-?\d{{1,2}})?(?: ?NL=-?\d{{1,2}})?(?: ?RERL=\d{{1,3}})?\r\n)?"
           rf"(?:QualityEst:RCQ=\d{{1,3}} MOSLQ=(?P<mos@>\d\.\d) MOSCQ=\d\.\d(?: QoEEstAlg=G\.107)?\r\n)")
REPORT = re.compile(rf"(?P<kind>VQSessionReport: CallTerm|VQIntervalReport|VQAlertReport: Type=MOSCQ Severity=Critical Dir=local)\r\n"
                    rf"CallID: (?P<call>{WORD})\r\nLocalID: <sip:us@{US}>\r\nRemoteID: <sip:them@{THEM}[^>]*>\r\nOrigID: <sip:us@{US}>\r\n"
                    rf"LocalAddr: {ADDRESS}\r\nRemoteAddr: {ADDRESS}\r\nLocalGroup: {WORD}\r\nRemoteGroup: {WORD}\r\n"
                    rf"LocalMetrics:\r\n{METRICS.replace('@', '_here')}(?:RemoteMetrics:\r\n{METRICS.replace('@', '_there')})?")


@pytest.fixture
def phones(work, build, speech):
    made = [Phone(name, work, build, hurry=True, config={"sip": {"bind": f"{address}:5060"}, "media": {"bind": address}},
                  audio={"input": f"file:{sound}", "output": "silence", "ring": "silence"})
            for name, address, sound in (("us", US, speech[0]), ("them", THEM, speech[1]))]
    try:
        for phone, address in zip(made, (US, THEM)):
            phone.start()
            phone.ctl("account", "add", "main", f"aor=sip:{phone.name}@{address}", "register=false", "transport=udp")
        yield made
    finally:
        for phone in made:
            phone.stop()


def take(collector):
    """One request, whichever way it is repeated."""
    data, source = collector.recvfrom(65536)
    head, body = data.decode().split("\r\n\r\n", 1)
    return head, body, source


def answer(collector, head, source, status, *more):
    lines = [line for line in head.split("\r\n")[1:] if line.split(":")[0].lower() in ("via", "v", "from", "f", "to", "t", "call-id", "i", "cseq")]
    lines = [line + ";tag=collector" if line.lower().startswith(("to:", "t:")) else line for line in lines]
    collector.sendto("\r\n".join([f"SIP/2.0 {status}", *lines, *more, "Content-Length: 0", "", ""]).encode(), source)


def header(head, name):
    return next((line.split(":", 1)[1].strip() for line in head.split("\r\n") if line.lower().startswith(name + ":")), None)


def take_new(collector, seen):
    """The next one that was not seen before."""
    while True:
        head, body, source = take(collector)
        number = header(head, "call-id") + header(head, "cseq")
        if number not in seen:
            seen.add(number)
            return head, body, source


def test_report(phones):
    us, them = phones
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind((COLLECTOR, 0))
        collector.settimeout(30)
        us.ctl("account", "set", "main", f"quality-collector=sip:vq@{COLLECTOR}:{collector.getsockname()[1]}", "quality-interval=5",
               "quality-alerts=mos=5/5")
        us.ctl("dial", f"sip:them@{THEM}")
        theirs = them.wait_call("incoming")
        them.ctl("answer", theirs)
        ours = us.wait_call("active")
        seen, kinds = set(), set()
        while len(kinds) < 2:           # while it lasts: at intervals, and no quality is good enough for these limits
            head, body, source = take_new(collector, seen)
            answer(collector, head, source, "200 OK")
            report = REPORT.fullmatch(body)
            assert report, body
            kinds.add(report["kind"].split(":")[0])
        assert kinds == {"VQIntervalReport", "VQAlertReport"}
        us.wait(lambda: "peer-mos-listening" in us.stats(ours), "the peer tells how we are heard")
        us.ctl("hangup", ours)
        us.wait_call("disconnected", ours)

        last = None
        while last is None:
            head, body, source = take_new(collector, seen)
            assert head.startswith("PUBLISH sip:vq@") and header(head, "event") == "vq-rtcpxr"
            assert header(head, "content-type") == "application/vq-rtcpxr"
            ends = body.startswith("VQSessionReport: CallTerm")
            answer(collector, head, source, "503 Service Unavailable" if ends else "200 OK")
            last = body if ends else None
        us.restart_daemon()             # the report is not delivered yet
        head, body, source = take_new(collector, seen)
        answer(collector, head, source, "200 OK")
        assert body == last
        report = REPORT.fullmatch(body)
        assert report, body
        for where in ("here", "there"):
            assert 0 <= float(report[f"loss_{where}"]) < 50 and 1 <= float(report[f"mos_{where}"]) <= 4.5
    entry = us.ctl("history")[0]
    told = {"mos", "loss-local", "loss-remote", "jitter-local", "playout-target", "playout-delay", "concealed", "accelerated", "expanded", "fec-used",
            "bitrate-target", "rate-reason", "here-rating", "peer-mos-conversation"}
    assert told <= set(entry), told - set(entry)
