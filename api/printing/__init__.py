"""Documents to print: typst templates, our own fonts, and what is set with them.

``document`` compiles any template; ``notices`` makes the stairwell notice (楼道公示牌) with it.
"""
