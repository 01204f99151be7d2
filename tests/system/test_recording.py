# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings of real calls: what a foreign decoder hears in them, with the key in a real keyring, open and locked, and what is left of them
when the phone is killed or its disk is full."""
import random
import signal
import subprocess
import time
import wave

import numpy as np
import pytest
from gi.repository import Gio, GLib

from compare_wav import compare
from phone import Phone, die_with_parent

PROVIDER_ADDRESS = "127.60.6.1"
USERS = {"alice": "secret of alice", "bob": "secret of bob"}
EXIT_AUTH = 10
RATES = {"opus": 6000, "wav": 4 * 48000}        # octets in a second, both sides, or fewer
LATEST = 1.5            # seconds at the end that a crash may cost, with those that a busy machine is late


class Keyring:
    """gnome-keyring on the bus of a phone."""

    def __init__(self, phone):
        self.phone = phone
        self.process = None

    def start(self, password="of the keyring"):
        """Opens the login keyring, which is made the first time."""
        self.process = subprocess.Popen(["gnome-keyring-daemon", "--foreground", "--components=secrets", "--unlock"], stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, env=self.phone.environment(),
                                        preexec_fn=die_with_parent)
        self.process.stdin.write(password)
        self.process.stdin.close()
        subprocess.run(["gdbus", "wait", "--session", "--timeout", "20", "org.freedesktop.secrets"], check=True, env=self.phone.environment())

    def call(self, name, path, interface, member, signature="()", *arguments):
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        connection = Gio.DBusConnection.new_for_address_sync(self.phone.bus_address, flags, None, None)
        try:
            return connection.call_sync(name, path, interface, member, GLib.Variant(signature, arguments), None, 0, 10000, None).unpack()
        finally:
            connection.close_sync(None)

    def lock(self):
        self.call("org.freedesktop.secrets", "/org/freedesktop/secrets", "org.freedesktop.Secret.Service", "Lock", "(ao)",
                  ["/org/freedesktop/secrets/aliases/default"])

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


@pytest.fixture(scope="module")
def pair(provider, work, build, speech):
    phones = []
    for name, sound in zip(USERS, speech):
        phones.append(Phone(name, work, build, audio={"input": f"file:{sound}", "output": "silence", "ring": "silence"}, hurry=True, log_level="debug",
                            config={"recording": {"announce": "false"}}))
    try:
        for phone in phones:
            phone.start()
            phone.add_account("main", provider.account_settings(phone.name, "udp"), USERS[phone.name])
        yield phones
    finally:
        for phone in phones:
            phone.stop()


@pytest.fixture(scope="module")
def keyring(pair):
    ring = Keyring(pair[0])
    ring.start()
    yield ring
    ring.stop()


@pytest.fixture
def call(pair):
    """The number of a call at alice's; both talk."""
    alice, bob = pair
    number = alice.ctl("dial", "bob", "--account", "main")["call"]
    bob.ctl("answer", bob.wait_call("incoming"))
    alice.wait_call("active", number)
    yield number
    for phone in pair:
        phone.ctl("hangup", "--all")
        phone.wait_idle()


def entry(phone, ident):
    return next(e for e in phone.ctl("recording", "list") if e["id"] == ident)


def wait_state(phone, ident, state):
    phone.wait(lambda: entry(phone, ident)["state"] == state, f"the recording to be {state}")


def decode(phone, ident, folder, whole=True):
    """Left and right as samples at 48 kHz, by opusdec."""
    ogg, wav = folder / f"{ident}.opus", folder / f"{ident}.wav"
    result = phone.run("recording", "export", "--format=ogg", ident, ogg, check=whole, json_output=False)
    assert whole or (result.returncode == 1 and "truncated" in result.stderr), result
    subprocess.run(["opusdec", "--quiet", "--rate", "48000", "--force-wav", str(ogg), str(wav)], check=True)
    with wave.open(str(wav), "rb") as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 48000)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    return samples[:, 0], samples[:, 1]


