# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls between phones through Kamailio: what each side's user does is what the other side's user sees and hears.

alice and bob have an account for every transport; carol is the third, and the impatient one: she lets nobody ring for long, and does not
stay with a peer that is silent."""
import os
import pathlib
import re
import signal
import subprocess
import time

import numpy as np
import pytest

from compare_wav import compare
from phone import Phone
from recording import Recording, finished, now

PROVIDER_ADDRESS = "127.60.2.1"
NAMES = ["alice", "bob", "carol"]
TRANSPORTS = ["udp", "tcp", "tls"]
USERS = {f"{name}-{transport}": f"secret of {name}" for name in NAMES for transport in TRANSPORTS} | {"offline": "nobody uses it"}
TALK = 2.4
MATCHED = 0.7       # of half a dozen pieces of speech
SILENT = 10         # of 32767, root mean square
LOUD = 300
EXIT_OK, EXIT_BUSY, EXIT_NO_ANSWER, EXIT_DECLINED, EXIT_NETWORK, EXIT_NO_OBJECT, EXIT_STATE = 0, 3, 4, 5, 6, 7, 8


@pytest.fixture(scope="module")
def heard(work):
    return {name: work / f"{name}-heard.wav" for name in NAMES}


@pytest.fixture(scope="module")
def three(provider, work, build, speech, heard):
    phones = []
    for name, sound in zip(NAMES, (f"file:{speech[0]}", f"file:{speech[1]}", "tone:440")):
        config = {"daemon": {"ring-timeout": 5}, "media": {"rtp-timeout": 5}} if name == "carol" else {}
        config["sip"] = {"trace": "true"}
        phones.append(Phone(name, work, build, audio={"input": sound, "output": f"file:{heard[name]}", "ring": "silence"}, config=config, hurry=True,
                            log_level="debug"))
    try:
        for phone in phones:
            phone.start()
            for transport in TRANSPORTS if phone.name != "carol" else ["udp"]:
                user = f"{phone.name}-{transport}"
                phone.add_account(transport, provider.account_settings(user, transport), USERS[user])
        yield phones
    finally:
        for phone in phones:
            phone.stop()


@pytest.fixture
def alice(three):
    return three[0]


@pytest.fixture
def bob(three):
    return three[1]


@pytest.fixture
def carol(three):
    return three[2]


@pytest.fixture(autouse=True)
def quiet(three):
    """Every test begins and ends without calls."""
    yield
    for phone in three:
        phone.ctl("hangup", "--all")
        phone.wait_idle()


def dial(caller, callee, *options, transport="udp", state="incoming"):
    """Numbers of the call at both, when it rings."""
    number = caller.ctl("dial", f"{callee.name}-{transport}", "--account", transport, *options)["call"]
    return number, callee.wait_call(state)


def connect(caller, callee, transport="udp"):
    ours, theirs = dial(caller, callee, transport=transport)
    callee.ctl("answer", theirs)
    caller.wait_call("active", ours)
    return ours, theirs


def talk(phone, number, seconds=TALK):
    """Returns when it began and ended, without the first moment, in which buffers fill and run out."""
    begin = now() + 0.5
    phone.collect_stats(number, seconds)
    return begin, now()


def start_dial(phone, *words):
    """`phonectl dial --wait` beside the test."""
    return subprocess.Popen([str(phone.phonectl), "dial", "--wait", *words], env=phone.environment(), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def assert_reason(phone, number, actor, reason, sip=None):
    found = phone.reason(number)
    assert (found["actor"], found["reason"]) == (actor, reason), found
    if sip is not None:
        assert found["sip"] == sip, found


# ---- voice ----

@pytest.mark.parametrize("transport", TRANSPORTS)
def test_call(alice, bob, speech, heard, transport, provider):
    """The call goes over the account that was asked for and arrives at the one that was called; both hear each other."""
    ours, theirs = connect(alice, bob, transport)
    talk(alice, ours, 2.2)
    shown = alice.ctl("call", "show", ours), bob.ctl("call", "show", theirs)
    alice.ctl("hangup", ours)
    assert_reason(alice, ours, "local", "hangup")
    assert_reason(bob, theirs, "remote", "hangup")
    for media, phone in zip(shown, (alice, bob)):
        assert media["Account"].endswith("/" + transport)
        assert media["Codec"] == "opus" and media["ClockRate"] == 48000
        assert media["Answered"] > 0 and media["Can"]
        if transport == "tls":
            assert media["Security"] == {"keying": "sdes", "suite": "AEAD_AES_256_GCM"}
        else:
            assert not media["Security"], "keys went over a transport that anybody can read"
    assert shown[1]["RemoteUri"] == shown[1]["AssertedId"] == f"sip:alice-{transport}@{provider.domain}"
    for file, reference in ((heard["alice"], speech[1]), (heard["bob"], speech[0])):
        sound = compare(reference, finished(file))
        assert sound["matched"] >= 0.8, (file, sound)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_hold(alice, bob, speech, heard, transport):
    """On hold neither hears the other, both see who holds, and the voices come back."""
    ours, theirs = connect(alice, bob, transport)
    before = talk(alice, ours)
    alice.ctl("hold", ours)
    alice.wait_call("held", ours)
    alice.wait_property(ours, "LocalHold", True)
    bob.wait_property(theirs, "RemoteHold", True)
    assert bob.calls[theirs]["State"] == "active" and bob.calls[theirs]["LocalHold"] is False
    held = talk(bob, theirs, 1.4)
    alice.ctl("resume", ours)
    bob.wait_property(theirs, "RemoteHold", False)
    alice.wait_property(ours, "LocalHold", False)
    after = talk(alice, ours)
    stats = alice.stats(ours), bob.stats(theirs)
    alice.ctl("hangup", ours)
    bob.wait_idle()
    for name, reference, end in (("alice", speech[1], stats[0]), ("bob", speech[0], stats[1])):
        recording = Recording(heard[name], end["output-origin"])
        for span in (before, after):
            sound = recording.compare(reference, *span)
            assert sound["matched"] >= MATCHED, (name, span, sound)
        assert recording.level(*held) < SILENT, f"{name} hears something on hold"
    if transport == "tls":
        # RFC 4568 section 7.1.4 lets a new offer bring new keys; ours does.
        assert stats[0]["key-changes"] >= 1 and stats[1]["key-changes"] >= 1
    assert stats[0].get("auth-failures", 0) == 0 and stats[1].get("auth-failures", 0) == 0


def test_both_hold(alice, bob):
    """Either may hold while the other does, and each takes back his own hold alone."""
    ours, theirs = connect(alice, bob)
    alice.ctl("hold", ours)
    bob.wait_property(theirs, "RemoteHold", True)
    bob.ctl("hold", theirs)
    alice.wait_property(ours, "RemoteHold", True)
    alice.ctl("resume", ours)
    bob.wait_property(theirs, "RemoteHold", False)
    assert bob.calls[theirs]["State"] == "held" and alice.calls[str(ours)]["RemoteHold"] is True
    bob.ctl("resume", theirs)
    alice.wait_property(ours, "RemoteHold", False)
    talk(alice, ours, 0.6)
    assert alice.stats(ours)["level-out"] > -60


def test_mute(alice, bob, heard, speech):
    ours, theirs = connect(alice, bob)
    talk(alice, ours, 0.6)
    alice.ctl("mute", ours)
    alice.wait_property(ours, "Muted", True)
    muted = talk(alice, ours, 1.4)
    alice.ctl("unmute", ours)
    alice.wait_property(ours, "Muted", False)
    after = talk(alice, ours)
    stats = alice.stats(ours), bob.stats(theirs)
    alice.ctl("hangup", ours)
    bob.wait_idle()
    at_bob, at_alice = Recording(heard["bob"], stats[1]["output-origin"]), Recording(heard["alice"], stats[0]["output-origin"])
    levels = [round(at_bob.level(at, at + 0.1)) for at in np.arange(muted[0], muted[1] - 0.2, 0.1)]
    assert max(levels) < SILENT, f"bob hears a muted microphone: {levels}"
    assert at_alice.level(*muted) > LOUD, "mute took the other direction as well"
    assert at_bob.compare(speech[0], *after)["matched"] >= MATCHED


@pytest.mark.parametrize("mode", ["rfc4733", "info"])
def test_dtmf(alice, bob, mode):
    for phone in (alice, bob):
        phone.ctl("account", "set", "udp", f"dtmf={mode}")
    try:
        ours, theirs = connect(alice, bob)
        for phone, number, other, at_other, digits in ((alice, ours, bob, theirs, "0123456789*#AD"), (bob, theirs, alice, ours, "4411")):
            phone.ctl("dtmf", number, digits)
            lengths = other.wait_dtmf(at_other, digits, mode)
            assert all(40 <= ms <= 400 for ms in lengths), lengths
        alice.ctl("hangup", ours)
        bob.wait_idle()
    finally:
        for phone in (alice, bob):
            phone.ctl("account", "set", "udp", "dtmf=")


# ---- how calls end ----

@pytest.mark.parametrize("how, exit_status, reason, sip",
                         [("busy", EXIT_BUSY, "busy", 486), ("decline", EXIT_DECLINED, "declined", 603),
                          ("unavailable", EXIT_NO_ANSWER, "unavailable", 480)])
def test_reject(alice, bob, how, exit_status, reason, sip):
    caller = start_dial(alice, "bob-udp")
    theirs = bob.wait_call("incoming")
    ours = alice.wait_call("alerting")
    bob.ctl("reject", theirs, f"--{how}")
    caller.communicate(timeout=20)
    assert caller.returncode == exit_status
    assert_reason(alice, ours, "remote", reason, sip)
    assert_reason(bob, theirs, "local", reason, sip)
    assert "active" not in alice.calls[ours]["states"] + bob.calls[theirs]["states"]


def newest(phone, *filters):
    entries = phone.ctl("history", "--limit", "1", *filters)
    return entries[0] if entries else {}


def wait_newest(phone, ident, *filters):
    return phone.wait(lambda: (entry := newest(phone, *filters)).get("id") == ident and entry, f"entry {ident}")


def test_dnd_and_history(alice, bob):
    """Both sides' histories tell the same: a call that was talked, one that do-not-disturb kept away, one that an exception let through."""
    caller = start_dial(alice, "bob-udp")
    theirs = bob.wait_call("incoming")
    bob.ctl("answer", theirs)
    ours = alice.wait_call("active")
    bob.wait_call("active", theirs)
    for phone, number in ((alice, ours), (bob, theirs)):
        phone.wait(lambda: "peer-mos-listening" in phone.stats(number), "the peer tells how we are heard")
        stats = phone.stats(number)
        assert 1 <= stats["mos"] <= 4.5 and 1 <= stats["peer-mos-conversation"] <= 4.5 and 0 <= stats["peer-loss"] < 1
    alice.ctl("hangup", ours)
    caller.communicate(timeout=20)
    bob.wait_idle()
    bob.ctl("history", "seen")
    sent = wait_newest(alice, alice.calls[ours]["Id"], "--outgoing")
    received = wait_newest(bob, bob.calls[theirs]["Id"], "--incoming")
    assert sent["outcome"] == received["outcome"] == "answered"
    for entry in (sent, received):
        assert entry["codec"] == "opus" and 0 <= entry["loss-local"] < 0.5 and 1 <= entry["mos"] <= 4.5, entry
        assert entry["start"] <= entry["answered"] <= entry["ended"]
    assert sent["party"].startswith("bob-udp@") and received["party"].startswith("alice-")

    bob.ctl("dnd", "on")
    try:
        caller = start_dial(alice, "bob-udp")
        caller.communicate(timeout=20)
        assert caller.returncode == EXIT_BUSY
        kept_away = bob.wait(lambda: newest(bob, "--unseen"), "the entry of a call that was kept away")
        assert (kept_away["outcome"], kept_away["refused-by"], kept_away["sip"]) == ("refused", "dnd", 486)
        alice.wait(lambda: newest(alice, "--outgoing").get("sip") == 486, "the caller's entry")
        refused = bob.run("dnd", "allow", "add", "contact:Alice", check=False)
        assert refused.returncode != 0 and "none of the 0 contacts" in refused.stderr
        book = bob.home / "config/phoned/contacts.d/friends.vcf"
        book.parent.mkdir()
        book.write_text(f"BEGIN:VCARD\nVERSION:4.0\nFN:Alice Example\nNICKNAME:Alice\nIMPP:sip:{received['party']}\nEND:VCARD\n")
        # nobody says that there is a new card
        bob.wait(lambda: bob.run("dnd", "allow", "add", "contact:Alice", check=False).returncode == 0, "the new card counts")
        caller = start_dial(alice, "bob-udp")
        theirs = bob.wait_call("incoming")
        assert "Alice Example" in bob.run("call", "list", json_output=False).stdout
        bob.ctl("reject", theirs)
        caller.communicate(timeout=20)
        entry = wait_newest(bob, bob.calls[theirs]["Id"], "--incoming")
        assert entry["refused-by"] == "user" and entry["contact-name"] == "Alice Example"
    finally:
        bob.ctl("dnd", "off")
        bob.ctl("dnd", "allow", "clear")


