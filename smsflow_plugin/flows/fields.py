"""The StreamField of a flow's steps."""

from __future__ import annotations

from typing import Any

from django.db import models
from wagtail.fields import StreamField


class StepsField(StreamField):  # type: ignore[misc]
    """A StreamField that migrations record as plain JSON.

    Step types can come from other apps; freezing the list would make every new
    step a migration in this package. A historical ``StreamField([])`` would be worse:
    it drops unknown blocks when read, so a data migration would wipe the flows.
    """

    def deconstruct(self) -> Any:
        # not the stream's own: that writes down the whole tree of blocks, which nested steps share over and over
        name, _path, _args, kwargs = models.Field.deconstruct(self)
        kept = {key: kwargs[key] for key in ("blank", "null", "verbose_name", "help_text") if key in kwargs}
        return name, "django.db.models.JSONField", [], {**kept, "default": list}

    def clone(self) -> models.Field[Any, Any]:
        # the migration state copies fields with clone(), which must match deconstruct()
        _name, _path, _args, kwargs = self.deconstruct()
        return models.JSONField(**kwargs)
