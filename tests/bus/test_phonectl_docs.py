# SPDX-License-Identifier: LGPL-2.1-or-later
"""What must know every verb and option of phonectl: its page and the completions of three shells."""
import json
import os
import re
import shutil
import subprocess

import pytest

import phonebus
from phonebus import CALL, wait
from phonectl import Ctl

SHELLS = os.path.join(phonebus.SOURCE, "contrib", "completions")


def rows():
    """The options of all, and (words, options) of each row."""
    first, *rest = Ctl().ok("--list-verbs").splitlines()
    split = [line.split() for line in rest]
    return first.split(), [([w for w in line if not w.startswith("--")], [w for w in line if w.startswith("--")]) for line in split]


def page(name):
    with open(os.path.join(phonebus.SOURCE, "man", name), encoding="utf-8") as file:
        return file.read()


# ---- the page ----

def entries(plain):
    """(first line, text below it) of every entry of the sections about verbs."""
    sections = plain[plain.index("# VERBS FOR THE PHONE"):plain.index("# JSON")]
    return [(m[1], m[2]) for m in re.finditer(r"^([^\t#\n].*)\n((?:\t.*\n|\n(?=\t))+)", sections, re.M)]


def test_page_has_every_verb_and_option():
    plain = re.sub(r"[*_]", "", page("phonectl.1.scd"))
    everywhere, verbs = rows()
    for option in everywhere:
        assert re.search(rf"^(-\w, )?{option}\b", plain, re.M), option
    for words, options in verbs:
        name = " ".join(words)
        # An entry of its own, or one of several in a line ("hold [N], resume [N]").
        found = [head + body for head, body in entries(plain)
                 if re.search(rf"(^|, ){re.escape(name)}( |$|,)", head.replace(" [list]", " list", 1))]
        assert found, name
        for option in options:
            assert option in found[0], f"{name} {option}"


def test_page_has_nothing_else():
    plain = re.sub(r"[*_]", "", page("phonectl.1.scd"))
    everywhere, verbs = rows()
    known = set(everywhere) | {o for _, options in verbs for o in options}
    written = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", plain[:plain.index("# EXAMPLES")]))
    assert written <= known, written - known


def test_page_has_every_exit_status():
    text = page("phonectl.1.scd")
    section = text[text.index("# EXIT STATUS"):text.index("# ENVIRONMENT")]
    written = {int(n) for n in re.findall(r"^\|\[?\s+(\d+)$", section, re.M)}
    with open(os.path.join(phonebus.SOURCE, "dbus", "errors.def"), encoding="utf-8") as file:
        table = {int(n) for n in re.findall(r'^X \(\w+,\s+"\w+",\s+(\d+),', file.read(), re.M)}
    assert written == set(range(11)) and table <= written


def test_every_reason_has_an_exit_status():
    """The words of Call.Reason, as the contract lists them, are in the client's table."""
    with open(os.path.join(phonebus.SOURCE, "dbus", CALL + ".xml"), encoding="utf-8") as file:
        listed = re.search(r"reason s: the class in one word: (.*?)sip u:", file.read(), re.S)[1]
    with open(os.path.join(phonebus.SOURCE, "client", "ctl-bus.c"), encoding="utf-8") as file:
        table = set(re.findall(r'\{ "([a-z-]+)", CTL_EXIT', file.read()))
    assert set(re.findall(r"[a-z-]+", listed)) == table


def test_settings_are_those_of_the_page():
    text = page("phoned.conf.5.scd")
    section = text[text.index("# SETTINGS OF AN ACCOUNT"):]
    keys = re.findall(r"^\*([a-z-]+)\*=", section, re.M)
    offered = [line.split("\t")[0].rstrip("=") for line in Ctl().ok("--complete", "account", "set", "x", "").splitlines()]
    assert offered == keys and len(keys) > 20


def test_page_of_the_daemon():
    text = page("phoned.1.scd")
    with open(os.path.join(phonebus.SOURCE, "daemon", "main.c"), encoding="utf-8") as file:
        source = file.read()
    options = re.findall(r'^\s+\{ "([a-z-]+)", 0, 0, G_OPTION_ARG', source, re.M)
    assert len(options) >= 2
    for word in [f"*--{option}*" for option in options] + [f"*{s}*" for s in re.findall(r"g_unix_signal_add \((SIG\w+)", source)]:
        assert word in text, word
    with open(os.path.join(phonebus.SOURCE, "daemon", "util", "log.c"), encoding="utf-8") as file:
        fields = set(re.findall(r'\{ "([A-Z_]+)", fields->', file.read()))
    assert fields and all(f"*{field}=*" in text for field in fields)


# ---- completion ----

def complete_directly(ctl, words):
    return [line.split("\t")[0] for line in ctl.ok("--complete", *words).splitlines()]


