#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tests/tools/quality.py against what its measures must be by their definitions."""
import pathlib
import sys
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
import quality  # noqa: E402

RATE = 16000


def voice(seconds=3.0, seed=1):
    """Harmonics of a wandering pitch in syllables, over a little noise: no speech, but with its modulation."""
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * t)) / RATE
    sound = sum(np.sin(k * phase) / k * (1 + 0.8 * np.sin(2 * np.pi * (0.3 + 0.13 * k) * t + k)) for k in range(1, 30))
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * t) + 0.3 * np.sin(2 * np.pi * 1.3 * t), 0.02, None)
    return 3000 * (sound * syllables + 0.01 * random.normal(size=len(t)))


def with_noise(sound, snr, seed=2):
    noise = np.random.default_rng(seed).normal(size=len(sound))
    return sound + noise * np.sqrt(np.mean(sound ** 2) / np.mean(noise ** 2) / 10 ** (snr / 10))


class Estoi(unittest.TestCase):
    def test_of_itself_is_one_at_any_level(self):
        sound = voice()
        for gain in (1, 0.01, 7):
            self.assertAlmostEqual(quality.estoi(sound, gain * sound, RATE), 1, places=6)

    def test_of_something_else_is_nothing(self):
        self.assertLess(abs(quality.estoi(voice(), np.random.default_rng(3).normal(size=3 * RATE), RATE)), 0.1)

    def test_falls_with_the_noise(self):
        sound = voice()
        scores = [quality.estoi(sound, with_noise(sound, snr), RATE) for snr in (30, 15, 5, -5, -15)]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertGreater(scores[0] - scores[-1], 0.5)

    def test_hears_gaps_and_shifts(self):
        sound = voice()
        gaps = sound.copy()
        for at in range(0, len(gaps), RATE // 5):
            gaps[at:at + RATE * 60 // 1000] = 0
        self.assertLess(quality.estoi(sound, gaps, RATE), 0.9)
        shifted = np.concatenate([np.zeros(RATE * 40 // 1000), sound])[:len(sound)]
        self.assertLess(quality.estoi(sound, shifted, RATE), 0.8)

    def test_bands_are_third_octaves(self):
        t = np.arange(quality.ESTOI_RATE) / quality.ESTOI_RATE
        for k in range(quality.BANDS):
            bands = quality._third_octaves(np.sin(2 * np.pi * 150 * 2 ** (k / 3) * t))
            self.assertEqual(int(np.argmax(bands.mean(axis=1))), k)

    def test_too_short_is_no_number(self):
        self.assertTrue(np.isnan(quality.estoi(voice(0.3), voice(0.3), RATE)))


class MelDistance(unittest.TestCase):
    def test_of_itself_is_nothing_at_any_level(self):
        sound = voice()
        self.assertAlmostEqual(quality.mel_distance(sound, sound, RATE), 0, places=6)
        self.assertLess(quality.mel_distance(sound, 1.5 * sound, RATE), 1e-6)

    def test_measures_decibels(self):
        """White noise of which the second half is 6 dB louder: with the power of both made equal, one half is 2.04 dB up and the other 3.98 down."""
        noise = np.random.default_rng(4).normal(size=4 * RATE)
        louder = noise.copy()
        louder[len(noise) // 2:] *= 10 ** (6 / 20)
        self.assertAlmostEqual(quality.mel_distance(noise, louder, RATE), np.sqrt((2.04 ** 2 + 3.98 ** 2) / 2), delta=0.1)


class Judge(unittest.TestCase):
    def test_finds_each_utterance_by_itself(self):
        parts, delays = [voice(2, seed) for seed in (5, 6, 7)], [0.05, 0.31, 0.12]
        clean, heard, bounds, at = np.zeros(12 * RATE), np.zeros(12 * RATE), [], RATE
        for part, delay in zip(parts, delays):
            clean[at:at + len(part)] = part
            heard[at + int(delay * RATE):][:len(part)] += 0.5 * part
            bounds.append((at, at + len(part)))
            at += 3 * RATE
        found = quality.judge(clean, with_noise(heard, 40), RATE, bounds)
        self.assertEqual(len(found), 3)
        for utterance, delay in zip(found, delays):
            self.assertAlmostEqual(utterance.delay, delay, delta=0.0005)
            self.assertGreater(utterance.estoi, 0.95)
        self.assertAlmostEqual(quality.summary(found)["delay"], 0.12, delta=0.0005)


if __name__ == "__main__":
    unittest.main()
