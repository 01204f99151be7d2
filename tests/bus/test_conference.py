# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that hear each other: org.phoned.Phone1.Conference, and phonectl's verbs for it."""
import json
import os
import re

import pytest
from gi.repository import GLib

from phonebus import ACCOUNT, CALL, CONFERENCE, MANAGER, PRESENCE, RECORDING, ROOT, SOURCE, number_of, refused, wait
from phonectl import Ctl

V = GLib.Variant


@pytest.fixture
def ctl(phone):
    return Ctl(phone.address)


def active(client, target="sip:echo@example.org"):
    call = client.dial(target)
    client.wait_state(call, "active")
    return call


def create(client, calls, **options):
    return client.call(ROOT, MANAGER, "CreateConference", "(aoa{sv})", calls, {k: V("b", v) for k, v in options.items()})


def three(client, **options):
    calls = [active(client) for _ in range(3)]
    return calls, create(client, calls, **options)


def gone(client, conference):
    wait(lambda: conference not in client.objects(), "the end of the conference")


def test_create_resumes_and_shows(client):
    calls, conference = three(client)
    for call in calls:
        client.wait_state(call, "active")
        assert client.get(call, CALL, "Conference") == conference
    everything = client.get_all(conference, CONFERENCE)
    assert everything.pop("Id").count("-") == 4
    assert everything == {"Calls": calls, "MutedCalls": [], "Muted": False, "LocalHold": False, "Keep": False,
                          "Can": ["add", "hold", "mute", "record", "end"]}


def subscribe(client, uri):
    return client.test("Subscribe", "(sss)", "alice", uri, "conference")


def test_party_follows(client):
    """Who is in a conference may ask who is there, if its account says so, and only as long as he is."""
    alice = ROOT + "/account/alice"
    calls, conference = three(client)
    assert subscribe(client, "sip:echo@example.org") == (403, 0)
    client.call(alice, ACCOUNT, "Update", "(a{sv})", {"focus": V("s", "yes")})
    status, number = subscribe(client, "sip:echo@example.org")
    assert status == 0 and subscribe(client, "sip:carol@example.org") == (403, 0)
    assert [(one["number"], one["kind"], one["state"]) for one in client.get(alice, PRESENCE, "Subscribers")] == [(number, "conference", "active")]
    client.call(alice, ACCOUNT, "Update", "(a{sv})", {"focus": V("s", "no")})
    assert client.get(alice, PRESENCE, "Subscribers") == []
    client.call(alice, ACCOUNT, "Update", "(a{sv})", {"focus": V("s", "yes")})
    assert subscribe(client, "sip:echo@example.org")[0] == 0
    client.call(conference, CONFERENCE, "End", "(a{sv})", {})
    wait(lambda: client.get(alice, PRESENCE, "Subscribers") == [])
    with refused("InvalidOption", "presence or dialog"):
        client.call(alice, PRESENCE, "Watch", "(ssa{sv})", "sip:echo@example.org", "conference", {})


def test_can_follows(client):
    """Two can be connected with each other, as long as both can be transferred."""
    calls = [active(client) for _ in range(2)]
    assert "conference" in client.get(calls[0], CALL, "Can")
    conference = create(client, calls, keep=True)
    wait(lambda: "connect" in client.get(conference, CONFERENCE, "Can"))
    assert "conference" not in client.get(calls[0], CALL, "Can")
    client.call(conference, CONFERENCE, "Hold")
    wait(lambda: client.changes(conference, CONFERENCE) and "resume" in client.changes(conference, CONFERENCE)[-1]["Can"])
    client.call(calls[0], CALL, "Hangup")
    wait(lambda: "connect" not in client.get(conference, CONFERENCE, "Can"))
    assert any("connect" not in change.get("Can", ["connect"]) for change in client.changes(conference, CONFERENCE))


def test_create_refuses(client):
    call, ringing = active(client), client.incoming()
    with refused("InvalidOption"):
        create(client, [call])
    with refused("InvalidOption"):
        create(client, [call, call])
    with refused("InvalidState"):
        create(client, [call, ringing])
    with refused("InvalidTarget"):
        create(client, [call, ROOT + "/call/99"])
    with refused("TooMany"):
        create(client, [call] * 17)
    with refused("InvalidOption"):
        create(client, [call], surprise=True)
    other = active(client)
    create(client, [call, other])
    with refused("InvalidState"):
        create(client, [call, active(client)])


