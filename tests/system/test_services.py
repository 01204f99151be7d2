# SPDX-License-Identifier: LGPL-2.1-or-later
"""The services of a telephone system, in both roles, with SIPp as everybody else: who sends a call on, whom it is sent to, who is sent; who picks up, who
is called from the intercom, who is recorded. Every scene is judged on both sides: SIPp checks the messages, the phone says what its user is told."""
import re

import pytest

from phone import Phone
from scene import SDP, TAG, Scene, sdp
from sipp import Sipp

US, ONE, TWO = "127.66.4.1", "127.66.4.2", "127.66.4.3"
EXIT_BUSY = 3


@pytest.fixture(scope="module")
def phone(work, build):
    phone = Phone("us", work, build, audio={"input": "silence", "output": "silence", "ring": "silence"}, log_level="debug",
                  config={"sip": {"bind": f"{US}:5060", "trace": "true"}, "media": {"bind": US, "rtp-timeout": 0}, "daemon": {"linger": 60},
                          "recording": {"signal": "always", "announce": "false"}})
    phone.start()
    try:
        phone.ctl("account", "add", "us", f"aor=sip:us@{US}", "register=false", "transport=udp", f"subscribers-allow=sipp@{TWO}", f"intercom=sipp@{ONE}")
        phone.run("recording", "unlock", stdin="of the recordings")
        yield phone
    finally:
        phone.stop()


@pytest.fixture(autouse=True)
def quiet(phone):
    phone.ctl("account", "set", "us", "transfers=accept", "transfer-news=true", "auto-answer=0", "forward=", "focus=no")
    yield
    assert phone.daemon.poll() is None, "the phone has died"
    phone.ctl("hangup", "--all")


@pytest.fixture
def at(work):
    """SIPp at an address: listens; or calls, when it is told to."""
    made = []

    def start(address, scene, calling=False, **more):
        process = Sipp(work, scene, address, f"{US}:5060" if calling else "", **more)
        made.append(process)
        if not calling:
            process.wait_bound()
        return process

    yield start
    for process in made:
        process.stop()


def dial(phone, at, scene, address=ONE):
    """A call of ours to SIPp that stands; the number of it."""
    process = at(address, scene)
    number = phone.ctl("dial", f"sip:them@{address}", "--keep-others")["call"]
    phone.wait_call("active", number)
    return process, number


def take(phone, at, scene, address=ONE):
    """A call of SIPp to us that stands."""
    known = set(phone.calls)
    process = at(address, scene, calling=True)
    number = phone.wait(lambda: next((key for key in phone.calls if key not in known), None), "a call")
    phone.wait_call("active", number)
    return process, number


def fresh_call(phone, known, state="active"):
    number = phone.wait(lambda: next((key for key in phone.calls if key not in known), None), "a call")
    return phone.wait_call(state, number)


def ids(process):
    """Call-ID, our tag, and what SIPp knows as its own: of the dialog that it is in."""
    answer = process.wait(r"SIP/2\.0 200 OK\r?\n.*?CSeq: \d+ INVITE\r?\n")[0]
    call_id = re.search(r"Call-ID: *(\S+)", answer)[1]
    tags = [re.search(rf"{name}:.*?;tag=([^\s;]+)", answer)[1] for name in ("From", "To")]
    return call_id, next(tag for tag in tags if tag != TAG)


def transfer(phone, number):
    return phone.ctl("call", "show", number)["Transfer"]


def wait_transfer(phone, number, state, sip):
    phone.wait(lambda: (phone.calls[str(number)].get("Transfer") or {}).get("state") == state, f"the transfer to be {state}")
    assert transfer(phone, number).get("sip") == sip, transfer(phone, number)


# ---- we send somebody on ----

def test_we_transfer(phone, at):
    process, number = dial(phone, at, Scene().called().answered().held()
                           .recv("REFER", refer_to=rf"sip:other@{TWO}", referred_by=rf"sip:us@{US}").reply("202 Accepted")
                           .outcome("100 Trying").outcome("180 Ringing").outcome("200 OK").hung_up())
    assert phone.ctl("transfer", "--wait", number, f"sip:other@{TWO}")["state"] == "done"
    process.finish()
    assert phone.reason(number)["reason"] == "transferred"


