# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.phoned.Phone1.Presence, .Voicemail and .Watch, member by member."""
import pytest
from gi.repository import GLib

from phonebus import ACCOUNT, CALL, MANAGER, PRESENCE, ROOT, VOICEMAIL, WATCH, refused, wait

ALICE = ROOT + "/account/alice"


def watch(client, uri, kind="presence"):
    return client.call(ALICE, PRESENCE, "Watch", "(ssa{sv})", uri, kind, {})


def test_status_and_note(client):
    assert client.get_all(ALICE, PRESENCE) == {"Status": "available", "Chosen": "available", "Note": "", "Published": False,
                                               "Publication": "idle", "PublicationDetail": {}, "Subscribers": [], "Watchers": [],
                                               "WatchersSubscription": "idle"}
    client.set(ALICE, PRESENCE, "Status", "s", "away")
    client.set(ALICE, PRESENCE, "Note", "s", "back at 3")
    wait(lambda: client.get(ALICE, PRESENCE, "Published"))
    assert client.get(ALICE, PRESENCE, "Status") == "away" and client.get(ALICE, PRESENCE, "Note") == "back at 3"
    for word in ("on-the-phone", "unknown", "sleepy", ""):
        with refused("InvalidOption"):
            client.set(ALICE, PRESENCE, "Status", "s", word)
    with refused("InvalidOption", "256"):
        client.set(ALICE, PRESENCE, "Note", "s", "x" * 257)
    assert client.get(ALICE, PRESENCE, "Note") == "back at 3"


def test_on_the_phone_by_itself(client):
    call = client.dial("sip:echo@example.org")
    client.wait_state(call, "active")
    assert client.get(ALICE, PRESENCE, "Status") == "on-the-phone" and client.get(ALICE, PRESENCE, "Chosen") == "available"
    client.call(call, CALL, "Hangup")

    def seen():
        return [c["Status"] for c in client.changes(ALICE, PRESENCE) if "Status" in c]

    wait(lambda: seen()[-1:] == ["available"])
    assert "on-the-phone" in seen() and client.get(ALICE, PRESENCE, "Status") == "available"


def test_watch_presence(client):
    path = watch(client, "sip:bob@example.org")
    assert path in client.objects()
    wait(lambda: client.get(path, WATCH, "Subscription") == "active")
    assert client.get(path, WATCH, "State") == "idle" and client.get(path, WATCH, "Status") == "away"
    assert client.get(path, WATCH, "Note") == "at lunch" and client.get(path, WATCH, "Account") == ALICE
    assert watch(client, "sip:bob@example.org") == path
    assert watch(client, "sip:bob@example.org", "dialog") != path
    client.call(path, WATCH, "Remove")
    assert path not in client.objects()


def test_watch_refused_and_pending(client):
    path = watch(client, "sip:notfound@example.org")
    wait(lambda: client.get(path, WATCH, "Subscription") == "waiting")
    detail = client.get(path, WATCH, "SubscriptionDetail")
    assert detail["code"] == 404 and detail["reason"] == "not-found" and detail["retry-at"] > 0
    assert client.get(path, WATCH, "State") == "unknown"
    silent = watch(client, "sip:silent@example.org")
    wait(lambda: client.get(silent, WATCH, "Subscription") == "pending")
    assert client.get(silent, WATCH, "State") == "unknown"


def test_watch_wants_a_target_and_a_kind(client):
    with refused("InvalidOption", "kind"):
        watch(client, "sip:bob@example.org", "both")
    with refused("InvalidTarget"):
        watch(client, "sip:")
    with refused("InvalidOption", "colour"):
        client.call(ALICE, PRESENCE, "Watch", "(ssa{sv})", "sip:bob@example.org", "presence", {"colour": GLib.Variant("s", "red")})


def test_pickup(client):
    busy = watch(client, "sip:busy@example.org", "dialog")
    wait(lambda: client.get(busy, WATCH, "State") == "busy")
    assert not client.get(busy, WATCH, "CanPickup")
    with refused("InvalidState", "no call rings"):
        client.call(busy, WATCH, "Pickup")
    ring = watch(client, "sip:ring@example.org", "dialog")
    wait(lambda: client.get(ring, WATCH, "State") == "ringing")
    assert client.get(ring, WATCH, "CanPickup")
    assert client.get(ring, WATCH, "Dialogs") == [{"state": "early", "direction": "incoming", "remote-uri": "sip:echo@example.org",
                                                   "remote-name": "Carol"}]
    call = client.call(ring, WATCH, "Pickup")
    client.wait_state(call, "active")
    assert client.get(call, CALL, "RemoteUri") == "sip:echo@example.org"


def test_watches_go_with_their_account(client):
    path = watch(client, "sip:bob@example.org")
    client.call(ALICE, ACCOUNT, "Remove")
    assert path not in client.objects()


