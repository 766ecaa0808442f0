"""
Errors in HTTP: one table from a refusal's name to its integer code and status, and the one place that answers.

Names and codes are permanent. `docs/api.md` and the page at `/client/v4/docs/errors` explain each under its name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.views import defaults
from django.views.decorators.http import require_safe
from rest_framework import exceptions
from rest_framework.response import Response

from accounts.api.body import BodyTooLarge
from accounts.api.envelope import Problem, refusal
from accounts.api.paging import InvalidQuery
from accounts.create_account import InvalidDetail, LastAdministrator, ZoneTaken
from accounts.lock import AccountBusy
from accounts.models import Account
from accounts.throttle import TooManyRequests
from billing.buy_cart import KeyReused
from billing.change_subscription import SubscriptionUnknown
from billing.changes_calculator.request import ChangeRefused, PaymentDeclined, PaymentUnavailable
from billing.changes_calculator.scheduled import NothingScheduled, TooLate
from billing.invoicing.coupons import CouponRefused
from billing.move_zone import ZoneGone
from billing.payments.collect import AttemptInFlight
from billing.payments.manage_methods import MethodKept, UnknownNonce
from billing.payments.pay_invoice import InvoiceUnknown, MethodUnknown, NotPayable
from billing.receipts.gather import NoSuchPaper

logger = structlog.get_logger()

PREFIXES = ("/client/v4", "/internal/v1")
RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True, slots=True)
class ApiError:
    """A refusal in HTTP. `remedy` is what the caller can do, where the refusal itself doesn't say it better."""

    code: int
    status: int
    remedy: str

    @property
    def is_final(self) -> bool:
        """Whether asking again can't help: public clients repeat every verb, so they are told."""
        return self.status < HTTPStatus.INTERNAL_SERVER_ERROR and self.status != HTTPStatus.TOO_MANY_REQUESTS


