# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.phoned.Phone1.Call, member by member: in the states where it applies and in the others."""
import pytest
from gi.repository import GLib

from phonebus import CALL, ROOT, number_of, refused, wait

V = GLib.Variant


def active(client, target="sip:echo@example.org"):
    call = client.dial(target)
    client.wait_state(call, "active")
    return call


def ended(client):
    call = client.dial("sip:busy@example.org")
    client.wait_state(call, "disconnected")
    return call


def act(client, call, member):
    """Calls a member with arguments that are right in themselves."""
    arguments = {"Answer": ("(a{sv})", {}), "Reject": ("(s)", "busy"), "SendDtmf": ("(sa{sv})", "1", {}),
                 "Deflect": ("(s)", "sip:carol@example.org")}.get(member, ("()",))
    return client.call(call, CALL, member, *arguments)


IN_STATE = {"dialing": lambda c: c.dial("sip:silent@example.org"), "alerting": lambda c: c.dial("sip:ring@example.org"),
            "incoming": lambda c: c.incoming(), "active": active,
            "waiting": lambda c: (active(c), c.incoming())[1],
            "held": lambda c: (lambda call: (act(c, call, "Hold"), call)[1])(active(c)), "disconnected": ended}
# What succeeds where; the rest is InvalidState, or CallEnded on an ended call.
ALLOWED = {"Answer": {"incoming", "waiting"}, "Reject": {"incoming", "waiting"}, "SilenceRing": {"incoming", "waiting"},
           "Hangup": {"dialing", "alerting", "incoming", "waiting", "active", "held"}, "Hold": {"active"}, "Resume": {"held"},
           "SendDtmf": {"active"}, "Deflect": {"incoming", "waiting"}}
WORD = {"Answer": "answer", "Reject": "reject", "SilenceRing": "silence", "Hangup": "hangup", "Hold": "hold", "Resume": "resume",
        "SendDtmf": "dtmf", "Deflect": "deflect"}


@pytest.mark.parametrize("state", IN_STATE)
@pytest.mark.parametrize("member", ALLOWED)
def test_methods_in_every_state(client, state, member):
    call = IN_STATE[state](client)
    client.wait_state(call, state)
    can = client.get(call, CALL, "Can")
    assert (WORD[member] in can) == (state in ALLOWED[member]), can
    if state in ALLOWED[member]:
        act(client, call, member)
    else:
        with refused("CallEnded" if state == "disconnected" else "InvalidState"):
            act(client, call, member)
        assert client.get(call, CALL, "State") == state


@pytest.mark.parametrize("state", IN_STATE)
def test_muted_in_every_state(client, state):
    call = IN_STATE[state](client)
    client.wait_state(call, state)
    if "mute" in client.get(call, CALL, "Can"):
        client.set(call, CALL, "Muted", "b", True)
        assert client.get(call, CALL, "Muted") is True
        wait(lambda: {"Muted": True} in client.changes(call, CALL))
    else:
        with refused("CallEnded" if state == "disconnected" else "InvalidState"):
            client.set(call, CALL, "Muted", "b", True)


# ---- Answer ----

def test_answer_replies_when_active(client):
    call = client.incoming("sip:noack@example.org")
    answering = client.start(call, CALL, "Answer", "(a{sv})", {})
    wait(lambda: "answer" not in client.get(call, CALL, "Can"))
    assert not answering.done and client.get(call, CALL, "State") == "incoming"
    with refused("InProgress"):
        client.answer(call)
    assert not answering.done
    client.test("Confirm", "(u)", number_of(call))
    assert answering.wait() is None
    order = [e for e in client.events if e == ("reply", answering) or (e[0] == call and e[2] == "PropertiesChanged")]
    assert order[-1] == ("reply", answering)
    assert client.states(call) == ["active"]
    assert client.get(call, CALL, "Answered") >= client.get(call, CALL, "Start") > 0