def test_mailbox(client):
    assert client.get(ALICE, VOICEMAIL, "Known") is False and client.get(ALICE, VOICEMAIL, "Mailbox") == ""
    with refused("InvalidState", "mailbox"):
        client.call(ALICE, VOICEMAIL, "Call")
    client.set(ALICE, VOICEMAIL, "Mailbox", "s", "sip:echo@example.org")
    assert client.get(ALICE, ACCOUNT, "Settings")["mailbox"] == "sip:echo@example.org"
    call = client.call(ALICE, VOICEMAIL, "Call")
    client.wait_state(call, "active")
    assert client.get(call, CALL, "RemoteUri") == "sip:echo@example.org"


# ---- picking up ----

def pickup(client, target="", **options):
    return client.call(ROOT, MANAGER, "Pickup", "(sa{sv})", target, options)


def test_pickup_asks_the_server(client):
    """A phone that nobody watches: its calls are asked for, once, and nothing of that stays."""
    call = pickup(client, "sip:ring@example.org")
    client.wait_state(call, "active")
    assert client.get(call, CALL, "RemoteUri") == "sip:echo@example.org"
    with refused("InvalidState", "no call rings"):
        pickup(client, "sip:busy@example.org")
    assert not [path for path in client.objects() if "/watch/" in path]


def test_pickup_by_code(client):
    client.update(ALICE, pickup="**{target}")
    call = pickup(client, "sip:ring@example.org")
    assert client.get(call, CALL, "RemoteUri") == "sip:**ring@example.org"
    with refused("InvalidTarget", "code"):
        pickup(client, "sip:b%20b@example.org")


def test_pickup_of_the_group(client):
    with refused("InvalidState", "pickup-group"):
        pickup(client)
    ring = watch(client, "sip:ring@example.org", "dialog")
    wait(lambda: client.get(ring, WATCH, "CanPickup"))
    call = pickup(client)
    assert client.get(call, CALL, "RemoteUri") == "sip:echo@example.org"
    client.update(ALICE, pickup_group="*8")
    call = pickup(client)
    assert client.get(call, CALL, "RemoteUri") == "sip:*8@example.org"


def test_pickup_of_a_slot(client):
    parked = {"parked": GLib.Variant("b", True)}
    call = pickup(client, "701", **parked)
    assert client.get(call, CALL, "RemoteUri") == "sip:701@example.org"
    with refused("NotSupported", "retrieve"):
        pickup(client, **parked)
    with refused("InvalidOption", "slot"):
        pickup(client, "7;1", **parked)
    client.update(ALICE, retrieve="*88{slot}")
    call = pickup(client, "701", **parked)
    assert client.get(call, CALL, "RemoteUri") == "sip:*88701@example.org"
    call = pickup(client, **parked)
    assert client.get(call, CALL, "RemoteUri") == "sip:*88@example.org"


def subscribe(client, uri="sip:bob@example.org", kind="presence"):
    return client.test("Subscribe", "(sss)", "alice", uri, kind)


def test_subscribers(client):
    assert subscribe(client) == (403, 0)
    client.call(ALICE, ACCOUNT, "Update", "(a{sv})", {"subscribers": GLib.Variant("s", "ask")})
    status, number = subscribe(client)
    assert status == 0
    wait(lambda: client.get(ALICE, PRESENCE, "Subscribers"))
    one = client.get(ALICE, PRESENCE, "Subscribers")[0]
    assert one.pop("expires") > 0
    assert one == {"number": number, "uri": "sip:bob@example.org", "name": "Bob", "kind": "presence", "state": "pending", "details": False,
                   "vouched": True, "source": "192.0.2.7"}
    client.call(ALICE, PRESENCE, "AllowSubscriber", "(s)", one["uri"])
    wait(lambda: client.get(ALICE, PRESENCE, "Subscribers")[0]["state"] == "active")
    assert client.get(ALICE, ACCOUNT, "Settings")["subscribers-allow"] == "bob@example.org"
    client.call(ALICE, PRESENCE, "EndSubscriber", "(u)", number)
    assert client.get(ALICE, PRESENCE, "Subscribers") == []
    with refused("NoSuchEntry", "no subscriber"):
        client.call(ALICE, PRESENCE, "EndSubscriber", "(u)", number)
    assert subscribe(client)[0] == 0            # it may come again
    client.call(ALICE, PRESENCE, "BlockSubscriber", "(s)", one["uri"])
    assert client.get(ALICE, PRESENCE, "Subscribers") == [] and subscribe(client) == (403, 0)
    settings = client.get(ALICE, ACCOUNT, "Settings")
    assert settings["subscribers-block"] == "bob@example.org" and not settings.get("subscribers-allow")
    for bad in ("", "sip:example.org", "sip:a,b@example.org"):
        with refused("InvalidTarget"):
            client.call(ALICE, PRESENCE, "AllowSubscriber", "(s)", bad)
