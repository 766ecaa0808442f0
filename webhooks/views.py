"""Where events come in."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from . import braintree_filter, event_filter
from .event_filter import Verdict

# The whole answer: a sender that is not who it should be learns nothing more.
STATUS_OF: dict[Verdict, int] = {
    Verdict.STORED:       200,
    Verdict.DUPLICATE:    200,
    Verdict.UNHANDLED:    200,
    Verdict.WRONG_METHOD: 405,
    Verdict.CLOSED:       404,
    Verdict.TOO_LARGE:    413,
    Verdict.UNSIGNED:     400,
    Verdict.BADLY_SIGNED: 400,
    Verdict.UNREADABLE:   400,
}  # fmt: skip


@csrf_exempt
def stripe(request: HttpRequest) -> HttpResponse:
    """Take one event from Stripe."""
    verdict = event_filter.receive(
        method=request.method or "",
        content_length=_content_length(request),
        signature=request.META.get("HTTP_STRIPE_SIGNATURE", ""),
        read=lambda: request.body,
    )
    return _answer(verdict)


@csrf_exempt
def pubsub(request: HttpRequest) -> HttpResponse:
    """Take one event of Stripe's from Pub/Sub, whose subscription proves itself by a bearer token."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    verdict = event_filter.receive_pushed(
        method=request.method or "",
        content_length=_content_length(request),
        token=token if scheme == "Bearer" else "",
        read=lambda: request.body,
    )
    return _answer(verdict)


@csrf_exempt
def braintree(request: HttpRequest) -> HttpResponse:
    """Take one notification from Braintree, or prove that this address is ours."""
    if request.method == "GET" and "bt_challenge" in request.GET:
        proof = braintree_filter.prove(request.GET["bt_challenge"])
        return HttpResponse(proof, status=200 if proof else 400, content_type="text/plain")
    verdict = braintree_filter.receive(
        method=request.method or "", content_length=_content_length(request), read=lambda: request.body
    )
    return _answer(verdict)


def _answer(verdict: Verdict) -> HttpResponse:
    response = HttpResponse(status=STATUS_OF[verdict], headers={"Content-Length": "0"})
    if verdict is Verdict.WRONG_METHOD:
        response["Allow"] = "POST"
    return response


def _content_length(request: HttpRequest) -> int:
    """Return the size that was announced, in bytes; Django reads no more than that."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    return int(announced) if announced.isdecimal() else 0
