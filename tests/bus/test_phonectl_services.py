# SPDX-License-Identifier: LGPL-2.1-or-later
"""phonectl's verbs for one call in place of another."""
import json
import re

import pytest

from phonebus import CALL, number_of, wait
from phonectl import Ctl


@pytest.fixture
def ctl(phone):
    return Ctl(phone.address)


def active(client, target="sip:echo@example.org"):
    call = client.dial(target)
    client.wait_state(call, "active")
    return call


def test_transfer(client, ctl):
    call = active(client)
    assert ctl.ok("transfer", "--wait", "sip:carol@example.org") == "transfer done (200)\n"
    client.wait_state(call, "disconnected")
    text = ctl.ok("call", "show", str(number_of(call)))
    assert re.search("^transfer +done \\(200\\)$", text, re.M) and "transferred by local" in text
    assert "disconnected, transferred" in ctl.ok("call")


def test_transfer_that_fails(client, ctl):
    call = active(client)
    ctl.fails(3, "", "transfer", "-w", str(number_of(call)), "sip:busy@example.org")
    client.wait_state(call, "active")
    got = ctl.run("--json", "transfer", "-w", "sip:busy@example.org")
    assert json.loads(got.stdout) == {"state": "failed", "sip": 486} and got.returncode == 3
    assert re.search("^transfer +failed: busy \\(486\\)$", ctl.ok("call", "show", str(number_of(call))), re.M)


def test_attended(client, ctl):
    first, second = active(client), active(client)
    client.wait_state(first, "held")
    ctl.fails(2, "transfer N --to N", "transfer", "--to", str(number_of(second)))
    ctl.ok("transfer", str(number_of(first)), "--to", str(number_of(second)))
    client.wait_state(first, "disconnected")
    client.wait_state(second, "disconnected")


def test_words(client, ctl):
    active(client)
    ctl.fails(2, "one of TARGET, --to, --accept and --decline", "transfer")
    ctl.fails(2, "one of TARGET, --to, --accept and --decline", "transfer", "1", "--accept", "--decline")
    ctl.fails(2, "one of TARGET, --to, --accept and --decline", "transfer", "1", "bob", "--accept")
    ctl.fails(7, "there is no call 9", "transfer", "9", "sip:bob@example.org")
    ctl.fails(8, "", "transfer", "--accept")


def test_answering_the_peer(client, ctl):
    call = active(client)
    client.test("Refer", "(uss)", number_of(call), "sip:echo@example.net", "")
    assert re.search("^asks to call +sip:echo@example.net", ctl.ok("call", "show"), re.M)
    ctl.ok("transfer", "--decline")
    client.test("Refer", "(uss)", number_of(call), "sip:echo@example.net", "")
    fresh = ctl.json("transfer", str(number_of(call)), "--accept")
    assert fresh["object"] == client.get(call, CALL, "ReplacedBy")
    wait(lambda: "in place of" in ctl.ok("call", "show", str(fresh["call"])))


def test_deflect(client, ctl):
    call = client.incoming()
    ctl.fails(2, "emergency", "deflect", "112")
    ctl.ok("deflect", "sip:carol@example.org")
    client.wait_state(call, "disconnected")
    assert client.get(call, CALL, "Reason")["reason"] == "redirected"
    assert client.test("News") == "deflection sip:carol@example.org "


# ---- parking and picking up ----

def test_park_and_pickup(client, ctl):
    ctl.ok("account", "set", "alice", "park=700", "retrieve=echo", "pickup=*8{target}")
    call = active(client)
    assert ctl.ok("park") == "parked at 701\n"
    client.wait_state(call, "disconnected")
    assert ctl.json("call", "show", str(number_of(call)))["Parked"] == "701"
    second = ctl.json("pickup", "--parked")["object"]
    client.wait_state(second, "active")
    assert ctl.json("park", str(number_of(second)), "9") == {"slot": "9"}
    ctl.fails(8, "", "park", str(number_of(call)))
    third = ctl.json("pickup", "bob", "--account", "alice")["object"]
    assert client.get(third, CALL, "RemoteUri") == "sip:*8bob@example.org"


# ---- digits ----

def test_collect(client, ctl, tmp_path):
    call = active(client)

    def collected(keys, *words):
        wait(lambda: client.test("Counters")[0] == 0, "the phonectl before to be forgotten")
        with ctl.start("--json", "collect", *words, "--first-timeout=3600", "--digit-timeout=3600") as running:
            wait(lambda: client.test("Counters")[0] == 1, "the wait to begin")
            for key in keys:
                client.test("Digit", "(usu)", number_of(call), key, 100)
            status, out, _ = running.end()
            return json.loads(out), status

    assert collected("12#", "--max=4") == ({"digits": "12", "reason": "terminator"}, 0)
    assert collected("12#", "--max", "3", "--terminators", "") == ({"digits": "12#", "reason": "max"}, 0)
    ctl.fails(4, "", "collect", str(number_of(call)), "--first-timeout=0")
    assert ctl.ok("collect", "--min=0", "--first-timeout=0") == "\n"
    ctl.fails(9, "no such file", "collect", "--prompt=/nowhere.wav")
    ctl.fails(9, "No such file", "collect", "--prompt=nowhere.wav")
    for words, text in ((["--min=9", "--max=3"], "'min'"), (["--max=0"], "--max wants 1 to 128"), (["--first-timeout=x"], "--first-timeout wants"),
                        (["--terminators=x"], "'terminators'")):
        ctl.fails(2, text, "collect", *words)
    wait(lambda: client.test("Counters")[0] == 0)
    with ctl.start("collect") as running:
        wait(lambda: client.test("Counters")[0] == 1, "the wait to begin")
        client.test("End", "(uu)", number_of(call), 0)
        assert running.end()[:2] == (8, "\n")
