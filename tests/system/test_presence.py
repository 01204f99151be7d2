# SPDX-License-Identifier: LGPL-2.1-or-later
"""Presence, busy lamps and the mailbox with a foreign presence agent (Kamailio: presence, presence_xml, presence_dialoginfo, presence_mwi)
between two phones. What no phone of ours publishes (dialogs, messages) is published by a few lines over UDP. 127.67.2.x."""
import socket
import subprocess
import time

import pytest

from conftest import ROOT
from phone import die_with_parent

ADDRESS = "127.67.2.1"
DOMAIN = "phoned.test"

DIALOG_INFO = """<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:carol@phoned.test">
<dialog id="x1" call-id="c1@x" local-tag="lt" remote-tag="rt" direction="recipient"><state>early</state>
<remote><identity display="Dave">sip:dave@phoned.test</identity><target uri="sip:dave@127.67.2.9:5060"/></remote></dialog></dialog-info>
"""


@pytest.fixture(scope="module")
def agent(work):
    config = work / "kamailio.cfg"
    config.write_text((ROOT / "tests/system/presence/kamailio.cfg").read_text().replace("ADDRESS", ADDRESS))
    log = open(work / "kamailio.out", "w")
    server = subprocess.Popen(["kamailio", "-DD", "-E", "-m", "32", "-M", "4", "-Y", str(work), "-w", str(work), "-f", str(config)],
                              stdout=log, stderr=log, preexec_fn=die_with_parent)
    until(lambda: request("OPTIONS", f"sip:{ADDRESS}", "probe", wait=0.5).startswith("SIP/2.0 200"), "kamailio")
    yield server
    server.terminate()
    server.wait()


def until(condition, what, seconds=30):
    """What a foreign server does shows only by asking our phones again; the limit is a watchdog."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.05)
    return value


def request(method, uri, call_id, headers="", body="", wait=10.0):
    """One request over UDP and its answer, or ""."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.67.2.8", 0))
        sock.settimeout(wait)
        host, port = sock.getsockname()
        text = (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{call_id}{time.monotonic_ns()}\r\nMax-Forwards: 70\r\n"
                f"From: <{uri}>;tag=t{call_id}\r\nTo: <{uri}>\r\nCall-ID: {call_id}@test\r\nCSeq: 1 {method}\r\n{headers}"
                f"Content-Length: {len(body.encode())}\r\n\r\n{body}")
        sock.sendto(text.encode(), (ADDRESS, 5060))
        try:
            return sock.recv(65535).decode(errors="replace")
        except TimeoutError:
            return ""


def publish(user, event, kind, body, call_id):
    answer = request("PUBLISH", f"sip:{user}@{DOMAIN}", call_id, f"Event: {event}\r\nExpires: 300\r\nContent-Type: {kind}\r\n", body)
    assert answer.startswith("SIP/2.0 200"), answer


def account(phone, user):
    phone.ctl("account", "add", user, f"aor=sip:{user}@{DOMAIN}", f"outbound-proxy={ADDRESS}", "transport=udp")
    until(lambda: phone.ctl("account", "show", user)["Registration"] == "registered", f"{user} to be registered")


def watched(phone, uri, kind="presence"):
    return next((w for w in phone.ctl("presence", "list") if w["Uri"] == uri and w["Kind"] == kind), None)


def test_presence_agent(agent, phones):
    alice, bob = phones("alice"), phones("bob")
    account(alice, "alice")
    account(bob, "bob")
    uri = f"sip:alice@{DOMAIN}"

    # before she has published anything the agent's NOTIFY has no body: that is not "offline"
    bob.ctl("presence", "watch", uri)
    until(lambda: watched(bob, uri)["Subscription"] == "active", "the subscription")
    assert watched(bob, uri)["State"] == "unknown"
    alice.ctl("presence", "set", "away", "at <lunch>")
    until(lambda: watched(bob, uri)["Status"] == "away", "alice away")
    assert watched(bob, uri)["Note"] == "at <lunch>" and watched(bob, uri)["State"] == "idle"
    alice.ctl("presence", "set", "dnd", "")
    until(lambda: watched(bob, uri)["Status"] == "dnd", "alice not to be disturbed")

    # refused, remembered, and not a busy lamp of something else
    bob.ctl("presence", "watch", f"sip:nobody@{DOMAIN}")
    until(lambda: watched(bob, f"sip:nobody@{DOMAIN}")["Subscription"] == "waiting", "the refusal")
    assert watched(bob, f"sip:nobody@{DOMAIN}")["SubscriptionDetail"]["reason"] == "not-found"

    # dialogs and messages
    carol = f"sip:carol@{DOMAIN}"
    bob.ctl("presence", "watch", "--dialog", carol)
    until(lambda: watched(bob, carol, "dialog")["Subscription"] == "active", "the lamp")
    publish("carol", "dialog", "application/dialog-info+xml", DIALOG_INFO, "d1")
    until(lambda: watched(bob, carol, "dialog")["State"] == "ringing", "carol's phone to ring")
    assert watched(bob, carol, "dialog")["Dialogs"][0]["remote-name"] == "Dave" and watched(bob, carol, "dialog")["CanPickup"]
    publish("bob", "message-summary", "application/simple-message-summary",
            f"Messages-Waiting: yes\r\nMessage-Account: sip:box@{DOMAIN}\r\nVoice-Message: 2/8 (1/0)\r\n", "m1")
    until(lambda: bob.ctl("voicemail")[0]["Known"], "the mailbox")
    box = bob.ctl("voicemail")[0]
    assert (box["New"], box["Old"], box["NewUrgent"], box["Waiting"]) == (2, 8, 1, True) and box["Mailbox"] == f"sip:box@{DOMAIN}"

    # who goes is offline for those who watch, and both sides remember over a restart
    alice.end_daemon()
    until(lambda: watched(bob, uri)["State"] in ("offline", "unknown"), "alice to be gone")
    alice.start_daemon()
    until(lambda: watched(bob, uri)["Status"] == "dnd", "alice back as she was")
    bob.restart_daemon()
    until(lambda: (watched(bob, uri) or {}).get("Status") == "dnd", "bob's watch after a restart")
    assert len(bob.ctl("presence", "list")) == 3
