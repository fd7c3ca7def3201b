"""Several photos in one field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from bookings.rules.numbers import number


class ManyFiles(forms.FileInput):
    """A file input that takes several."""

    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Several photos, as a list; what is no photo is found out where they are kept."""

    widget = ManyFiles

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """The phone offers its camera and its pictures."""
        return {**super().widget_attrs(widget), "accept": "image/*"}

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        """Every file by itself, as Django checks one; none is fine. More than a job may have are not looked at."""
        files = data if isinstance(data, list | tuple) else [data] if data else []
        if len(files) > (most := number("PHOTOS_MOST")):
            raise forms.ValidationError(f"{most} photos are enough. Choose the best ones.")
        return [super(PhotosField, self).clean(each, initial) for each in files]
