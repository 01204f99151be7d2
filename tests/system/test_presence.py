# SPDX-License-Identifier: LGPL-2.1-or-later
"""Presence, busy lamps and the mailbox with a foreign presence agent (Kamailio: presence, presence_xml, presence_dialoginfo, presence_mwi)
between phones; a call that rings at one and is picked up by another, as the proxy between them tells of it (pua_dialoginfo); resource lists and
watchers with one that has a database (rls). What nobody publishes by himself is published by a few lines over UDP. 127.67.2.x, 127.85.2.x."""
import shutil
import socket
import subprocess
import time
from xml.sax.saxutils import quoteattr

import pytest

from baresip import Baresip
from conftest import ROOT
from phone import die_with_parent

ADDRESS, LISTS = "127.67.2.1", "127.85.2.1"
SILENCE = {"input": "silence", "output": "silence", "ring": "silence"}
TABLES = "/usr/share/kamailio/dbtext/kamailio"
TEAM = (("alice", "Alice &lt;A&gt;"), ("carol", "Carol"), ("dave", "Dave"))
DOMAIN = "phoned.test"

DIALOG_INFO = """<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:carol@phoned.test">
<dialog id="x1" call-id="c1@x" local-tag="lt" remote-tag="rt" direction="recipient"><state>early</state>
<remote><identity display="Dave">sip:dave@phoned.test</identity><target uri="sip:dave@127.67.2.9:5060"/></remote></dialog></dialog-info>
"""
CAROL = """<?xml version="1.0"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:carol@phoned.test"><tuple id="c"><status><basic>open</basic></status><note>here</note>
</tuple></presence>
"""


def start_kamailio(folder, name, address, **words):
    config = folder / name
    text = (ROOT / "tests/system/presence" / name).read_text().replace("ADDRESS", address)
    for word, value in words.items():
        text = text.replace(word, str(value))
    config.write_text(text)
    log = open(folder / "kamailio.out", "w")
    server = subprocess.Popen(["kamailio", "-DD", "-E", "-m", "32", "-M", "4", "-Y", str(folder), "-w", str(folder), "-f", str(config)],
                              stdout=log, stderr=log, preexec_fn=die_with_parent)
    until(lambda: request("OPTIONS", f"sip:{address}", "probe", wait=0.5, to=address).startswith("SIP/2.0 200"), "kamailio")
    return server


@pytest.fixture(scope="module")
def agent(work):
    shutil.copytree(TABLES, work / "tables")                # its publisher wants some, and leaves them empty
    server = start_kamailio(work, "kamailio.cfg", ADDRESS, DATABASE=str(work / "tables").lstrip("/"))
    yield server
    server.terminate()
    server.wait()


@pytest.fixture
def list_server(work):
    """Its database is a folder of text files; sip:team@ is a list of three."""
    folder = work / "lists"
    tables = folder / "db"
    shutil.copytree(TABLES, tables)
    for name in ("rls_watchers", "rls_presentity"):         # it writes NULL where its own tables forbid that
        table = tables / name
        table.write_text(table.read_text().replace("reason(string)", "reason(string,null)"))
    members = "".join(f"<rl:entry uri={quoteattr(f'sip:{user}@{DOMAIN}')}><rl:display-name>{name}</rl:display-name></rl:entry>" for user, name in TEAM)
    document = (f'<?xml version="1.0"?><rls-services xmlns="urn:ietf:params:xml:ns:rls-services" xmlns:rl="urn:ietf:params:xml:ns:resource-lists">'
                f'<service uri="sip:team@{DOMAIN}"><list name="team">{members}</list><packages><package>presence</package></packages></service>'
                f"</rls-services>")
    row = ["1", "bob", DOMAIN, document, "8", "e", "0", f"rls-services/users/sip:bob@{DOMAIN}/index", "0"]
    with open(tables / "xcap", "a") as file:
        file.write(":".join(field.replace("\\", "\\\\").replace(":", "\\:") for field in row) + "\n")
    server = start_kamailio(folder, "kamailio-lists.cfg", LISTS, DATABASE=str(tables).lstrip("/"))
    yield server
    server.terminate()
    assert server.wait() == 0, "kamailio died"


