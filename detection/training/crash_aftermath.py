"""What it is worth that something stands where it crashed, by the clips of accidents and ordinary
traffic (`detection.crash_aftermath`).

After its alarm a crash is judged on for some seconds, and so is what passes for one. The clips
end some seconds after their accidents, so that little is known of what stands after ten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from detection.calibration import CalibrationSample, Curve, fit_curve
from detection.crash_clips import CrashClip, judged_live
from detection.crash_model import CrashJudge, CrashVerdict
from detection.crash_motion import RATE_FPS, Grey

AS_IF = 0.3
"""Ordinary traffic has few alarms once it is learnt from: what comes a third as near shows as well
what happens where it brakes and turns."""
SETTLES_S = 1.5
"""After the last picture labelled an accident, an alarm is still one about it."""


def aftermath_curve(
    clips: Sequence[CrashClip],
    judged: Mapping[str, Sequence[tuple[float, CrashVerdict]]],
    point: float,
    judge: CrashJudge,
    ordinary: Sequence[Sequence[Grey]],
) -> Curve:
    """From cross-fitted judgements of clips, and those of a judge that knows it of ordinary
    traffic. Of each alarm the last judgement counts. Raises ValueError with too little of either.
    """
    samples = []
    for clip in clips:
        for is_real in (True, False):
            mine = [
                verdict
                for _, verdict in judged[clip.name]
                if verdict.score >= point
                and (clip.onset_s <= verdict.at_s <= clip.end_s + SETTLES_S) is is_real
                and (is_real or verdict.at_s < clip.onset_s - 1.0)
            ]
            samples += _of_alarm(mine, is_real, clip.name, "clips")
    for number, greys in enumerate(ordinary):
        times_s = (np.arange(len(greys)) / RATE_FPS).tolist()
        near = [v for _, v in judged_live(judge, greys, times_s) if v.score >= AS_IF]
        for at_s in sorted({v.at_s for v in near}):
            mine = [v for v in near if v.at_s == at_s]
            samples += _of_alarm(mine, False, f"ordinary-{number}", "ordinary")
    return fit_curve(samples, 0.0)


def _of_alarm(
    verdicts: Sequence[CrashVerdict], is_real: bool, scene: str, source: str
) -> list[CalibrationSample]:
    stays = [v.stays for v in verdicts if v.stays is not None][-1:]
    return [CalibrationSample(value, is_real, scene, source) for value in stays]
