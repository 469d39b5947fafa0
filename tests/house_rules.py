"""What no linter holds (STYLE, section 9), as functions that return whatever breaks the rule."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

PROJECT = Path(__file__).parents[1]
PACKAGES = ("geodata", "maps", "gridsvc", "api")
_NOT_OURS = {".venv", ".grid", "node_modules", "build", ".git", ".pytest_cache"}

FRAME = re.compile(r"\bGeo(DataFrame|Series)\b")
NAMES_A_CRS = re.compile(r"\bCRS\b|\bEPSG\b")


def sources() -> Iterator[tuple[str, str]]:
    """Yield name and text of every module of ours."""
    for package in PACKAGES:
        for path in sorted((PROJECT / package).rglob("*.py")):
            if not _NOT_OURS & set(path.parts):
                yield str(path.relative_to(PROJECT)), path.read_text(encoding="utf-8")


def frame_functions_without_crs(modules: Iterable[tuple[str, str]]) -> list[str]:
    """Return public functions whose signature holds a geo frame and whose text names no CRS."""
    return [
        f"{module}: {function.name}"
        for module, text in modules
        for function in _public_functions(ast.parse(text))
        if FRAME.search(_signature(function))
        and not NAMES_A_CRS.search(ast.get_docstring(function) or "")
    ]


def count_frame_functions(modules: Iterable[tuple[str, str]]) -> int:
    """Count the public functions whose signature holds a geo frame."""
    return sum(
        bool(FRAME.search(_signature(function)))
        for _, text in modules
        for function in _public_functions(ast.parse(text))
    )


def _public_functions(module: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield functions of the module and methods of its classes; what begins with _ is private."""
    for node in module.body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        if isinstance(node, ast.ClassDef) and node.name.startswith("_"):
            continue
        for member in members:
            if isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
                yield member


def _signature(function: ast.FunctionDef) -> str:
    annotations = [function.returns] + [
        argument.annotation
        for argument in (
            *function.args.posonlyargs,
            *function.args.args,
            *function.args.kwonlyargs,
        )
    ]
    return " ".join(ast.unparse(annotation) for annotation in annotations if annotation)


def documents() -> list[Path]:
    """Return our Markdown files."""
    return [
        path
        for path in sorted(PROJECT.rglob("*.md"))
        if not _NOT_OURS & set(path.relative_to(PROJECT).parts)
    ]


_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_IMAGE = re.compile(r"<(?:img|a|source)\b[^>]*\b(?:src|href|srcset)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


def broken_links(documents: Iterable[Path]) -> list[str]:
    """Return relative links that lead nowhere, and anchors that no heading has."""
    broken = []
    for document in documents:
        text = _FENCE.sub("", document.read_text(encoding="utf-8"))
        bare = re.sub(r"`[^`\n]*`", "", text)
        for pattern in (_LINK, _REFERENCE, _IMAGE):
            broken += [
                f"{document.name}: {target}"
                for target in pattern.findall(bare)
                if not _resolves(document, target)
            ]
    return broken


def _resolves(document: Path, target: str) -> bool:
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return True  # another host, or mail; those are not ours to hold
    path, _, anchor = target.partition("#")
    found = (document.parent / unquote(path)).resolve() if path else document
    if not found.exists():
        return False
    return not anchor or found.suffix != ".md" or unquote(anchor) in anchors(found)


def anchors(document: Path) -> set[str]:
    """Return the anchors of a Markdown file, as GitHub makes them from its headings."""
    text = _FENCE.sub("", document.read_text(encoding="utf-8"))
    seen: dict[str, int] = {}
    found = set(re.findall(r"<a\s+(?:id|name)=\"([^\"]+)\"", text))
    for heading in _HEADING.findall(text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = seen.get(slug, 0)
        seen[slug] = number + 1
        found.add(f"{slug}-{number}" if number else slug)
    return found


def settings_table(text: str) -> dict[str, str]:
    """Return what a settings page says is the default of each setting."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| .+ \| (.+) \|$", text, re.MULTILINE)
    return dict(rows)
