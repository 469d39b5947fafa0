from collections.abc import Callable

import pytest

from geodata.sample import Sample, make_sample
from tests.geodata.sample.measured import Measured, measure


@pytest.fixture(scope="session")
def full() -> Sample:
    return make_sample(seed=1)


@pytest.fixture(scope="session")
def small() -> Sample:
    return make_sample(seed=1, scale=0.1)


@pytest.fixture(scope="session")
def triple() -> Sample:
    return make_sample(seed=1, scale=3.0)


@pytest.fixture(scope="session", params=["full", "small", "triple"])
def measured(request: pytest.FixtureRequest) -> Measured:
    sample: Sample = request.getfixturevalue(request.param)
    return measure(sample.territory)


@pytest.fixture(scope="session")
def seeded() -> Callable[[int], Measured]:
    return lambda seed: measure(make_sample(seed=seed, scale=0.2).territory)
