"""Pure geometry and frames: readers, CRS, codes, splitting, network, privacy, the sample."""
