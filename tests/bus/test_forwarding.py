# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.phoned.Phone1.Forwarding, and `phonectl forward`."""
import pytest

from phonebus import ACCOUNT, CALL, FORWARDING, ROOT, refused, wait
from phonectl import Ctl

ALICE = ROOT + "/account/alice"
NOBODY = {"Unconditional": "", "Busy": "", "NoReply": "", "NoReplyTimeout": 20, "AtServer": {}}


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
                     "NoReply": "sip:dave@example.org", "NoReplyTimeout": 9, "AtServer": {}}
    assert "calls to alice go to sip:bob@example.org" in ctl.ok("status")
    ctl.ok("forward", "all", "off")
    assert client.get(ALICE, FORWARDING, "Unconditional") == "" and "go to" not in ctl.ok("status")
    ctl.ok("forward", "off")
    assert client.get_all(ALICE, FORWARDING) == {**NOBODY, "NoReplyTimeout": 9}
    ctl.fails(2, "", "forward", "no-reply", "bob", "--after", "soon")
    ctl.fails(7, "", "forward", "all", "bob", "--account", "nobody")


# ---- by the server ----

def at_server(client, kind, target):
    return client.call(ALICE, FORWARDING, "SetAtServer", "(ss)", kind, target)


def test_at_server(client):
    with refused("NotSupported", "forward-on"):
        at_server(client, "unconditional", "123")
    client.update(ALICE, prefix="0", forward_on="*72{target}", forward_off="*73", forward_busy_on="*90", forward_no_reply_on="61{target}")
    for kind, target, uri in (("unconditional", "030 12-34", "sip:*720301234@example.org"), ("unconditional", "", "sip:*73@example.org"),
                              ("no-reply", "bob", "sip:61bob@example.org")):
        assert client.get(at_server(client, kind, target), CALL, "RemoteUri") == uri
    with refused("InvalidOption", "no-reply"):
        at_server(client, "sometimes", "123")
    with refused("InvalidTarget", "{target}"):
        at_server(client, "busy", "123")
    for target in ("sip:bob@example.org", "112"):
        with refused("InvalidTarget"):
            at_server(client, "unconditional", target)
    assert client.get_all(ALICE, FORWARDING) == NOBODY


def test_what_the_server_took(client, ctl):
    """What it did not answer to, it did not take."""
    client.update(ALICE, forward_on="*72{target}", forward_busy_on="*90{target}", forward_busy_off="*91")
    at_server(client, "unconditional", "5")
    at_server(client, "busy", "0301234")
    wait(lambda: client.get(ALICE, FORWARDING, "AtServer") == {"busy": "0301234"})
    wait(lambda: any(change.get("AtServer") == {"busy": "0301234"} for change in client.changes(ALICE, FORWARDING)))
    assert "busy, at the server" in ctl.ok("forward") and "0301234" in ctl.ok("forward")
    at_server(client, "busy", "")
    wait(lambda: client.get(ALICE, FORWARDING, "AtServer") == {"busy": ""})


def test_phonectl_at_server(client, ctl):
    ctl.ok("account", "set", "alice", "forward-on=*72{target}", "forward-off=*73", "forward-no-reply-on=*61{target}")
    assert client.get(ctl.json("forward", "all", "--server", "123")["object"], CALL, "RemoteUri") == "sip:*72123@example.org"
    assert client.get(ctl.json("forward", "all", "-s", "off")["object"], CALL, "RemoteUri") == "sip:*73@example.org"
    assert client.get(ctl.json("forward", "no-reply", "--server", "5")["object"], CALL, "RemoteUri") == "sip:*615@example.org"
    ctl.fails(2, "--after", "forward", "no-reply", "--server", "--after", "9", "5")
    ctl.fails(1, "forward-busy-on", "forward", "busy", "--server", "5")
