"""`siaga bench watch`: what looking at a picture costs, and cameras a core with all of it.

Two parts. **A picture:** the network alone by OpenVINO (one thread, input ready), our detector (any
picture in, boxes out), the whole of what a worker does with a picture (detector, flood classifier,
verification), `ultralytics.YOLO.predict` and OpenCV's DNN on the same pictures, in turns, in this
process; CPU time of all its threads. **A camera:** simulated cameras over real RTSP from another
process, ingest and watching as in a worker, one camera in twenty at full rate; CPU time of this
process.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import properties

from bench.ingest import machine
from bench.watch_cameras import BATCH, Sample, a_camera, sample_line
from contracts import CameraId, Frame
from detection import Detector, open_detector, open_flood_classifier
from detection.openvino_backend import WEIGHTS
from siaga.watching.pipeline import Watch

Say = Callable[[str], None]
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run."""

    rounds: int = 12
    """Of each way in turn, `BATCH` x 4 pictures a round; the quietest round counts. 0 leaves the
    part with pictures out."""
    cameras: int = 20
    stream: str = "h264:1280x720@25/2"
    seconds: float = 20.0
    """Of the part with cameras; 0 leaves it out."""


def run(plan: Plan, say: Say = lambda _text: None) -> dict[str, Any]:
    """Both parts; the figures that `CONTRACT` names, and what they were made of."""
    figures: dict[str, Any] = {"machine": machine()}
    if plan.rounds > 0:
        say("a picture: the network alone, our detector, all of it, and others on the same ones")
        figures |= a_picture(plan.rounds)
    if plan.seconds > 0:
        say(f"a camera: {plan.cameras} x {plan.stream}, {plan.seconds:g} s")
        figures |= a_camera(plan.cameras, plan.stream, plan.seconds, say)
    else:
        figures["cameras_per_core"] = None
    return figures


def a_picture(rounds: int) -> dict[str, Any]:
    """CPU milliseconds a picture by each way; None, with the reason, for what isn't installed."""
    pictures = _pictures(4 * BATCH)
    detector = open_detector(streams=2)
    watch = Watch(open_detector(streams=2), open_flood_classifier())
    reasons: dict[str, str] = {}
    ways: dict[str, Callable[[int], None]] = {
        "bare": _bare(detector, pictures),
        "detector": lambda i: void(detector.detect(pictures[i : i + BATCH])),
        "watch": _watching(watch, pictures),
    }
    for name, make in (("predict", _ultralytics), ("opencv", _opencv)):
        try:
            ways[name] = make(detector, pictures)
        except LookupError as error:
            reasons[name] = str(error)
    best = {name: float("inf") for name in ways}
    every: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(0)
    for _ in range(rounds):
        for name, way in ways.items():
            began_s = time.process_time()
            for i in range(0, len(pictures), BATCH):
                way(i)
            ms = (time.process_time() - began_s) * 1000 / len(pictures)
            best[name] = min(best[name], ms)
            every[name].append(ms)
    figures: dict[str, Any] = {
        f"{name}_cpu_ms": round(best[name], 2) if name in best else None
        for name in ("bare", "detector", "watch", "predict", "opencv")
    }
    figures["median_cpu_ms"] = {
        name: round(statistics.median(values), 2) for name, values in every.items()
    }
    figures["detector_over_bare"] = round(best["detector"] / best["bare"], 3)
    figures["watch_over_bare"] = round(best["watch"] / best["bare"], 3)
    figures["left_out"] = reasons
    figures["input_px"] = detector.input_size_px
    return figures


def void(_value: object) -> None:
    """Take a result and drop it."""