def test_answer_without_offer(client):
    call = client.incoming(offer=False)
    client.answer(call)
    assert client.get(call, CALL, "State") == "active"


def test_answer_of_a_call_that_ends(client):
    call = client.incoming("sip:noack@example.org")
    answering = client.start(call, CALL, "Answer", "(a{sv})", {})
    wait(lambda: "answer" not in client.get(call, CALL, "Can"))
    client.test("End", "(uu)", number_of(call), 0)
    with refused("CallEnded"):
        answering.wait()
    seen = client.events[:client.events.index(("reply", answering))]
    assert [e[3][1]["State"] for e in seen if e[0] == call and "State" in e[3][1]] == ["disconnected"]
    assert client.states(call) == ["disconnected"]


def test_answer_options(client):
    first = active(client)
    call = client.incoming()
    for options, text in (({"colour": V("s", "x")}, "'colour'"), ({"keep-others": V("s", "yes")}, "'keep-others' must be of type b")):
        with refused("InvalidOption", text):
            client.answer(call, **options)
    assert client.get(call, CALL, "State") == "waiting"
    client.answer(call, **{"keep-others": V("b", True)})
    assert client.get(first, CALL, "State") == "active"
    second = client.incoming()
    client.answer(second)
    client.wait_state(first, "held")


# ---- Reject, Hangup and why it ended ----

@pytest.mark.parametrize("word, reason, sip", [("busy", "busy", 486), ("decline", "declined", 603), ("unavailable", "unavailable", 480)])
def test_reject(client, word, reason, sip):
    call = client.incoming()
    client.call(call, CALL, "Reject", "(s)", word)
    client.wait_state(call, "disconnected")
    why = client.get(call, CALL, "Reason")
    assert (why["actor"], why["reason"], why["sip"]) == ("local", reason, sip)


@pytest.mark.parametrize("word", ["", "Busy", "no", "x" * 5000])
def test_reject_wants_a_reason(client, word):
    call = client.incoming()
    with refused("InvalidOption", "busy, decline or unavailable"):
        client.call(call, CALL, "Reject", "(s)", word)
    assert client.get(call, CALL, "State") == "incoming"


@pytest.mark.parametrize("target, reason, sip", [("busy", "busy", 486), ("decline", "declined", 603), ("notfound", "not-found", 404)])
def test_reason_of_the_far_end(client, target, reason, sip):
    call = client.dial(f"sip:{target}@example.org")
    assert client.get(call, CALL, "Reason") == {} or client.get(call, CALL, "State") == "disconnected"
    client.wait_state(call, "disconnected")
    why = client.get(call, CALL, "Reason")
    assert (why["actor"], why["reason"], why["sip"]) == ("remote", reason, sip) and why["phrase"] and why["q850"] > 0
    wait(lambda: [c for c in client.changes(call, CALL) if c.get("State") == "disconnected" and c["Reason"]["reason"] == reason])


def test_bye_of_the_far_end(client):
    call = active(client)
    client.test("End", "(uu)", number_of(call), 0)
    client.wait_state(call, "disconnected")
    assert client.get(call, CALL, "Reason") == {"actor": "remote", "reason": "hangup", "q850": 16}


def test_hangup_passes_disconnecting(client):
    call = active(client)
    client.call(call, CALL, "Hangup")
    client.wait_state(call, "disconnected")
    wait(lambda: client.states(call)[-2:] == ["disconnecting", "disconnected"])


@pytest.mark.daemon("--linger", "1")
def test_ended_call_lingers_then_goes(client):
    call = ended(client)
    assert client.get(call, CALL, "Can") == []
    wait(lambda: [s for s in client.signals(ROOT, "InterfacesRemoved") if s[0] == call and CALL in s[1]])
    assert call not in client.objects()
    with refused("org.freedesktop.DBus.Error.UnknownObject"):
        client.get(call, CALL, "State")


# ---- Hold, Resume ----

