"""What a technician types about a document; `accounts.credentials` checks and keeps it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from accounts.credentials import ENDS
from accounts.models import CredentialKind
from common.documents import ACCEPT, Document, clean_document
from common.refusals import Refusal


class CredentialForm(forms.Form):
    """The file, its number and its last day."""

    file = forms.FileField(
        label="Photo or PDF",
        widget=forms.FileInput({"accept": ACCEPT}),
        help_text="JPEG, PNG, WebP, GIF or PDF, up to 10 MB. Only you and our desk can open it.",
        error_messages={
            "required": "Choose the file: a photo or a PDF.",
            "empty": "That file is empty. Choose another one.",
        },
    )
    number = forms.CharField(
        label="Number or reference",
        max_length=60,
        required=False,
        help_text="As it stands on the document.",
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    valid_until = forms.DateField(
        label="Last day it holds",
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Say until when it holds: the last day stands on the document."},
    )

    def __init__(self, *args: Any, kind: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self._document: Document | None = None
        self.fields["valid_until"].required = CredentialKind(kind) in ENDS
        if CredentialKind(kind) not in ENDS:
            self.fields["valid_until"].help_text = "Leave it empty where it does not end."

    def clean_file(self) -> UploadedFile[Any]:
        """Decode it. What cannot be shown safely becomes an error beside the field."""
        upload: UploadedFile[Any] = self.cleaned_data["file"]
        try:
            self._document = clean_document(upload)
        except Refusal as refusal:
            raise forms.ValidationError(refusal.sentence) from None
        return upload

    @property
    def document(self) -> Document:
        """The file, ready to be kept."""
        if self._document is None:
            raise ValueError("Only a form in order has a document.")
        return self._document

    @property
    def last_day(self) -> date | None:
        """Until when it holds."""
        day: date | None = self.cleaned_data["valid_until"]
        return day
