# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.phoned.Phone1.Audio, member by member."""
import pytest

from phonebus import AUDIO, ROOT, refused, wait


def test_devices(client):
    devices = client.get(ROOT, AUDIO, "Devices")
    assert [(d["id"], d["role"], d["default"]) for d in devices] == [("alsa:headset", "input", True), ("alsa:headset", "output", False)]
    assert devices[0]["name"] == "Headset ?"        # what is not UTF-8 does not cost us the bus


@pytest.mark.parametrize("name", ["Input", "Output", "Ring"])
def test_selection(client, name):
    assert client.get(ROOT, AUDIO, name) == "default"
    client.set(ROOT, AUDIO, name, "s", "alsa:headset")
    assert client.get(ROOT, AUDIO, name) == "alsa:headset"
    wait(lambda: [c for c in client.changes(ROOT, AUDIO) if c.get(name) == "alsa:headset"])
    with refused("NoDevice", "alsa:lost"):
        client.set(ROOT, AUDIO, name, "s", "alsa:lost")
    for wrong in ("nonsense", "x" * 5000):
        with refused("InvalidOption"):
            client.set(ROOT, AUDIO, name, "s", wrong)
    assert client.get(ROOT, AUDIO, name) == "alsa:headset"
    # Nothing chosen: what is configured counts again.
    client.set(ROOT, AUDIO, name, "s", "")
    assert client.get(ROOT, AUDIO, name) == "default"


def test_echo_cancel(client):
    assert client.get(ROOT, AUDIO, "EchoCancel") == "auto"
    client.set(ROOT, AUDIO, "EchoCancel", "s", "off")
    assert client.get(ROOT, AUDIO, "EchoCancel") == "off"
    wait(lambda: [c for c in client.changes(ROOT, AUDIO) if c.get("EchoCancel") == "off"])
    with refused("InvalidOption"):
        client.set(ROOT, AUDIO, "EchoCancel", "s", "default")
    client.set(ROOT, AUDIO, "EchoCancel", "s", "")
    assert client.get(ROOT, AUDIO, "EchoCancel") == "auto"


def test_follow_default(client):
    assert client.get(ROOT, AUDIO, "FollowDefault") is True
    client.set(ROOT, AUDIO, "FollowDefault", "b", False)
    assert client.get(ROOT, AUDIO, "FollowDefault") is False
    wait(lambda: [c for c in client.changes(ROOT, AUDIO) if c.get("FollowDefault") is False])
    client.set(ROOT, AUDIO, "FollowDefault", "b", True)
    assert client.get(ROOT, AUDIO, "FollowDefault") is True


@pytest.mark.parametrize("name", ["InputMuted", "OutputMuted"])
def test_muted(client, name):
    assert client.get(ROOT, AUDIO, name) is False
    client.set(ROOT, AUDIO, name, "b", True)
    assert client.get(ROOT, AUDIO, name) is True
    wait(lambda: {name: True} in client.changes(ROOT, AUDIO))


@pytest.mark.parametrize("name", ["InputVolume", "OutputVolume"])
def test_volume(client, name):
    assert client.get(ROOT, AUDIO, name) == 100
    client.set(ROOT, AUDIO, name, "u", 85)
    assert client.get(ROOT, AUDIO, name) == 85
    wait(lambda: {name: 85} in client.changes(ROOT, AUDIO))
    with refused("InvalidOption", name):
        client.set(ROOT, AUDIO, name, "u", 151)
    assert client.get(ROOT, AUDIO, name) == 85
    client.set(ROOT, AUDIO, name, "u", 0)
    assert client.get(ROOT, AUDIO, name) == 0


def test_fader_of_the_mixer(client):
    """What is moved in the mixer of the desktop is told, and the engine hears it back."""
    client.test("Fader", "(su)", "output-volume", 40)
    wait(lambda: {"OutputVolume": 40} in client.changes(ROOT, AUDIO))
    client.test("Fader", "(su)", "output-mute", 1)
    wait(lambda: {"OutputMuted": True} in client.changes(ROOT, AUDIO))
    assert client.get(ROOT, AUDIO, "InputMuted") is False and client.get(ROOT, AUDIO, "InputVolume") == 100


@pytest.mark.parametrize("role", ["output", "ring"])
def test_test_tone(client, role):
    client.call(ROOT, AUDIO, "TestTone", "(s)", role)
    client.set(ROOT, AUDIO, role.title(), "s", "silence")
    with refused("NoDevice"):
        client.call(ROOT, AUDIO, "TestTone", "(s)", role)


def test_test_tone_wants_a_role(client):
    for wrong in ("", "input", "Output", "x" * 5000):
        with refused("InvalidOption", "role"):
            client.call(ROOT, AUDIO, "TestTone", "(s)", wrong)


def test_device_lost(client):
    client.test("DeviceLost", "(s)", "alsa:headset")
    wait(lambda: client.signals(ROOT, "DeviceLost") == [("alsa:headset",)])
    wait(lambda: [c for c in client.changes(ROOT, AUDIO) if "Devices" in c])
