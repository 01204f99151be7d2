# SPDX-License-Identifier: LGPL-2.1-or-later
"""phonectl, verb by verb, against the real bus and model over the fake engine."""
import json
import os
import re
import signal
import subprocess
import tempfile
import time

import pytest

import phonebus
from phonebus import ACCOUNT, AUDIO, CALL, DND, HISTORY, MANAGER, MEDIA, MESSAGES, RECORDING, ROOT, interface_xml, number_of, wait
from phonectl import Ctl, Terminal, assert_harmless

NO_ACCOUNT = "no account yet; add one: phonectl account add home aor=sip:YOU@PROVIDER transport=tls --password-stdin\n"


@pytest.fixture
def ctl(phone):
    return Ctl(phone.address)


def properties(*interfaces):
    return {p.get("name") for i in interfaces for p in interface_xml(i).iter("property")}


def account_keys():
    """What a flat account has in JSON."""
    return (properties(ACCOUNT) | {"object"} | {"Presence" + p for p in properties(phonebus.PRESENCE)}
            | {"Voicemail" + p for p in properties(phonebus.VOICEMAIL)} | {"Forwarding" + p for p in properties(phonebus.FORWARDING)})


def dial(client, target, state="active"):
    path = client.dial(target)
    client.wait_state(path, state)
    return path


def lines(text):
    """Tables without their alignment."""
    return [re.sub(r"  +", "|", line) for line in text.splitlines()]


# ---- status ----

def test_status_of_an_empty_phone(phone, ctl):
    version = phone.client().get(ROOT, MANAGER, "Version")
    assert ctl.ok("status") == (f"phoned {version}  idle\n"
                                "network       online\n"
                                "audio         in default, out default, ring default\n"
                                "\n" + NO_ACCOUNT)
    assert ctl.ok("account") == NO_ACCOUNT
    assert ctl.json("account") == []
    assert ctl.ok("call") == "no calls\n"
    assert ctl.json("call") == []


def test_status(client, ctl):
    client.add_account("b", aor="sip:fail@example.net")
    wait(lambda: client.get(ROOT + "/account/b", ACCOUNT, "Registration") == "failed")
    dial(client, "sip:echo@example.org")
    client.set(ROOT, AUDIO, "InputMuted", "b", True)
    client.test("SetProblems", "(as)", ["accounts.d/x.conf:3: aor: is wrong"])
    got = lines(ctl.ok("status"))
    assert got[0].endswith("|in-call") and "microphone|muted for all calls" in got
    assert "alice*|sip:alice@example.org|registered|auto" in got
    assert [l for l in got if re.fullmatch(r"b\|sip:fail@example.net\|failed\|auto\|auth-failed \(403 Forbidden\), next attempt in .*", l)]
    assert [l for l in got if re.fullmatch(r"1\|active\|to\|sip:echo@example.org\|\d:\d\d\|opus", l)]
    assert got[-1] == "configuration: accounts.d/x.conf:3: aor: is wrong"


def test_status_json(client, ctl):
    dial(client, "sip:echo@example.org")
    got = ctl.json("status")
    assert set(got) == properties(MANAGER, AUDIO) | {"History" + p for p in properties(HISTORY)} | {"Dnd" + p for p in properties(DND)} | {"Messages" + p for p in properties(MESSAGES)} | {"object", "accounts", "calls", "conferences"}
    assert set(got["accounts"][0]) == account_keys()
    assert set(got["calls"][0]) == properties(CALL, MEDIA) | {"object", "number", "MediaDirection"} | {"Recording" + p for p in properties(RECORDING)}
    assert got["calls"][0]["Direction"] == "outgoing" and got["calls"][0]["MediaDirection"] == "sendrecv"
    assert got["calls"][0]["number"] == 1 and got["object"] == ROOT


def test_reload(client, ctl):
    client.test("SetProblems", "(as)", ["phoned.conf:1: nonsense"])
    assert ctl.ok("reload") == "configuration: phoned.conf:1: nonsense\n"
    assert ctl.json("reload") == ["phoned.conf:1: nonsense"]
    assert client.test("Counters")[2] == 2


# ---- accounts ----

def test_account_life(phone, ctl):
    client = phone.client()
    assert ctl.json("account", "add", "a", "aor=sip:a@example.org", "name=Work", "--password-stdin", stdin="s3cret\nrest") == \
        {"Id": "a", "object": ROOT + "/account/a"}
    assert client.test("Secret", "(s)", "a") == "s3cret"
    assert ctl.ok("account", "add", "b", "aor=sip:b@example.org") == ""
    assert ctl.ok("account", "set", "b", "expires=120", "name=Two words") == ""
    assert client.get(ROOT + "/account/b", ACCOUNT, "Settings")["name"] == "Two words"
    ctl.ok("account", "passwd", "b", stdin="other")
    assert client.test("Secret", "(s)", "b") == "other"
    ctl.ok("account", "default", "b")
    assert client.get(ROOT, MANAGER, "DefaultAccount").endswith("/b")
    ctl.ok("account", "unregister", "b")
    wait(lambda: client.get(ROOT + "/account/b", ACCOUNT, "Registration") == "unregistered")
    ctl.ok("account", "register", "b")
    wait(lambda: client.get(ROOT + "/account/b", ACCOUNT, "Registration") == "registered")
    ctl.ok("account", "disable", "b")
    assert client.get(ROOT + "/account/b", ACCOUNT, "Enabled") is False
    assert "b*|sip:b@example.org|disabled|auto" in lines(ctl.ok("account"))
    ctl.ok("account", "enable", "b")
    assert client.get(ROOT + "/account/b", ACCOUNT, "Enabled") is True
    assert [a["Id"] for a in ctl.json("account", "list")] == ["a", "b"]
    ctl.ok("account", "remove", "b")
    assert [a["Id"] for a in ctl.json("account", "list")] == ["a"]


