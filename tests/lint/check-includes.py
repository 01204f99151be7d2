#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keeps the arrows between the rooms pointing inward: reads the include lines and compares them with the matrix.

Also: every source file states its licence, and no file names a path of one machine.
"""
import pathlib
import re
import sys

ALLOWED = {
    "util": {"util"},
    "core": {"util", "core"},
    "sip": {"util", "core", "sip"},
    "media": {"util", "core", "media"},
    "store": {"util", "core", "store"},
    "bus": {"util", "core", "bus"},
}
ROOMS = set(ALLOWED)
EVERYTHING = {"main.c", "shutdown.c"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# What a room may not take from outside, whatever it is called.
FOREIGN = {
    "sip": re.compile(r"<gst/|<systemd/|<srtp"),
    "media": re.compile(r"<sofia-sip/|<systemd/"),
    "bus": re.compile(r"<sofia-sip/|<gst/|<srtp"),
    "core": re.compile(r"<sofia-sip/|<gst/|<srtp|<systemd/|<opus"),
    "util": re.compile(r"<sofia-sip/|<gst/|<srtp|<systemd/|<opus|<gio/"),
    "client": re.compile(r"<sofia-sip/|<gst/|<srtp|<glib|<gio"),
}
LICENSED = {".c", ".h", ".py", ".build", ".sh", ".xml", ".in"}
MACHINE = re.compile(r"(?<![\w.])/(?:work|home/[a-z]+)/|/tmp/b-")


def room_of(path):
    """(room, may include these rooms) of a source file below the project."""
    parts = path.parts
    if parts[0] == "client":
        return "client", set()
    if parts[0] != "daemon":
        return None, None
    if len(parts) > 2:
        return parts[1], ALLOWED[parts[1]]
    return "daemon", ROOMS if path.name in EVERYTHING else {"util", "core"}


def check(root, path):
    text = path.read_text(encoding="utf-8", errors="replace")
    relative = path.relative_to(root)
    room, allowed = room_of(relative)
    faults = []
    if room and path.suffix in {".c", ".h"}:
        for name in INCLUDE.findall(text):
            target = name.split("/")[0] if "/" in name else None
            if target in ROOMS and target not in allowed:
                faults.append(f"{relative}: includes {name}, but {room} may include only {', '.join(sorted(allowed)) or 'nothing of the daemon'}")
        if room in FOREIGN and FOREIGN[room].search(text):
            faults.append(f"{relative}: includes {FOREIGN[room].search(text).group()}..., which does not belong into {room}")
    if path.suffix in LICENSED and "SPDX-License-Identifier: LGPL-2.1-or-later" not in "\n".join(text.splitlines()[:8]):
        faults.append(f"{relative}: no SPDX line")
    if MACHINE.search(text):
        faults.append(f"{relative}: names a path of one machine: {MACHINE.search(text).group()}")
    return faults


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    faults, files = [], 0
    for folder in ("daemon", "client", "dbus", "plugins", "tests", "contrib", "man"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix in LICENSED | {".scd", ".md", ""} and "fuzz" not in path.relative_to(root / folder).parts[:2]:
                if path.resolve() == pathlib.Path(__file__).resolve():
                    continue
                files += 1
                faults += check(root, path)
    for fault in faults:
        print(fault)
    print(f"{files} files, {len(faults)} faults")
    return 1 if faults or files < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
