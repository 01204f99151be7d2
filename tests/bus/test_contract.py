# SPDX-License-Identifier: LGPL-2.1-or-later
"""The checked-in XML is the truth: what lives on the bus has exactly its members, and every member is documented."""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from gi.repository import GLib

from phonebus import (ACCOUNT, AUDIO, CALL, CONFERENCE, DND, FORWARDING, HISTORY, INTERFACES, MANAGER, MEDIA, MESSAGES, NAME, OBJECT_MANAGER, PRESENCE, PROPERTIES, RECORDING, RECORDINGS, ROOT, SOURCE, TEST,
                      TEST_PATH, VOICEMAIL, WATCH, interface_xml, refused)

EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"


def shape(interface):
    """An interface as comparable data: member -> everything that matters."""
    members = {}
    for member in interface:
        if member.tag not in ("method", "signal", "property"):
            continue
        annotations = {a.get("name"): a.get("value") for a in member.findall("annotation")}
        default = "in" if member.tag == "method" else "out"
        arguments = [(a.get("name"), a.get("type"), a.get("direction", default)) for a in member.findall("arg")]
        if member.tag == "property":
            annotations.setdefault(EMITS, "true")
        members[member.tag, member.get("name")] = (member.get("type"), member.get("access"), arguments, annotations)
    return members


@pytest.fixture
def places(client):
    """interface -> an object that has it."""
    call = client.dial("sip:echo@example.org")
    alice = ROOT + "/account/alice"
    watch = client.call(alice, PRESENCE, "Watch", "(ssa{sv})", "sip:bob@example.org", "presence", {})
    client.wait_state(call, "active")
    conference = client.call(ROOT, MANAGER, "CreateConference", "(aoa{sv})", [call], {"keep": GLib.Variant("b", True)})
    return {PRESENCE: alice, CONFERENCE: conference, VOICEMAIL: alice, FORWARDING: alice, WATCH: watch, MANAGER: ROOT, AUDIO: ROOT, HISTORY: ROOT, MESSAGES: ROOT, DND: ROOT, ACCOUNT: ROOT + "/account/alice", CALL: call, MEDIA: call,
            RECORDING: call, RECORDINGS: ROOT}


@pytest.mark.parametrize("name", INTERFACES)
def test_live_introspection_is_the_xml(client, places, name):
    live = ElementTree.fromstring(client.introspect(places[name]))
    found = live.find(f"interface[@name='{name}']")
    assert found is not None
    assert shape(found) == shape(interface_xml(name))


def test_objects_have_the_interfaces_of_the_contract_only(client, places):
    ours = {}
    for interface, path in places.items():
        ours.setdefault(path, set()).add(interface)
    ours[places[CONFERENCE]].add(RECORDING)
    for path, expected in ours.items():
        live = ElementTree.fromstring(client.introspect(path))
        names = {i.get("name") for i in live.findall("interface")}
        assert {n for n in names if n.startswith("org.phoned")} == expected


def test_tree_can_be_walked(client, places):
    found, todo = set(), ["/"]
    while todo:
        path = todo.pop()
        found.add(path)
        for node in ElementTree.fromstring(client.introspect(path)).findall("node"):
            todo.append(path.rstrip("/") + "/" + node.get("name"))
    assert set(places.values()) <= found


def test_managed_objects_are_the_whole_truth(client, places):
    incoming = client.incoming()
    objects = client.objects()
    assert set(objects) == {ROOT, ROOT + "/account/alice", places[CALL], places[WATCH], places[CONFERENCE], incoming}
    for path, interfaces in objects.items():
        ours = {n: p for n, p in interfaces.items() if n in INTERFACES}
        for name, properties in ours.items():
            assert set(properties) == {p.get("name") for p in interface_xml(name).findall("property")}
            assert properties == client.get_all(path, name)
    for name, path in places.items():
        assert name in objects[path]
    assert OBJECT_MANAGER in objects[ROOT] and PROPERTIES in objects[ROOT]


def test_every_property_can_be_read_alone(client, places):
    for name, path in places.items():
        everything = client.get_all(path, name)
        for prop in interface_xml(name).findall("property"):
            assert client.get(path, name, prop.get("name")) == everything[prop.get("name")]


# ---- documentation ----

def documented(name):
    """(tag, name) of the interface or member -> text of the comment before it. A method and a property may share a name."""
    with open(os.path.join(SOURCE, "dbus", name + ".xml"), encoding="utf-8") as file:
        found = re.findall(r'<!--((?:(?!-->).)*)-->\s*<(interface|method|signal|property) name="([^"]+)"', file.read(), re.S)
    return {(tag, member): comment for comment, tag, member in found if comment.split(":", 1)[0].strip() == member}


