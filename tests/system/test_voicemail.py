# SPDX-License-Identifier: LGPL-2.1-or-later
"""The answering machine: what its callers hear, a phone and baresip, and what it has of them afterwards."""
import re
import signal
import subprocess
import time
import wave

import numpy as np
import pytest

from baresip import Baresip
from compare_wav import compare
from phone import ROOT, Phone
from recording import finished

PROVIDER_ADDRESS = "127.74.1.1"
USERS = {"alice": "s3cret-of-alice", "bob": "s3cret-of-bob", "carol": "s3cret-of-carol"}
SOUNDS = ROOT / "contrib" / "sounds"
TONE_HZ = 1000
LATEST = 2.0            # seconds at the end that a crash may cost: one that is not on the disk yet, the tone, and what a busy machine is late


@pytest.fixture(scope="module")
def message(work, speech):
    """Five seconds of speech after the greeting, and then nothing for long enough."""
    words, padded = work / "words.wav", work / "message.wav"
    subprocess.run(["sox", str(speech[0]), str(words), "trim", "0", "5"], check=True)
    subprocess.run(["sox", str(words), str(padded), "pad", "6", "30"], check=True)
    return words, padded


@pytest.fixture(scope="module")
def trio(provider, work, build, speech, message):
    """alice with a machine; bob, who leaves that message and records what he hears; carol, who is baresip and talks without an end."""
    heard = work / "bob-heard.wav"
    voicemail = {"sounds": str(SOUNDS), "silence-seconds": "2", "max-seconds": "12", "max-messages": "9", "min-seconds": "1"}
    alice = Phone("alice", work, build, audio={"input": f"file:{speech[1]}", "output": "silence", "ring": "silence"}, hurry=True, log_level="debug",
                  config={"voicemail": voicemail})
    bob = Phone("bob", work, build, audio={"input": f"file:{message[1]}", "output": f"file:{heard}", "ring": "silence"}, hurry=True)
    carol = Baresip("carol", work, "127.74.1.11", speech[0], f"sip:carol@{provider.domain}", outbound=f"{provider.address}:5060",
                    password=USERS["carol"], regint=60, codecs="opus/48000/2", hurry=True)
    short = work / "short.wav"
    subprocess.run(["sox", str(SOUNDS / "goodbye.wav"), str(short), "trim", "0", "1"], check=True)
    try:
        alice.start()
        alice.ctl("recording", "unlock", stdin="a pass phrase\n")
        bob.start()
        carol.start()
        alice.add_account("main", provider.account_settings("alice", "udp", answering="true", answering_after="1"), USERS["alice"])
        bob.add_account("main", provider.account_settings("bob", "udp"), USERS["bob"])
        carol.wait_registered()
        yield alice, bob, carol, heard
    finally:
        alice.stop()
        bob.stop()
        carol.stop()


def load(path):
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float)
        return samples.reshape(-1, file.getnchannels())[:, 0], file.getframerate()


