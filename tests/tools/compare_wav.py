#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Did the recording hear what was said?

Aligns a recorded WAV with the reference by cross-correlation (the reference may have been played in a loop), then
reports the correlation of the aligned signals in the band that every telephone codec carries (200-3400 Hz), the
share of speech segments that match on their own, and the lag. Prints one JSON object; exit 0 if it matches.
"""
import argparse
import json
import sys
import wave

import numpy as np

RATE = 8000


def load(path):
    with wave.open(str(path), "rb") as wav:
        rate, channels, width = wav.getframerate(), wav.getnchannels(), wav.getsampwidth()
        raw = wav.readframes(wav.getnframes())
    if width != 2:
        raise SystemExit(f"{path}: 16-bit PCM wanted, {8 * width} bits found")
    data = np.frombuffer(raw, dtype="<i2").astype(np.float64).reshape(-1, channels).mean(axis=1)
    return data, rate


def band(data, rate):
    """200-3400 Hz at 8 kHz, by zeroing bins: exact and without a filter's delay."""
    n = len(data)
    spectrum = np.fft.rfft(data)
    freq = np.fft.rfftfreq(n, 1 / rate)
    spectrum[(freq < 200) | (freq > 3400)] = 0
    length = int(n * RATE / rate)
    keep = length // 2 + 1
    short = np.zeros(keep, dtype=complex)
    take = min(keep, len(spectrum))
    short[:take] = spectrum[:take]
    return np.fft.irfft(short, length) * (length / n)


def best_lag(long, short):
    """Offset of `short` in `long` with the highest normalised correlation."""
    size = 1 << int(np.ceil(np.log2(len(long) + len(short))))
    corr = np.fft.irfft(np.fft.rfft(long, size) * np.conj(np.fft.rfft(short, size)), size)
    corr = corr[: max(len(long) - len(short), 0) + 1]
    energy = np.concatenate(([0.0], np.cumsum(long**2)))
    norm = np.sqrt(np.maximum(energy[len(short):][: len(corr)] - energy[: len(corr)], 1e-9) * np.sum(short**2) + 1e-9)
    score = corr / norm
    at = int(np.argmax(score))
    return at, float(score[at])


def compare(reference, recording, segment=0.32, search=0.1):
    """Returns dict(correlation, others, matched, lag, segments). others: the correlation without the piece that fits least. A piece may lie
    `search` seconds from where the whole has it: the playout delay of a call is changed while nobody speaks. lag: s from the start of the
    recording to the reference's start, modulo the reference's length (it loops)."""
    ref, rate_ref = load(reference)
    rec, rate_rec = load(recording)
    ref, rec = band(ref, rate_ref), band(rec, rate_rec)
    if np.sqrt(np.mean(rec**2)) < 5:
        return dict(correlation=0.0, others=0.0, matched=0.0, lag=None, segments=0, reason="the recording is silent")
    # Anchor: the loudest two seconds of the recording, found in the (twice repeated) reference.
    loop = np.concatenate([ref, ref])
    size = min(2 * RATE, len(rec), len(ref))
    energy = np.convolve(rec**2, np.ones(size), "valid")
    start = int(np.argmax(energy))
    at, _ = best_lag(loop, rec[start:start + size])
    lag = (start - at) % len(ref)
    step, slack = int(segment * RATE), int(search * RATE)
    threshold = 0.05 * np.sqrt(np.mean(ref**2))
    scores, weights = [], []
    for begin in range(slack, len(rec) - step - slack, step):
        position = (begin - lag) % len(ref)
        piece = np.take(loop, range(position, position + step))
        if np.sqrt(np.mean(piece**2)) < threshold:
            continue
        if begin < lag and begin + step > lag:
            continue
        _, score = best_lag(rec[begin - slack:begin + step + slack], piece)
        scores.append(score)
        weights.append(np.sum(piece**2))
    if not scores:
        return dict(correlation=0.0, others=0.0, matched=0.0, lag=None, segments=0, reason="no speech in the recording's span")
    scores, weights = np.array(scores), np.array(weights)
    rest = np.arange(len(scores)) != np.argmin(scores)
    others = np.average(scores[rest], weights=weights[rest]) if len(scores) > 1 else scores[0]
    return dict(correlation=float(np.average(scores, weights=weights)), others=float(others), matched=float(np.mean(scores > 0.7)),
                lag=lag / RATE, segments=len(scores))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference")
    parser.add_argument("recording")
    parser.add_argument("--min-correlation", type=float, default=0.8)
    parser.add_argument("--min-matched", type=float, default=0.8)
    args = parser.parse_args()
    result = compare(args.reference, args.recording)
    print(json.dumps(result))
    good = result["correlation"] >= args.min_correlation and result["matched"] >= args.min_matched
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
