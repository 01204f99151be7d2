# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.phoned.Phone1.Manager, member by member."""
import pytest
from gi.repository import GLib

from phonebus import ACCOUNT, CALL, MANAGER, OBJECT_MANAGER, ROOT, refused, wait

V = GLib.Variant


def told(client, name, value):
    """Waits for a PropertiesChanged of the manager that has this value."""
    wait(lambda: [c for c in client.changes(ROOT, MANAGER) if c.get(name) == value], f"{name} = {value}")


def dial(client, target, **options):
    return client.dial(target, **{k.replace("_", "-"): v for k, v in options.items()})


# ---- Dial ----

def test_dial_replies_with_the_path_of_an_announced_object(client):
    call = dial(client, "sip:ring@example.org")
    assert call == ROOT + "/call/1"
    added = client.signals(ROOT, "InterfacesAdded")
    path, interfaces = added[-1]
    assert path == call and interfaces[CALL]["State"] == "dialing" and interfaces[CALL]["Direction"] == "outgoing"
    assert interfaces[CALL]["Account"] == ROOT + "/account/alice" and interfaces[CALL]["RemoteUri"] == "sip:ring@example.org"
    names = [e[2] for e in client.events if e[0] != "reply"]
    assert names.index("InterfacesAdded") < len(client.events)


def test_dial_paths_are_never_used_again(client):
    paths = set()
    for _ in range(3):
        path = dial(client, "sip:busy@example.org")
        client.wait_state(path, "disconnected")
        paths.add(path)
    assert len(paths) == 3


@pytest.mark.parametrize("options", [
    {"account": V("o", ROOT + "/account/alice")}, {"privacy": V("b", True)}, {"display": V("s", "Bob")},
    {"headers": V("a{ss}", {"X-Test": "1", "Subject": "hello"})}, {"replaces": V("s", "abc;to-tag=1;from-tag=2")},
    {"when_registered": V("b", True)}, {"keep_others": V("b", True)}])
def test_dial_knows_its_options(client, options):
    call = dial(client, "sip:ring@example.org", **options)
    client.wait_state(call, "alerting")
    assert client.get(call, CALL, "RemoteName") == ("Bob" if "display" in options else "")


@pytest.mark.parametrize("options, text", [
    ({"colour": V("s", "red")}, "'colour'"), ({"privacy": V("s", "yes")}, "'privacy' must be of type b, not s"),
    ({"account": V("s", ROOT + "/account/alice")}, "'account' must be of type o, not s"),
    ({"headers": V("a{sv}", {})}, "'headers' must be of type a{ss}"), ({"display": V("v", V("s", "x"))}, "'display'"),
    ({"headers": V("a{ss}", {"From": "sip:evil@example.org"})}, "From"),
    ({"headers": V("a{ss}", {"X-A": "1\r\nFrom: sip:evil@example.org"})}, "X-A"),
    ({"headers": V("a{ss}", {f"X-{i}": "1" for i in range(40)})}, "'headers' has more than 32"),
    ({"display": V("s", "x" * 5000)}, "'display' is longer"), ({"replaces": V("s", "a\nb")}, "replaces"),
    ({"x" * 1000: V("b", True)}, "x" * 64 + "' is unknown")])
def test_dial_names_the_option_that_is_wrong(client, options, text):
    before = client.objects()
    with refused("InvalidOption", text):
        dial(client, "sip:ring@example.org", **options)
    assert client.objects() == before


def test_dial_refuses_a_key_given_twice(client):
    entry = V("{sv}", ("privacy", V("b", True)))
    options = GLib.Variant.new_array(GLib.VariantType("{sv}"), [entry, entry])
    message = GLib.Variant.new_tuple(V("s", "sip:ring@example.org"), options)
    with pytest.raises(GLib.Error) as caught:
        client.connection.call_sync("org.phoned.Phone1", ROOT, MANAGER, "Dial", message, None, 0, 5000, None)
    assert "InvalidOption" in str(caught.value) and "twice" in str(caught.value)


@pytest.mark.parametrize("target", ["", "sip:", "sip:@", "mailto:a@b.c", "sip:a b@example.org", "x" * 5000])
def test_dial_refuses_what_cannot_be_called(client, target):
    with refused("InvalidTarget"):
        dial(client, target)


