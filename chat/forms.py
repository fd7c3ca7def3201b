"""What a message's form sends. The rules of its text and files are the action's; here is only how it is read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from common.refusals import Invalid


@dataclass(frozen=True)
class Typed:
    """A message as it was typed; `id` is minted by the browser, or by the server with the form."""

    id: uuid.UUID = field(default_factory=uuid.uuid4)
    text: str = ""
    files: tuple[UploadedFile[Any], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed and nothing chosen."""
        return not self.text.strip() and not self.files


def words(request: HttpRequest) -> Typed:
    """Only the text of this POST: it is shown again whatever is wrong with the rest."""
    return Typed(text=request.POST.get("text", ""))


def typed(request: HttpRequest) -> Typed:
    """The message of this POST. Raises `Invalid` for an id that is none; `words` has the text then."""
    try:
        pk = uuid.UUID(request.POST.get("id", ""))
    except ValueError:
        raise Invalid("This form was damaged. It is mended now: send it once more.") from None
    # Two inputs may carry files, the button's and the camera's; an empty one sends nothing.
    files: list[Any] = request.FILES.getlist("file")
    return Typed(pk, request.POST.get("text", ""), tuple(files))
