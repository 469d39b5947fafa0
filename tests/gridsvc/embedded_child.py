"""Use a cluster as a process of its own: start, say the server's number, wait, release.

Run by test_embedded.py: ``python embedded_child.py FOLDER durable|throw-away``.
"""

import sys
from pathlib import Path

from gridsvc.embedded import Cluster


def main(root: str, profile: str) -> None:
    cluster = Cluster(Path(root), durable=profile == "durable").start()
    sys.stdout.write(f"{cluster.find_postmaster()}\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(f"{cluster.release()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