def until(condition, what, seconds=30):
    """What a foreign server does shows only by asking our phones again; the limit is a watchdog."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.05)
    return value


def request(method, uri, call_id, headers="", body="", wait=10.0, to=ADDRESS):
    """One request over UDP and its answer, or ""."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.67.2.8", 0))
        sock.settimeout(wait)
        host, port = sock.getsockname()
        text = (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{call_id}{time.monotonic_ns()}\r\nMax-Forwards: 70\r\n"
                f"From: <{uri}>;tag=t{call_id}\r\nTo: <{uri}>\r\nCall-ID: {call_id}@test\r\nCSeq: 1 {method}\r\n{headers}"
                f"Content-Length: {len(body.encode())}\r\n\r\n{body}")
        sock.sendto(text.encode(), (to, 5060))
        try:
            return sock.recv(65535).decode(errors="replace")
        except TimeoutError:
            return ""


def publish(user, event, kind, body, call_id, to=ADDRESS):
    answer = request("PUBLISH", f"sip:{user}@{DOMAIN}", call_id, f"Event: {event}\r\nExpires: 300\r\nContent-Type: {kind}\r\n", body, to=to)
    assert answer.startswith("SIP/2.0 200"), answer


def account(phone, user, server=ADDRESS):
    phone.ctl("account", "add", user, f"aor=sip:{user}@{DOMAIN}", f"outbound-proxy={server}", "transport=udp")
    until(lambda: phone.ctl("account", "show", user)["Registration"] == "registered", f"{user} to be registered")


def watched(phone, uri, kind="presence"):
    return next((w for w in phone.ctl("presence", "list") if w["Uri"] == uri and w["Kind"] == kind), None)


def test_presence_agent(agent, phones):
    alice, bob = phones("alice", audio=SILENCE), phones("bob", audio=SILENCE)
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

    assert bob.ctl("voicemail", "list") == []
    assert bob.ctl("voicemail", "list", "--server") == [
        {"kind": "mailbox", "account": "bob", "known": True, "waiting": True, "new": 2, "old": 8, "new-urgent": 1, "old-urgent": 0,
         "mailbox": f"sip:box@{DOMAIN}"}]
    assert "2 new (1 urgent), 8 old" in bob.ctl_text("voicemail", "list", "--server") and "2 new at the server" in bob.ctl_text("status")

    # alice's phone rings: the server that the call goes through tells of it, with enough to take it away from there
    bob.ctl("presence", "watch", "--dialog", uri)
    until(lambda: watched(bob, uri, "dialog")["Subscription"] == "active", "alice's lamp")
    dave = phones("dave", audio=SILENCE)
    account(dave, "dave")
    outgoing = dave.ctl("dial", uri)["call"]
    ringing = alice.wait_call("incoming")
    until(lambda: watched(bob, uri, "dialog")["CanPickup"], "alice's lamp to blink")
    lamp = watched(bob, uri, "dialog")
    assert lamp["State"] == "ringing" and lamp["Dialogs"][0]["remote-uri"] == f"sip:dave@{DOMAIN}", lamp
    taken = bob.ctl("pickup", uri)["call"]
    bob.wait_call("active", taken)
    assert alice.reason(ringing)["reason"] in ("answered-elsewhere", "cancelled"), alice.reason(ringing)
    assert dave.reason(outgoing)["reason"] == "replaced", dave.reason(outgoing)
    until(lambda: watched(bob, uri, "dialog")["State"] == "idle", "alice's lamp to be dark again")
    bob.ctl("hangup", taken)
    dave.wait_idle()

    # who goes is offline for those who watch, and both sides remember over a restart
    alice.end_daemon()
    until(lambda: watched(bob, uri)["State"] in ("offline", "unknown"), "alice to be gone")
    alice.start_daemon()
    until(lambda: watched(bob, uri)["Status"] == "dnd", "alice back as she was")
    bob.restart_daemon()
    until(lambda: (watched(bob, uri) or {}).get("Status") == "dnd", "bob's watch after a restart")
    assert len(bob.ctl("presence", "list")) == 4


