# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parts of a recording by the time at which they were heard: a recorded call has silence and speech in it, and the test knows when."""
import fcntl
import pathlib
import tempfile
import time
import wave

import numpy as np

from compare_wav import compare


def now():
    """Seconds of CLOCK_MONOTONIC, the clock of output-origin."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def finished(path):
    """Waits until phoned has written the last of it: he holds a lock as long as he writes. Returns the path."""
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
    return path


def assert_heard(reference, path, who):
    """That the recording is the reference. A short call has a handful of pieces of speech, of which one may suffer from a busy machine; the
    others have to be right. What is wrong (other words, wrong rate, one-way, garbled) correlates far less than this in all of them."""
    sound = compare(reference, finished(path))
    assert sound["others"] >= 0.75 and sound["matched"] >= 0.6 and sound["segments"] >= 3, f"{who}: {sound}"


class Recording:
    """A finished recording. origin: output-origin of the call's statistics, microseconds of CLOCK_MONOTONIC."""

    def __init__(self, path, origin):
        with wave.open(str(finished(path)), "rb") as wav:
            self.rate = wav.getframerate()
            assert wav.getsampwidth() == 2 and wav.getnchannels() == 1
            self.samples = np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2")
        self.origin = origin / 1e6

    def part(self, begin, end):
        first, last = (max(0, int((at - self.origin) * self.rate)) for at in (begin, end))
        part = self.samples[first:last]
        assert len(part) >= 0.9 * (end - begin) * self.rate, "the recording does not reach that far"
        return part

    def level(self, begin, end):
        """Root mean square of the loudest 100 ms, of 32767."""
        part, size = self.part(begin, end).astype(float), self.rate // 10
        return max(float(np.sqrt(np.mean(part[at:at + size] ** 2))) for at in range(0, len(part) - size + 1, size))

    def compare(self, reference, begin, end):
        """As compare_wav does, of that part alone."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "part.wav"
            with wave.open(str(path), "wb") as wav:
                wav.setnchannels(1)
                wav.setsampwidth(2)
                wav.setframerate(self.rate)
                wav.writeframes(self.part(begin, end).tobytes())
            return compare(reference, path)