def test_we_transfer_without_news(phone, at):
    """RFC 4488: that it was taken on is all that anybody hears."""
    phone.ctl("account", "set", "us", "transfer-news=false")
    process, number = dial(phone, at, Scene().called().answered().held()
                           .recv("REFER", refer_sub="false").reply("202 Accepted", "Refer-Sub: false").hung_up())
    assert phone.ctl("transfer", "--wait", number, f"sip:other@{TWO}")["state"] == "done"
    process.finish()


@pytest.mark.parametrize("end", ["refused", "busy"])
def test_our_transfer_fails(phone, at, end):
    """The peer does not want, or the other one: the call is back."""
    scene = Scene().called().answered().held().recv("REFER")
    if end == "refused":
        scene.reply("603 Decline").resumed().hung_up()
    else:
        scene.reply("202 Accepted").outcome("100 Trying").outcome("486 Busy Here").resumed().hung_up()
    process, number = dial(phone, at, scene)
    result = phone.run("transfer", "--wait", number, f"sip:other@{TWO}", check=False)
    assert result.returncode != 0 and '"failed"' in result.stdout, result
    assert result.returncode == (EXIT_BUSY if end == "busy" else 5), result
    phone.wait(lambda: phone.ctl("call", "show", number)["State"] == "active" and not phone.ctl("call", "show", number)["LocalHold"], "the call")
    phone.ctl("hangup", number)
    process.finish()


def connect(phone, at, first, second):
    """Two calls of ours, and the first one's peer is sent to the second's."""
    one, number = dial(phone, at, first, ONE)
    two, other = dial(phone, at, second, TWO)
    phone.ctl("transfer", number, "--to", other)
    return one, number, two, other


def test_we_connect_two(phone, at):
    """The REFER names the dialog as the one at its other end sees it (RFC 3891): his own tag is to-tag."""
    one, number, two, other = connect(phone, at,
                                      Scene().called().answered().held().recv("REFER").reply("202 Accepted").outcome("200 OK").hung_up(),
                                      Scene().called().answered().hung_up())
    call_id, ours = ids(two)
    refer_to = one.wait(r"Refer-To: *<([^>]*)>")[1]
    assert refer_to.startswith(f"sip:them@{TWO}") and "?replaces=" in refer_to.lower(), refer_to
    assert refer_to.lower().split("?replaces=")[1] == f"{call_id};to-tag={TAG};from-tag={ours}".replace(";", "%3b").replace("=", "%3d").replace("@", "%40").lower()
    one.finish()
    two.finish()
    assert {phone.reason(call)["reason"] for call in (number, other)} == {"transferred"}


def test_target_hangs_up_while_we_connect(phone, at):
    """There is nobody to be sent to any more, and the first call is back."""
    one, number, two, other = connect(phone, at,
                                      Scene().called().answered().held().recv("REFER").reply("202 Accepted").outcome("100 Trying").poked()
                                      .outcome("481 Call/Transaction Does Not Exist").resumed().hung_up(),
                                      Scene().called().answered().poked().bye())
    one.wait("SIP/2.0 100 Trying")
    two.poke(ids(two)[0])
    phone.wait_call("disconnected", other)
    assert phone.reason(other)["actor"] == "remote"
    one.poke(ids(one)[0])
    wait_transfer(phone, number, "failed", 481)
    phone.wait(lambda: not phone.ctl("call", "show", number)["LocalHold"], "the call to be back")
    phone.ctl("hangup", number)
    one.finish()
    two.finish()


def test_peer_offers_while_we_transfer(phone, at):
    """A re-INVITE of the peer's crosses the REFER: both stand."""
    process, number = dial(phone, at, Scene().called().answered().held().recv("REFER").reply("202 Accepted")
                           .request("INVITE", body=("application/sdp", sdp("sendonly"))).recv(100, optional=True).recv(200, message="a=inactive|a=recvonly")
                           .request("ACK", sequence=1).outcome("200 OK").hung_up())
    assert phone.ctl("transfer", "--wait", number, f"sip:other@{TWO}")["state"] == "done"
    process.finish()


# ---- we are sent on ----

def test_we_are_transferred(phone, at):
    two = at(TWO, Scene().called(referred_by=rf"sip:sipp@{ONE}").reply("180 Ringing").poked().reply("200 OK", body=SDP, late=True).recv("ACK").hung_up())
    known = set(phone.calls)
    one, number = take(phone, at, Scene().call().request("REFER", f"Refer-To: <sip:other@{TWO}>", f"Referred-By: <sip:sipp@{ONE}>").recv(202)
                       .told("100").told("180").told("200").bye())
    one.wait("SIP/2.0 180 Ringing\r?\n.*SIP/2.0 180 Ringing")
    two.poke(two.wait(r"Call-ID: *(\S+)")[1])
    fresh = fresh_call(phone, known | {str(number)})
    one.finish()
    assert phone.reason(number)["reason"] == "replaced"
    assert phone.calls[str(fresh)]["RemoteUri"] == f"sip:other@{TWO}"
    phone.ctl("hangup", fresh)
    two.finish()


