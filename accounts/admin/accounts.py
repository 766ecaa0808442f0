"""Accounts: the list with its one search box, and the page that says what an account owns, owes and what happened."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.models import Account, Customer
from billing.admin.licence_acts import GRANT_TO_ACCOUNT
from config.panel.cells import badge, code, moment
from config.panel.readonly import ReadOnlyPanel
from dunning.admin.type_act import TYPE

from .account_acts import ACCESS, CLOSE
from .account_page import account_page
from .buyer_act import BUYER
from .search import HINT, accounts_found
from .standing import standing_of


@admin.register(Account)
class AccountPanel(ReadOnlyPanel):
    title = "Accounts"
    page_of = account_page
    acts = (GRANT_TO_ACCOUNT, ACCESS, BUYER, TYPE, CLOSE)
    list_display = ("name", "identifier", "email", "account_type", "standing", "created")
    list_select_related = ("subs_account",)
    exact_fields = ("pk",)
    search_help_text = HINT
    ordering = ("pk",)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Account | None:
        """Return the account with its profile, its customer and whether another account has that customer too."""
        namesakes = Customer.objects.filter(stripe_customer_id=OuterRef("customer__stripe_customer_id")).exclude(
            Q(account_id=OuterRef("pk")) | Q(stripe_customer_id="")
        )
        accounts = Account.objects.select_related("subs_account", "customer")
        return accounts.annotate(shares_its_customer=Exists(namesakes)).filter(pk=object_id).first()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Account], search_term: str
    ) -> tuple[QuerySet[Account], bool]:
        """Return the accounts that the term leads to, by whatever object it names."""
        if not search_term.strip():
            return queryset, False
        found = accounts_found(search_term)
        return (queryset.none() if found is None else queryset.filter(pk__in=found)), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list; a search that finds one account goes straight to its page."""
        response = super().changelist_view(request, extra_context)
        found = response.context_data.get("cl") if hasattr(response, "context_data") else None
        if found and found.query and len(found.result_list) == 1:
            return HttpResponseRedirect(reverse("admin:accounts_account_change", args=[found.result_list[0].pk]))
        return response

    @admin.display(description="Account id")
    def identifier(self, account: Account) -> SafeString:
        return code(account.pk)

    @admin.display(description="Billing e-mail")
    def email(self, account: Account) -> str:
        return account.subs_account.email if hasattr(account, "subs_account") else ""

    @admin.display(description="Type")
    def account_type(self, account: Account) -> str:
        return account.subs_account.get_account_type_display() if hasattr(account, "subs_account") else ""

    @admin.display(description="Standing")
    def standing(self, account: Account) -> SafeString:
        standing = standing_of(account)
        return badge(standing.word, standing.tone)

    @admin.display(description="Since")
    def created(self, account: Account) -> SafeString:
        return moment(account.created_at)
