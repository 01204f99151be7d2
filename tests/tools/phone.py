# SPDX-License-Identifier: LGPL-2.1-or-later
"""Phones and providers for the demonstration and the system tests.

A Phone is a phoned on a private bus with folders of its own, driven by phonectl and nothing else. What it says is
read from one `phonectl --json monitor`; waiting is waiting for such an event, never for a time.
"""
import ctypes
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TIMEOUT = 20.0

SENTENCES = ("Good morning. The quick brown fox jumps over the lazy dog. She sells sea shells by the sea shore. "
             "People depend on this telephone, and it should sound as if you were in the same room.")


def make_speech(path, text=SENTENCES):
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "165", "-w", str(path), text], check=True)


def die_with_parent():
    """A test that is killed must not leave buses and daemons behind (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def urgent():
    """die_with_parent, and ahead of everything that a busy machine does beside the test: sound that is compared must not be late for that."""
    die_with_parent()
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        pass                # an ordinary user's tests need a quiet machine


class Provider:
    """contrib/loopback-provider in a folder."""

    def __init__(self, folder, address="127.0.77.1", domain="phoned.test", users=None, algorithm="MD5", port=5060, tls_port=5061):
        self.folder, self.address, self.domain, self.algorithm = pathlib.Path(folder), address, domain, algorithm
        self.port, self.tls_port, self.users = port, tls_port, users or {}
        self.script = ROOT / "contrib" / "loopback-provider" / "provider"
        self.ca = self.folder / "ca.pem"

    def start(self):
        command = [str(self.script), "start", str(self.folder), "--address", self.address, "--domain", self.domain,
                   "--algorithm", self.algorithm, "--port", str(self.port), "--tls-port", str(self.tls_port)]
        for user, password in self.users.items():
            command += ["--user", f"{user}:{password}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def stop(self):
        subprocess.run([str(self.script), "stop", str(self.folder)], check=False)

    def password(self, user):
        for line in (self.folder / "users").read_text().splitlines():
            name, _, password = line.partition(":")
            if name == user:
                return password
        raise KeyError(user)

    def contacts(self, user):
        """The bindings that the registrar has for a user, as it prints them."""
        result = subprocess.run(["kamcmd", "-s", f"unix:{self.folder}/ctl", "ul.lookup", "location", user], capture_output=True, text=True)
        return [line.split(None, 1)[1] for line in result.stdout.splitlines() if line.strip().startswith("Address:")]

    def account_settings(self, user, transport, **more):
        """Words for `phonectl account add ID`."""
        port = self.tls_port if transport == "tls" else self.port
        host = f"[{self.address}]" if ":" in self.address else self.address
        settings = {"aor": f"sip:{user}@{self.domain}", "outbound-proxy": f"{host}:{port}", "transport": transport}
        if transport == "tls":
            settings["tls-ca"] = str(self.ca)
        settings.update({key.replace("_", "-"): value for key, value in more.items()})
        return [f"{key}={value}" for key, value in settings.items()]


class Phone:
    def __init__(self, name, work, build, audio=None, config=None, log_level="info", environment=None, detached=False, hurry=False,
                 launcher=()):
        self.name, self.build, self.log_level = name, pathlib.Path(build), log_level
        self.home = pathlib.Path(work) / name
        self.log_path = pathlib.Path(work) / f"{name}.log"
        self.phonectl = self.build / "client" / "phonectl"
        self.sections = {"audio": dict(audio or {})}
        self.sections.update(config or {})
        self.bus_address = f"unix:path={self.home}/runtime/bus"
        self.extra_environment = environment or {}
        self.launcher = [str(word) for word in launcher]        # a command that becomes the daemon
        self.daemon = self.bus = self.monitor = None
        self.condition = threading.Condition()
        self.calls, self.accounts, self.events = {}, {}, []
        self.before_exec = os.setsid if detached else die_with_parent
        self.before_daemon = urgent if hurry else self.before_exec
        self.secrets = set()    # must never stand in the log

    # ---- life ----

    def environment(self):
        runtime = self.home / "runtime"
        return dict(os.environ, DBUS_SESSION_BUS_ADDRESS=self.bus_address, XDG_RUNTIME_DIR=str(runtime),
                    XDG_CONFIG_HOME=str(self.home / "config"), XDG_STATE_HOME=str(self.home / "state"),
                    XDG_CACHE_HOME=str(self.home / "cache"), XDG_DATA_HOME=str(self.home / "data"), **self.extra_environment)

    def start(self):
        for folder in ("runtime", "config/phoned", "state", "cache"):
            (self.home / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.write_config()
        self.bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1", f"--address={self.bus_address}"],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self.environment(), preexec_fn=self.before_exec)
        self.bus.stdout.readline()
        self.start_daemon()

    def start_daemon(self):
        with self.condition:
            mark = len(self.events)
        binary = self.build / "daemon" / "phoned"
        with open(self.log_path, "ab") as log:
            self.daemon = subprocess.Popen([*self.launcher, str(binary), f"--log-level={self.log_level}"], stderr=log, stdout=log,
                                           env=self.environment(), preexec_fn=self.before_daemon)
        if not self.monitor:
            self.start_monitor()
        else:
            self.wait(lambda: any(event.get("signal") == "InterfacesAdded" for event in self.events[mark:]), "phoned on the bus")

    def start_monitor(self):
        self.monitor = subprocess.Popen([str(self.phonectl), "--json", "monitor", "--initial"], stdout=subprocess.PIPE, text=True,
                                        env=self.environment(), preexec_fn=die_with_parent)
        ready = threading.Event()
        threading.Thread(target=self.read_monitor, args=(self.monitor, ready), daemon=True).start()
        if not ready.wait(TIMEOUT):
            raise TimeoutError(f"{self.name}: phoned does not answer on its bus")

    def write_config(self):
        lines = []
        for section, keys in self.sections.items():
            lines.append(f"[{section}]")
            lines += [f"{key}={value}" for key, value in keys.items()]
        (self.home / "config/phoned/phoned.conf").write_text("\n".join(lines) + "\n")

    def end_daemon(self, how=signal.SIGTERM, timeout=TIMEOUT):
        """Ends the daemon alone, by a signal; bus and monitor stay. Returns its exit status."""
        with self.condition:
            mark = len(self.events)
        self.daemon.send_signal(how)
        status = self.daemon.wait(timeout)
        self.daemon = None
        self.wait(lambda: any(event.get("signal") == "PhoneVanished" for event in self.events[mark:]), "the bus to miss phoned")
        return status

    def restart_daemon(self, how=signal.SIGTERM):
        """Like systemd after `restart` or a crash: what was known of calls and accounts is forgotten first."""
        status = self.end_daemon(how)
        with self.condition:
            self.calls, self.accounts = {}, {}
        self.start_daemon()
        return status

    def reload(self):
        """SIGHUP; what it did shows on the bus."""
        self.daemon.send_signal(signal.SIGHUP)

    def leave(self):
        """Forgets the daemon and its bus, which go on; returns their pids."""
        self.monitor.terminate()
        self.monitor.wait()
        pids = [self.daemon.pid, self.bus.pid]
        self.daemon = self.monitor = self.bus = None
        return pids

    def stop(self, timeout=5):
        for process in (self.daemon, self.monitor, self.bus):
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(timeout)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        return self.daemon.returncode if self.daemon else None

    # ---- phonectl ----

    def run(self, *words, stdin=None, check=True, json_output=True):
        command = [str(self.phonectl)] + (["--json"] if json_output else []) + [str(word) for word in words]
        result = subprocess.run(command, input=stdin, capture_output=True, text=True, env=self.environment(), timeout=60)
        if check and result.returncode != 0:
            raise RuntimeError(f"{self.name}: phonectl {' '.join(map(str, words))}: exit {result.returncode}: {result.stderr.strip()}")
        return result

    def add_account(self, name, words, password, state="registered"):
        self.secrets.add(password)
        self.ctl("account", "add", name, *words, "--password-stdin", stdin=password)
        if state:
            self.wait_registered(name, state)

    def ctl(self, *words, stdin=None):
        output = self.run(*words, stdin=stdin).stdout.strip()
        return json.loads(output) if output else None

    def ctl_text(self, *words):
        return self.run(*words, json_output=False).stdout

    # ---- events ----

    def read_monitor(self, process, ready):
        for line in process.stdout:
            try:
                event = json.loads(line)
            except json.JSONDecodeError:
                continue
            with self.condition:
                self.take(event)
                self.condition.notify_all()
            ready.set()

    def take(self, event):
        """Keeps the last known properties of every object; interfaces share one namespace here, but for the two that have a State."""
        kind, path = event.get("signal"), event.get("object", "")
        self.events.append(event)
        values = {}
        if kind == "PropertiesChanged":
            values = self.renamed(event["interface"], event["properties"])
        elif kind == "InterfacesAdded":
            for interface, properties in event["interfaces"].items():
                values.update(self.renamed(interface, properties))
        table = self.calls if "/call/" in path else self.accounts if "/account/" in path else None
        if table is None:
            return
        # sd_bus_path_encode(3)
        key = re.sub("_([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), path.rsplit("/", 1)[1])
        entry = table.setdefault(key, {"states": []})
        entry.update(values)
        if "State" in values:
            entry["states"].append(values["State"])

    @staticmethod
    def renamed(interface, properties):
        if interface.endswith(".Recording") and "State" in properties:
            return {**{key: value for key, value in properties.items() if key != "State"}, "RecordingState": properties["State"]}
        return properties

    def wait(self, condition, what, timeout=TIMEOUT):
        deadline = time.monotonic() + timeout
        with self.condition:
            while True:
                value = condition()
                if value:
                    return value
                left = deadline - time.monotonic()
                if left <= 0 or (self.daemon and self.daemon.poll() is not None):
                    state = {"calls": self.calls, "accounts": self.accounts}
                    raise TimeoutError(f"{self.name}: waited in vain for {what}; {json.dumps(state)[:1500]}")
                self.condition.wait(min(left, 0.5))

    def wait_registered(self, account, state="registered", timeout=TIMEOUT):
        return self.wait(lambda: self.accounts.get(account, {}).get("Registration") == state, f"account {account} {state}", timeout)

    def wait_call(self, state, number=None, timeout=TIMEOUT):
        """Number of a call that has (or had) reached the state."""
        def look():
            for key, call in self.calls.items():
                if (number is None and call.get("State") == state) or (str(number) == key and state in call["states"]):
                    return key
            return None
        return self.wait(look, f"a call that is {state}", timeout)

    def wait_property(self, number, name, value, timeout=TIMEOUT):
        return self.wait(lambda: self.calls.get(str(number), {}).get(name) == value, f"call {number} with {name} {value}", timeout)

    def wait_idle(self, timeout=TIMEOUT):
        return self.wait(lambda: all(call.get("State") == "disconnected" for call in self.calls.values()), "no call", timeout)

    def wait_dtmf(self, number, digits, method, timeout=TIMEOUT):
        """The digits of a call, in order, all by that method; returns how long each was pressed."""
        def received():
            return [event["args"] for event in self.events
                    if event.get("signal") == "DtmfReceived" and event.get("object", "").endswith(f"/call/{number}")]
        self.wait(lambda: "".join(digit for digit, _, _ in received()) == digits, f"the digits {digits} in call {number}", timeout)
        assert {how for _, _, how in received()} == {method}
        return [ms for _, ms, _ in received()]

    def reason(self, number):
        """Why a call ended; waits for the end."""
        self.wait_call("disconnected", number)
        return self.calls[str(number)]["Reason"]

    # ---- statistics ----

    def stats(self, number):
        return self.ctl("stats", number)

    def collect_stats(self, number, seconds):
        """Lets the call run for `seconds` of media, counted by its own reports from the first in which something was received."""
        command = [str(self.phonectl), "--json", "stats", str(number), "--follow", "--interval", "500"]
        follower = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self.environment())
        first, reports = None, []
        try:
            for line in follower.stdout:
                report = json.loads(line)
                reports.append(report)
                if report.get("packets-received"):
                    first = first or report["at"]
                if report["at"] - (first or reports[0]["at"]) >= (seconds if first else TIMEOUT) * 1e6:
                    break
        finally:
            follower.terminate()
            follower.wait()
        return reports


def mouth_to_ear(sound, talker, listener, speech):
    """Seconds between a sample leaving the talker's file and reaching the listener's; both on one CLOCK_MONOTONIC."""
    import wave
    if sound.get("lag") is None or not talker.get("input-origin") or not listener.get("output-origin"):
        return None
    with wave.open(str(speech), "rb") as wav:
        length = wav.getnframes() / wav.getframerate()
    return ((listener["output-origin"] - talker["input-origin"]) / 1e6 + sound["lag"]) % length
