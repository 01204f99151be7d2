# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs phonectl as a person or a script would. The program is $PHONECTL."""
import json
import os
import pty
import re
import select
import subprocess
import threading

PROGRAM = os.environ["PHONECTL"]
TIMEOUT = 30


class Ctl:
    """phonectl on one bus."""

    def __init__(self, address=None, **environment):
        self.environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "xterm",
                            "HOME": os.environ.get("HOME", "/")}
        self.environment.update({k: v for k, v in os.environ.items() if k.startswith(("ASAN", "UBSAN", "LSAN"))})
        if address:
            self.environment["DBUS_SESSION_BUS_ADDRESS"] = address
        self.environment.update(environment)

    def run(self, *words, stdin="", **environment):
        """CompletedProcess with octets decoded; nothing that acts on a terminal may ever be in them."""
        result = subprocess.run([PROGRAM, *words], input=stdin.encode(), capture_output=True, timeout=TIMEOUT,
                                env=self.environment | environment)
        result.stdout, result.stderr = result.stdout.decode(), result.stderr.decode()
        assert_harmless(result.stdout)
        assert_harmless(result.stderr)
        assert "AddressSanitizer" not in result.stderr and "runtime error" not in result.stderr, result.stderr
        return result

    def ok(self, *words, **more):
        """Text of stdout of a command that must succeed and complain about nothing."""
        result = self.run(*words, **more)
        assert (result.returncode, result.stderr) == (0, ""), result
        return result.stdout

    def json(self, *words, **more):
        return json.loads(self.ok("--json", *words, **more))

    def fails(self, status, text, *words, **more):
        result = self.run(*words, **more)
        assert result.returncode == status, result
        assert re.search(text, result.stderr), result.stderr
        assert all(line.startswith("phonectl: ") for line in result.stderr.splitlines())
        return result

    def start(self, *words, **more):
        return Running([PROGRAM, *words], self.environment, **more)


def assert_harmless(text):
    bad = [c for c in text if (ord(c) < 0x20 and c not in "\n\t") or 0x7f <= ord(c) <= 0x9f or ord(c) in range(0x200b, 0x2010)
           or ord(c) in range(0x2028, 0x202f) or ord(c) in range(0x2066, 0x206a)]
    assert not bad, repr(text)


class Running:
    """A phonectl that stays: its lines as they come."""

    def __init__(self, command, environment, stdin=None):
        self.process = subprocess.Popen(command, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, bufsize=1, env=environment, start_new_session=True)
        self.lines = []

    def until(self, text):
        """Reads to the first line that holds text and returns it. The bus needs nothing of this process meanwhile."""
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return line
        raise AssertionError(f"no {text!r} in {self.lines}: {self.process.stderr.read()}")

    def events(self):
        for line in self.process.stdout:
            yield json.loads(line)

    def event(self, condition):
        for event in self.events():
            if condition(event):
                return event
        raise AssertionError("no such event")

    def end(self):
        """(status, rest of stdout, stderr)"""
        out, err = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, "".join(line + "\n" for line in self.lines) + out, err

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=TIMEOUT)

    def __enter__(self):
        watchdog = threading.Timer(TIMEOUT, self.process.kill)
        watchdog.start()
        self.watchdog = watchdog
        return self

    def __exit__(self, *exception):
        self.watchdog.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr, self.process.stdin):
            if stream:
                stream.close()


class Terminal:
    """phonectl on a pseudo terminal, with all its output."""

    END = "\x04 the program has ended"

    def __init__(self, ctl, *words):
        self.fd, self.slave = pty.openpty()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.fd)
            os.login_tty(self.slave)
            os.execve(PROGRAM, [PROGRAM, *words], ctl.environment)
        self.text = ""

    def until(self, text):
        while text not in self.text:
            ready, _, _ = select.select([self.fd], [], [], TIMEOUT)
            assert ready, self.text
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                data = b""
            assert data, self.text
            self.text += data.decode(errors="replace")

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        """Holds the other end open, and writes last: a terminal that nobody has open any more may lose what it has not delivered yet."""
        _, status = os.waitpid(self.pid, 0)
        os.write(self.slave, self.END.encode())
        self.until(self.END)
        self.text = self.text[:-len(self.END)]
        os.close(self.slave)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)