def test_hold_and_resume(client):
    call = active(client)
    act(client, call, "Hold")
    assert client.get(call, CALL, "State") == "held" and client.get(call, CALL, "LocalHold") is True
    act(client, call, "Resume")
    assert client.get(call, CALL, "State") == "active" and client.get(call, CALL, "LocalHold") is False
    held = [c for c in client.changes(call, CALL) if c.get("State") == "held"]
    assert held[0]["LocalHold"] is True and "resume" in held[0]["Can"]


def test_hold_replies_after_the_change(client):
    call = active(client)
    holding = client.start(call, CALL, "Hold")
    holding.wait()
    order = [e for e in client.events if e == ("reply", holding) or (e[0] == call and e[2] == "PropertiesChanged")]
    assert order[-1] == ("reply", holding) and client.states(call)[-1] == "held"


def test_hold_waits_for_the_peer(client):
    call = active(client, "sip:stuck@example.org")
    holding = client.start(call, CALL, "Hold")
    wait(lambda: "hold" not in client.get(call, CALL, "Can"))
    for member in ("Hold", "Resume"):
        with refused("InProgress"):
            act(client, call, member)
    assert not holding.done
    client.test("ReofferAnswered", "(u)", number_of(call))
    holding.wait()
    assert client.get(call, CALL, "State") == "held"


def test_hold_refused_by_the_peer(client):
    call = active(client, "sip:nohold@example.org")
    with refused("Rejected", "488"):
        act(client, call, "Hold")
    assert client.get(call, CALL, "State") == "active" and client.get(call, CALL, "LocalHold") is False


def test_hold_of_a_call_that_ends(client):
    call = active(client, "sip:stuck@example.org")
    holding = client.start(call, CALL, "Hold")
    wait(lambda: "hold" not in client.get(call, CALL, "Can"))
    client.call(call, CALL, "Hangup")
    with refused("CallEnded"):
        holding.wait()


def test_remote_hold(client):
    call = active(client)
    client.test("Reoffer", "(us)", number_of(call), "sendonly")
    assert client.get(call, CALL, "RemoteHold") is True and client.get(call, CALL, "State") == "active"
    wait(lambda: [c for c in client.changes(call, CALL) if c.get("RemoteHold") is True])
    client.test("Reoffer", "(us)", number_of(call), "sendrecv")
    wait(lambda: client.get(call, CALL, "RemoteHold") is False)


# ---- DTMF ----

def test_send_dtmf(client):
    call = active(client)
    client.call(call, CALL, "SendDtmf", "(sa{sv})", "0123456789*#abcd", {})
    client.call(call, CALL, "SendDtmf", "(sa{sv})", "55", {"duration": V("u", 40)})
    assert client.test("Counters")[3] == "0123456789*#ABCD55"


@pytest.mark.parametrize("digits, options, text", [
    ("", {}, "0-9"), ("12x", {}, "0-9"), ("1" * 129, {}, "0-9"), ("1 2", {}, "0-9"), ("1", {"duration": V("u", 39)}, "40 to 6000"),
    ("1", {"duration": V("u", 6001)}, "40 to 6000"), ("1", {"duration": V("u", 0)}, "'duration'"),
    ("1", {"duration": V("i", 100)}, "'duration' must be of type u"), ("1", {"loud": V("b", True)}, "'loud'")])
def test_send_dtmf_refuses(client, digits, options, text):
    call = active(client)
    with refused("InvalidOption", text):
        client.call(call, CALL, "SendDtmf", "(sa{sv})", digits, options)
    assert client.test("Counters")[3] == ""


def test_dtmf_into_early_media(client):
    call = client.dial("sip:early@example.org")
    client.wait_state(call, "alerting")
    act(client, call, "SendDtmf")


def test_dtmf_received(client):
    call = active(client)
    client.test("Digit", "(usu)", number_of(call), "5", 120)
    client.test("Digit", "(usu)", number_of(call), "#", 0)
    wait(lambda: client.signals(call, "DtmfReceived") == [("5", 120, "rfc4733"), ("#", 160, "info")])