def test_account_add_with_password(phone, ctl):
    """Nobody registers without the password that is about to come, and nothing of the way to do so stays in the settings."""
    client = phone.client()
    for ident, words, wanted in (("a", [], {}), ("b", ["enabled=true"], {}), ("c", ["enabled=false"], {"enabled": "false"}),
                                 ("d", ["register=false"], {"register": "false"})):
        with ctl.start("--json", "monitor", "--initial") as running:
            running.until("InterfacesAdded")
            ctl.ok("account", "add", ident, "aor=sip:strict@example.org", *words, "--password-stdin", stdin="s3cret")
            ctl.ok("account", "add", ident + "-end", "aor=sip:end@example.org", "register=false")
            running.until(ident + "_2dend")
            if ident in "ab":
                wait(lambda: client.get(f"{ROOT}/account/{ident}", ACCOUNT, "Registration") == "registered")
            assert not any("auth-failed" in line for line in running.lines), running.lines
            ctl.ok("account", "remove", ident + "-end")
        settings = {key: text for key, text in client.get(f"{ROOT}/account/{ident}", ACCOUNT, "Settings").items() if key in ("enabled", "register")}
        assert (settings, client.get(f"{ROOT}/account/{ident}", ACCOUNT, "Enabled")) == (wanted, ident != "c")
    ctl.fails(1, "without a password", "account", "add", "e", "aor=sip:strict@example.org", "--password-stdin", stdin="diskfull")
    wait(lambda: client.get(ROOT + "/account/e", ACCOUNT, "Registration") == "failed")
    for words in (["enabled=x"], ["enabled=true", "enabled=false"], ["enabled=true", "aor=x"]):
        ctl.fails(2, "", "account", "add", "f", "aor=sip:strict@example.org", *words, "--password-stdin", stdin="s3cret")
    assert [a["Id"] for a in ctl.json("account")] == ["a", "b", "c", "d", "e"]


def test_account_show(phone, ctl):
    ctl.ok("account", "add", "a", "aor=sip:a@example.org", "name=Work", "transport=tls")
    wait(lambda: phone.client().get(ROOT + "/account/a", ACCOUNT, "Registration") == "registered")
    got = ctl.ok("account", "show", "a")
    got = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \((now|\d+ s ago|in \d+ d)\)", "TIME", got)
    assert got == """\
account       a (default)
name          Work
address       sip:a@example.org
state         registered
since         TIME
granted for   600 s
transport     tls
tls           TLSv1.3, TLS_AES_256_GCM_SHA384
certificate   CN=sip.example.org, issued by CN=Test CA
valid until   TIME
encryption    required
capabilities  outbound path
settings      aor=sip:a@example.org
              name=Work
              transport=tls
"""
    assert set(ctl.json("account", "show", "a")) == account_keys()


def test_account_show_says_why_and_when_next(phone, ctl):
    ctl.ok("account", "add", "a", "aor=sip:fail@example.org")
    wait(lambda: phone.client().get(ROOT + "/account/a", ACCOUNT, "Registration") == "failed")
    retry = ctl.json("account", "show", "a")["RegistrationDetail"]["retry-at"]
    got = lines(ctl.ok("account", "show", "a", TZ="XYZ-5"))
    local = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(retry + 5 * 3600))
    assert "state|failed" in got and "reason|auth-failed (403 Forbidden)" in got
    assert [l for l in got if re.fullmatch(rf"next attempt\|{local} \(in (\d+ s|1 min)\)", l)], got


def test_account_errors(client, ctl):
    ctl.fails(2, "aor", "account", "add", "b")
    ctl.fails(2, "nosuchkey", "account", "add", "b", "aor=sip:b@example.org", "nosuchkey=1")
    ctl.fails(2, "not KEY=VALUE", "account", "add", "b", "aor=sip:b@example.org", "oops")
    ctl.fails(2, "", "account", "add", "No Good", "aor=sip:b@example.org")
    ctl.fails(2, "alice", "account", "add", "alice", "aor=sip:b@example.org")
    ctl.fails(2, "no password", "account", "add", "b", "aor=sip:b@example.org", "--password-stdin")
    ctl.fails(2, "longer than", "account", "passwd", "alice", stdin="x" * 5000)
    ctl.fails(1, "no space left", "account", "add", "diskfull", "aor=sip:b@example.org")
    for verb in ("show", "remove", "register", "unregister", "enable", "disable"):
        ctl.fails(7, "there is no account nobody$", "account", verb, "nobody")
    ctl.fails(7, "", "account", "default", "nobody")
    ctl.fails(7, "there is no account nobody$", "account", "set", "nobody", "expires=60")
    ctl.fails(7, "There is no account no-body$", "dial", "bob", "--account", "no-body")
    ctl.fails(7, "there is no account nobody$", "account", "passwd", "nobody", stdin="x")
    assert [a["Id"] for a in ctl.json("account")] == ["alice"]


def test_a_password_is_not_taken_from_the_command_line(client, ctl):
    result = ctl.fails(2, "account passwd b", "account", "add", "b", "aor=sip:b@example.org", "password=s3cret")
    assert "s3cret" not in result.stderr
    # A word that is no setting may be a secret too.
    assert "s3cret" not in ctl.fails(2, "KEY=VALUE", "account", "set", "alice", "s3cret").stderr


