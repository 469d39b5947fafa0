"""The embedded default: a private PostgreSQL and PostGIS cluster, found, made, shared, stopped.

PostGIS comes from the system's packages; this package owns everything after that. Nothing here
reads the environment: `gridsvc.settings` hands on what was set.
"""

from gridsvc.embedded.binaries import EXTENSIONS, Binaries, find_binaries
from gridsvc.embedded.cluster import Cluster
from gridsvc.embedded.home import choose_home

__all__ = ["EXTENSIONS", "Binaries", "Cluster", "choose_home", "find_binaries"]
