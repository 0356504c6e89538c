"""A document as a page that stands alone: no script, no address that is loaded, every text escaped.

Texts of others are never links: an address that someone wrote stands there as text.
"""

from django.template.loader import render_to_string

from model_registry.documents.models import Document
from model_registry.documents.printing import content

NAME = "html"


def write(row: Document) -> bytes:
    """Return the page of a kept document."""
    return render_to_string("models/printed.html", {"content": content.of(row)}).encode()