def test_we_replace_a_call(phone, at):
    """Replaces comes escaped in the Refer-To, and goes into the INVITE as it is."""
    two = at(TWO, Scene().called(replaces=r"abc@h;to-tag=t1;from-tag=f1$", require="replaces").answered().hung_up())
    known = set(phone.calls)
    one, number = take(phone, at, Scene().call()
                       .request("REFER", f"Refer-To: <sip:other@{TWO}?Replaces=abc%40h%3Bto-tag%3Dt1%3Bfrom-tag%3Df1>", "Refer-Sub: false")
                       .recv(202, refer_sub="false").bye())
    fresh = fresh_call(phone, known | {str(number)})
    one.finish()
    phone.ctl("hangup", fresh)
    two.finish()


def test_target_is_busy(phone, at):
    """The transferor hears so, and its call goes on."""
    two = at(TWO, Scene().called().reply("486 Busy Here").recv("ACK"))
    one, number = take(phone, at, Scene().call().request("REFER", f"Refer-To: <sip:other@{TWO}>").recv(202).told("100").told("486").hung_up())
    two.finish()
    one.wait("SIP/2.0 486 Busy Here.*SIP/2.0 200")
    assert phone.ctl("call", "show", number)["State"] == "active"
    phone.ctl("hangup", number)
    one.finish()


def test_transferor_vanishes(phone, at):
    """It is not there for the news: the new call stands."""
    two = at(TWO, Scene().called().poked().reply("200 OK", body=SDP, late=True).recv("ACK").hung_up())
    known = set(phone.calls)
    one, number = take(phone, at, Scene().call().request("REFER", f"Refer-To: <sip:other@{TWO}>").recv(202).told("100").poked())
    call_id = two.wait(r"Call-ID: *(\S+)")[1]
    one.stop()
    two.poke(call_id)
    fresh = fresh_call(phone, known | {str(number)})
    phone.wait_call("disconnected", number)
    assert phone.ctl("call", "show", fresh)["State"] == "active"
    phone.ctl("hangup", fresh)
    two.finish()


def test_transfer_while_we_hold(phone, at):
    """A REFER comes between our re-INVITE and its answer."""
    two = at(TWO, Scene().called().poked().reply("200 OK", body=SDP, late=True).recv("ACK").hung_up())
    known = set(phone.calls)
    one, number = take(phone, at, Scene().call().recv("INVITE", message="a=sendonly", keep=True).request("REFER", f"Refer-To: <sip:other@{TWO}>")
                       .recv(202).told("100").reply("200 OK", body=("application/sdp", sdp("recvonly")), late=True).recv("ACK").told("200").bye())
    phone.ctl("hold", number)
    one.wait("ACK sip:.*ACK sip:")
    two.poke(two.wait(r"Call-ID: *(\S+)")[1])
    fresh = fresh_call(phone, known | {str(number)})
    one.finish()
    assert phone.reason(number)["reason"] == "replaced"
    phone.ctl("hangup", fresh)
    two.finish()


def test_transfer_from_elsewhere(phone, at):
    """A REFER outside of any dialog is heard if it names one of its sender's (RFC 4538), and only then."""
    one, number = take(phone, at, Scene().call().hung_up())
    call_id, ours = ids(one)
    phone.ctl("account", "set", "us", "transfers=ask")
    for target_dialog, status in ((None, 403), (f"{call_id};local-tag=x;remote-tag={ours}", 403), (f"{call_id};local-tag={TAG};remote-tag={ours}", 202)):
        stranger = Scene().outside(f"sip:x@{TWO}", "REFER", f"Refer-To: <sip:other@{TWO}>", *([f"Target-Dialog: {target_dialog}"] if target_dialog else []))
        if status == 202:       # the first NOTIFY is faster than the answer, which may be (RFC 6665 section 4.1.2.4)
            stranger.recv("NOTIFY", message="SIP/2.0 100", keep=True).recv(202).reply("200 OK", late=True).told("100").told("603")
        else:
            stranger.recv("NOTIFY", optional=True).recv(status)
        process = at(TWO, stranger, calling=True)
        if status == 202:
            phone.wait(lambda: phone.calls[str(number)].get("TransferRequest"), "to be asked")
            phone.ctl("transfer", number, "--decline")
        process.finish()
    phone.ctl("hangup", number)
    one.finish()


