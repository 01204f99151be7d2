# SPDX-License-Identifier: LGPL-2.1-or-later
"""Accounts of a whole phone at a real registrar: digest, what a restart keeps, what a broken file costs, and how a phone that has lost
its provider finds it again."""
import json
import os
import signal

import pytest

from names import NameServer
from phone import Phone, Provider

PROVIDER_ADDRESS = "127.60.5.1"
SHA256_ADDRESS = "127.60.5.2"
LOST_ADDRESS = "127.60.5.3"
NAMES_ADDRESS = "127.60.5.53"
IP6_PORTS = 25060, 25061
USERS = {"ann": "secret of ann", "ben": "secret of ben", "colon": "a:b::c:", "utf8": "pässwörd №1 日本語", "space": " two  spaces ",
         "long": "x" * 200}
EXIT_NETWORK, EXIT_AUTH = 6, 10


@pytest.fixture
def phone(phones):
    def make(name="phone", **more):
        return phones(name, audio={"input": "tone", "output": "silence", "ring": "silence"}, **more)
    return make


@pytest.fixture(scope="module")
def provider256(work):
    server = Provider(work / "provider256", address=SHA256_ADDRESS, users=USERS, algorithm="SHA-256")
    server.start()
    yield server
    server.stop()


def wait_failed(phone, account, reason, timeout=20.0):
    phone.wait(lambda: phone.accounts.get(account, {}).get("Registration") == "failed"
               and phone.accounts[account]["RegistrationDetail"].get("reason") == reason, f"{account} failed as {reason}", timeout)
    return phone.accounts[account]["RegistrationDetail"]


def account_file(phone, name):
    return phone.home / "config/phoned/accounts.d" / f"{name}.conf"


def problems(phone):
    return phone.ctl("status")["Problems"]


# ---- digest ----

