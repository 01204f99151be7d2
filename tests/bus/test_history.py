# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.phoned.Phone1.History and `phonectl history` over the real archive; the calls are the fake engine's."""
import csv
import io
import re
import sqlite3

import pytest
from gi.repository import GLib

import phonebus
from phonebus import CALL, HISTORY, ROOT, number_of, refused, wait
from phonectl import Ctl


@pytest.fixture
def phone(tmp_path):
    running = phonebus.Phone("--archive", str(tmp_path / "state" / "phone.db"), "--linger", "0")
    running.file = tmp_path / "state" / "phone.db"
    yield running
    assert running.stop() == 0


def listed(client, offset=0, limit=100, **filters):
    kinds = {"seen": "b", "since": "t", "until": "t"}
    given = {k: GLib.Variant(kinds.get(k, "s"), v) for k, v in filters.items()}
    return client.call(ROOT, HISTORY, "List", "(a{sv}uu)", given, offset, limit)


def added(client):
    return [e[3][1] for e in client.events if e[0] == ROOT and e[2] == "Added"]


def wait_added(client, n):
    wait(lambda: len(added(client)) >= n, f"{n} entries")
    return added(client)


def end(client, path, status=0):
    client.test("End", "(uu)", number_of(path), status)


def missed(client, uri="sip:bob@example.org", name="Bob"):
    n = len(added(client))
    end(client, client.incoming(uri, name), 487)
    return wait_added(client, n + 1)[-1]


def test_answered_call(client):
    path = client.dial("sip:echo@example.org")
    client.wait_state(path, "active")
    ident = client.get(path, CALL, "Id")
    client.call(path, CALL, "Hangup")
    entry, = wait_added(client, 1)
    assert entry["id"] == ident and entry["stored"] is True
    assert entry["direction"] == "outgoing" and entry["outcome"] == "answered" and entry["seen"] is True
    assert entry["remote-uri"] == "sip:echo@example.org" and entry["party"] == "echo@example.org" and entry["account"] == "alice"
    assert entry["actor"] == "local" and entry["reason"] == "hangup" and entry["codec"] == "opus"
    assert entry["start"] <= entry["answered"] <= entry["ended"]
    assert 1 <= entry["mos"] <= 4.5 and entry["loss-local"] >= 0 and entry["jitter-local"] >= 0
    del entry["stored"]
    assert client.call(ROOT, HISTORY, "Get", "(s)", ident) == entry
    assert listed(client) == [entry]
    assert client.get(ROOT, HISTORY, "Unseen") == 0


def test_outcomes(client):
    missed(client)
    path = client.incoming("sip:carol@example.org")
    client.call(path, CALL, "Reject", "(s)", "busy")
    wait_added(client, 2)
    client.dial("sip:busy@example.org")
    entries = wait_added(client, 3)
    assert [(e["direction"], e["outcome"], e.get("refused-by", ""), e["seen"]) for e in entries] == [
        ("incoming", "missed", "", False), ("incoming", "refused", "user", True), ("outgoing", "failed", "", True)]
    assert entries[2]["reason"] == "busy" and entries[2]["sip"] == 486
    assert client.get(ROOT, HISTORY, "Unseen") == 1


def test_refused_by_limit(tmp_path):
    phone = phonebus.Phone("--archive", str(tmp_path / "phone.db"), "--max-calls", "1")
    client = phone.client().listen()
    client.add_account("alice", aor="sip:alice@example.org")
    client.incoming("sip:bob@example.org")
    status, number = client.test("Incoming", "(sssb)", "alice", "sip:carol@example.org", "Carol", True)
    assert (status, number) == (486, 0)
    entry, = wait_added(client, 1)
    assert entry["outcome"] == "refused" and entry["refused-by"] == "limit" and entry["sip"] == 486 and entry["remote-name"] == "Carol"
    assert client.get(ROOT, HISTORY, "Unseen") == 1
    assert phone.stop() == 0


def test_seen_and_delete(client):
    first, second = missed(client), missed(client, "sip:carol@example.org")
    wait(lambda: client.get(ROOT, HISTORY, "Unseen") == 2)
    client.call(ROOT, HISTORY, "MarkSeen", "(as)", [first["id"], "no such"])
    wait(lambda: {"Unseen": 1} in client.changes(ROOT, HISTORY))
    assert [e["id"] for e in listed(client, seen=False)] == [second["id"]]
    client.call(ROOT, HISTORY, "MarkSeen", "(as)", [])
    assert listed(client, seen=False) == [] and client.get(ROOT, HISTORY, "Unseen") == 0
    client.call(ROOT, HISTORY, "Delete", "(as)", [first["id"]])
    assert [e["id"] for e in listed(client)] == [second["id"]]
    with refused("NoSuchEntry", "no entry of that id"):
        client.call(ROOT, HISTORY, "Get", "(s)", first["id"])
    client.call(ROOT, HISTORY, "Delete", "(as)", [])
    assert listed(client) == []


