# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that misbehave cost nothing to others: the daemon goes on, keeps to its limits and forgets them."""
import os
import signal

import pytest
from gi.repository import Gio, GLib

from phonebus import ACCOUNT, CALL, MANAGER, MEDIA, NAME, ROOT, TIMEOUT_MS, number_of, refused, wait

V = GLib.Variant
BUSY = "sip:noack@example.org"


def name_has_owner(client, name):
    return client.connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner",
                                       V("(s)", (name,)), None, 0, TIMEOUT_MS, None).unpack()[0]


def others_are_served(phone, client):
    """A newcomer places a call and is told of every step."""
    other = phone.client().listen()
    call = other.dial("sip:echo@example.org")
    other.wait_state(call, "active")
    other.call(call, CALL, "Hangup")
    other.wait_state(call, "disconnected")


def test_caller_vanishes_between_call_and_reply(phone, client):
    call = client.incoming(BUSY)
    leaving = phone.client()
    leaving.start(call, CALL, "Answer", "(a{sv})", {})
    wait(lambda: "answer" not in client.get(call, CALL, "Can"))
    assert client.test("Counters")[0] == 1
    leaving.close()
    wait(lambda: client.test("Counters")[0] == 0, "the daemon to forget the client")
    # The answer itself stands: the user wanted it.
    client.test("Confirm", "(u)", number_of(call))
    assert client.get(call, CALL, "State") == "active"


def test_caller_is_gone_before_its_call_is_read(phone, client):
    """The name is gone before the daemon asks to be told of that: it sleeps until then."""
    call = client.incoming(BUSY)
    leaving = phone.client()
    phone.daemon.send_signal(signal.SIGSTOP)
    message = Gio.DBusMessage.new_method_call(NAME, call, CALL, "Answer")
    message.set_body(GLib.Variant("(a{sv})", ({},)))
    leaving.connection.send_message(message, Gio.DBusSendMessageFlags.NONE)
    leaving.connection.flush_sync(None)
    name = leaving.connection.get_unique_name()
    leaving.close()
    wait(lambda: not name_has_owner(client, name))
    phone.daemon.send_signal(signal.SIGCONT)
    wait(lambda: "answer" not in client.get(call, CALL, "Can"))
    wait(lambda: client.test("Counters")[0] == 0, "the daemon to forget the client")


def test_no_reply_wanted(phone, client):
    call = client.incoming()
    message = Gio.DBusMessage.new_method_call(NAME, call, CALL, "Answer")
    message.set_body(GLib.Variant("(a{sv})", ({},)))
    message.set_flags(Gio.DBusMessageFlags.NO_REPLY_EXPECTED)
    client.connection.send_message(message, Gio.DBusSendMessageFlags.NONE)
    client.wait_state(call, "active")


def test_requests_that_wait_are_answered_when_the_daemon_ends(phone, client):
    call = client.incoming(BUSY)
    answering = client.start(call, CALL, "Answer", "(a{sv})", {})
    read_end, write_end = os.pipe()
    setting = client.start(ROOT + "/account/alice", ACCOUNT, "SetSecret", "(h)", 0, fds=[read_end])
    wait(lambda: "answer" not in client.get(call, CALL, "Can"))
    client.test("Quit")
    for pending in (answering, setting):
        with refused("InvalidState", "stopping"):
            pending.wait()
    os.close(write_end)
    assert phone.daemon.wait(20) == 0


def test_thousands_of_calls_at_once(phone, client):
    """Right ones and wrong ones, sent without waiting for a reply."""
    pending = []
    for i in range(1000):
        pending.append(client.start(ROOT, MANAGER, "Dial", "(sa{sv})", f"sip:busy@host{i}.example", {}))
        pending.append(client.start(ROOT, MANAGER, "Dial", "(sa{sv})", "sip:x@example.org", {"junk": V("b", True)}))
        pending.append(client.start(ROOT + f"/call/{i}", CALL, "Hangup"))
        pending.append(client.start(ROOT, MANAGER, "Dial", "(u)", i))
    wait(lambda: all(p.done for p in pending), "4000 replies")
    names = {p.error.name for p in pending if p.error}
    assert names <= {"InvalidOption", "TooMany", "CallEnded", "org.freedesktop.DBus.Error.UnknownObject",
                     "org.freedesktop.DBus.Error.InvalidArgs"}, names
    wait(lambda: client.get(ROOT, MANAGER, "State") == "idle")
    others_are_served(phone, client)


@pytest.mark.daemon("--linger", "1")
def test_objects_do_not_pile_up(phone, client):
    for _ in range(20):
        pending = [client.start(ROOT, MANAGER, "Dial", "(sa{sv})", "sip:busy@example.org", {}) for _ in range(50)]
        wait(lambda: all(p.done for p in pending))
    assert len([p for p in client.objects() if "/call/" in p]) <= 80
    wait(lambda: not [p for p in client.objects() if "/call/" in p], "all ended calls to go")


def test_parked_requests_are_limited(phone, client):
    call = client.incoming(BUSY)
    answering = client.start(call, CALL, "Answer", "(a{sv})", {})
    wait(lambda: "answer" not in client.get(call, CALL, "Can"))
    # Every other request is refused at once, whichever client sends how many of them.
    pending = [client.start(call, CALL, "Answer", "(a{sv})", {}) for _ in range(500)]
    wait(lambda: all(p.done for p in pending))
    assert {p.error.name for p in pending} == {"InProgress"}
    assert not answering.done
    client.test("Confirm", "(u)", number_of(call))
    answering.wait()


