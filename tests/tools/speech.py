# SPDX-License-Identifier: LGPL-2.1-or-later
"""About 25 s of speech in sentences with pauses between them, 48 kHz mono.

Natural if Debian's pocketsphinx-testdata is there: a reader of LibriVox (public domain) at 16 kHz, 25 s of "Sense and Sensibility". Else espeak-ng
speaks: intelligible, but concealment has an easy time with it."""
import pathlib
import shutil
import subprocess
import tempfile
import wave

import numpy as np

from quality import resample

RATE = 48000
FOLDER = pathlib.Path("/usr/share/pocketsphinx/test/data")
NATURAL = tuple(f"librivox/sense_and_sensibility_01_austen_64kb-{n}.wav" for n in ("0870", "0880", "0890", "0920", "0930"))
SPOKEN = ("The birch canoe slid on the smooth planks.", "Glue the sheet to the dark blue background.", "It's easy to tell the depth of a well.",
          "These days a chicken leg is a rare dish.", "Rice is often served in round bowls.", "The juice of lemons makes fine punch.",
          "The box was thrown beside the parked truck.", "Four hours of steady work faced us.")
PAUSE = 0.5             # s between sentences
LONGEST = 3.5           # s of a phrase


def read_wav(path):
    """(samples as float, rate) of a mono file of 16 bits."""
    with wave.open(str(path), "rb") as wav:
        assert wav.getnchannels() == 1 and wav.getsampwidth() == 2, path
        return np.frombuffer(wav.readframes(wav.getnframes()), "<i2").astype(float), wav.getframerate()


def write_wav(path, samples, rate=RATE):
    with wave.open(str(path), "wb") as wav:
        wav.setparams((1, 2, rate, 0, "NONE", ""))
        wav.writeframes(np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes())


def _sentences(piece):
    """Parts between pauses of 0.3 s and more, each with 50 ms around it, faded."""
    step = RATE // 100
    level = np.sqrt(np.mean(piece[:len(piece) // step * step].reshape(-1, step) ** 2, axis=1))
    loud = np.flatnonzero(level > 10 ** (-25 / 20) * np.percentile(level, 99))
    for part in np.split(loud, np.flatnonzero(np.diff(loud) > 30) + 1):
        part = piece[max(0, (part[0] - 5) * step):(part[-1] + 6) * step].copy()
        part[:step] *= np.linspace(0, 1, step)
        part[-step:] *= np.linspace(1, 0, step)
        yield part


def _phrases(begin, end, sound):
    """Bounds of the parts of a long sentence, cut where it is quietest: a listener follows a change of the delay between two phrases, and so does
    a judge that aligns each by itself."""
    if end - begin <= LONGEST * RATE:
        return [(begin, end)]
    step, first, last = RATE // 50, begin + (end - begin) * 3 // 10, begin + (end - begin) * 7 // 10
    level = [np.sum(sound[at:at + 3 * step] ** 2) for at in range(first, last, step)]
    cut = first + int(np.argmin(level)) * step + 3 * step // 2
    return _phrases(begin, cut, sound) + _phrases(cut, end, sound)


def _pieces():
    if FOLDER.is_dir():
        for name in NATURAL:
            data, rate = read_wav(FOLDER / name)
            yield resample(data, rate, RATE)
        return
    with tempfile.TemporaryDirectory() as folder:
        for text in SPOKEN:
            path = pathlib.Path(folder) / "spoken.wav"
            subprocess.run(["espeak-ng", "-v", "en-us", "-w", str(path), text], check=True)
            data, rate = read_wav(path)
            yield resample(data, rate, RATE)


def what():
    if FOLDER.is_dir():
        return "natural speech of Debian's pocketsphinx-testdata"
    return "synthetic speech of espeak-ng" if shutil.which("espeak-ng") else None


def make(path):
    """Writes the file; returns [(first, last) sample of each phrase]."""
    sound, bounds = [np.zeros(int(PAUSE * RATE))], []
    for part in (part for piece in _pieces() for part in _sentences(piece)):
        part *= 3000 / np.sqrt(np.mean(part ** 2))
        at = sum(map(len, sound))
        bounds.append((at, at + len(part)))
        sound += [part, np.zeros(int(PAUSE * RATE))]
    sound = np.concatenate(sound)
    write_wav(path, sound)
    return [phrase for begin, end in bounds for phrase in _phrases(begin, end, sound)]
