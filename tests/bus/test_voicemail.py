# SPDX-License-Identifier: LGPL-2.1-or-later
"""The answering machine's part of org.phoned.Phone1.Voicemail, and `phonectl voicemail`."""
import pytest

from phonebus import ACCOUNT, ROOT, VOICEMAIL, wait
from phonectl import Ctl

ALICE = ROOT + "/account/alice"


@pytest.fixture
def ctl(phone):
    return Ctl(phone.address)


def test_answering_is_the_setting(client, ctl):
    assert client.get(ALICE, VOICEMAIL, "Answering") is False
    assert (client.get(ALICE, VOICEMAIL, "Messages"), client.get(ALICE, VOICEMAIL, "Unheard")) == (0, 0)
    client.set(ALICE, VOICEMAIL, "Answering", "b", True)
    assert client.get(ALICE, ACCOUNT, "Settings")["answering"] == "true"
    wait(lambda: any(c.get("Answering") is True for c in client.changes(ALICE, VOICEMAIL)))
    assert "here 0 new, 0 heard" in ctl.ok("voicemail")
    ctl.ok("voicemail", "machine", "off")
    assert client.get(ALICE, VOICEMAIL, "Answering") is False and "here" not in ctl.ok("voicemail")
    assert "recording unlock" in ctl.ok("voicemail", "machine", "--account", "alice", "on")
    assert client.get(ALICE, VOICEMAIL, "Answering") is True
    ctl.fails(2, "on or off", "voicemail", "machine", "maybe")


def test_an_empty_box(client, ctl):
    assert ctl.json("voicemail", "list") == [] and ctl.ok("voicemail", "list") == "no messages\n"
    ctl.fails(7, "no new message", "voicemail", "play")
    ctl.fails(2, "heard or new", "voicemail", "mark", "old", "00000000-0000-4000-8000-000000000000")
    for words in (("mark", "heard", "nothing"), ("delete", "nothing"), ("export", "nothing", "-")):
        ctl.fails(7, "no recording", "voicemail", *words)
