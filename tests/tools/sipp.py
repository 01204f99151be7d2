# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIPp as a foreign peer that does what no telephone does: one process for one scenario."""
import pathlib
import subprocess

SCENARIOS = pathlib.Path(__file__).resolve().parent.parent / "system" / "sipp"


class Sipp:
    def __init__(self, work, scenario, address, peer="", *, calls=1, rate=10, service="us", port=5060, media=None, timeout=30):
        self.folder = pathlib.Path(work) / f"sipp-{scenario}-{len(list(pathlib.Path(work).glob('sipp-*')))}"
        self.folder.mkdir()
        command = ["sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", address, "-p", str(port), "-mi", media or address, "-m", str(calls),
                   "-r", str(rate), "-s", service, "-nostdin", "-trace_err", "-error_file", str(self.folder / "errors"), "-trace_msg",
                   "-message_file", str(self.folder / "messages"), "-timeout", str(timeout), "-timeout_error", *([peer] if peer else [])]
        with open(self.folder / "screen", "wb") as screen:
            self.process = subprocess.Popen(command, stdout=screen, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.folder)

    def finish(self, timeout=60):
        """Waits for the end; the scenario must have gone as it is written."""
        status = self.process.wait(timeout)
        errors = self.folder / "errors"
        said = errors.read_text(errors="replace")[-3000:] if errors.exists() else (self.folder / "screen").read_text(errors="replace")[-1500:]
        assert status == 0, f"SIPp exit {status}: {said}"

    def messages(self):
        return (self.folder / "messages").read_text(errors="replace")

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