def _pictures(count: int) -> list[Picture]:
    """What comes out of ingest: 640 x 360, a street's structure, noise."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(30, 210, (18, 32, 3), dtype=np.uint8)
    ground = cv2.resize(coarse, (640, 360), interpolation=cv2.INTER_CUBIC)
    return [
        np.asarray(np.minimum(ground, 240) + rng.integers(0, 12, ground.shape), np.uint8)
        for _ in range(count)
    ]


def _bare(detector: Detector, pictures: Sequence[Picture]) -> Callable[[int], None]:
    """The network as OpenVINO runs it by itself on one thread: floats in place, nothing else."""
    compiled = openvino.Core().compile_model(
        detector.card.file(WEIGHTS),
        "CPU",
        {properties.inference_num_threads: 1, properties.num_streams: 1},
    )
    request = compiled.create_infer_request()
    size = detector.input_size_px
    square = cv2.resize(pictures[0], (size, size)).astype(np.float32) / 255
    ready = np.ascontiguousarray(square.transpose(2, 0, 1)[None])
    request.set_input_tensor(openvino.Tensor(ready, shared_memory=True))

    def infer(_first: int) -> None:
        for _ in range(BATCH):
            request.infer()

    return infer


def _watching(watch: Watch, pictures: Sequence[Picture]) -> Callable[[int], None]:
    """As many cameras as a batch holds, each at one picture a second of its own time."""
    at = [datetime(2026, 1, 1, tzinfo=UTC)]

    def look(first: int) -> None:
        at[0] += timedelta(seconds=1)
        frames = [
            Frame(
                camera_id=CameraId(f"camera-{n}"),
                image=picture,
                captured_at=at[0],
                received_at=at[0],
                source_width_px=1280,
                source_height_px=720,
            )
            for n, picture in enumerate(pictures[first : first + BATCH])
        ]
        watch.look(frames)

    return look


def _ultralytics(detector: Detector, pictures: Sequence[Picture]) -> Callable[[int], None]:
    """`YOLO.predict` on the checkpoint beside our weights. LookupError where it isn't there."""
    for package in ("torch", "ultralytics"):
        if importlib.util.find_spec(package) is None:
            raise LookupError(f"{package} is not installed: pip install 'siaga[train]'")
    os.environ.setdefault("YOLO_OFFLINE", "1")
    import torch
    from ultralytics import YOLO

    torch.set_num_threads(1)
    model = YOLO(str(detector.card.folder / "model.pt"))

    def predict(first: int) -> None:
        for picture in pictures[first : first + BATCH]:
            model.predict(picture, imgsz=detector.input_size_px, verbose=False)

    return predict


def _opencv(detector: Detector, pictures: Sequence[Picture]) -> Callable[[int], None]:
    """OpenCV's DNN on an ONNX file beside our weights. LookupError where there is none."""
    path = detector.card.folder / "model.onnx"
    if not path.is_file():
        raise LookupError(f"no {path.name} beside the weights: OpenCV reads no OpenVINO files")
    try:
        network = cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise LookupError(f"OpenCV can't read {path.name}: {error.err}") from error
    size = (detector.input_size_px, detector.input_size_px)

    def forward(first: int) -> None:
        for picture in pictures[first : first + BATCH]:
            network.setInput(cv2.dnn.blobFromImage(picture, 1 / 255, size))
            network.forward()

    return forward


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [figures["machine"]]
    if "bare_cpu_ms" in figures:
        lines += _pictures_table(figures)
    if figures["cameras_per_core"] is not None:
        lines += _cameras_table(figures)
    return "\n".join(lines)


def _pictures_table(figures: dict[str, Any]) -> list[str]:
    lines = [f"CPU ms a picture, {figures['input_px']} px, quietest (median) round"]
    names = {
        "bare": "the network alone, OpenVINO, one thread",
        "detector": "our detector: picture in, boxes out",
        "watch": "detector, flood classifier, verification",
        "predict": "ultralytics.YOLO.predict",
        "opencv": "OpenCV DNN",
    }
    for name, text in names.items():
        if figures[f"{name}_cpu_ms"] is None:
            lines.append(f"  {text:44} left out: {figures['left_out'][name]}")
            continue
        times = figures[f"{name}_cpu_ms"] / figures["bare_cpu_ms"]
        median = figures["median_cpu_ms"][name]
        lines.append(f"  {text:44}{figures[f'{name}_cpu_ms']:>8} ({median})  x {times:.2f}")
    return lines


def _cameras_table(figures: dict[str, Any]) -> list[str]:
    lines = [
        f"{figures['cameras']} cameras {figures['stream']}, {figures['hot']} of them hot, for "
        f"{figures['watched_s']} s: {figures['camera_cpu_ms_per_s']} ms of CPU a camera-second, "
        f"{figures['cameras_per_core']} cameras a core",
        f"  {figures['pictures_per_s']} pictures a second looked at, worst gap "
        f"{figures['worst_gap_s']} s, {figures['gaps_over_5_s']} gaps over 5 s on "
        f"{figures['cameras_with_such_gaps']} cameras, {figures['look_backs']} looks back "
        f"({figures['look_backs_given_up']} given up)",
        f"  rates at x {figures['least_rates_share']} at least; told as not live: "
        + (", ".join(f"{n} {state}" for state, n in figures["not_live_told"].items()) or "none"),
    ]
    return lines + [f"  {sample_line(Sample(**sample))}" for sample in figures["samples"]]
