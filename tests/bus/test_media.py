# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.phoned.Phone1.Media: properties, and statistics that go to subscribers only."""
import os

import pytest
from gi.repository import GLib

from phonebus import CALL, MEDIA, Error, number_of, refused, wait


@pytest.fixture
def call(client):
    path = client.dial("sip:echo@example.org")
    client.wait_state(path, "active")
    return path


def stats(client, call):
    return [s[0] for s in client.signals(call, "Stats")]


def counters(client):
    return client.test("Counters")


def test_properties(client, call):
    got = client.get_all(call, MEDIA)
    assert got == {"Codec": "opus", "ClockRate": 48000, "Ptime": 20, "Bitrate": 28000, "Direction": "sendrecv",
                   "Security": {}, "RemoteAddress": "192.0.2.7:4000", "IceState": "off"}
    wait(lambda: [c for c in client.changes(call, MEDIA) if c.get("Codec") == "opus"])


def test_properties_before_media(client):
    silent = client.dial("sip:silent@example.org")
    assert client.get_all(silent, MEDIA) == {"Codec": "", "ClockRate": 0, "Ptime": 0, "Bitrate": 0, "Direction": "", "Security": {},
                                             "RemoteAddress": "", "IceState": "off"}


def test_security(client):
    client.add_account("t", aor="sip:t@secure.example", transport="tls")
    wait(lambda: client.get("/org/phoned/Phone1/account/t", "org.phoned.Phone1.Account", "Registration") == "registered")
    path = client.dial("sip:echo@secure.example")
    client.wait_state(path, "active")
    assert client.get(path, MEDIA, "Security") == {"keying": "sdes", "suite": "AEAD_AES_256_GCM"}


def test_direction_follows_hold(client, call):
    client.call(call, CALL, "Hold")
    assert client.get(call, MEDIA, "Direction") == "sendonly"
    wait(lambda: [c for c in client.changes(call, MEDIA) if c.get("Direction") == "sendonly"])


def test_stats_hold_what_is_known(client, call):
    client.call(call, MEDIA, "Subscribe", "(u)", 100)
    first = wait(lambda: stats(client, call))[0]
    assert first["packets-lost"] == -2 and first["loss-local"] == 0.02 and first["codec"] == "opus" and first["mos"] == 4.2
    assert first["level-in"] == -30 and first["rate-reason"] == "steady" and first["input-origin"] == 12345
    assert (first["red"], first["copies-sent"], first["copies-used"], first["feedback"], first["send-queue"], first["breaks"]) == (1, 20, 3, "ccfb", 1.5, 1)
    assert (first["here-loss"], first["here-rating"], first["here-mos-listening"]) == (0.01, 88, 4.3) and "here-echo-return" not in first
    assert (first["peer-loss"], first["peer-burst-density"], first["peer-burst-length"], first["peer-gap-length"]) == (0.03, 0.25, 120, 4000)
    assert (first["peer-signal"], first["peer-mos-conversation"]) == (-20, 3.9) and "peer-round-trip" not in first
    assert not {"round-trip", "loss-remote", "jitter-remote", "output-origin"} & set(first)
    wait(lambda: len(stats(client, call)) >= 3)
    times = [s["at"] for s in stats(client, call)]
    assert times == sorted(times)


def test_documented_keys_are_the_keys(client, call):
    import os
    import re
    import phonebus
    with open(os.path.join(phonebus.SOURCE, "dbus", MEDIA + ".xml"), encoding="utf-8") as file:
        text = file.read().split("@values", 1)[1].split("-->", 1)[0]
    documented = set(re.findall(r"([a-z][a-z0-9-]*) [xstdu](?=[,:])", text))
    client.call(call, MEDIA, "Subscribe", "(u)", 100)
    got = set(wait(lambda: stats(client, call))[0])
    assert got <= documented
    assert documented - got == {"round-trip", "loss-remote", "jitter-remote", "output-origin", "ice-local", "ice-remote", "here-echo-return",
                                "peer-round-trip"}


@pytest.mark.parametrize("ms", [0, 1, 99, 60001, 0xffffffff])
def test_interval_is_bounded(client, call, ms):
    with refused("InvalidOption", "100 to 60000"):
        client.call(call, MEDIA, "Subscribe", "(u)", ms)
    assert counters(client)[1] == 0


def test_stats_are_for_the_subscriber_alone(phone, client, call):
    other = phone.client().listen()
    client.call(call, MEDIA, "Subscribe", "(u)", 100)
    wait(lambda: len(stats(client, call)) >= 3)
    other.get(call, MEDIA, "Codec")
    assert stats(other, call) == []


def test_subscribe_again_changes_the_interval(client, call):
    client.call(call, MEDIA, "Subscribe", "(u)", 60000)
    client.call(call, MEDIA, "Subscribe", "(u)", 100)
    assert counters(client)[1] == 1
    wait(lambda: len(stats(client, call)) >= 4)


def test_unsubscribe(client, call):
    client.call(call, MEDIA, "Unsubscribe")
    client.call(call, MEDIA, "Subscribe", "(u)", 100)
    client.call(call, MEDIA, "Unsubscribe")
    assert counters(client)[1] == 0
    seen = len(stats(client, call))
    client.call(call, MEDIA, "Subscribe", "(u)", 60000)     # one at once, and no timer of before
    wait(lambda: len(stats(client, call)) == seen + 1)


def test_subscription_ends_with_the_call(client, call):
    client.call(call, MEDIA, "Subscribe", "(u)", 100)
    client.test("End", "(uu)", number_of(call), 0)
    client.wait_state(call, "disconnected")
    assert counters(client)[1] == 0
    with refused("CallEnded"):
        client.call(call, MEDIA, "Subscribe", "(u)", 100)
    client.call(call, MEDIA, "Unsubscribe")


