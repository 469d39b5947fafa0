"""Territory files, whatever form they come in: one reader for all of them."""

from geodata.files.layer_file import LayerFile
from geodata.files.limits import DEFAULT_LIMITS, FileLimits
from geodata.files.reading import read_layer

__all__ = ["DEFAULT_LIMITS", "FileLimits", "LayerFile", "read_layer"]
