# SPDX-License-Identifier: LGPL-2.1-or-later
"""Text messages of whole phones through a real provider: peers that are not there yet, restarts and crashes in the middle, reports, who
is writing, what is long, and what floods."""
import random
import re
import signal
import socket
import sqlite3
import time
import uuid

import pytest

from baresip import Baresip
from linphone import Linphone, LinphoneReader

PROVIDER_ADDRESS = "127.73.1.1"
USERS = {"ann": "secret of ann", "ben": "secret of ben", "lin": "secret of lin", "bare": "secret-of-bare"}
SCRIPTS = "Grüße, Привет, שלום, こんにちは, 😀\n\tand a second line"


@pytest.fixture
def pair(phones, provider):
    """Ann and Ben, registered. Both tell all that they are asked."""
    def make(transports=("auto", "auto")):
        made = []
        for user, transport in zip(USERS, transports):
            phone = phones(user, audio={"input": "silence", "output": "silence", "ring": "silence"})
            phone.add_account("work", provider.account_settings(user, transport, message_receipts="displayed"), USERS[user])
            made.append(phone)
        return made
    return make


def statuses(phone, id):
    return [event["args"][1] for event in phone.events if event.get("signal") == "StatusChanged" and event["args"][0] == id]


def wait_status(phone, id, status):
    phone.wait(lambda: status in statuses(phone, id), f"message {id} {status}, not {statuses(phone, id)}")


def received(phone):
    return [event["args"][0] for event in phone.events if event.get("signal") == "Received"]


def wait_received(phone, n):
    phone.wait(lambda: len(received(phone)) >= n, f"{n} messages")
    return [message["body"] for message in received(phone)]


def send(phone, to, text, *options):
    return phone.ctl("message", "send", *options, to, text)["id"]


def test_both_ways_with_reports(pair):
    ann, ben = pair()
    first = send(ann, "ben", SCRIPTS)
    wait_status(ann, first, "sent")
    assert wait_received(ben, 1) == [SCRIPTS]
    message = received(ben)[0]
    assert message["party"] == "ann@phoned.test" and message["read"] is False
    assert ben.ctl("status")["MessagesUnread"] == 1
    # Ben's phone said with its 200 that it opens envelopes: the second one asks for reports, and so does what Ben sends back.
    second = send(ann, "sip:ben@phoned.test", "did you get it?")
    wait_status(ann, second, "delivered")
    wait_received(ben, 2)
    ben.ctl("message", "read")
    wait_status(ann, second, "displayed")
    assert ben.ctl("status")["MessagesUnread"] == 0
    third = send(ben, "ann", "yes")
    wait_status(ben, third, "delivered")
    assert statuses(ann, second) == ["queued", "sending", "sent", "delivered", "displayed"]
    # the conversation, its search, and the history with both in it
    assert [m["body"] for m in ben.ctl("message", "list", "--party", "ann@phoned.test")] == ["yes", "did you get it?", SCRIPTS]
    assert [m["id"] for m in ann.ctl("message", "list", "--text", "GET IT")] == [second]
    assert [(e["kind"], e["outcome"]) for e in ann.ctl("history", "--party", "ben@phoned.test")] == [("message", "received"), ("message", "sent"),
                                                                                                    ("message", "sent")]
    # who is writing
    ann.ctl("message", "composing", "ben")
    ben.wait(lambda: any(e.get("signal") == "ComposingChanged" and e["args"][2] is True for e in ben.events), "Ann to write")
    send(ann, "ben", "so")
    ben.wait(lambda: any(e.get("signal") == "ComposingChanged" and e["args"][2] is False for e in ben.events), "Ann to have written")
    assert "so" in ben.ctl_text("message", "list") and "\x1b" not in ben.ctl_text("message", "list")


def test_peer_that_is_not_there_yet(pair, phones, provider):
    """It waits for the peer, through a restart, and goes out once, in order."""
    ann, ben = pair()
    ben.ctl("account", "unregister", "work")
    ben.wait_registered("work", "unregistered")
    ids = [send(ann, "ben", f"waiting {i}") for i in range(3)]
    shown = ann.wait(lambda: (m := ann.ctl("message", "show", ids[0])) and m["status"] == "queued" and m.get("sip") == 480 and m,
                     "the server to say 480")
    assert shown["attempts"] >= 1
    assert ann.ctl("status")["MessagesQueued"] == 3
    ann.restart_daemon()
    ann.wait_registered("work")
    assert {m["status"] for m in ann.ctl("message", "list")} <= {"queued", "sending"} and ann.ctl("status")["MessagesQueued"] == 3
    ben.ctl("account", "register", "work")
    ben.wait_registered("work")
    send(ben, "ann", "here I am")           # whoever writes is there: nothing waits for its time any more
    assert wait_received(ben, 3) == ["waiting 0", "waiting 1", "waiting 2"]
    for id in ids:
        wait_status(ann, id, "sent")
    assert ann.ctl("message", "list", "--status", "queued") == []


