#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls set up and torn down, one after the other, within one phoned that calls itself: what grows?

soak.py BUILD [--calls N] [--valgrind [--short]]

Two accounts on loopback, srtp on. Most calls are answered and hung up; every few one ends otherwise, or has keys by DTLS, a hold, digits. Prints
memory (PSS), file descriptors and threads after half of them and at the end; with --valgrind, phoned runs under memcheck and its verdict
is printed. Exit status 1 if descriptors or threads grew, or valgrind found something. --short is for every day: valgrind's verdict alone,
without the minutes in which memory settles.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "tools"))
import phone as phone_tool  # noqa: E402
from netns import isolate  # noqa: E402
from phone import Phone, die_with_parent  # noqa: E402


def footprint(pid):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return dict(pss_kb=int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE).group(1)),
                descriptors=len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir())),
                threads=len(list(pathlib.Path(f"/proc/{pid}/task").iterdir())))


def settled(phone):
    """A UDP transaction is kept for 64 * T1 = 32 s after its end to answer retransmissions (RFC 3261 section 17), and 40 s after the last call
    phoned hands freed memory back to the system: that is waited
    for."""
    time.sleep(45)
    return footprint(phone.daemon.pid)


class ValgrindPhone(Phone):
    def start_daemon(self):
        log = open(self.log_path, "ab")
        supp = ROOT / "tests" / "data" / "valgrind.supp"
        command = ["valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
                   "--error-exitcode=99", f"--log-file={self.home}/valgrind.log"]
        if supp.exists():
            command.append(f"--suppressions={supp}")
        self.daemon = subprocess.Popen(command + [str(self.build / "daemon" / "phoned"), f"--log-level={self.log_level}"], stderr=log, stdout=log,
                                       env=dict(self.environment(), G_SLICE="always-malloc"), preexec_fn=die_with_parent)
        self.start_monitor()


class Line:
    """The two accounts of one phone, and what calls from a to b can be like."""

    def __init__(self, phone, wait):
        self.phone, self.wait, self.begun = phone, wait, 0
        common = ["register=false", "transport=udp", "srtp=required", "sdes-in-clear=true", "keying=any"]
        phone.ctl("account", "add", "a", "aor=sip:a@127.62.1.1", *common)
        phone.ctl("account", "add", "b", "aor=sip:b@127.62.1.1", *common)
        self.target = f"sip:b@127.62.1.1:{b_port(phone)}"

    def dial(self):
        """Numbers of the call at a and at b."""
        ours = self.phone.ctl("dial", "--keep-others", self.target, "--account", "a")["call"]
        self.begun += 2
        theirs = str(int(ours) + 1)
        self.phone.wait_call("alerting", ours, self.wait)
        return ours, theirs

    def connect(self):
        ours, theirs = self.dial()
        self.phone.run("answer", "--keep-others", theirs)
        self.phone.wait_call("active", ours, self.wait)
        return ours, theirs

    def end(self, ours, theirs, verb, *words):
        self.phone.run(verb, *words)
        for number in (ours, theirs):
            self.phone.wait_call("disconnected", number, self.wait)

    def plain(self):
        ours, theirs = self.connect()
        self.end(ours, theirs, "hangup", ours)

    def far_end(self):
        ours, theirs = self.connect()
        self.end(ours, theirs, "hangup", theirs)

    def busy(self):
        ours, theirs = self.dial()
        self.end(ours, theirs, "reject", "--busy", theirs)

    def cancelled(self):
        ours, theirs = self.dial()
        self.end(ours, theirs, "hangup", ours)

    def held(self):
        ours, theirs = self.connect()
        self.phone.run("hold", ours)
        self.phone.run("resume", ours)
        self.end(ours, theirs, "hangup", ours)

    def digits(self):
        ours, theirs = self.connect()
        self.phone.run("dtmf", ours, "12")
        self.phone.wait_dtmf(theirs, "12", "rfc4733", self.wait)
        self.end(ours, theirs, "hangup", ours)

    def handshake(self):
        self.phone.ctl("account", "set", "a", "keying=dtls")
        ours, theirs = self.connect()
        self.phone.wait(lambda: self.phone.calls[theirs].get("Security", {}).get("verified"), "a verified handshake", self.wait)
        self.end(ours, theirs, "hangup", ours)
        self.phone.ctl("account", "set", "a", "keying=any")

    KINDS = (plain, far_end, busy, held, cancelled, handshake, digits)

    def call(self, number):
        self.KINDS[number % len(self.KINDS)](self)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("--short", action="store_true")
    args = parser.parse_args()
    isolate()
    work = pathlib.Path(tempfile.mkdtemp(prefix="phoned-soak."))
    kind = ValgrindPhone if args.valgrind else Phone
    phone = kind("soak", work, args.build, log_level="info",
                 audio={"input": "tone", "output": "silence", "ring": "silence"},
                 config={"sip": {"bind": "127.62.1.1:5060,127.62.1.1:5062"}, "daemon": {"linger": "1"}, "media": {"bind": "127.62.1.1", "opus-complexity": "0"}})
    wait = 120 if args.valgrind else 20
    phone_tool.TIMEOUT = wait
    begun, early, late = time.monotonic(), None, None
    try:
        phone.start()
        line = Line(phone, wait)
        for n in range(args.calls):
            line.call(n)
            if not args.short and n + 1 == max(args.calls // 2, 1):
                early = settled(phone)
        phone.wait(lambda: sum(event.get("signal") == "InterfacesRemoved" for event in phone.events) >= line.begun, "the last call to go", wait)
        if not args.short:
            late = settled(phone)
    finally:
        status = phone.stop(wait)
    print(f"{args.calls} calls in {time.monotonic() - begun:.0f} s, both ends in one phoned")
    bad = status != 0
    if late:
        print(f"  after {max(args.calls // 2, 1):5}: {early}")
        print(f"  after {args.calls:5}: {late}")
        bad = bad or late["descriptors"] > early["descriptors"] or late["threads"] > early["threads"]
    if args.valgrind:
        text = (phone.home / "valgrind.log").read_text()
        print("  valgrind: " + ("nothing found" if not text.strip() and status == 0 else f"exit {status}\n{text[:6000]}"))
    else:
        print(f"  exit status {status}")
    shutil.rmtree(work, ignore_errors=True)
    return 1 if bad else 0


def b_port(phone):
    """The account's stack took the configured port if it was free; the log says which it has."""
    match = re.findall(r"Account b: SIP on .* port (\d+)", phone.log_path.read_text(errors="replace"))
    return match[-1] if match else "5060"


if __name__ == "__main__":
    sys.exit(main())
