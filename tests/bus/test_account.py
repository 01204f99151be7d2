# SPDX-License-Identifier: LGPL-2.1-or-later
"""org.phoned.Phone1.Account, member by member."""
import os
import socket
import tempfile

import pytest
from gi.repository import GLib

from phonebus import ACCOUNT, CALL, MANAGER, ROOT, refused, wait

V = GLib.Variant
ALICE = ROOT + "/account/alice"


def registration(client, account=ALICE):
    return client.get(account, ACCOUNT, "Registration")


# ---- registration ----

def test_register_and_unregister(client):
    client.call(ALICE, ACCOUNT, "Unregister")
    assert registration(client) == "unregistered"
    client.call(ALICE, ACCOUNT, "Register")
    wait(lambda: registration(client) == "registered")
    states = [c["Registration"] for c in client.changes(ALICE, ACCOUNT) if "Registration" in c]
    assert states[-3:] == ["unregistered", "registering", "registered"]


def test_register_needs_an_enabled_account_with_registrar(client):
    client.set(ALICE, ACCOUNT, "Enabled", "b", False)
    wait(lambda: registration(client) == "unregistered")
    for member in ("Register", "Unregister"):
        with refused("InvalidState", "disabled"):
            client.call(ALICE, ACCOUNT, member)
    direct = client.add_account("direct", aor="sip:me@192.0.2.1", register="false")
    with refused("InvalidState", "register"):
        client.call(direct, ACCOUNT, "Register")


def test_registration_detail(client):
    failed = client.add_account("f", aor="sip:fail@example.org")
    wait(lambda: registration(client, failed) == "failed")
    detail = client.get(failed, ACCOUNT, "RegistrationDetail")
    assert detail["code"] == 403 and detail["reason"] == "auth-failed" and detail["retry-at"] > detail["since"] > 0
    assert "expires" not in detail
    good = client.get(ALICE, ACCOUNT, "RegistrationDetail")
    assert good["expires"] == 600 and good["code"] == 200 and "retry-at" not in good


def test_every_registration_state_is_seen(client):
    for state in ("suspended", "registering", "failed", "registering", "registered"):
        client.test("Registration", "(ssus)", "alice", state, 0, "")
    seen = lambda: [c["Registration"] for c in client.changes(ALICE, ACCOUNT) if "Registration" in c]
    wait(lambda: seen()[-5:] == ["suspended", "registering", "failed", "registering", "registered"])


def test_tls_and_capabilities(client):
    path = client.add_account("t", aor="sip:t@example.org", transport="tls")
    wait(lambda: registration(client, path) == "registered")
    assert client.get(path, ACCOUNT, "Transport") == "tls"
    assert client.get(path, ACCOUNT, "Tls") == {
        "version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "subject": "CN=sip.example.org", "issuer": "CN=Test CA",
        "expires": 2000000000}
    assert client.get(path, ACCOUNT, "Capabilities") == ["outbound", "path"]
    assert client.get(path, ACCOUNT, "Srtp") == "required"
    assert client.get(ALICE, ACCOUNT, "Tls") == {}
    client.call(path, ACCOUNT, "Update", "(a{sv})", {"srtp": V("s", "preferred")})
    wait(lambda: any(c.get("Srtp") == "preferred" for c in client.changes(path, ACCOUNT)))


# ---- settings ----

def test_update(client):
    client.call(ALICE, ACCOUNT, "Update", "(a{sv})", {"name": V("s", "Office"), "expires": V("u", 120), "transport": V("s", "tcp")})
    assert client.get(ALICE, ACCOUNT, "Name") == "Office" and client.get(ALICE, ACCOUNT, "Transport") == "tcp"
    settings = client.get(ALICE, ACCOUNT, "Settings")
    assert settings["expires"] == "120" and settings["name"] == "Office"
    changed = wait(lambda: [c for c in client.changes(ALICE, ACCOUNT) if c.get("Name") == "Office"])
    assert changed[0]["Transport"] == "tcp"
    client.call(ALICE, ACCOUNT, "Update", "(a{sv})", {"name": V("s", ""), "expires": V("s", "")})
    assert client.get(ALICE, ACCOUNT, "Name") == "sip:alice@example.org"
    assert "expires" not in client.get(ALICE, ACCOUNT, "Settings")


def test_update_is_all_or_nothing(client):
    before = client.get_all(ALICE, ACCOUNT)
    for wrong, text in (({"name": V("s", "X"), "expires": V("s", "never")}, "expires"), ({"aor": V("s", "")}, "aor"),
                        ({"name": V("s", "X"), "nonsense": V("b", True)}, "nonsense"), ({"id": V("s", "bob")}, "id")):
        with refused("InvalidOption", text):
            client.call(ALICE, ACCOUNT, "Update", "(a{sv})", wrong)
    client.call(ALICE, ACCOUNT, "Update", "(a{sv})", {})
    after = client.get_all(ALICE, ACCOUNT)
    for changing in (before, after):
        del changing["RegistrationDetail"], changing["Registration"]
    assert after == before


def test_enabled(client):
    client.set(ALICE, ACCOUNT, "Enabled", "b", False)
    assert client.get(ALICE, ACCOUNT, "Enabled") is False
    wait(lambda: registration(client) == "unregistered")
    wait(lambda: [c for c in client.changes(ALICE, ACCOUNT) if c.get("Enabled") is False])
    with refused("InvalidState", "disabled"):
        client.dial("sip:echo@example.org")
    client.set(ALICE, ACCOUNT, "Enabled", "b", True)
    wait(lambda: registration(client) == "registered")