def test_list_and_watchers(list_server, phones):
    """One subscription to a list tells of all who are on it, several at a time; and the server tells whom it tells of us."""
    alice, bob = phones("alice"), phones("bob")
    account(alice, "alice", LISTS)
    account(bob, "bob", LISTS)
    team, person = f"sip:team@{DOMAIN}", f"sip:alice@{DOMAIN}"

    def members():
        return {m["uri"].split(":")[1].split("@")[0]: m for m in (watched(bob, team) or {}).get("Resources", [])}

    bob.ctl("presence", "watch", team)
    until(lambda: len(members()) == 3, "the list")
    assert watched(bob, team)["Subscription"] == "active"
    alice.ctl("presence", "set", "away", "at lunch")
    publish("carol", "presence", "application/pidf+xml", CAROL, "c1", LISTS)
    until(lambda: {u: m.get("status") for u, m in members().items()}.items() >= {"alice": "away", "carol": "available"}.items(), "both states")
    now = members()
    assert now["alice"]["note"] == "at lunch" and now["alice"]["active"] and now["carol"]["note"] == "here", now
    assert now["dave"]["state"] in ("unknown", "offline") and sorted(now) == ["alice", "carol", "dave"]
    # a part of the list changes, the rest stays
    alice.ctl("presence", "set", "dnd", "")
    until(lambda: members()["alice"]["status"] == "dnd", "alice's new state")
    assert members()["carol"]["status"] == "available"

    bob.ctl("presence", "watch", person)
    until(lambda: watched(bob, person)["Status"] == "dnd", "a person beside the list")
    # asked for now: its first document is full, and those that follow are wrong (they name no watcher)
    alice.ctl("account", "set", "alice", "winfo=true")
    until(lambda: f"sip:bob@{DOMAIN}" in [s["uri"] for s in alice.ctl("presence", "subscribers") if "number" not in s], "bob among alice's watchers")
    bob.ctl("presence", "unwatch", person)
    bob.ctl("presence", "unwatch", team)
    assert list_server.poll() is None


def test_subscribers(phones, work):
    """Without a server: baresip watches a person, another phone of ours a lamp, and neither sees more than it may."""
    me = "127.82.2.1"
    alice = phones("alice", audio=SILENCE, config={"sip": {"bind": f"{me}:5060"}, "media": {"bind": me}})
    bob = phones("bob", audio=SILENCE, config={"sip": {"bind": "127.82.2.2:5060"}})
    them = Baresip("watcher", work, "127.82.2.3", "/dev/null", "sip:them@127.82.2.3", applications=("contact", "presence"),
                   contacts=f'"Alice" <sip:alice@{me}>;presence=p2p\n')
    alice.ctl("account", "add", "home", f"aor=sip:alice@{me}", "register=false", "transport=udp", "subscribers=ask")
    bob.ctl("account", "add", "home", "aor=sip:bob@127.82.2.2", "register=false", "transport=udp")
    alice.ctl("presence", "set", "away")
    them.start()
    try:
        # foreign: it is told nothing until the user says so
        asked = until(lambda: alice.ctl("presence", "subscribers"), "baresip to ask")[0]
        assert (asked["uri"], asked["kind"], asked["state"], asked["source"]) == ("sip:them@127.82.2.3", "presence", "pending", "127.82.2.3")
        assert "Unknown" in them.answer("contacts")
        alice.ctl("presence", "allow", str(asked["number"]))
        until(lambda: "Offline" in them.answer("contacts"), "baresip to see alice away")       # its word for it

        # the lamp: refused, then let in, then lit by a call
        alice.ctl("account", "set", "home", "subscribers=refuse")
        lamp = f"sip:alice@{me}"
        bob.ctl("presence", "watch", "--dialog", lamp)
        until(lambda: watched(bob, lamp, "dialog")["SubscriptionDetail"].get("code") == 403, "the refusal")
        bob.ctl("presence", "unwatch", lamp)
        alice.ctl("presence", "allow", "sip:bob@127.82.2.2")
        bob.ctl("presence", "watch", "--dialog", lamp)
        until(lambda: watched(bob, lamp, "dialog")["State"] == "idle", "the lamp to be dark")
        bob.ctl("dial", lamp)
        until(lambda: watched(bob, lamp, "dialog")["State"] == "ringing", "the lamp to blink")
        assert watched(bob, lamp, "dialog")["CanPickup"] and watched(bob, lamp, "dialog")["Dialogs"][0]["remote-uri"].startswith("sip:bob@127.82.2.2")
        alice.ctl("answer")
        until(lambda: "Busy" in them.answer("contacts"), "baresip to see alice on the phone")
        alice.ctl("hangup")
        until(lambda: watched(bob, lamp, "dialog")["State"] == "idle", "the lamp to be dark again")

        bob.ctl("presence", "unwatch", lamp)
        until(lambda: [s["kind"] for s in alice.ctl("presence", "subscribers")] == ["presence"], "bob to be gone")
        alice.ctl("presence", "end", str(asked["number"]))
        assert alice.ctl("presence", "subscribers") == []
    finally:
        them.stop()
