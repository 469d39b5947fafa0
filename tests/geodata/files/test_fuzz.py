"""Damaged files of every format: a layer, or an error of ours that says what is wrong; no more."""

import random
from pathlib import Path

import pytest

from geodata.errors import GeodataError
from geodata.files import read_layer
from tests.geodata.files.conftest import write_layer

MUTANTS = 40
SEED = 4


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Return content with one to five of its places cut off, flipped, removed or repeated."""
    mutant = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5))):
        start = chance.randrange(len(mutant) + 1)
        end = start + chance.randrange(1, 64)
        match chance.randrange(4):
            case 0:
                del mutant[start:]
            case 1 if start < len(mutant):
                mutant[start] ^= 1 << chance.randrange(8)
            case 2:
                del mutant[start:end]
            case _:
                mutant[start:start] = mutant[start:end]
    return bytes(mutant)


def test_a_damaged_file_gives_a_layer_or_a_reason(tmp_path: Path, any_format: str) -> None:
    path = write_layer(tmp_path, any_format)
    parts = [part for part in sorted(tmp_path.glob("layer.*")) if part.suffix != ".cpg"]
    chance = random.Random(SEED)  # noqa: S311 - the same damage in every run
    sentences = []
    for number in range(MUTANTS):
        part = parts[number % len(parts)]
        sound = part.read_bytes()
        part.write_bytes(damaged(sound, chance))
        try:
            layer = read_layer(path, crs="EPSG:4490")
        except GeodataError as error:
            sentences.append(str(error))
        else:
            assert layer.frame["row"].tolist() == list(range(1, len(layer.frame) + 1))
            assert len(layer.frame)
        finally:
            part.write_bytes(sound)
    assert sentences
    # A file that is damaged in its meaning, not in its form, may name a CRS that is none.
    assert all(path.name in text or "coordinate reference" in text for text in sentences)
    assert not [text for text in sentences if str(tmp_path) in text or "territory-" in text]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_file_that_breaks_off_is_refused_or_read_with_its_rows(
    tmp_path: Path, any_format: str, share: float
) -> None:
    path = write_layer(tmp_path, any_format)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    try:
        layer = read_layer(path, crs="EPSG:4490")
    except GeodataError:
        return
    # A table of text may end after any row; a shapefile's index knows how many there are.
    assert any_format in ("layer.csv", "layer.shp", "layer.dxf", "layer.fgb")
    assert 0 < len(layer.frame) <= 3
