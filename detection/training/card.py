"""Writes a model's `CARD.md` from the facts in its `model.json`: figures are copied, never
typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detection.training.sources import EXCLUDED, LICENCES, MERGED_SCENES
from detection.training.split import Split

LIMITS = {
    "hazards": """\
- One picture does not tell a crash from a queue or a parked car on a road never seen: the crash
  class is a reason to look closer, and the crash model decides.
- Fire is learnt mostly from forest photographs and collages, with few clips of real CCTV: small
  flames far from the camera, flames in daylight and fire behind glass are found late or not at all.
- Wide pictures are squeezed to a square in training and in service. Letterboxed, the model had
  learnt that grey bars mean nothing to report, since only the ordinary pictures are wide.
- Small fires on streets, by day and at night, are learnt from flames set into ordinary CCTV
  pictures (`detection/training/composite.py`), not from footage.
- Smoke is confused with fog, spray and steam, and thin smoke is missed; a wall of white fog close
  to the camera can be called smoke.
- Night: lamps with a halo, emergency lights and orange reflections draw weak fire scores. Static
  ones are learnt a camera, over days.
- The labels of `biplab` mark some glowing smoke as fire and leave some small flames out; {excluded}
  scenes with sunsets labelled as fire are left out altogether.
- The open clips under `videos/` are for end-to-end checks. No frame of theirs was added to
  training, but two of them (`crash_junction_wet`, `crash_street_truck`) show scenes of which `shub`
  pictures were: what they show is no proof of generality.
- The thresholds of `detection/rules.py` were set with these clips in view.
- The motorway clip of `abonia` is in training with most of its frames: without them most of its
  fires and nearly all its smoke were missed (recall .25 and .04). That is what to expect of dark
  smoke and small flames far off by day on a road never seen.
- Rainy nights, fog lit by headlights and orange vehicles close by draw most of the false fires.
""",
    "flood": """\
- Nearly all flood pictures are photographs. The only CCTV with both classes (`rio`) is {rio}
  pictures of rainy nights; the figures on it are the ones to believe, and they are modest.
- A score is no measure of water. Dry asphalt under a grey sky or in sodium light, wet asphalt with
  reflections, spray, and sea and rivers beside the road can score like a flood, and do so all day.
  Verification therefore counts only by how much looks stand out from the camera's own road, which
  it learns; the figures above are of single pictures, without that help.
- A flood that is there when a camera is seen for the first time at an hour that nobody knows, and
  does not rise, is told of only while a call or an incident speaks of it.
- Water was painted onto dry roads (`detection/training/water.py`) and rendered: what the simulator
  shows is of the kind that was trained on, and being right there proves nothing of real streets.