def test_cancel(alice, bob):
    caller = start_dial(alice, "bob-udp")
    theirs = bob.wait_call("incoming")
    ours = alice.wait_call("alerting")
    alice.ctl("hangup", ours)
    caller.communicate(timeout=20)
    assert_reason(alice, ours, "local", "cancelled")
    assert_reason(bob, theirs, "remote", "cancelled")
    assert not bob.calls[theirs]["Reason"].get("answered-elsewhere")


def test_interrupt(alice, bob):
    """Ctrl-C in `dial --wait` hangs up."""
    caller = start_dial(alice, "bob-udp")
    theirs = bob.wait_call("incoming")
    bob.ctl("answer", theirs)
    ours = alice.wait_call("active")
    caller.send_signal(signal.SIGINT)
    caller.communicate(timeout=20)
    assert caller.returncode == EXIT_OK
    assert_reason(alice, ours, "local", "hangup")
    assert_reason(bob, theirs, "remote", "hangup")


def test_no_answer(alice, carol):
    """Nobody answers at carol's, whose phone gives up after 5 s."""
    caller = start_dial(alice, "carol-udp")
    theirs = carol.wait_call("incoming")
    ours = alice.wait_call("alerting")
    caller.communicate(timeout=30)
    assert caller.returncode == EXIT_NO_ANSWER
    assert alice.reason(ours)["reason"] in ("no-answer", "unavailable")
    assert_reason(carol, theirs, "local", "no-answer")


