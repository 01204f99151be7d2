# SPDX-License-Identifier: LGPL-2.1-or-later
"""How much of speech a network left: two measures that compare what was heard with what was said, and the delay between them.

estoi: extended short-time objective intelligibility, from the paper (J. Jensen, C. H. Taal, "An algorithm for predicting the intelligibility of
speech masked by modulated noise maskers", IEEE/ACM Trans. Audio, Speech, Lang. Process. 24(11), 2016); 1 is perfect. The front end is that of STOI
(C. H. Taal et al., IEEE Trans. Audio, Speech, Lang. Process. 19(7), 2011).

mel_distance: root mean square difference of log-mel spectra in dB, level-adjusted, over what is not silence. It hears colour and noise that
intelligibility forgives.

Signals are mono float arrays; rates in Hz; delays in seconds."""
import numpy as np
from scipy.signal import resample_poly

ESTOI_RATE = 10000
FRAME, HOP, FFT = 256, 128, 512         # 25.6 ms at 10 kHz
BANDS, LOWEST = 15, 150                 # one-third octaves from 150 Hz
SEGMENT = 30                            # frames: 384 ms
DYNAMIC = 40                            # dB under the loudest frame that are silence


def resample(signal, rate, wanted):
    divisor = np.gcd(int(rate), int(wanted))
    return resample_poly(np.asarray(signal, float), wanted // divisor, rate // divisor)


def _frames(signal, size, hop):
    n = (len(signal) - size) // hop + 1
    return np.lib.stride_tricks.as_strided(signal, (max(n, 0), size), (signal.strides[0] * hop, signal.strides[0]))


def _without_silence(clean, heard):
    """Frames of `clean` that are more than DYNAMIC below its loudest are taken out of both, and the rest is overlapped and added."""
    window = np.hanning(FRAME + 2)[1:-1]
    a, b = (_frames(np.ascontiguousarray(x), FRAME, HOP) * window for x in (clean, heard))
    energy = 20 * np.log10(np.linalg.norm(a, axis=1) + 1e-12)
    keep = energy > energy.max() - DYNAMIC
    out = np.zeros((2, (int(keep.sum()) - 1) * HOP + FRAME))
    for row, frames in zip(out, (a[keep], b[keep])):
        for i, frame in enumerate(frames):
            row[i * HOP:i * HOP + FRAME] += frame
    return out


def _third_octaves(signal):
    window = np.hanning(FRAME + 2)[1:-1]
    power = np.abs(np.fft.rfft(_frames(signal, FRAME, HOP) * window, FFT)) ** 2
    frequency = np.arange(FFT // 2 + 1) * ESTOI_RATE / FFT
    bands = []
    for k in range(BANDS):
        low, high = LOWEST * 2 ** ((2 * k - 1) / 6), LOWEST * 2 ** ((2 * k + 1) / 6)
        first, last = (int(np.argmin(np.abs(frequency - edge))) for edge in (low, high))
        bands.append(np.sqrt(power[:, first:last].sum(axis=1)))
    return np.array(bands)


def _normalised(matrix, axis):
    matrix = matrix - matrix.mean(axis=axis, keepdims=True)
    return matrix / (np.linalg.norm(matrix, axis=axis, keepdims=True) + 1e-12)


def estoi(clean, heard, rate):
    """0 (or a little less) to 1; NAN if there is not a segment of speech. Both start at the same moment; the shorter counts."""
    n = min(len(clean), len(heard))
    a, b = (resample(x[:n], rate, ESTOI_RATE) for x in (clean, heard))
    if len(a) < FRAME or not np.any(a):
        return float("nan")
    a, b = _without_silence(a, b)
    a, b = _third_octaves(a), _third_octaves(b)
    if a.shape[1] < SEGMENT:
        return float("nan")
    scores = []
    for end in range(SEGMENT, a.shape[1] + 1):
        x, y = (_normalised(_normalised(m[:, end - SEGMENT:end], 1), 0) for m in (a, b))
        scores.append((x * y).sum() / SEGMENT)
    return float(np.mean(scores))


def _mel_filters(rate, size, n, low, high):
    def mel(f):
        return 2595 * np.log10(1 + f / 700)
    edges = 700 * (10 ** (np.linspace(mel(low), mel(high), n + 2) / 2595) - 1)
    frequency = np.fft.rfftfreq(size, 1 / rate)
    rise = (frequency - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - frequency) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rise, fall), 0, None)


