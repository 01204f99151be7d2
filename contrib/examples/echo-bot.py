#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers every call and says what it hears, half a second later.

The voice comes and goes over a socket that phoned hands out (Media.OpenStream). Needs python3-gi. Ends with SIGTERM or Ctrl-C.
"""
import os
import threading

from gi.repository import Gio, GLib

NAME, ROOT = "org.phoned.Phone1", "/org/phoned/Phone1"
RATE = 16000
DELAY = RATE // 2 * 2           # octets


def echo(descriptor):
    """Until phoned closes the stream, which it does when the call is over."""
    waiting = bytes(DELAY)
    with os.fdopen(descriptor, "r+b", buffering=0) as stream:
        while heard := stream.read(640):
            waiting += heard
            try:
                stream.write(waiting[:len(heard)])
            except BrokenPipeError:
                return
            waiting = waiting[len(heard):]


class Bot:
    def __init__(self):
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.bus.signal_subscribe(NAME, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", None, None, 0, self.on_added)
        self.bus.signal_subscribe(NAME, "org.freedesktop.DBus.Properties", "PropertiesChanged", None, NAME + ".Call", 0, self.on_changed)

    def call(self, path, interface, member, signature, *arguments, done=None):
        self.bus.call(NAME, path, NAME + "." + interface, member, GLib.Variant(signature, arguments), None, 0, -1, None, done)

    def on_added(self, bus, sender, root, interface, member, arguments):
        path, interfaces = arguments.unpack()
        if interfaces.get(NAME + ".Call", {}).get("State") in ("incoming", "waiting"):
            self.call(path, "Call", "Answer", "(a{sv})", {"keep-others": GLib.Variant("b", True)})

    def on_changed(self, bus, sender, path, interface, member, arguments):
        if arguments.unpack()[1].get("State") != "active":
            return
        options = {"rate": GLib.Variant("u", RATE)}
        bus.call_with_unix_fd_list(NAME, path, NAME + ".Media", "OpenStream", GLib.Variant("(a{sv})", (options,)), None, 0, -1, None, None,
                                   self.on_stream)

    def on_stream(self, bus, result):
        index, fds = bus.call_with_unix_fd_list_finish(result)
        threading.Thread(target=echo, args=(fds.get(index.unpack()[0]),), daemon=True).start()


Bot()
GLib.MainLoop().run()
