#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares the enums declared in core/ and util/ headers with those that test-enum.c goes through."""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
declared = set()
for room in ("core", "util"):
    for header in sorted((root / "daemon" / room).glob("*.h")):
        if header.name == "phone-enum.h":
            continue
        declared |= set(re.findall(r"^PHONE_DECLARE_ENUM \((\w+), (\w+),", header.read_text(), re.M))
tested = set(re.findall(r"^  X \((\w+), (\w+)\)", (root / "tests/unit/test-enum.c").read_text(), re.M))
for name, _ in sorted(declared - tested):
    print(f"{name} is declared but not in tests/unit/test-enum.c")
for name, _ in sorted(tested - declared):
    print(f"{name} is in tests/unit/test-enum.c but no header declares it")
sys.exit(1 if declared != tested or not declared else 0)
