# SPDX-License-Identifier: LGPL-2.1-or-later
"""Both ends of a call for tests/bench/voice: a network namespace, a sound server with a microphone and a loudspeaker that are null sinks, and
a phone between them."""
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import threading
import time

import numpy as np

import baresip
from phone import Phone, die_with_parent

ADDRESSES = ("10.65.0.1", "10.65.0.2")
RATE = 48000
BITRATE = 28000
PATIENCE = 20


def hurry(priority):
    def prepare():
        die_with_parent()
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(priority))
    return prepare


class Namespaces:
    def __init__(self, names):
        self.names = names

    def __enter__(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "add", name], check=True)
            subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False)


def within(name, work):
    """Does it in the namespace; a socket stays in the one that it was made in."""
    result = []

    def enter():
        with open(f"/run/netns/{name}") as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        result.append(work())
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if not result:
        raise RuntimeError(f"nothing could be done in {name}")
    return result[0]


class Link:
    def __init__(self, program, names, seed, config, log):
        self.command = [str(program), "--seed", str(seed), "--log", str(log), names[0], ADDRESSES[0], names[1], ADDRESSES[1], *config]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the link does not start")
        return self

    def stats(self):
        self.tell("stats")
        return json.loads(self.process.stdout.readline())

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(5)


class Sound:
    def __init__(self, work):
        self.work, self.socket = work, work / "pulse.sock"
        self.environment = dict(os.environ, PULSE_SERVER=f"unix:{self.socket}", HOME=str(work), XDG_RUNTIME_DIR=str(work))

    def start(self):
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes", "--realtime=no",
                   "--high-priority=no", "-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.socket}"]
        for sink in ("ear", "mic"):
            command += ["-L", f"module-null-sink sink_name={sink} rate={RATE} channels=1 format=s16le"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment, preexec_fn=hurry(40))
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(["pactl", "info"], env=self.environment, capture_output=True).returncode != 0:
            if time.monotonic() > deadline:
                raise RuntimeError("PulseAudio does not start")
            time.sleep(0.05)    # there is no event for a socket that is not there yet
        subprocess.run(["pactl", "set-default-source", "mic.monitor"], env=self.environment, check=True)
        subprocess.run(["pactl", "set-default-sink", "ear"], env=self.environment, check=True)

    def play(self, sink, path):
        subprocess.run(["paplay", "-d", sink, "--latency-msec=50", str(path)], env=self.environment, check=True, preexec_fn=hurry(40))

    def stop(self):
        self.process.terminate()
        self.process.wait(5)


