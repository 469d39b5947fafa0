"""YAML, plain values only, by the fast parser where there is one."""

from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(text: str) -> Any:
    """Return what a YAML text says: mappings, lists, numbers, texts, dates; never an object.

    By libyaml, where PyYAML was built with it: ten times as fast, which every start feels.

    Raises
    ------
    yaml.YAMLError
        It is not YAML, or names a type of Python.

    Examples
    --------
    >>> load_yaml("rows: [1, 二]")
    {'rows': [1, '二']}
    """
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe loaders
