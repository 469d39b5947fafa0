"""What differs from layer to layer: codes, parents, and how exact a shape must be."""

from collections.abc import Mapping
from dataclasses import dataclass

from geodata.codes import BUILDING_DIGITS, COMMUNITY_DIGITS, COMPOUND_DIGITS, STAIRWELL_DIGITS
from geodata.errors import InvalidParameterError
from geodata.reasons import Reason, noun


@dataclass(frozen=True)
class LayerRule:
    """The rules of one layer.

    Attributes
    ----------
    noun, parent_noun
        What a feature, and what is above it, is called in English.
    code_digits, sequence_digits
        Length of a code, and of the number at its end.
    is_numbered_by_place
        Whether codes run west to east, then north to south; stairwells follow the building.
    tiles_parent
        Whether siblings must leave no gap in their parent.
    is_one_part
        Whether a feature may be one polygon only.
    least_area_m2, least_width_m
        A part that is smaller or thinner is a sliver.
    outside_tolerance_m
        Width by which a shape may leave its parent with a warning; wider is an error. Borders of
        communities run along streets, and two maps put them on either side; eaves and balconies
        pass the fence of a compound; a stairwell ends at the outer wall of its building.
    """

    noun: str
    parent_noun: str
    code_digits: int
    sequence_digits: int
    is_numbered_by_place: bool
    tiles_parent: bool
    is_one_part: bool
    least_area_m2: float
    least_width_m: float
    outside_tolerance_m: float

    @property
    def called(self) -> Reason:
        """What a feature is called in a reason."""
        return noun(self.noun)

    @property
    def parent_called(self) -> Reason:
        """What is above a feature is called in a reason."""
        return noun(self.parent_noun)


RULES: Mapping[str, LayerRule] = {
    "communities": LayerRule(
        "community", "sub-district", COMMUNITY_DIGITS, 3, True, True, False, 1_000, 10, 10
    ),
    "compounds": LayerRule(
        "compound", "community", COMPOUND_DIGITS, 3, True, False, False, 100, 3, 5
    ),
    "buildings": LayerRule(
        "building", "compound", BUILDING_DIGITS, 3, True, False, True, 6, 1.5, 2
    ),
    "stairwells": LayerRule(
        "stairwell", "building", STAIRWELL_DIGITS, 2, False, True, True, 3, 1, 0.3
    ),
}


def rule_of(layer: str) -> LayerRule:
    """Return the rules of a layer.

    Raises
    ------
    InvalidParameterError
        No layer of polygons has this name.
    """
    if layer not in RULES:
        raise InvalidParameterError("layer", layer, "one of " + ", ".join(RULES))
    return RULES[layer]


def code_prefix(parent_code: str, rule: LayerRule) -> str:
    """Return what the codes of a parent's children begin with.

    Examples
    --------
    >>> code_prefix("440605011000", RULES["communities"])
    '440605011'
    >>> code_prefix("440605011016", RULES["compounds"])
    '440605011016'
    """
    return parent_code[: rule.code_digits - rule.sequence_digits]