def test_filters_and_pages(client):
    ids = [missed(client, f"sip:+49301{i}@example.org", f"Caller {i}")["id"] for i in range(6)]
    newest = ids[::-1]
    assert [e["id"] for e in listed(client)] == newest
    assert [e["id"] for e in listed(client, 2, 2)] == newest[2:4]
    assert [e["id"] for e in listed(client, 0, 2, before=newest[3])] == newest[4:6]
    assert [e["id"] for e in listed(client, text="cALLER 3")] == [ids[3]]
    assert [e["id"] for e in listed(client, text="9301")] == newest
    assert [e["id"] for e in listed(client, text="r 4")] == [ids[4]] and [e["id"] for e in listed(client, text="5")] == [ids[5]]
    assert listed(client, text='"%_\\') == [] and listed(client, text="%") == [] and listed(client, text="OR *") == []
    assert [e["id"] for e in listed(client, party="tel:+49-301-2")] == [ids[2]]
    assert listed(client, direction="outgoing") == [] and len(listed(client, direction="incoming", outcome="missed", account="alice")) == 6
    assert listed(client, account="other") == [] and listed(client, until=1) == [] and len(listed(client, since=1)) == 6
    for bad, text in (({"nonsense": "x"}, "'nonsense' is unknown"), ({"outcome": "x"}, "one of answered, missed"),
                      ({"direction": "sideways"}, "outgoing, incoming")):
        with refused("InvalidOption", text):
            listed(client, **bad)
    for limit in (0, 1001):
        with refused("InvalidOption", "1 to 1000"):
            listed(client, 0, limit)
    assert listed(client, 100000) == []
    with refused("InvalidOption", "at most 100000 entries, not 100001; further back one pages by 'before'"):
        listed(client, 100001)
    with refused("TooMany", "1000"):
        client.call(ROOT, HISTORY, "Delete", "(as)", ["x"] * 1001)


def test_hostile_text_is_stored_and_told(client):
    end(client, client.incoming("sip:b'; DROP TABLE history; --@example.org", "x\u202e\"'\n<b>" + "y" * 5000), 487)
    entry = wait_added(client, 1)[0]
    del entry["stored"]
    assert listed(client) == [entry]


def test_survives_the_daemon(phone, client):
    entry = missed(client)
    client.test("Quit")
    assert phone.daemon.wait(20) == 0
    assert phone.file.stat().st_mode & 0o777 == 0o600
    assert phone.file.parent.stat().st_mode & 0o777 == 0o700
    phone.daemon = phone.start_daemon("--archive", str(phone.file))
    assert phone.daemon.stdout.readline() == "ready\n"
    again = phone.client().listen()
    del entry["stored"]
    assert listed(again) == [entry]
    wait(lambda: again.get(ROOT, HISTORY, "Unseen") == 1)


def test_without_an_archive():
    phone = phonebus.Phone()
    client = phone.client().listen()
    with refused("NotSupported", "no history"):
        listed(client)
    assert phone.stop() == 0


