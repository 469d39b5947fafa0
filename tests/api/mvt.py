"""A reader of Mapbox vector tiles, just enough to count what is in one.

References
----------
Mapbox Vector Tile Specification 2.1, sections 4.1 to 4.4.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_FIXED64 = 1


@dataclass
class Feature:
    """A feature with its properties, and the tile coordinates of its first vertex."""

    kind: int
    properties: dict[str, Any] = field(default_factory=dict)
    start: tuple[int, int] = (0, 0)


@dataclass
class Layer:
    """A layer of a tile."""

    name: str = ""
    version: int = 1
    extent: int = 4096
    features: list[Feature] = field(default_factory=list)


def decode(tile: bytes) -> dict[str, Layer]:
    """Return the layers of a tile by name; an empty tile has none."""
    layers = [_layer(value) for number, value in _fields(tile) if number == 3]
    assert len({layer.name for layer in layers}) == len(layers)
    return {layer.name: layer for layer in layers}


def _layer(message: bytes) -> Layer:
    layer, keys, values, raw = Layer(), [], [], []
    for number, value in _fields(message):
        match number:
            case 15:
                layer.version = value
            case 1:
                layer.name = value.decode()
            case 2:
                raw.append(value)
            case 3:
                keys.append(value.decode())
            case 4:
                values.append(_value(value))
            case 5:
                layer.extent = value
            case _:
                raise ValueError(number)
    layer.features = [_feature(message, keys, values) for message in raw]
    return layer


def _feature(message: bytes, keys: list[str], values: list[Any]) -> Feature:
    found = dict(_fields(message))
    tags = list(_varints(found.get(2, b"")))
    commands = list(_varints(found[4]))
    assert commands[0] & 7 == 1, "a geometry starts with MoveTo"
    properties = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}
    return Feature(found[3], properties, (_zigzag(commands[1]), _zigzag(commands[2])))


def _value(message: bytes) -> Any:
    ((number, value),) = _fields(message)
    match number:
        case 1:
            return value.decode()
        case 2 | 3:
            return struct.unpack("<f" if number == 2 else "<d", value)[0]
        case 6:
            return _zigzag(value)
        case 7:
            return bool(value)
        case _:
            return value


def _zigzag(number: int) -> int:
    return (number >> 1) ^ -(number & 1)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        match key & 7:
            case 0:
                value, at = _varint(message, at)
                yield key >> 3, value
            case 2:
                length, at = _varint(message, at)
                yield key >> 3, message[at : at + length]
                at += length
            case 1 | 5 as wire:
                length = 8 if wire == _FIXED64 else 4
                yield key >> 3, message[at : at + length]
                at += length
            case wire:
                raise ValueError(wire)
    assert at == len(message)


def _varints(message: bytes) -> Iterator[int]:
    at = 0
    while at < len(message):
        value, at = _varint(message, at)
        yield value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