# ---- the parties ----

def test_incoming_call_says_who_calls(client):
    call = client.incoming("sip:bob@example.net", "Bob \u202e Example")
    assert client.get(call, CALL, "Direction") == "incoming"
    assert client.get(call, CALL, "RemoteUri") == "sip:bob@example.net"
    assert client.get(call, CALL, "RemoteName") == "Bob \u202e Example"
    for name in ("AssertedId", "Diverter", "Verstat", "Alert"):
        assert client.get(call, CALL, name) == ""
    assert client.get(call, CALL, "Intercom") is False and client.get(call, CALL, "RemoteRecording") == "none"


def test_party_may_change(client):
    call = active(client)
    client.test("Party", "(usay)", number_of(call), "sip:carol@example.org", "Carol".encode())
    changed = wait(lambda: [c for c in client.changes(call, CALL) if c.get("RemoteName") == "Carol"])
    assert changed[0]["RemoteUri"] == "sip:carol@example.org"


def card(name, address):
    return f"BEGIN:VCARD\nVERSION:4.0\nFN:{name}\nTEL:{address}\nEND:VCARD\n"


def test_contact_names_the_caller(client):
    """The address book goes before what the caller says, which stays; it counts in a call that is on, and never for who only claims the number."""
    client.test("SetContacts", "(s)", card("Aunt Mary", "+49 30 1234567"))
    call = client.incoming("sip:+49301234567@example.net", "OFFICE 7")
    assert (client.get(call, CALL, "ContactName"), client.get(call, CALL, "RemoteName")) == ("Aunt Mary", "OFFICE 7")
    client.test("SetContacts", "(s)", card("Mary", "030 1234567"))
    wait(lambda: [c for c in client.changes(call, CALL) if c.get("ContactName") == "Mary"])
    before = len(client.changes(call, CALL))
    client.test("SetContacts", "(s)", card("Mary", "030 1234567") + card("Bob", "+4940123456"))
    client.test("SetContacts", "(s)", "")
    wait(lambda: [c for c in client.changes(call, CALL) if c.get("ContactName") == ""])
    assert len(client.changes(call, CALL)) == before + 1
    assert client.get(call, CALL, "RemoteName") == "OFFICE 7"


@pytest.mark.parametrize("octets, shown", [
    (b"\xff\xfe", "??"), (b"a\xc3", "a?"), ("\ufffe\ufdd0x".encode(), "??x"), (b"\xed\xa0\x80", "???"), ("ä".encode() * 3000, "ä" * 2048)])
def test_text_that_the_bus_would_not_carry(client, octets, shown):
    call = active(client)
    client.test("Party", "(usay)", number_of(call), "sip:x@example.org", octets)
    assert client.get(call, CALL, "RemoteName") == shown
    wait(lambda: [c for c in client.changes(call, CALL) if c.get("RemoteName") == shown])
    assert client.objects()[call][CALL]["RemoteName"] == shown


# ---- order ----

def test_no_state_is_lost_in_a_burst(client):
    call = client.dial("sip:burst@example.org")
    client.wait_state(call, "disconnected")
    wait(lambda: client.states(call) == ["alerting", "active", "disconnected"])


def test_changes_within_one_turn_make_one_signal(client):
    call = active(client)
    client.test("ToggleMute", "(u)", number_of(call))
    wait(lambda: [c for c in client.changes(call, CALL) if "Muted" in c])
    client.get(call, CALL, "Muted")
    assert [c["Muted"] for c in client.changes(call, CALL) if "Muted" in c] == [True]


def test_waiting_and_back(client):
    first = active(client)
    call = client.incoming()
    assert client.get(call, CALL, "State") == "waiting"
    client.call(first, CALL, "Hangup")
    wait(lambda: client.states(call) == ["incoming"])