# ---- somebody is sent to us ----

def test_call_is_replaced(phone, at):
    """The new call takes the place of the old one, held as that was, and is not asked for."""
    phone.ctl("account", "set", "us", "auto-answer=0")
    one, number = take(phone, at, Scene().call().hung_up())
    call_id, ours = ids(one)
    phone.ctl("account", "set", "us", "auto-answer=off")
    two, fresh = take(phone, at, Scene().call(f"Replaces: {call_id};to-tag={ours};from-tag={TAG}", "Require: replaces").hung_up(), TWO)
    one.finish()
    assert phone.reason(number)["reason"] == "replaced"
    phone.ctl("hangup", fresh)
    two.finish()


@pytest.mark.parametrize("change, status", [("tag", 481), ("early", 486), ("gone", 603)])
def test_call_is_not_replaced(phone, at, change, status):
    """RFC 3891 section 3: no such dialog; only if it still rang; it has just ended."""
    one, number = take(phone, at, Scene().call().hung_up())
    call_id, ours = ids(one)
    before = len(phone.calls)
    replaces = f"Replaces: {call_id};to-tag={ours}{'x' if change == 'tag' else ''};from-tag={TAG}{';early-only' if change == 'early' else ''}"
    if change == "gone":
        phone.ctl("hangup", number)
        one.finish()
        status = 481
    two = at(TWO, Scene().call(replaces, status=status), calling=True)
    two.finish()
    assert len(phone.calls) == before
    if change != "gone":
        assert phone.ctl("call", "show", number)["State"] == "active"
        phone.ctl("hangup", number)
        one.finish()


def test_our_ringing_call_is_picked_up(phone, at):
    """Somebody takes the call that we make from the phone at which it rings, which hears that it has missed nothing (RFC 3326)."""
    one = at(ONE, Scene().called().reply("180 Ringing").recv("CANCEL", reason="SIP;cause=200;").ok().reply("487 Request Terminated", late=True).recv("ACK"))
    number = phone.ctl("dial", f"sip:them@{ONE}")["call"]
    phone.wait_call("alerting", number)
    invite = one.wait(r"INVITE sip:.*?\r?\n\r?\n")[0]
    call_id, ours = re.search(r"Call-ID: *(\S+)", invite)[1], re.search(r"From:.*?;tag=([^\s;]+)", invite)[1]
    phone.ctl("account", "set", "us", "auto-answer=off")
    two, fresh = take(phone, at, Scene().call(f"Replaces: {call_id};to-tag={ours};from-tag={TAG};early-only").hung_up(), TWO)
    one.finish()
    assert phone.reason(number)["reason"] == "replaced"
    phone.ctl("hangup", fresh)
    two.finish()


# ---- pickup ----

RINGS = ("application/dialog-info+xml", ['<?xml version="1.0"?>',
         f'<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:desk@{ONE}">',
         '<dialog id="d1" call-id="abc@h" local-tag="l1" remote-tag="r1" direction="recipient"><state>early</state>',
         f"<remote><identity>sip:caller@{TWO}</identity><target uri=\"sip:caller@{TWO}:5060\"/></remote></dialog></dialog-info>"])


def test_we_pick_up(phone, at):
    """The phone is asked what rings there, and who calls it is sent our INVITE: only he can replace what has not been answered."""
    one = at(ONE, Scene().called("SUBSCRIBE", event="dialog").ok(None, "Expires: 3600").news("dialog", "active;expires=3600", RINGS)
             .recv("SUBSCRIBE").ok(None, "Expires: 0"))
    two = at(TWO, Scene().called(replaces="abc@h;to-tag=r1;from-tag=l1", require="replaces").answered().hung_up())
    number = phone.ctl("pickup", f"sip:desk@{ONE}")["call"]
    phone.wait_call("active", number)
    one.finish()
    phone.ctl("hangup", number)
    two.finish()


