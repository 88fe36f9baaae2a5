"""The open training and test data, which is not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def data_folder(part: str) -> Path:
    """A folder of the data, or a skip that says why."""
    folder = Path(os.environ.get("SIAGA_DATA", "../shared/data")) / part
    if not folder.is_dir():
        pytest.skip(f"no data at {folder}; set SIAGA_DATA to the data folder")
    return folder