def test_refused_long_in_call(pair):
    """What is refused says why. Longer than a datagram goes by TCP; with UDP alone it does not go. In a call it goes in its dialog."""
    text = "0123456789" * 400
    ann, ben = pair(transports=("auto", "udp"))
    result = ann.run("message", "send", "--wait", "nobody", "hello?", check=False)
    assert result.returncode == 5 and "404" in result.stdout
    assert "20000" in ann.run("message", "send", "ben", "x" * 20001, check=False).stderr
    assert "control characters" in ann.run("message", "send", "ben", "\x1b[2J", check=False).stderr
    wait_status(ann, send(ann, "ben", text), "sent")
    assert wait_received(ben, 1) == [text]
    long = send(ben, "ann", text)
    wait_status(ben, long, "failed")
    assert "too long for UDP" in ben.ctl("message", "show", long)["phrase"]
    wait_status(ben, send(ben, "ann", "short"), "sent")
    assert wait_received(ann, 1) == ["short"]
    ann.ctl("dial", "ben")
    ben.ctl("answer", ben.wait_call("incoming"))
    ann.wait_call("active")
    wait_status(ann, ann.ctl("message", "send", "--call", "1", "in the call")["id"], "sent")
    assert wait_received(ben, 2)[1] == "in the call"
    wait_status(ben, ben.ctl("message", "send", "--call", "1", "yes, in it")["id"], "sent")
    assert wait_received(ann, 2)[1] == "yes, in it"
    ann.ctl("hangup", "1")


def test_crashes(pair):
    """Both ends are killed at random, again and again. Every message whose id was given out ends somewhere, arrives at most once, in order,
    and is never called sent when it did not arrive."""
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    dice = random.Random(seed)
    ann, ben = pair()
    ids = []
    for round in range(4):
        for i in range(dice.randint(3, 8)):
            ids.append(send(ann, "ben", f"{len(ids)}"))
        victim = dice.choice((ann, ben))
        victim.restart_daemon(signal.SIGKILL)
        for phone in (ann, ben):
            phone.wait_registered("work")
    ben.ctl("message", "send", "ann", "go on")
    done = {"sent", "delivered", "displayed", "failed"}

    def all_done():
        return {m["id"]: m for m in ann.ctl("message", "list", "--outgoing", "--limit", "500") if m["status"] in done}
    ann.wait(lambda: len(all_done()) == len(ids), "every message to end somewhere", 40)
    messages = all_done()
    assert set(messages) == set(ids)
    there = [int(m["body"]) for m in reversed(ben.ctl("message", "list", "--incoming", "--limit", "500"))]
    assert len(there) == len(set(there)), "one arrived twice"
    assert there == sorted(there), "not in order"
    for number, id in enumerate(ids):
        if messages[id]["status"] != "failed":
            assert number in there, "called sent, and did not arrive"
        else:
            assert messages[id].get("uncertain"), messages[id]


def test_retention(phones):
    """What is older than the settings say is gone at the start and when they change, of every kind; what waits to go out stays."""
    phone = phones("keeper", audio={"input": "silence", "output": "silence", "ring": "silence"})
    phone.end_daemon()
    days = {"new": 6, "old": 8}
    starts = {name: int(time.time()) - age * 86400 for name, age in days.items()}
    with sqlite3.connect(phone.home / "state/phoned/phone.db") as db:
        for name, start in starts.items():
            for kind, state in (("call", None), ("message", 2), ("queued", 0)):
                seq = db.execute("INSERT INTO history (id, account, incoming, outcome, party, remote_uri, remote_name, asserted_id, diverter, start,"
                                 " answered, ended, actor, cause, sip, q850, phrase, refused_by, codec, keying, suite, seen, kind, text)"
                                 " VALUES (?, 'a', 0, 0, 'p', 'sip:p@x', 'Find me', '', '', ?, 0, 0, 'local', 'hangup', 0, 0, '', '', '', '', '',"
                                 " 1, ?, 'x')", (f"{name} {kind}", start, kind != "call")).lastrowid
                if state is not None:
                    db.execute("INSERT INTO message (seq, state, changed, uncertain, attempts, imdn_id, transaction_id, asks, owes)"
                               " VALUES (?, ?, ?, 0, 0, '', '', 0, 0)", (seq, state, start))
    db.close()
    folder = phone.home / "state/phoned/recordings"
    folder.mkdir(exist_ok=True)
    ids = {}
    for name, start in starts.items():
        for kind in ("call", "voicemail"):
            ids[name, kind] = str(uuid.uuid4())
            (folder / f"{ids[name, kind]}.seal").write_bytes(b"sound")
            (folder / f"{ids[name, kind]}.info").write_text(f"[recording]\nkind={kind}\nstate=done\nstart={start}\n")

    def keep(limit):
        phone.sections.update({"history": {"keep": limit}, "messages": {"keep": limit, "give-up": 8760},
                               "recording": {"keep-days": limit}, "voicemail": {"keep-days": limit}})
        phone.write_config()

    def there():
        return ({e["id"] for e in phone.ctl("history", "--text", "find me")}, {r["id"] for r in phone.ctl("recording", "list")})
    keep(7)
    phone.start_daemon()
    queued = {"old queued", "new queued"}
    expected = (queued | {"new call", "new message"}, {ids["new", "call"], ids["new", "voicemail"]})
    phone.wait(lambda: there() == expected, "what is older than a week to be gone")
    assert sorted(path.stem for path in folder.glob("*.*")) == sorted(2 * list(expected[1]))
    keep(5)
    phone.reload()
    phone.wait(lambda: there() == (queued, set()), "what is older than five days to be gone")
    assert list(folder.glob("*.info")) == []


