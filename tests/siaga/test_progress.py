from __future__ import annotations

import pytest

from siaga.commands.progress import LINES, followed


@pytest.mark.parametrize(("count", "lines"), [(0, 0), (3, 0), (LINES, 0), (25, 8), (1000, LINES)])
def test_where_nobody_watches_a_log_gets_a_few_lines(
    count: int, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(followed(range(count), "pictures")) == list(range(count))
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == lines
    if lines:
        assert told.err.splitlines()[-1].endswith(f"of {count} pictures")
