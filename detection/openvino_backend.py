"""Runs a network with OpenVINO on the CPU: no torch, static shapes, one-thread streams, nothing
sent anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import properties
from openvino.preprocess import PrePostProcessor
from openvino.properties import hint

from detection.errors import ModelUnusableError
from detection.model_card import ModelCard

WEIGHTS = "model.xml"


class OpenvinoNetwork:
    """One compiled model with `streams` requests in flight; each request owns its input memory.

    `exact`: compute in float32 even where the processor has something faster.
    """

    def __init__(self, card: ModelCard, streams: int, *, exact: bool) -> None:
        card.file("model.bin")
        core = openvino.Core()
        try:
            model = core.read_model(card.file(WEIGHTS))
        except RuntimeError as error:
            raise ModelUnusableError(card.folder, f"OpenVINO can't read it: {error}") from error
        size = card.input_size_px
        if list(model.input().shape) != [1, 3, size, size]:
            raise ModelUnusableError(
                card.folder, f"input is {model.input().shape}, not 1x3x{size}x{size}"
            )
        # Conversion inside the graph: bytes in rows of RGB go in as they are, and no float copy is
        # made in Python.
        steps = PrePostProcessor(model)
        steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(
            openvino.Layout("NHWC")
        )
        steps.input().model().set_layout(openvino.Layout("NCHW"))
        steps.input().preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
        steps.output().tensor().set_element_type(openvino.Type.f32)
        settings: dict[Any, Any] = {
            hint.performance_mode: hint.PerformanceMode.LATENCY,
            properties.inference_num_threads: streams,
            properties.num_streams: streams,
        }
        if exact:
            settings[hint.inference_precision] = openvino.Type.f32
        compiled = core.compile_model(steps.build(), "CPU", settings)
        # The arrays must live as long as the requests: a shared-memory tensor does not keep its
        # array alive.
        self._inputs = [np.zeros((1, size, size, 3), np.uint8) for _ in range(streams)]
        self._requests = []
        for array in self._inputs:
            request = compiled.create_infer_request()
            request.set_input_tensor(openvino.Tensor(array, shared_memory=True))
            self._requests.append(request)

    def run(self, squares: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """One raw output (without the batch axis) for each (S, S, 3) uint8 RGB square."""
        outputs: list[NDArray[np.float32]] = []
        step = len(self._requests)
        for first in range(0, len(squares), step):
            running = list(
                zip(self._requests, self._inputs, squares[first : first + step], strict=False)
            )
            for request, array, square in running:
                array[0] = square
                request.start_async()
            for request, _, _ in running:
                request.wait()
                # A copy: the request's memory is overwritten by the next picture.
                outputs.append(np.array(request.get_output_tensor().data[0], dtype=np.float32))
        return outputs