def test_a_password_is_nowhere_to_be_seen(phone, client, ctl, tmp_path):
    """Neither in the process's arguments and environment, nor in a message on the bus."""
    seen = open(tmp_path / "bus", "wb")
    monitor = subprocess.Popen(["dbus-monitor", "--address", phone.address, "--binary"], stdout=seen)
    wait(lambda: (tmp_path / "bus").stat().st_size > 0, "dbus-monitor")
    with ctl.start("account", "passwd", "alice", stdin=subprocess.PIPE) as running:
        running.process.stdin.write("s3cr3tly")
        running.process.stdin.flush()
        for name in ("cmdline", "environ"):
            with open(f"/proc/{running.process.pid}/{name}", "rb") as file:
                assert b"s3cr3tly" not in file.read()
        status, _, errors = running.end()
        assert (status, errors) == (0, "")
    assert client.test("Secret", "(s)", "alice") == "s3cr3tly"
    ctl.ok("account", "set", "alice", "name=Marker of the end")
    wait(lambda: b"Marker of the end" in (tmp_path / "bus").read_bytes(), "the monitor")
    monitor.terminate()
    monitor.wait()
    seen.close()
    # Test.Secret() itself tells it once, to this test.
    assert (tmp_path / "bus").read_bytes().count(b"s3cr3tly") == 1


def test_password_prompt(client, ctl):
    terminal = Terminal(ctl, "account", "passwd", "alice")
    terminal.until("Password: ")
    terminal.type("typed\n")
    assert terminal.end() == 0
    assert "typed" not in terminal.text
    assert client.test("Secret", "(s)", "alice") == "typed"


def test_password_prompt_interrupted(client, ctl):
    terminal = Terminal(ctl, "account", "passwd", "alice")
    terminal.until("Password: ")
    terminal.type("half\x03")
    assert terminal.end() == -signal.SIGINT
    assert client.test("Secret", "(s)", "alice") == ""


# ---- calls ----

def test_dial(client, ctl):
    assert ctl.ok("dial", "sip:silent@example.org") == "call 1\n"
    assert ctl.json("dial", "sip:silent@example.org", "--account", "alice", "--privacy", "--keep-others", "--display=Bob",
                    "--header", "X-A=1=2", "--header=X-B=") == {"call": 2, "object": ROOT + "/call/2"}
    assert client.get(ROOT + "/call/2", CALL, "RemoteName") == "Bob"


def test_dial_errors(client, ctl):
    ctl.fails(7, "nobody", "dial", "sip:echo@example.org", "--account", "nobody")
    ctl.fails(6, "No way", "dial", "sip:down@example.org")
    ctl.fails(2, "", "dial", "sip:")
    ctl.fails(2, "NAME=VALUE", "dial", "sip:echo@example.org", "--header", "X-A")
    ctl.fails(2, "", "dial", "sip:echo@example.org", "--header", "Via=x")
    ctl.ok("account", "add", "lost", "aor=sip:fail@example.net")
    wait(lambda: client.get(ROOT + "/account/lost", ACCOUNT, "Registration") == "failed")
    for more in ([], ["--wait"]):
        ctl.fails(6, "lost", "dial", "sip:echo@example.net", "--account=lost", *more)


def test_call_show(client, ctl):
    client.add_account("t", aor="sip:t@secure.example", transport="tls")
    wait(lambda: client.get(ROOT + "/account/t", ACCOUNT, "Registration") == "registered")
    path = dial(client, "sip:echo@secure.example")
    client.set(path, CALL, "Muted", "b", True)
    got = ctl.ok("call", "show")
    got = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \((now|\d+ s ago)\)", "TIME", got)
    got = re.sub(r"talking( +)\d:\d\d", r"talking\1M:SS", re.sub(r"[0-9a-f-]{36}", "UUID", got))
    assert got == """\
call        1, outgoing
state       active
peer        sip:echo@secure.example
account     t
started     TIME
answered    TIME
talking     M:SS
muted       yes
codec       opus, 48000 Hz, packets of 20 ms, 28 kbit/s
encryption  AEAD_AES_256_GCM (sdes)
voice       sendrecv
goes to     192.0.2.7:4000
id          UUID
"""
    client.call(path, CALL, "Hangup")
    client.wait_state(path, "disconnected")
    assert "ended|hangup by local" in lines(ctl.ok("call", "show", "1"))
    assert set(ctl.json("call", "show", "1")) == properties(CALL, MEDIA) | {"object", "number", "MediaDirection"} | {"Recording" + p for p in properties(RECORDING)}


def test_unencrypted_is_said(client, ctl):
    dial(client, "sip:echo@example.org")
    assert "encryption|none" in lines(ctl.ok("call", "show"))


@pytest.mark.parametrize("words, status", [([], 603), (["--decline"], 603), (["--busy"], 486), (["--unavailable"], 480)])
def test_reject(client, ctl, words, status):
    path = client.incoming()
    ctl.ok("reject", *words)
    client.wait_state(path, "disconnected")
    assert client.get(path, CALL, "Reason")["sip"] == status


def test_answer_hold_mute_dtmf_hangup(client, ctl):
    path = client.incoming(name="Bob")
    assert lines(ctl.ok("call")) == ["1|incoming|from|Bob <sip:bob@example.org>"]
    ctl.ok("silence")
    ctl.ok("answer")
    assert client.get(path, CALL, "State") == "active"
    ctl.ok("hold", "1")
    assert client.get(path, CALL, "State") == "held"
    ctl.ok("resume")
    assert client.get(path, CALL, "State") == "active"
    ctl.ok("mute")
    assert client.get(path, CALL, "Muted") is True
    assert "active, muted" in ctl.ok("call")
    ctl.ok("unmute", "1")
    assert client.get(path, CALL, "Muted") is False
    ctl.ok("dtmf", "12*#", "--duration=40")
    wait(lambda: client.test("Counters")[3] == "12*#")
    ctl.fails(2, "", "dtmf", "1", "12x")
    ctl.fails(2, "milliseconds", "dtmf", "1", "--duration", "soon")
    ctl.ok("hangup")
    client.wait_state(path, "disconnected")
    ctl.fails(8, "ended", "hold", "1")


def test_answer_keep_others(client, ctl):
    first, second = dial(client, "sip:echo@example.org"), client.incoming()
    ctl.ok("answer", "--keep-others")
    client.wait_state(second, "active")
    assert client.get(first, CALL, "State") == "active"