def message_request(target, port, branch, call_id, cseq, body, content_type="text/plain"):
    payload = body.encode()
    return (f"MESSAGE {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.73.1.9:{port};branch=z9hG4bK{branch};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:stranger@127.73.1.9>;tag=x\r\nTo: <{target}>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} MESSAGE\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(payload)}\r\n\r\n").encode() + payload


def test_raw(phones):
    """A stranger's datagrams: answers, duplicates, limits."""
    phone = phones("direct", audio={"input": "silence", "output": "silence", "ring": "silence"}, config={"sip": {"bind": "127.73.1.8:5060"}})
    phone.ctl("account", "add", "direct", "aor=sip:dora@127.73.1.8", "register=false", "transport=udp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.73.1.9", 0))
        peer.settimeout(15)
        port, count = peer.getsockname()[1], 0

        def ask(call_id, cseq, body, content_type="text/plain"):
            nonlocal count
            count += 1
            peer.sendto(message_request("sip:dora@127.73.1.8", port, f"b{count}", call_id, cseq, body, content_type), ("127.73.1.8", 5060))
            while True:
                answer = peer.recv(65536).decode()
                if f"z9hG4bKb{count};" in answer or f"z9hG4bKb{count}\r" in answer:
                    return int(answer.split()[1]), answer
        assert ask("a", 1, "one\x1b[31m")[0] == 200
        # what was acknowledged is on the disk, whatever comes
        phone.restart_daemon(signal.SIGKILL)
        assert [m["body"] for m in phone.ctl("message", "list")] == ["one [31m"]
        assert ask("a", 1, "one")[0] == 200                    # again, in another transaction: the same message
        assert ask("a", 2, "two")[0] == 200
        status, answer = ask("b", 1, "<p>", "text/html")
        assert status == 415 and "Accept: text/plain" in answer
        assert ask("c", 1, "x", "text/plain; charset=utf-16")[0] == 415
        assert ask("d", 1, "x" * 20001)[0] == 413
        assert [m["body"] for m in phone.ctl("message", "list")] == ["two", "one [31m"]
        # what a server on the way has to say is no news of anybody's, and no error
        stored = '<imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>x</message-id><processing-notification><status><stored/></status>' \
                 '</processing-notification></imdn>'
        assert ask("e", 1, stored, "message/imdn+xml")[0] == 200
        answers = [ask(f"flood{i}", 1, "x") for i in range(80)]
        refused = [answer for status, answer in answers if status == 503]
        assert refused and "Retry-After:" in refused[0]