def test_we_tell_what_rings(phone, at):
    """The other role: whoever may, is told what a pickup needs."""
    phone.ctl("account", "set", "us", "auto-answer=off")
    one = at(ONE, Scene().call(status=486, ringing=True), calling=True)
    number = phone.wait_call("incoming")
    call_id = one.wait(r"Call-ID: *(\S+)")[1]
    watcher = Scene().outside(f"sip:sipp@{TWO}", "SUBSCRIBE", "Event: dialog", "Expires: 0").recv(200)
    watcher.recv("NOTIFY", message=f'call-id="{re.escape(call_id)}" local-tag="[^"]+" remote-tag="{TAG}" direction="recipient".*<state>early').ok()
    at(TWO, watcher, calling=True).finish()
    phone.ctl("reject", "--busy", number)
    one.finish()


# ---- forwarding ----

def test_we_forward(phone, at):
    """Both headers say that it was we, on top of those who did before."""
    phone.ctl("account", "set", "us", f"forward=sip:other@{TWO}")
    process = at(ONE, Scene().call("Diversion: <sip:first@h>;reason=no-answer", "History-Info: <sip:first@h>;index=1, <sip:us@h;cause=408>;index=1.1;mp=1",
                                   status=302, contact=f"sip:other@{TWO}",
                                   diversion=rf"<sip:us@{US}>;reason=unconditional;counter=1, <sip:first@h>;reason=no-answer",
                                   history_info=rf"<sip:other@{TWO};cause=302>;index=1\.1\.1;mp=1\.1"), calling=True)
    process.finish()


def test_we_are_sent_on(phone, at):
    """We call where the 302 says, and tell there who sent us."""
    one = at(ONE, Scene().called().reply("302 Moved Temporarily", f"Contact: <sip:other@{TWO}>", f"Diversion: <sip:them@{ONE}>;reason=no-answer",
                                         f"History-Info: <sip:them@{ONE}>;index=1, <sip:other@{TWO};cause=408>;index=1.1;mp=1").recv("ACK"))
    two = at(TWO, Scene().called(diversion=rf"<sip:them@{ONE}>;reason=no-answer$",
                                 history_info=rf"<sip:them@{ONE}>;index=1, <sip:other@{TWO};cause=408>;index=1\.1;mp=1$").answered().hung_up())
    number = phone.ctl("dial", f"sip:them@{ONE}")["call"]
    phone.wait_call("active", number)
    shown = phone.ctl("call", "show", number)
    assert (shown["RemoteUri"], shown["Diverter"]) == (f"sip:other@{TWO}", f"sip:them@{ONE}")
    one.finish()
    phone.ctl("hangup", number)
    two.finish()


def test_server_forwards(phone, at):
    """What the server answers to is known afterwards, also to the phone that starts anew; what it refuses is not."""
    phone.ctl("account", "set", "us", f"default-domain={ONE}", "forward-on=*72{target}", "forward-busy-on=*90{target}")
    process = at(ONE, Scene().called(to="sip:\\*720301234@").answered().bye())
    phone.reason(phone.ctl("forward", "all", "--server", "0301234")["call"])
    process.finish()
    process = at(ONE, Scene().called().reply("404 Not Found").recv("ACK"))
    phone.reason(phone.ctl("forward", "busy", "--server", "5")["call"])
    process.finish()
    assert phone.ctl("forward")[0]["AtServer"] == {"unconditional": "0301234"}
    phone.restart_daemon()
    assert phone.ctl("forward")[0]["AtServer"] == {"unconditional": "0301234"}
    phone.ctl("account", "set", "us", "default-domain=")
    phone.run("recording", "unlock", stdin="of the recordings")


def test_forwarded_call_says_who(phone, at):
    one, number = take(phone, at, Scene().call("Diversion: <sip:first@h>;reason=no-answer").hung_up())
    assert phone.ctl("call", "show", number)["Diverter"] == "sip:first@h"
    phone.ctl("hangup", number)
    one.finish()


# ---- intercom ----

def test_intercom(phone, at):
    """We ask their phone to answer; it is asked in the two ways that there are."""
    process = at(ONE, Scene().called(answer_mode="Auto", call_info="answer-after=0").answered().hung_up())
    number = phone.ctl("dial", "--intercom", f"sip:them@{ONE}")["call"]
    phone.wait_call("active", number)
    phone.ctl("hangup", number)
    process.finish()


@pytest.mark.parametrize("header", ["Call-Info: <sip:x@h>;answer-after=0", "Alert-Info: <http://h/ring>;info=alert-autoanswer", "Answer-Mode: Auto"])
def test_intercom_answers(phone, at, header):
    phone.ctl("account", "set", "us", "auto-answer=off")
    process, number = take(phone, at, Scene().call(header).hung_up())
    assert phone.ctl("call", "show", number)["Intercom"] is True
    phone.ctl("hangup", number)
    process.finish()


