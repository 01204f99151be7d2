# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.phoned.Phone1.Recording and .Recordings, member by member, and phonectl's verbs for them. The sealed files are real ones; their
key is a credential, or behind a pass phrase: there is no keyring on this bus. What the fake engine records is text."""
import os
import re
import subprocess

import pytest
from gi.repository import GLib

from phonebus import RECORDING, RECORDINGS, ROOT, SOURCE, TIMEOUT_MS, refused, wait
from phonectl import Ctl

PASS_PHRASE = b"correct horse"
sealed = pytest.mark.daemon("--credentials", os.path.join(SOURCE, "tests", "data", "credentials"))


def secret_fd(octets):
    read, write = os.pipe()
    os.write(write, octets)
    os.close(write)
    return read


def unlock(client, octets=PASS_PHRASE):
    client.call(ROOT, RECORDINGS, "Unlock", "(h)", 0, fds=[secret_fd(octets)])


def listed(client, offset=0, limit=100, **criteria):
    return client.call(ROOT, RECORDINGS, "List", "(a{sv}uu)", {k: GLib.Variant("s", v) for k, v in criteria.items()}, offset, limit)


def key_state(client):
    return client.call(ROOT, RECORDINGS, "GetKeyState")


def verify(client, recording):
    return client.call(ROOT, RECORDINGS, "Verify", "(s)", recording)


def read_sound(client, recording, **options):
    call = ("Export", GLib.Variant("(sa{sv})", (recording, {k: GLib.Variant("s", v) for k, v in options.items()}))) if options \
        else ("Open", GLib.Variant("(s)", (recording,)))
    variant, fds = client.connection.call_with_unix_fd_list_sync("org.phoned.Phone1", ROOT, RECORDINGS, *call, None, 0, TIMEOUT_MS, None, None)
    with os.fdopen(fds.get(variant.unpack()[0]), "rb") as pipe:
        return pipe.read()


@pytest.fixture
def call(client):
    path = client.dial("sip:echo@example.org", display=GLib.Variant("s", "Echo"))
    client.wait_state(path, "active")
    return path


@pytest.fixture
def recorded(client, call):
    """The id of a recording that has ended."""
    if key_state(client) == "none":
        unlock(client)
    ident = client.call(call, RECORDING, "Start", "(a{sv})", {})
    client.call(call, RECORDING, "Stop")
    wait(lambda: listed(client)[0]["state"] == "whole")
    return ident


def files(phone):
    return os.path.join(phone.directory.name, "state")


@sealed
def test_life_of_a_recording(client, call):
    assert client.get_all(call, RECORDING) == {"State": "off", "Active": False, "File": "", "Encrypted": False}
    for member in ("Pause", "Stop"):
        with refused("InvalidState"):
            client.call(call, RECORDING, member)
    assert "record" in client.get(call, "org.phoned.Phone1.Call", "Can")
    ident = client.call(call, RECORDING, "Start", "(a{sv})", {})
    assert client.get_all(call, RECORDING) == {"State": "running", "Active": True, "File": ident, "Encrypted": True}
    assert "record" not in client.get(call, "org.phoned.Phone1.Call", "Can")
    with refused("InvalidState", "already"):
        client.call(call, RECORDING, "Start", "(a{sv})", {})
    client.call(call, RECORDING, "Pause")
    assert client.get(call, RECORDING, "State") == "paused"
    assert client.call(call, RECORDING, "Start", "(a{sv})", {}) == ident
    with refused("InvalidState", "still runs"):
        client.call(ROOT, RECORDINGS, "Delete", "(as)", [ident])
    client.call(call, "org.phoned.Phone1.Call", "Hangup")
    wait(lambda: client.get(call, RECORDING, "State") == "off", "the end of the recording with its call")
    wait(lambda: listed(client)[0]["state"] == "whole")
    entry, = listed(client)
    assert (entry["id"], entry["kind"], entry["format"], entry["account"], entry["direction"]) == (ident, "call", "opus", "alice", "outgoing")
    assert (entry["remote-uri"], entry["remote-name"], entry["ms"], entry["heard"]) == ("sip:echo@example.org", "Echo", 1500, False)
    assert read_sound(client, ident) == b"sound, pause, more sound"
    assert read_sound(client, ident, format="ogg") == b"ogg: sound, pause, more sound"
    assert read_sound(client, ident, format="wav") == b"wav: sound, pause, more sound"
    with refused("InvalidOption", "'format' must be"):
        client.call(ROOT, RECORDINGS, "Export", "(sa{sv})", ident, {"format": GLib.Variant("s", "mp3")})
    with refused("NoSuchEntry"):
        client.call(ROOT, RECORDINGS, "Export", "(sa{sv})", "nothing", {"format": GLib.Variant("s", "wav")})
    assert verify(client, ident) == {"state": "whole", "octets": 24}
    assert [c["State"] for c in client.changes(call, RECORDING) if "State" in c][-1] == "off"
    assert (ident,) in client.signals(ROOT, "Changed")


@sealed
@pytest.mark.parametrize("rule, outgoing, incoming", [("all", "running", "running"), ("incoming", "off", "running"),
                                                      ("outgoing", "running", "off"), ("on-demand", "off", "off")])
def test_rule(client, rule, outgoing, incoming):
    client.call(ROOT + "/account/alice", "org.phoned.Phone1.Account", "Update", "(a{sv})", {"record": GLib.Variant("s", rule)})
    path = client.dial("sip:echo@example.org")
    client.wait_state(path, "active")
    wait(lambda: client.get(path, RECORDING, "State") == outgoing)
    path = client.incoming()
    client.answer(path)
    wait(lambda: client.get(path, RECORDING, "State") == incoming)


def test_start_takes_no_option(client, call):
    with refused("InvalidOption", "colour"):
        client.call(call, RECORDING, "Start", "(a{sv})", {"colour": GLib.Variant("s", "blue")})


def test_no_keyring_is_said(client, call):
    assert key_state(client) == "none"
    with refused("Storage", "keyring"):
        client.call(call, RECORDING, "Start", "(a{sv})", {})
    assert client.get(call, RECORDING, "State") == "off"
    assert listed(client) == []


def test_pass_phrase(client, recorded):
    assert key_state(client) == "ready"
    client.call(ROOT, RECORDINGS, "Lock")
    assert key_state(client) == "locked"
    with refused("AuthFailed", "pass phrase"):
        verify(client, recorded)
    with refused("AuthFailed"):
        unlock(client, b"wrong horse")
    with refused("InvalidOption", "empty"):
        unlock(client, b"")
    unlock(client)
    assert verify(client, recorded)["state"] == "whole"


def test_recording_while_locked(client, call, recorded):
    client.call(ROOT, RECORDINGS, "Lock")
    ident = client.call(call, RECORDING, "Start", "(a{sv})", {})
    client.call(call, RECORDING, "Stop")
    wait(lambda: [e["state"] for e in listed(client) if e["id"] == ident] == ["whole"])
    unlock(client)
    assert read_sound(client, ident) == b"sound"


@sealed
def test_list_filters_and_pages(client, recorded):
    assert [e["id"] for e in listed(client, account="alice", kind="call")] == [recorded]
    assert listed(client, kind="voicemail") == listed(client, account="bob") == listed(client, offset=1) == listed(client, limit=0) == []
    with refused("InvalidOption", "sort"):
        listed(client, sort="x")


@sealed
def test_heard(client, recorded):
    client.call(ROOT, RECORDINGS, "SetHeard", "(sb)", recorded, True)
    assert listed(client)[0]["heard"] is True
    with refused("NoSuchEntry"):
        client.call(ROOT, RECORDINGS, "SetHeard", "(sb)", "nothing", True)


@sealed
def test_delete(client, phone, recorded):
    with refused("NoSuchEntry"):
        client.call(ROOT, RECORDINGS, "Delete", "(as)", ["../../etc/passwd"])
    client.call(ROOT, RECORDINGS, "Delete", "(as)", [recorded])
    assert listed(client) == []
    assert os.listdir(files(phone)) == []
    with refused("NoSuchEntry"):
        verify(client, recorded)


@sealed
def test_damage_is_found(client, phone, recorded):
    path = os.path.join(files(phone), recorded + ".seal")
    with open(path, "r+b") as file:
        file.seek(160)
        octet = file.read(1)
        file.seek(160)
        file.write(bytes([octet[0] ^ 1]))
    assert verify(client, recorded) == {"state": "damaged", "octets": 0}
    assert read_sound(client, recorded) == b""
    os.truncate(path, 170)
    assert verify(client, recorded)["state"] == "truncated"


@sealed
def test_killed_daemon_leaves_what_was_recorded(phone, client, call):
    ident = client.call(call, RECORDING, "Start", "(a{sv})", {})
    phone.daemon.kill()
    phone.daemon.wait()
    phone.daemon = phone.start_daemon("--credentials", os.path.join(SOURCE, "tests", "data", "credentials"))
    assert phone.daemon.stdout.readline() == "ready\n"
    later = phone.client()
    entry, = listed(later)
    assert (entry["id"], entry["state"], entry["remote-uri"]) == (ident, "cut-off", "sip:echo@example.org")
    assert verify(later, ident)["state"] == "truncated"


# ---- phonectl ----

@pytest.fixture
def ctl(phone):
    return Ctl(phone.address)


def test_phonectl_record(client, call, ctl):
    ctl.fails(1, "keyring", "record")
    assert ctl.ok("recording", "key") == "none\n"
    ctl.ok("recording", "unlock", stdin="correct horse\n")
    ident = ctl.ok("record").strip()
    assert re.fullmatch(r"[0-9a-f-]{36}", ident)
    assert "active, recorded" in ctl.ok("call") and re.search(f"^recording +running, {ident}$", ctl.ok("call", "show"), re.M)
    ctl.ok("record", "pause")
    assert "active, recording paused" in ctl.ok("call") and re.search("^recording +paused", ctl.ok("call", "show"), re.M)
    ctl.fails(8, "paused already", "record", "pause")
    assert ctl.json("record", "1", "start") == {"id": ident}
    ctl.ok("record", "1", "stop")
    ctl.fails(8, "not being recorded", "record", "1", "stop")
    ctl.fails(2, "start, pause or stop", "record", "1", "begin")
    assert "recorded" not in ctl.ok("call")
    assert ctl.json("recording", "key") == "ready"


def test_phonectl_recordings(client, ctl, recorded, tmp_path):
    line = ctl.ok("recording")
    assert recorded in line and "0:01" in line and "whole" in line and "Echo <sip:echo@example.org>" in line
    assert ctl.ok("recording", "list", "--kind", "voicemail") == "no recordings\n"
    assert ctl.ok("recording", "list", "--kind", "conference") == "no recordings\n"
    assert [e["id"] for e in ctl.json("recording", "list")] == [recorded]
    assert ctl.ok("recording", "export", recorded, "-") == "sound"
    out = tmp_path / "out"
    ctl.ok("recording", "export", recorded, str(out))
    for name, sound in (("out.opus", b"ogg: sound"), ("out.ogg", b"ogg: sound"), ("out.WAV", b"wav: sound")):
        ctl.ok("recording", "export", recorded, str(tmp_path / name))
        assert (tmp_path / name).read_bytes()[:10] == sound, name
    ctl.ok("recording", "export", "--format=ogg", recorded, str(tmp_path / "ogg.wav"))
    assert (tmp_path / "ogg.wav").read_bytes() == b"ogg: sound"
    assert out.read_bytes() == b"sound" and out.stat().st_mode & 0o777 == 0o600
    ctl.fails(1, "File exists", "recording", "export", recorded, str(out))
    assert ctl.ok("recording", "export", "--format=wav", recorded, "-") == "wav: sound"
    assert ctl.ok("recording", "export", "--format=ogg", recorded, "-") == "ogg: sound"
    ctl.fails(2, "ogg or wav", "recording", "export", "--format=mp3", recorded, "-")
    assert ctl.ok("recording", "verify", recorded) == "whole, 5 octets are good\n"
    assert ctl.json("recording", "verify", recorded) == {"state": "whole", "octets": 5}
    ctl.ok("recording", "lock")
    ctl.fails(10, "pass phrase", "recording", "verify", recorded)
    ctl.ok("recording", "unlock", stdin="correct horse")
    ctl.fails(7, "no recording|There is no", "recording", "delete", "nothing")
    ctl.ok("recording", "delete", recorded)
    assert ctl.json("recording") == []


@sealed
def test_phonectl_export_of_a_damaged_one(phone, client, ctl, recorded, tmp_path):
    path = os.path.join(files(phone), recorded + ".seal")
    os.truncate(path, os.path.getsize(path) - 1)
    result = ctl.fails(1, "truncated", "recording", "export", recorded, "-")
    assert result.stdout == ""
    assert ctl.run("recording", "verify", recorded).stdout == "truncated, 0 octets are good\n"
    out = tmp_path / "out"
    ctl.fails(1, "truncated", "recording", "export", recorded, str(out))
    assert not out.exists()


@sealed
def test_phonectl_plays_with_what_is_there(client, ctl, recorded, tmp_path):
    player = tmp_path / "mpv"
    player.write_text("#!/bin/sh\ncat > %s/played\n" % tmp_path)
    player.chmod(0o755)
    ctl.ok("recording", "play", recorded, PATH=str(tmp_path) + ":" + os.environ["PATH"])
    assert (tmp_path / "played").read_bytes() == b"sound"
    assert ctl.json("recording")[0]["heard"] is True
    empty = tmp_path / "empty"
    empty.mkdir()
    ctl.fails(1, "nothing that plays", "recording", "play", recorded, PATH=str(empty))


@sealed
def test_phonectl_completes_recordings(client, ctl, recorded):
    result = subprocess.run([os.environ["PHONECTL"], "--complete", "recording", "play", ""], capture_output=True, text=True,
                            env=ctl.environment, timeout=30)
    assert result.stdout.startswith(recorded + "\t")
