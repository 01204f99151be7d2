# SPDX-License-Identifier: LGPL-2.1-or-later
"""A name server with a table, for phones that find their provider by the DNS (RFC 3263)."""
import ipaddress
import socket
import struct
import threading

TYPES = {"A": 1, "SRV": 33, "NAPTR": 35}


def _name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def _text(text):
    return bytes([len(text)]) + text.encode()


def _data(kind, words):
    """words: "ADDRESS"; "PRIORITY WEIGHT PORT TARGET"; "ORDER PREFERENCE SERVICE REPLACEMENT"."""
    words = words.split()
    if kind == "A":
        return ipaddress.ip_address(words[0]).packed
    if kind == "SRV":
        return struct.pack(">HHH", *map(int, words[:3])) + _name(words[3])
    return struct.pack(">HH", *map(int, words[:2])) + _text("s") + _text(words[2]) + _text("") + _name(words[3])


class NameServer:
    """zone: (name, type, data) rows. Knows nothing else, and says so. launcher() has a phone ask it, in a mount namespace of its own."""

    def __init__(self, address, zone, work):
        self.zone, self.asked = zone, set()
        self.resolv_conf = work / "resolv.conf"
        self.resolv_conf.write_text(f"nameserver {address}\n")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def launcher(self):
        return ["unshare", "--mount", "sh", "-c", f"mount --bind '{self.resolv_conf}' /etc/resolv.conf && exec \"$0\" \"$@\""]

    def stop(self):
        self.socket.close()

    def _serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(512)
                self.socket.sendto(self._answer(query), peer)
            except OSError:
                return

    def _answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += query[at] + 1
        name, question = ".".join(labels).lower(), query[12:at + 5]
        wanted = struct.unpack(">H", query[at + 1:at + 3])[0]
        self.asked.add((name, wanted))
        answers = [_name(name) + struct.pack(">HHIH", wanted, 1, 60, len(data)) + data
                   for data in (_data(kind, words) for owner, kind, words in self.zone if owner == name and TYPES[kind] == wanted)]
        known = any(owner == name for owner, _, _ in self.zone)
        return query[:2] + struct.pack(">HHHHH", 0x8580 if known else 0x8583, 1, len(answers), 0, 0) + question + b"".join(answers)
