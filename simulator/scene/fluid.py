"""Flames and smoke from a small fluid simulation, made once and played in a loop.

Hot gas rises from a bed of fuel, drags air along, cools and turns to smoke: semi-Lagrangian
advection with a spectral pressure projection (J. Stam, "Stable Fluids", SIGGRAPH 1999), with
buoyancy and vorticity confinement (R. Fedkiw et al., SIGGRAPH 2001). It is two-dimensional, as the
picture is: what makes fire look like fire (tongues that tear off, billows that roll) comes from it,
and not from noise that scrolls.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

WIDTH_CELLS = 112
HEIGHT_CELLS = 224
BED_CELLS = 30
"""Width of the burning bed at the bottom's middle, which a fire's width in metres is laid on."""

LOOP_FPS = 12.5
_LOOP_PICTURES = 150
_BLEND_PICTURES = 16
_WARM_UP_STEPS = 130
_STEPS_A_PICTURE = 2


@dataclass(frozen=True, eq=False)
class FireLoop:
    """``heat`` and ``smoke``: pictures x `HEIGHT_CELLS` x `WIDTH_CELLS`, 0-255, top row first."""

    heat: NDArray[np.uint8]
    smoke: NDArray[np.uint8]

    def heat_at(self, seconds: float) -> NDArray[np.uint8]:
        """The heat at a time; between two pictures they are mixed."""
        return _mixed(self.heat, seconds)

    def smoke_at(self, seconds: float) -> NDArray[np.uint8]:
        """The smoke at a time; between two pictures they are mixed."""
        return _mixed(self.smoke, seconds)


def _mixed(bank: NDArray[np.uint8], seconds: float) -> NDArray[np.uint8]:
    position = seconds * LOOP_FPS % len(bank)
    first = int(position)
    share = position - first
    second = bank[(first + 1) % len(bank)]
    return np.asarray(cv2.addWeighted(bank[first], 1 - share, second, share, 0), np.uint8)


def simulate(seed: int) -> FireLoop:
    """A fire of `_LOOP_PICTURES` pictures whose end runs into its beginning; half a second."""
    gas = _Gas(np.random.default_rng(seed))
    for _ in range(_WARM_UP_STEPS):
        gas.step()
    heat, smoke = [], []
    for _ in range(_LOOP_PICTURES + _BLEND_PICTURES):
        for _ in range(_STEPS_A_PICTURE):
            gas.step()
        # Row 0 of the gas is the ground.
        heat.append(_levels(gas.heat[::-1]))
        smoke.append(_levels(gas.smoke[::-1]))
    return FireLoop(_closed(heat), _closed(smoke))


def _levels(plane: Plane) -> NDArray[np.uint8]:
    return np.asarray(np.clip(plane, 0, 1) * 255, np.uint8)


def _closed(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    stack = np.stack(pictures[:_LOOP_PICTURES])
    for index, after in enumerate(pictures[_LOOP_PICTURES:]):
        share = index / (_BLEND_PICTURES - 1)
        stack[index] = cv2.addWeighted(stack[index], share, after, 1 - share, 0)
    return stack


class _Gas:
    """The state of the gas; lengths in cells, time in steps."""

    def __init__(self, random: np.random.Generator) -> None:
        shape = (HEIGHT_CELLS, WIDTH_CELLS)
        self._random = random
        self.heat: Plane = np.zeros(shape, np.float32)
        self.smoke: Plane = np.zeros(shape, np.float32)
        self._u: Plane = np.zeros(shape, np.float32)
        self._v: Plane = np.zeros(shape, np.float32)
        rows, columns = np.mgrid[0:HEIGHT_CELLS, 0:WIDTH_CELLS].astype(np.float32)
        self._rows, self._columns = rows, columns
        ky = np.fft.fftfreq(HEIGHT_CELLS).astype(np.float32)[:, None]
        kx = np.fft.rfftfreq(WIDTH_CELLS).astype(np.float32)[None, :]
        self._kx, self._ky = kx, ky
        self._k2 = np.maximum(kx * kx + ky * ky, 1e-9)
        across = (columns - WIDTH_CELLS / 2) / (BED_CELLS / 2)
        self._bed = np.exp(-(across**4)) * np.exp(-((rows / 4.0) ** 2))
        # The domain wraps: a sponge at the top and the sides takes what would come round again.
        top = 1 - np.clip((HEIGHT_CELLS - rows) / 60, 0, 1)
        side = 1 - np.clip(np.minimum(columns, WIDTH_CELLS - 1 - columns) / 22, 0, 1)
        self._sponge = 1 - 0.10 * np.maximum(top, side) ** 2
        self._burning = np.exp(-((rows / 26.0) ** 2))
        self._flicker = np.zeros(WIDTH_CELLS, np.float32)

    def step(self) -> None:
        """One fiftieth of a second or so."""
        self._feed()
        self._v += 0.30 * self.heat + 0.02 * self.smoke
        self._confine_vortices(0.07)
        self._project()
        self._u *= 0.992 * self._sponge
        self._v *= 0.992 * self._sponge
        u, v = self._u, self._v
        back_x, back_y = self._columns - u, self._rows - v
        self._u = self._carried(u, back_x, back_y)
        self._v = self._carried(v, back_x, back_y)
        heat = self._carried(self.heat, back_x, back_y)
        smoke = self._carried(self.smoke, back_x, back_y)
        # Flames lose heat by radiation, the hotter the faster; what has cooled is soot.
        cooled = np.maximum(heat - 0.0085 - 0.024 * heat**2, 0)
        self.heat = cooled * self._sponge
        smoke = smoke + 1.6 * (heat - cooled) * (heat < 0.6)
        self.smoke = np.clip(smoke * 0.9965, 0, 1.3) * self._sponge

    def _feed(self) -> None:
        kick = self._random.normal(0, 1, WIDTH_CELLS).astype(np.float32)
        kick = np.asarray(cv2.GaussianBlur(kick[None, :], (0, 0), 3), np.float32)[0] * 3
        self._flicker = 0.93 * self._flicker + 0.30 * kick
        strength = np.clip(0.75 + 0.45 * self._flicker, 0.1, 1.15)
        self.heat = np.maximum(self.heat, self._bed * strength[None, :])
        self._u += self._bed * 0.05 * self._random.normal(0, 1)

    def _confine_vortices(self, strength: float) -> None:
        curl = np.gradient(self._v, axis=1) - np.gradient(self._u, axis=0)
        size = np.abs(curl)
        gy, gx = np.gradient(size)
        norm = np.sqrt(gx * gx + gy * gy) + 1e-5
        self._u += (strength * gy / norm * curl).astype(np.float32)
        self._v -= (strength * gx / norm * curl).astype(np.float32)

    def _project(self) -> None:
        u, v = np.fft.rfft2(self._u), np.fft.rfft2(self._v)
        # Burning gas expands; without it the air that flows in pinches the flames to a stem.
        swelling = np.fft.rfft2(0.05 * self.heat * self._burning) / (2j * np.pi)
        along = (self._kx * u + self._ky * v - swelling) / self._k2
        shape = self._u.shape
        self._u = np.fft.irfft2(u - self._kx * along, s=shape).astype(np.float32)
        self._v = np.fft.irfft2(v - self._ky * along, s=shape).astype(np.float32)

    def _carried(self, field: Plane, back_x: Plane, back_y: Plane) -> Plane:
        moved = cv2.remap(field, back_x, back_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.float32)
