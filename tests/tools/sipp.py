# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIPp as a foreign peer that does what no telephone does: one process for one scenario."""
import pathlib
import re
import socket
import subprocess
import time

from scene import POKE, Scene

SCENARIOS = pathlib.Path(__file__).resolve().parent.parent / "system" / "sipp"


class Sipp:
    """scenario: the name of a file, or a Scene."""

    def __init__(self, work, scenario, address, peer="", *, calls=1, rate=10, service="us", port=5060, media=None, timeout=30):
        written = isinstance(scenario, Scene)
        name = "scene" if written else scenario
        self.folder = pathlib.Path(work) / f"sipp-{name}-{len(list(pathlib.Path(work).glob('sipp-*')))}"
        self.folder.mkdir()
        self.address, self.port = address, port
        path = self.folder / "scene.xml" if written else SCENARIOS / f"{name}.xml"
        if written:
            path.write_text(scenario.xml())
        command = ["sipp", "-sf", str(path), "-i", address, "-p", str(port), "-mi", media or address, "-m", str(calls),
                   "-r", str(rate), "-s", service, "-nostdin", "-trace_err", "-error_file", str(self.folder / "errors"), "-trace_msg",
                   "-message_file", str(self.folder / "messages"), "-timeout", str(timeout), "-timeout_error", *([peer] if peer else [])]
        with open(self.folder / "screen", "wb") as screen:
            self.process = subprocess.Popen(command, stdout=screen, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.folder)

    def finish(self, timeout=60):
        """Waits for the end; the scenario must have gone as it is written."""
        status = self.process.wait(timeout)
        errors = self.folder / "errors"
        said = errors.read_text(errors="replace")[-3000:] if errors.exists() else (self.folder / "screen").read_text(errors="replace")[-1500:]
        assert status == 0, f"SIPp exit {status}: {said}"

    def messages(self):
        path = self.folder / "messages"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait(self, pattern, timeout=30):
        """The first match in what went to and fro. SIPp writes that down and tells nobody: it is asked until it is there."""
        deadline = time.monotonic() + timeout
        while not (match := re.search(pattern, self.messages(), re.S)):
            assert time.monotonic() < deadline and self.process.poll() is None, f"SIPp has seen no {pattern}: {self.messages()[-3000:]}"
            time.sleep(0.01)
        return match

    def wait_bound(self):
        """It does not say that it listens, either: its port is asked for until it is taken."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind((self.address, self.port))
                except OSError:
                    return
            time.sleep(0.01)
        raise TimeoutError(f"SIPp does not listen: {(self.folder / 'screen').read_text(errors='replace')[-1500:]}")

    def poke(self, call_id):
        """Goes on with a Scene that is poked(). To SIPp a Call-ID is a call."""
        message = (f"{POKE} sip:sipp@{self.address} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address}:9;branch=z9hG4bKpoke\r\nFrom: <sip:test@test>;tag=1\r\n"
                   f"To: <sip:sipp@{self.address}>\r\nCall-ID: {call_id}\r\nCSeq: 1 {POKE}\r\nContent-Length: 0\r\n\r\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as test:
            test.sendto(message.encode(), (self.address, self.port))

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
