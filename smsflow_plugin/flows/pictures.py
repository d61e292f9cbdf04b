"""Pictures that go with texts: images of Wagtail, made small enough for every phone network."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.blocks import ChooserBlock

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.flows.store_choosers import OwnStoresMixin

#: What networks carry to every phone. Some take a megabyte, toll-free numbers no more than this.
MOST_BYTES = 600_000
#: Tried in this order until one is small enough.
SIZES = (
    "max-1280x1280|smsbare|format-jpeg|jpegquality-80",
    "max-1024x1024|smsbare|format-jpeg|jpegquality-65",
    "max-800x800|smsbare|format-jpeg|jpegquality-50",
    "max-480x480|smsbare|format-jpeg|jpegquality-40",
)
#: The longest address that a message can keep.
LONGEST_ADDRESS = 500


class UnfitPicture(Exception):
    """An image cannot go with a text. The message is a sentence."""


class PictureBlock(OwnStoresMixin, ChooserBlock):  # type: ignore[misc]
    """Chooses an image of Wagtail.

    Images belong to collections and not to stores: whoever may choose one there may send it. Looked up late, so that
    a site without ``wagtail.images`` starts far enough to be told what it lacks.
    """

    @cached_property
    def target_model(self) -> Any:
        from wagtail.images import get_image_model

        return get_image_model()

    @cached_property
    def widget(self) -> Any:
        from wagtail.images.widgets import AdminImageChooser

        return AdminImageChooser()

    def visible_to(self, user: Any) -> Any:
        from wagtail.images.permissions import permission_policy

        return permission_policy.instances_user_has_any_permission_for(user, ["choose", "change"])

    class Meta:
        icon = "image"


def picture_address(pk: int) -> str:
    """Return the public address of an image, as small as phones need it. It is made when it is first asked for.

    :raises UnfitPicture: if there is no such image, or it cannot go with a text.
    """
    from wagtail.images import get_image_model

    image = get_image_model().objects.filter(pk=pk).first()
    if image is None:
        raise UnfitPicture(_("This picture is no longer there. Choose another."))
    address = urljoin(f"{smsflow_settings.PUBLIC_URL.rstrip('/')}/", _small_enough(image).url)
    if len(address) > LONGEST_ADDRESS:
        raise UnfitPicture(_("The address of this picture is too long. Give its file a shorter name."))
    return address


def _small_enough(image: Any) -> Any:
    from wagtail.images.exceptions import InvalidFilterSpecError
    from wagtail.images.models import Filter, SourceImageIOError

    filters = [Filter(spec=size) for size in SIZES]
    try:
        made = image.find_existing_renditions(*filters)
        if not made and _moves(image):
            raise UnfitPicture(_("This picture moves. Phone networks carry only still ones to every phone."))
        for each in filters:
            rendition = made.get(each) or image.get_rendition(each)
            if rendition.file.size <= MOST_BYTES:
                return rendition
    except (SourceImageIOError, InvalidFilterSpecError, OSError, ValueError):
        raise UnfitPicture(_("This picture cannot be read. Upload it again, or choose another.")) from None
    raise UnfitPicture(_("This picture cannot be made small enough for a text. Choose another."))


def _moves(image: Any) -> bool:
    from PIL import Image

    with image.open_file() as file, Image.open(file) as picture:
        return bool(getattr(picture, "is_animated", False))
