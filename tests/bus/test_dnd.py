# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.phoned.Phone1.Dnd and `phonectl dnd` on the bus."""
import time

import pytest
from gi.repository import GLib

import phonebus
from phonebus import DND, HISTORY, ROOT, refused, wait
from phonectl import Ctl


@pytest.fixture
def phone(tmp_path):
    running = phonebus.Phone("--archive", str(tmp_path / "phone.db"), "--linger", "0")
    yield running
    assert running.stop() == 0


@pytest.fixture
def ctl(phone):
    return Ctl(phone.address)


def incoming(client, uri="sip:bob@example.org"):
    """(status, number) of a call; status 0: it is there."""
    return client.test("Incoming", "(sssb)", "alice", uri, "", True)


def get(client, name):
    return client.get(ROOT, DND, name)


def put(client, name, signature, value):
    client.set(ROOT, DND, name, signature, value)


def test_at_first(client):
    assert {n: get(client, n) for n in ("Enabled", "Active", "Cause", "NextChange", "Mode", "Until", "Schedule", "AllowList", "Accounts",
                                        "RepeatMinutes", "FollowDesktop", "Mailbox")} == {
        "Enabled": False, "Active": False, "Cause": "", "NextChange": 0, "Mode": "busy", "Until": 0, "Schedule": [], "AllowList": [],
        "Accounts": [], "RepeatMinutes": 0, "FollowDesktop": False, "Mailbox": ""}


def test_refused_call_is_in_the_history(client):
    put(client, "Enabled", "b", True)
    wait(lambda: any(c.get("Active") is True and c["Cause"] == "user" for c in client.changes(ROOT, DND)))
    assert incoming(client) == (486, 0)
    wait(lambda: client.signals(ROOT, "Added"))
    entry = client.signals(ROOT, "Added")[0][1]
    assert (entry["outcome"], entry["refused-by"], entry["sip"], entry["seen"]) == ("refused", "dnd", 486, False)
    assert client.get(ROOT, HISTORY, "Unseen") == 1
    put(client, "Enabled", "b", False)
    assert incoming(client)[0] == 0


def test_until_and_errors(client):
    until = int(time.time()) + 3600
    put(client, "Until", "t", until)
    put(client, "Enabled", "b", True)
    assert get(client, "NextChange") == until and incoming(client) == (480, 0)
    put(client, "Enabled", "b", False)
    assert get(client, "Until") == 0
    for name, signature, value, text in (("Until", "t", 1, "over already"), ("Mode", "s", "loud", "silent, busy or voicemail"),
                                         ("Mailbox", "s", "x y", "URI"), ("RepeatMinutes", "u", 61, "0 to 60"),
                                         ("Schedule", "as", ["whenever"], '"whenever"'), ("AllowList", "as", ["<x>"], "")):
        with refused("InvalidOption", text):
            put(client, name, signature, value)
    with refused("NoSuchAccount", "bob"):
        put(client, "Accounts", "as", ["bob"])
    with refused("TooMany", "64"):
        put(client, "Schedule", "as", ["daily 10:00-11:00"] * 65)
    assert get(client, "Schedule") == []


def test_schedule_all_day(client):
    put(client, "Schedule", "as", ["daily 00:00-24:00"])
    assert get(client, "Active") is True and get(client, "Cause") == "schedule"
    put(client, "AllowList", "as", ["bob@example.org"])
    assert incoming(client, "sip:carol@example.org") == (486, 0) and incoming(client)[0] == 0


# ---- phonectl ----

def test_phonectl(client, ctl, tmp_path):
    assert ctl.ok("dnd").splitlines()[0].split("  ")[-1].strip() == "off"
    ctl.ok("dnd", "on", "--until", "2h", "--mode", "silent")
    got = ctl.json("dnd", "status")
    assert got["Active"] and got["Mode"] == "silent" and abs(got["Until"] - time.time() - 7200) < 60
    assert "on (user)" in ctl.ok("dnd")
    ctl.ok("dnd", "off")
    assert not ctl.json("dnd")["Active"]
    ctl.fails(2, "HH:MM", "dnd", "on", "--until", "later")
    ctl.fails(2, "silent, busy or voicemail", "dnd", "mode", "loud")
    ctl.ok("dnd", "schedule", "add", "Mon-Fri 18:00-08:00 Europe/Berlin")
    ctl.ok("dnd", "schedule", "add", "2026-12-24", "14:00-18:00")
    ctl.fails(2, "no such time zone", "dnd", "schedule", "add", "Mon", "10:00-11:00", "Mars")
    calendar = tmp_path / "x.ics"
    calendar.write_bytes(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Nap\r\nDTSTART:20200101T130000\r\nDTEND:20200101T140000\r\n"
                         b"RRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
    ctl.ok("dnd", "schedule", "import", str(calendar))
    assert ctl.ok("dnd", "schedule") == "1  Mon-Fri 18:00-08:00 Europe/Berlin\n2  2026-12-24 14:00-18:00\n3  calendar: Nap\n"
    assert "calendar: Nap" in ctl.ok("dnd")
    ctl.ok("dnd", "schedule", "add", "daily 00:00-24:00")
    ctl.ok("dnd", "on")
    assert "still on (schedule)" in ctl.ok("dnd", "off")
    ctl.ok("dnd", "schedule", "remove", "4")
    ctl.ok("dnd", "schedule", "remove", "2")
    ctl.fails(7, "no '7'", "dnd", "schedule", "remove", "7")
    assert len(ctl.json("dnd")["Schedule"]) == 2
    ctl.ok("dnd", "schedule", "clear")
    ctl.ok("dnd", "on")
    assert ctl.ok("dnd", "off") == ""
    ctl.ok("dnd", "allow", "add", "+4930*")
    ctl.ok("dnd", "accounts", "add", "alice")
    ctl.ok("dnd", "repeat", "5")
    ctl.ok("dnd", "desktop", "on")
    assert ctl.ok("dnd", "mailbox") == "none\n"
    ctl.ok("dnd", "mailbox", "sip:box@example.org")
    assert ctl.ok("dnd", "mailbox") == "sip:box@example.org\n" and ctl.json("dnd", "mailbox") == "sip:box@example.org"
    ctl.fails(2, "sip: or tel:", "dnd", "mailbox", "somewhere")
    ctl.fails(2, '"group:" is none', "dnd", "allow", "add", "group:")
    got = ctl.json("dnd")
    assert (got["Schedule"], got["AllowList"], got["Accounts"], got["RepeatMinutes"], got["FollowDesktop"], got["Mailbox"]) == (
        [], ["+4930*"], ["alice"], 5, True, "sip:box@example.org")
    ctl.ok("dnd", "mailbox", "off")
    assert ctl.json("dnd")["Mailbox"] == ""
