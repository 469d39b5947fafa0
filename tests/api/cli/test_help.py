"""The list of commands says of each what the command says of itself, without importing any."""

import importlib
import subprocess
import sys

import pytest
import typer

from api.cli import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_a_command_is_its_own(name: str) -> None:
    app = importlib.import_module(f"api.cli.{name}_command").app
    told = typer.main.get_command(app).help or ""
    assert told.partition("\n\n")[0].replace("\n", " ") == COMMANDS[name]


def test_listing_the_commands_imports_none() -> None:
    script = (
        "import sys; from api.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith(('pandas', 'api.cli.'))])"
    )
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, capture_output=True, check=True, text=True)  # noqa: S603 - our own
    assert "template" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
