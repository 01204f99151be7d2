# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where secrets must not be: in the memory of a phone, after the call that they were for."""
import base64
import os
import re
import select
import socket
import ssl
import subprocess
import threading
import time

import pytest

from phone import Phone

KINDS = ["udp", "tcp", "tls"]
PATIENCE = 90               # sofia-sip keeps a transaction for 32 s (RFC 3261 section 17, timers D, H, I, J, K)
INLINE = re.compile(rb"inline:([A-Za-z0-9+/]{36,})")


class Peer:
    """A SIP peer that shows what it got, from one port or over however many connections the phone makes."""

    def __init__(self, kind, address, phone, work):
        self.kind, self.address, self.phone = kind, address, phone
        self.left = {}          # connection: what came over it and is no whole message yet
        self.listener = socket.create_server((address, 5060)) if kind != "udp" else None
        if kind == "udp":
            self.link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.link.bind((address, 5060))
            self.link.settimeout(20)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(work / "peer.pem")

    def add(self, link, **how):
        link.settimeout(20)
        self.link = how["context"].wrap_socket(link, server_side=how["server_side"]) if self.kind == "tls" else link
        self.left[self.link] = b""

    def call(self):
        """The way to the phone, for a caller."""
        if self.kind == "udp":
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.add(socket.create_connection((self.phone, 5060), source_address=(self.address, 0), timeout=20), context=context, server_side=False)

    def send(self, message):
        """The way that the last message came."""
        if self.kind == "udp":
            self.link.sendto(message, (self.phone, 5060))
        else:
            self.link.sendall(message)

    def take(self):
        """A whole message that is there, or None."""
        for link, left in self.left.items():
            head, gap, rest = left.lstrip(b"\r\n").partition(b"\r\n\r\n")
            length = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head)
            if gap and len(rest) >= int(length[1]):
                self.link, self.left[link] = link, rest[int(length[1]):]
                return head + gap + rest[:int(length[1])]
        return None

    def receive(self):
        """One message."""
        if self.kind == "udp":
            return self.link.recv(65536)
        while not (message := self.take()):
            waiting = [link for link in self.left if self.kind == "tls" and link.pending()]
            ready = waiting or select.select([self.listener, *self.left], [], [], 20)[0]
            assert ready, "the phone says nothing"
            for one in ready:
                if one is self.listener:
                    self.add(one.accept()[0], context=self.context, server_side=True)
                elif piece := one.recv(65536):
                    self.left[one] += piece
                else:
                    del self.left[one]
        return message

    def await_start(self, start):
        while not (message := self.receive()).startswith(start):
            pass
        return message

    def close(self):
        for one in [*self.left, self.listener, getattr(self, "link", None)]:
            if one:
                one.close()


def header(message, name):
    return re.search(rb"(?im)^%s\s*:\s*(.*?)\r$" % name, message)[1]


def response(request, status, more=b"", content=b""):
    vias = b"".join(b"Via: %s\r\n" % via for via in re.findall(rb"(?im)^(?:via|v)\s*:\s*(.*?)\r$", request))
    to = header(request, b"To")
    return (b"SIP/2.0 %s\r\n%sFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s\r\n%sContent-Length: %d\r\n\r\n%s"
            % (status, vias, header(request, b"From"), to, b"" if b"tag=" in to else b";tag=peer", header(request, b"Call-ID"),
               header(request, b"CSeq"), more, len(content), content))


def description(address, suites, direction=b"sendrecv"):
    """A session description with a new key for each suite."""
    lengths = {b"AEAD_AES_256_GCM": 44, b"AES_CM_128_HMAC_SHA1_80": 30}
    keys = b"".join(b"a=crypto:%d %s inline:%s\r\n" % (i + 1, suite, base64.b64encode(os.urandom(lengths[suite]))) for i, suite in enumerate(suites))
    return b"v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 40000 RTP/SAVP 8\r\na=%s\r\n%s" % (address, address, direction, keys)


def find(pid, secrets):
    """Which of the secrets stand anywhere in what the process can write to, and where."""
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, rights, _, _, _, name = (line.split(None, 5) + [""])[:6]
            if not rights.startswith("rw"):
                continue
            start, end = (int(x, 16) for x in span.split("-"))
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except (OSError, OverflowError):
                continue
            found += [(label, name.strip() or f"{(end - start) // 1024} kB", hex(start + content.find(secret)), hex(end)) for label, secret in secrets.items() if secret in content]
    return found


def secrets_of(**messages):
    """Text and octets of every key in them."""
    secrets = {}
    for name, message in messages.items():
        for i, text in enumerate(INLINE.findall(message)):
            secrets[f"text {i} of {name}"] = text
            secrets[f"octets {i} of {name}"] = base64.b64decode(text + b"=" * (-len(text) % 4))[:16]
    return secrets


def await_wiped(phone, secrets):
    deadline = time.monotonic() + PATIENCE
    while found := find(phone.daemon.pid, secrets):
        assert time.monotonic() < deadline, found
        time.sleep(0.5)


@pytest.fixture(scope="module")
def certificate(work):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=peer",
                    "-keyout", str(work / "key.pem"), "-out", str(work / "cert.pem")], check=True, capture_output=True)
    (work / "peer.pem").write_text((work / "cert.pem").read_text() + (work / "key.pem").read_text())
    (work / "peer.pem").chmod(0o600)
    return work / "peer.pem"


