"""The paper of an invoice, and whether it is sent by e-mail."""

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.api.paging import choice_of
from accounts.api.scope import AccountView
from accounts.roles import Permission

from ..receipts.draw import draw
from ..receipts.gather import document_of

DOCTYPES = ("", "invoice", "receipt")


class ReceiptView(AccountView):
    """`/accounts/{account_id}/receipts/{receipt_id}/pdf`: a PDF, whatever `Accept` says; `doctype` picks the kind."""

    needs = {"GET": Permission.READ}

    def get(self, request: Request, account_id: str, receipt_id: str) -> HttpResponse:
        document = document_of(account_id, receipt_id, choice_of(request, "doctype", DOCTYPES))
        return HttpResponse(
            draw(document),
            content_type="application/pdf",
            headers={
                "Content-Disposition": f'inline; filename="{document.kind}-{document.number or receipt_id}.pdf"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )
