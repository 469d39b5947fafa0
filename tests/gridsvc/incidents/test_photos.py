"""Photos of a report: the reporter's, then the coordinator's, and only then everybody's."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy.exc import DBAPIError

from gridsvc.db import Interval, Scope, ScopedSession
from gridsvc.errors import (
    NotFoundError,
    NotPublicError,
    PhotoRefusedError,
    RoleNotAllowedError,
    TooManyPhotosError,
)
from gridsvc.incidents.photos import service
from gridsvc.incidents.photos.model import Rectangle
from gridsvc.incidents.reporting import service as reporting
from gridsvc.incidents.reporting.model import FollowToken, NewReport, Where
from tests import town
from tests.databases import Clone
from tests.gridsvc.incidents.pictures import photo

pytestmark = pytest.mark.db

A, B = town.EAST_SHORE, town.WEST_BRIDGE


@pytest.fixture(scope="module")
def clone(cluster: Any, town_template: str) -> Iterator[Clone]:
    from tests.databases import drop, make_clone

    made = make_clone(cluster, town_template)
    yield made
    drop(made)


def reported(clone: Clone, category_code: str = "sanitation.rubbish") -> FollowToken:
    where = Where(stairwell_code=town.stairwell_code(A))
    wanted = NewReport(uuid4(), category_code, "门口的箱子", where, datetime.now(UTC))
    filed = reporting.file(clone.api, town.VAULT, wanted, caller=None)
    token = FollowToken.read(filed.token)
    assert token is not None
    return token


def staff(clone: Clone, role: str = "coordinator", code: int = A) -> ScopedSession:
    return clone.api.session(Scope(role, (Interval.of(code),), account=town.ACCOUNT))


def size_of(image: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(image)).size


def test_a_photo_is_kept_small_and_sent_back_to_its_reporter(clone: Clone) -> None:
    token = reported(clone)
    kept, is_new = service.add(clone.api, token, photo((2000, 1000)))
    assert is_new
    assert (kept.position, kept.width_px, kept.height_px) == (1, 1600, 800)
    assert size_of(service.read_own(clone.api, token, kept.id, "full")) == (1600, 800)
    assert size_of(service.read_own(clone.api, token, kept.id, "thumb")) == (320, 160)
    assert service.list_own(clone.api, token) == [kept]


def test_the_same_photo_again_is_not_kept_twice(clone: Clone) -> None:
    token = reported(clone)
    first, _ = service.add(clone.api, token, photo())
    assert service.add(clone.api, token, photo()) == (first, False)


def test_a_report_has_five_photos_at_most_and_a_deleted_one_makes_room(clone: Clone) -> None:
    token = reported(clone)
    kept = [service.add(clone.api, token, photo((40 + n, 30)))[0] for n in range(5)]
    assert [one.position for one in kept] == [1, 2, 3, 4, 5]
    with pytest.raises(TooManyPhotosError):
        service.add(clone.api, token, photo((50, 30)))
    service.remove_own(clone.api, token, kept[1].id)
    assert service.add(clone.api, token, photo((51, 30)))[0].position == 2
    with pytest.raises(DBAPIError):
        clone.run(
            "INSERT INTO gridsvc.photo SELECT community_code, gen_random_uuid(), incident_id, 6,"
            " image, thumbnail, width_px, height_px, source_hash FROM gridsvc.photo LIMIT 1"
        )


def test_what_is_no_photo_leaves_the_report_as_it_is(clone: Clone) -> None:
    token = reported(clone)
    with pytest.raises(PhotoRefusedError):
        service.add(clone.api, token, b"<script>alert(1)</script>")
    assert service.list_own(clone.api, token) == []


def test_photos_open_by_their_own_link_only(clone: Clone) -> None:
    token, other = reported(clone), reported(clone)
    kept, _ = service.add(clone.api, token, photo())
    for wrong in (other, replace(token, secret=bytes(18)), replace(token, community_code=B)):
        with pytest.raises(NotFoundError):
            service.read_own(clone.api, wrong, kept.id, "full")
        with pytest.raises(NotFoundError):
            service.remove_own(clone.api, wrong, kept.id)
    with pytest.raises(NotFoundError):
        service.add(clone.api, replace(token, secret=bytes(18)), photo())


def test_nobody_sees_a_photo_before_it_is_published_nor_after_it_is_withdrawn(
    clone: Clone,
) -> None:
    token = reported(clone)
    kept, _ = service.add(clone.api, token, photo())
    with pytest.raises(NotFoundError):
        service.read_public(clone.api, A, kept.id, "full")
    with staff(clone) as session, session.begin():
        assert kept.id in {one.photo.id for one in service.list_waiting(session)}
        assert service.publish(session, kept.id, [Rectangle(0, 0, 0.5, 1)]).is_published
        assert kept.id not in {one.photo.id for one in service.list_waiting(session)}
    assert size_of(service.read_public(clone.api, A, kept.id, "thumb")) == (320, 240)
    with pytest.raises(NotFoundError):
        service.read_public(clone.api, B, kept.id, "full")
    with staff(clone) as session, session.begin():
        service.withdraw(session, kept.id)
    with pytest.raises(NotFoundError):
        service.read_public(clone.api, A, kept.id, "full")


def test_what_everybody_gets_is_the_blurred_picture_and_never_the_one_that_was_sent(
    clone: Clone,
) -> None:
    token = reported(clone)
    kept, _ = service.add(clone.api, token, photo())
    with staff(clone) as session, session.begin():
        service.publish(session, kept.id, [Rectangle(0.25, 0.0, 0.5, 1.0)])
        own = service.read(session, kept.id, "full")
    shown = service.read_public(clone.api, A, kept.id, "full")
    assert shown != own
    edge = [Image.open(io.BytesIO(image)).getpixel((202, 150)) for image in (own, shown)]
    assert edge[0] != edge[1]


def test_a_reporter_can_take_back_even_what_is_published(clone: Clone) -> None:
    token = reported(clone)
    kept, _ = service.add(clone.api, token, photo())
    with staff(clone) as session, session.begin():
        service.publish(session, kept.id, [])
    service.remove_own(clone.api, token, kept.id)
    with pytest.raises(NotFoundError):
        service.read_public(clone.api, A, kept.id, "full")


def test_photos_of_what_concerns_persons_cannot_be_published(clone: Clone) -> None:
    token = reported(clone, "neighbour_dispute.noise")
    kept, _ = service.add(clone.api, token, photo())
    with staff(clone) as session, pytest.raises(NotPublicError):
        service.publish(session, kept.id, [])
    with staff(clone) as session:
        assert kept.id not in {one.photo.id for one in service.list_waiting(session)}


def test_only_staff_of_the_territory_publishes(clone: Clone) -> None:
    token = reported(clone)
    kept, _ = service.add(clone.api, token, photo())
    with staff(clone, "patrol") as session:
        assert service.read(session, kept.id, "thumb")
        with pytest.raises(RoleNotAllowedError):
            service.publish(session, kept.id, [])
    with staff(clone, code=B) as session, pytest.raises(NotFoundError):
        service.publish(session, kept.id, [])
