# SPDX-License-Identifier: LGPL-2.1-or-later
"""linphonec as a foreign peer: a process with folders of its own that gets commands on its standard input and says on its standard output
what happens. Files stand in for microphone and loudspeaker."""
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

from phone import urgent

TIMEOUT = 20.0
CODECS = (("opus", 48000, 2), ("G722", 8000, 1), ("PCMA", 8000, 1), ("PCMU", 8000, 1))     # G.722 is off by default


class Linphone:
    def __init__(self, name, work, speech, user, provider, *, password, transport="udp", encryption="none", suites=None):
        self.home, self.speech = pathlib.Path(work) / f"linphone-{name}", pathlib.Path(speech)
        self.condition, self.lines, self.process = threading.Condition(), [], None
        port = provider.tls_port if transport == "tls" else provider.port
        sip = {"sip_port": 0, "sip_tcp_port": 0, "sip_tls_port": 0, f"sip_{'tcp' if transport == 'udp' else transport}_port": -1,
               "default_proxy": 0, "register_only_when_network_is_up": 0, "auto_net_state_mon": 0, "use_ipv6": 0, "guess_hostname": 0,
               "root_ca": provider.ca, "verify_server_cn": 0,      # it knows no addresses in certificates
               "media_encryption": encryption, "inc_timeout": 60, "ping_with_options": 0, "ipv6_migration_done": 1}
        if transport == "udp":
            sip.update(sip_port=-1, sip_tcp_port=0)
        if suites:
            sip["srtp_crypto_suites"] = suites
        self.config = {
            "sip": sip,
            "rtp": {"audio_rtp_port": -1, "audio_jitt_comp": 40, "symmetric": 1, "nortp_timeout": 60},
            "net": {"mtu": 0, "firewall_policy": 0},
            "sound": {"echocancellation": 0, "agc": 0, "playback_dev_id": "", "capture_dev_id": ""},
            "video": {"enabled": 0, "capture": 0, "display": 0},
            "lime": {"enabled": 0},
            "proxy_0": {"reg_proxy": f"<sip:{provider.address}:{port};transport={transport}>",
                        "reg_route": f"<sip:{provider.address}:{port};transport={transport};lr>",
                        "reg_identity": f"sip:{user}@{provider.domain}", "reg_expires": 600, "reg_sendregister": 1, "publish": 0,
                        "avpf": 0, "dial_escape_plus": 0},
            "auth_info_0": {"username": user, "passwd": password, "realm": provider.domain, "domain": provider.domain},
        }

        for index, (mime, rate, channels) in enumerate(CODECS):
            self.config[f"audio_codec_{index}"] = {"mime": mime, "rate": rate, "channels": channels, "enabled": 1}

    def write_config(self):
        self.home.mkdir(parents=True)
        (self.home / ".local/share/linphone").mkdir(parents=True)
        with open(self.home / "linphonerc", "w") as file:
            for section, keys in self.config.items():
                file.write(f"[{section}]\n" + "".join(f"{key}={value}\n" for key, value in keys.items()))

    def spawn(self, *words):
        environment = dict(os.environ, HOME=str(self.home))
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1,
                                        env=environment, cwd=self.home, errors="replace", preexec_fn=urgent)
        threading.Thread(target=self.read, daemon=True).start()

    def start(self):
        self.write_config()
        self.spawn("linphonec", "-S", "-d", "5", "-l", str(self.home / "log"), "-c", str(self.home / "linphonerc"))
        self.command("soundcard use files", f"play {self.speech}")

    def read(self):
        for line in self.process.stdout:
            with self.condition:
                self.lines.append(line.strip())
                self.condition.notify_all()

    def command(self, *lines):
        for line in lines:
            self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def mark(self):
        with self.condition:
            return len(self.lines)

    def wait(self, pattern, after=0, timeout=TIMEOUT):
        """The match of the first line at or after index `after` that has the pattern in it."""
        deadline = time.monotonic() + timeout
        with self.condition:
            while True:
                for line in self.lines[after:]:
                    if match := re.search(pattern, line):
                        return match
                left = deadline - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    raise TimeoutError(f"linphonec: waited in vain for {pattern}; " + "\n".join(self.lines[-40:]))
                self.condition.wait(min(left, 0.5))

    def wait_registered(self, timeout=TIMEOUT):
        """It does not say when; each turn waits for an answer."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            mark = self.mark()
            self.command("status register")
            if self.wait(r"registered[=,] ?(\S+)", mark)[1] not in ("0", "-1"):
                return
            with self.condition:
                self.condition.wait(0.05)
        raise TimeoutError("linphonec does not register")

    def record(self, path):
        self.command(f"record {path}")

    def stop(self):
        if not self.process:
            return
        if self.process.poll() is None:
            try:
                self.command("quit")
                self.process.wait(5)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self.process.stdin.close()


class LinphoneReader(Linphone):
    """linphone's library, of which the command line client shows but a part: it reads messages and tells so, and is a member of conferences."""

    def start(self):
        self.write_config()
        self.spawn(sys.executable, str(pathlib.Path(__file__).with_name("linphone_reader.py")), str(self.home / "linphonerc"))

    def wait_registered(self, timeout=TIMEOUT):
        self.wait("registered", timeout=timeout)

    def wait_unread(self):
        self.wait("unread [1-9]")

    def read_all(self):
        self.command("read")

    def wait_members(self, *users):
        """Each with one endpoint, of the same URI."""
        uris = sorted(f"sip:{user}@{self.config['auth_info_0']['domain']}" for user in users)
        self.wait(f"^members {re.escape(' '.join(f'{uri}={uri}' for uri in uris))}$")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