@pytest.fixture
def pairs(work, build, certificate):
    """A phone and its peer for each transport."""
    pairs = []
    try:
        for i, kind in enumerate(KINDS):
            address = f"127.83.1.{2 * i + 1}"
            phone = Phone(f"keys-{kind}", work, build, audio={"input": "tone", "output": "silence", "ring": "silence"}, log_level="debug",
                          config={"sip": {"bind": f"{address}:5060", "trace": "true"}, "daemon": {"linger": 3600}})
            phone.start()
            pairs.append((phone, Peer(kind, f"127.83.1.{2 * i + 2}", address, work)))
            phone.ctl("account", "add", "us", f"aor=sip:us@{address}", "register=false", f"transport={kind}", "srtp=required", "keying=sdes",
                      "sdes-in-clear=true", *(["tls-verify=false", f"tls-cert={certificate}"] if kind == "tls" else []))
        yield pairs
    finally:
        for phone, peer in pairs:
            peer.close()
            phone.stop()


def offer_in_vain(phone, peer):
    """The phone calls, and is refused. Returns its keys."""
    phone.ctl("dial", f"sip:them@{peer.address}:5060;transport={peer.kind}")
    invite = peer.await_start(b"INVITE")
    offered = secrets_of(offer=invite)
    assert len(offered) == 12, invite
    assert find(phone.daemon.pid, offered), "the search does not find what must be there"
    peer.send(response(invite, b"603 Decline"))
    phone.wait_idle()
    return offered


class Beside(threading.Thread):
    """A command of the user that lasts until the peer has answered."""

    def __init__(self, phone, *words):
        super().__init__(target=phone.ctl, args=words)
        self.start()


def renew(phone, peer):
    """The phone calls, is answered, holds and resumes, which brings new keys, and hangs up. Returns all of them."""
    them, kind = peer.address.encode(), peer.kind.encode()
    extra = b"Contact: <sip:them@%s:5060;transport=%s>\r\nContent-Type: application/sdp\r\n" % (them, kind)
    secrets = {}

    def answer(name, direction=b"sendrecv"):
        invite = peer.await_start(b"INVITE")
        suite = re.search(rb"a=crypto:1 (\S+)", invite)[1]
        body = description(them, [suite], direction)
        peer.send(response(invite, b"200 OK", extra, body))
        peer.await_start(b"ACK")
        found = secrets_of(**{name: invite, f"answer to {name}": body})
        assert len(found) >= 4
        secrets.update(found)
        return found

    number = str(phone.ctl("dial", f"sip:them@{peer.address}:5060;transport={peer.kind}")["call"])
    first = answer("call")
    phone.wait_call("active", number)
    for verb, direction in (("hold", b"recvonly"), ("resume", b"sendrecv")):
        beside = Beside(phone, verb, number)
        last = answer(verb, direction)
        beside.join()
    assert not set(first.values()) & set(last.values()), "the keys are not new"
    assert find(phone.daemon.pid, last), "the search does not find what must be there"
    beside = Beside(phone, "hangup", number)
    peer.send(response(peer.await_start(b"BYE"), b"200 OK"))
    beside.join()
    phone.wait_idle()
    return secrets


class Caller:
    """What the peer says in a call to the phone."""

    def __init__(self, peer, call_id):
        self.peer, self.call_id = peer, call_id
        peer.call()

    def send(self, method, number, to, more=b"", content=b"", transaction=None):
        us, them, kind = self.peer.phone.encode(), self.peer.address.encode(), self.peer.kind.encode()
        self.peer.send(b"%s sip:us@%s SIP/2.0\r\nVia: SIP/2.0/%s %s:5060;branch=z9hG4bK-%s-%d-%s;rport\r\nFrom: <sip:them@%s>;tag=caller\r\n"
                       b"To: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:them@%s:5060;transport=%s>\r\nMax-Forwards: 70\r\n%s"
                       b"Content-Length: %d\r\n\r\n%s" % (method, us, kind.upper(), them, self.call_id, number, transaction or method, them, to,
                                                        self.call_id, number, method, them, kind, more, len(content), content))

    def invite(self):
        """Returns the description."""
        body = description(self.peer.address.encode(), [b"AEAD_AES_256_GCM", b"AES_CM_128_HMAC_SHA1_80"])
        self.send(b"INVITE", 1, b"<sip:us@x>", b"Content-Type: application/sdp\r\n", body)
        return body


def talk(phone, peer):
    """A call in, answered and ended. Returns the keys of both."""
    caller = Caller(peer, b"talk")
    body = caller.invite()
    answering = Beside(phone, "answer", phone.wait_call("incoming"))
    accepted = peer.await_start(b"SIP/2.0 200")
    to = header(accepted, b"To")
    caller.send(b"ACK", 1, to)
    answering.join()
    talked = secrets_of(theirs=body, ours=accepted)
    assert len(talked) == 6
    assert find(phone.daemon.pid, talked)
    caller.send(b"BYE", 2, to)
    peer.await_start(b"SIP/2.0 200")
    phone.wait_idle()
    return talked


def refuse(phone, peer):
    """A call in that the user refuses. Returns the keys of the caller."""
    caller = Caller(peer, b"refuse")
    offered = secrets_of(refused=caller.invite())
    number = phone.wait_call("incoming")
    assert find(phone.daemon.pid, offered)
    phone.ctl("reject", number, "--busy")
    refusal = peer.await_start(b"SIP/2.0 4")
    caller.send(b"ACK", 1, header(refusal, b"To"), transaction=b"INVITE")
    phone.wait_idle()
    return offered


def test_keys(pairs):
    """Neither of an offer of ours that is refused, nor of a call that has ended, whoever began it and however often its keys were new, nor of one that we
    refused, is any key left, of either side."""
    secrets = [renew(phone, peer) | offer_in_vain(phone, peer) | refuse(phone, peer) | talk(phone, peer) for phone, peer in pairs]
    for (phone, _), keys in zip(pairs, secrets):
        await_wiped(phone, keys)
        assert phone.daemon.poll() is None