- In pictures of burning forests and of rooms it sees water where none is; cameras show streets.
- Depth is not judged: a puddle over the whole lane and a metre of water are the same class.
- Without a drawn road region the lower 65 % of the picture is judged.
""",
}


_BRANCH_ALONE = (
    "Of them the class branch alone was trained on, over what the rest of the net makes of several",
    "views of each picture: flipped, moved, scaled and damaged, those without a hazard given",
    "lamps, fog, strong light or other paint.",
)


def write_card(folder: Path, facts: Mapping[str, Any], parts: Split) -> None:
    """Write `folder/CARD.md`."""
    name = facts["name"]
    provenance = facts["provenance"]
    everything = [p for mine in parts.parts().values() for p in mine]
    limits = LIMITS[name].format(
        excluded=sum(len(scenes) for scenes in EXCLUDED.values()),
        rio=sum(1 for p in everything if p.source == "rio"),
    )
    lines = [
        f"# {name}: {'fire, smoke, crash' if name == 'hazards' else 'flood or dry'}",
        "",
        f"Version `{facts['version']}`, licence {provenance['licence']} (trained with Ultralytics,",
        "from a checkpoint under the same licence).",
        "",
        f"YOLOv8n{'' if facts['task'] == 'detect' else '-cls'}, input "
        f"{facts['input_size_px']} x {facts['input_size_px']} px, OpenVINO with weights compressed "
        "to fp16 (`model.xml`, `model.bin`) and the checkpoint (`model.pt`).",
        "",
        "## Training",
        "",
        f"`{provenance['command']}`, seed {provenance['seed']}, "
        f"{provenance['train_pictures']} pictures of {provenance['train_scenes']} scenes. Never "
        f"trained on: {provenance['choose_pictures']} pictures of {provenance['choose_scenes']} "
        "scenes that curves, operating points and the checkpoint were chosen with, and "
        f"{provenance['report_pictures']} of {provenance['report_scenes']} that only report. Split "
        f"by scene (hash of its name), SHA-256 `{provenance['split_sha256'][:16]}...`. Clips that "
        "the source numbers as several scenes are joined "
        f"({sum(len(g) for g in MERGED_SCENES['abonia'])} of `abonia`).",
        f"Starting weights: `{provenance['start_weights']}` (AGPL-3.0), {provenance['history']}.",
        *(_BRANCH_ALONE if provenance["command"].endswith("class-branch") else ()),
        "",
        "| source | licence | train pictures / scenes | choose | report |",
        "|---|---|---|---|---|",
        *_source_rows(parts),
        "",
        "## Figures on the scenes that only report",
        "",
        *(_detector_rows(facts) if facts["task"] == "detect" else _flood_rows(facts)),
        "",
        "## Scores to likelihood ratios",
        "",
        *(
            f"- {sighting}: {curve['kind']}, ln ratio from {curve['llrs'][0]:.1f} at score "
            f"{curve['scores'][0]} to {curve['llrs'][-1]:.1f} at {curve['scores'][-1]}; nothing "
            f"found: {curve['miss_llr']:.1f}"
            for sighting, curve in facts["curves"].items()
        ),
        "",
        "## Where it fails",
        "",
        limits,
    ]
    (folder / "CARD.md").write_text("\n".join(lines).rstrip() + "\n")


def _source_rows(parts: Split) -> list[str]:
    everything = list(parts.parts().values())
    rows = []
    for source in sorted({p.source for mine in everything for p in mine}):
        cells = [
            f"{len(mine)} / {len({p.scene for p in mine})}"
            for mine in ([p for p in part if p.source == source] for part in everything)
        ]
        rows.append(f"| {source} | {LICENCES[source]} | {' | '.join(cells)} |")
    return rows


def _detector_rows(facts: Mapping[str, Any]) -> list[str]:
    rows = [
        "Recall: share of the pictures with the hazard in which it is flagged; false: share of the",
        "pictures with nothing to report in which it is. In brackets 95 % by bootstrap over",
        "scenes.",
        "",
        "| class | operating point | AP50 | precision | recall of boxes | recall | false |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, f in facts["figures"].items():
        recall = _with_interval(f["image_recall"], f["image_recall_95"])
        false = _with_interval(f["image_fpr"], f["image_fpr_95"])
        rows.append(
            f"| {name} | {facts['operating_points'][name]} | {_text(f['ap50'])} "
            f"| {_text(f['precision'])} | {_text(f['recall'])} | {recall} | {false} |"
        )
    rows += ["", "| class | recall by source | false by source |", "|---|---|---|"]
    for name, f in facts["figures"].items():
        by = (f["recall_by_source"], f["fpr_by_source"])
        cells = [", ".join(f"{s} {_text(v)}" for s, v in part.items()) for part in by]
        rows.append(f"| {name} | {cells[0]} | {cells[1]} |")
    return rows


def _flood_rows(facts: Mapping[str, Any]) -> list[str]:
    rows = [
        f"At the operating point {facts['operating_points']['flood']}.",
        "",
        "| source | flooded | dry | recall | false | AUC |",
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {source} | {f['flooded']} | {f['dry']} | {_text(f['recall'])} | {_text(f['fpr'])} "
        f"| {_text(f['auc'])} |"
        for source, f in facts["figures"]["flood"].items()
    ]
    return rows


def _with_interval(share: float | None, interval: list[float] | None) -> str:
    if share is None or interval is None:
        return _text(share)
    return f"{_text(share)} [{_text(interval[0])}-{_text(interval[1])}]"


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
