"""Random labels are told from those that people choose."""

from __future__ import annotations

import random
import string

import pytest

from package_hunter.model.machine_names import is_machine_made, machine_made

_PEOPLES = (
    "collector registry files objects githubusercontent pythonhosted rubygems cloudfront xmlhttprequest "
    "ec2-52-14-8-1 web2py my-company s3-eu-west-1 base64encode win32api lh3 k8s telemetry analytics segment "
    "sentry-cdn nodejs-mirror storage googleapis msftconnecttest amazonaws left-k14-q7 python3-pip libx11"
)


@pytest.mark.parametrize("label", _PEOPLES.split())
def test_what_people_choose(label: str) -> None:
    assert not is_machine_made(label)


@pytest.mark.parametrize(
    ("letters", "length"),
    [
        (string.ascii_lowercase + string.digits, 12),
        (string.ascii_lowercase, 16),
        (string.hexdigits.lower()[:16], 16),
    ],
)
def test_most_of_what_is_drawn_by_lot(letters: str, length: int) -> None:
    lot = random.Random(20)
    drawn = ["".join(lot.choice(letters) for _ in range(length)) for _ in range(500)]
    assert sum(map(is_machine_made, drawn)) > 400


def test_labels_of_a_name() -> None:
    assert machine_made("www.9F86d081884c7d65.x7f3kq2.example") == ("9f86d081884c7d65", "x7f3kq2")
    assert machine_made("9f86d081884c7d65") == ()
