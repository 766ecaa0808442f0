"""The paper of an invoice or of a credit note."""

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.api.paging import choice_of
from accounts.api.scope import AccountView
from accounts.roles import Permission

from ..receipts.document import DocumentKind
from ..receipts.paper import Paper, paper_of

DOCTYPES = ("", *DocumentKind)


class ReceiptView(AccountView):
    """`/accounts/{account_id}/receipts/{receipt_id}/pdf`: a PDF, whatever `Accept` says; `doctype` picks the kind."""

    needs = {"GET": Permission.READ}

    def get(self, request: Request, account_id: str, receipt_id: str) -> HttpResponse:
        paper = paper_of(account_id, receipt_id, choice_of(request, "doctype", DOCTYPES))
        return as_pdf(paper)


def as_pdf(paper: Paper) -> HttpResponse:
    """Return a paper as an answer, to be looked at or kept, and by nobody in between."""
    return HttpResponse(
        paper.content,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{paper.name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
