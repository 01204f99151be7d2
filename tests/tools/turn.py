# SPDX-License-Identifier: LGPL-2.1-or-later
"""coturn as a STUN and TURN server in a folder."""
import pathlib
import subprocess
import threading

TIMEOUT = 20


def make_certificate(folder, address):
    """A CA and a certificate for the address; returns the CA's file, and certificate and key of the server."""
    folder = pathlib.Path(folder)
    ca, ca_key, key, request, certificate = (folder / f"turn-{name}.pem" for name in ("ca", "ca-key", "key", "request", "cert"))
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    extensions = folder / "turn-extensions"
    extensions.write_text(f"subjectAltName=IP:{address}\n")
    for command in (["req", "-x509", *new_key, "-days", "2", "-subj", "/CN=relay CA", "-keyout", ca_key, "-out", ca],
                    ["req", *new_key, "-subj", "/CN=relay", "-keyout", key, "-out", request],
                    ["x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2", "-extfile", extensions,
                     "-out", certificate]):
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)
    return ca, certificate, key


class Turn:
    def __init__(self, folder, address, user, password, preexec=None):
        self.folder, self.address, self.user, self.password, self.preexec = pathlib.Path(folder), address, user, password, preexec
        self.process, self.lines, self.condition = None, [], threading.Condition()

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca, certificate, key = make_certificate(self.folder, self.address)
        command = ["turnserver", "-n", "-v", f"--listening-ip={self.address}", f"--relay-ip={self.address}", "--listening-port=3478",
                   "--tls-listening-port=5349", f"--cert={certificate}", f"--pkey={key}", "--lt-cred-mech", f"--user={self.user}:{self.password}",
                   "--realm=relay.test", "--no-multicast-peers", "--no-cli", "--no-dtls", "--log-file=stdout", "--simple-log",
                   f"--pidfile={self.folder}/turn.pid", f"--userdb={self.folder}/turn.db"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", cwd=self.folder,
                                        stdin=subprocess.DEVNULL, preexec_fn=self.preexec)
        threading.Thread(target=self.read, daemon=True).start()
        self.wait_line(lambda line: "TLS/TCP listener opened" in line or "TLS listener opened" in line or f"{self.address}:5349" in line)

    def read(self):
        for line in self.process.stdout:
            with self.condition:
                self.lines.append(line)
                self.condition.notify_all()
        with self.condition:
            self.lines.append("")
            self.condition.notify_all()

    def wait_line(self, wanted, timeout=TIMEOUT):
        with self.condition:
            if not self.condition.wait_for(lambda: any(map(wanted, self.lines)), timeout):
                raise TimeoutError("coturn: " + "".join(self.lines[-20:]))

    def text(self):
        with self.condition:
            return "".join(self.lines)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