def test_secrets_that_never_come_are_limited(phone, client):
    """Sixty-four passwords may be awaited for one client; its sixty-fifth request is refused, another client's is not."""
    accounts = [ROOT + "/account/alice"] + [client.add_account(f"a{i}", aor="sip:x@example.org", register="false") for i in range(63)]
    ends = [os.pipe() for _ in accounts]
    pending = [client.start(path, ACCOUNT, "SetSecret", "(h)", 0, fds=[end[0]]) for path, end in zip(accounts, ends)]
    call = client.incoming(BUSY)
    with refused("TooMany"):
        client.answer(call)
    other = phone.client()
    answering = other.start(call, CALL, "Answer", "(a{sv})", {})
    wait(lambda: "answer" not in client.get(call, CALL, "Can"))
    for _, write_end in ends:
        os.write(write_end, b"geheim")
        os.close(write_end)
    for one in pending:
        one.wait()
    client.test("Confirm", "(u)", number_of(call))
    answering.wait()


@pytest.mark.daemon("--max-calls", "40")
def test_subscriptions_are_limited(phone, client):
    client.call(ROOT + "/account/alice", ACCOUNT, "Update", "(a{sv})", {"max-calls": V("u", 40)})
    wait(lambda: client.get(ROOT + "/account/alice", ACCOUNT, "Registration") == "registered")
    calls = [client.dial("sip:ring@example.org", **{"keep-others": V("b", True)}) for _ in range(33)]
    for call in calls[:32]:
        client.call(call, MEDIA, "Subscribe", "(u)", 60000)
    with refused("TooMany"):
        client.call(calls[32], MEDIA, "Subscribe", "(u)", 60000)
    client.call(calls[0], MEDIA, "Subscribe", "(u)", 100)       # not a new one
    crowd = [phone.client() for _ in range(8)]
    for member in crowd[:7]:
        for call in calls[:32]:
            member.call(call, MEDIA, "Subscribe", "(u)", 60000)
    assert client.test("Counters")[1] == 256
    with refused("TooMany"):
        crowd[7].call(calls[0], MEDIA, "Subscribe", "(u)", 60000)
    for member in crowd:
        member.close()
    wait(lambda: client.test("Counters")[1] == 32)
    others = phone.client()
    others.call(calls[0], MEDIA, "Subscribe", "(u)", 60000)


def test_flood_of_subscriptions(phone, client):
    call = client.dial("sip:echo@example.org")
    client.wait_state(call, "active")
    pending = [client.start(call, MEDIA, member, "(u)" if member == "Subscribe" else "()", *arguments)
               for _ in range(1000) for member, arguments in (("Subscribe", [100]), ("Unsubscribe", []))]
    wait(lambda: all(p.done for p in pending))
    assert not [p for p in pending if p.error]
    assert client.test("Counters")[1] == 0
    others_are_served(phone, client)


def test_more_clients_than_are_remembered(phone, client):
    """Clients for whom nothing waits give their place to others."""
    for _ in range(300):
        one = phone.client()
        call = client.incoming()
        one.answer(call)
        one.call(call, CALL, "Hangup")
    assert client.test("Counters")[0] <= 256
    for one in phone.clients[1:]:
        one.close()
    wait(lambda: client.test("Counters")[0] == 0)


def match_rules(client):
    """Match rules that the daemon has at the bus, if this dbus-daemon tells."""
    owner = client.connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner",
                                        V("(s)", (NAME,)), None, 0, TIMEOUT_MS, None).unpack()[0]
    try:
        answer = client.connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.Debug.Stats",
                                             "GetConnectionStats", V("(s)", (owner,)), None, 0, TIMEOUT_MS, None)
    except GLib.Error:
        pytest.skip("this dbus-daemon has no statistics")
    return answer.unpack()[0]["MatchRules"]


def test_match_rules_do_not_pile_up(phone, client):
    before = match_rules(client)
    for _ in range(100):
        one = phone.client()
        call = client.incoming(BUSY)
        one.start(call, CALL, "Answer", "(a{sv})", {})
        one.connection.flush_sync(None)
        one.close()
        wait(lambda: client.get(call, CALL, "State") == "disconnected" or "answer" not in client.get(call, CALL, "Can"))
        client.call(call, CALL, "Hangup")
    wait(lambda: client.test("Counters")[0] == 0)
    wait(lambda: match_rules(client) == before, "the daemon to give its matches back")


def test_large_messages(phone, client):
    big = "x" * (8 << 20)
    with refused("InvalidTarget"):
        client.dial(big)
    with refused("InvalidOption"):
        client.dial("sip:x@example.org", display=V("s", big))
    with refused("InvalidOption"):
        client.call(ROOT, MANAGER, "AddAccount", "(sa{sv})", "new", {f"k{i}": V("s", "v") for i in range(100000)})
    with refused("InvalidOption"):
        client.dial("sip:x@example.org", **{big: V("b", True)})
    others_are_served(phone, client)


def test_many_clients_listen(phone, client):
    """Everybody sees the same states in the same order."""
    crowd = [phone.client().listen() for _ in range(20)]
    call = client.dial("sip:burst@example.org")
    for member in crowd:
        wait(lambda: member.states(call) == ["alerting", "active", "disconnected"])
