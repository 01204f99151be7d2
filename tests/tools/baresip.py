# SPDX-License-Identifier: LGPL-2.1-or-later
"""baresip as a foreign peer: a process with folders of its own, a WAV file as microphone, what it hears dumped into another, driven over
its control socket (netstrings of JSON)."""
import json
import pathlib
import socket
import subprocess
import threading
import time

from phone import urgent

MODULES = "/usr/lib/baresip/modules"
TIMEOUT = 20.0


def connect(address, port, process):
    """The control socket of a baresip that may still be starting."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return socket.create_connection((address, port), 1)
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError("baresip does not start") from None
            time.sleep(0.02)  # there is no event for a socket that is not there yet


class Baresip:
    def __init__(self, name, work, address, speech, aor, *, outbound=None, password="", transport="udp", codecs="opus/48000/1",
                 mediaenc="", regint=0, ca=None, dtmf=None, extra="", hurry=False, modules=(), rtcp_mux="no",
                 applications=(), contacts=""):
        self.name, self.address, self.home = name, address, pathlib.Path(work) / f"baresip-{name}"
        self.speech, self.aor, self.transport = pathlib.Path(speech), aor, transport
        self.parameters = [f"regint={regint}"]
        if password:
            self.parameters.append(f"auth_pass={password}")
        if outbound:
            self.parameters.append(f'outbound="sip:{outbound};transport={transport}"')
        if mediaenc:
            self.parameters.append(f"mediaenc={mediaenc}")
        if dtmf:
            self.parameters.append(f"dtmfmode={dtmf}")
        if extra:
            self.parameters.append(extra)
        # Last: what follows a comma is lost.
        self.parameters.append(f"audio_codecs={codecs}")
        self.ca, self.control_port, self.hurry = ca, 4444, hurry
        self.modules, self.rtcp_mux, self.applications, self.contacts = modules, rtcp_mux, applications, contacts
        self.process = self.socket = None
        self.events, self.condition = [], threading.Condition()

    def start(self):
        self.home.mkdir(parents=True, exist_ok=True)
        sounds = self.home / "sounds"
        sounds.mkdir(exist_ok=True)
        modules = ["opus", "g722", "g711", "srtp", "dtls_srtp", "aufile", "aubridge", "sndfile", "ctrl_tcp", "uuid", *self.modules]
        applications = ["account", *self.applications, "menu"]      # after the modules that accounts name
        lines = [f"module_path {MODULES}", f"sip_listen {self.address}:5060", f"ctrl_tcp_listen {self.address}:{self.control_port}",
                 f"audio_source aufile,{self.speech}", "audio_player aubridge,nil", "audio_alert aubridge,nil", f"snd_path {self.home}",
                 f"audio_path {sounds}", "rtp_ports 20000-30000", f"rtcp_mux {self.rtcp_mux}", "jitter_buffer_delay 2-10", "opus_bitrate 28000",
                 "ausrc_srate 48000", "auplay_srate 48000", "ausrc_channels 1", "auplay_channels 1", "call_max_calls 4",
                 "sip_verify_server yes" if self.ca else "sip_verify_server no"]
        if self.ca:
            lines.append(f"sip_cafile {self.ca}")
        lines += [f"module {module}.so" for module in modules] + [f"module_app {module}.so" for module in applications]
        (self.home / "config").write_text("\n".join(lines) + "\n")
        transport = f";transport={self.transport}" if self.transport != "udp" else ""
        (self.home / "accounts").write_text(f"<{self.aor}{transport}>;{';'.join(self.parameters)}\n")
        (self.home / "contacts").write_text(self.contacts)
        self.log = open(self.home / "log", "wb")
        self.process = subprocess.Popen(["baresip", "-4", "-f", str(self.home), "-v"], stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL, cwd=self.home, preexec_fn=urgent if self.hurry else None)
        try:
            self.socket = connect(self.address, self.control_port, self.process)
        except RuntimeError:
            raise RuntimeError(f"baresip does not start: {self.log_text()[-2000:]}") from None
        self.listen()

    @classmethod
    def attached(cls, connect):
        """To one that somebody else started: its control socket alone. connect: makes the socket."""
        self = cls.__new__(cls)
        self.home, self.events, self.condition = pathlib.Path("/nonexistent"), [], threading.Condition()
        self.socket = connect()
        self.listen()
        return self

    def listen(self):
        self.socket.settimeout(None)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        buffer = b""
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            buffer += data
            while b":" in buffer:
                head, _, rest = buffer.partition(b":")
                length = int(head)
                if len(rest) < length + 1:
                    break
                with self.condition:
                    self.events.append(json.loads(rest[:length]))
                    self.condition.notify_all()
                buffer = rest[length + 1:]

    def command(self, command, params=""):
        text = json.dumps({"command": command, "params": params}).encode()
        self.socket.sendall(b"%d:%s," % (len(text), text))

    def answer(self, command, params=""):
        """What it prints in answer."""
        with self.condition:
            mark = len(self.events)
        self.command(command, params)
        with self.condition:
            self.condition.wait_for(lambda: any(event.get("response") for event in self.events[mark:]), TIMEOUT)
            return "".join(event.get("data", "") for event in self.events[mark:] if event.get("response"))

    def wait_event(self, kind, timeout=TIMEOUT, after=0):
        """The first event of that kind at or after index `after`; returns (index, event)."""
        deadline = time.monotonic() + timeout
        with self.condition:
            while True:
                for index in range(after, len(self.events)):
                    if self.events[index].get("type") == kind:
                        return index, self.events[index]
                left = deadline - time.monotonic()
                if left <= 0:
                    kinds = [event.get("type") or event for event in self.events]
                    raise TimeoutError(f"baresip: waited in vain for {kind}; {kinds}; {self.log_text()[-1500:]}")
                self.condition.wait(left)

    def wait_registered(self, timeout=TIMEOUT):
        """The event may have come before we were connected, so ask until it is so; each turn waits for an answer."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with self.condition:
                mark = len(self.events)
            self.command("reginfo")
            with self.condition:
                self.condition.wait_for(lambda: any(event.get("response") for event in self.events[mark:]), 5)
                answers = [event.get("data", "") for event in self.events[mark:] if event.get("response")]
            if any("OK" in answer for answer in answers):
                return
            with self.condition:
                self.condition.wait(0.05)
        raise TimeoutError(f"baresip does not register: {self.log_text()[-1500:]}")

    def heard(self):
        files = sorted(self.home.glob("dump-*-dec.wav"))
        return files[-1] if files else None

    def log_text(self):
        path = self.home / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self):
        if self.socket:
            self.socket.close()
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process:
            self.log.close()
