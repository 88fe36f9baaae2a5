"""Fixtures of the roles' tests."""

from tests.support.rtsp import rtsp

__all__ = ["rtsp"]
