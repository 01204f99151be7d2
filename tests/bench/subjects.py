# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured: a phone process with one account at the bench's registrar, and what the kernel says about it."""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "tools"))
from phone import Phone  # noqa: E402

PEER = "127.61.1.1"
PHONED = "127.61.1.2"
BARESIP = "127.61.1.3"
COMPLEXITY = 5          # of the Opus encoder, the same for both phones
BITRATE = 28000
TICK = os.sysconf("SC_CLK_TCK")


# ---- the kernel's view ----

def memory(pid):
    """PSS and private memory, kB."""
    rows = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, value = line.partition(":")
        rows[name] = int(value.split()[0])
    return {"pss": rows["Pss"], "private": rows["Private_Clean"] + rows["Private_Dirty"]}


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def wakeups(pid):
    """How often each thread has gone to sleep: {thread: (name, voluntary context switches)}."""
    counts = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            text = pathlib.Path(f"/proc/{pid}/task/{task}/status").read_text()
        except OSError:
            continue
        fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        counts[task] = (fields["Name"], int(fields["voluntary_ctxt_switches"]))
    return counts


def cpu(pid):
    """CPU time of all threads, also of those that ended, s. The kernel scales it from its exact run time."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def machine_cpu():
    """Busy and stolen time of the machine, s."""
    fields = [int(word) for word in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return (sum(fields[:3]) + sum(fields[5:7])) / TICK, fields[7] / TICK


# ---- phones ----

class PhonedSubject(Phone):
    """phoned on a private bus without any client on it."""
    title = "phoned"

    def __init__(self, work, programs, speech, number=0):
        super().__init__(f"phoned-{number}", work, ".", audio={"input": f"file:{speech}", "output": "silence", "ring": "silence"},
                         config={"daemon": {"max-calls": "200"},
                                 "sip": {"bind": f"{PHONED}:5060"},
                                 "media": {"bind": PHONED, "opus-complexity": COMPLEXITY, "opus-bitrate": BITRATE}})
        self.binary, self.phonectl = programs["phoned"], programs["phonectl"]
        self.started = 0

    @property
    def process(self):
        return self.daemon

    @property
    def pid(self):
        return self.daemon.pid

    def start_daemon(self):
        accounts = self.home / "config/phoned/accounts.d"
        accounts.mkdir(exist_ok=True)
        secret = self.home / "secret"
        secret.write_text("bench-secret")
        secret.chmod(0o600)
        settings = {"aor": "sip:bench@bench.test", "outbound-proxy": f"{PEER}:5060", "transport": "udp", "password-file": secret,
                    "srtp": "required", "sdes-in-clear": "true", "codecs": "opus", "max-calls": "200", "expires": "3600"}
        (accounts / "bench.conf").write_text("[account]\n" + "".join(f"{key}={value}\n" for key, value in settings.items()))
        with open(self.log_path, "ab") as log:
            self.started = time.clock_gettime(time.CLOCK_REALTIME)
            self.daemon = subprocess.Popen([str(self.binary)], stderr=log, stdout=log, env=self.environment())

    def restart(self):
        """The daemon alone: the bus stays."""
        self.daemon.terminate()
        self.daemon.wait(10)
        self.start_daemon()

    def attach(self, peer):
        peer.ask(f"bus {self.bus_address}")

    def detach(self, peer):
        peer.ask("auto")

    def log_text(self):
        return self.log_path.read_text(errors="replace")


class BaresipSubject:
    """baresip with the modules that the same work needs, and no other. Its player is a bridge that nobody listens to: it decodes all the same."""
    title = "baresip"

    def __init__(self, work, modules, speech, number=0):
        self.home, self.modules, self.speech = pathlib.Path(work) / f"baresip-{number}", modules, speech
        self.process, self.started = None, 0
        self.control = (BARESIP, 4444)
        self.auto = False

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "sounds").mkdir(exist_ok=True)
        lines = [f"module_path {self.modules}", f"sip_listen {BARESIP}:5060", f"ctrl_tcp_listen {self.control[0]}:{self.control[1]}",
                 f"audio_source aufile,{self.speech}", "audio_player aubridge,nil", "audio_alert aubridge,nil", f"snd_path {self.home}",
                 f"audio_path {self.home}/sounds", "rtp_ports 20000-30000", "rtcp_mux no", "jitter_buffer_delay 2-10",
                 f"opus_bitrate {BITRATE}", f"opus_complexity {COMPLEXITY}", "opus_application voip", "opus_stereo no",
                 "opus_sprop_stereo no", f"net_interface {BARESIP}", "ausrc_srate 48000", "auplay_srate 48000",
                 "ausrc_channels 1", "auplay_channels 1", "call_max_calls 200", "call_local_timeout 600"]
        lines += [f"module {name}.so" for name in ("opus", "srtp", "aufile", "aubridge", "ctrl_tcp")]
        lines += [f"module_app {name}.so" for name in ("account", "menu")]
        (self.home / "config").write_text("\n".join(lines) + "\n")
        mode = ";answermode=auto" if self.auto else ""
        (self.home / "accounts").write_text(f'<sip:bench@bench.test>;auth_pass=bench-secret;outbound="sip:{PEER};transport=udp";regint=3600;mediaenc=srtp'
                                            f'{mode};audio_codecs=opus/48000/1\n')
        (self.home / "contacts").write_text("")
        with open(self.home / "log", "ab") as log:
            self.started = time.clock_gettime(time.CLOCK_REALTIME)
            self.process = subprocess.Popen(["baresip", "-4", "-f", str(self.home)], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            cwd=self.home)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def restart(self):
        self.stop()
        self.start()

    def attach(self, peer):
        if not self.auto:
            peer.ask(f"control {self.control[0]} {self.control[1]}")

    def detach(self, peer):
        peer.ask("auto")

    def log_text(self):
        return (self.home / "log").read_text(errors="replace")


def baresip_modules():
    """Folder of baresip's modules, None: it is not installed."""
    if not shutil.which("baresip"):
        return None
    for folder in ("/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"):
        if (pathlib.Path(folder) / "opus.so").exists():
            return folder
    return None
