"""A share of `bench.fuzz_cameras`, the same one in every run."""

from __future__ import annotations

from pathlib import Path

from bench.fuzz_cameras import new_fuzzer


def test_spoilt_answers_crash_nothing_and_leave_nothing(tmp_path: Path) -> None:
    outcome = new_fuzzer(tmp_path).run(96, seed=7)
    assert outcome.faults == ()
    # Fewer where something of an earlier test ended meanwhile.
    assert outcome.threads_left <= 0
    assert outcome.files_left <= 0
    assert outcome.objects_left < 5_000
    assert any("after pictures" in ending for ending in outcome.endings), "some come through"
    assert outcome.endings.get("invalid"), "some don't"
