# SPDX-License-Identifier: LGPL-2.1-or-later
"""Delay and damage over time, a row for each link, as a PNG: for tests/bench/voice. Wants python3-pil."""
from PIL import Image, ImageDraw

WIDTH, HEIGHT, LEFT, TOP, GAP = 1000, 110, 60, 18, 12
COLOURS = {"phoned": (0, 90, 200), "baresip": (220, 110, 0)}
CONCEALED = (150, 190, 240)
DELAY_MOST, DAMAGE_MOST = 800, 30       # ms, dB


class Panel:
    """A coordinate system with a frame: time to the right, a value upwards."""

    def __init__(self, draw, top, seconds, most, label):
        self.draw, self.top, self.seconds, self.most = draw, top, seconds, most
        draw.rectangle((LEFT, top, WIDTH - 10, top + HEIGHT), outline=(180, 180, 180))
        for part in range(5):
            y = self.y(most * part / 4)
            draw.line((LEFT, y, WIDTH - 10, y), fill=(230, 230, 230))
            draw.text((8, y - 6), f"{most * part / 4:.0f}", fill=(90, 90, 90))
        draw.text((LEFT + 4, top + 2), label, fill=(90, 90, 90))

    def x(self, time):
        return LEFT + (WIDTH - 10 - LEFT) * min(max(time / self.seconds, 0), 1)

    def y(self, value):
        return self.top + HEIGHT * (1 - min(value / self.most, 1))

    def line(self, points, colour):
        """Broken where a value is None."""
        last = None
        for time, value in points:
            point = None if value is None else (self.x(time), self.y(value))
            if point and last:
                self.draw.line((*last, *point), fill=colour, width=2)
            elif point:
                self.draw.point(point, fill=colour)
            last = point

    def bars(self, points, colour):
        for (begin, _), (end, value) in zip(points, points[1:]):
            if value > 0:
                self.draw.rectangle((self.x(begin), self.y(value), self.x(end), self.top + HEIGHT), fill=colour)


def concealed(run):
    """[(time, per cent of what was played since the time before)]: the statistics count from the beginning of the call."""
    points, before = [], 0.0
    for entry in run.stats:
        time = entry["at"] / 1e6 - run.speech_at
        total = entry.get("concealed", 0) * (entry["at"] / 1e6 - run.begun)
        if points:
            points.append((time, 100 * max(0.0, total - before) / max(time - points[-1][0], 0.1)))
        else:
            points.append((time, 0.0))
        before = total
    return points


def draw(path, links):
    """links: [(text, [(title, run)])]."""
    links = [(text, runs) for text, runs in links if runs]
    picture = Image.new("RGB", (WIDTH, len(links) * (2 * HEIGHT + TOP + 2 * GAP) + 10), "white")
    pen = ImageDraw.Draw(picture)
    for index, (text, runs) in enumerate(links):
        top = index * (2 * HEIGHT + TOP + 2 * GAP) + 4
        pen.text((LEFT, top), text, fill="black")
        for place, (title, run) in enumerate(runs):
            pen.text((WIDTH - 330 + 150 * place, top), f"{title}: {run.result['estoi']:.3f}", fill=COLOURS[title])
        seconds = max(point[0] for _, run in runs for point in run.track) + 1
        delay = Panel(pen, top + TOP, seconds, DELAY_MOST, "delay, ms")
        damage = Panel(pen, top + TOP + HEIGHT + GAP, seconds, DAMAGE_MOST, "lines: log-mel distance, dB; bars: concealed by phoned, %")
        for title, run in runs:
            damage.bars(concealed(run), CONCEALED)
        for title, run in runs:
            delay.line([(time, None if value is None else 1000 * value) for time, value, _ in run.track], COLOURS[title])
            damage.line([(time, value) for time, _, value in run.track], COLOURS[title])
    picture.save(path)