def test_report(phones):
    """What a sender's envelope asks for comes in one too: with an id of its own, and asks for nothing (RFC 5438 section 7.2)."""
    phone = phones("reporter", audio={"input": "silence", "output": "silence", "ring": "silence"}, config={"sip": {"bind": "127.73.1.7:5060"}})
    phone.ctl("account", "add", "direct", "aor=sip:dora@127.73.1.7", "register=false", "transport=udp", "message-receipts=delivered")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.73.1.9", 5060))
        peer.settimeout(15)
        envelope = ("From: <sip:stranger@127.73.1.9>\r\nTo: <sip:dora@127.73.1.7>\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 34jk324j\r\n"
                    "imdn.Disposition-Notification: positive-delivery, negative-delivery\r\n\r\nContent-Type: text/plain\r\n\r\nhello")
        peer.sendto(message_request("sip:dora@127.73.1.7", 5060, "report", "report", 1, envelope, "message/cpim"), ("127.73.1.7", 5060))
        request = ""
        while not request.startswith("MESSAGE "):
            request = peer.recv(65536).decode()
    headers, block, content, body = request.split("\r\n\r\n", 3)
    assert "Content-Type: message/cpim" in headers
    own = re.search(r"^NS: imdn <urn:ietf:params:imdn>\r\nimdn\.Message-ID: (\S+)$", block, re.M)
    assert own and own[1] != "34jk324j" and "Disposition-Notification" not in block, block
    assert "Content-Type: message/imdn+xml" in content and "Content-Disposition: notification" in content
    order = [body.index(word) for word in ('<imdn xmlns="urn:ietf:params:xml:ns:imdn">', "<message-id>34jk324j</message-id>", "<datetime>",
                                           "<delivery-notification><status><delivered/></status></delivery-notification></imdn>")]
    assert order == sorted(order)


def test_linphone(pair, provider, work):
    """Both ways, in every script; what linphone takes for text arrives as text."""
    ann, _ = pair()
    line = SCRIPTS.split("\n")[0]
    lin = Linphone("chat", work, "/dev/null", "lin", provider, password=USERS["lin"])
    try:
        lin.start()
        lin.wait_registered()
        mark = lin.mark()
        id = send(ann, "lin", line)
        wait_status(ann, id, "sent")
        assert lin.wait(r"Message received from \S+: (.*)", mark)[1].strip() == line
        lin.command(f"chat sip:ann@{provider.domain} {line}")
        assert wait_received(ann, 1) == [line]
        assert received(ann)[0]["party"] == "lin@phoned.test"
    finally:
        lin.stop()


def test_linphone_reports(pair, provider, work):
    """CPIM and IMDN of another maker: it hears from us what has arrived and what was read, and opens our envelope."""
    ann, _ = pair()
    ann.ctl("account", "set", "work", "message-reports=on")
    lin = Linphone("reports", work, "/dev/null", "lin", provider, password=USERS["lin"])
    lin.config["proxy_default_values"] = {"cpim_in_basic_chat_rooms_enabled": 1}
    log = lin.home / "log"

    def moved(states):
        return ann.wait(lambda: f"moving from {states}" in log.read_text(errors="replace"), f"linphone's message to move from {states}")

    try:
        lin.start()
        lin.wait_registered()
        lin.command(f"chat sip:ann@{provider.domain} from lin")
        assert wait_received(ann, 1) == ["from lin"]
        moved("Delivered to DeliveredToUser")
        ann.ctl("message", "read")
        moved("DeliveredToUser to Displayed")
        assert len(received(ann)) == 1 and ann.ctl("message", "list", "--by-peer", "--unread") == []
        mark = lin.mark()
        id = send(ann, "lin", "from ann")
        assert lin.wait(r"Message received from \S+: (.*)", mark)[1].strip() == "from ann"
        wait_status(ann, id, "sent")
        [peer] = ann.ctl("message", "list", "--by-peer")
        assert (peer["party"], peer["messages"], peer["unread"], peer["id"]) == ("lin@phoned.test", 2, 0, id)
    finally:
        lin.stop()


def test_reports_of_linphone(pair, provider, work):
    """And we hear it from it; its reports are deflated."""
    ann, _ = pair()
    ann.ctl("account", "set", "work", "message-reports=on")
    lin = LinphoneReader("reader", work, "/dev/null", "lin", provider, password=USERS["lin"])
    try:
        lin.start()
        lin.wait_registered()
        id = send(ann, "lin", SCRIPTS)
        wait_status(ann, id, "delivered")
        lin.wait_unread()
        assert "displayed" not in statuses(ann, id)
        lin.read_all()
        wait_status(ann, id, "displayed")
        assert statuses(ann, id) == ["queued", "sending", "sent", "delivered", "displayed"]
    finally:
        lin.stop()


def test_baresip(pair, provider, work):
    """Only there: it has no command to send one."""
    ann, _ = pair()
    line = SCRIPTS.split("\n")[0]
    bare = Baresip("chat", work, "127.73.1.7", "/dev/null", f"sip:bare@{provider.domain}", outbound=f"{provider.address}:{provider.port}",
                   password=USERS["bare"], regint=60)
    try:
        bare.start()
        bare.wait_registered()
        wait_status(ann, send(ann, "bare", line), "sent")
        # It shows texts on a console that it has not got here, and wants to play a sound with them.
        assert "message.wav" in bare.log_text()
    finally:
        bare.stop()
