# SPDX-License-Identifier: LGPL-2.1-or-later
"""Headless Chromium as a foreign peer: a page of ours (browser/phone.js) that speaks SIP over WebSocket, served from here, which tells
here what happens; and the proxy that it needs."""
import http.server
import json
import pathlib
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import wave

from phone import die_with_parent, urgent

FOLDER = pathlib.Path(__file__).resolve().parent / "browser"
TIMEOUT = 40.0
WS_PORT = 8080
SWITCHES = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps", "--disable-dev-shm-usage",
            "--mute-audio", "--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection",
            "--disable-features=WebRtcHideLocalIpsWithMdns,OptimizationHints,MediaRouter,DialMediaRouteProvider"]


class WebSocketProxy:
    def __init__(self, folder, address):
        self.folder, self.address, self.process = pathlib.Path(folder), address, None

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        text = (FOLDER / "kamailio.cfg").read_text().replace("ADDRESS", self.address).replace("WS_PORT", str(WS_PORT))
        (self.folder / "kamailio.cfg").write_text(text)
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(["kamailio", "-DD", "-E", "-m", "32", "-M", "4", "-Y", str(self.folder), "-w", str(self.folder), "-f",
                                         str(self.folder / "kamailio.cfg")], stdout=self.log, stderr=self.log, preexec_fn=die_with_parent)
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                socket.create_connection((self.address, WS_PORT), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(f"kamailio does not start: {(self.folder / 'log').read_text(errors='replace')[-2000:]}") from None
                time.sleep(0.05)  # there is no event for a socket that is not there yet

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)


class Browser:
    """One page, one call. events: what the page reported."""

    def __init__(self, name, work, address, proxy, speech, user, call=None):
        self.home = pathlib.Path(work) / f"browser-{name}"
        self.address, self.proxy, self.speech, self.user, self.call = address, proxy, pathlib.Path(speech), user, call
        self.events, self.condition, self.process = [], threading.Condition(), None

    def start(self):
        browser = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self):
                name = urllib.parse.urlsplit(self.path).path.lstrip("/")
                file = browser.speech if name == "speech.wav" else FOLDER / name
                if name not in ("speech.wav", "phone.html", "phone.js"):
                    self.send_error(404)
                    return
                data = file.read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", {"html": "text/html", "js": "text/javascript"}.get(name.rsplit(".", 1)[1], "audio/wav"))
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self):
                data = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/heard":
                    browser.write_heard(data)
                else:
                    browser.take(json.loads(data))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.home.mkdir(parents=True, exist_ok=True)
        self.server = http.server.ThreadingHTTPServer((self.address, 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        query = {"ws": f"ws://{self.proxy.address}:{WS_PORT}", "aor": f"{self.user}@{self.proxy.address}"}
        if self.call:
            query["call"] = self.call
        page = f"http://{self.address}:{self.server.server_port}/phone.html?{urllib.parse.urlencode(query)}"
        profile = self.home / "profile"
        shutil.rmtree(profile, ignore_errors=True)
        self.log = open(self.home / "log", "wb")
        self.process = subprocess.Popen(["chromium", *SWITCHES, f"--user-data-dir={profile}", "--remote-debugging-port=0", page], stdout=self.log,
                                        stderr=self.log, stdin=subprocess.DEVNULL, preexec_fn=urgent)

    def take(self, event):
        with self.condition:
            self.events.append(event)
            self.condition.notify_all()

    def write_heard(self, data):
        with wave.open(str(self.home / "heard.wav"), "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(48000)
            wav.writeframes(data)

    def wait_event(self, kind, timeout=TIMEOUT, **wanted):
        deadline = time.monotonic() + timeout
        with self.condition:
            while True:
                for event in self.events:
                    if event["event"] == kind and all(event.get(key) == value for key, value in wanted.items()):
                        return event
                left = deadline - time.monotonic()
                if left <= 0 or any(event["event"] == "error" for event in self.events):
                    log = (self.home / "log").read_text(errors="replace")[-1500:]
                    raise TimeoutError(f"the page: waited in vain for {kind} {wanted}; {self.events}; {log}")
                self.condition.wait(left)

    def heard(self):
        return self.home / "heard.wav"

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.server.shutdown()
        self.log.close()