class Recorder:
    """A monitor's samples and when the first of them was there: the null sinks run by the clock of the machine, so that is the least of all
    arrival times, each less the duration of what came before it."""

    def __init__(self, sound, source):
        self.process = subprocess.Popen(["parec", "-d", source, "--latency-msec=5", "--raw", "--format=s16le", f"--rate={RATE}", "--channels=1"],
                                        stdout=subprocess.PIPE, env=sound.environment, preexec_fn=hurry(40))
        self.chunks, self.begin = [], float("inf")
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        got = 0
        while data := os.read(self.process.stdout.fileno(), 65536):
            got += len(data)
            self.begin = min(self.begin, time.monotonic() - got / 2 / RATE)
            self.chunks.append(data)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.thread.join()
        data = b"".join(self.chunks)
        return np.frombuffer(data[:len(data) // 2 * 2], "<i2").astype(float), self.begin


class PhonedEnd(Phone):
    @staticmethod
    def is_there(build):
        return (build / "daemon" / "phoned").exists()

    def __init__(self, work, namespace, address, peer, build):
        work.mkdir()
        self.sound, self.namespace, self.address, self.follower = Sound(work), namespace, address, None
        super().__init__("phone", work, build, audio={"input": "pulse:mic.monitor", "output": "pulse:ear", "ring": "silence"},
                         config={"sip": {"bind": f"{address}:5060"}, "media": {"bind": address, "opus-bitrate": BITRATE}, "daemon": {"linger": "1"}},
                         environment={"PULSE_SERVER": f"unix:{self.sound.socket}"})

    def start(self):
        self.sound.start()
        super().start()
        self.ctl("account", "add", "x", f"aor=sip:x@{self.address}", "register=false", "transport=udp", "srtp=required", "sdes-in-clear=true",
                 "codecs=opus", "auto-answer=0")

    def start_daemon(self):
        with open(self.log_path, "ab") as log:
            self.daemon = subprocess.Popen(["ip", "netns", "exec", self.namespace, str(self.build / "daemon" / "phoned"), "--log-level=debug"],
                                           stderr=log, stdout=log, env=self.environment(), preexec_fn=hurry(20))
        self.start_monitor()

    def call(self, other):
        self.number = self.ctl("dial", f"sip:x@{other.address}")["call"]
        self.wait_call("active", self.number)
        other.number = other.wait_call("active")

    def follow(self, stats):
        self.follower = subprocess.Popen([str(self.phonectl), "--json", "stats", str(self.number), "--follow"], stdout=subprocess.PIPE, text=True,
                                         env=self.environment(), preexec_fn=die_with_parent)

        def read():
            for line in self.follower.stdout:
                try:
                    stats.append(json.loads(line))
                except json.JSONDecodeError:
                    pass
        threading.Thread(target=read, daemon=True).start()

    def stop(self):
        if self.follower:
            self.follower.terminate()
            self.follower.wait()
        if self.daemon:
            super().stop()
        self.sound.stop()


class BaresipEnd:
    """Its PulseAudio module is not in Debian's packages: it comes by ALSA's plugin, which costs some delay."""

    @staticmethod
    def is_there(build):
        return shutil.which("baresip") is not None and pathlib.Path(baresip.MODULES, "alsa.so").exists()

    def __init__(self, work, namespace, address, peer, build):
        work.mkdir()
        self.sound, self.namespace, self.address, self.home, self.process = Sound(work), namespace, address, work / "baresip", None

    def start(self):
        self.sound.start()
        self.home.mkdir()
        (self.sound.work / ".asoundrc").write_text("pcm.ear { type pulse device ear }\npcm.mic { type pulse device mic.monitor }\n")
        lines = [f"module_path {baresip.MODULES}", f"sip_listen {self.address}:5060", f"ctrl_tcp_listen {self.address}:4444", "audio_source alsa,mic",
                 "audio_player alsa,ear", "audio_alert aubridge,nil", f"audio_path {self.home}", "rtp_ports 20000-30000", "rtcp_mux no",
                 "jitter_buffer_type adaptive", "jitter_buffer_delay 2-10", f"opus_bitrate {BITRATE}", "opus_inbandfec yes", "opus_packet_loss 10",
                 "opus_application voip", "opus_stereo no", "opus_sprop_stereo no", "ausrc_srate 48000", "auplay_srate 48000", "ausrc_channels 1",
                 "auplay_channels 1", "rtp_stats yes"]
        lines += [f"module {name}.so" for name in ("opus", "srtp", "alsa", "aubridge", "ctrl_tcp")]
        lines += [f"module_app {name}.so" for name in ("account", "menu")]
        (self.home / "config").write_text("\n".join(lines) + "\n")
        (self.home / "accounts").write_text(f"<sip:x@{self.address}>;regint=0;mediaenc=srtp-mand;answermode=auto;audio_codecs=opus/48000/1\n")
        (self.home / "contacts").write_text("")
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(["ip", "netns", "exec", self.namespace, "baresip", "-4", "-f", str(self.home)], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, cwd=self.home, env=self.sound.environment, preexec_fn=hurry(20))

    def connect(self):
        self.control = baresip.Baresip.attached(lambda: within(self.namespace, lambda: baresip.connect(self.address, 4444, self.process)))

    def call(self, other):
        other.connect()
        self.connect()
        self.control.command("dial", f"sip:x@{other.address}")
        self.control.wait_event("CALL_ESTABLISHED")

    def follow(self, stats):
        pass

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.sound.stop()


KINDS = {"phoned": PhonedEnd, "baresip": BaresipEnd}
