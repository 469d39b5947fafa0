"""Addresses as people write them, in parts that can be compared."""

from geodata.addresses.model import Address
from geodata.addresses.parsing import parse_address
from geodata.addresses.parts import parse_parts
from geodata.addresses.text import is_none_word, normalise_name

__all__ = ["Address", "is_none_word", "normalise_name", "parse_address", "parse_parts"]
