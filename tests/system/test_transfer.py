# SPDX-License-Identifier: LGPL-2.1-or-later
"""Transfers with baresip in each of the roles: it is sent on, sends us on, is where others are sent; and what fails gives the call back."""
import pytest

from baresip import Baresip
from phone import Phone

NET = "127.86.4"
US, FIRST, SECOND = f"{NET}.1", f"{NET}.2", f"{NET}.3"


@pytest.fixture(scope="module")
def three(work, build, speech):
    us = Phone("us", work, build, audio={"input": "silence", "output": "silence", "ring": "silence"}, hurry=True,
               config={"sip": {"bind": f"{US}:5060"}, "media": {"bind": US}, "daemon": {"linger": 30}})
    others = [Baresip(name, work, address, speech[0], f"sip:{name}@{address}", extra="answermode=auto", hurry=True,
                      codecs="opus/48000/2,pcma/8000/1")
              for name, address in (("first", FIRST), ("second", SECOND))]
    try:
        for one in (us, *others):
            one.start()
        us.ctl("account", "add", "main", f"aor=sip:us@{US}", "register=false", "transport=udp", "srtp=off", "max-calls=4", "transfers=accept",
               "auto-answer=0")
        yield (us, *others)
    finally:
        for one in (us, *others):
            one.stop()


@pytest.fixture
def parties(three):
    us, *others = three
    us.marks = [len(one.events) for one in others]
    yield three
    us.ctl("hangup", "--all")
    for one in others:
        one.command("hangupall", "all")
    us.wait_idle()


def dial(us, uri):
    number = us.ctl("dial", uri, "--keep-others")["call"]
    us.wait_call("active", number)
    return number


def test_we_send_it_on(parties):
    us, first, second = parties
    number = dial(us, f"sip:first@{FIRST}")
    assert us.ctl("transfer", "--wait", number, f"sip:second@{SECOND}")["state"] == "done"
    us.wait_call("disconnected", number)
    assert us.reason(number)["reason"] == "transferred"
    second.wait_event("CALL_ESTABLISHED", after=us.marks[1])


def test_the_call_is_back(parties):
    us, first, second = parties
    number = dial(us, f"sip:first@{FIRST}")
    result = us.run("transfer", "--wait", number, f"sip:nobody@{SECOND}", check=False)
    assert result.returncode == 7 and '"failed"' in result.stdout, result
    us.wait(lambda: us.ctl("call", "show", number)["State"] == "active" and not us.ctl("call", "show", number)["LocalHold"], "the call to be back")


def test_it_sends_us_on(parties):
    us, first, second = parties
    number = dial(us, f"sip:first@{FIRST}")
    first.command("transfer", f"sip:second@{SECOND}")
    us.wait_call("disconnected", number)
    fresh = us.wait_call("active")
    assert us.calls[str(fresh)]["RemoteUri"] == f"sip:second@{SECOND}"
    second.wait_event("CALL_ESTABLISHED", after=us.marks[1])


def test_we_connect_both(parties):
    """This baresip knows nothing of Replaces and calls the other one anew; what both of ours do then is the same."""
    us, first, second = parties
    numbers = [dial(us, uri) for uri in (f"sip:first@{FIRST}", f"sip:second@{SECOND}")]
    mark = len(second.events)
    us.ctl("transfer", "--wait", numbers[0], "--to", numbers[1])
    for number in numbers:
        us.wait_call("disconnected", number)
    second.wait_event("CALL_ESTABLISHED", after=mark)


def test_it_vanishes(parties):
    """It is gone before we have called the other one: that call stands all the same. Its old one ends here as soon as it does not answer."""
    us, first, second = parties
    us.ctl("account", "set", "main", "transfers=ask")
    number = dial(us, f"sip:first@{FIRST}")
    first.command("transfer", f"sip:second@{SECOND}")
    us.wait(lambda: us.calls[str(number)].get("TransferRequest"), "a transfer to be asked for")
    first.process.kill()
    first.process.wait()
    fresh = us.ctl("transfer", number, "--accept")["call"]
    us.wait_call("active", fresh)
    second.wait_event("CALL_ESTABLISHED", after=us.marks[1])
    us.wait_call("disconnected", number)
    assert us.ctl("call", "show", fresh)["State"] == "active"
    first.stop()
    first.start()
