"""Garbage collection, put off while many objects are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_inside = 0


@contextmanager
def collecting_later() -> Iterator[None]:
    """Let nobody look for cycles while thousands of shapes and texts are made, which have none.

    Each generation of them would have every object of the process walked through once more: a
    third of a second with our libraries loaded, several times a file. Memory that is not in a
    cycle is freed at once, as always. May be nested, and used by several threads: the last one out
    lets the collector go on.
    """
    global _inside
    with _lock:
        if _inside == 0 and not gc.isenabled():
            is_ours = False
        else:
            is_ours = True
            gc.disable()
            _inside += 1
    try:
        yield
    finally:
        with _lock:
            if is_ours:
                _inside -= 1
                if _inside == 0:
                    gc.enable()