def test_hangup_all(client, ctl):
    paths = [dial(client, "sip:ring@example.org", "alerting"), client.incoming()]
    ctl.fails(2, "not both", "hangup", "1", "--all")
    ctl.ok("hangup", "--all")
    for path in paths:
        client.wait_state(path, "disconnected")
    ctl.ok("hangup", "-a")


def test_which_call(client, ctl):
    ctl.fails(7, "there is no call$", "hangup")
    ctl.fails(7, "there is no call 5$", "hangup", "5")
    ctl.fails(2, "not the number", "hangup", "zero")
    ctl.fails(2, "not the number", "hangup", "0")
    first, second = dial(client, "sip:echo@example.org"), dial(client, "sip:echo@example.net")
    client.wait_state(first, "held")
    result = ctl.fails(2, "which call", "hangup")
    assert result.stderr == ("phonectl: which call? say its number:\nphonectl:   1  held  sip:echo@example.org\n"
                             "phonectl:   2  active  sip:echo@example.net\n")
    assert client.get(second, CALL, "State") == "active"
    result = ctl.fails(8, "no call can answer now", "answer")
    assert "1  held" in result.stderr and "2  active" in result.stderr
    ctl.ok("hold")              # only one is active
    client.wait_state(second, "held")
    ctl.fails(2, "which call", "resume")


def test_refused_hold(client, ctl):
    dial(client, "sip:nohold@example.org")
    ctl.fails(5, "", "hold")


# ---- dial --wait ----

@pytest.mark.parametrize("target, status, text", [
    ("busy", 3, "ended: busy by remote (486 Busy Here)\n"),
    ("decline", 5, "ended: declined by remote (603 Decline)\n"),
    ("notfound", 7, "ended: not-found by remote (404 Not Found)\n"),
    ("burst", 0, "ended after 0:00: hangup by remote\n"),
])
def test_dial_wait(client, ctl, target, status, text):
    result = ctl.run("dial", "--wait", f"sip:{target}@example.org")
    assert result.returncode == status and result.stderr == "" and result.stdout.endswith(text), result


@pytest.mark.parametrize("sip, status", [(480, 4), (408, 4), (403, 5), (500, 6), (503, 6), (488, 9), (600, 3), (407, 10)])
def test_dial_wait_tells_how_it_ended(client, ctl, sip, status):
    with ctl.start("dial", "--wait", "sip:ring@example.org") as running:
        running.until("alerting")
        client.test("End", "(uu)", 1, sip)
        got, out, errors = running.end()
        assert (got, errors) == (status, ""), out


def test_dial_wait_no_media(client, ctl):
    assert ctl.run("dial", "--wait", "sip:down@example.org").returncode == 6


def test_dial_wait_json(client, ctl):
    with ctl.start("--json", "dial", "--wait", "sip:echo@example.org") as running:
        wait(lambda: client.states(ROOT + "/call/1")[-1:] == ["active"])
        client.test("End", "(uu)", 1, 0)
        status, out, _ = running.end()
        got = json.loads(out)
        assert status == 0 and got["State"] == "disconnected" and got["number"] == 1 and got["Codec"] == "opus"
        assert got["Direction"] == "outgoing" and got["Reason"]["actor"] == "remote"


def test_dial_wait_says_every_state_once(client, ctl):
    with ctl.start("dial", "-w", "sip:echo@example.org") as running:
        running.until("active")
        client.call(ROOT + "/call/1", CALL, "Hold")
        running.until("held")
        client.call(ROOT + "/call/1", CALL, "Hangup")
        status, out, _ = running.end()
    states = out.splitlines()
    assert status == 0 and re.fullmatch(r"ended after \d:\d\d: hangup by local", states[-1])
    assert [s for s in states if s in ("dialing", "alerting", "active", "held")][-2:] == ["active", "held"]
    assert len(set(states)) == len(states)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_hangs_up(client, ctl, number):
    with ctl.start("dial", "--wait", "sip:echo@example.org") as running:
        running.until("active")
        running.process.send_signal(number)
        status, out, errors = running.end()
        assert (status, errors) == (0, "") and "hangup by local" in out
    assert client.get(ROOT + "/call/1", CALL, "State") == "disconnected"


def test_a_second_signal_leaves(phone, client, ctl):
    with ctl.start("dial", "--wait", "sip:echo@example.org") as running:
        running.until("active")
        phone.daemon.send_signal(signal.SIGSTOP)
        try:
            running.process.send_signal(signal.SIGINT)
            running.until("hanging up")
            running.process.send_signal(signal.SIGINT)
            status, _, errors = running.end()
        finally:
            phone.daemon.send_signal(signal.SIGCONT)
        assert status == 1 and "left without waiting" in errors
    client.wait_state(ROOT + "/call/1", "disconnected")         # the first signal was heard


def test_a_signal_before_the_call_exists(phone, client, ctl):
    phone.daemon.send_signal(signal.SIGSTOP)
    try:
        with ctl.start("dial", "--wait", "sip:echo@example.org") as running:
            wait(lambda: "SigBlk" in open(f"/proc/{running.process.pid}/status").read()
                 and int(re.search(r"SigBlk:\s+(\w+)", open(f"/proc/{running.process.pid}/status").read())[1], 16) & 2, "the block")
            running.process.send_signal(signal.SIGINT)
            running.until("hanging up")
            phone.daemon.send_signal(signal.SIGCONT)
            status, out, errors = running.end()
            assert errors == "" and status in (0, 1) and "by local" in out      # 1: cancelled before it was answered
    finally:
        phone.daemon.send_signal(signal.SIGCONT)


