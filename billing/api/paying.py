"""Unpaid invoices and debt, and paying them now."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.body import ExactBoolean, ExactString
from accounts.api.envelope import answer
from accounts.api.scope import AccountView
from accounts.roles import Permission
from config import clock

from ..payments.pay_bad_debt import debt_of, pay_bad_debt
from ..payments.pay_invoice import pay_invoice, unpaid_invoices
from .history import entry_shape
from .shapes import dollars


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


class BadDebtView(AccountView):
    """`/accounts/{account_id}/billing/bad-debt`: what is owed although it was charged, and what that means."""

    needs = {"GET": Permission.READ}

    def get(self, _request: Request, account_id: str) -> Response:
        debt = debt_of(account_id)
        return answer({
            "bad_debt_status": debt.state.value,
            "total_debt_amount": dollars(sum(invoice.remaining_minor for invoice in debt.invoices)),
            "already_paid": dollars(sum(each.paid_minor + each.paid_elsewhere_minor for each in debt.invoices)),
            "invoices": [entry_shape(invoice) for invoice in debt.invoices],
        })  # fmt: skip


class PayDebtBody(serializers.Serializer[Any]):
    """With what; the primary method if that is left out."""

    payment_method_id = ExactString(required=False, allow_blank=True, max_length=64)


class PayBadDebtView(AccountView):
    """`/accounts/{account_id}/pay-bad-debt`: pay all of it; a client secret when the bank asks about one of them."""

    needs = {"POST": Permission.PAY}

    def post(self, request: Request, account_id: str) -> Response:
        body = PayDebtBody(data=request.data)
        body.is_valid(raise_exception=True)
        payment = pay_bad_debt(account_id, method_id=body.validated_data.get("payment_method_id", ""), now=clock.now())
        return answer({"client_secret": payment.client_secret or None})
