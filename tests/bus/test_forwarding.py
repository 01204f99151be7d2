# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.phoned.Phone1.Forwarding, and `phonectl forward`."""
import pytest

from phonebus import ACCOUNT, FORWARDING, ROOT, refused, wait
from phonectl import Ctl

ALICE = ROOT + "/account/alice"
NOBODY = {"Unconditional": "", "Busy": "", "NoReply": "", "NoReplyTimeout": 20}


@pytest.fixture
def ctl(phone):
    return Ctl(phone.address)


def test_properties_are_the_settings(client):
    assert client.get_all(ALICE, FORWARDING) == NOBODY
    for name, key in (("Unconditional", "forward"), ("Busy", "forward-busy"), ("NoReply", "forward-no-reply")):
        client.set(ALICE, FORWARDING, name, "s", "sip:bob@example.org")
        assert client.get(ALICE, ACCOUNT, "Settings")[key] == "sip:bob@example.org"
    client.set(ALICE, FORWARDING, "NoReplyTimeout", "u", 7)
    assert client.get(ALICE, ACCOUNT, "Settings")["forward-no-reply-timeout"] == "7"
    wait(lambda: any(c.get("NoReplyTimeout") == 7 and c["Busy"] == "sip:bob@example.org" for c in client.changes(ALICE, FORWARDING)))


def test_refused_values_change_nothing(client):
    for value in ("112", "sip:"):
        with refused("InvalidOption", "forward"):
            client.set(ALICE, FORWARDING, "Unconditional", "s", value)
    for seconds in (0, 601):
        with refused("InvalidOption", "forward-no-reply-timeout"):
            client.set(ALICE, FORWARDING, "NoReplyTimeout", "u", seconds)
    assert client.get_all(ALICE, FORWARDING) == NOBODY


def test_phonectl(client, ctl):
    assert ctl.ok("forward").split() == ["alice", "all", "nobody", "alice", "busy", "nobody", "alice", "no", "reply", "in", "20", "s", "nobody"]
    ctl.ok("forward", "all", "sip:bob@example.org")
    ctl.ok("forward", "busy", "--account", "alice", "sip:carol@example.org")
    ctl.ok("forward", "no-reply", "sip:dave@example.org", "--after", "9")
    [shown] = ctl.json("forward", "show")
    assert shown == {"object": ALICE, "Id": "alice", "Unconditional": "sip:bob@example.org", "Busy": "sip:carol@example.org",
                     "NoReply": "sip:dave@example.org", "NoReplyTimeout": 9}
    assert "calls to alice go to sip:bob@example.org" in ctl.ok("status")
    ctl.ok("forward", "all", "off")
    assert client.get(ALICE, FORWARDING, "Unconditional") == "" and "go to" not in ctl.ok("status")
    ctl.ok("forward", "off")
    assert client.get_all(ALICE, FORWARDING) == {**NOBODY, "NoReplyTimeout": 9}
    ctl.fails(2, "", "forward", "no-reply", "bob", "--after", "soon")
    ctl.fails(7, "", "forward", "all", "bob", "--account", "nobody")
