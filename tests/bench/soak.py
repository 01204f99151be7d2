#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls set up and torn down, one after the other, within one phoned that calls itself: what grows?

soak.py BUILD [--calls N] [--valgrind]

Two accounts on loopback, srtp on, auto-answer; every call is active at both ends before it is hung up. Prints memory (PSS), file
descriptors and threads after half of them and at the end; with --valgrind, phoned runs under memcheck and its verdict is printed. Exit
status 1 if descriptors or threads grew, or valgrind found something.
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
from phone import Phone  # noqa: E402


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
                                       env=dict(self.environment(), G_SLICE="always-malloc"))
        self.start_monitor()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--valgrind", action="store_true")
    args = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="phoned-soak."))
    kind = ValgrindPhone if args.valgrind else Phone
    phone = kind("soak", work, args.build, log_level="info",
                 audio={"input": "tone", "output": "silence", "ring": "silence"},
                 config={"sip": {"bind": "127.62.1.1:5060,127.62.1.1:5062"}, "daemon": {"linger": "1"}, "media": {"bind": "127.62.1.1"}})
    wait = 120 if args.valgrind else 20
    phone.start()
    common = ["register=false", "transport=udp", "srtp=required", "sdes-in-clear=true"]
    phone.ctl("account", "add", "a", "aor=sip:a@127.62.1.1", *common)
    phone.ctl("account", "add", "b", "aor=sip:b@127.62.1.1", "auto-answer=0", *common)
    target = f"sip:b@127.62.1.1:{b_port(phone)}"
    began, early = time.monotonic(), None
    try:
        for n in range(1, args.calls + 1):
            number = phone.ctl("dial", target, "--account", "a")["call"]
            phone.wait_call("active", number, wait)
            other = str(int(number) + 1)
            phone.wait_call("active", other, wait)
            phone.run("hangup", number)
            phone.wait_call("disconnected", number, wait)
            phone.wait_call("disconnected", other, wait)
            if n == max(args.calls // 2, 1):
                early = settled(phone)
        phone.wait(lambda: sum(event.get("signal") == "InterfacesRemoved" for event in phone.events) >= 2 * args.calls, "the last call to go", wait)
        late = settled(phone)
    finally:
        status = phone.stop()
    print(f"{args.calls} calls in {time.monotonic() - began:.0f} s, both ends in one phoned")
    print(f"  after {max(args.calls // 2, 1):5}: {early}")
    print(f"  after {args.calls:5}: {late}")
    bad = late["descriptors"] > early["descriptors"] or late["threads"] > early["threads"]
    if args.valgrind:
        text = (phone.home / "valgrind.log").read_text()
        print("  valgrind: " + ("nothing found" if not text.strip() and status == 0 else f"exit {status}\n{text[:6000]}"))
        bad = bad or status != 0
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
