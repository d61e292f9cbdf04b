"""What Wagtail's images need to know for pictures of texts. Screens are in ``admin_panels``."""

from __future__ import annotations

from typing import Any

from wagtail import hooks
from wagtail.images.image_operations import FilterOperation


class WithoutMetadata(FilterOperation):  # type: ignore[misc]
    """Takes out what a camera has written into a picture: the place, the time, the owner."""

    def construct(self) -> None:
        pass

    def run(self, willow: Any, image: Any, env: dict[str, Any]) -> Any:
        picture = getattr(willow, "image", None)
        if hasattr(picture, "info"):
            picture.info.pop("exif", None)
        elif hasattr(picture, "strip"):  # ImageMagick
            picture.strip()
        return willow


@hooks.register("register_image_operations")
def image_operations() -> list[tuple[str, type[FilterOperation]]]:
    return [("smsbare", WithoutMetadata)]
