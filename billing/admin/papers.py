"""The papers of invoices and credit notes, as customers have them."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.api.receipts import as_pdf
from billing.receipts.gather import NoSuchPaper
from billing.receipts.paper import paper_of


def paper_view(request: HttpRequest, account_id: str, paper_id: str, kind: str) -> HttpResponse:
    """Show a paper to whoever may look at invoices."""
    if not request.user.has_perm("billing.view_invoice"):
        raise PermissionDenied
    try:
        return as_pdf(paper_of(account_id, paper_id, kind))
    except (NoSuchPaper, ValueError) as error:
        raise Http404 from error


def paper_link(account_id: str, paper_id: str, kind: str, text: str) -> SafeString:
    """Return a link to a paper."""
    address = reverse("admin:paper", args=[account_id, paper_id, kind])
    return format_html('<a class="ninja-link" href="{}">{}</a>', address, text)