@pytest.mark.parametrize("target, exit_status, reason, sip", [("nobody-of-that-name", EXIT_NO_OBJECT, "not-found", 404),
                                                              ("offline", EXIT_NO_ANSWER, "unavailable", 480)])
def test_not_there(alice, target, exit_status, reason, sip):
    caller = start_dial(alice, target)
    ours = alice.wait_call("disconnected")
    caller.communicate(timeout=20)
    assert caller.returncode == exit_status
    newest = max(alice.calls, key=int)
    assert_reason(alice, newest, "remote" if sip < 700 else "network", reason, sip)
    assert ours


def test_dead_peer(bob, carol):
    """A peer that says nothing any more: carol's phone ends the call and says why."""
    ours, theirs = connect(carol, bob)
    talk(carol, ours, 0.6)
    bob.daemon.send_signal(signal.SIGSTOP)
    try:
        assert_reason(carol, ours, "network", "rtp-timeout")
    finally:
        bob.daemon.send_signal(signal.SIGCONT)
    # The BYE is retransmitted until he hears it.
    assert_reason(bob, theirs, "remote", "hangup")


# ---- several calls ----

def test_call_waiting(alice, bob, carol):
    """Answering the second call holds the first; it can be taken back."""
    first_alice, first = connect(alice, bob)
    at_carol, second = dial(carol, bob, state="waiting")
    assert bob.calls[first]["State"] == "active"
    bob.ctl("answer", second)
    bob.wait_call("active", second)
    bob.wait_property(first, "State", "held")
    alice.wait_property(first_alice, "RemoteHold", True)
    carol.wait_property(at_carol, "State", "active")
    assert carol.calls[str(at_carol)]["RemoteHold"] is False
    bob.ctl("resume", first)
    bob.wait_property(first, "State", "active")
    bob.wait_property(second, "State", "held")
    alice.wait_property(first_alice, "RemoteHold", False)
    carol.wait_property(at_carol, "RemoteHold", True)
    bob.ctl("hangup", first)
    assert_reason(alice, first_alice, "remote", "hangup")
    assert bob.calls[second]["State"] == "held", "a held call must not be taken up without being asked"
    bob.ctl("hangup", second)
    assert_reason(carol, at_carol, "remote", "hangup")


