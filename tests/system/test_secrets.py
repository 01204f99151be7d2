# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where secrets must not be: in the memory of a phone, after the call that they were for."""
import base64
import os
import re
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
    """A SIP peer that shows what it got, over one connection or from one port."""

    def __init__(self, kind, address, phone, work):
        self.kind, self.address, self.phone, self.left = kind, address, phone, b""
        self.listener = socket.create_server((address, 5060)) if kind != "udp" else None
        if kind == "udp":
            self.link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.link.bind((address, 5060))
            self.link.settimeout(20)
        else:
            self.listener.settimeout(20)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(work / "peer.pem")

    def accept(self):
        if self.kind == "udp":
            return
        self.link = self.listener.accept()[0]
        self.link.settimeout(20)
        if self.kind == "tls":
            self.link = self.context.wrap_socket(self.link, server_side=True)

    def call(self):
        """The way to the phone, for a caller."""
        if self.kind == "udp":
            return
        self.link = socket.create_connection((self.phone, 5060), source_address=(self.address, 0), timeout=20)
        if self.kind == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.link = context.wrap_socket(self.link)

    def send(self, message):
        if self.kind == "udp":
            self.link.sendto(message, (self.phone, 5060))
        else:
            self.link.sendall(message)

    def receive(self):
        """One message."""
        if self.kind == "udp":
            return self.link.recv(65536)
        while True:
            head, gap, rest = self.left.lstrip(b"\r\n").partition(b"\r\n\r\n")
            length = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head)
            if gap and len(rest) >= int(length[1]):
                self.left = rest[int(length[1]):]
                return head + gap + rest[:int(length[1])]
            piece = self.link.recv(65536)
            assert piece, "the phone has hung up"
            self.left += piece

    def await_start(self, start):
        while not (message := self.receive()).startswith(start):
            pass
        return message

    def close(self):
        for one in (getattr(self, "link", None), self.listener):
            if one:
                one.close()


def header(message, name):
    return re.search(rb"(?im)^%s\s*:\s*(.*?)\r$" % name, message)[1]


def response(request, status):
    vias = b"".join(b"Via: %s\r\n" % via for via in re.findall(rb"(?im)^(?:via|v)\s*:\s*(.*?)\r$", request))
    to = header(request, b"To")
    return (b"SIP/2.0 %s\r\n%sFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n"
            % (status, vias, header(request, b"From"), to, b"" if b"tag=" in to else b";tag=peer", header(request, b"Call-ID"), header(request, b"CSeq")))


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
    peer.accept()
    invite = peer.await_start(b"INVITE")
    offered = secrets_of(offer=invite)
    assert len(offered) == 12, invite
    assert find(phone.daemon.pid, offered), "the search does not find what must be there"
    peer.send(response(invite, b"603 Decline"))
    phone.wait_idle()
    return offered


def talk(phone, peer):
    """A call in, answered and ended. Returns the keys of both."""
    us, them, kind = peer.phone.encode(), peer.address.encode(), peer.kind.encode()
    keys = b"".join(b"a=crypto:%d %s inline:%s\r\n" % (i + 1, suite, base64.b64encode(os.urandom(length)))
                    for i, (suite, length) in enumerate([(b"AEAD_AES_256_GCM", 44), (b"AES_CM_128_HMAC_SHA1_80", 30)]))
    body = b"v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 40000 RTP/SAVP 8\r\n%s" % (them, them, keys)

    def request(method, number, to, more=b"", content=b""):
        return (b"%s sip:us@%s SIP/2.0\r\nVia: SIP/2.0/%s %s:5060;branch=z9hG4bK-%d-%s;rport\r\nFrom: <sip:them@%s>;tag=caller\r\nTo: %s\r\n"
                b"Call-ID: keys\r\nCSeq: %d %s\r\nContact: <sip:them@%s:5060;transport=%s>\r\nMax-Forwards: 70\r\n%sContent-Length: %d\r\n\r\n%s"
                % (method, us, kind.upper(), them, number, method, them, to, number, method, them, kind, more, len(content), content))

    peer.call()
    peer.send(request(b"INVITE", 1, b"<sip:us@x>", b"Content-Type: application/sdp\r\n", body))
    number = phone.wait_call("incoming")
    answering = threading.Thread(target=phone.ctl, args=("answer", number))     # it lasts until the ACK
    answering.start()
    accepted = peer.await_start(b"SIP/2.0 200")
    to = header(accepted, b"To")
    peer.send(request(b"ACK", 1, to))
    answering.join()
    talked = secrets_of(theirs=body, ours=accepted)
    assert len(talked) == 6
    assert find(phone.daemon.pid, talked)
    peer.send(request(b"BYE", 2, to))
    peer.await_start(b"SIP/2.0 200")
    phone.wait_idle()
    return talked


def test_keys(pairs):
    """Neither of an offer of ours that is refused nor of a call that has ended is any key left, of either side."""
    secrets = [offer_in_vain(phone, peer) | talk(phone, peer) for phone, peer in pairs]
    for (phone, _), keys in zip(pairs, secrets):
        await_wiped(phone, keys)
        assert phone.daemon.poll() is None