def mel_distance(clean, heard, rate, bands=40, low=100, high=7000):
    """dB. 32 ms windows every 16 ms; what is 50 dB below the loudest of the clean signal counts as that floor on both sides."""
    n = min(len(clean), len(heard))
    wanted = 16000
    a, b = (np.ascontiguousarray(resample(x[:n], rate, wanted)) for x in (clean, heard))
    size, hop = 512, 256
    filters = _mel_filters(wanted, size, bands, low, high)
    spectra = [np.abs(np.fft.rfft(_frames(x, size, hop) * np.hanning(size))) ** 2 @ filters.T for x in (a, b)]
    floor = spectra[0].max() * 1e-5
    loud = spectra[0].sum(axis=1) > spectra[0].sum(axis=1).max() * 1e-4
    if not loud.any():
        return float("nan")
    spectra[1] *= spectra[0][loud].sum() / max(spectra[1][loud].sum(), 1e-12)
    a, b = (10 * np.log10(np.maximum(s[loud], floor)) for s in spectra)
    return float(np.sqrt(np.mean((a - b) ** 2)))


def lag(clean, heard):
    """Samples by which `heard` is behind `clean`, by generalised cross-correlation of the whitened parts: (lag, sharpness)."""
    size = 1 << int(np.ceil(np.log2(len(clean) + len(heard))))
    cross = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(clean, size))
    cross /= np.sqrt(np.abs(cross)) + 1e-9
    correlation = np.fft.irfft(cross, size)[:len(heard)]
    at = int(np.argmax(correlation))
    return at, float(correlation[at] / (np.std(correlation) + 1e-12))


class Utterance:
    def __init__(self, begin, end, delay, score, distance):
        self.begin, self.end, self.delay, self.estoi, self.distance = begin, end, delay, score, distance


def judge(clean, heard, rate, bounds, longest=1.5):
    """Each utterance (first and last sample in bounds) found in `heard`, which starts when `clean` does, by itself and at most `longest` seconds
    later. Returns Utterances, times in s."""
    clean, heard = (np.asarray(x, float) for x in (clean, heard))
    result = []
    for begin, end in bounds:
        part = clean[begin:end]
        area = heard[begin:end + int(longest * rate)]
        area = np.concatenate([area, np.zeros(len(part) + int(longest * rate) - len(area))])
        delay, _ = lag(resample(part, rate, 16000), resample(area, rate, 16000))
        delay = delay * rate // 16000
        found = area[delay:delay + len(part)]
        result.append(Utterance(begin / rate, end / rate, delay / rate, estoi(part, found, rate), mel_distance(part, found, rate)))
    return [u for u in result if not np.isnan(u.estoi)]


def summary(found):
    """Means weighted by length, and the median delay: dict(estoi, distance, delay)."""
    weights = np.array([u.end - u.begin for u in found])
    return dict(estoi=float(np.average([u.estoi for u in found], weights=weights)),
                distance=float(np.sqrt(np.average([u.distance ** 2 for u in found], weights=weights))),
                delay=float(np.median([u.delay for u in found])))


def track(clean, heard, rate, step=0.25, size=0.3, longest=1.5):
    """[(time, delay or None, damage)] along the signal, times in s: the delay of each piece where it can be told, and the log-mel distance of
    what was heard of it in dB."""
    wanted = 8000
    a, b = (resample(x, rate, wanted) for x in (clean, heard))
    b = np.concatenate([b, np.zeros(int((longest + size) * wanted) + len(a))])
    n, result, last = int(size * wanted), [], 0
    loud = 0.1 * np.sqrt(np.mean(a ** 2))
    for at in range(0, len(a) - n, int(step * wanted)):
        piece = a[at:at + n]
        if np.sqrt(np.mean(piece ** 2)) < loud:
            continue
        delay, sharp = lag(piece, b[at:at + n + int(longest * wanted)])
        sure = sharp > 12
        last = delay if sure else last
        damage = mel_distance(piece, b[at + last:at + last + n], wanted, bands=20, high=3800)
        result.append((at / wanted, delay / wanted if sure else None, None if np.isnan(damage) else damage))
    return result
