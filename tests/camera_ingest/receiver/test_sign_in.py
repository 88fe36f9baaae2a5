from __future__ import annotations

import re

import pytest

from camera_ingest.credentials import Credentials
from camera_ingest.receiver.sign_in import SignIn

URL = "rtsp://cam/x"


def test_the_example_of_the_standard() -> None:
    # RFC 2617, 3.5, without the client's own nonce, as RFC 2069 cameras do it.
    sign_in = SignIn(Credentials("Mufasa", "Circle Of Life"))
    assert sign_in.challenged(
        ['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"']
    )
    ((_, value),) = sign_in.header("GET", "/dir/index.html")
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in value


def test_digest_goes_before_basic_and_sha_before_md5() -> None:
    sign_in = SignIn(Credentials("u", "p"))
    offers = ['Basic realm="a"', 'Digest realm="a", nonce="1"']
    offers.append('Digest realm="a", nonce="2", algorithm=SHA-256, qop="auth"')
    assert sign_in.challenged(offers)
    ((_, value),) = sign_in.header("PLAY", URL)
    assert re.search(r'nonce="2".*response="[0-9a-f]{64}".*qop=auth, nc=00000001', value)
    assert "nc=00000002" in sign_in.header("PLAY", URL)[0][1]


def test_basic_where_nothing_else_is_offered() -> None:
    sign_in = SignIn(Credentials("u", "p"))
    assert sign_in.header("PLAY", URL) == []
    assert sign_in.challenged(["Basic realm=x"])
    assert sign_in.header("PLAY", URL) == [("Authorization", "Basic dTpw")]


def test_a_wrong_password_is_not_tried_for_ever() -> None:
    sign_in = SignIn(Credentials("u", "p"))
    assert sign_in.challenged(['Digest realm="a", nonce="1"'])
    assert not sign_in.challenged(['Digest realm="a", nonce="2"'])
    assert sign_in.challenged(['Digest realm="a", nonce="3", stale=TRUE'])
    sign_in.accepted()
    assert sign_in.challenged(['Digest realm="a", nonce="4"']), "it was right a moment ago"
    assert not sign_in.challenged(['Digest realm="a", nonce="5"'])
    basic = SignIn(Credentials("u", "p"))
    assert basic.challenged(["Basic realm=x"])
    assert not basic.challenged(["Basic realm=x"])


@pytest.mark.parametrize("offer", ['Digest realm="a", nonce="1", algorithm=MD6', "Negotiate"])
def test_what_is_not_known_is_not_answered(offer: str) -> None:
    assert not SignIn(Credentials("u", "p")).challenged([offer])


def test_without_a_password_nothing_is_said() -> None:
    assert not SignIn(None).challenged(["Basic realm=x"])
    assert SignIn(None).header("PLAY", URL) == []
