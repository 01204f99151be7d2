# SPDX-License-Identifier: LGPL-2.1-or-later
"""Conferences of real calls with different codecs and encryption. Everybody has a tone of his own; who hears whom is read off the spectrum of
what he recorded last."""
import signal
import subprocess
import wave

import numpy as np
import pytest

from baresip import Baresip
from crowd import Crowd
from phone import ROOT, Phone
from recording import finished
from sipp import Sipp

NET, CROWD = "127.75.1", "127.81.2"
RATE = 48000
AMPLITUDE, CROWD_AMPLITUDE = 0.07, 0.03
SEATS = 16              # calls of a conference
SECONDS = 2.0           # that are looked at
# name, codecs, srtp and keying of each party but us; those of a foreign kind first
FOREIGN = {"opus-b": ("opus/48000/2", "srtp"), "g722-b": ("g722/16000/1", ""), "pcma-b": ("pcma/8000/1", "srtp-mand")}
OURS = {"opus": ("opus", "required", "dtls"), "g722": ("g722", "required", "sdes"), "pcmu": ("pcmu", "off", "any"), "pcma": ("pcma", "off", "any")}
NAMES = ["us", *FOREIGN, *OURS]
TONES = {name: 400 + 170 * place for place, name in enumerate(NAMES)}
ADDRESSES = {name: f"{NET}.{1 + place}" for place, name in enumerate(NAMES)}


def write_tone(path, hz):
    """As long as a test takes: not everybody plays it again."""
    at = np.arange(60 * RATE) / RATE
    with wave.open(str(path), "wb") as wav:
        wav.setparams((1, 2, RATE, 0, "NONE", ""))
        wav.writeframes((32767 * AMPLITUDE * np.sin(2 * np.pi * hz * at)).astype("<i2").tobytes())
    return path


def load(path, channel):
    with wave.open(str(path), "rb") as wav:
        rate, width, channels = wav.getframerate(), wav.getsampwidth(), wav.getnchannels()
        samples = np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2").astype(float).reshape(-1, channels)[:, channel] / 32768
    assert width == 2 and len(samples) >= SECONDS * rate, f"{path}: {len(samples) / rate} s"
    return samples[-int(SECONDS * rate):], rate


def spectrum(samples, rate, tones=TONES, amplitude=AMPLITUDE):
    """Amplitude of every party's tone as a share of what was played."""
    bins = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) * 4 / len(samples)
    # A stream that is stretched or misses something smears its tone: all of it within 15 Hz counts.
    step = rate / len(samples)
    return [float(np.sqrt(np.sum(bins[int((hz - 15) / step):int((hz + 15) / step) + 1] ** 2) / 1.5)) / amplitude for hz in tones.values()]


def assert_hears(path, who, others, channel=0):
    assert_sounds(*load(path, channel), who, others)


def assert_sounds(samples, rate, who, others, tones=TONES, amplitude=AMPLITUDE):
    """What a codec makes of seven tones at once is some noise between them, far below what a voice of one's own would be. In pieces of half a
    second: a machine that is busy may spoil some of them, but nobody is heard in one piece only because of that."""
    pieces = np.array([spectrum(piece, rate, tones, amplitude) for piece in np.array_split(samples, int(2 * SECONDS))])
    best, usual = dict(zip(tones, np.max(pieces, axis=0))), dict(zip(tones, np.median(pieces, axis=0)))
    for name in tones:
        if name in others:
            assert best[name] > 0.5, f"{who} does not hear {name}: {best}"
        else:
            assert usual[name] < 0.2, f"{who} hears {name}: {usual}"


@pytest.fixture(scope="module")
def tones(work):
    return {name: write_tone(work / f"tone-{name}.wav", hz) for name, hz in TONES.items()}


@pytest.fixture(scope="module")
def parties(work, build, tones):
    made = {}
    for name, (codecs, mediaenc) in FOREIGN.items():
        made[name] = Baresip(name, work, ADDRESSES[name], tones[name], f"sip:{name}@{ADDRESSES[name]}", codecs=codecs, mediaenc=mediaenc,
                             extra="answermode=auto", hurry=True)
    for name in ["us", *OURS]:
        made[name] = Phone(name, work, build, audio={"input": f"file:{tones[name]}", "output": f"file:{work}/heard-{name}.wav",
                                                     "ring": "silence"}, hurry=True,
                           environment={"CREDENTIALS_DIRECTORY": str(ROOT / "tests" / "data" / "credentials")},
                           config={"sip": {"bind": f"{ADDRESSES[name]}:5060"}, "media": {"bind": ADDRESSES[name], "rtp-timeout": 5},
                                   "daemon": {"linger": 30}})
    try:
        for party in made.values():
            party.start()
        made["us"].ctl("account", "add", "us", f"aor=sip:us@{ADDRESSES['us']}", "register=false", "transport=udp", "max-calls=20",
                       "srtp=preferred", "sdes-in-clear=true", "focus=true")
        for name, (codec, srtp, keying) in OURS.items():
            made[name].ctl("account", "add", "main", f"aor=sip:{name}@{ADDRESSES[name]}", "register=false", "transport=udp", "auto-answer=0",
                           f"codecs={codec}", f"srtp={srtp}", f"keying={keying}", "sdes-in-clear=true", "transfers=accept")
        yield made
    finally:
        for party in made.values():
            party.stop()


