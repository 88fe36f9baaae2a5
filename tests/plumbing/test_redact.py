"""No secret survives, whatever stands around it; what is no secret stays legible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbing.redact import redact_url

schemes = st.sampled_from(["rtsp", "rtsps", "http", "https", "redis", "postgresql+asyncpg"])
# Marked, so that finding it in the result is no accident; anything but blanks and quotes around it.
secrets = st.text(
    st.characters(exclude_categories=("Z", "C"), exclude_characters="\"'<>"), max_size=12
).map(lambda text: f"{text}S3CRET{text}")
prose = st.text("abc .,:;\n()", max_size=20)


@given(prose, schemes, st.text("abc.-", max_size=6), secrets, prose)
def test_a_password_in_a_url_is_hidden_in_any_text(
    before: str, scheme: str, user: str, secret: str, after: str
) -> None:
    text = f"{before} {scheme}://{user}:{secret}@host:554/path {after}"
    assert "S3CRET" not in redact_url(text)


@given(st.text(max_size=200))
def test_twice_is_once(text: str) -> None:
    assert redact_url(redact_url(text)) == redact_url(text)


@given(st.lists(st.sampled_from(["rtsp://", "a:b", "@", "/", "?pwd=", "&", " ", "x", "***", ":"])))
def test_twice_is_once_on_hard_cases(parts: list[str]) -> None:
    text = "".join(parts)
    assert redact_url(redact_url(text)) == redact_url(text)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("rtsp://admin:pw@10.0.0.1:554/ch1", "rtsp://***@10.0.0.1:554/ch1"),
        ("open rtsp://admin@cam/1 failed", "open rtsp://***@cam/1 failed"),
        ("rtsp://a:p@ss@cam/1, http://b:c@d", "rtsp://***@cam/1, http://***@d"),
        ("redis://:pw@127.0.0.1:6379/0", "redis://***@127.0.0.1:6379/0"),
        ("http://h/x.cgi?user=u&pwd=p&ch=1", "http://h/x.cgi?user=***&pwd=***&ch=1"),
        ("http://h/x?access_token=abc#f", "http://h/x?access_token=***#f"),
        ("Authorization: Basic dXNlcjpwdw==", "Authorization: ***"),
        ("{'Authorization': 'Digest username=\"x\"'}", "{'Authorization': '***"),
        ("key Bearer abcdefghijklmnop ok", "key Bearer *** ok"),
    ],
)
def test_examples(text: str, hidden: str) -> None:
    assert redact_url(text) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://10.0.0.1:554/ch1",
        "http://portal.example/@operator",
        "write to desk@example.org: it is 12:30",
        "http://h/list?channel=1&monkey=2&page=3",
        "the bearer of this",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact_url(text) == text
