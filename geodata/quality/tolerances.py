"""What a report lets pass, in metres and square metres on the ground, each with its reason."""

NOISE_M = 0.02
"""Thinner pieces are no fault: seven decimals of a degree place a corner within a centimetre, and
two neighbours round on their own."""

OVERLAP_TOLERANCE_M = 0.3
"""Width of an overlap that is a warning; wider is an error. A wall is about so thick, and two
people who trace the same wall seldom agree better."""

GAP_TOLERANCE_M = 0.1
"""Width of a gap that is passed over where siblings tile their parent: half an inner wall."""

OUTSIDE_SHARE = 0.05
"""Share of a shape outside its parent that is an error whatever its width, so that a small shape
cannot lie half outside; the width that is an error is the layer's (``LayerRule``)."""

LEAST_OVERLAP_SHARE = 1e-6
"""A shape that has no more of itself in a parent than this only touches it."""

DUPLICATE_IOU = 1 - 1e-6
"""Shared part of the joint area from which two shapes are the same, whatever their corners."""

NEAR_DUPLICATE_IOU = 0.9
"""Shared part of the joint area from which two shapes are one thing drawn twice: two traces of a
house of 10 m by 10 m that are half a metre apart share 0.9."""

FAR_M = 5_000.0
"""Distance from every parent from which a shape is in another place altogether: a sub-district is
some 5 km wide, and the largest shift of a map service is 1.3 km."""

WINDOW_DEGREES = 3.0
"""Degrees round the parents within which the local metric CRS measures well."""

ORDER_TOLERANCE_M = 1.0
"""Overlap, west to east, of siblings that still lie clearly one east of the other; whose overlap is
larger may be numbered either way."""

COLUMN_M = 0.001
"""Middles this near, west to east, stand in one column, numbered north to south."""

SHIFT_LEAST_SHARE = 0.005
"""Share outside the parents, over all shapes, below which no shift is looked for: good outlines of
the same districts by two publishers differ by so much."""

SHIFT_IMPROVEMENT = 0.5
"""Undoing a suspected shift must leave less than this part of what was outside; likewise of what
the best move of the same length in seven other directions leaves."""

SHIFT_SAMPLE = 400
"""Shapes looked at for a shift, evenly from west to east: a shift moves all alike."""

MOST_PAIRS = 100_000
"""Pairs of neighbours looked at in any layer, some ten seconds of work."""

MOST_PAIRS_EACH = 10
"""Pairs looked at for each feature of a layer that is so large; stairwells have some three."""
