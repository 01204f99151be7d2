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


def test_input_muted(client):
    client.set(ROOT, AUDIO, "InputMuted", "b", True)
    assert client.get(ROOT, AUDIO, "InputMuted") is True
    wait(lambda: {"InputMuted": True} in client.changes(ROOT, AUDIO))


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
