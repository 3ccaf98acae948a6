"""What a form of the studio sends, and a model's fields as such a form."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

UNREADABLE = "The form that was sent cannot be read: send it again from its page."


@dataclass(frozen=True)
class Sent:
    """A form without files, as it was sent."""

    values: FormData

    def text(self, name: str) -> str:
        """Return the last text under a name, or an empty one."""
        found = self.values.get(name)
        return found.strip() if isinstance(found, str) else ""

    def texts(self, name: str) -> list[str]:
        """Return all texts under a name."""
        return [each for each in self.values.getlist(name) if isinstance(each, str)]


async def sent(request: Request) -> Sent:
    """Read a form."""
    try:
        return Sent(await request.form(max_fields=1000))
    except HTTPException:
        raise
    except (ValueError, LookupError, AssertionError):
        raise HTTPException(400, UNREADABLE) from None