def test_members_come_and_go(client):
    calls, conference = three(client)
    fourth = active(client)
    assert client.get(conference, CONFERENCE, "LocalHold") is True
    assert [client.get(c, CALL, "State") for c in calls] == ["active"] * 3
    client.call(conference, CONFERENCE, "Add", "(o)", fourth)
    assert client.get(conference, CONFERENCE, "LocalHold") is False
    with refused("InvalidState"):
        client.call(conference, CONFERENCE, "Add", "(o)", fourth)
    client.call(conference, CONFERENCE, "Remove", "(o)", calls[0])
    client.wait_state(calls[0], "held")
    assert client.get(calls[0], CALL, "Conference") == "/"
    assert client.get(conference, CONFERENCE, "Calls") == calls[1:] + [fourth]
    client.test("End", "(uu)", number_of(calls[1]), 0)
    wait(lambda: client.get(conference, CONFERENCE, "Calls") == [calls[2], fourth], "the member that hung up to leave")
    with refused("InvalidState"):
        client.call(conference, CONFERENCE, "Remove", "(o)", calls[0])


def test_the_last_one_goes_on_as_a_call(client):
    calls = [active(client), active(client)]
    conference = create(client, calls)
    client.set(conference, CONFERENCE, "Muted", "b", True)
    client.call(calls[0], CALL, "Hangup")
    gone(client, conference)
    assert client.get(calls[1], CALL, "State") == "active"
    assert client.get(calls[1], CALL, "Conference") == "/"
    assert client.get(calls[1], CALL, "Muted") is True      # nobody is heard by surprise


def test_kept(client):
    call = active(client)
    conference = create(client, [call], keep=True)
    client.call(call, CALL, "Hangup")
    client.wait_state(call, "disconnected")
    assert client.get(conference, CONFERENCE, "Calls") == []
    call = client.dial("sip:echo@example.org", conference=V("o", conference))
    client.wait_state(call, "active")
    assert client.get(conference, CONFERENCE, "Calls") == [call]
    assert client.get(conference, CONFERENCE, "LocalHold") is False
    client.set(conference, CONFERENCE, "Keep", "b", False)
    gone(client, conference)
    assert client.get(call, CALL, "State") == "active"


def test_mute_hold_split(client):
    calls, conference = three(client)
    client.call(conference, CONFERENCE, "Mute", "(ob)", calls[1], True)
    assert client.get(conference, CONFERENCE, "MutedCalls") == [calls[1]]
    client.call(calls[2], CALL, "Hold")
    client.wait_state(calls[2], "held")
    assert client.get(conference, CONFERENCE, "Calls") == calls
    client.call(calls[2], CALL, "Resume")
    client.wait_state(calls[2], "active")
    client.call(conference, CONFERENCE, "Split", "(o)", calls[1])
    assert client.get(conference, CONFERENCE, "LocalHold") is True
    assert client.get(conference, CONFERENCE, "MutedCalls") == []
    assert [client.get(c, CALL, "State") for c in calls] == ["active"] * 3
    client.call(conference, CONFERENCE, "Resume")
    client.wait_state(calls[1], "held")
    assert client.get(conference, CONFERENCE, "LocalHold") is False


def test_a_call_in_place_of_a_member_takes_its_seat(client):
    calls, conference = three(client)
    client.test("Refer", "(uss)", number_of(calls[0]), "sip:echo@example.net", "")
    fresh = client.call(calls[0], CALL, "AcceptTransfer")
    client.wait_state(fresh, "active")
    assert fresh in client.get(conference, CONFERENCE, "Calls")
    assert client.get(calls[1], CALL, "State") == "active"
    client.test("End", "(uu)", number_of(calls[0]), 0)
    wait(lambda: client.get(conference, CONFERENCE, "Calls") == [calls[1], calls[2], fresh], "the old call to leave")


def test_end(client):
    calls, conference = three(client)
    with refused("InvalidState"):
        client.call(conference, CONFERENCE, "End", "(a{sv})", {"connect": V("b", True)})
    client.call(conference, CONFERENCE, "End", "(a{sv})", {})
    gone(client, conference)
    for call in calls:
        client.wait_state(call, "disconnected")
        reason = client.get(call, CALL, "Reason")
        assert (reason["actor"], reason["reason"]) == ("local", "hangup")


def test_connect(client):
    calls = [active(client), active(client)]
    conference = create(client, calls)
    client.call(conference, CONFERENCE, "End", "(a{sv})", {"connect": V("b", True)})
    for call in calls:
        client.wait_state(call, "disconnected")
        assert client.get(call, CALL, "Reason")["reason"] == "transferred"
    gone(client, conference)


