# SPDX-License-Identifier: LGPL-2.1-or-later
"""A private bus, the fake daemon on it, and clients with which tests talk to it.

Clients are GDBus connections: they do not look at the daemon's introspection data, so anything can be sent. Nothing here sleeps:
wait() runs the main context until a condition holds.
"""
import os
import signal
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree

from gi.repository import Gio, GLib

NAME = "org.phoned.Phone1"
ROOT = "/org/phoned/Phone1"
MANAGER, ACCOUNT, CALL, MEDIA, AUDIO, HISTORY, DND = (NAME + "." + i for i in ("Manager", "Account", "Call", "Media", "Audio", "History", "Dnd"))
PRESENCE, VOICEMAIL, FORWARDING, WATCH, CONFERENCE = (NAME + "." + i for i in ("Presence", "Voicemail", "Forwarding", "Watch", "Conference"))
MESSAGES = NAME + ".Messages"
RECORDING, RECORDINGS = NAME + ".Recording", NAME + ".Recordings"
INTERFACES = (MANAGER, ACCOUNT, CALL, MEDIA, AUDIO, HISTORY, DND, RECORDING, RECORDINGS, PRESENCE, VOICEMAIL, FORWARDING, WATCH, CONFERENCE, MESSAGES)
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
TEST_PATH, TEST = "/org/phoned/Test", "org.phoned.Test"
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIMEOUT_MS = 20000


class Error(Exception):
    """A D-Bus error: name (without the prefix of phoned's own errors) and message."""

    def __init__(self, gerror):
        full = Gio.DBusError.get_remote_error(gerror) or str(gerror)
        self.name = full.removeprefix(NAME + ".Error.")
        self.message = gerror.message.removeprefix(f"GDBus.Error:{full}: ")
        super().__init__(f"{self.name}: {self.message}")


def wait(condition, what="the condition"):
    """Runs the main context until condition() is true and returns its value.

    A condition that asks the daemon runs the context itself and may swallow the very event that would wake us; therefore it is
    looked at again after a moment even if nothing happens.
    """
    context = GLib.MainContext.default()
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    tick = GLib.timeout_add(20, lambda: True)
    try:
        while not (value := condition()):
            assert time.monotonic() < deadline, f"waited too long for {what}"
            context.iteration(True)
        return value
    finally:
        GLib.source_remove(tick)


class Pending:
    """A method call under way. Client.events gets ('reply', self) when it is over."""

    def __init__(self):
        self.done, self.value, self.error = False, None, None

    def wait(self):
        wait(lambda: self.done, "a reply")
        if self.error:
            raise self.error
        return self.value


