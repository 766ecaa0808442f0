"""The paper of an invoice or a credit note, as a file."""

from dataclasses import dataclass

from django.conf import settings

from .draw import draw
from .gather import document_of


@dataclass(frozen=True, slots=True)
class Paper:
    """A PDF, and what it is called."""

    name: str
    content: bytes


def paper_of(account_id: str, paper_id: str, kind: str = "") -> Paper:
    """
    Return the paper of an invoice or a credit note of the account.

    :raises NoSuchPaper: there is none of this id and kind.
    """
    document = document_of(account_id, paper_id, kind)
    name = f"{document.kind.value.replace('_', '-')}-{document.number or paper_id}.pdf"
    return Paper(name, draw(document, settings.PAPER_FONTS))