@pytest.fixture
def path(tmp_path):
    """A PATH with phonectl first."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "phonectl").symlink_to(os.environ["PHONECTL"])
    return f"{tmp_path}/bin:{os.environ['PATH']}"


def complete_bash(ctl, words):
    # What readline hands over: split at white space, and at '=' and ':' too.
    line = " ".join(["phonectl", *words])
    pieces = [p for p in re.findall(r"[=:]|[^\s=:]+", line)]
    if not words[-1]:
        pieces.append("")
    script = (f"source {SHELLS}/phonectl.bash\nCOMP_WORDS=(" + " ".join(f"'{p}'" for p in pieces) + ")\n"
              f"COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\nCOMP_LINE='{line}'\n_phonectl\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"")
    return shell(ctl, ["bash", "-u", "-c", script])


def complete_fish(ctl, words):
    line = " ".join(["phonectl", *words])
    return [l.split("\t")[0] for l in shell(ctl, ["fish", "--no-config", "-c", f"source {SHELLS}/phonectl.fish; complete -C '{line}'"])]


def complete_zsh(ctl, words):
    # compadd stands in for the line editor's: it prints the array that it was given.
    script = ("compadd () { local name=${@[-1]}; print -rl -- ${(P)name} }\n"
              "words=(phonectl " + " ".join(f"'{w}'" for w in words) + f")\nCURRENT={len(words) + 1}\nsource {SHELLS}/_phonectl")
    return shell(ctl, ["zsh", "-f", "-c", script])


def shell(ctl, command):
    result = subprocess.run(command, env=ctl.environment, capture_output=True, text=True, timeout=30)
    assert result.stderr == "" and result.returncode == 0, result
    return [line for line in result.stdout.splitlines() if line]


WAYS = {"phonectl": complete_directly, "bash": complete_bash, "fish": complete_fish, "zsh": complete_zsh}


@pytest.fixture(params=sorted(WAYS))
def complete(request, path):
    if request.param != "phonectl" and not shutil.which(request.param):
        pytest.skip(f"no {request.param}")

    def run(*words, address=None):
        return WAYS[request.param](Ctl(address, PATH=path), words)
    run.name = request.param
    return run


@pytest.mark.skipif(not shutil.which("zsh") or "BUILD_ROOT" not in os.environ, reason="no zsh, or not run by meson")
def test_zsh_finds_it():
    """Where it is installed is where zsh looks. Under another prefix than the system's it has to be told."""
    with open(os.path.join(os.environ["BUILD_ROOT"], "meson-info", "intro-installed.json"), encoding="utf-8") as file:
        target, = (path for path in json.load(file).values() if path.endswith("/_phonectl"))
    if not target.startswith(("/usr/share/", "/usr/local/share/")):
        pytest.skip(f"installed as {target}")
    looks = subprocess.run(["zsh", "-f", "-c", "print -l $fpath"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert os.path.dirname(target) in looks


def test_every_verb_and_option_is_offered(complete):
    everywhere, verbs = rows()
    assert set(complete("")) == {words[0] for words, _ in verbs}
    actions = {words[0] for words, _ in verbs if len(words) == 2}
    for words, options in verbs:
        if words[0] in actions and len(words) == 1:
            assert set(complete(words[0], "")) == {w[1] for w, _ in verbs if w[0] == words[0] and len(w) == 2}
        else:
            offered = {o.rstrip("=") for o in complete(*words, "--")}
            assert offered == set(options) | set(everywhere), words


def test_beginnings(complete):
    assert complete("acc") == ["account"]
    assert complete("dial", "--wa") == ["--wait"]
    assert complete("--json", "account", "reg") == ["register"]
    assert complete("account", "add", "x", "tls-c") == ["tls-ca=", "tls-cert="]
    assert complete("nonsense", "") == [] or complete("nonsense", "") == complete("")
    assert complete("status", "") == [] and complete("hangup", "") == []


def test_live_ids_and_numbers(complete, phone, client):
    address = phone.address
    first = client.dial("sip:echo@example.org")
    client.wait_state(first, "active")
    client.incoming()
    client.add_account("work", aor="sip:w@example.org")
    assert complete("account", "show", "", address=address) == ["alice", "work"]
    assert complete("dial", "--account", "w", address=address) == ["work"]
    # bash completes behind the "=".
    assert complete("dial", "--account=al", address=address) == (["alice"] if complete.name == "bash" else ["--account=alice"])
    assert complete("answer", "", address=address) == ["2"]
    assert complete("hold", "", address=address) == ["1"]
    assert complete("call", "show", "", address=address) == ["1", "2"]
    if complete.name != "bash":
        assert "alsa:headset" in complete("audio", "input", "a", address=address)
    else:
        assert complete("audio", "input", "alsa:h", address=address) == ["headset"]


def test_a_phone_is_not_started_for_completion(path, tmp_path):
    (tmp_path / "dbus-1" / "services").mkdir(parents=True)
    (tmp_path / "dbus-1" / "services" / "x.service").write_text(f"[D-BUS Service]\nName=org.phoned.Phone1\n"
                                                         f"Exec=/bin/sh -c 'touch {tmp_path}/started; exit 1'\n")
    environment = dict(os.environ, XDG_DATA_HOME=str(tmp_path), XDG_DATA_DIRS=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path))
    bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address=unix:path={tmp_path}/bus"],
                           stdout=subprocess.PIPE, text=True, env=environment)
    try:
        ctl = Ctl(bus.stdout.readline().strip(), PATH=path)
        assert ctl.ok("--complete", "account", "show", "") == ""
        # The same bus does start it when it is asked for: the service file is right.
        assert ctl.run("status").returncode == 1
        wait(lambda: (tmp_path / "started").exists(), "the activation")
        (tmp_path / "started").unlink()
        assert ctl.ok("--complete", "hangup", "") == ""
        assert not (tmp_path / "started").exists()
    finally:
        bus.kill()
        bus.wait()
        bus.stdout.close()


def test_completion_of_nonsense_is_quiet():
    for words in ([], ["--"], ["-H"], ["-H", ""], ["-H", "nowhere", "account", "show", ""], ["dial", "--timeout", ""], ["\x1b[31m", ""],
                  ["account"] * 200 + [""], ["-"], ["--account="], ["dial", "--header=x=", ""], ["--complete", "--complete", ""]):
        Ctl().ok("--complete", *words)