def test_live_line(client, ctl):
    terminal = Terminal(ctl, "dial", "--wait", "sip:echo@example.org")
    terminal.until("active")
    terminal.until("opus")
    terminal.type("\x03")
    assert terminal.end() == 0
    assert "\r\x1b[K" in terminal.text and re.search(r"active sip:echo@example.org  0:0\d  opus, not encrypted", terminal.text)
    assert re.search(r"\r\x1b\[Kended after 0:\d\d: hangup by local\r\n$", terminal.text)


def test_the_phone_vanishes():
    phone = phonebus.Phone()
    try:
        client = phone.client()
        client.add_account("alice", aor="sip:alice@example.org")
        with Ctl(phone.address).start("dial", "--wait", "sip:echo@example.org") as running:
            running.until("active")
            phone.daemon.kill()
            phone.daemon.wait()
            status, _, errors = running.end()
            assert status == 1 and "phoned is gone, and the call with it" in errors
    finally:
        phone.stop()


def test_the_bus_vanishes():
    phone = phonebus.Phone()
    try:
        phone.client().add_account("alice", aor="sip:alice@example.org")
        with Ctl(phone.address).start("dial", "--wait", "sip:echo@example.org") as running:
            running.until("active")
            phone.bus.kill()
            status, _, errors = running.end()
            assert status == 1 and ("session bus closed" in errors or "phoned is gone" in errors)
        phone.daemon.wait()
    finally:
        phone.daemon.wait()
        phone.daemon.stdout.close()
        phone.bus.wait()
        phone.bus.stdout.close()
        phone.directory.cleanup()


# ---- statistics ----

def stats_keys():
    with open(os.path.join(phonebus.SOURCE, "dbus", MEDIA + ".xml"), encoding="utf-8") as file:
        text = re.search(r"Stats:.*?Keys:(.*?)Since", file.read(), re.S)[1]
    return set(re.findall(r"([a-z][a-z-]+) [dtxus](?=[:,])", text))


def test_stats(client, ctl):
    dial(client, "sip:echo@example.org")
    got = ctl.json("stats")
    assert set(got) <= stats_keys() and got["jitter-local"] == 3.5 and got["packets-lost"] == -2 and got["codec"] == "opus"
    assert "round-trip" not in got
    text = lines(ctl.ok("stats", "1"))
    assert "loss to here|2.0|%|loss to the peer|-" in text and text[-1] == "opus, rate: steady, feedback: ccfb"


def test_stats_follow(client, ctl):
    path = dial(client, "sip:echo@example.org")
    with ctl.start("--json", "stats", "1", "--follow", "--interval", "100") as running:
        reports = running.events()
        assert [next(reports)["mos"] for _ in range(3)] == [4.2] * 3
        client.call(path, CALL, "Hangup")
        assert running.end()[0] == 0
    path = dial(client, "sip:echo@example.org")
    with ctl.start("stats", "-f", "--interval=100") as running:
        assert running.until("MOS").split()[0] == "loss"
        assert running.until("4.20").split() == ["2.0", "-", "3.5", "-", "22", "20", "0.00", "0.00", "0.00", "0", "-30", "-20", "4.20", "24.0",
                                                 "28.0", "steady"]
        client.test("End", "(uu)", number_of(path), 0)
        assert running.end()[0] == 0


def test_stats_without_media(client, ctl):
    dial(client, "sip:silent@example.org", "dialing")
    ctl.fails(8, "no media yet", "stats")
    ctl.fails(2, "--interval", "stats", "--interval", "1")


# ---- audio ----

def test_audio(client, ctl):
    assert ctl.ok("audio", "input", "alsa:headset") == ""
    ctl.ok("audio", "ring", "silence")
    ctl.ok("audio", "mute")
    assert ctl.ok("audio") == ("input    alsa:headset (muted)\noutput   default\nring     silence\ndefault  followed\necho     auto\n\n"
                               "input   alsa:headset  default  Headset ?\noutput  alsa:headset           Headset\n")
    ctl.ok("audio", "unmute")
    ctl.ok("audio", "output", "silence")
    got = ctl.json("audio", "list")
    assert set(got) == properties(AUDIO) and got["InputMuted"] is False and got["Output"] == "silence"
    ctl.fails(9, "alsa:lost", "audio", "input", "alsa:lost")
    ctl.fails(2, "", "audio", "output", "nonsense")
    ctl.ok("audio", "output", "default")
    ctl.ok("audio", "echo", "off")
    assert ctl.json("audio")["EchoCancel"] == "off"
    ctl.fails(2, "perhaps", "audio", "echo", "perhaps")
    ctl.fails(2, "role", "audio", "test", "nose")


def test_audio_faders(client, ctl):
    assert ctl.ok("audio", "volume") == "input   100%\noutput  100%\n"
    ctl.ok("audio", "volume", "80%")
    ctl.ok("audio", "volume", "input", "120")
    ctl.ok("audio", "mute", "output")
    assert ctl.ok("audio").splitlines()[:2] == ["input    default at 120%", "output   default at 80% (muted)"]
    assert ctl.ok("audio", "volume", "output") == "output  80% (muted)\n"
    assert "loudspeaker" in ctl.ok("status")
    assert client.get(ROOT, AUDIO, "InputMuted") is False
    ctl.ok("audio", "unmute", "output")
    ctl.ok("audio", "mute", "input")
    audio = ctl.json("audio", "volume")
    assert (audio["InputMuted"], audio["InputVolume"], audio["OutputMuted"], audio["OutputVolume"]) == (True, 120, False, 80)
    for wrong in ("151%", "-1", "80%%", "loud", "%", "1000000000"):
        ctl.fails(2, "150%", "audio", "volume", "output", wrong) if not wrong.startswith("-") else ctl.fails(2, "", "audio", "volume", "output", wrong)
    ctl.fails(2, "nose", "audio", "volume", "nose", "80%")
    ctl.fails(2, "nose", "audio", "mute", "nose")


# ---- monitor ----