def test_remove(client):
    call = client.dial("sip:echo@example.org")
    client.wait_state(call, "active")
    client.call(ALICE, ACCOUNT, "Remove")
    assert ALICE not in client.objects()
    path, interfaces = client.signals(ROOT, "InterfacesRemoved")[-1]
    assert path == ALICE and ACCOUNT in interfaces
    client.wait_state(call, "disconnected")
    assert client.get(call, CALL, "Account") == ALICE
    with refused("org.freedesktop.DBus.Error.UnknownObject"):
        client.call(ALICE, ACCOUNT, "Remove")


def test_remove_may_be_denied(client):
    path = client.add_account("locked", aor="sip:x@example.org")
    with refused("PolicyDenied"):
        client.call(path, ACCOUNT, "Remove")
    assert path in client.objects()


# ---- SetSecret ----

def through_pipe(data):
    """The read end of a pipe that holds data and is closed at the other side."""
    read_end, write_end = os.pipe()
    os.write(write_end, data)
    os.close(write_end)
    return read_end


def through_memfd(data):
    fd = os.memfd_create("secret")
    os.write(fd, data)
    return fd


def through_socket(data):
    ours, theirs = socket.socketpair()
    ours.sendall(data)
    ours.close()
    return theirs.detach()


def set_secret(client, fd, account=ALICE):
    """Starts SetSecret; fd is closed here when the message has gone."""
    return client.start(account, ACCOUNT, "SetSecret", "(h)", 0, fds=[fd])


@pytest.mark.parametrize("through", [through_pipe, through_memfd, through_socket])
@pytest.mark.parametrize("data, secret", [(b"geheim", "geheim"), (b"geheim\n", "geheim"), (b" a\nb\n\n", " a\nb\n"),
                                          (b"x" * 4096, "x" * 4096), ("pä$s:wörd".encode(), "pä$s:wörd")])
def test_set_secret(client, through, data, secret):
    set_secret(client, through(data)).wait()
    assert client.test("Secret", "(s)", "alice") == secret


@pytest.mark.parametrize("through", [through_pipe, through_memfd, through_socket])
@pytest.mark.parametrize("data, text", [(b"", "empty"), (b"\n", "empty"), (b"x" * 4097, "longer"), (b"a\0b", "NUL")])
def test_set_secret_refuses(client, through, data, text):
    with refused("InvalidOption", text):
        set_secret(client, through(data)).wait()
    assert client.test("Secret", "(s)", "alice") == ""


def test_set_turn_secret(client):
    client.start(ALICE, ACCOUNT, "SetTurnSecret", "(h)", 0, fds=[through_pipe(b"relay\n")]).wait()
    assert client.test("Secret", "(s)", "alice-turn") == "relay"
    assert client.test("Secret", "(s)", "alice") == ""
    with refused("Storage"):
        client.start(ALICE, ACCOUNT, "SetTurnSecret", "(h)", 0, fds=[through_pipe(b"diskfull")]).wait()


def test_set_secret_in_pieces(client):
    read_end, write_end = os.pipe()
    pending = set_secret(client, read_end)
    for piece in (b"ge", b"he", b"im"):
        os.write(write_end, piece)
        client.get(ALICE, ACCOUNT, "Id")
    assert not pending.done
    with refused("InProgress"):
        set_secret(client, through_pipe(b"other")).wait()
    os.close(write_end)
    pending.wait()
    assert client.test("Secret", "(s)", "alice") == "geheim"


def is_broken(write_end):
    try:
        return os.write(write_end, b"x") == 0
    except BrokenPipeError:
        return True


def test_set_secret_has_a_deadline(client):
    read_end, write_end = os.pipe()
    pending = set_secret(client, read_end)
    client.get(ALICE, ACCOUNT, "Id")            # the loop is not blocked meanwhile
    with refused("InvalidOption", "within"):
        pending.wait()
    # The message's own descriptor is closed a moment after the reply; then nobody reads any more.
    wait(lambda: is_broken(write_end), "the pipe to be given up")
    os.close(write_end)
    set_secret(client, through_pipe(b"again")).wait()


def test_set_secret_refuses_files_that_may_block(client):
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
        file.write(b"geheim")
        file.flush()
        with refused("InvalidOption", "pipe"):
            set_secret(client, os.open(file.name, os.O_RDONLY)).wait()
    for path in ("/dev/zero", "/"):
        with refused("InvalidOption", "pipe"):
            set_secret(client, os.open(path, os.O_RDONLY)).wait()


def test_set_secret_storage_fails(client):
    with refused("Storage"):
        set_secret(client, through_pipe(b"diskfull")).wait()


def test_set_secret_of_an_account_that_goes(client):
    read_end, write_end = os.pipe()
    pending = set_secret(client, read_end)
    client.call(ALICE, ACCOUNT, "Remove")
    with refused("NoSuchAccount"):
        pending.wait()
    os.close(write_end)


def test_secrets_are_nowhere_to_be_read(client):
    set_secret(client, through_pipe(b"geheim")).wait()
    assert "geheim" not in repr(client.objects()) + repr(client.events) + client.introspect(ALICE)
    assert client.get(ROOT, MANAGER, "Problems") == []
