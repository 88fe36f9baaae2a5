"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plumbing.settings import Settings, load_settings

DEFAULT_CONFIG = Path("config.yaml")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Configuration file; default config.yaml where there is one."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def settings_from(config: Path | None) -> Settings:
    """The named file's settings, or ``config.yaml`` here, or the defaults; environment on top."""
    if config is None and DEFAULT_CONFIG.is_file():
        config = DEFAULT_CONFIG
    return load_settings(config)
