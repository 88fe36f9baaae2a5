"""The pictures that prove detections, put into the evidence store without waiting long for it.

One thread looks at all of a worker's cameras, and a store in the network that doesn't answer is
noticed after a minute: so long nobody would be watched, and no alarm told.
"""

from __future__ import annotations

import threading

from contracts import EvidenceId
from plumbing.evidence import EvidenceError, EvidenceStore

PATIENCE_S = 1.0
"""A store in the next room answers within a tenth of that."""


class KeyPictures:
    """Puts pictures into a store; for one thread."""

    def __init__(self, store: EvidenceStore, patience_s: float = PATIENCE_S) -> None:
        self._store = store
        self._patience_s = patience_s
        self._late: threading.Thread | None = None

    def put(self, content: bytes) -> EvidenceId:
        """Keep a JPEG picture.

        Raises:
            EvidenceError: the store can't, or takes too long. While it has not answered it isn't
                asked again.
        """
        if self._late is not None and self._late.is_alive():
            raise EvidenceError("the evidence store has not answered yet")
        answer: list[EvidenceId | Exception] = []

        def ask() -> None:
            try:
                answer.append(self._store.put(content, "image/jpeg"))
            except Exception as error:  # noqa: BLE001 -- raised again below, where it belongs
                answer.append(error)

        # A daemon: a store that hangs must not keep the worker from ending.
        asking = threading.Thread(target=ask, name="key-picture", daemon=True)
        asking.start()
        asking.join(self._patience_s)
        if not answer:
            self._late = asking
            raise EvidenceError(f"the evidence store does not answer within {self._patience_s:g} s")
        if isinstance(answer[0], Exception):
            raise answer[0]
        return answer[0]