@pytest.fixture
def us(parties):
    us = parties["us"]
    yield us
    assert us.daemon.poll() is None, "the phone has died"
    for conference in us.ctl("conference"):
        us.ctl("conference", "end", conference["number"])
    us.ctl("hangup", "--all")
    us.wait_idle()


def dial(us, name):
    return dial_uri(us, f"sip:{name}@{ADDRESSES[name]}")


def dial_uri(us, uri):
    number = us.ctl("dial", uri, "--keep-others")["call"]
    us.wait_call("active", number)
    return number


def members(us):
    found = us.ctl("conference")
    return [int(path.rsplit("/", 1)[1]) for path in found[0]["Calls"]] if found else []


def wait_members(us, numbers):
    us.wait(lambda: members(us) == [int(n) for n in numbers], f"the conference to be {numbers}")


def heard(parties, work, name):
    return parties[name].heard() if name in FOREIGN else finished(work / f"heard-{name}.wav")


def test_everybody_hears_all_but_himself(us, parties, work):
    numbers = {name: dial(us, name) for name in NAMES[1:]}
    us.ctl("conference", "create", *numbers.values())
    recording = us.ctl_text("conference", "record").strip()
    reports = us.collect_stats(numbers["pcmu"], SECONDS + 1.5)
    # Each of our own phones is told who is there, and who we are.
    for name in OURS:
        parties[name].wait(lambda: any({one["uri"] for one in call.get("Roster") or []} == {f"sip:{other}@{ADDRESSES[other]}" for other in NAMES}
                                       for call in parties[name].calls.values() if call["State"] == "active"), "the roster of all")
    calls = {name: us.ctl("call", "show", number) for name, number in numbers.items()}
    us.ctl("conference", "end")
    us.wait_idle()
    for name in OURS:
        parties[name].wait_idle()
    assert {calls[name]["Codec"] for name in numbers} == {"opus", "g722", "pcmu", "pcma"}
    encrypted = {name for name in numbers if calls[name]["Security"]}
    assert encrypted == {"opus-b", "pcma-b", "opus", "g722"} and calls["opus"]["Security"]["keying"] == "dtls"
    assert reports
    for name in NAMES:
        assert_hears(heard(parties, work, name), name, set(NAMES) - {name})

    # We on the left, all others on the right, says a decoder that is not ours.
    us.run("recording", "export", recording, work / "all.ogg", json_output=False)
    subprocess.run(["opusdec", "--quiet", "--rate", "48000", "--force-wav", str(work / "all.ogg"), str(work / "all.wav")], check=True)
    assert_hears(work / "all.wav", "left", {"us"})
    assert_hears(work / "all.wav", "right", set(NAMES) - {"us"}, channel=1)


def test_full_house(us, work):
    """Sixteen calls, and us: each hears the sixteen others, and not himself. There is no seat for one more."""
    crowd = {f"{CROWD}.{1 + place}": 570 + 170 * place for place in range(SEATS)}
    tones = {"us": TONES["us"], **crowd}
    late = f"{CROWD}.{1 + SEATS}"
    with Crowd({**crowd, late: 100}, CROWD_AMPLITUDE) as parties:
        numbers = [dial_uri(us, f"sip:them@{address}") for address in crowd]
        us.ctl("conference", "create", *numbers)
        wait_members(us, numbers)
        us.collect_stats(numbers[-1], SECONDS + 1.5)
        ends = {address: parties[address].heard(SECONDS) for address in crowd}
        room = us.ctl("conference")[0]["number"]
        extra = dial_uri(us, f"sip:late@{late}")
        for words in (("conference", "add", extra), ("dial", f"sip:later@{late}", "--conference", room)):
            refused = us.run(*words, check=False, json_output=False)
            assert refused.returncode == 8 and f"Conference {room} has {SEATS} calls already" in refused.stderr, refused
        assert members(us) == [int(number) for number in numbers]
        us.ctl("conference", "end")
        us.ctl("hangup", extra)
        us.wait_idle()
    assert_sounds(*load(finished(work / "heard-us.wav"), 0), "us", set(crowd), tones, CROWD_AMPLITUDE)
    for address, samples in ends.items():
        assert_sounds(samples, 8000, address, set(tones) - {address}, tones, CROWD_AMPLITUDE)