def test_two_calls(alice, bob, carol):
    """Both stay up when the user says so; then one word ends them all, and what rings as well."""
    first_alice, first = connect(alice, bob)
    at_carol, second = dial(carol, bob, state="waiting")
    bob.ctl("answer", second, "--keep-others")
    bob.wait_call("active", second)
    carol.wait_property(at_carol, "State", "active")
    assert bob.calls[first]["State"] == "active" and alice.calls[str(first_alice)]["RemoteHold"] is False
    third_alice, third = dial(alice, bob, "--keep-others", state="waiting")
    bob.ctl("hangup", "--all")
    for phone, number, reason in ((alice, first_alice, "hangup"), (carol, at_carol, "hangup"), (alice, third_alice, "declined")):
        assert_reason(phone, number, "remote", reason)
    for number in (first, second, third):
        assert bob.reason(number)["actor"] == "local"


def test_dial_holds(alice, bob, carol):
    """Whom one talks to is put on hold when one dials another."""
    first, at_bob = connect(alice, bob)
    second, at_carol = dial(alice, carol)
    bob.wait_property(at_bob, "RemoteHold", True)
    alice.wait_property(first, "State", "held")
    carol.ctl("reject", at_carol)
    alice.wait_call("disconnected", second)
    alice.ctl("resume", first)
    bob.wait_property(at_bob, "RemoteHold", False)