def write(path, samples, rate):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def find_tone(samples, rate):
    """Where 400 ms are nothing but the tone, in seconds; None: nowhere."""
    size = int(0.4 * rate)
    for at in range(0, len(samples) - size, size // 8):
        power = np.abs(np.fft.rfft(samples[at:at + size] * np.hanning(size))) ** 2
        low, high = (int(hz * 0.4) for hz in (TONE_HZ - 15, TONE_HZ + 15))
        if np.sqrt(np.mean(samples[at:at + size] ** 2)) > 500 and power[low:high + 1].sum() > 0.8 * power.sum():
            return at / rate
    return None


def assert_said(sound, samples, rate, folder):
    result = compare(sound, write(folder / "part.wav", samples, rate))
    assert result["correlation"] >= 0.7 and result["matched"] >= 0.6, (sound.name, result)


def newest(alice):
    return alice.ctl("voicemail", "list")[0]


def decode(alice, ident, folder, whole=True):
    ogg, wav = folder / "message.opus", folder / "message.wav"
    result = alice.run("voicemail", "export", ident, ogg, json_output=False, check=whole)
    assert whole or (result.returncode == 1 and "truncated" in result.stderr), result
    subprocess.run(["opusdec", "--quiet", "--rate", "48000", "--force-wav", str(ogg), str(wav)], check=True)
    return wav


def test_greeting_tone_message_silence(trio, message, tmp_path):
    alice, bob, carol, heard = trio
    number = bob.ctl("dial", "alice", "--account", "main")["call"]
    there = alice.wait_call("incoming")
    alice.wait_property(there, "Machine", "greeting")
    assert alice.ctl("status")["calls"][0]["State"] == "active" and "answer" in alice.ctl("call", "show", there)["Can"]
    alice.wait_property(there, "Machine", "recording")
    alice.wait_property(there, "Machine", "leaving")
    bob.wait_call("disconnected", number)
    bob.leave()
    samples, rate = load(finished(heard))
    tone = find_tone(samples, rate)
    assert tone is not None, "no tone"
    assert_said(SOUNDS / "greeting.wav", samples[:int(tone * rate)], rate, tmp_path)
    assert_said(SOUNDS / "goodbye.wav", samples[-int(2.1 * rate):], rate, tmp_path)
    alice.wait(lambda: alice.ctl("voicemail", "list")[0]["state"] == "whole", "the message")
    entry = newest(alice)
    assert entry["heard"] is False and "bob" in entry["remote-uri"] and 5500 < entry["ms"] < 11500, entry
    wav = decode(alice, entry["id"], tmp_path)
    samples, rate = load(wav)
    end = np.flatnonzero(np.abs(samples) > 500)[-1]
    assert len(samples) / rate - end / rate > 1.5, "the silence at the end"
    assert_said(message[0], samples[:end], rate, tmp_path)
    assert find_tone(*load(wav)) is None, "the tone is in the message"
    history = alice.ctl("history", "show", entry["id"])
    assert history["outcome"] == "voicemail" and history["seen"] is False
    assert "voicemail 0:" in alice.ctl_text("history", "--limit", "1") and "voicemail 0:" in alice.ctl_text("history", "show", entry["id"])
    assert re.search(r"^voicemail +1 new \(", alice.ctl_text("status"), re.M)
    sealed = (alice.home / "state" / "phoned" / "recordings" / f"{entry['id']}.seal").read_bytes()
    assert b"OggS" not in sealed
    [account] = alice.ctl("voicemail")
    assert (account["Messages"], account["Unheard"]) == (1, 1)
    alice.ctl("voicemail", "mark", "heard", entry["id"])
    assert alice.ctl("voicemail")[0]["Unheard"] == 0


def test_greetings_that_cannot_be_heard(trio, work, tmp_path):
    alice = trio[0]
    words, long = tmp_path / "words.wav", tmp_path / "long.wav"
    words.write_text("no sound at all")
    subprocess.run(["sox", "-n", "-r", "8000", "-c", "1", "-b", "16", str(long), "trim", "0", "181"], check=True)
    for path, text in ((tmp_path / "none.wav", "No such file"), (words, "greeting: "), (long, "lasts 181 s"), (tmp_path, "not a plain file")):
        result = alice.run("account", "set", "main", f"greeting={path}", check=False)
        assert result.returncode == 2 and text in result.stderr and str(path) in result.stderr, result
    assert "greeting" not in str(alice.ctl("account", "show", "main").get("Settings", ""))


def test_length_limit_and_taking_over(trio, provider, speech, work, tmp_path):
    """baresip never stops talking; do not disturb gives it to the machine at once."""
    alice, bob, carol, heard = trio
    alice.sections["voicemail"]["max-seconds"] = "5"
    alice.write_config()
    alice.reload()
    alice.ctl("account", "set", "main", f"greeting={work / 'short.wav'}")
    alice.ctl("dnd", "mode", "voicemail")
    alice.ctl("dnd", "on")
    mark = len(carol.events)
    carol.command("dial", f"sip:alice@{provider.domain}")
    number = alice.wait_call("active")
    alice.wait_property(number, "Machine", "leaving")
    carol.wait_event("CALL_CLOSED", after=mark)
    alice.wait(lambda: newest(alice)["state"] == "whole", "the message")
    entry = newest(alice)
    assert 4500 < entry["ms"] < 6000, entry
    said = compare(speech[0], decode(alice, entry["id"], tmp_path))
    assert said["correlation"] >= 0.7 and said["matched"] >= 0.6, said
    alice.wait_idle()

    mark = len(carol.events)
    carol.command("dial", f"sip:alice@{provider.domain}")
    number = alice.wait_call("active")
    alice.wait_property(number, "Machine", "recording")
    alice.ctl("answer", number)
    shown = alice.ctl("call", "show", number)
    assert shown["Machine"] == "off" and shown["State"] == "active" and shown["RecordingState"] == "off"
    alice.collect_stats(number, 2)
    alice.ctl("hangup", number)
    carol.wait_event("CALL_CLOSED", after=mark)
    result = compare(speech[1], carol.heard())
    assert result["correlation"] >= 0.5, result
    assert alice.ctl("history", "show", alice.ctl("history", "--limit", "1")[0]["id"])["outcome"] == "answered"


def test_full_box(trio, provider, tmp_path):
    alice, bob, carol, heard = trio
    alice.wait_idle()
    for extra in alice.ctl("voicemail", "list")[2:]:
        alice.ctl("voicemail", "delete", extra["id"])
    alice.sections["voicemail"]["max-messages"] = "2"
    alice.write_config()
    alice.reload()
    mark = len(carol.events)
    carol.command("dial", f"sip:alice@{provider.domain}")
    number = alice.wait_call("active")
    alice.wait_property(number, "Machine", "leaving")
    carol.wait_event("CALL_CLOSED", after=mark)
    result = compare(SOUNDS / "full.wav", carol.heard())
    assert result["correlation"] >= 0.7 and result["matched"] >= 0.6, result
    assert len(alice.ctl("voicemail", "list")) == 2
    assert alice.ctl("history", "--limit", "1")[0]["outcome"] == "missed"


def test_killed_in_the_middle_of_a_message(trio, provider, speech, tmp_path):
    """What the caller said until the crash is there, sealed, listed as new, and can be played."""
    alice, bob, carol, heard = trio
    alice.wait_idle()
    alice.sections["voicemail"].update({"max-messages": "9", "max-seconds": "60"})
    alice.write_config()
    alice.reload()
    before = {e["id"] for e in alice.ctl("voicemail", "list")}
    mark = len(carol.events)
    carol.command("dial", f"sip:alice@{provider.domain}")
    number = alice.wait_call("active")
    alice.wait_property(number, "Machine", "recording")
    begin = time.monotonic()
    alice.collect_stats(number, 4)
    elapsed = time.monotonic() - begin
    alice.restart_daemon(signal.SIGKILL)
    alice.wait_registered("main")
    [entry] = [e for e in alice.ctl("voicemail", "list") if e["id"] not in before]
    assert entry["state"] == "cut-off" and entry["heard"] is False and "carol" in entry["remote-uri"], entry
    sealed = (alice.home / "state" / "phoned" / "recordings" / f"{entry['id']}.seal").read_bytes()
    assert b"OggS" not in sealed and b"Opus" not in sealed
    alice.ctl("recording", "unlock", stdin="a pass phrase\n")
    wav = decode(alice, entry["id"], tmp_path, whole=False)
    samples, rate = load(wav)
    assert len(samples) / rate > elapsed - LATEST, (len(samples) / rate, elapsed)
    said = compare(speech[0], wav)
    assert said["correlation"] >= 0.7 and said["matched"] >= 0.6, said
    carol.command("hangup")
    carol.wait_event("CALL_CLOSED", after=mark)
    alice.ctl("voicemail", "delete", entry["id"])