@pytest.mark.parametrize("user", ["ann", "colon", "utf8", "space", "long"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_password(phone, provider, provider256, algorithm, user):
    """REGISTER and INVITE are challenged; the INVITE to oneself comes back and rings."""
    server = provider if algorithm == "MD5" else provider256
    us = phone()
    us.add_account("work", server.account_settings(user, "udp"), USERS[user])
    assert server.contacts(user)
    assert us.accounts["work"]["RegistrationDetail"]["reason"] == "ok"
    # It was not in use before it had its password, and nothing of that is left.
    assert "failed" not in [event.get("properties", {}).get("Registration") for event in us.events]
    assert "enabled" not in account_file(us, "work").read_text()
    us.ctl("dial", user)
    us.wait(lambda: {"incoming", "waiting"} & {call.get("State") for call in us.calls.values()}, "our own call to come back")
    us.ctl("account", "unregister", "work")
    us.wait_registered("work", "unregistered")
    assert not server.contacts(user)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_wrong_password(phone, provider, provider256, algorithm):
    server = provider if algorithm == "MD5" else provider256
    us = phone()
    us.add_account("work", server.account_settings("ann", "udp"), "not the secret of ann", state=None)
    detail = wait_failed(us, "work", "auth-failed")
    assert detail["code"] in (401, 403)
    assert us.run("dial", "ben", check=False).returncode == EXIT_NETWORK
    # Without a registration the call itself is refused, and says so.
    us.ctl("account", "set", "work", "register=false")
    us.wait(lambda: us.accounts["work"]["Registration"] == "unregistered", "the account without a registration")
    result = us.run("dial", "ben", "--wait", "--account", "work", check=False)
    assert result.returncode == EXIT_AUTH, result.stdout + result.stderr
    # The right one is taken at once.
    us.secrets.add(USERS["ann"])
    us.ctl("account", "set", "work", "register=")
    us.ctl("account", "passwd", "work", stdin=USERS["ann"])
    us.wait_registered("work")


# ---- what outlives the process ----

def test_restart(phone, provider):
    us = phone()
    us.add_account("work", provider.account_settings("ann", "tcp", display_name="Ann"), USERS["ann"])
    us.add_account("home", provider.account_settings("ben", "udp", register="false"), USERS["ben"], state=None)
    before = {name: us.ctl("account", "show", name)["Settings"] for name in ("work", "home")}
    assert us.restart_daemon() == 0
    us.wait_registered("work")
    assert {name: us.ctl("account", "show", name)["Settings"] for name in ("work", "home")} == before
    assert us.accounts["home"]["Registration"] == "unregistered"
    assert us.end_daemon() == 0
    assert not provider.contacts("ann"), "stopping must take the registration back"
    us.start_daemon()
    us.wait_registered("work")
    # A crash keeps as much, and the binding of the process that is gone does not stay for long beside the new one.
    us.restart_daemon(signal.SIGKILL)
    us.wait_registered("work")
    us.ctl("account", "remove", "work")
    us.wait(lambda: not provider.contacts("ann"), "the binding to go")
    us.restart_daemon()
    us.wait(lambda: "home" in us.accounts, "the other account")
    assert "work" not in us.accounts and not account_file(us, "work").exists()
    assert not [path for path in us.home.rglob("*") if path.is_file() and "secret of ann" in path.read_text(errors="replace")]


def test_private_files(phone, provider):
    us = phone()
    us.add_account("work", provider.account_settings("ann", "udp"), USERS["ann"])
    holders = [path for path in us.home.rglob("*") if path.is_file() and USERS["ann"] in path.read_text(errors="replace")]
    assert len(holders) == 1, "the password stands in one place"
    assert holders[0].stat().st_mode & 0o777 == 0o600
    assert holders[0].parent.stat().st_mode & 0o077 == 0
    assert us.home / "state" in holders[0].parents


# ---- files ----

def test_reload(phone, provider):
    """A changed file is taken, a new one is added, one that went is removed; what did not change keeps its registration and its call."""
    us = phone()
    us.add_account("stays", provider.account_settings("ann", "tcp"), USERS["ann"])
    us.add_account("changes", provider.account_settings("ben", "udp"), USERS["ben"])
    since = us.accounts["stays"]["RegistrationDetail"]["since"]
    us.ctl("dial", "ann", "--account", "stays")
    us.wait_call("alerting")
    file = account_file(us, "changes")
    text = file.read_text()
    file.write_text(text + "name=Another name\n")
    us.reload()
    us.wait(lambda: us.accounts["changes"].get("Name") == "Another name", "the new name")
    account_file(us, "new").write_text(f"[account]\naor=sip:space@{provider.domain}\noutbound-proxy={provider.address}\nregister=false\n")
    us.reload()
    us.wait(lambda: us.accounts.get("new", {}).get("Aor") == f"sip:space@{provider.domain}", "the new account")
    account_file(us, "new").unlink()
    mark = len(us.events)
    us.reload()
    us.wait(lambda: any(event["signal"] == "InterfacesRemoved" and event["object"].endswith("/account/new") for event in us.events[mark:]),
            "the account to go")
    assert us.accounts["stays"]["RegistrationDetail"]["since"] == since
    assert us.wait_call("alerting")
    assert provider.contacts("ben")


def test_call_waiting_off(phone, provider):
    """[daemon] is read again as well: a second call gets busy from now on."""
    us = phone()
    us.add_account("work", provider.account_settings("ann", "udp"), USERS["ann"])
    them = phone("them")
    them.add_account("work", provider.account_settings("ben", "udp"), USERS["ben"])
    us.sections["daemon"] = {"call-waiting": "false"}
    us.write_config()
    us.reload()
    us.wait(lambda: us.ctl("status") is not None, "the answer after the reload")
    us.ctl("dial", "ben")
    them.ctl("answer", them.wait_call("incoming"))
    us.wait_call("active")
    assert them.run("dial", "ann", "--wait", "--keep-others", check=False).returncode == 3


@pytest.mark.parametrize("text, expected", [
    ("[account]\naor=sip:ben@phoned.test\nno-such-key=1\n", ("broken.conf:3", "no-such-key")),
    ("[account]\naor=sip:ben@phoned.test\ntransport=pigeon\n", ("broken.conf:3", "transport")),
    ("[account\naor=sip:ben@phoned.test\n", ("broken.conf:1",)),
    ("[account]\nname=no address\n", ("broken.conf", "aor")),
    ("\x00\xff\xfe", ("broken.conf",)),
])
def test_broken_file(phone, provider, text, expected):
    us = phone()
    us.add_account("good", provider.account_settings("ann", "udp"), USERS["ann"])
    assert problems(us) == []
    account_file(us, "broken").write_bytes(text.encode("latin-1"))
    for again in (us.reload, us.restart_daemon):
        again()
        us.wait(lambda: problems(us), "a problem to be told")
        found = "\n".join(problems(us))
        assert all(word in found for word in expected), found
        us.wait_registered("good")
    account_file(us, "broken").unlink()
    us.reload()
    us.wait(lambda: not problems(us), "the problem to go")


# ---- the DNS ----

@pytest.mark.skipif(os.geteuid() != 0, reason="a phone with a name server of its own needs a namespace")
def test_tls_by_dns(phone, provider, work):
    """The shortest account: where the provider is, and that it is to be reached by TLS, its domain says. The certificate has to name the domain, not the
    host that the DNS leads to."""
    zone = [(provider.domain, "NAPTR", f"10 1 SIPS+D2T _sips._tcp.{provider.domain}"),
            (provider.domain, "NAPTR", f"10 2 SIP+D2U _sip._udp.{provider.domain}"),
            (f"_sips._tcp.{provider.domain}", "SRV", f"1 1 {provider.tls_port} proxy.{provider.domain}"),
            (f"_sip._udp.{provider.domain}", "SRV", f"1 1 {provider.port} proxy.{provider.domain}"),
            (f"proxy.{provider.domain}", "A", PROVIDER_ADDRESS)]
    names = NameServer(NAMES_ADDRESS, zone, work)
    try:
        us = phone(launcher=names.launcher())
        us.add_account("work", [f"aor=sip:ann@{provider.domain}", f"tls-ca={provider.ca}"], USERS["ann"])
        shown = us.accounts["work"]
        assert shown["Tls"]["version"].startswith("TLSv1.") and provider.domain in shown["Tls"]["subject"], shown["Tls"]
        assert any("transport=tls" in contact for contact in provider.contacts("ann"))
        ours = us.ctl("dial", "ann")["call"]
        us.wait(lambda: len(us.calls) == 2, "the call to ring here")
        us.ctl("hangup", "--all")
        us.wait_idle()
        assert ours and (f"_sips._tcp.{provider.domain}", 33) in names.asked
    finally:
        names.stop()


# ---- IPv6 ----

@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_ipv6(phone, work, transport):
    server = Provider(work / "provider6", address="::1", users=USERS, port=IP6_PORTS[0], tls_port=IP6_PORTS[1])
    server.start()
    try:
        us, them = phone("us"), phone("them")
        us.add_account("work", server.account_settings("ann", transport), USERS["ann"])
        them.add_account("work", server.account_settings("ben", transport), USERS["ben"])
        ours = us.ctl("dial", "ben")["call"]
        them.ctl("answer", them.wait_call("incoming"))
        us.wait_call("active", ours)
        us.collect_stats(ours, 0.5)
        shown, stats = us.ctl("call", "show", ours), us.stats(ours)
        assert shown["RemoteAddress"].startswith("["), shown["RemoteAddress"]
        assert stats["packets-received"] > 10 and stats["level-out"] > -60
        us.ctl("hangup")
        them.wait_idle()
    finally:
        us.stop()
        them.stop()
        server.stop()


# ---- a provider that goes and comes ----

def test_provider_restart(phone, work):
    """A lost connection is noticed at once; over UDP the next request shows it. `account register` does not wait for the next attempt."""
    server = Provider(work / "provider-lost", address=LOST_ADDRESS, users=USERS)
    server.start()
    us = phone()
    try:
        for name, user, transport in (("by-udp", "ann", "udp"), ("by-tcp", "ben", "tcp"), ("by-tls", "colon", "tls")):
            us.add_account(name, server.account_settings(user, transport), USERS[user])
        server.stop()
        us.ctl("account", "register", "by-udp")
        for name in ("by-udp", "by-tcp", "by-tls"):
            us.wait_registered(name, "failed", 30)
            assert us.accounts[name]["RegistrationDetail"]["retry-at"] > us.accounts[name]["RegistrationDetail"]["since"]
        assert us.run("dial", "ben", "--account", "by-udp", check=False).returncode == EXIT_NETWORK
        server.start()
        us.ctl("account", "register", "by-tcp")
        us.wait_registered("by-tcp")
        # The others come back by themselves, 30 to 60 s after they failed (RFC 5626 section 4.5).
        for name in ("by-udp", "by-tls"):
            us.wait_registered(name, "registered", 90)
        for user in ("ann", "ben", "colon"):
            assert server.contacts(user)
    finally:
        us.stop()
        server.stop()


def test_transport_auto(phone, provider):
    """Without a transport: UDP as long as nothing says otherwise, and both are listened on."""
    us = phone()
    us.add_account("work", [word for word in provider.account_settings("ann", "udp") if not word.startswith("transport=")], USERS["ann"])
    contact, = provider.contacts("ann")
    port = contact.split("@")[-1].split(";")[0].rsplit(":", 1)[1]
    for kind in ("udp", "tcp"):
        local = [line.split()[1] for line in open(f"/proc/{us.daemon.pid}/net/{kind}")][1:]
        assert f"{int(port):04X}" in [address.rsplit(":", 1)[1] for address in local], f"nobody listens on {kind} port {port}"
    ours = us.ctl("dial", "ann")["call"]
    us.wait_call("alerting", ours)