def test_auto_answer(alice, bob):
    bob.ctl("account", "set", "udp", "auto-answer=100")
    try:
        ours = alice.ctl("dial", "bob-udp", "--account", "udp")["call"]
        alice.wait_call("active", ours)
        theirs = bob.wait_call("active")
        assert "incoming" in bob.calls[theirs]["states"]
    finally:
        bob.ctl("account", "set", "udp", "auto-answer=")


def notes(recording, begin, end, *hertz):
    """Of each of these the most that it has of 100 ms, as a share of what a sine of full scale would have."""
    part, size = recording.part(begin, end) / 32768, recording.rate // 10
    turns = {hz: np.exp(-2j * np.pi * hz * np.arange(size) / recording.rate) for hz in hertz}
    return {hz: max(abs(np.dot(part[at:at + size], turns[hz])) * 2 / size for at in range(0, len(part) - size, size // 4)) for hz in hertz}


def test_intercom(alice, carol, heard):
    """The phone answers whom the account lists, at the wish of the caller, and both sides hear the two notes."""
    carol.ctl("account", "set", "udp", "intercom=alice-udp@*")
    ours = alice.ctl("dial", "carol-udp", "--account", "udp", "--intercom")["call"]
    alice.wait_call("active", ours)
    theirs = carol.wait_call("active")
    assert carol.calls[theirs]["Intercom"]
    talk(alice, ours, 1.2)
    stats = alice.stats(ours), carol.stats(theirs)
    alice.ctl("hangup", ours)
    carol.wait_idle()
    for name, origin in zip(("alice", "carol"), stats):
        recording = Recording(heard[name], origin["output-origin"])
        found = notes(recording, recording.origin, recording.origin + 1.2, 660, 880, 740)
        assert found[660] > 0.1 and found[880] > 0.1 and found[740] < 0.1, f"{name}: {found}"


# ---- options of a call ----

def test_privacy(alice, bob):
    """The callee learns nothing of a caller who does not want to be known (RFC 3323, RFC 3325)."""
    ours, theirs = dial(alice, bob, "--privacy")
    shown = bob.ctl("call", "show", theirs)
    assert "alice" not in shown["RemoteUri"] + shown["RemoteName"] + shown["AssertedId"]
    assert "anonymous" in shown["RemoteUri"].lower()
    assert ours


def test_header(alice, bob):
    mark = len(bob.log_path.read_bytes())
    dial(alice, bob, "--header", "X-Ticket=4711 for you", "--display", "Bob the Builder")
    invite = bob.log_path.read_bytes()[mark:].decode(errors="replace")
    assert "X-Ticket: 4711 for you" in invite
    assert "Bob the Builder" in invite
    refused = alice.run("dial", "bob-udp", "--header", "Contact=<sip:elsewhere@example.org>", check=False)
    assert refused.returncode == 2, "a header that is the phone's own was taken from the user"


def test_when_registered(alice, bob):
    alice.ctl("account", "unregister", "udp")
    alice.wait_registered("udp", "unregistered")
    assert alice.run("dial", "bob-udp", "--account", "udp", check=False).returncode == EXIT_NETWORK
    ours = alice.ctl("dial", "bob-udp", "--account", "udp", "--when-registered")["call"]
    alice.ctl("account", "register", "udp")
    theirs = bob.wait_call("incoming")
    assert alice.calls[str(ours)]["State"] in ("dialing", "alerting")
    bob.ctl("reject", theirs)


def test_wrong_state(alice, bob):
    """What cannot be done now says so by its exit status, and changes nothing."""
    ours, theirs = dial(alice, bob)
    for phone, words in ((alice, ("hold", ours)), (alice, ("answer", ours)), (bob, ("resume", theirs)), (bob, ("hold", theirs))):
        assert phone.run(*words, check=False).returncode == EXIT_STATE, words
    assert alice.run("hold", "99999", check=False).returncode == EXIT_NO_OBJECT
    assert bob.calls[theirs]["State"] == "incoming"


# ---- last: what they wrote ----

def test_no_secrets(three):
    for phone in three:
        log = phone.log_path.read_text(errors="replace")
        for secret in phone.secrets:
            assert secret not in log, f"a password stands in {phone.log_path}"
        assert "inline:" not in log.replace("inline:[redacted]", ""), f"an SRTP key stands in {phone.log_path}"
        assert not re.search(r"signal *= *[0-9*#A-D]", log, re.IGNORECASE), f"a digit stands in {phone.log_path}"
        assert "response=\"" not in log.lower().replace("response=\"[redacted]\"", ""), f"credentials stand in {phone.log_path}"


def test_call_back_after_a_crash(alice, carol):
    """A phone that dies with its call for help on the way keeps nobody away who calls back."""
    carol.ctl("dnd", "on")
    try:
        carol.ctl("dial", "112")
        carol.restart_daemon(signal.SIGKILL)
        carol.wait_registered("udp")
        caller = start_dial(alice, "carol-udp")
        theirs = carol.wait_call("incoming")
        carol.ctl("reject", theirs)
        caller.communicate(timeout=20)
    finally:
        carol.ctl("dnd", "off")


ALONE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-current-user", "--keep-caps", "--mount"]


@pytest.mark.skipif(subprocess.run([*ALONE, "true"], capture_output=True).returncode != 0, reason="no mount namespaces here")
def test_schedule_follows_the_time_zone(work, build):
    """Who travels has the schedule of the place: the machine's time zone changes while the phone runs, as a link (systemd-timedated) or as a file."""
    etc = work / "etc"
    subprocess.run(["cp", "-a", "/etc", str(etc)], capture_output=True, check=False)         # what a user may read of it

    def move_to(zone, link=True):
        new, source = etc / "localtime.new", pathlib.Path("/usr/share/zoneinfo") / zone
        new.symlink_to(source) if link else new.write_bytes(source.read_bytes())
        os.replace(new, etc / "localtime")

    move_to("Etc/UTC")
    phone = Phone("traveller", work, build, launcher=["env", "-u", "TZ", *ALONE, "sh", "-c", 'mount --bind "$0" /etc && exec "$@"', etc])
    phone.start()
    try:
        begin, end = (time.strftime("%H:%M", time.gmtime(time.time() + hours * 3600)) for hours in (5, 7))
        phone.ctl("dnd", "schedule", "add", "Mon-Sun", f"{begin}-{end}")
        assert not phone.ctl("dnd")["Active"]
        for zone, link, active in (("Etc/GMT-6", True, True), ("Etc/UTC", True, False), ("Etc/GMT-6", False, True)):
            move_to(zone, link)
            phone.wait(lambda: phone.ctl("dnd")["Active"] == active, f"do-not-disturb {active} in {zone}")
    finally:
        phone.stop()
