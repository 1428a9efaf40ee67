"""A sheet to draw a chart on: colours, boxes, lines, letters, and the PNG that comes of it.

Everything is drawn at twice the size and reduced. The palette is fixed, so that the same strokes give the same bytes.
Colours of the dark look are the usual ones of trading screens, up 26A69A and down EF5350.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Point = tuple[float, float]

LIMIT_BYTES = 256 * 1024  # what a ChartReady message may carry
SIZE = (1200, 675)  # 16:9, the shape in which chat programs show a picture uncut
DOUBLE = 2  # drawn so many times larger
WATERMARK = 0.22
QUIET = 0.14  # share of the muted ink in the ground of a stretch without trades
FAR = 8  # units between the points of a line


@dataclass(frozen=True, slots=True)
class Inks:
    """The colours of a theme."""

    background: Colour
    premarket: Colour
    after_hours: Colour
    grid: Colour
    text: Colour
    muted: Colour
    up: Colour
    down: Colour
    vwap: Colour
    mark: Colour
    warning: Colour


THEMES: dict[str, Inks] = {
    "dark": Inks((18, 18, 18), (22, 32, 48), (44, 32, 22), (52, 52, 52), (236, 236, 236), (164, 164, 164),
                 (38, 166, 154), (239, 83, 80), (255, 152, 0), (206, 147, 255), (255, 213, 79)),
    "light": Inks((255, 255, 255), (226, 237, 252), (254, 238, 218), (214, 214, 214), (28, 28, 28), (98, 98, 98),
                  (8, 137, 122), (214, 50, 48), (214, 108, 0), (126, 40, 190), (176, 96, 0)),
}


def mix(ink: Colour, ground: Colour, share: float) -> Colour:
    """`share` of the ink over the ground."""
    red, green, blue = (round(a * share + b * (1 - share)) for a, b in zip(ink, ground, strict=True))
    return red, green, blue


class Page:
    """A sheet of 1,200 units' width to draw on, in units of the finished picture at full size."""

    def __init__(self, size: tuple[int, int], inks: Inks):
        from PIL import Image, ImageDraw

        self.size, self.inks = size, inks
        self._scale = min(size[0] / SIZE[0], size[1] / SIZE[1])
        self.width, self.height = round(size[0] / self._scale), round(size[1] / self._scale)
        self._image: Image.Image = Image.new("RGB", (size[0] * DOUBLE, size[1] * DOUBLE), inks.background)
        self._pen: ImageDraw.ImageDraw = ImageDraw.Draw(self._image)
        self._fonts: dict[int, ImageFont.FreeTypeFont | ImageFont.ImageFont] = {}

    def _at(self, point: Point) -> Point:
        """Even pixels, so that straight edges stay sharp when the picture is reduced."""
        return round(point[0] * self._scale) * DOUBLE, round(point[1] * self._scale) * DOUBLE

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """A filled rectangle, at least a pixel wide and high."""
        (x0, y0), (x1, y1) = self._at((left, top)), self._at((right, bottom))
        self._pen.rectangle((x0, y0, max(x1, x0 + DOUBLE) - 1, max(y1, y0 + DOUBLE) - 1), fill=colour)

    def dashes(self, start: Point, end: Point, colour: Colour, dash: float = 8) -> None:
        """A broken line, level or upright."""
        length = max(end[0] - start[0], end[1] - start[1])
        level = end[0] - start[0] >= end[1] - start[1]
        for number in range(int(length / dash / 2) + 1):
            near = number * dash * 2
            far = min(near + dash, length)
            if level:
                self.box(start[0] + near, start[1] - 1, start[0] + far, start[1] + 1, colour)
            else:
                self.box(start[0] - 1, start[1] + near, start[0] + 1, start[1] + far, colour)

    def path(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A smooth line through points."""
        if len(points) > 1:
            ends = [(x * self._scale * DOUBLE, y * self._scale * DOUBLE) for x, y in points]
            wide = len(points) * FAR < points[-1][0] - points[0][0]  # only then a joint can be seen, and it costs half
            self._pen.line(ends, fill=colour, width=max(2, round(width * self._scale * DOUBLE)),
                           joint="curve" if wide else None)

    def _font(self, size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        from PIL import ImageFont

        pixels = max(8, round(size * self._scale * DOUBLE))
        if pixels not in self._fonts:
            self._fonts[pixels] = ImageFont.load_default(pixels)
        return self._fonts[pixels]

    def text_width(self, text: str, size: float) -> float:
        """The width of a text in units."""
        return self._font(size).getlength(text) / self._scale / DOUBLE

    def text(self, point: Point, text: str, size: float, colour: Colour, anchor: str, *, bold: bool = False) -> float:
        """Write at a point that `anchor` (Pillow's two letters) places; the text's width."""
        self._pen.text(self._at(point), text, fill=colour, font=self._font(size), anchor=anchor,
                       stroke_width=1 if bold else 0)
        return self.text_width(text, size)

    def tag(self, left: float, middle: float, right: float, text: str, colour: Colour) -> None:
        """A filled tag with its text in black or white, whichever can be read on it."""
        bright = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
        self.box(left, middle - 17, right, middle + 17, colour)
        size = min(25.0, 25 * (right - left - 10) / self.text_width(text, 25))
        self.text(((left + right) / 2, middle), text, size, (0, 0, 0) if bright > 128 else (255, 255, 255), "mm")

    def badge(self, text: str, right: float, middle: float) -> float:
        """A tag in the colour of a warning that ends at `right`; where it begins."""
        left = right - self.text_width(text, 25) - 20
        self.tag(left, middle, right, text, self.inks.warning)
        return left

    def png(self, across: str) -> bytes:
        """The reduced picture with a text across it; with fewer colours where it would be over the limit."""
        image = self._image.reduce(DOUBLE)
        if across:
            self._watermark(image, across)
        for colours in (_palette(self.inks), _palette(self.inks)[:14]):
            body = _encode(image, colours)
            if len(body) <= LIMIT_BYTES:
                break
        return body

    def _watermark(self, image: Image.Image, text: str) -> None:
        from PIL import Image, ImageDraw, ImageFont

        width, height = image.size
        mask = Image.new("L", image.size, 0)
        font = ImageFont.load_default(width * 0.145)
        ImageDraw.Draw(mask).text((width / 2, height / 2), text, fill=255, font=font, anchor="mm")
        mask = mask.rotate(18, Image.Resampling.BICUBIC).point([round(level * WATERMARK) for level in range(256)])
        image.paste(self.inks.warning, (0, 0), mask)


def _palette(inks: Inks) -> list[Colour]:
    """Pure colours first, then what smoothed edges and the watermark make of them; at most 256."""
    grounds = (inks.background, inks.premarket, inks.after_hours)
    lines = (inks.text, inks.muted, inks.up, inks.down, inks.vwap, inks.mark, inks.warning)
    dimmed = [mix(ink, inks.background, 0.55) for ink in (inks.up, inks.down)]
    pure = [*grounds, *lines, *dimmed, inks.grid, mix(inks.muted, inks.background, QUIET), (0, 0, 0), (255, 255, 255)]
    pure += [mix(inks.warning, colour, WATERMARK) for colour in (*grounds, *lines, *dimmed, inks.grid)]
    pure += [mix(end, ink, share) for ink in lines for end in ((0, 0, 0), (255, 255, 255)) for share in (.33, .67)]
    pure += [mix(ink, ground, step / 8) for ink in lines for ground in grounds for step in range(1, 8)]
    return list(dict.fromkeys(pure))[:256]


def _encode(image: Image.Image, colours: Sequence[Colour]) -> bytes:
    from PIL import Image

    palette = Image.new("P", (1, 1))
    flat = [part for colour in colours for part in colour]
    palette.putpalette(flat + flat[:3] * (256 - len(colours)))
    body = io.BytesIO()
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(body, "PNG", compress_level=3)
    return body.getvalue()