# ---- a conference that we hold ----

def roster(**status):
    return "".join(rf'entity="sip:[a-z]+@{address}".*<status>{status[name]}</status>.*' for name, address in (("us", US), ("one", ONE), ("two", TWO)))


def test_parties_see_who_is_there(phone, at):
    """Our Contact says isfocus: at once to a peer that knows UPDATE, else with what comes next. A party that asks is told who is there, and how, and
    when it is over; nobody else is."""
    phone.ctl("account", "set", "us", "focus=yes")
    one, number = dial(phone, at, Scene().called().reply("200 OK", "Allow: INVITE, ACK, BYE, CANCEL, UPDATE", body=SDP).recv("ACK")
                       .recv("UPDATE", contact="isfocus").ok().hung_up())
    two, other = dial(phone, at, Scene().called().answered().recv("INVITE", contact="isfocus", message="a=sendonly")
                      .ok(("application/sdp", sdp("recvonly"))).recv("ACK").hung_up(), TWO)
    room = phone.ctl("conference", "create", "--keep", number, other)
    at(TWO, Scene().outside(f"sip:stranger@{TWO}", "SUBSCRIBE", "Event: conference").recv(403), calling=True, port=5062).finish()
    by_dialog = at(TWO, Scene().outside(f"sip:other-phone@{TWO}", "SUBSCRIBE", "Event: conference", "Expires: 0",
                                        "Target-Dialog: {};local-tag={};remote-tag={}".format(ids(two)[0], TAG, ids(two)[1]))
                   .recv(200).recv("NOTIFY", subscription_state="terminated", message=roster(us="connected", one="connected", two="connected")).ok(),
                   calling=True, port=5062)
    by_dialog.finish()
    changed = (rf'state="partial" version="1">[[:space:]]*<users state="partial">[[:space:]]*<user entity="sip:[a-z]+@{TWO}" state="full">'
               '(<display-text>[^<]*</display-text>)?<endpoint entity="0"><status>on-hold</status></endpoint></user>[[:space:]]*</users>')
    party = at(ONE, Scene().outside(f"sip:them@{ONE}", "SUBSCRIBE", "Event: conference", "Accept: application/conference-info+xml", "Expires: 600")
               .recv(200).recv("NOTIFY", subscription_state="active", message='version="0".*' + roster(us="connected", one="connected", two="connected")).ok()
               .recv("NOTIFY", subscription_state="active", message=changed).ok()
               .recv("NOTIFY", subscription_state="terminated;reason=noresource").ok(), calling=True, port=5062)
    party.wait('version="0".*SIP/2.0 200 OK')
    assert [(one["kind"], one["uri"]) for one in phone.ctl("presence", "subscribers")] == [("conference", f"sip:them@{ONE}")]
    phone.ctl("hold", other)
    party.wait('version="1".*SIP/2.0 200 OK')
    phone.ctl("conference", "end")
    for process in (one, two, party):
        process.finish()
    assert phone.ctl("presence", "subscribers") == [], room


# ---- who is recorded ----

def mark(state):
    return ("application/sdp", sdp("sendrecv", f"a=record:{state}"))


def test_peer_is_told_that_it_is_recorded(phone, at):
    """RFC 7866: a peer that understands it hears at once that it is recorded, that it is not for the moment, and that it is over."""
    scene = Scene().called().reply("200 OK", "Supported: record-aware", body=SDP).recv("ACK")
    for state in ("on", "paused", "off"):
        scene.recv("INVITE", message=f"a=record:{state}").ok(SDP).recv("ACK")
    process, number = dial(phone, at, scene.hung_up())
    for word, seen in (("start", 1), ("pause", 2), ("stop", 3)):
        phone.ctl("record", number, word)
        process.wait(rf"(INVITE sip:.*?a=record:.*?ACK sip:.*?){{{seen}}}")
    phone.ctl("hangup", number)
    process.finish()


def test_peer_records_us(phone, at):
    process, number = take(phone, at, Scene().call("Supported: record-aware", body=mark("on")).poked()
                           .request("INVITE", body=mark("paused")).recv(100, optional=True).recv(200).request("ACK", sequence=2).hung_up())
    assert phone.ctl("call", "show", number)["RemoteRecording"] == "on"
    process.poke(ids(process)[0])
    phone.wait_property(number, "RemoteRecording", "paused")
    phone.ctl("hangup", number)
    process.finish()