def test_monitor(client, ctl):
    with ctl.start("--json", "monitor", "--initial") as running:
        event = running.event(lambda e: e["object"].endswith("/account/alice"))
        assert event["signal"] == "InterfacesAdded" and event["interfaces"][ACCOUNT]["Id"] == "alice" and event["at"] > 0
        path = client.dial("sip:echo@example.org")
        assert running.event(lambda e: e["object"] == path)["signal"] == "InterfacesAdded"
        states = []
        while "active" not in states:
            event = running.event(lambda e: e["object"] == path and "State" in e.get("properties", {}))
            assert event["signal"] == "PropertiesChanged" and event["interface"] == CALL
            states.append(event["properties"]["State"])
        assert states[-2:] == ["alerting", "active"]
        client.test("Digit", "(usu)", number_of(path), "5", 0)
        event = running.event(lambda e: e["signal"] == "DtmfReceived")
        assert event["args"] == ["5", 160, "info"] and event["interface"] == CALL
        running.stop()


def test_monitor_text(client, ctl):
    with ctl.start("monitor", "--initial") as running:
        assert re.match(r"\d\d:\d\d:\d\d  account alice  InterfacesAdded  Account: Id alice, ", running.until("account alice"))
        client.dial("sip:echo@example.org")
        assert re.search(r"  call 1  PropertiesChanged  .*State active", running.until("State active"))
        running.stop()


def test_monitor_follows_the_phone_away_and_back():
    phone = phonebus.Phone()
    try:
        with Ctl(phone.address).start("--json", "monitor", "--initial") as running:
            running.event(lambda e: e["signal"] == "InterfacesAdded")
            phone.daemon.kill()
            phone.daemon.wait()
            phone.daemon.stdout.close()
            running.event(lambda e: e["signal"] == "PhoneVanished")
            phone.daemon = phone.start_daemon()
            running.event(lambda e: e["signal"] == "PhoneAppeared")
            assert running.event(lambda e: True)["signal"] == "InterfacesAdded"
            running.stop()
    finally:
        assert phone.stop() == 0


# ---- text of others ----

HOSTILE = "\u202egnp.exe\u2066\u200f\u2028"


def test_hostile_party(client, ctl):
    path = client.incoming(name="Eve " + HOSTILE)
    with ctl.start("monitor", "--initial") as monitor, ctl.start("--json", "monitor", "--initial") as watcher:
        watcher.event(lambda e: e["object"] == path)
        monitor.until("call 1")
        client.test("Party", "(usay)", number_of(path), "sip:eve@example.org", b"E\x1b[2J\xc2\x9b31m" + HOSTILE.encode())
        watcher.event(lambda e: "RemoteName" in e.get("properties", {}))
        line = monitor.until("RemoteName")
        assert_harmless(line)
        monitor.stop()
        watcher.stop()
    other = client.incoming()
    for words in (["status"], ["call"], ["call", "show", "1"], ["--json", "call"], ["hangup"], ["--complete", "answer", ""]):
        ctl.run(*words)         # looks for what is not harmless itself
    assert "\ufffd" in ctl.ok("call") or "gnp" in ctl.ok("call")
    assert client.get(other, CALL, "State") == "incoming"


def test_hostile_arguments(client, ctl):
    for word in ("\x1b[31mx", HOSTILE, b"\xff\x9b31m"):
        for words in (["dial", word], ["account", "show", word], ["hangup", word], [word], ["--" + word if isinstance(word, str) else b"--" + word],
                      ["audio", "input", word], ["account", "add", word, "aor=sip:a@b"], ["--timeout", word, "status"]):
            assert ctl.run(*words).returncode in (2, 7), words


# ---- connections ----

def test_nobody_there():
    directory, bus, address = start_bus()
    try:
        for words in (["status"], ["dial", "1"], ["dial", "--wait", "1"], ["account"], ["hangup"]):
            result = Ctl(address).fails(1, "phoned does not run and could not be started", *words)
            assert "systemctl --user status phoned" in result.stderr
    finally:
        stop_bus(directory, bus)


def test_activation_fails():
    directory, bus, address = start_bus("[D-BUS Service]\nName=org.phoned.Phone1\nExec=/bin/false\n")
    try:
        Ctl(address).fails(1, "phoned does not run and could not be started: .*exited", "status")
    finally:
        stop_bus(directory, bus)


def start_bus(service=None):
    directory = tempfile.TemporaryDirectory()
    folder = os.path.join(directory.name, "dbus-1", "services")
    os.makedirs(folder)
    if service:
        with open(os.path.join(folder, "org.phoned.Phone1.service"), "w", encoding="utf-8") as file:
            file.write(service)
    environment = dict(os.environ, XDG_DATA_HOME=directory.name, XDG_DATA_DIRS=directory.name, XDG_RUNTIME_DIR=directory.name)
    bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address=unix:path={directory.name}/bus"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    return directory, bus, bus.stdout.readline().strip()


def stop_bus(directory, bus):
    bus.kill()
    bus.wait()
    bus.stdout.close()
    directory.cleanup()


def test_no_bus(tmp_path):
    Ctl().fails(1, "no session bus", "status")
    Ctl(f"unix:path={tmp_path}/nothing").fails(1, "session bus does not answer", "status")


def test_no_answer(phone, ctl):
    phone.daemon.send_signal(signal.SIGSTOP)
    try:
        ctl.fails(1, "did not answer within 1 s", "--timeout=1", "status")
        ctl.fails(1, "did not answer within 1 s", "--timeout=1", "dial", "--wait", "1")
    finally:
        phone.daemon.send_signal(signal.SIGCONT)


SSH = """#!/bin/sh
printf '%s\\n' "$@" >> "$SSH_LOG"
while [ "$1" != -- ]; do shift; done
[ "$2" = there ] || { echo "ssh: no route to $2" >&2; exit 255; }
shift 2
exec sh -c "$*"
"""