def test_subscription_before_media(client):
    silent = client.dial("sip:silent@example.org")
    client.call(silent, MEDIA, "Subscribe", "(u)", 100)
    assert counters(client)[1] == 1 and stats(client, silent) == []


def test_subscription_ends_with_the_client(phone, client, call):
    leaving = phone.client().listen()
    leaving.call(call, MEDIA, "Subscribe", "(u)", 100)
    wait(lambda: stats(leaving, call))
    assert counters(client)[:2] == (1, 1)
    leaving.close()
    wait(lambda: counters(client)[:2] == (0, 0), "the daemon to notice that its subscriber has gone")


def test_open_stream(client, call):
    def stream(**options):
        variant, fds = client.connection.call_with_unix_fd_list_sync(
            "org.phoned.Phone1", call, MEDIA, "OpenStream", GLib.Variant("(a{sv})", (options,)), None, 0, 20000, None, None)
        with os.fdopen(fds.get(variant.unpack()[0]), "rb") as socket:
            return socket.read().decode()

    assert stream() == "1 1 48000 1 0\n"
    assert stream(direction=GLib.Variant("s", "listen"), rate=GLib.Variant("u", 8000), channels=GLib.Variant("u", 2)) == "1 0 8000 2 0\n"
    assert stream(direction=GLib.Variant("s", "speak"), live=GLib.Variant("b", True)) == "0 1 48000 1 1\n"
    for key, value in (("direction", "s", ), ("format", "s")):
        with refused("InvalidOption", key):
            client.call(call, MEDIA, "OpenStream", "(a{sv})", {key: GLib.Variant(value, "nonsense")})
    with refused("InvalidOption", "rate"):
        client.call(call, MEDIA, "OpenStream", "(a{sv})", {"rate": GLib.Variant("u", 44100)})


def test_play(client, call, tmp_path):
    sound = tmp_path / "a b.wav"
    sound.write_bytes(b"RIFF")
    client.call(call, MEDIA, "Play", "(sa{sv})", sound.as_uri(), {})
    client.call(call, MEDIA, "Play", "(sa{sv})", str(sound), {"queue": GLib.Variant("b", True)})
    wait(lambda: client.signals(call, "Played") == [(str(sound),)] * 2)
    client.call(call, MEDIA, "StopPlaying")
    with refused("NoDevice", "no such file"):
        client.call(call, MEDIA, "Play", "(sa{sv})", "/nowhere", {})
    for wrong in ("http://example.org/a.wav", "a.wav", ""):
        with refused("InvalidOption", "Only files"):
            client.call(call, MEDIA, "Play", "(sa{sv})", wrong, {})


def test_no_sound_before_the_answer(client):
    path = client.incoming()
    assert "play" not in client.get(path, CALL, "Can")
    with refused("InvalidState", "no sound"):
        client.call(path, MEDIA, "OpenStream", "(a{sv})", {})
    with refused("InvalidState", "no sound"):
        client.call(path, MEDIA, "StopPlaying")


def collect(client, call, **options):
    return client.start(call, MEDIA, "CollectDigits", "(a{sv})", {k.replace("_", "-"): GLib.Variant(*v) for k, v in options.items()})


def press(client, call, keys):
    for key in keys:
        client.test("Digit", "(usu)", number_of(call), key, 100)


def test_collect_digits(client, call, tmp_path):
    sound = tmp_path / "prompt.wav"
    sound.write_bytes(b"RIFF")
    waiting = collect(client, call, min=("u", 2), max=("u", 6), terminators=("s", "*#"), prompt=("s", str(sound)), barge_in=("b", False))
    press(client, call, "1*2*")
    assert waiting.wait() == ("12", "terminator")
    assert client.signals(call, "Played") == [(str(sound),)]
    assert [s[0] for s in client.signals(call, "DtmfReceived")] == list("1*2*")
    waiting = collect(client, call, max=("u", 1))
    press(client, call, "9")
    assert waiting.wait() == ("9", "max")
    assert collect(client, call, first_timeout=("u", 0)).wait() == ("", "timeout")
    waiting = collect(client, call)
    client.test("End", "(uu)", number_of(call), 0)
    assert waiting.wait() == ("", "hangup")
    with refused("CallEnded"):
        collect(client, call).wait()


def test_collect_options(client, call):
    for key, value in (("max", ("u", 129)), ("min", ("s", "1")), ("terminators", ("s", "E")), ("first-timeout", ("u", 3600001)),
                       ("digit-timeout", ("u", 0)), ("end", ("s", "#"))):
        with refused("InvalidOption", key):
            collect(client, call, **{key: value}).wait()
    with refused("NoDevice"):
        collect(client, call, prompt=("s", "/nowhere")).wait()
    assert counters(client)[0] <= 1
    path = client.incoming()
    with refused("InvalidState", "no sound"):
        collect(client, path).wait()


def test_one_collects_at_a_time(phone, client, call):
    other = phone.client()
    waiting = collect(client, call)
    with refused("InProgress", "collected already"):
        collect(other, call).wait()
    other.call(call, MEDIA, "StopCollecting")
    assert waiting.wait() == ("", "stopped")
    client.call(call, MEDIA, "StopCollecting")


def test_collecting_ends_with_the_client(phone, client, call):
    leaving = phone.client()
    collect(leaving, call)
    wait(lambda: counters(client)[0] == 1)
    leaving.close()

    def is_free():
        waiting = collect(client, call, first_timeout=("u", 0))
        try:
            return waiting.wait() == ("", "timeout")
        except Error as error:
            assert error.name == "InProgress"
            return False
    wait(is_free, "the daemon to notice that its client has gone")
