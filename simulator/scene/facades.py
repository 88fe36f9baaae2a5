"""What walls look like: shophouses with shutters and signs, windows, stains."""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.scene.noise import clouds

Rgb = NDArray[np.uint8]
Colour = tuple[int, int, int]

PIXELS_A_METRE = 28
_PAINTS = (
    (196, 188, 170),
    (176, 182, 184),
    (201, 176, 140),
    (158, 178, 168),
    (190, 156, 140),
    (168, 164, 158),
    (205, 200, 190),
    (150, 162, 178),
)
_SIGNS = (
    ((176, 32, 30), (245, 240, 220)),
    ((28, 70, 140), (240, 240, 240)),
    ((240, 200, 40), (40, 36, 30)),
    ((30, 110, 62), (240, 240, 225)),
    ((228, 226, 220), (170, 30, 36)),
    ((44, 44, 50), (238, 190, 60)),
)
_WORDS = (
    "TOKO JAYA",
    "APOTEK",
    "BENGKEL",
    "WARUNG",
    "FOTO KOPI",
    "LAUNDRY",
    "CELL",
    "RM PADANG",
    "SALON",
    "BANGUNAN",
    "OPTIK",
    "MINIMARKET",
)


def wall(width_m: float, height_m: float, style: int, *, is_front: bool) -> Rgb:
    """A wall's picture, `PIXELS_A_METRE`; the top row is its upper edge."""
    return _wall(width_m, height_m, style, is_front)[0]


def lit_windows(width_m: float, height_m: float, style: int, *, is_front: bool) -> Rgb:
    """What shines out of a wall's windows at night; as large as its picture, black elsewhere."""
    picture, windows = _wall(width_m, height_m, style, is_front)
    random = np.random.default_rng(style + 77)
    light = np.zeros_like(picture)
    for left, top, right, low in windows:
        if random.random() < _LIT_SHARE:
            tone = _LAMPS[int(random.integers(len(_LAMPS)))]
            bright = float(random.uniform(0.2, 0.58))
            ink = (bright * tone[0], bright * tone[1], bright * tone[2])
            cv2.rectangle(light, (left, top), (right - 1, low - 1), ink, -1)
            # The lamp hangs at the ceiling; a frame, curtains or shelves stand before it.
            fade = np.linspace(1.0, 0.55, max(1, low - top), dtype=np.float32)[:, None, None]
            light[top:low, left:right] = light[top:low, left:right] * fade
            middle = (left + right) // 2
            light[top:low, middle - 1 : middle + 1] //= 3
            if random.random() < 0.5:
                cut = left + round((right - left) * float(random.uniform(0.2, 0.5)))
                light[top:low, left:cut] //= 2
    return light


_LIT_SHARE = 0.38
_SHOP_M, _SHOP_WIDE_M = 3.6, 2.0
"""A shop front with its sign needs a wall so high and wide."""
_LAMPS: tuple[tuple[float, float, float], ...] = (
    (255.0, 206.0, 140.0),
    (255.0, 226.0, 184.0),
    (226.0, 238.0, 255.0),
)
Window = tuple[int, int, int, int]
"""Left, top, right and lower edge in a wall's picture."""