def test_held_muted_and_split(us, parties, work):
    """One on hold, one not heard, and then one taken out: all at once, and each knows only what is his."""
    names = ["g722-b", "opus", "g722", "pcmu", "pcma"]
    numbers = {name: dial(us, name) for name in names}
    us.ctl("conference", "create", *numbers.values())
    us.ctl("hold", numbers["opus"])
    us.ctl("conference", "mute", numbers["g722"])
    us.ctl("conference", "split", numbers["pcma"])          # and we are away
    us.collect_stats(numbers["pcmu"], SECONDS + 1.5)
    us.ctl("conference", "end")
    us.ctl("hangup", numbers["pcma"])
    us.wait_idle()
    for name in names[1:]:
        parties[name].wait_idle()
    assert_hears(heard(parties, work, "us"), "us", {"pcma"})
    assert_hears(heard(parties, work, "pcma"), "pcma", {"us"})
    assert_hears(heard(parties, work, "opus"), "opus", set())
    assert_hears(heard(parties, work, "g722"), "g722", {"g722-b", "pcmu"})
    assert_hears(heard(parties, work, "pcmu"), "pcmu", {"g722-b"})
    assert_hears(heard(parties, work, "g722-b"), "g722-b", {"pcmu"})


def test_members_vanish(us, parties, work):
    """By BYE, by silence, before they answer; and the last but one dissolves it."""
    first, second = dial(us, "pcmu"), dial(us, "pcma")
    us.ctl("conference", "create", first, second)
    caller = Sipp(work, "caller-bye", f"{NET}.20", f"{ADDRESSES['us']}:5060")
    try:
        third = us.wait_call("waiting")
        us.ctl("answer", third)
        us.ctl("conference", "add", third)
        caller.finish()
    finally:
        caller.stop()
    us.wait_call("disconnected", third)
    wait_members(us, [first, second])
    assert us.ctl("conference")[0]["LocalHold"] is False

    # One who does not answer: CANCEL.
    parties["g722"].ctl("account", "set", "main", "auto-answer=off")
    ringing = us.ctl("dial", f"sip:g722@{ADDRESSES['g722']}", "--conference", us.ctl("conference")[0]["number"])["call"]
    us.wait_call("alerting", ringing)
    wait_members(us, [first, second, ringing])
    us.ctl("hangup", ringing)
    wait_members(us, [first, second])
    us.wait_call("disconnected", ringing)
    parties["g722"].wait_idle()
    parties["g722"].ctl("account", "set", "main", "auto-answer=0")

    parties["pcma"].daemon.send_signal(signal.SIGSTOP)      # no word any more
    try:
        assert us.reason(second)["reason"] == "rtp-timeout"
    finally:
        parties["pcma"].daemon.send_signal(signal.SIGCONT)
    us.wait(lambda: us.ctl("conference") == [], "the end of the conference")
    assert us.ctl("call", "show", first)["State"] == "active"
    parties["pcma"].wait_idle()


def test_transfers_into_and_out_of_it(us, parties):
    for name in OURS:                   # they are to understand each other
        parties[name].ctl("account", "set", "main", "codecs=opus,g722,pcma,pcmu", "srtp=preferred", "keying=any")
    first, second, third = dial(us, "pcmu"), dial(us, "pcma"), dial(us, "g722")
    us.ctl("conference", "create", first, second, third)

    # A member gives us somebody else: he takes its seat.
    giver = parties["g722"]
    giver.ctl("transfer", giver.wait_call("active"), f"sip:opus@{ADDRESSES['opus']}")
    us.wait(lambda: us.calls[str(third)].get("TransferRequest"), "a transfer to be asked for")
    fresh = us.ctl("transfer", third, "--accept")["call"]
    us.wait_call("active", fresh)
    us.wait_call("disconnected", third)
    wait_members(us, [first, second, fresh])

    # We give a member to somebody else: it is gone from the conference when he has it.
    us.ctl("transfer", "--wait", fresh, f"sip:g722@{ADDRESSES['g722']}")
    us.wait_call("disconnected", fresh)
    wait_members(us, [first, second])

    # We leave and the two go on.
    us.ctl("conference", "end", "--connect")
    us.wait_idle()
    for name in ("pcmu", "pcma"):
        parties[name].wait(lambda: [c for c in parties[name].calls.values() if c["State"] == "active"], "a call with the other one")
    parties["pcmu"].ctl("hangup", "--all")
    parties["pcma"].wait_idle()
