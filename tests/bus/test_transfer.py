# SPDX-License-Identifier: LGPL-2.1-or-later
"""One call in place of another: Call.Transfer and what belongs to it."""
import pytest
from gi.repository import GLib

from phonebus import CALL, ROOT, number_of, refused, wait

V = GLib.Variant
NONE = {"state": "none"}
ALICE = ROOT + "/account/alice"


def active(client, target="sip:echo@example.org"):
    call = client.dial(target)
    client.wait_state(call, "active")
    return call


def transfer_is(client, call, state, sip=None):
    wanted = {"state": state} if sip is None else {"state": state, "sip": sip}
    wait(lambda: client.get(call, CALL, "Transfer") == wanted, f"a transfer that is {wanted}")


def refer(client, call, target, replaces=""):
    return client.test("Refer", "(uss)", number_of(call), target, replaces)


def test_blind(client):
    call = active(client)
    assert client.get(call, CALL, "Transfer") == NONE
    client.call(call, CALL, "Transfer", "(s)", "sip:carol@example.org")
    client.wait_state(call, "disconnected")
    transfer_is(client, call, "done", 200)
    assert client.get(call, CALL, "Reason") == {"actor": "local", "reason": "transferred"}
    assert client.states(call) == ["alerting", "active", "held", "disconnecting", "disconnected"]


def test_blind_fails_and_gives_the_call_back(client):
    call = active(client)
    client.call(call, CALL, "Transfer", "(s)", "sip:busy@example.org")
    transfer_is(client, call, "failed", 486)
    client.wait_state(call, "active")
    assert client.states(call)[-2:] == ["held", "active"]
    assert "transfer" in client.get(call, CALL, "Can")


def test_progress_and_in_progress(client):
    call = active(client)
    client.call(call, CALL, "Transfer", "(s)", "sip:ring@example.org")
    transfer_is(client, call, "accepted", 180)
    assert "transfer" not in client.get(call, CALL, "Can")
    with refused("InProgress"):
        client.call(call, CALL, "Transfer", "(s)", "sip:ring@example.org")
    client.test("End", "(uu)", number_of(call), 0)      # the peer has taken it over, and leaves
    client.wait_state(call, "disconnected")
    transfer_is(client, call, "done", 180)


def test_errors(client):
    call = client.dial("sip:ring@example.org")
    client.wait_state(call, "alerting")
    with refused("InvalidState"):
        client.call(call, CALL, "Transfer", "(s)", "sip:carol@example.org")
    other = active(client)
    with refused("InvalidTarget"):
        client.call(other, CALL, "Transfer", "(s)", "sip:")
    with refused("InvalidTarget"):
        client.call(other, CALL, "TransferTo", "(o)", ROOT + "/call/999")
    with refused("InvalidOption"):
        client.call(other, CALL, "TransferTo", "(o)", other)
    with refused("InvalidState"):
        client.call(other, CALL, "TransferTo", "(o)", call)
    with refused("InvalidState"):
        client.call(other, CALL, "AcceptTransfer")
    assert client.get(other, CALL, "Transfer") == NONE


def test_attended(client):
    first = active(client)
    second = active(client)
    client.wait_state(first, "held")
    client.call(first, CALL, "TransferTo", "(o)", second)
    client.wait_state(first, "disconnected")
    client.wait_state(second, "disconnected")
    transfer_is(client, first, "done", 200)
    assert client.get(second, CALL, "Reason")["reason"] == "transferred"


def test_request_accepted(client):
    call = active(client)
    assert client.get(call, CALL, "TransferRequest") == {}
    assert refer(client, call, "sip:echo@example.net", "a@b;to-tag=1;from-tag=2") == 202
    assert client.get(call, CALL, "TransferRequest") == {
        "target": "sip:echo@example.net", "referred-by": "sip:referrer@example.org", "replaces": True}
    assert "accept-transfer" in client.get(call, CALL, "Can")
    assert refer(client, call, "sip:echo@example.net") == 491
    fresh = client.call(call, CALL, "AcceptTransfer")
    assert client.get(call, CALL, "TransferRequest") == {}
    assert client.get(call, CALL, "ReplacedBy") == fresh and client.get(fresh, CALL, "Replaces") == call
    client.wait_state(fresh, "active")
    assert client.get(call, CALL, "State") == "active"  # until the peer hangs up, or some seconds have passed
    wait(lambda: client.test("News") == "180 200 ")
    client.test("End", "(uu)", number_of(call), 0)
    client.wait_state(call, "disconnected")
    assert client.get(call, CALL, "Reason")["reason"] == "replaced"


