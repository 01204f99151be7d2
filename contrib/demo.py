#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The main job end to end: alice calls bob through a provider on loopback, encrypted, and bob hears her.

Everything that a person would do is done with phonectl. Started by contrib/demo.
"""
import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "tools"))
from compare_wav import compare  # noqa: E402
from phone import Phone, Provider, make_speech, mouth_to_ear  # noqa: E402

TALK_SECONDS = 8.0
MIN_CORRELATION = 0.8


def table(rows):
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")


def run(args, work):
    failures = []

    def check(condition, text):
        if not condition:
            failures.append(text)

    speech = work / "speech.wav"
    heard = work / "bob-heard.wav"
    make_speech(speech)
    provider = Provider(work / "provider")
    provider.start()
    alice = Phone("alice", work, args.build, audio={"input": f"file:{speech}", "output": "silence", "ring": "silence"},
                  detached=args.keep)
    bob = Phone("bob", work, args.build, audio={"input": "silence", "output": f"file:{heard}", "ring": "silence"},
                detached=args.keep)
    phones = [alice, bob]
    try:
        registered = {}
        for phone in phones:
            phone.start()
            began = time.monotonic()
            phone.ctl("account", "add", phone.name, *provider.account_settings(phone.name, "tls"), "--password-stdin",
                      stdin=provider.password(phone.name))
            phone.wait_registered(phone.name)
            registered[phone.name] = time.monotonic() - began
        print("phonectl status (alice):")
        print(alice.ctl_text("status").rstrip())

        began = time.monotonic()
        alice.ctl("dial", "bob")
        call_b = bob.wait_call("incoming")
        ringing = time.monotonic() - began
        answered = time.monotonic()
        bob.ctl("answer")
        call_a = alice.wait_call("active")
        set_up = time.monotonic() - answered
        alice.collect_stats(call_a, TALK_SECONDS)
        stats_a, stats_b = alice.stats(call_a), bob.stats(call_b)
        media = alice.ctl("call", "show", call_a)
        alice.ctl("hangup")
        reason = bob.wait_call("disconnected", call_b)
        bob.wait_idle()

        sound = compare(speech, heard)
        delay = mouth_to_ear(sound, stats_a, stats_b, speech)
        check(sound["correlation"] >= MIN_CORRELATION,
              f"what bob heard is not what alice said: correlation {sound['correlation']:.2f}")
        check(sound["matched"] >= 0.8, f"only {100 * sound['matched']:.0f} % of the speech came through")
        check(media.get("Codec") == "opus", f"codec {media.get('Codec')}, not opus")
        suite = (media.get("Security") or {}).get("suite", "")
        check(suite == "AEAD_AES_256_GCM", f"SRTP suite '{suite}'")
        check(reason is not None, "bob was not told that the call ended")

        def number(stats, key, scale=1.0, unit="", digits=1):
            return f"{stats[key] * scale:.{digits}f}{unit}" if key in stats else "unknown"

        print("\nalice -> bob, seen and heard:")
        table([
            ("registration (TLS, digest)", f"alice {1000 * registered['alice']:.0f} ms, bob {1000 * registered['bob']:.0f} ms, "
                                           "with the start of phonectl"),
            ("dialled until bob rings", f"{1000 * ringing:.0f} ms, with the start of phonectl"),
            ("answered until both talk", f"{1000 * set_up:.0f} ms, with the start of phonectl"),
            ("codec", f"{media.get('Codec')} {media.get('ClockRate')} Hz, {media.get('Ptime')} ms"),
            ("SRTP", f"{suite} by {(media.get('Security') or {}).get('keying', '?')}"),
            ("loss at bob", number(stats_b, "loss-local", 100, " %")),
            ("jitter at bob", number(stats_b, "jitter-local", 1, " ms", 2)),
            ("round trip", number(stats_a, "round-trip", 1, " ms", 2)),
            ("mouth to ear", "unknown" if delay is None else f"{1000 * delay:.1f} ms, without sound devices"),
            ("correlation", f"{sound['correlation']:.3f} over {sound['segments']} pieces of speech, "
                            f"{100 * sound['matched']:.0f} % of them match"),
            ("recording", str(heard)),
        ])
        if args.keep:
            keep(phones, provider, work)
            phones, provider = [], None
    finally:
        for phone in phones:
            phone.stop()
        if provider:
            provider.stop()
    for text in failures:
        print(f"FAILED: {text}", file=sys.stderr)
    return 1 if failures else 0


def keep(phones, provider, work):
    print("\nBoth phones and the provider go on. How to talk to them:")
    pids = []
    for phone in phones:
        print(f"  env DBUS_SESSION_BUS_ADDRESS={phone.bus_address} {phone.phonectl} status      # {phone.name}")
        pids += phone.leave()
    print(f"  provider: {provider.address}, TLS port {provider.tls_port}, domain {provider.domain}, CA {provider.ca}")
    print(f"  accounts and passwords: {work}/provider/users   logs: {work}/*.log")
    print(f"To end them: contrib/demo --stop {work}")
    (work / "pids").write_text("\n".join(map(str, pids)) + "\n")


def stop(work):
    """Ends what --keep left; a pid counts only while it still is one of ours."""
    for pid in (work / "pids").read_text().split():
        try:
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
        except OSError:
            continue
        if pathlib.Path(command.decode()).name in ("phoned", "dbus-daemon"):
            os.kill(int(pid), signal.SIGTERM)
    Provider(work / "provider").stop()
    (work / "pids").unlink()
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--keep", action="store_true", help="leave everything running and say how to talk to it")
    parser.add_argument("--stop", type=pathlib.Path, metavar="DIR", help="end what --keep left running")
    parser.add_argument("--no-install", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.stop:
        return stop(args.stop)
    work = pathlib.Path(tempfile.mkdtemp(prefix="phoned-demo."))
    try:
        return run(args, work)
    except (subprocess.CalledProcessError, TimeoutError, RuntimeError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        for log in sorted(work.glob("*.log")):
            print(f"--- {log.name}, last lines", file=sys.stderr)
            print("\n".join(log.read_text(errors="replace").splitlines()[-15:]), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
