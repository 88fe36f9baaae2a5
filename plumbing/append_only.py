"""What the embedded server wrote, made readable again after a power cut or on a bad disk.

The server cuts off a last command that is incomplete, and refuses to start over anything else that
it can't read: zeros behind the end, as some file systems leave them when the power goes, or a
broken block. Then nothing would be heard of any camera until somebody mends the file by hand. So
what can't be read is cut off here, before the server starts, and kept beside its folder.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path
from typing import BinaryIO

_NAME = re.compile(r"appendonly\.aof\.(\d+)\.incr\.aof")
_LONGEST_LINE = 64
"""Of those that tell how long something is."""
_WHOLE = {sign: re.compile(rb"\%c(\d+)\r\n" % sign) for sign in b"*$"}
_TORN = {sign: re.compile(rb"(\%c\d*\r?)?" % sign) for sign in b"*$"}


def mend(folder: Path) -> Path | None:
    """Cut off what can't be read of the newest file of commands; where the whole of it is kept.

    None where there is nothing to mend: no file, or at most its last command is incomplete.
    """
    files = {
        int(found[1]): path
        for path in folder.glob("appendonlydir/*.aof")
        if (found := _NAME.fullmatch(path.name))
    }
    if not files:
        return None
    path = files[max(files)]
    with path.open("rb") as file:
        end = _first_strange(file)
    if end is None:
        return None
    aside = folder / f"{path.name}.damaged-{int(time.time())}"
    shutil.copyfile(path, aside)
    os.truncate(path, end)
    return aside


class _Strange(Exception):
    """This is no command."""


def _first_strange(file: BinaryIO) -> int | None:
    """Where the first thing begins that is no command; none where the file just ends."""
    while True:
        begin = file.tell()
        try:
            if not _skip_command(file):
                return None
        except _Strange:
            return begin


def _skip_command(file: BinaryIO) -> bool:
    """False where the file ends within it: ``*2 $3 GET $1 a``, each on a line of its own."""
    count = _number(file, ord("*"))
    if count is None:
        return False
    for _ in range(count):
        length = _number(file, ord("$"))
        if length is None:
            return False
        file.seek(length, os.SEEK_CUR)
        end = file.read(2)
        if not b"\r\n".startswith(end):
            raise _Strange
        if len(end) < 2:
            return False
    return True


def _number(file: BinaryIO, sign: int) -> int | None:
    line = file.readline(_LONGEST_LINE)
    whole, torn = _WHOLE[sign].fullmatch(line), _TORN[sign].fullmatch(line)
    if whole is None and torn is None:
        raise _Strange
    return None if whole is None else int(whole[1])