@pytest.mark.parametrize("name", INTERFACES)
def test_every_member_is_documented(name):
    docs = documented(name)
    assert "Since: " in docs["interface", name]
    for member in interface_xml(name):
        text = docs[member.tag, member.get("name")]
        assert "Since: " in text, member.get("name")
        for argument in member.findall("arg"):
            assert f"@{argument.get('name')}: " in text, member.get("name")
        if member.tag == "method":
            assert "Errors: " in text and "States: " in text, member.get("name")


@pytest.fixture(scope="module")
def man_page():
    man, dbus = os.path.join(SOURCE, "man"), os.path.join(SOURCE, "dbus")
    files = [os.path.join(dbus, name + ".xml") for name in INTERFACES]
    return subprocess.run([sys.executable, os.path.join(man, "dbus-to-scd.py"), os.path.join(man, "phoned-dbus.7.scd.in"),
                           os.path.join(dbus, "errors.def"), *files], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", INTERFACES)
def test_man_page_names_every_member(man_page, name):
    start = man_page.index(f"\n# {name.rsplit('.', 1)[1].upper()}\n")
    section = man_page[start:man_page.find("\n# ", start + 1)]
    for member in interface_xml(name):
        after = " " if member.tag == "property" else "("
        assert f"\n*{member.get('name')}*{after}" in section, member.get("name")
        for argument in member.findall("arg"):
            assert f"_{argument.get('name')}_: " in section


def test_man_page_names_every_error(man_page):
    for suffix in error_table():
        assert f"|  {suffix}\n" in man_page


def error_table():
    with open(os.path.join(SOURCE, "dbus", "errors.def"), encoding="utf-8") as file:
        return {m[1]: (m[0], int(m[2]), int(m[3]))
                for m in re.findall(r'^X \((\w+),\s+"(\w+)",\s+(\d+), (\d+)\)$', file.read(), re.M)}


def test_documented_errors_exist():
    known = set(error_table())
    for name in INTERFACES:
        for member, text in documented(name).items():
            for line in re.findall(r"Errors(?: when written)?: (.*?)(?:\n\s*Since|\Z)", text, re.S):
                for word in re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b|\bStorage\b|\bRejected\b|\bBusy\b", line):
                    assert word in known or word in ("HangupAll", "AddAccount"), f"{member}: {word}"


def test_error_table_covers_the_enum():
    with open(os.path.join(SOURCE, "daemon", "util", "phone-error.h"), encoding="utf-8") as file:
        codes = re.findall(r"^  PHONE_ERROR_(\w+),", file.read(), re.M)
    assert codes == [row[0] for row in error_table().values()]
    for suffix, (code, exit_status, sip) in error_table().items():
        assert suffix == code.title().replace("_", "")
        assert exit_status in range(1, 11) and 400 <= sip <= 699


def test_unknown_names_are_the_standard_errors(client, places):
    for path, interface, member, expected in (
            (ROOT, MANAGER, "Nothing", "UnknownMethod"), (ROOT, NAME + ".Nothing", "Dial", "UnknownMethod"),
            (ROOT + "/call/999", CALL, "Hangup", "UnknownObject"), (ROOT + "/account/nobody", ACCOUNT, "Register", "UnknownObject"),
            (ROOT + "/account/_61lice", ACCOUNT, "Register", "UnknownObject"),
            (ROOT + "/call/01", CALL, "Hangup", "UnknownObject")):
        with refused("org.freedesktop.DBus.Error." + expected):
            client.call(path, interface, member)


def test_read_only_properties_stay(client, places):
    for name, path in places.items():
        for prop in interface_xml(name).findall("property[@access='read']"):
            value = {"s": "x", "b": True, "u": 1, "t": 1, "o": "/", "as": [], "ao": [], "a{ss}": {}, "a{sv}": {}, "aa{sv}": []}[prop.get("type")]
            with refused("org.freedesktop.DBus.Error.PropertyReadOnly"):
                client.set(path, name, prop.get("name"), prop.get("type"), value)


def test_writable_properties_refuse_other_types(client, places):
    for name, path in places.items():
        for prop in interface_xml(name).findall("property[@access='readwrite']"):
            with refused("org.freedesktop.DBus.Error.InvalidArgs"):
                client.set(path, name, prop.get("name"), "d", 1.5)


def test_methods_refuse_other_signatures(client, places):
    before = client.objects()
    for name, path in places.items():
        for method in interface_xml(name).findall("method"):
            with refused("org.freedesktop.DBus.Error.InvalidArgs"):
                client.call(path, name, method.get("name"), "(ddd)", 1.0, 2.0, 3.0)
    assert client.objects() == before


def test_test_interface_is_not_part_of_the_contract(client):
    assert TEST_PATH not in client.objects() and TEST not in client.introspect(ROOT)
