# SPDX-License-Identifier: LGPL-2.1-or-later
"""contrib/examples as somebody would use them, between phones."""
import os
import signal
import subprocess

import pytest

from compare_wav import compare
from phone import ROOT, Phone, die_with_parent
from recording import Recording, finished, now

PROVIDER_ADDRESS = "127.60.7.1"
USERS = {"alice": "secret of alice", "bob": "secret of bob"}
EXAMPLES = ROOT / "contrib" / "examples"


@pytest.fixture(scope="module")
def heard(work):
    return {name: work / f"{name}-heard.wav" for name in USERS}


@pytest.fixture(scope="module")
def pair(provider, work, build, speech, heard):
    phones = [Phone(name, work, build, audio={"input": sound, "output": f"file:{heard[name]}", "ring": "silence"}, hurry=True)
              for name, sound in zip(USERS, (f"file:{speech[0]}", "silence"))]
    try:
        for phone in phones:
            phone.start()
            phone.add_account("main", provider.account_settings(phone.name, "udp"), USERS[phone.name])
        yield phones
    finally:
        for phone in phones:
            phone.stop()


@pytest.fixture
def run(pair):
    """Starts an example at bob's; ends it, and what it has started, with the test."""
    started = []

    def start(*words, **more):
        environment = pair[1].environment()
        environment["PATH"] = f"{pair[1].phonectl.parent}:{environment['PATH']}"

        def prepare():
            os.setsid()
            die_with_parent()

        started.append(subprocess.Popen([str(w) for w in words], env=environment, preexec_fn=prepare, **more))
        return started[-1]

    yield start
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        process.wait(10)
    for phone in pair:
        phone.ctl("hangup", "--all")
        phone.wait_idle()


def prompt_of(speech, folder):
    """A few seconds of the other voice."""
    path = folder / "prompt.wav"
    subprocess.run(["sox", str(speech[1]), str(path), "trim", "0", "4"], check=True)
    return path


def dial_until_answered(alice):
    """A program that has just been started may miss the first call: it is made again."""
    for _ in range(10):
        number = alice.ctl("dial", "bob", "--account", "main")["call"]
        try:
            alice.wait_call("active", number, timeout=3)
            return number
        except TimeoutError:
            alice.ctl("hangup", number)
            alice.wait_idle()
    raise AssertionError("nobody answers")


def test_echo_bot(pair, run, speech, heard):
    alice = pair[0]
    run("/usr/bin/python3", EXAMPLES / "echo-bot.py")
    number = dial_until_answered(alice)
    alice.collect_stats(number, 5)
    alice.ctl("hangup", number)
    alice.wait_idle()
    sound = compare(speech[0], finished(heard["alice"]))
    assert sound["matched"] >= 0.5 and sound["correlation"] >= 0.6, sound


def test_voice_menu(pair, run, speech, heard, tmp_path):
    alice = pair[0]
    prompt = prompt_of(speech, tmp_path)
    directions = tmp_path / "directions.wav"
    subprocess.run(["sox", str(speech[0]), str(directions), "trim", "0", "2"], check=True)
    run(EXAMPLES / "voice-menu.sh", prompt, directions, "alice")
    number = dial_until_answered(alice)
    answered = now()
    alice.collect_stats(number, 5)
    origin = alice.stats(number)["output-origin"]
    alice.ctl("dtmf", number, "1")
    alice.wait_idle()                       # the directions are said, and bob hangs up
    assert alice.reason(number)["actor"] == "remote"
    # Two voices, one after the other, each looked for where it was said: a search of the whole would follow the louder one.
    recording = Recording(heard["alice"], origin)
    said = recording.compare(speech[1], answered + 0.5, answered + 3.5)
    assert said["matched"] >= 0.5 and said["correlation"] >= 0.6, said
    over = recording.origin + len(recording.samples) / recording.rate
    said = recording.compare(speech[0], over - 1.8, over - 0.2)
    assert said["matched"] >= 0.5 and said["correlation"] >= 0.6, said


def test_reminder(pair, run, speech, tmp_path):
    alice = pair[0]
    prompt = tmp_path / "short.wav"
    subprocess.run(["sox", str(speech[1]), str(prompt), "trim", "0", "1"], check=True)
    process = run(EXAMPLES / "reminder.sh", prompt, "0", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write("alice\nalice\nno body\nnobody\n")
    process.stdin.close()
    alice.ctl("answer", alice.wait_call("incoming"))
    assert process.stdout.readline() == "alice played\n"
    alice.ctl("reject", alice.wait_call("incoming"), "--busy")
    assert process.stdout.readline() == "alice busy\n"
    assert process.stdout.readline() == "no body refused\n"
    assert process.stdout.readline().startswith("nobody not-found")
    process.stdout.close()