@pytest.fixture
def remote(phone, tmp_path):
    """phonectl that finds an ssh which runs things here."""
    (tmp_path / "ssh").write_text(SSH)
    (tmp_path / "ssh").chmod(0o755)
    (tmp_path / "phonectl").symlink_to(os.environ["PHONECTL"])
    return Ctl(phone.address, PATH=f"{tmp_path}:{os.environ['PATH']}", SSH_LOG=str(tmp_path / "log"),
               XDG_RUNTIME_DIR=phone.directory.name)


def test_host(remote, client, tmp_path):
    assert remote.json("-H", "there", "account")[0]["Id"] == "alice"
    assert (tmp_path / "log").read_text().split() == ["-xT", "--", "there", "systemd-stdio-bridge", "-punix:path=$XDG_RUNTIME_DIR/bus"]
    assert remote.ok("-H", "there", "dial", "sip:echo@example.org") == "call 1\n"
    client.wait_state(ROOT + "/call/1", "active")
    assert remote.json("--host=there", "stats")["mos"] == 4.2
    result = remote.run("-H", "nowhere", "status")
    assert result.returncode == 1 and "no connection with nowhere" in result.stderr and "no route to nowhere" in result.stderr
    assert remote.run("-H", "-oProxyCommand=touch /x", "status").returncode == 1
    assert "--\n-oProxyCommand=touch /x\n" in (tmp_path / "log").read_text()


def test_host_ctrl_c(remote, client):
    """A terminal's Ctrl-C goes to ssh too, which must not take the way of the hangup with it."""
    with remote.start("-H", "there", "dial", "--wait", "sip:echo@example.org") as running:
        running.until("active")
        os.killpg(running.process.pid, signal.SIGINT)
        status, out, errors = running.end()
        assert (status, errors) == (0, "") and "hangup by local" in out


def test_host_password(remote, client, tmp_path):
    remote.ok("-H", "there", "account", "passwd", "alice", stdin="far4way")
    assert client.test("Secret", "(s)", "alice") == "far4way"
    remote.ok("-H", "there", "account", "add", "b", "aor=sip:b@example.org", "--password-stdin", stdin="away4far")
    assert client.test("Secret", "(s)", "b") == "away4far"
    assert "far4way" not in (tmp_path / "log").read_text() and "away4far" not in (tmp_path / "log").read_text()
    remote.fails(7, "there is no account nobody", "-H", "there", "account", "passwd", "nobody", stdin="x")
    remote.fails(2, "not the id", "-H", "there", "account", "passwd", "$(touch x)", stdin="x")


# ---- the line ----

@pytest.mark.parametrize("words, text", [
    ([], "which verb"), (["nonsense"], "there is no verb 'nonsense'"), (["dial"], "phonectl dial TARGET"),
    (["dial", "a", "b"], "'b' is one word too many"), (["account", "nonsense"], "there is no 'nonsense', but list, show"),
    (["--nonsense"], "unknown option --nonsense"), (["status", "--wait"], "status|unknown option --wait"),
    (["--timeout=0", "status"], "--timeout wants seconds"), (["dial", "--account"], "wants ID"), (["monitor", "x"], "too many"),
])
def test_usage(words, text):
    Ctl().fails(2, text, *words)


def test_help_and_version(ctl):
    verbs = [line.split()[0] for line in ctl.ok("--list-verbs").splitlines()[1:]]
    text = ctl.ok("--help")
    assert all(re.search(rf"^  {verb}\b", text, re.M) for verb in verbs)
    assert "--password-stdin" in ctl.ok("account", "--help") and "--wait" in ctl.ok("dial", "-h")
    assert re.fullmatch(r"phonectl \d+\.\d+\.\d+\n", ctl.ok("--version"))


def test_colours(client, ctl):
    def screen(**environment):
        terminal = Terminal(Ctl(ctl.environment["DBUS_SESSION_BUS_ADDRESS"], **environment), "account")
        assert terminal.end() == 0
        return terminal.text

    assert "\x1b[32mregistered\x1b[0m" in screen()
    assert "\x1b" not in screen(NO_COLOR="1") and "\x1b" not in screen(TERM="dumb")
    assert "\x1b" not in ctl.ok("account")


def test_full_disk(client, ctl):
    with open("/dev/full", "w", encoding="utf-8") as full:
        result = subprocess.run([os.environ["PHONECTL"], "account"], stdout=full, stderr=subprocess.PIPE, text=True, env=ctl.environment,
                                timeout=30)
    assert result.returncode == 1 and "cannot be written" in result.stderr


def test_numbers_have_a_point_in_every_locale(client, ctl, tmp_path):
    made = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", str(tmp_path / "de_DE.UTF-8")], capture_output=True, check=False) \
        if os.path.exists("/usr/share/i18n/locales/de_DE") else None
    if made is None or not (tmp_path / "de_DE.UTF-8").exists():
        pytest.skip("no locale with a decimal comma can be made (package locales)")
    dial(client, "sip:echo@example.org")
    german = {"LOCPATH": str(tmp_path), "LC_ALL": "de_DE.UTF-8"}
    assert ctl.json("stats", **german)["playout-delay"] == 22.5
    assert "2.0" in ctl.ok("stats", **german)


# ---- presence and voicemail ----

def test_presence(client, ctl):
    assert lines(ctl.ok("presence")) == ["alice|available|not published"]
    assert ctl.ok("presence", "set", "away", "at lunch") == ""
    assert lines(ctl.ok("presence", "show")) == ["alice|away|at lunch|published"]
    assert ctl.json("presence")[0]["Status"] == "away" and ctl.json("presence")[0]["Id"] == "alice"
    assert ctl.ok("presence", "list") == "nobody is watched\n"
    number = ctl.ok("presence", "watch", "sip:bob@example.org").strip()
    wait(lambda: ctl.json("presence", "list")[0]["Subscription"] == "active")
    assert lines(ctl.ok("presence", "list")) == [f"{number}|sip:bob@example.org|presence|idle|away|at lunch"]
    busy = ctl.ok("presence", "watch", "--dialog", "sip:ring@example.org").strip()
    wait(lambda: ctl.json("presence", "list")[1]["State"] == "ringing")
    assert ctl.ok("presence", "pickup", busy).strip().isdigit()
    ctl.ok("presence", "unwatch", "sip:bob@example.org")
    assert [w["number"] for w in ctl.json("presence", "list")] == [int(busy)]
    assert ctl.run("presence", "unwatch", "77").returncode == 7