def test_dial_errors(client):
    with refused("NetworkDown"):
        dial(client, "sip:down@example.org")
    with refused("NoSuchAccount", "nobody"):
        dial(client, "sip:echo@example.org", account=V("o", ROOT + "/account/nobody"))
    with refused("NoSuchAccount"):
        dial(client, "sip:echo@example.org", account=V("o", ROOT))


def test_dial_without_account_or_registration(phone):
    client = phone.client().listen()
    with refused("NoSuchAccount"):
        dial(client, "sip:echo@example.org")
    client.add_account("slow", aor="sip:slow@example.org")
    starting = dial(client, "sip:echo@example.org")
    assert client.get(starting, CALL, "State") == "dialing"
    client.test("Registration", "(ssus)", "slow", "failed", 403, "Forbidden")
    client.wait_state(starting, "disconnected")
    assert "Account slow is failed" in client.get(starting, CALL, "Reason")["phrase"]
    with refused("NotRegistered", "slow"):
        dial(client, "sip:echo@example.org")
    waiting = dial(client, "sip:echo@example.org", when_registered=V("b", True))
    assert client.get(waiting, CALL, "State") == "dialing"
    client.test("Registration", "(ssus)", "slow", "registered", 200, "OK")
    client.wait_state(waiting, "active")


@pytest.mark.daemon("--max-calls", "2")
def test_dial_has_a_limit(client):
    dial(client, "sip:ring@example.org")
    dial(client, "sip:ring@example.org")
    with refused("TooMany"):
        dial(client, "sip:ring@example.org")


def test_dial_holds_the_active_call_unless_told_otherwise(client):
    first = dial(client, "sip:echo@example.org")
    client.wait_state(first, "active")
    dial(client, "sip:ring@example.org", keep_others=V("b", True))
    assert client.get(first, CALL, "State") == "active"
    dial(client, "sip:ring@example.org")
    client.wait_state(first, "held")


# ---- AddAccount ----

def test_add_account_takes_natural_types(client):
    settings = {"aor": V("s", "sip:carol@example.org"), "expires": V("u", 300), "keep-alive": V("i", 30), "register": V("b", False),
                "codecs": V("as", ["opus", "pcma"]), "name": V("s", "Carol")}
    path = client.call(ROOT, MANAGER, "AddAccount", "(sa{sv})", "carol-2", settings)
    assert path == ROOT + "/account/carol_2d2"
    assert client.get(path, ACCOUNT, "Id") == "carol-2"
    stored = client.get(path, ACCOUNT, "Settings")
    assert stored["codecs"] == "opus,pcma" and stored["expires"] == "300" and stored["register"] in ("false", "no")
    assert client.signals(ROOT, "InterfacesAdded")[-1][0] == path


@pytest.mark.parametrize("ident", ["", "Alice", "a b", "../etc", "a" * 33, "ä", "a_b"])
def test_add_account_refuses_bad_ids(client, ident):
    with refused("InvalidOption"):
        client.add_account(ident, aor="sip:x@example.org")


@pytest.mark.parametrize("settings, text", [
    ({}, "aor"), ({"aor": V("s", "nonsense")}, "aor"), ({"aor": V("s", "sip:a@example.org"), "volume": V("u", 11)}, "volume"),
    ({"aor": V("s", "sip:a@example.org"), "expires": V("s", "soon")}, "expires"), ({"aor": V("ay", b"sip")}, "'aor' must be of type"),
    ({"aor": V("s", "sip:a@example.org"), "codecs": V("as", ["opus,pcma"])}, "comma"),
    ({"aor": V("s", "sip:a@example.org"), "codecs": V("as", ["x"] * 65)}, "more than 64"),
    ({"aor": V("s", "sip:" + "a" * 5000 + "@example.org")}, "longer"), ({"password": V("s", "geheim")}, "password"),
    ({f"key{i}": V("b", True) for i in range(65)}, "one too many")])
def test_add_account_names_the_setting_that_is_wrong(client, settings, text):
    with refused("InvalidOption", text):
        client.call(ROOT, MANAGER, "AddAccount", "(sa{sv})", "new", settings)
    assert ROOT + "/account/new" not in client.objects()


def test_add_account_errors(client):
    with refused("InvalidOption", "already"):
        client.add_account("alice", aor="sip:alice@example.org")
    with refused("Storage"):
        client.add_account("diskfull", aor="sip:x@example.org")
    assert list(client.objects()).count(ROOT + "/account/alice") == 1


def test_add_account_has_a_limit(client):
    for i in range(63):
        client.add_account(f"a{i}", aor="sip:x@example.org", register="false")
    with refused("TooMany"):
        client.add_account("more", aor="sip:x@example.org", register="false")


