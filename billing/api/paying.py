"""Unpaid invoices, and paying one now."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.body import ExactBoolean, ExactString
from accounts.api.envelope import answer
from accounts.api.scope import AccountView
from accounts.roles import Permission
from config import clock

from ..payments.pay_invoice import pay_invoice, unpaid_invoices
from .history import entry_shape


class UnpaidInvoiceView(AccountView):
    """`/accounts/{account_id}/billing/unpaid-invoice`: what is owed, the oldest first."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request, account_id: str) -> Response:
        return answer({"invoices": [entry_shape(invoice) for invoice in unpaid_invoices(account_id)]})


class PayBody(serializers.Serializer[Any]):
    """Which invoice and with what; both may be left out: the oldest unpaid one, the primary method."""

    invoice_id = ExactString(required=False, allow_blank=True, max_length=64)
    payment_method_id = ExactString(required=False, allow_blank=True, max_length=64)
    validate_payment_method = ExactBoolean(required=False)


class PayInvoiceView(AccountView):
    """`/accounts/{account_id}/pay-invoice`: pay one invoice now; a client secret when the bank asks the customer."""

    needs = {"POST": Permission.PAY}

    def post(self, request: Request, account_id: str) -> Response:
        body = PayBody(data=request.data)
        body.is_valid(raise_exception=True)
        payment = pay_invoice(
            account_id,
            invoice_id=body.validated_data.get("invoice_id", ""),
            method_id=body.validated_data.get("payment_method_id", ""),
            now=clock.now(),
        )
        return answer({"client_secret": payment.client_secret or None})
