"""One look at a stream, for the command line and for a worker that was asked to."""

from __future__ import annotations

import cv2

from camera_ingest import IngestError, StreamOpener, probe
from contracts import CameraState, ProbeAnswer, Rgb, StreamSource
from plumbing.evidence import EvidenceError, EvidenceStore

JPEG_QUALITY = 85


def jpeg(image: Rgb) -> bytes:
    """A picture (H x W x 3, RGB, uint8) as JPEG."""
    encoded, data = cv2.imencode(
        ".jpg",
        cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
    )
    if not encoded:
        raise RuntimeError(f"OpenCV can't encode a picture of shape {image.shape}")
    return data.tobytes()


def answer_probe(
    source: StreamSource, opener: StreamOpener, timeout_s: float, evidence: EvidenceStore
) -> ProbeAnswer:
    """Probe a stream and keep its picture; a failure is an answer too. Blocks."""
    try:
        found = probe(source, opener, timeout_s)
    except IngestError as error:
        return ProbeAnswer(state=error.state, detail=error.detail)
    detail = ""
    picture_id = None
    try:
        picture_id = evidence.put(jpeg(found.picture), "image/jpeg")
    except EvidenceError as error:
        detail = f"the picture could not be kept: {error}"
    return ProbeAnswer(
        state=CameraState.LIVE,
        detail=detail,
        codec=found.codec,
        width_px=found.width_px,
        height_px=found.height_px,
        frames_per_s=found.frames_per_s,
        keyframe_interval_s=found.keyframe_interval_s,
        picture_id=picture_id,
    )