# ---- HangupAll, Reload ----

def test_hangup_all(client):
    client.call(ROOT, MANAGER, "HangupAll")
    calls = [dial(client, "sip:echo@example.org"), dial(client, "sip:ring@example.org"), client.incoming()]
    client.call(ROOT, MANAGER, "HangupAll")
    for call in calls:
        client.wait_state(call, "disconnected")
        assert client.get(call, CALL, "Reason")["actor"] == "local"
    wait(lambda: client.get(ROOT, MANAGER, "State") == "idle")


def test_reload_and_problems(client):
    client.call(ROOT, MANAGER, "Reload")
    assert client.test("Counters")[2] == 1
    lines = ["accounts.d/x.conf:3: expires: not a number", "phoned.conf:1: \ufffd"]
    client.test("SetProblems", "(as)", lines)
    assert client.get(ROOT, MANAGER, "Problems") == lines
    told(client, "Problems", lines)
    client.test("SetProblems", "(as)", ["unreadable"])
    with refused("Storage"):
        client.call(ROOT, MANAGER, "Reload")


# ---- properties ----

def test_constants(client):
    assert client.get(ROOT, MANAGER, "Version")
    assert {"accounts", "calls", "audio", "stats"} <= set(client.get(ROOT, MANAGER, "Features"))


def test_state_follows_the_calls(client):
    assert client.get(ROOT, MANAGER, "State") == "idle"
    call = client.incoming()
    told(client, "State", "ringing")
    client.answer(call)
    told(client, "State", "in-call")
    client.call(call, CALL, "Hangup")
    told(client, "State", "idle")


def test_network_state(client):
    for state in ("offline", "local", "online"):
        client.test("Network", "(s)", state)
        assert client.get(ROOT, MANAGER, "NetworkState") == state
        told(client, "NetworkState", state)


def test_default_account(client):
    alice, bob = ROOT + "/account/alice", client.add_account("bob", aor="sip:bob@example.com")
    assert client.get(ROOT, MANAGER, "DefaultAccount") == alice
    client.set(ROOT, MANAGER, "DefaultAccount", "o", bob)
    told(client, "DefaultAccount", bob)
    assert client.get(dial(client, "sip:ring@elsewhere.example"), CALL, "Account") == bob
    assert client.get(dial(client, "sip:ring@example.org"), CALL, "Account") == alice      # its domain
    for wrong in ("/", ROOT, ROOT + "/account/nobody"):
        with refused("NoSuchAccount"):
            client.set(ROOT, MANAGER, "DefaultAccount", "o", wrong)
    client.call(bob, ACCOUNT, "Remove")
    told(client, "DefaultAccount", alice)
    client.call(alice, ACCOUNT, "Remove")
    told(client, "DefaultAccount", "/")


def test_default_account_follows_what_is_enabled(client):
    alice, bob = ROOT + "/account/alice", client.add_account("bob", aor="sip:bob@example.com")
    client.set(alice, ACCOUNT, "Enabled", "b", False)
    told(client, "DefaultAccount", bob)


def test_stopping(phone, client):
    call = dial(client, "sip:echo@example.org")
    client.wait_state(call, "active")
    client.test("Stop")
    told(client, "State", "stopping")
    client.wait_state(call, "disconnected")
    assert client.get(call, CALL, "Reason")["reason"] == "shutdown"
    for start in (lambda: dial(client, "sip:echo@example.org"), lambda: client.call(ROOT, MANAGER, "Reload"),
                  lambda: client.add_account("new", aor="sip:x@example.org")):
        with refused("InvalidState", "stopping"):
            start()
    client.call(ROOT, MANAGER, "HangupAll")
    assert phone.daemon.stdout.readline() == "stopped\n"


# ---- the daemon and the bus ----

def test_second_daemon_leaves(phone):
    second = phone.start_daemon()
    assert second.wait(20) == 3
    assert "taken" in second.stdout.read()
    second.stdout.close()
    phone.client().call(ROOT, OBJECT_MANAGER, "GetManagedObjects")


def test_lost_bus_is_noticed(phone):
    phone.bus.kill()
    assert phone.daemon.wait(20) == 3
    assert "ended" in phone.daemon.stdout.read()
    phone.stop = lambda: 0
    phone.daemon.stdout.close()
    phone.bus.stdout.close()
    phone.bus.wait()
    phone.directory.cleanup()
