# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many parties in one process, with nothing of phoned in them: each takes a call over UDP, says a tone in PCMU and keeps what it hears."""
import re
import selectors
import socket
import struct
import threading
import time

import numpy as np

RATE, FRAME = 8000, 160
SIP_PORT, RTP_PORT = 5060, 4000


def mulaw_table():
    code = ~np.arange(256) & 0xff
    size = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -size, size)


DECODED = mulaw_table()
ORDER = np.argsort(DECODED, kind="stable")
BORDERS = (DECODED[ORDER][1:] + DECODED[ORDER][:-1]) / 2


def encode(samples):
    return ORDER[np.searchsorted(BORDERS, samples)].astype(np.uint8).tobytes()


class Party:
    def __init__(self, address, hz, amplitude):
        self.address = address
        at = np.arange(RATE) / RATE                             # whole periods of whole Hz
        self.tone = encode(32767 * amplitude * np.sin(2 * np.pi * hz * at))
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind((address, SIP_PORT))
        self.rtp.bind((address, RTP_PORT))
        self.to, self.sent, self.packets = None, 0, []

    def on_sip(self):
        data, source = self.sip.recvfrom(65535)
        head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
        method = head.split(" ", 1)[0]
        if method in ("ACK", "SIP/2.0"):
            return
        lines, answer, status = [], "", "200 OK"
        for line in head.split("\r\n")[1:]:
            name = line.split(":", 1)[0].lower()
            if name in ("via", "from", "call-id", "cseq", "record-route"):
                lines.append(line)
            elif name == "to":
                lines.append(line if "tag=" in line else f"{line};tag=crowd")
        if method == "INVITE" and " RTP/AVP " not in body:
            status = "488 Not Acceptable Here"                 # nothing encrypted: asked again without
        elif method == "INVITE":
            self.to = (re.search(r"^c=IN IP4 (\S+)", body, re.M)[1], int(re.search(r"^m=audio (\d+)", body, re.M)[1]))
            answer = (f"v=0\r\no=- 1 1 IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\nt=0 0\r\n"
                      f"m=audio {RTP_PORT} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n")
            lines += [f"Contact: <sip:{self.address}:{SIP_PORT}>", "Content-Type: application/sdp"]
        elif method == "BYE":
            self.to = None
        self.sip.sendto("\r\n".join([f"SIP/2.0 {status}", *lines, f"Content-Length: {len(answer)}", "", answer]).encode(), source)

    def on_rtp(self):
        data = self.rtp.recv(2048)
        if len(data) == 12 + FRAME and data[1] & 0x7f == 0:
            self.packets.append((struct.unpack(">I", data[4:8])[0], data[12:]))

    def say(self):
        """A packet, if there is a call."""
        if not self.to:
            return
        at = self.sent * FRAME % RATE
        self.rtp.sendto(struct.pack(">BBHII", 0x80, 0, self.sent & 0xffff, self.sent * FRAME & 0xffffffff, 0x63726f77) + self.tone[at:at + FRAME],
                        self.to)
        self.sent += 1

    def heard(self, seconds):
        """The last of it, between -1 and 1; what has not come is silence."""
        last = self.packets[-1][0]
        samples = np.zeros(int(seconds * RATE))
        for stamp, payload in self.packets[-int(2 * seconds * RATE / FRAME):]:
            place = len(samples) - FRAME - (last - stamp)
            if 0 <= place <= len(samples) - FRAME:
                samples[place:place + FRAME] = DECODED[np.frombuffer(payload, np.uint8)] / 32768
        return samples


class Crowd:
    """tones: address -> Hz."""

    def __init__(self, tones, amplitude):
        self.parties = {address: Party(address, hz, amplitude) for address, hz in tones.items()}
        self.running = True
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self.parties

    def __exit__(self, *_):
        self.running = False
        self.thread.join()
        for party in self.parties.values():
            party.sip.close()
            party.rtp.close()

    def run(self):
        selector = selectors.DefaultSelector()
        for party in self.parties.values():
            selector.register(party.sip, selectors.EVENT_READ, party.on_sip)
            selector.register(party.rtp, selectors.EVENT_READ, party.on_rtp)
        due = time.monotonic()
        while self.running:
            for key, _ in selector.select(max(due - time.monotonic(), 0)):
                key.data()
            if time.monotonic() >= due:
                due += FRAME / RATE
                for party in self.parties.values():
                    party.say()
        selector.close()
