"""A text's picture: chosen in the form, made small, carried to the outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.files.images import ImageFile
from django.test import Client
from PIL import Image as Pillow
from wagtail.images import get_image_model
from wagtail.log_actions import LogContext
from wagtail.models import Collection, GroupCollectionPermission

from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.pictures import MOST_BYTES, PictureBlock, UnfitPicture, picture_address
from smsflow_plugin.flows.portable import export_flow, import_flow
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import Program, Send
from smsflow_plugin.flows.texts import copies_of
from smsflow_plugin.flows.trigger_blocks import event_trigger
from smsflow_plugin.models import Store

pytestmark = pytest.mark.django_db

Maker = Callable[..., Any]


@pytest.fixture
def image_of(settings: Any, tmp_path: Path) -> Iterator[Maker]:
    """Makes an image of Wagtail out of Pillow's."""
    settings.MEDIA_ROOT = tmp_path

    def make(picture: Any = None, *, kind: str = "PNG", title: str = "Boot", **save: Any) -> Any:
        content = BytesIO()
        (picture or Pillow.new("RGB", (400, 300), "red")).save(content, kind, **save)
        file = ImageFile(BytesIO(content.getvalue()), name=f"boot.{kind.lower()}")
        return get_image_model().objects.create(title=title, file=file)

    yield make


def flow(store: Store, picture: Any) -> Flow:
    steps = [{"type": "send", "value": {"text": "Hi.", "picture": picture}, "id": "s1"}]
    return Flow(store=store, name="Boots", triggers=[{**event_trigger("opted_in"), "id": "t"}], steps=steps)


def noise(size: int) -> Any:
    return Pillow.frombytes("RGB", (size, size), Random(1).randbytes(size * size * 3))


def test_a_picture_becomes_a_public_address_in_the_program(store: Store, image_of: Maker) -> None:
    program = compile_flow(flow(store, image_of().pk))
    (send,) = (one for one in program.instructions if isinstance(one, Send))
    assert send.media.startswith("http://testserver/media/images/")
    assert send.media.endswith(".jpg")
    assert Program.from_json(program.to_json()) == program


def test_a_text_without_a_picture_has_none(store: Store) -> None:
    (send,) = (one for one in compile_flow(flow(store, None)).instructions if isinstance(one, Send))
    assert send.media == ""


def test_phone_networks_can_fetch_it_and_learn_its_length(store: Store, image_of: Maker) -> None:
    answer = Client().get(urlsplit(picture_address(image_of().pk)).path)
    content = b"".join(answer.streaming_content)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/jpeg"
    assert int(answer["Content-Length"]) == len(content)
    assert Client().get("/media/original_images/boot.png").status_code == 404


@pytest.mark.parametrize("size", [300, 2400])
def test_every_picture_is_small_enough_for_every_phone(image_of: Maker, size: int) -> None:
    image = image_of(noise(size))
    address = picture_address(image.pk)
    (small,) = (one for one in image.renditions.all() if one.url in address)
    assert small.file.size <= MOST_BYTES
    assert max(small.width, small.height) <= 1280


def test_where_a_picture_was_taken_is_not_sent(image_of: Maker) -> None:
    picture = Pillow.new("RGB", (40, 30), "red")
    exif = picture.getexif()
    exif[0x010F] = "A camera that tells"
    image = image_of(picture, kind="JPEG", exif=exif)
    picture_address(image.pk)
    with image.renditions.get().file.open() as file:
        assert b"A camera that tells" not in file.read()


def test_it_is_made_once_and_found_again_in_two_questions(
    image_of: Maker, django_assert_num_queries: Callable[[int], Any]
) -> None:
    image = image_of()
    first = picture_address(image.pk)
    with django_assert_num_queries(2):
        assert picture_address(image.pk) == first
    assert image.renditions.count() == 1


def test_moving_pictures_are_refused_with_a_sentence_at_the_field(store: Store, image_of: Maker) -> None:
    frames = [Pillow.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    image = image_of(frames[0], kind="GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(CannotCompile) as refusal:
        compile_flow(flow(store, image.pk))
    (problem,) = refusal.value.problems
    assert "moves" in problem.message
    assert problem.path[-1] == "picture"


def test_an_image_that_is_gone_or_broken_is_refused_with_a_sentence(store: Store, image_of: Maker) -> None:
    image = image_of()
    image.file.storage.delete(image.file.name)
    with pytest.raises(UnfitPicture, match="cannot be read"):
        picture_address(image.pk)
    image.delete()
    with pytest.raises(UnfitPicture, match="no longer there"):
        picture_address(image.pk)


def test_a_flow_in_a_file_names_its_picture_and_does_not_hold_it(store: Store, image_of: Maker) -> None:
    made = flow(store, image_of(title="The boot").pk)
    made.save()
    made.save_revision()
    data = export_flow(made)
    assert data["flow"]["steps"][0]["value"]["picture"] == "The boot"
    imported = import_flow(data, store)
    assert imported.flow.steps[0].value["picture"] is None
    assert any("The picture “The boot” is not in the file." in problem for problem in imported.problems)


def test_a_number_of_a_picture_in_a_file_chooses_nothing(store: Store, image_of: Maker) -> None:
    made = flow(store, None)
    made.save()
    made.save_revision()
    data = export_flow(made)
    data["flow"]["steps"][0]["value"]["picture"] = image_of().pk
    assert import_flow(data, store).flow.steps[0].value["picture"] is None


def test_whoever_sends_a_test_text_finds_its_picture() -> None:
    steps = [
        {"type": "send", "id": "a", "value": {"text": "Hi", "fallback": "", "picture": 7}},
        {"type": "send", "id": "b", "value": {"text": "Ho", "fallback": ""}},
    ]
    assert [copy.picture for copy in copies_of(steps)] == [7, None]


def test_nobody_sends_an_image_that_they_may_not_choose(image_of: Maker) -> None:
    root = Collection.get_first_root_node()
    ours, theirs = root.add_child(name="Ours"), root.add_child(name="Theirs")
    mine, foreign = image_of(), image_of()
    mine.collection, foreign.collection = ours, theirs
    mine.save()
    foreign.save()
    group = Group.objects.create(name="Authors")
    choose = Permission.objects.get(content_type__app_label="wagtailimages", codename="choose_image")
    GroupCollectionPermission.objects.create(group=group, collection=ours, permission=choose)
    author = User.objects.create_user("author")
    author.groups.add(group)
    block = PictureBlock(required=False)
    with LogContext(user=author):
        assert block.value_from_form(str(mine.pk)) == mine
        assert block.value_from_form(str(foreign.pk)) is None