def write_mono(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(samples.tobytes())
    return path


def use_format(phone, form):
    phone.sections["recording"]["format"] = form
    phone.write_config()
    phone.ctl("reload")


def record(phone, number, seconds):
    ident = phone.ctl("record", number)["id"]
    phone.collect_stats(number, seconds)
    return ident


def test_recording_holds_both_voices(pair, keyring, call, speech, tmp_path):
    """We are left, they are right, and nobody is in the other's channel. Bob's phone knows of it (RFC 7866)."""
    alice, bob = pair
    ident = record(alice, call, 7)
    assert [shown["RemoteRecording"] for shown in bob.ctl("call") if shown["State"] == "active"] == ["on"]
    alice.ctl("record", call, "stop")
    wait_state(alice, ident, "whole")
    shown = entry(alice, ident)
    assert 6000 < shown["ms"] < 12000 and shown["direction"] == "outgoing" and "bob" in shown["remote-uri"]
    left, right = decode(alice, ident, tmp_path)
    assert abs(len(left) / 48 - shown["ms"]) < 1
    for samples, ours, theirs in ((left, speech[0], speech[1]), (right, speech[1], speech[0])):
        path = write_mono(tmp_path / "channel.wav", samples)
        good, wrong = compare(ours, path), compare(theirs, path)
        assert good["correlation"] >= 0.7 and good["matched"] >= 0.6, good
        assert wrong["matched"] < good["matched"], (good, wrong)
    assert alice.ctl("recording", "verify", ident)["state"] == "whole"
    exported = tmp_path / "exported.wav"
    alice.run("recording", "export", "--format=wav", ident, exported, json_output=False)
    with wave.open(str(exported), "rb") as file:        # its sizes are right, too
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (2, 2, 48000, len(left))
        samples = np.frombuffer(file.readframes(len(left)), dtype="<i2").reshape(-1, 2).astype(int)
    assert exported.stat().st_size == 44 + 4 * len(left)
    assert np.abs(samples - np.stack((left, right), axis=1)).mean() < 4      # opusdec adds its dither


def test_recording_while_the_keyring_is_locked(pair, keyring, call, tmp_path):
    alice = pair[0]
    alice.ctl("record", call)               # the first one of all makes the key
    alice.ctl("record", call, "stop")
    assert alice.ctl("recording", "key") == "ready"
    keyring.lock()
    assert alice.ctl("recording", "key") == "locked"
    ident = record(alice, call, 1)
    alice.ctl("record", call, "stop")
    wait_state(alice, ident, "whole")
    result = alice.run("recording", "verify", ident, check=False)
    assert result.returncode == EXIT_AUTH and "locked" in result.stderr, result
    keyring.stop()
    keyring.start()
    assert alice.ctl("recording", "key") == "ready"
    assert len(decode(alice, ident, tmp_path)[0]) > 48000 * 0.8


@pytest.mark.parametrize("seed, form", [(1, "opus"), (2, "wav"), (3, "opus")])
def test_killed_phone_leaves_what_was_recorded(pair, keyring, provider, call, speech, tmp_path, seed, form):
    alice = pair[0]
    use_format(alice, form)
    seconds = 1.5 + 2 * random.Random(seed).random()
    begin = time.monotonic()
    ident = record(alice, call, seconds)
    elapsed = time.monotonic() - begin
    alice.restart_daemon(signal.SIGKILL)
    alice.wait_registered("main")
    assert entry(alice, ident)["state"] == "cut-off"
    left, right = decode(alice, ident, tmp_path, whole=False)
    assert len(left) / 48000 > elapsed - LATEST - 0.5, (len(left) / 48000, elapsed)
    seal = alice.home / "state" / "phoned" / "recordings" / f"{ident}.seal"
    assert not any(word in seal.read_bytes() for word in (b"OggS", b"Opus", b"RIFF", b"WAVE"))
    assert entry(alice, ident)["format"] == form
    if form == "wav":
        assert_wav(alice, ident, tmp_path / "as-recorded.wav", len(left), speech)
    pair[1].ctl("hangup", "--all")


def assert_wav(phone, ident, path, length, speech):
    """What comes out as it was recorded: sizes that are right although it was cut off, and our voice, sample for sample what went into the codec."""
    result = phone.run("recording", "export", ident, path, check=False, json_output=False)
    assert result.returncode == 1 and "truncated" in result.stderr, result
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 48000)
        n = file.getnframes()
        samples = np.frombuffer(file.readframes(n), dtype="<i2").reshape(-1, 2)
    assert n == len(samples) and 0 <= length - n < 960 and path.stat().st_size == 44 + 4 * n
    left = write_mono(path.with_name("left.wav"), samples[:, 0])
    good, wrong = compare(speech[0], left), compare(speech[1], left)
    assert good["correlation"] >= 0.7 and wrong["matched"] < good["matched"], (good, wrong)


@pytest.mark.parametrize("seed, form", [(1, "opus"), (2, "wav"), (3, "wav"), (4, "wav")])
def test_full_disk_ends_the_recording_and_not_the_call(pair, keyring, call, tmp_path, seed, form):
    """The folder becomes a file system of some pages, which fills up at one moment or another; what is on it is good up to the last second."""
    alice = pair[0]
    use_format(alice, form)
    alice.ctl("record", call)               # the first one of all makes the key
    alice.ctl("record", call, "stop")
    folder = alice.home / "state" / "phoned" / "recordings"
    keep = (folder / "seal.pub").read_bytes()
    kilobytes = 32 if form == "opus" else random.Random(seed).randrange(260, 520)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "none", str(folder)], check=True)
    try:
        (folder / "seal.pub").write_bytes(keep)
        ident = alice.ctl("record", call)["id"]
        alice.wait(lambda: alice.ctl("call", "show", call)["RecordingState"] == "off", "the recording to end")
        assert alice.ctl("call", "show", call)["State"] == "active"
        wait_state(alice, ident, "cut-off")
        sealed = (folder / f"{ident}.seal").read_bytes()
        assert not any(word in sealed for word in (b"OggS", b"Opus", b"RIFF", b"WAVE"))
        left, right = decode(alice, ident, tmp_path, whole=False)
        assert len(left) / 48000 > len(sealed) / RATES[form] - 1, (len(left), len(sealed))
        assert alice.ctl("call", "show", call)["State"] == "active"
        assert "No space left" in alice.log_path.read_text()
    finally:
        subprocess.run(["umount", str(folder)], check=True)
