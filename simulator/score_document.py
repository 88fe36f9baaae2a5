"""A score for machines and for people: its document, and the table that is printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.scoring import Reported, Score


def as_document(score: Score) -> dict[str, Any]:
    """The score as plain JSON values."""
    found = [row for row in score.events if row.is_found]
    totals = {
        "events": len(score.events),
        "found": len(found),
        "found_once": sum(row.duplicates == 0 for row in found),
        "duplicates": sum(row.duplicates for row in found),
        "in95": sum(bool(row.in95) for row in found),
        "false_alarms": sum(row.is_alarmed for row in score.vain),
        "false_candidates": sum(not row.is_alarmed for row in score.vain),
        "false_calls": len(score.false_calls),
        "signals": score.signals,
    }
    return {
        "scenario": score.scenario,
        "seed": score.seed,
        "started_at": score.started_at.isoformat().replace("+00:00", "Z"),
        "seconds": score.seconds,
        "events": [
            {
                "id": row.event.id,
                "kind": row.event.kind,
                "hazard": row.event.hazard.value if row.event.hazard else None,
                "place": {"lon": row.event.at.lon, "lat": row.event.at.lat},
                "starts_s": row.event.starts_s,
                "found": row.is_found,
                "by": row.by,
                "incidents": list(row.incident_ids),
                "shown_after_s": row.shown_after_s,
                "alarmed_after_s": row.alarmed_after_s,
                "place_error_m": row.place_error_m,
                "in_region": {"50": row.in50, "90": row.in90, "95": row.in95},
                "hazard_is_right": row.hazard_is_right,
                "duplicates": row.duplicates,
            }
            for row in score.events
        ],
        "in_vain": [_vain(row, score.mistaken_for.get(row.id)) for row in score.vain],
        "false_calls": [_vain(row, None) for row in score.false_calls],
        "totals": totals,
        "shortfalls": shortfalls(totals),
        "operators": {
            "acknowledged_s": score.clocks.acknowledged_s,
            "verified_s": score.clocks.verified_s,
            "dispatched_s": score.clocks.dispatched_s,
            "untouched": score.clocks.untouched,
        },
        "trainees": [person.to_plain() for person in score.trainees],
    }


def shortfalls(totals: Mapping[str, int]) -> list[str]:
    """In what a round fell short of every event found once, in the region that holds 95 %, and
    nothing shown in vain; empty where in nothing.

    A region that misses one event in ten is as it should be, and a call about nothing is no fault
    of the system's.
    """
    found = totals["found"]
    what = [
        (totals["events"] - found, "not found"),
        (found - totals["found_once"], "found more than once"),
        (found - totals["in95"] - found // 10, "outside the 95 % region"),
        (totals["false_alarms"], "sounded in vain"),
        (totals["false_candidates"], "shown in vain"),
    ]
    return [f"{count} {how}" for count, how in what if count > 0]


def _vain(row: Reported, mistaken_for: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "hazard": row.hazard.value,
        "probability": row.probability,
        "location": {"lon": row.location.lon, "lat": row.location.lat},
        "alarmed": row.is_alarmed,
        "mistaken_for": mistaken_for,
    }


def as_table(document: Mapping[str, Any]) -> str:
    """The score for people, from its document."""
    short = document["shortfalls"]
    verdict = f"fell short: {', '.join(short)}" if short else "all as it should be"
    name = f"{document['scenario']} (seed {document['seed']}), {document['seconds']:.0f} s"
    lines = [f"{name}: {verdict}"]
    lines.append(
        f"  {'event':<22}{'told by':<9}{'shown':>7}{'alarm':>7}{'off by':>8}  "
        f"{'50/90/95 %':<12}{'kind':<6}duplicates"
    )
    for row in document["events"]:
        if not row["found"]:
            lines.append(f"  {row['id']:<22}not found")
            continue
        regions = "/".join("yes" if row["in_region"][p] else "no" for p in ("50", "90", "95"))
        lines.append(
            f"  {row['id']:<22}{row['by']:<9}{_seconds(row['shown_after_s']):>7}"
            f"{_seconds(row['alarmed_after_s']):>7}{row['place_error_m']:>6.0f} m  "
            f"{regions:<12}{'right' if row['hazard_is_right'] else 'wrong':<6}{row['duplicates']}"
        )
    totals = document["totals"]
    lines.append(
        f"  found {totals['found']} of {totals['events']}, {totals['found_once']} of them once; "
        f"{totals['in95']} in the 95 % region; {totals['false_alarms']} false alarms, "
        f"{totals['false_candidates']} false candidates, {totals['false_calls']} from false calls, "
        f"{totals['signals']} kept as signals"
    )
    for row in document["in_vain"]:
        cause = f", near {row['mistaken_for']}" if row["mistaken_for"] else ""
        loud = "alarm" if row["alarmed"] else "candidate"
        lines.append(f"  false: {row['hazard']} {row['probability']:.1%} ({loud}){cause}")
    clocks = document["operators"]
    lines.append(
        f"  operators: acknowledged after {_seconds(clocks['acknowledged_s'])}, verified after "
        f"{_seconds(clocks['verified_s'])}, dispatched after {_seconds(clocks['dispatched_s'])}; "
        f"{clocks['untouched']} untouched"
    )
    return "\n".join(lines)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} s"
