from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from camera_ingest.health.references import References, ReferencesInFolder, ReferencesInMemory
from contracts import CameraId

PICTURE = np.arange(48 * 27, dtype=np.uint8).reshape(27, 48)
ODD = CameraId("../../etc/passwd\0 ü")


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_a_picture_comes_back_under_its_key_alone(kind: str, tmp_path: Path) -> None:
    kept: References = ReferencesInMemory() if kind == "memory" else ReferencesInFolder(tmp_path)
    assert kept.load(ODD, "a") is None
    kept.save(ODD, "a", PICTURE)
    found = kept.load(ODD, "a")
    assert found is not None and np.array_equal(found, PICTURE)
    assert kept.load(CameraId("other"), "a") is None
    kept.save(ODD, "b", PICTURE)
    assert kept.load(ODD, "a") is None and kept.load(ODD, "b") is not None
    assert len(list(tmp_path.iterdir())) == (1 if kind == "folder" else 0)


def test_a_damaged_file_and_a_bad_disk_are_survived(tmp_path: Path) -> None:
    kept = ReferencesInFolder(tmp_path)
    kept.save(ODD, "a", PICTURE)
    for damage in (b"", b"no picture"):
        next(tmp_path.glob("*.png")).write_bytes(damage)
        assert kept.load(ODD, "a") is None
    blocked = ReferencesInFolder(tmp_path / "file" / "below")
    (tmp_path / "file").write_text("in the way")
    blocked.save(ODD, "a", PICTURE)
    assert blocked.load(ODD, "a") is None