ERRORS: dict[str, ApiError] = {
    "too_many_requests":       ApiError(971, 429, "More requests than allowed. Wait as long as Retry-After says."),
    "invalid_body":            ApiError(1001, 400, "Send JSON, as application/json, with the documented types."),
    "body_too_large":          ApiError(1002, 413, "The body is larger than 1 MB. Send less."),
    "invalid_query":           ApiError(1003, 400, "A query parameter makes no sense. Correct the one that is named."),
    "key_reused":              ApiError(1004, 400, "This idemp_key was used for something else. Choose another."),
    "zone_taken":              ApiError(1061, 400, "The domain is served already. Remove it there first."),
    "last_administrator":      ApiError(1062, 400, "Nobody else administers the account. Let somebody do so first."),
    "core_plan_required":      ApiError(1207, 400, "The add-on needs a paid plan on the zone. Buy the plan first."),
    "no_product_access":       ApiError(1225, 400, "The account may not buy this product. Ask for access to it first."),
    "account_banned":          ApiError(1300, 400, "The account is restricted because of unpaid invoices. Pay them."),
    "outstanding_balance":     ApiError(1301, 400, "Nothing can be added while an invoice is unpaid. Pay it."),
    "not_self_serve":          ApiError(1302, 400, "This is sold by contract. Contact your account team."),
    "unknown_plan":            ApiError(1303, 400, "There is no such plan. Choose one of those that are listed."),
    "wrong_object":            ApiError(1304, 400, "Zone plans are for your zones, account plans for the account."),
    "previous_owner_debt":     ApiError(1305, 400, "The zone's previous owner owes for it. Contact support."),
    "change_scheduled":        ApiError(1306, 400, "A change is scheduled for the period's end. Take it back first."),
    "change_in_flight":        ApiError(1307, 400, "Another change waits for its payment. Complete it first."),
    "one_interval_per_cart":   ApiError(1308, 400, "All of a cart must be billed equally often. Split the cart."),
    "quantity_out_of_range":   ApiError(1309, 400, "The plan sells no such number of this component. Choose another."),
    "frequency_not_offered":   ApiError(1310, 400, "The plan is not sold at this frequency. Choose one that is."),
    "currency_mismatch":       ApiError(1311, 400, "The account is billed in another currency."),
    "change_not_offered":      ApiError(1312, 400, "This change can't be made here. Contact support, who can make it."),
    "subscription_ended":      ApiError(1313, 400, "The subscription has ended. Buy again to have it back."),
    "nothing_scheduled":       ApiError(1314, 400, "No change of the subscription is scheduled."),
    "too_late_to_take_back":   ApiError(1315, 400, "The period ends in a moment. Buy again when it has ended."),
    "period_closing":          ApiError(1317, 400, "A scheduled change is being made. Try again in a few minutes."),
    "wanted_twice":            ApiError(1316, 400, "The cart wants two plans for one place. Choose one of them."),
    "licence_not_allowed":     ApiError(1320, 400, "Only services and agents grant licences. Buy the plan instead."),
    "invalid_licence":         ApiError(1321, 400, "The licence makes no sense: see its form, its end and its plan."),
    "payment_method_required": ApiError(1322, 400, "Use of it is billed later. Store a payment method first."),
    "too_many_changes":        ApiError(1323, 400, "No more changes of this subscription today. Try again tomorrow."),
    "too_many_prices":         ApiError(1328, 400, "The subscription has too many prices. End one of them first."),
    "account_closed":          ApiError(1324, 400, "The account is closed: nothing can be bought for it any more."),
    "zone_has_plan":           ApiError(1325, 400, "The zone has more than the free plan. End that before it moves."),
    "payment_declined":        ApiError(1400, 402, "The payment was declined and nothing changed. Use another method."),
    "authentication_required": ApiError(1401, 402, "The bank wants the payment confirmed. Try again while signed in."),
    "payment_expired":         ApiError(1402, 402, "The payment was not confirmed in time. Ask anew."),
    "processor_refused":       ApiError(1403, 402, "The payment processor did not take it. Contact support."),
    "payment_in_flight":       ApiError(1404, 429, "The invoice is being charged right now. Ask again in a moment."),
    "nothing_to_pay":          ApiError(1405, 400, "No invoice is unpaid, or this one is not owed any more."),
    "method_unusable":         ApiError(1406, 400, "The bank does not allow this method any more. Use another one."),
    "card_tried_too_often":    ApiError(1407, 400, "The card was declined too often lately. Use another one."),
    "method_needed":           ApiError(1408, 400, "Something is charged to this method. Add another one first."),
    "method_is_default":       ApiError(1409, 400, "This is the primary method. Choose another as primary first."),
    "method_in_use":           ApiError(1410, 400, "The method is being charged right now. Try again in a moment."),
    "unknown_nonce":           ApiError(1411, 400, "There is no such method at the processor. Ask for a new secret."),
    "coupon_refused":          ApiError(1412, 400, "The code can't be redeemed. See how it is written."),
    "change_abandoned":        ApiError(1420, 402, "It was given up before it was paid. Ask anew."),
    "account_busy":            ApiError(1500, 429, "The account is being changed right now. Try again in a moment."),
    "processor_unavailable":   ApiError(1501, 503, "The payment processor is silent. Nothing is lost; ask again."),
    "unavailable":             ApiError(1502, 503, "The service can't answer right now. Try again in a moment."),
    "internal_error":          ApiError(1503, 500, "This is a fault of ours. Tell support the answer's X-Request-Id."),
    "method_not_allowed":      ApiError(7001, 405, "The path exists, but not with this method."),
    "not_found":               ApiError(7003, 404, "There is nothing here that you may see. Check path and ids."),
    "unauthenticated":         ApiError(10000, 401, "Send a valid API token, as Authorization: Bearer."),
    "forbidden":               ApiError(10001, 403, "The token may not do this here: account, role or scope."),
}  # fmt: skip