def test_request_whose_target_is_busy(client):
    call = active(client)
    assert refer(client, call, "sip:busy@example.net") == 202
    fresh = client.call(call, CALL, "AcceptTransfer")
    client.wait_state(fresh, "disconnected")
    wait(lambda: client.test("News") == "486 ")
    assert client.get(call, CALL, "ReplacedBy") == "/" and client.get(call, CALL, "State") == "active"


def test_request_that_cannot_be_dialled(client):
    call = active(client)
    assert refer(client, call, "sip:down@example.net") == 202
    with refused("NetworkDown"):
        client.call(call, CALL, "AcceptTransfer")
    assert client.test("News") == "503 "
    assert client.get(call, CALL, "TransferRequest") == {}


def test_request_declined(client):
    call = active(client)
    assert refer(client, call, "sip:echo@example.net") == 202
    client.call(call, CALL, "DeclineTransfer")
    assert client.test("News") == "603 "
    assert client.get(call, CALL, "TransferRequest") == {}
    with refused("InvalidState"):
        client.call(call, CALL, "DeclineTransfer")


def test_request_dies_with_its_call(client):
    call = active(client)
    assert refer(client, call, "sip:echo@example.net") == 202
    client.call(call, CALL, "Hangup")
    client.wait_state(call, "disconnected")
    assert client.get(call, CALL, "TransferRequest") == {}
    with refused("CallEnded"):
        client.call(call, CALL, "AcceptTransfer")


@pytest.mark.parametrize("policy, target, status", [
    ("refuse", "sip:echo@example.net", 603), ("ask", "112", 603), ("accept", "urn:service:sos", 603), ("ask", "sip:", 400)])
def test_requests_that_are_refused(client, policy, target, status):
    client.add_account("a", aor="sip:a@example.com", transfers=policy, register="false")
    call = client.dial("sip:echo@example.org", account=V("o", ROOT + "/account/a"))
    client.wait_state(call, "active")
    assert refer(client, call, target) == status
    assert client.get(call, CALL, "TransferRequest") == {}


def test_accept_at_once_but_not_out_of_another_call(client):
    client.add_account("a", aor="sip:a@example.com", transfers="accept", register="false")
    call = client.dial("sip:echo@example.org", account=V("o", ROOT + "/account/a"))
    client.wait_state(call, "active")
    talk = active(client)
    client.wait_state(call, "held")
    assert refer(client, call, "sip:echo@example.net") == 202
    assert client.get(call, CALL, "TransferRequest")["target"] == "sip:echo@example.net"
    client.call(call, CALL, "DeclineTransfer")
    client.call(talk, CALL, "Hangup")
    client.call(call, CALL, "Resume")
    assert refer(client, call, "sip:echo@example.net") == 202
    wait(lambda: client.get(call, CALL, "ReplacedBy") != "/")
    client.wait_state(client.get(call, CALL, "ReplacedBy"), "active")


# ---- parking ----

def park(client, call, **options):
    return client.call(call, CALL, "Park", "(a{sv})", options)


def test_park_tells_the_slot(client):
    client.update(ALICE, park="700")
    call = active(client)
    assert "park" in client.get(call, CALL, "Can")
    assert park(client, call) == "701"                  # as the server says
    client.wait_state(call, "disconnected")
    assert client.get(call, CALL, "Parked") == "701"
    assert client.get(call, CALL, "Reason") == {"actor": "local", "reason": "transferred"}


def test_park_in_a_slot(client):
    call = active(client)
    with refused("NotSupported", "park"):
        park(client, call)
    with refused("InvalidOption", "slot"):
        park(client, call, slot=V("s", "7 1"))
    client.update(ALICE, park="*68{slot}")
    assert park(client, call, slot=V("s", "12")) == "12"        # the server says nothing


def test_park_refused_gives_the_call_back(client):
    client.update(ALICE, park="busy")
    call = active(client)
    with refused("Rejected", "486"):
        park(client, call)
    client.wait_state(call, "active")
    assert client.get(call, CALL, "Parked") == ""


def test_park_by_keys(client):
    client.update(ALICE, park="*5{slot}", park_method="dtmf")
    call = active(client)
    assert park(client, call, slot=V("s", "3")) == "3"
    assert client.get(call, CALL, "State") == "active"          # until the server takes it


def test_park_ends_with_the_call(client):
    client.update(ALICE, park="ring")
    call = active(client)
    pending = client.start(call, CALL, "Park", "(a{sv})", {})
    transfer_is(client, call, "accepted", 180)
    client.test("End", "(uu)", number_of(call), 0)              # the server has it, and says no more
    assert pending.wait() == "ring"
