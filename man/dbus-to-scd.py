#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes phoned-dbus.7.scd from its frame, the interface XML and errors.def.

    dbus-to-scd.py phoned-dbus.7.scd.in errors.def INTERFACE.xml... > phoned-dbus.7.scd

The comment before a member is its documentation: a line "Name:", lines "@argument: text", paragraphs, and lists that follow a line
which ends in "Options:" or "Keys:" or begins with two more spaces. A member without a comment, or a comment that is not followed by a
member of that name, is an error: the page cannot fall behind the contract.
"""
import re
import sys
import textwrap
import xml.etree.ElementTree as ElementTree

ACCESS = {"read": "read-only", "readwrite": "read-write"}
CHANGES = {"const": ", never changes", "false": ", changes are not announced"}


def escape(text):
    """Text for scdoc: what is markup there stands for itself."""
    return re.sub(r"[\\*_`]", r"\\\g<0>", text)


def blocks(comment):
    """The comment's blocks between empty lines; the first is its name and arguments."""
    return textwrap.dedent(comment).strip().split("\n\n")


def arguments(comment):
    """argument name -> text."""
    found = re.findall(r"^@(\w+): (.*?)(?=^@|\Z)", blocks(comment)[0], re.M | re.S)
    return {name: " ".join(text.split()) for name, text in found}


LABEL = re.compile(r"^(States|Errors when written|Errors|Since): ")


def render_block(block):
    """Lines of one block: a paragraph, or a paragraph and a list, or the labelled lines at the end."""
    out, lines = [], block.splitlines()
    while lines:
        text = lines.pop(0)
        nested = text.startswith("  ")
        while lines and not LABEL.match(lines[0]) and (lines[0].startswith("    ") if nested else not lines[0].startswith("  ")):
            text += " " + lines.pop(0).strip()
        text = " ".join(text.split())
        if nested:
            key, _, meaning = text.partition(": ")
            out.append(f"- {escape(key)}: {escape(meaning)}")
        else:
            label = LABEL.match(text)
            text = escape(text)
            out += ["", f"*{label[1]}*:{text[len(label[0]) - 1:]}" if label else text]
            if lines and lines[0].startswith("  "):
                out.append("")
    return out


def signature(member):
    def side(direction):
        found = [a for a in member.findall("arg") if a.get("direction", direction) == direction]
        return ", ".join(f"{escape(a.get('type'))} _{escape(a.get('name'))}_" for a in found)

    name = f"*{member.get('name')}*"
    if member.tag == "property":
        emits = [a.get("value") for a in member.findall("annotation")]
        return f"{name} {escape(member.get('type'))} ({ACCESS[member.get('access')]}{CHANGES[emits[0]] if emits else ''})"
    if member.tag == "signal":
        return f"{name}({side('out')})"
    results = side("out")
    return f"{name}({side('in')})" + (f" -> {results}" if results else "")


def render_member(member, comment):
    named = arguments(comment)
    declared = [a.get("name") for a in member.findall("arg")]
    if list(named) != declared:
        sys.exit(f"{member.get('name')}: documented arguments {list(named)}, declared {declared}")
    body = [f"_{escape(name)}_: {escape(text)}" for name, text in named.items()]
    body = [line for item in body for line in (item, "")]
    for block in blocks(comment)[1:]:
        body += render_block(block)
    while body and body[0] == "":
        body.pop(0)
    return [signature(member)] + ["\t" + line if line else "" for line in body] + [""]


def render_interface(path):
    builder = ElementTree.TreeBuilder(insert_comments=True)
    root = ElementTree.parse(path, ElementTree.XMLParser(target=builder)).getroot()
    interface = root.find("interface")
    comment = [c.text for c in root if c.tag is ElementTree.Comment][-1]
    short = re.search(r"@short_description: (.*)", comment)[1]
    out = [f"# {interface.get('name').rsplit('.', 1)[1].upper()}", "", f"*{interface.get('name')}*: {escape(short)}", ""]
    for block in blocks(comment)[1:]:
        out += ["```", textwrap.dedent(block), "```"] if block.startswith("  ") else render_block(block)
        out.append("")
    sections = {"method": [], "signal": [], "property": []}
    text = None
    for node in interface:
        if node.tag is ElementTree.Comment:
            text = node.text
            continue
        if text is None or text.split(":", 1)[0].strip() != node.get("name"):
            sys.exit(f"{path}: {node.get('name')} has no comment of its own")
        sections[node.tag] += render_member(node, text)
        text = None
    for tag, title in (("method", "Methods"), ("property", "Properties"), ("signal", "Signals")):
        if sections[tag]:
            out += [f"## {title}", ""] + sections[tag]
    return out


def render_errors(path):
    with open(path, encoding="utf-8") as file:
        rows = re.findall(r'^X \(\w+,\s+"(\w+)",\s+(\d+), (\d+)\)$', file.read(), re.M)
    return ["[[ *Name*", ":[ *Exit status*"] + [line for name, status, _ in rows for line in (f"|  {name}", f":  {status}")]


def main():
    frame, errors, *interfaces = sys.argv[1:]
    with open(frame, encoding="utf-8") as file:
        text = file.read()
    order = ["Manager", "Account", "Presence", "Voicemail", "Forwarding", "Watch", "Call", "Conference", "Media", "Recording", "Recordings", "Audio", "History", "Messages", "Dnd"]
    interfaces.sort(key=lambda path: order.index(path.rsplit(".", 2)[1]))
    body = "\n".join(line for path in interfaces for line in render_interface(path))
    text = text.replace("@INTERFACES@", body).replace("@ERRORS@", "\n".join(render_errors(errors)))
    sys.stdout.write(re.sub(r"\n{3,}", "\n\n", text))


main()
