# SPDX-License-Identifier: LGPL-2.1-or-later
"""The system tests: whole phones, a real provider (Kamailio) and foreign peers, on loopback. Every test module takes addresses of its own
below 127.60.0.0/16, so that modules can run side by side; as root every run of a module has a network of its own."""
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "tools"))

from netns import isolate  # noqa: E402
from phone import Phone, Provider, make_speech  # noqa: E402

OTHER_SENTENCES = ("This is the other side of the telephone line. It says something else entirely, so that nobody can mix up "
                   "the two directions of the call, and it goes on for a while.")

isolate()


@pytest.fixture(scope="session")
def build():
    return pathlib.Path(os.environ["PHONED_BUILD"])


@pytest.fixture(scope="session")
def speech(tmp_path_factory):
    """Two recordings of different words at 48 kHz: ours and theirs."""
    folder = tmp_path_factory.mktemp("speech")
    files = []
    for name, text in (("ours", None), ("theirs", OTHER_SENTENCES)):
        raw, path = folder / f"{name}-raw.wav", folder / f"{name}.wav"
        make_speech(raw, *([text] if text else []))
        subprocess.run(["sox", str(raw), "-r", "48000", "-c", "1", str(path)], check=True)
        files.append(path)
    return files


@pytest.fixture(scope="module")
def work(tmp_path_factory, request):
    return tmp_path_factory.mktemp(request.module.__name__)


@pytest.fixture(scope="module")
def provider(work, request):
    address = getattr(request.module, "PROVIDER_ADDRESS")
    server = Provider(work / "provider", address=address, users=getattr(request.module, "USERS"),
                      algorithm=getattr(request.module, "ALGORITHM", "MD5"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def phones(work, build):
    """Makes phones that are stopped at the end; their logs are checked for secrets then."""
    made = []

    def make(name, **more):
        phone = Phone(f"{name}-{len(list(work.glob('*.log')))}", work, build, log_level="debug", **more)
        made.append(phone)
        phone.start()
        return phone

    yield make
    for phone in made:
        phone.stop()
        log = phone.log_path.read_text(errors="replace")
        for secret in phone.secrets:
            assert secret not in log, f"a password stands in {phone.log_path}"
        assert "inline:" not in log.replace("inline:[redacted]", ""), f"an SRTP key stands in {phone.log_path}"
