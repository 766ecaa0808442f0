"""Where events come in."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from . import event_filter
from .event_filter import Verdict

# The whole answer: a sender that is not Stripe learns nothing more.
STATUS_OF: dict[Verdict, int] = {
    Verdict.STORED:       200,
    Verdict.DUPLICATE:    200,
    Verdict.UNHANDLED:    200,
    Verdict.WRONG_METHOD: 405,
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
    response = HttpResponse(status=STATUS_OF[verdict], headers={"Content-Length": "0"})
    if verdict is Verdict.WRONG_METHOD:
        response["Allow"] = "POST"
    return response


def _content_length(request: HttpRequest) -> int:
    """Return the size that was announced, in bytes; Django reads no more than that."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    return int(announced) if announced.isdecimal() else 0