def test_locked_file_is_a_fault_that_passes(phone, client):
    missed(client)
    other = sqlite3.connect(phone.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    path = client.incoming("sip:carol@example.org", "Carol")
    end(client, path, 487)
    entry = wait_added(client, 2)[1]
    assert entry["stored"] is False and entry["remote-name"] == "Carol"
    wait(lambda: client.get(ROOT, HISTORY, "Waiting") == 1)
    assert "locked" in client.get(ROOT, HISTORY, "Fault") and client.get(ROOT, HISTORY, "Unseen") == 2
    # calls go on
    path = client.dial("sip:echo@example.org")
    client.wait_state(path, "active")
    other.execute("ROLLBACK")
    wait(lambda: client.get(ROOT, HISTORY, "Waiting") == 0 and client.get(ROOT, HISTORY, "Fault") == "", "the disk to work again")
    assert [e["remote-uri"] for e in listed(client)] == ["sip:carol@example.org", "sip:bob@example.org"]


# ---- phonectl ----

def ctl_of(phone):
    return Ctl(phone.address)


def test_phonectl_history(phone, client):
    ctl = ctl_of(phone)
    assert ctl.ok("history") == ""
    assert ctl.run("history", "show", "no-such").returncode == 7
    entry = missed(client, "sip:+49301@example.org", "Bob \x1b[31m")
    line = ctl.ok("history").splitlines()
    assert len(line) == 1 and re.search(r"from +Bob .* <49301@|from +Bob", line[0]) and "missed" in line[0] and entry["id"] in line[0]
    assert "missed" in ctl.ok("status") and ctl.json("status")["HistoryUnseen"] == 1
    del entry["stored"]
    assert ctl.json("history", "list", "--unseen") == [entry]
    assert ctl.json("history", "show", entry["id"]) == entry
    assert "missed" in ctl.ok("history", "show", entry["id"])
    assert ctl.json("history", "--incoming", "--text", "bob", "--since", "1h", "--limit", "5") == [entry]
    assert ctl.json("history", "--until", "2001-01-01") == []
    ctl.fails(2, "YYYY-MM-DD", "history", "--since", "soon")
    ctl.fails(2, "one of answered", "history", "--outcome", "x")
    ctl.fails(2, "ids, or --all", "history", "delete")
    ctl.fails(2, "--follow", "history", "--follow", "show", "x")
    ctl.ok("history", "seen", entry["id"])
    assert ctl.json("history", "--unseen") == []
    ctl.ok("history", "delete", "--all")
    assert ctl.json("history") == []


def test_phonectl_forwarded(phone, client):
    """A call that was sent on has not failed."""
    ctl = ctl_of(phone)
    client.incoming()
    ctl.ok("deflect", "sip:carol@example.org")
    wait(lambda: ctl.json("history"))
    [entry] = ctl.json("history", "--outcome", "failed")
    assert (entry["actor"], entry["reason"]) == ("local", "redirected")
    assert " forwarded " in ctl.ok("history") and "failed" not in ctl.ok("history")
    assert "forwarded" in ctl.ok("history", "show", entry["id"])


def test_phonectl_follow(phone, client):
    first = missed(client)
    with ctl_of(phone).start("--json", "history", "--follow") as running:
        assert "stored" not in running.event(lambda e: e["id"] == first["id"])
        second = missed(client)
        assert running.event(lambda e: e["id"] == second["id"])["stored"] is True


def test_phonectl_export(phone, client):
    ctl = ctl_of(phone)
    entries = [missed(client, f"sip:u{i}@example.org", 'Say "hi", ' + str(i)) for i in range(3)][::-1]
    rows = list(csv.DictReader(io.StringIO(ctl.run("history", "export", "--format", "csv").stdout, newline="")))
    assert [r["id"] for r in rows] == [e["id"] for e in entries]
    assert [r["remote-name"] for r in rows] == [e["remote-name"] for e in entries] and rows[0]["start"] == str(entries[0]["start"])
    lines = ctl.ok("history", "export").splitlines()
    assert len(lines) == 3 and all(f'"{e["id"]}"' in line for e, line in zip(entries, lines))
    ctl.fails(2, "json or csv", "history", "export", "--format", "xml")


def test_phonectl_contact(phone, client):
    """The lists call somebody as the address book does now; what the caller says stands beside it."""
    ctl = ctl_of(phone)
    entry = missed(client, "sip:+49301234567@example.org", "OFFICE 7")
    assert "contact-name" not in entry
    client.test("SetContacts", "(s)", "BEGIN:VCARD\nFN:Aunt Mary\nTEL:+49 30 1234567\nEND:VCARD\n")
    assert 'Aunt Mary (says "OFFICE 7") <+49301234567>' in ctl.ok("history")
    assert ctl.json("history")[0]["contact-name"] == ctl.json("history", "show", entry["id"])["contact-name"] == "Aunt Mary"
    client.incoming("sip:+49301234567@example.org", "OFFICE 7")
    assert 'Aunt Mary (says "OFFICE 7") <sip:+49301234567@example.org>' in ctl.ok("call", "list")
    client.test("SetContacts", "(s)", "BEGIN:VCARD\nFN:OFFICE 7\nTEL:030 1234567\nEND:VCARD\n")
    assert "OFFICE 7 <+49301234567>" in ctl.ok("history")


def test_contact_is_found_by_name(phone, client):
    """A text is looked for in the address book, too, as it is now: in whatever form the number came, and never for who only claims it."""
    ctl = ctl_of(phone)
    national, whole, other = missed(client, "sip:0301234567@example.org", "X"), missed(client, "sip:+49301234567@example.org", "X"), missed(client)
    message = ctl.json("message", "send", "+49301234567", "hello")["id"]
    assert listed(client, text="mary") == []
    client.test("SetContacts", "(s)", "BEGIN:VCARD\nFN:Aunt Mary\nNICKNAME:Marie\nTEL:+49 30 1234567\nEND:VCARD\n")
    assert [e["id"] for e in listed(client, text="mary", kind="call")] == [whole["id"], national["id"]]
    assert [e["id"] for e in listed(client, text="ma", kind="call")] == [whole["id"], national["id"]]
    assert [e["id"] for e in listed(client, text="mary", limit=1, offset=1, kind="call")] == [national["id"]]
    assert [e["id"] for e in ctl.json("history", "--text", "MARIE", "--kind", "call")] == [whole["id"], national["id"]]
    assert [m["id"] for m in ctl.json("message", "--text", "aunt")] == [message]
    assert ctl.json("message", "--text", "bob") == []
    client.test("SetContacts", "(s)", "BEGIN:VCARD\nFN:Uncle\nTEL:+49 30 7654321\nEND:VCARD\n")
    assert listed(client, text="mary") == []