def test_levels(client):
    calls, conference = three(client)
    with refused("InvalidOption"):
        client.call(conference, CONFERENCE, "Subscribe", "(u)", 10)
    client.call(conference, CONFERENCE, "Subscribe", "(u)", 100)
    wait(lambda: client.signals(conference, "Levels"), "levels")
    ours, theirs = client.signals(conference, "Levels")[0]
    assert ours == -30 and theirs == {call: -20 for call in calls}
    client.call(conference, CONFERENCE, "Unsubscribe")


@pytest.mark.daemon("--credentials", os.path.join(SOURCE, "tests", "data", "credentials"))
def test_record(client, ctl):
    calls, conference = three(client)
    ident = ctl.ok("conference", "record").strip()
    assert client.get(conference, RECORDING, "State") == "running" and client.get(conference, RECORDING, "File") == ident
    ctl.fails(8, "being recorded already", "conference", "record", "1")
    assert "active, recorded" in ctl.ok("conference")
    ctl.ok("conference", "record", "1", "pause")
    assert client.get(conference, RECORDING, "State") == "paused"
    assert ctl.ok("conference", "record").strip() == ident
    ctl.ok("conference", "end")
    wait(lambda: [r["state"] for r in ctl.json("recording", "--kind=conference")] == ["whole"], "the recording to be whole")
    recording = ctl.json("recording")[0]
    assert recording["id"] == ident and recording["remote-name"] == ", ".join(["sip:echo@example.org"] * 3)


def test_stream(client):
    calls, conference = three(client)
    with refused("InvalidOption"):
        client.call(conference, CONFERENCE, "OpenStream", "(a{sv})", {"direction": V("s", "sideways")})
    client.call(conference, CONFERENCE, "OpenStream", "(a{sv})", {"rate": V("u", 8000)})


def test_phonectl(client, ctl):
    calls = [active(client) for _ in range(3)]
    numbers = [str(number_of(c)) for c in calls]
    ctl.fails(7, "there is no conference", "conference", "add", numbers[0])
    made = ctl.json("conference", "create", *numbers[:2])
    assert made == {"conference": 1, "object": ROOT + "/conference/1"}
    text = ctl.ok("call")
    assert re.search(r"^conference 1 +active +2 calls\n├─ 1 +active.*\n└─ 2 +active.*\n3 +held", text, re.M)
    ctl.ok("conference", "add", "3")
    ctl.ok("conference", "mute", "2")
    ctl.ok("conference", "mute")
    text = ctl.ok("conference")
    assert "active, muted" in text and re.search("^├─ 2 +active, not heard", text, re.M)
    ctl.ok("conference", "unmute", "2")
    ctl.ok("conference", "unmute", "-c", "1")
    ctl.ok("conference", "hold")
    assert re.search("^conference 1 +on hold", ctl.ok("status"), re.M)
    ctl.ok("conference", "resume", "1")
    ctl.ok("conference", "remove", "3")
    client.wait_state(calls[2], "held")
    ctl.fails(8, "call 3 is in no conference", "conference", "split", "3")
    assert ctl.json("conference")[0]["Calls"] == calls[:2]
    assert re.search("^conference +1$", ctl.ok("call", "show", "1"), re.M)
    ctl.ok("dial", "sip:echo@example.org", "--conference", "1")
    assert len(ctl.json("conference")[0]["Calls"]) == 3
    ctl.ok("conference", "end")
    assert ctl.ok("conference") == "no conference\n"
    assert json.loads(ctl.ok("--json", "conference")) == []


# ---- somebody else's conference ----

def test_roster(client, ctl):
    call = client.dial("sip:room@example.org")
    client.wait_state(call, "active")
    wait(lambda: client.get(call, CALL, "Focus") == "sip:room@example.org")
    assert client.get(call, CALL, "Roster") == [{"uri": "sip:ann@example.org", "name": "Ann", "status": "connected"},
                                                {"uri": "sip:bob@example.org", "status": "on-hold"}]
    lines = [line.split() for line in ctl.ok("call").splitlines()]
    assert lines[1] == ["├─", "connected", "with", "Ann", "<sip:ann@example.org>"] and lines[2] == ["└─", "on", "hold", "with", "sip:bob@example.org"]
    assert "sip:room@example.org" in ctl.ok("call", "show")