def test_presence_set_is_all_or_nothing(client, ctl):
    """What is refused in it leaves the rest as it was."""
    for word in ("lunch", "on-the-phone", "unknown"):
        ctl.fails(2, "available, away", "presence", "set", word, "in hospital")
    # One that never had a status does not begin to publish by that.
    assert lines(ctl.ok("presence")) == ["alice|available|not published"]
    ctl.ok("presence", "set", "away", "at lunch")
    ctl.fails(2, "256", "presence", "set", "busy", "x" * 257)
    ctl.fails(2, "available, away", "presence", "set", "lunch", "now")
    assert lines(ctl.ok("presence")) == ["alice|away|at lunch|published"]
    ctl.ok("presence", "set", "busy")
    assert lines(ctl.ok("presence")) == ["alice|busy|at lunch|published"]


def test_a_watch_by_its_name(client, ctl):
    """What was typed to watch somebody names the watch; a person and his phone are two, and only a phone rings."""
    person = ctl.ok("presence", "watch", "sip:ring@example.org").strip()
    phone = ctl.ok("presence", "watch", "--dialog", "sip:ring@example.org").strip()
    ctl.ok("presence", "watch", "sip:ringing@example.org")
    wait(lambda: ctl.json("presence", "list")[1]["State"] == "ringing")
    ctl.fails(2, "2 watches", "presence", "unwatch", "ring")
    ctl.fails(7, "no watch rin$", "presence", "unwatch", "rin")
    assert ctl.ok("presence", "pickup", "sip:ring@example.org").strip().isdigit()
    assert ctl.ok("presence", "pickup", "ring").strip().isdigit()
    ctl.ok("presence", "unwatch", phone)
    ctl.fails(8, "", "presence", "pickup", "ring")
    ctl.ok("presence", "unwatch", "ring")
    assert person not in [str(w["number"]) for w in ctl.json("presence", "list")] and len(ctl.json("presence", "list")) == 1


def test_a_watch_without_a_registration(client, ctl):
    """The word for that would be one for a phone on which nobody talks."""
    number = ctl.ok("presence", "watch", "sip:idle@example.org").strip()
    assert ctl.json("presence", "list")[0]["Subscription"] == "idle"
    assert lines(ctl.ok("presence", "list")) == [f"{number}|sip:idle@example.org|presence|unknown|not registered"]


NOTHING = "0b3c1f6e-0000-4000-8000-000000000000"


@pytest.mark.parametrize("command", [
    "recording play", "recording export {} /dev/null", "recording verify", "recording delete", "voicemail play",
    "voicemail export {} /dev/null", "voicemail mark heard", "voicemail delete"])
def test_no_such_entry(ctl, command):
    words = command.replace("{}", NOTHING) if "{}" in command else f"{command} {NOTHING}"
    result = ctl.run(*words.split())
    assert (result.returncode, result.stdout) == (7, "") and "There is no " in result.stderr


def test_subscribers(client, ctl):
    assert ctl.ok("presence", "subscribers") == "nobody watches\n" and ctl.json("presence", "subscribers") == []
    ctl.ok("account", "set", "alice", "subscribers=ask")
    number = client.test("Subscribe", "(sss)", "alice", "sip:bob@example.org", "dialog")[1]
    assert lines(ctl.ok("presence", "subscribers")) == [f"{number}|alice|sip:bob@example.org|Bob|dialog|pending|192.0.2.7"]
    ctl.ok("presence", "allow", str(number))
    assert [(s["account"], s["state"], s["details"]) for s in ctl.json("presence", "subscribers")] == [("alice", "active", True)]
    ctl.ok("presence", "end", str(number))
    assert ctl.run("presence", "end", str(number)).returncode == 7
    ctl.ok("presence", "block", "sip:eve@example.org")
    assert ctl.json("account", "show", "alice")["Settings"]["subscribers-block"] == "eve@example.org"
    assert ctl.run("presence", "allow", "sip:").returncode == 2


def test_mailbox_without_counts(client, ctl):
    """A server need not count, nor say anything at all: neither is an empty mailbox."""
    client.add_account("b", aor="sip:waiting@example.net")
    wait(lambda: ctl.json("voicemail", "show", "--account", "b")[0]["Known"])
    assert "b|messages wait" in lines(ctl.ok("voicemail"))[1]
    assert "voicemail|messages wait at the server (phonectl voicemail call)" in lines(ctl.ok("status"))
    assert lines(ctl.ok("voicemail", "list", "--server")) == ["at the server|unknown|idle|alice", "at the server|new|messages wait|b"]
    assert ctl.json("voicemail", "list", "--server") == [
        {"kind": "mailbox", "account": "alice", "known": False, "mailbox": ""},
        {"kind": "mailbox", "account": "b", "known": True, "waiting": True, "new": 0, "old": 0, "new-urgent": 0, "old-urgent": 0, "mailbox": ""}]


def test_voicemail(client, ctl):
    assert lines(ctl.ok("voicemail")) == ["alice|unknown|idle"]
    assert ctl.run("voicemail", "call").returncode == 8
    ctl.ok("account", "set", "alice", "mailbox=sip:echo@example.org")
    assert ctl.ok("voicemail", "call").strip().isdigit()
    assert ctl.json("voicemail")[0]["Mailbox"] == "sip:echo@example.org"