class Client:
    """One connection. events collects (path, interface, member, arguments) of signals in the order of arrival."""

    def __init__(self, address):
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        self.connection = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
        self.connection.set_exit_on_close(False)
        self.events = []

    def listen(self):
        self.connection.signal_subscribe(NAME, None, None, None, None, Gio.DBusSignalFlags.NONE, self._on_signal)
        self.call("/", "org.freedesktop.DBus.Peer", "Ping")    # the match is in place when this is answered
        return self

    def _on_signal(self, connection, sender, path, interface, member, arguments):
        self.events.append((path, interface, member, arguments.unpack()))

    def start(self, path, interface, member, signature="()", *arguments, fds=None):
        pending = Pending()

        def on_reply(connection, result):
            pending.done = True
            try:
                value = connection.call_with_unix_fd_list_finish(result)[0].unpack()
                pending.value = value[0] if len(value) == 1 else value or None
            except GLib.Error as error:
                pending.error = Error(error)
            self.events.append(("reply", pending))

        # The list takes the descriptors and closes them.
        fd_list = Gio.UnixFDList.new_from_array(fds) if fds else None
        self.connection.call_with_unix_fd_list(NAME, path, interface, member, GLib.Variant(signature, arguments), None,
                                               Gio.DBusCallFlags.NO_AUTO_START, TIMEOUT_MS, fd_list, None, on_reply)
        return pending

    def call(self, *arguments, **keywords):
        return self.start(*arguments, **keywords).wait()

    def get(self, path, interface, name):
        return self.call(path, PROPERTIES, "Get", "(ss)", interface, name)

    def get_all(self, path, interface):
        return self.call(path, PROPERTIES, "GetAll", "(s)", interface)

    def set(self, path, interface, name, signature, value):
        return self.call(path, PROPERTIES, "Set", "(ssv)", interface, name, GLib.Variant(signature, value))

    def objects(self):
        return self.call(ROOT, OBJECT_MANAGER, "GetManagedObjects")

    def introspect(self, path):
        return self.call(path, "org.freedesktop.DBus.Introspectable", "Introspect")

    def changes(self, path, interface):
        """The dictionaries of all PropertiesChanged of an object so far."""
        return [a[1] for p, i, m, a in (e for e in self.events if e[0] != "reply")
                if p == path and m == "PropertiesChanged" and a[0] == interface]

    def states(self, path):
        return [c["State"] for c in self.changes(path, CALL) if "State" in c]

    def signals(self, path, member):
        return [e[3] for e in self.events if e[0] == path and e[2] == member]

    def wait_state(self, path, state):
        wait(lambda: self.get(path, CALL, "State") == state, f"{path} to be {state}")

    # shorthands of the contract
    def dial(self, target, **options):
        return self.call(ROOT, MANAGER, "Dial", "(sa{sv})", target, options)

    def answer(self, path, **options):
        return self.call(path, CALL, "Answer", "(a{sv})", options)

    def add_account(self, ident, **settings):
        texts = {k.replace("_", "-"): GLib.Variant("s", v) for k, v in settings.items()}
        return self.call(ROOT, MANAGER, "AddAccount", "(sa{sv})", ident, texts)

    def update(self, account, **settings):
        texts = {k.replace("_", "-"): GLib.Variant("s", v) for k, v in settings.items()}
        return self.call(account, ACCOUNT, "Update", "(a{sv})", texts)

    # shorthands of the test interface
    def test(self, member, signature="()", *arguments):
        return self.call(TEST_PATH, TEST, member, signature, *arguments)

    def incoming(self, uri="sip:bob@example.org", name="", account="alice", offer=True):
        status, number = self.test("Incoming", "(sssb)", account, uri, name, offer)
        assert status == 0, f"refused with {status}"
        return f"{ROOT}/call/{number}"

    def close(self):
        self.connection.close_sync(None)


class Refused:
    """with refused("InvalidOption", "text of the message"): the block must raise that error."""

    def __init__(self, name, text):
        self.name, self.text = name, text

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        assert isinstance(error, Error), f"expected {self.name}, got {error!r}"
        assert error.name == self.name and self.text in error.message, error
        return True


def refused(name, text=""):
    return Refused(name, text)


def number_of(path):
    return int(path.rsplit("/", 1)[1])


class Phone:
    """dbus-daemon, the fake daemon, and the clients that a test asks for."""

    def __init__(self, *arguments):
        self.directory = tempfile.TemporaryDirectory()
        self.bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1",
                                     "--address=unix:path=" + self.directory.name + "/bus"],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = self.bus.stdout.readline().strip()
        self.clients = []
        self.daemon = self.start_daemon(*arguments)
        assert self.daemon.stdout.readline() == "ready\n"

    def start_daemon(self, *arguments):
        environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=self.address)
        return subprocess.Popen([os.environ["PHONED_FAKE"], "--state", self.directory.name + "/state", *arguments], stdout=subprocess.PIPE, text=True, env=environment)

    def client(self):
        self.clients.append(Client(self.address))
        return self.clients[-1]

    def stop(self):
        """Ends everything; the daemon must leave cleanly (a sanitizer's complaint shows here)."""
        try:
            if self.daemon.poll() is None:
                self.client().test("Quit")
            status = self.daemon.wait(TIMEOUT_MS / 1000)
        finally:
            for client in self.clients:         # while the bus is there: a connection that breaks just now cannot be closed
                if not client.connection.is_closed():
                    client.close()
            for process in (self.daemon, self.bus):
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                process.wait()
                process.stdout.close()
            self.directory.cleanup()
        return status


def interface_xml(name):
    """The checked-in XML of an interface as an element."""
    return ElementTree.parse(os.path.join(SOURCE, "dbus", name + ".xml")).getroot().find("interface")
