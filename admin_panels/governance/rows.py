"""A field of rows on one page: each row is a small form of its own, whose errors stand at the row."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

#: Rows that a page takes; far more than anybody can oversee.
MOST_ROWS = 100

#: Stands for the number of a row in the empty row that the page's script copies.
NUMBER = "__number__"
#: And for its place among the rows, as people count.
PLACE = "__place__"


class RawRows(list[dict[str, str]]):
    """Rows as they were typed in, not checked yet."""


class RowsWidget(forms.Widget):
    """Shows rows with buttons that add and remove them."""

    template_name = "smsflow/governance/rows.html"
    add_label: Any = gettext_lazy("Add a row")
    remove_label: Any = gettext_lazy("Remove row %(number)s")

    def __init__(self, make_form: Callable[..., forms.Form], **labels: Any) -> None:
        super().__init__()
        self.make_form = make_form
        self.failed: Sequence[forms.Form] | None = None
        self.__dict__.update(labels)

    class Media:
        css = {"all": ["smsflow/governance.css"]}
        js = ["smsflow/governance.js"]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> RawRows:
        pattern = re.compile(re.escape(name) + r"-(\d{1,6})-(\w+)")
        rows: dict[int, dict[str, str]] = {}
        for key in data:
            found = pattern.fullmatch(key)
            if found:
                rows.setdefault(int(found[1]), {})[found[2]] = data[key]
        return RawRows(rows[number] for number in sorted(rows) if any(rows[number].values()))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-rows" not in data

    def id_for_label(self, id_: str, index: Any = None) -> str:
        return ""  # a label of all rows would be read out as that of the first field

    def forms_of(self, name: str, value: Any) -> list[forms.Form]:
        """Return a form for each row: bound to what was typed in, or with what is stored."""
        if not isinstance(value, RawRows):
            return [self.make_form(prefix=f"{name}-{n}", initial=row) for n, row in enumerate(value or ())]
        return [
            self.make_form(prefix=f"{name}-{n}", data={f"{name}-{n}-{key}": given for key, given in row.items()})
            for n, row in enumerate(value)
        ]

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        rows = self.failed if self.failed is not None else self.forms_of(name, value)
        context.update(
            rows=[(number, _labelled(row, number)) for number, row in enumerate(rows, start=1)],
            empty=_labelled(self.make_form(prefix=f"{name}-{NUMBER}"), PLACE),
            number=NUMBER,
            place=PLACE,
            add_label=self.add_label,
            remove_label=str(self.remove_label),
            next=len(rows),
        )
        return context


def _has_typed(form: forms.Form) -> bool:
    """Return whether there is more in a row than what is chosen in every new one."""
    typed = [name for name, field in form.fields.items() if not isinstance(field, forms.ChoiceField)]
    return any(str(form[name].value() or "").strip() for name in typed)


def _labelled(form: forms.Form, number: Any) -> forms.Form:
    """Give every field of a row a name that tells the rows apart, and its error to whoever cannot see it."""
    for name, field in form.fields.items():
        label = _("%(field)s, row %(number)s") % {"field": field.label, "number": number}
        field.widget.attrs["aria-label"] = label
        if form.is_bound and form[name].errors:
            field.widget.attrs |= {"aria-invalid": "true", "aria-describedby": f"{form.prefix}-errors"}
    return form


class RowsField(forms.Field):
    """A list of rows. ``make_form`` makes the form of one; ``row_of`` turns what it holds into plain JSON."""

    widget: RowsWidget
    #: What the field is called on the page: its rows are shown under this name once more when one of them is wrong.
    html_name = "rows"

    def __init__(
        self, *, make_form: Callable[..., forms.Form], widget: RowsWidget | None = None, **kwargs: Any
    ) -> None:
        super().__init__(widget=widget or RowsWidget(make_form), required=False, **kwargs)

    def row_of(self, cleaned: dict[str, Any]) -> Any:
        return cleaned

    def check(self, rows: list[forms.Form]) -> None:
        """Check the rows beside each other: put errors at the rows."""

    def joined(self, rows: list[Any]) -> Any:
        """Return what is stored."""
        return rows

    def clean(self, value: Any) -> Any:
        rows = self.widget.forms_of(self.html_name, value if isinstance(value, RawRows) else RawRows(value or ()))
        if getattr(self, "is_deferred_validation", False):
            # a row that was just added is no mistake yet: the page saves drafts by itself
            rows = [row for row in rows if _has_typed(row)]
        if len(rows) > MOST_ROWS:
            raise ValidationError(_("These are too many rows."))
        for row in rows:
            row.full_clean()
        if all(row.is_valid() for row in rows):
            self.check(rows)
        if not all(row.is_valid() for row in rows):
            self.widget.failed = rows
            raise ValidationError(_("Look at the rows that are marked."))
        return self.joined([self.row_of(row.cleaned_data) for row in rows])

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != (initial or self.joined([])))
        except ValidationError:
            return True
