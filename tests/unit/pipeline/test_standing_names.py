"""A word is found in a box's files however it is written there, and nothing is followed out of them."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from package_hunter.pipeline.standing_names import stands

WORD = "q8xk2v9wp3"


@pytest.mark.parametrize(
    "text",
    [
        f"fetch('https://{WORD}.example/')",
        f"fetch('https://{WORD.upper()}.Example/')",
        f"'{WORD[::-1]}'.split('').reverse()",
        f"Buffer.from('{WORD.encode().hex()}', 'hex')",
        *(
            f"atob('{base64.b64encode(b'https://x'[:shift] + WORD.encode() + b'.example').decode()}')"
            for shift in (7, 8, 9)
        ),
    ],
)
def test_found(text: str, tmp_path: Path) -> None:
    (tmp_path / "node_modules/x").mkdir(parents=True)
    (tmp_path / "node_modules/x/index.js").write_text(f"// one\n{text}\n")
    assert stands(tmp_path, ("other", WORD))
    assert not stands(tmp_path, ("zz4fzyo82mvyr",))


def test_links_and_pipes_are_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a").write_text(WORD)
    box = tmp_path / "box"
    box.mkdir()
    (box / "link").symlink_to(outside / "a")
    (box / "folder").symlink_to(outside)
    os.mkfifo(box / "pipe")
    assert not stands(box, (WORD,))
