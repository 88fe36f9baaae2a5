from __future__ import annotations

import hashlib
import re

import pytest

from simulator.rtsp.digest import Credentials, DigestGate

WHO = Credentials("admin", "rahasia", algorithms=("MD5", "SHA-256"))


def answer_to(
    challenge: str, user: str, password: str, method: str, *, qop: str | None = None
) -> str:
    said = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    name = {"MD5": "md5", "SHA-256": "sha256"}[said["algorithm"]]

    def digest(text: str) -> str:
        return hashlib.new(name, text.encode()).hexdigest()

    who = digest(f"{user}:{said['realm']}:{password}")
    what = digest(f"{method}:rtsp://h/a")
    extra = ""
    if qop:
        response = digest(f"{who}:{said['nonce']}:00000001:abc:{qop}:{what}")
        extra = f', qop={qop}, nc=00000001, cnonce="abc"'
    else:
        response = digest(f"{who}:{said['nonce']}:{what}")
    return (
        f'Digest username="{user}", realm="{said["realm"]}", nonce="{said["nonce"]}", '
        f'uri="rtsp://h/a", algorithm={said["algorithm"]}, response="{response}"{extra}'
    )


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("qop", [None, "auth"])
def test_the_right_answer_is_let_in(which: int, qop: str | None) -> None:
    gate = DigestGate()
    given = answer_to(gate.challenges(WHO)[which], "admin", "rahasia", "PLAY", qop=qop)
    assert gate.admits(WHO, "PLAY", given)


def test_wrong_password_user_method_and_foreign_nonce_are_not() -> None:
    gate = DigestGate()
    challenge = gate.challenges(WHO)[0]
    assert not gate.admits(WHO, "PLAY", answer_to(challenge, "admin", "salah", "PLAY"))
    assert not gate.admits(WHO, "PLAY", answer_to(challenge, "root", "rahasia", "PLAY"))
    assert not gate.admits(WHO, "PLAY", answer_to(challenge, "admin", "rahasia", "DESCRIBE"))
    assert not gate.admits(WHO, "PLAY", None)
    assert not gate.admits(WHO, "PLAY", "Basic YWRtaW46cmFoYXNpYQ==")
    assert not DigestGate().admits(WHO, "PLAY", answer_to(challenge, "admin", "rahasia", "PLAY"))


def test_a_password_is_not_shown_and_an_unknown_algorithm_is_refused() -> None:
    assert "rahasia" not in repr(WHO)
    with pytest.raises(ValueError, match="MD5, SHA-256"):
        Credentials("a", "b", algorithms=("ROT13",))
