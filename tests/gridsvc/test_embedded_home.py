"""Where a checkout keeps its database, as root and as an ordinary user."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridsvc.embedded import Cluster, choose_home
from gridsvc.embedded.server_user import find_server_user
from gridsvc.errors import DatabaseUserError

AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="needs root")
needs_no_root = pytest.mark.skipif(AS_ROOT, reason="needs an ordinary user")


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A checkout that every user can reach."""
    made = Path(tempfile.mkdtemp(prefix="checkout-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    made.chmod(0o755)
    shutil.rmtree(made)


def test_a_reachable_checkout_keeps_its_own_data(checkout: Path) -> None:
    assert choose_home(checkout, None) == (checkout / ".grid", None)


def test_the_folder_that_was_asked_for_is_taken_as_it_is(checkout: Path, tmp_path: Path) -> None:
    assert choose_home(checkout, tmp_path / "data") == (tmp_path / "data", None)


@pytest.mark.db
@needs_root
def test_a_private_checkout_of_root_keeps_its_data_in_the_systems_state(checkout: Path) -> None:
    checkout.chmod(0o700)
    folder, sentence = choose_home(checkout, None)
    assert folder.parent == Path("/var/lib/gridsvc")
    assert folder.name.startswith(checkout.name)
    assert sentence is not None
    assert "postgres" in sentence
    assert str(folder) in sentence
    assert choose_home(checkout, None)[0] == folder


@pytest.mark.db
@needs_root
def test_data_of_an_ordinary_user_is_not_taken_over_by_root(checkout: Path) -> None:
    (checkout / ".grid").mkdir()
    os.chown(checkout / ".grid", 65534, -1)
    folder, sentence = choose_home(checkout, None)
    assert folder.parent == Path("/var/lib/gridsvc")
    assert sentence is not None


@needs_root
def test_where_nobody_can_run_the_server_the_cluster_says_so(checkout: Path) -> None:
    absent = "no-such-user"
    assert choose_home(checkout, None, os_user=absent) == (checkout / ".grid", None)
    with pytest.raises(DatabaseUserError, match="apt-get install postgresql postgresql-postgis"):
        Cluster(checkout / ".grid", os_user=absent)
    with pytest.raises(DatabaseUserError, match="refuses to run as root"):
        find_server_user("root")


@needs_no_root
def test_a_checkout_that_we_cannot_write_keeps_its_data_in_our_state(
    checkout: Path, tmp_path: Path
) -> None:
    checkout.chmod(0o555)
    folder, sentence = choose_home(checkout, None, state_home=tmp_path)
    assert folder.parent == tmp_path / "gridsvc"
    assert sentence is not None
    assert str(folder) in sentence


def test_two_checkouts_of_one_name_have_two_folders(checkout: Path, tmp_path: Path) -> None:
    folders = set()
    for parent in ("a", "b"):
        clone = checkout / parent / "grid"
        clone.mkdir(parents=True)
        os.chown(clone, 65534 if AS_ROOT else -1, -1)
        clone.chmod(0o700 if AS_ROOT else 0o555)
        folder, _ = choose_home(clone, None, state_home=tmp_path)
        folders.add(folder)
    assert len(folders) == 2
    assert all(folder.name.startswith("grid-") for folder in folders)
