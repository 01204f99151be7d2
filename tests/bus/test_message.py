# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.phoned.Phone1.Messages and `phonectl message` over the real archive; the network is the fake engine's: echo@ takes and returns a
message, later@ is not there, gone@ does not exist, deaf@ never answers."""
import csv
import io
import json
import sqlite3

import pytest
from gi.repository import GLib

import phonebus
from phonebus import HISTORY, MESSAGES, ROOT, refused, wait
from phonectl import Ctl


@pytest.fixture
def phone(tmp_path):
    running = phonebus.Phone("--archive", str(tmp_path / "state" / "phone.db"), "--linger", "0")
    running.file = tmp_path / "state" / "phone.db"
    yield running
    assert running.stop() == 0


def signals(client, name):
    return [e[3] for e in client.events if e[0] == ROOT and e[2] == name]


def statuses(client, id):
    return [args[1] for args in signals(client, "StatusChanged") if args[0] == id]


def send(client, to, body, **options):
    return client.call(ROOT, MESSAGES, "Send", "(ssa{sv})", to, body, {k: GLib.Variant("o", v) for k, v in options.items()})


def listed(client, offset=0, limit=100, **filters):
    kinds = {"read": "b", "since": "t", "until": "t"}
    return client.call(ROOT, MESSAGES, "List", "(a{sv}uu)", {k: GLib.Variant(kinds.get(k, "s"), v) for k, v in filters.items()}, offset, limit)


def get(client, id):
    return client.call(ROOT, MESSAGES, "Get", "(s)", id)


def test_sent_delivered_and_echoed_once(client):
    id = send(client, "echo", "hello\n\tthere")
    wait(lambda: statuses(client, id)[-1:] == ["delivered"] and len(signals(client, "Received")) == 1, "the echo")
    assert statuses(client, id) == ["queued", "sending", "sent", "delivered"]
    ours, theirs = get(client, id), signals(client, "Received")[0][0]
    assert ours["direction"] == "outgoing" and ours["body"] == "hello\n\tthere" and ours["attempts"] == 1 and ours["read"] is True
    assert ours["remote-uri"] == "sip:echo@example.org" and ours["party"] == "echo@example.org" and ours["sip"] == 200
    assert theirs["direction"] == "incoming" and theirs["status"] == "received" and theirs["read"] is False and theirs["body"] == ours["body"]
    assert [m["id"] for m in listed(client, party="sip:echo@EXAMPLE.org")] == [theirs["id"], id]
    assert listed(client, before=theirs["id"]) == listed(client, direction="outgoing")
    assert client.get(ROOT, MESSAGES, "Unread") == 1
    client.call(ROOT, MESSAGES, "MarkRead", "(as)", [theirs["id"]])
    assert client.get(ROOT, MESSAGES, "Unread") == 0 and get(client, theirs["id"])["read"] is True
    # in one list with the calls, where seeing and deleting means calls
    entries = client.call(ROOT, HISTORY, "List", "(a{sv}uu)", {"kind": GLib.Variant("s", "message")}, 0, 10)
    assert [(e["kind"], e["outcome"], e["text"]) for e in entries] == [("message", "received", ours["body"]), ("message", "sent", ours["body"])]
    client.call(ROOT, HISTORY, "Delete", "(as)", [])
    assert len(listed(client)) == 2
    client.call(ROOT, MESSAGES, "Delete", "(as)", [id])
    with refused("NoSuchEntry", "no message"):
        get(client, id)


def test_conversations(phone, client):
    def rows(offset=0, limit=100, **filters):
        given = {k: GLib.Variant("b", v) for k, v in filters.items()}
        return client.call(ROOT, MESSAGES, "ListConversations", "(a{sv}uu)", given, offset, limit)

    assert rows() == []
    send(client, "echo", "one")
    wait(lambda: len(signals(client, "Received")) == 1, "the first echo")
    send(client, "echo", "two")
    wait(lambda: len(signals(client, "Received")) == 2, "the second echo")
    gone = send(client, "gone", "x")
    wait(lambda: statuses(client, gone)[-1:] == ["failed"], "the refusal")
    both = rows()
    assert sorted((c["party"], c["messages"], c["unread"]) for c in both) == [("echo@example.org", 4, 2), ("gone@example.org", 1, 0)]
    echo, = rows(unread=True)
    assert echo["party"] == "echo@example.org" and echo["body"] == "two" and echo["id"] == listed(client, party="sip:echo@example.org")[0]["id"]
    assert rows(1, 1) == both[1:] and rows(2) == []
    client.call(ROOT, MESSAGES, "MarkRead", "(as)", [])
    assert rows(unread=True) == []
    for limit in (0, 501):
        with refused("InvalidOption", "1 to 500 conversations"):
            rows(limit=limit)
    with refused("InvalidOption", "at most 100000 conversations"):
        rows(offset=100001)
    with refused("InvalidOption", "'party' is unknown"):
        rows(party=True)
    ctl = Ctl(phone.address)
    assert ctl.json("message", "list", "--by-peer") == rows()
    text = ctl.ok("message", "list", "--by-peer")
    assert "of 4" in text and "> x" in text and "unread" not in text
    ctl.fails(2, "--party does not go with --by-peer", "message", "list", "--by-peer", "--party", "x")
    ctl.fails(2, "--offset wants 0 to 100000", "message", "list", "--offset", "100001")


def test_refused_and_later(client):
    gone = send(client, "gone", "x")
    wait(lambda: statuses(client, gone)[-1:] == ["failed"], "the refusal")
    assert (get(client, gone)["sip"], get(client, gone)["phrase"]) == (404, "Not Found")
    assert "uncertain" not in get(client, gone)
    first, second = send(client, "later", "1"), send(client, "later", "2")
    wait(lambda: statuses(client, first).count("queued") >= 2, "480")
    wait(lambda: statuses(client, second), "the news of the second")        # the signals of one come behind those of the other
    assert statuses(client, second) == ["queued"] and client.get(ROOT, MESSAGES, "Queued") == 2
    client.call(ROOT, MESSAGES, "Delete", "(as)", [first, second])
    assert client.get(ROOT, MESSAGES, "Queued") == 0


def test_what_cannot_be_sent(client):
    for to, body, error, text in (("bob", "", "InvalidOption", "empty"), ("bob", "x" * 20001, "InvalidOption", "max-size"),
                                  ("bob", "a\x07", "InvalidOption", "control"), ("sip:", "x", "InvalidTarget", "")):
        with refused(error, text):
            send(client, to, body)
    with refused("NoSuchAccount", "no account"):
        send(client, "bob", "x", account=ROOT + "/account/x")
    with refused("InvalidOption", "no call"):
        send(client, "", "x", call=ROOT + "/call/77")
    with refused("InvalidOption", "1 to 500"):
        listed(client, limit=501)
    with refused("InvalidOption", "'status' is one of"):
        listed(client, status="x")
    assert listed(client) == []


def test_interrupted(phone, client, tmp_path):
    """What was on its way when the daemon ended may have arrived: it has failed, says so, and is not sent again. What waited, waits."""
    deaf, waiting = send(client, "deaf", "out"), send(client, "deaf", "next")
    wait(lambda: statuses(client, deaf)[-1:] == ["sending"], "the message to be out")
    assert phone.stop() == 0
    again = phonebus.Phone("--archive", str(phone.file), "--linger", "0")
    client = again.client().listen()
    account = client.add_account("alice", aor="sip:alice@example.org")
    wait(lambda: client.get(account, phonebus.ACCOUNT, "Registration") == "registered", "the registration")
    wait(lambda: get(client, waiting)["status"] == "sending", "the next one to be out")
    assert get(client, deaf)["status"] == "failed" and get(client, deaf)["uncertain"] is True and "ended before" in get(client, deaf)["phrase"]
    assert get(client, deaf)["attempts"] == 1
    assert again.stop() == 0
    with sqlite3.connect(phone.file) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",) and db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_no_archive():
    running = phonebus.Phone()
    with refused("NotSupported", "no messages"):
        listed(running.client())
    assert running.stop() == 0


def test_phonectl_message(phone, client):
    ctl = Ctl(phone.address)
    assert ctl.ok("message") == ""
    result = ctl.json("message", "send", "--wait", "echo", "Привет", "שלום")
    assert result["status"] in ("sent", "delivered")
    wait(lambda: len(listed(client)) == 2, "the echo")
    assert ctl.json("message", "list", "--incoming", "--unread")[0]["body"] == "Привет שלום"
    assert "Привет" in ctl.ok("message", "list", "--party", "echo@example.org", "--since", "1h")
    assert "1" in ctl.ok("status") and ctl.json("status")["MessagesUnread"] == 1
    id = ctl.ok("message", "send", "echo", stdin="from a pipe\nwith two lines\n").strip()
    assert ctl.json("message", "show", id)["body"] == "from a pipe\nwith two lines"
    assert "with two lines" in ctl.ok("message", "show", id)
    ctl.fails(7, "no message", "message", "show", "no-such")
    assert "sent: from a pipe with two lines" in ctl.ok("history", "--kind", "message", "--outgoing")
    assert ctl.run("message", "send", "--wait", "gone", "x").returncode == 5
    ctl.ok("message", "read")
    assert ctl.json("message", "--unread") == []
    ctl.ok("message", "composing", "echo")
    ctl.ok("message", "composing", "--stop", "echo")
    ctl.fails(2, "ids, or --all", "message", "delete")
    ctl.fails(2, "to whom", "message", "send")
    ctl.fails(2, "--limit wants", "message", "list", "--limit", "501")
    ctl.fails(7, "no call 9", "message", "send", "--call", "9", "hi")
    ctl.fails(2, "not the number", "message", "send", "--call", "x", "hi")
    ctl.ok("message", "delete", "--all")
    assert ctl.json("message") == []


def test_a_row_has_the_beginning(phone, client):
    """A long message does not push what is beside it out of sight: a hundred characters of it, in every list."""
    ctl = Ctl(phone.address)
    id = send(client, "nobody-says", "Привет" + "x" * 2000)
    wait(lambda: get(client, id)["status"] not in ("queued", "sending"), "it to go out")
    cut = "Привет" + "x" * 94 + " ..."
    for words in (("message", "--outgoing"), ("message", "--by-peer"), ("history", "--outgoing")):
        text = ctl.ok(*words)
        assert cut in text and "x" * 95 not in text, words
    assert "x" * 2000 in ctl.ok("message", "show", id)


def test_phonectl_export(phone, client):
    """All of it, in both formats: a text that is longer than the history shows, with all that CSV has to quote."""
    ctl = Ctl(phone.address)
    body = 'Say "hi",\nthen go; ' + "x" * 300
    ids = [send(client, "echo", body), send(client, "gone", "lost")]
    wait(lambda: len(listed(client)) == 3 and get(client, ids[1])["status"] == "failed", "the echo and the refusal")
    newest = listed(client)
    rows = list(csv.DictReader(io.StringIO(ctl.run("message", "export", "--format", "csv").stdout, newline="")))
    assert [r["id"] for r in rows] == [m["id"] for m in newest]
    assert [r["body"] for r in rows] == [m["body"] for m in newest] and [r["direction"] for r in rows].count("incoming") == 1
    assert {r["id"]: r["status"] for r in rows}[ids[1]] == "failed" and all(r["time"] == str(m["time"]) for r, m in zip(rows, newest))
    assert [json.loads(line)["body"] for line in ctl.ok("message", "export", "--since", "1h").splitlines()] == [m["body"] for m in newest]
    assert ctl.ok("message", "export", "--until", "2001-01-01") == ""
    ctl.fails(2, "json or csv", "message", "export", "--format", "xml")


def test_phonectl_follow(phone, client):
    send(client, "gone", "first")
    wait(lambda: [m["status"] for m in listed(client)] == ["failed"], "the refusal")
    with Ctl(phone.address).start("--json", "message", "follow", "--limit", "1") as running:
        assert running.event(lambda e: e["event"] == "listed")["body"] == "first"
        id = send(client, "echo", "second")
        assert [running.event(lambda e: e["event"] == "status" and e["id"] == id)["status"] for _ in range(3)] == ["queued", "sending", "sent"]
        assert running.event(lambda e: e["event"] == "received")["body"] == "second"


@pytest.mark.parametrize("word, status, text", [
    ("stored", "sent", "sent: the server keeps it until the peer is there"), ("delivery-forbidden", "sent", "sent: nobody may tell whether it arrives"),
    ("failed", "failed", "failed: it was reported as not delivered"), ("displayed", "displayed", "displayed")])
def test_what_is_reported_is_told_in_words(phone, client, word, status, text):
    ctl = Ctl(phone.address)
    id = send(client, f"says-{word}-echo", "hello")
    wait(lambda: get(client, id).get("disposition") == word, word)
    assert statuses(client, id)[-1] == get(client, id)["status"] == status
    assert text in " ".join(ctl.ok("message", "show", id).split()) and text in " ".join(ctl.ok("message", "list", "--outgoing").split())


def test_the_whole_text_of_an_entry(client, phone):
    """A row of the history ends somewhere; what it names shows all."""
    ctl = Ctl(phone.address)
    body = "word " * 60 + "end"
    ident = ctl.json("message", "send", "--wait", "echo", body)["id"]
    [row] = ctl.ok("history", "--outgoing").splitlines()
    assert f"{body[:100]} ..." in row and body[:101] not in row
    assert body in ctl.ok("history", "show", ident) and ctl.json("history", "show", ident)["text"] == body[:200]
