#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Threads that may not have real-time scheduling by themselves ask RealtimeKit for it, here a mock on a system bus of the test's own. TAP is not
needed: unittest's exit status counts."""
import os
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import dbus
    import dbusmock
except ImportError:
    sys.exit(77)

NAME, PATH = "org.freedesktop.RealtimeKit1", "/org/freedesktop/RealtimeKit1"
PATIENCE = 30
PROBE = sys.argv.pop()


# What the service does, in the mock
GRANT = "import os\nos.sched_setscheduler(args[0], os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(args[1]))"


def may_grant():
    return subprocess.run(["chrt", "-r", "5", "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0


def without_privilege():
    """Command line in front of a program that must not take real-time priority by itself."""
    return ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"] if os.geteuid() == 0 else []


class Probe:
    def __init__(self, address):
        environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=address, G_MESSAGES_DEBUG="all")
        self.process = subprocess.Popen(without_privilege() + [PROBE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        env=environment, preexec_fn=self.limit)
        self.output = b""

    @staticmethod
    def limit():
        resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
        # Should nothing take it from a thread that computes, nothing else would end it, and the machine would be slow for all that follows.
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))

    def say(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines).encode())
        self.process.stdin.flush()

    def read_until(self, text):
        until = time.monotonic() + PATIENCE
        while text not in self.output:
            if not select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))[0]:
                raise AssertionError(f"no {text} in {self.output}")
            got = os.read(self.process.stdout.fileno(), 4096)
            if not got:
                raise AssertionError(f"no {text} in {self.output}, and it has ended")
            self.output += got

    def threads(self):
        folder = f"/proc/{self.process.pid}/task"
        names = {}
        for thread in os.listdir(folder):
            with open(f"{folder}/{thread}/comm", encoding="ascii") as file:
                names[file.read().strip()] = int(thread)
        return names

    def end(self):
        rest, _ = self.process.communicate(timeout=PATIENCE)
        self.output += rest
        return self.process.returncode


class RealtimeTest(dbusmock.DBusTestCase):
    @classmethod
    def setUpClass(cls):
        cls.start_system_bus()
        cls.connection = cls.get_dbus(system_bus=True)
        cls.address = os.environ["DBUS_SYSTEM_BUS_ADDRESS"]

    def mock(self, body="", **limits):
        server = self.spawn_server(NAME, PATH, NAME, system_bus=True, stdout=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        mock = dbus.Interface(self.connection.get_object(NAME, PATH), dbusmock.MOCK_IFACE)
        mock.AddMethod(NAME, "MakeThreadRealtime", "tu", "", body)
        properties = {"MaxRealtimePriority": dbus.Int32(5), "RTTimeUSecMax": dbus.Int64(200000), "MinNiceLevel": dbus.Int32(-15)} | limits
        mock.AddProperties(NAME, {key: value for key, value in properties.items() if value is not None})
        return mock

    def calls(self, mock, n):
        until = time.monotonic() + PATIENCE
        while len(mock.GetMethodCalls("MakeThreadRealtime")) < n:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)
        return [tuple(int(a) for a in call[1]) for call in mock.GetMethodCalls("MakeThreadRealtime")]

    def test_each_thread_is_asked_for(self):
        mock = self.mock()
        probe = Probe(self.address)
        probe.say("pq-one", "pq-two")
        calls = self.calls(mock, 2)
        threads = probe.threads()
        self.assertEqual(sorted(calls), sorted([(threads["pq-one"], 5), (threads["pq-two"], 5)]))
        with open(f"/proc/{probe.process.pid}/limits", encoding="ascii") as file:
            limit = next(line for line in file if line.startswith("Max realtime timeout")).split()
        self.assertEqual(limit[3:5], ["100000", "200000"])
        # One that comes later, when all is known already.
        probe.say("pq-three")
        self.assertEqual(self.calls(mock, 3)[2], (probe.threads()["pq-three"], 5))
        self.assertEqual(probe.end(), 0)
        self.assertNotIn(b"no real-time", probe.output)

    def wait_policy(self, thread, policy):
        until = time.monotonic() + PATIENCE
        while os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK != policy:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)

    @unittest.skipUnless(may_grant(), "nobody here may grant real-time priority")
    def test_a_thread_that_computes_too_long_goes_on_without(self):
        mock = self.mock(GRANT)
        probe = Probe(self.address)
        probe.say("pq-one")
        self.calls(mock, 1)
        self.wait_policy(probe.threads()["pq-one"], os.SCHED_RR)
        probe.say("spin")
        probe.read_until(b"done: spin")
        self.assertEqual(probe.end(), 0)
        self.assertIn(b"computed for too long", probe.output)

    @unittest.skipUnless(may_grant(), "nobody here may grant real-time priority")
    def test_what_comes_too_late_is_taken_back(self):
        gate = os.path.join(tempfile.mkdtemp(prefix="pq-"), "gate")
        self.addCleanup(shutil.rmtree, os.path.dirname(gate))
        os.mkfifo(gate)
        # The mock reads of the gate until the test opens and closes it: once to say that it is there, once to go on.
        mock = self.mock(f"open({gate!r}, 'w').close()\nopen({gate!r}).read()\n" + GRANT + f"\nopen({gate!r}, 'w').close()")
        del mock
        probe = Probe(self.address)
        probe.say("pq-one")
        with open(gate, encoding="ascii"):
            pass
        thread = probe.threads()["pq-one"]
        probe.say("restore")
        probe.read_until(b"done: restore")
        with open(gate, "w", encoding="ascii"):
            pass
        with open(gate, encoding="ascii"):
            pass
        self.wait_policy(thread, os.SCHED_OTHER)
        self.assertEqual(probe.end(), 0)

    def assert_one_line(self, why, settled=lambda: None):
        probe = Probe(self.address)
        probe.say("pq-one", "pq-two")
        probe.read_until(b"no real-time priority from RealtimeKit: ")
        probe.say("pq-three")
        settled()
        self.assertEqual(probe.end(), 0)
        self.assertEqual(probe.output.count(b"no real-time priority"), 1, probe.output)
        self.assertIn(why, probe.output)

    def test_without_it_one_line(self):
        self.assert_one_line(b"org.freedesktop.DBus.Error.ServiceUnknown")

    def test_refused_one_line(self):
        mock = self.mock('raise dbus.exceptions.DBusException("too many", name="org.freedesktop.DBus.Error.AccessDenied")')
        self.assert_one_line(b"too many", lambda: self.calls(mock, 3))

    def test_without_limits_nothing_is_asked(self):
        mock = self.mock(RTTimeUSecMax=None)
        self.assert_one_line(b"no such property RTTimeUSecMax")
        self.assertEqual(list(mock.GetMethodCalls("MakeThreadRealtime")), [])

    def test_limits_of_another_kind_are_none(self):
        mock = self.mock(MaxRealtimePriority=dbus.String("much"))
        self.assert_one_line(b"it does not tell its limits")
        self.assertEqual(list(mock.GetMethodCalls("MakeThreadRealtime")), [])


if __name__ == "__main__":
    unittest.main()