@lru_cache(maxsize=24)
def _wall(width_m: float, height_m: float, style: int, is_front: bool) -> tuple[Rgb, list[Window]]:
    random = np.random.default_rng(style)
    width, height = max(8, round(width_m * PIXELS_A_METRE)), round(height_m * PIXELS_A_METRE)
    paint = np.array(_PAINTS[style // 10 % len(_PAINTS)], np.float32)
    tone = _plaster(random, height, width)
    picture = paint * (1 + 0.035 * tone)[..., None]
    _streak(picture, random)
    if is_front and height_m >= _SHOP_M and width_m >= _SHOP_WIDE_M:
        windows = _openings(picture, random, height)
        windows += _shop(picture, random, height, style)
    else:
        windows = _side(picture, random, height)
    # Dirt climbs from the ground.
    rise = np.linspace(0, 1, height, dtype=np.float32)[::-1, None, None]
    picture *= 0.80 + 0.20 * np.minimum(rise * 5, 1)
    return np.asarray(np.clip(picture, 0, 255), np.uint8), windows


@cache
def _plaster_sheet() -> NDArray[np.float32]:
    return clouds(np.random.default_rng(28), 1_200, 1_200, coarse=16, octaves=6)


def _plaster(random: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """A piece of one large sheet, for making a sheet a wall would take longer than all else."""
    sheet = _plaster_sheet()
    row = int(random.integers(max(1, sheet.shape[0] - height)))
    column = int(random.integers(max(1, sheet.shape[1] - width)))
    piece = sheet[row : row + height, column : column + width]
    if piece.shape != (height, width):
        piece = np.asarray(cv2.resize(piece, (width, height)), np.float32)
    return piece


def _streak(picture: NDArray[np.float32], random: np.random.Generator) -> None:
    """Rain draws dark streaks below the roof's edge."""
    height, width = picture.shape[:2]
    streaks = np.abs(random.normal(0, 1, (1, width))).astype(np.float32)
    streaks = np.asarray(cv2.GaussianBlur(streaks, (0, 0), 2), np.float32)
    fall = np.exp(-np.linspace(0, 5, height, dtype=np.float32))[:, None]
    picture *= 1 - 0.20 * np.clip(streaks - 0.5, 0, 1)[..., None] * fall[..., None]
    picture[:6] *= 0.75


def _openings(
    picture: NDArray[np.float32], random: np.random.Generator, height: int
) -> list[Window]:
    """A row of windows a floor above the shop."""
    windows: list[Window] = []
    storey = round(3.5 * PIXELS_A_METRE)
    count, width = int(random.integers(2, 4)), picture.shape[1]
    has_balcony = random.random() < 0.35
    for floor in range(1, height // storey):
        base = height - floor * storey
        for index in range(count):
            middle = round((index + 0.5) * width / count)
            half, tall = round(0.32 * width / count), round(1.5 * PIXELS_A_METRE)
            top = base - round(2.5 * PIXELS_A_METRE)
            glass = random.uniform(0.6, 1.2) * np.array((64, 76, 88), np.float32)
            cv2.rectangle(
                picture,
                (middle - half - 3, top - 3),
                (middle + half + 3, top + tall + 3),
                (214, 212, 206),
                -1,
            )
            shine = np.linspace(1.35, 0.75, tall, dtype=np.float32)[:, None, None]
            picture[top : top + tall, middle - half : middle + half] = glass * shine
            windows.append((middle - half, top, middle + half, top + tall))
            cv2.line(picture, (middle, top), (middle, top + tall), (190, 188, 182), 2)
            # The sill's shadow, and now and then an air conditioner under it.
            picture[top + tall + 3 : top + tall + 8, middle - half - 3 : middle + half + 3] *= 0.7
            if random.random() < 0.4:
                left, low = middle - half, top + tall + 12
                cv2.rectangle(picture, (left, low), (left + 22, low + 15), (206, 206, 202), -1)
                cv2.circle(picture, (left + 11, low + 8), 5, (120, 120, 118), -1)
        if has_balcony:
            cv2.rectangle(picture, (0, base - 26), (width, base - 4), (150, 140, 130), 2)
            for column in range(0, width, 9):
                cv2.line(picture, (column, base - 26), (column, base - 4), (140, 132, 122), 1)
        picture[base - 3 : base + 3] *= 0.72
    return windows


def _shop(
    picture: NDArray[np.float32], random: np.random.Generator, height: int, style: int
) -> list[Window]:
    width = picture.shape[1]
    top = height - round(2.7 * PIXELS_A_METRE)
    edge = round(0.22 * PIXELS_A_METRE)
    is_shut = random.random() < 0.5
    if is_shut:
        # A roller shutter.
        shade = random.uniform(0.8, 1.1) * np.array((142, 150, 156), np.float32)
        ribs = 1 + 0.10 * np.sign(np.sin(np.arange(height - top) * 1.2)).astype(np.float32)
        picture[top:, edge : width - edge] = shade * ribs[:, None, None]
    else:
        depth = np.linspace(0.9, 0.35, height - top, dtype=np.float32)[:, None, None]
        picture[top:, edge : width - edge] = np.array((70, 62, 54), np.float32) * depth
        for _ in range(60):
            column = int(random.integers(edge, max(edge + 1, width - edge - 8)))
            row = int(random.integers(top + 12, height - 10))
            colour = random.uniform(30, 120) + random.uniform(0, 45, 3)
            box = (column + int(random.integers(3, 9)), row + int(random.integers(3, 10)))
            cv2.rectangle(picture, (column, row), box, tuple(float(c) for c in colour), -1)
    board, text = _SIGNS[style % len(_SIGNS)]
    band = round(0.85 * PIXELS_A_METRE)
    picture[top - band : top - 4, edge : width - edge] = _sign(
        width - 2 * edge, band - 4, _WORDS[style % len(_WORDS)], board, text
    )
    # An awning throws the shop front into shadow.
    picture[top : top + round(0.5 * PIXELS_A_METRE)] *= 0.6
    return [] if is_shut else [(edge, top + round(0.3 * PIXELS_A_METRE), width - edge, height - 6)]


def _sign(width: int, height: int, word: str, board: Colour, text: Colour) -> Rgb:
    sign = np.full((height, width, 3), board, np.uint8)
    (long, tall), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_DUPLEX, 1.0, 2)
    scale = min(0.9 * width / long, 0.6 * height / tall)
    place = (round((width - long * scale) / 2), round((height + tall * scale) / 2))
    cv2.putText(sign, word, place, cv2.FONT_HERSHEY_DUPLEX, scale, text, 2, cv2.LINE_AA)
    return sign


def _side(picture: NDArray[np.float32], random: np.random.Generator, height: int) -> list[Window]:
    """A plain wall: here and there a window, in rows where it is wide."""
    windows: list[Window] = []
    width, storey = picture.shape[1], round(3.5 * PIXELS_A_METRE)
    half, tall = 14, 34
    places = max(1, round(width / (3.4 * PIXELS_A_METRE)))
    share = float(random.uniform(0.25, 0.9))
    for floor in range(1, height // storey + 1):
        top = height - (floor - 1) * storey - round(2.4 * PIXELS_A_METRE)
        for place in range(places):
            middle = round((place + 0.5) * width / places)
            if random.random() > share or not half + 3 <= middle < width - half - 3:
                continue
            left, right, low = middle - half, middle + half, top + tall
            cv2.rectangle(picture, (left - 3, top - 3), (right + 3, low + 3), (196, 194, 188), -1)
            glass = float(random.uniform(0.7, 1.2)) * np.array((70, 80, 90), np.float32)
            shine = np.linspace(1.3, 0.8, tall, dtype=np.float32)[:, None, None]
            picture[top:low, left:right] = glass * shine
            cv2.line(picture, (middle, top), (middle, low), (182, 180, 174), 2)
            picture[low + 3 : low + 7, left - 4 : right + 4] *= 0.72
            windows.append((left, top, right, low))
    return windows