# The framework's own refusals. Where `detail` is theirs to say, the remedy above is said instead.
_NAMES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    ((exceptions.NotAuthenticated, exceptions.AuthenticationFailed), "unauthenticated"),
    (exceptions.PermissionDenied,                                    "forbidden"),
    ((Http404, exceptions.NotFound, SubscriptionUnknown, Account.DoesNotExist, ZoneGone), "not_found"),
    ((InvoiceUnknown, MethodUnknown, NoSuchPaper),                                "not_found"),
    (exceptions.MethodNotAllowed,                                    "method_not_allowed"),
    ((BodyTooLarge, RequestDataTooBig),                              "body_too_large"),
    ((exceptions.ParseError, exceptions.UnsupportedMediaType),       "invalid_body"),
    (AttemptInFlight,                                                "payment_in_flight"),
    ((OperationalError, InterfaceError),                             "unavailable"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is wrong: the name of the refusal, and what to tell the caller."""

    name: str
    message: str
    pointer: str = ""


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer for an exception that a view raised; None for a bug, which `server_error` answers after it is logged."""
    reasons = reasons_of(error)
    if not reasons:
        return None
    if ERRORS[reasons[0].name].status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("api.unavailable", refusal=reasons[0].name, error=type(error).__name__)
    headers = _headers(ERRORS[reasons[0].name], getattr(error, "retry_after_seconds", RETRY_AFTER_SECONDS))
    if scheme := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = scheme
    return Response(_body(context["request"], reasons), ERRORS[reasons[0].name].status, headers=headers)


def reasons_of(error: Exception) -> list[Reason]:
    """Return what is wrong, the most important first; nothing if this error is not for the caller."""
    match error:
        case ChangeRefused():
            return [Reason(refusal.code, refusal.message) for refusal in error.refusals]
        case PaymentDeclined() | PaymentUnavailable() | AccountBusy() | InvalidDetail() | ZoneTaken():
            return [Reason(error.code, str(error) or ERRORS[error.code].remedy)]
        case (
            NothingScheduled()
            | TooLate()
            | KeyReused()
            | NotPayable()
            | MethodKept()
            | UnknownNonce()
            | CouponRefused()
            | TooManyRequests()
            | LastAdministrator()
        ):
            return [Reason(error.code, str(error) or ERRORS[error.code].remedy)]
        case exceptions.ValidationError():
            return [Reason("invalid_body", message, pointer) for pointer, message in _fields(error.detail, "")]
        case InvalidQuery():
            return [Reason("invalid_query", str(error))]
    name = next((name for kinds, name in _NAMES if isinstance(error, kinds)), None)
    return [Reason(name, ERRORS[name].remedy)] if name else []


def _fields(detail: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with each field of a body, by its JSON pointer."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _fields(inner, pointer if name == "non_field_errors" else f"{pointer}/{name}")
    elif isinstance(detail, list) and detail and isinstance(detail[0], str):
        yield pointer, f"{pointer.removeprefix('/').replace('/', '.') or 'body'}: {detail[0]}"
    else:
        for position, inner in enumerate(detail):
            yield from _fields(inner, f"{pointer}/{position}")


def _body(request: HttpRequest, reasons: list[Reason]) -> dict[str, Any]:
    page = request.build_absolute_uri(reverse("api-errors"))
    return refusal([
        Problem(ERRORS[reason.name].code, reason.message, f"{page}#{reason.name}", reason.pointer) for reason in reasons
    ])  # fmt: skip


def _headers(error: ApiError, retry_after_seconds: float) -> dict[str, str]:
    if error.is_final:
        return {"X-Should-Retry": "false"}
    return {} if error.status == HTTPStatus.INTERNAL_SERVER_ERROR else {"Retry-After": f"{retry_after_seconds:g}"}


def _plain(request: HttpRequest, name: str) -> HttpResponse:
    """Answer outside any view: paths that don't exist, requests that never reach one."""
    error = ERRORS[name]
    headers = _headers(error, RETRY_AFTER_SECONDS)
    return JsonResponse(_body(request, [Reason(name, error.remedy)]), status=error.status, headers=headers)


def _is_api(request: HttpRequest) -> bool:
    return any(request.path == prefix or request.path.startswith(f"{prefix}/") for prefix in PREFIXES)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`: what it finds suspicious. For a foreign host name there is no address to point to."""
    if _is_api(request) and not isinstance(exception, DisallowedHost):
        return _plain(request, "invalid_body")
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler404`: a path that leads nowhere."""
    return _plain(request, "not_found") if _is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: a bug. The log has the details, the answer has none."""
    return _plain(request, "internal_error") if _is_api(request) else defaults.server_error(request)


@require_safe
def errors_page(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  Django's signature
    """Show every error under its name, where `documentation_url` leads."""
    rows = ((name, name, error.code, error.status, error.remedy) for name, error in ERRORS.items())
    entries = format_html_join("\n", '<h2 id="{}">{}</h2><p>Code {}, HTTP {}. {}</p>', rows)
    head = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Errors of the API</title></head>'
    return HttpResponse(
        format_html(f"{head}<body><main><h1>Errors of the API</h1>\n{{}}</main></body></html>", entries)
    )
