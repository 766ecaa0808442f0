"""What every page of NinjaPanel shares: rows are read, never edited, and cost the same at any number of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from config import clock

from .act_page import act_page, offer
from .acts import Act
from .roles import permissions_of
from .sections import Overview, Page

Named = TypeVar("Named", Act[Any], Overview)


class ReadOnlyPanel(ModelAdmin):  # type: ignore[misc]  # unfold is untyped
    """
    A list and a page for one kind of row.

    Lists don't count, don't sort by columns that have no index, and search exactly, by `exact_fields` only.
    `title` is what people call these rows, `page_of` says what the page of one shows, `overviews` are pages about all
    of them. What can be done stands in `acts` (to one row) and `list_acts` (to several, or to none); there is no other
    way to change anything.
    """

    title: ClassVar[str]
    page_of: ClassVar[Callable[[Any], Page]]
    acts: ClassVar[Sequence[Act[Any]]] = ()
    list_acts: ClassVar[Sequence[Act[None]]] = ()
    overviews: ClassVar[Sequence[Overview]] = ()
    exact_fields: ClassVar[Sequence[str]] = ()
    list_disable_select_all = True
    actions: ClassVar[Sequence[str]] = ()
    change_list_template = "ninja/list.html"
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    list_select_related: ClassVar[Sequence[str]] = ()
    sortable_by: ClassVar[Sequence[str]] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of the list, of the page, and of the acts: there is nothing to add, edit or delete."""
        ours = ("_changelist", "_change")
        looks = [url for url in super().get_urls() if (url.name or "").endswith(ours)]
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        wrap = self.admin_site.admin_view
        acts = [
            path("do/<slug:act_name>/", wrap(self.list_act_view), name=f"{name}_list_act"),
            path("look/<slug:overview_name>/", wrap(self.overview_view), name=f"{name}_look"),
            path("<path:object_id>/do/<slug:act_name>/", wrap(self.act_view), name=f"{name}_act"),
        ]
        return [*acts, *looks]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows, each fetched with what its list and its page name of others."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related(*self.list_select_related)

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        return self.exact_fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows that have exactly this term in one of `exact_fields`, each looked up by its own index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = any_of(Lookup(self.model, "pk", {name: term}) for name in self.exact_fields)
        return (queryset.none() if found is None else queryset.filter(pk__in=found)), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        at = clock.now()
        offers = [
            offer(act, None, request=request, at=at, address=self._address("list_act", act.name))
            for act in self.list_acts
        ]
        looks = [(each.label, self._address("look", each.name)) for each in self.overviews]
        context = self._where() | {"offers": offers, "looks": looks} | (extra_context or {})
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the row's page in place of Django's form; there is nothing to fill in."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            gone: HttpResponseRedirect = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return gone
        at = clock.now()
        offers = [
            offer(act, row, request=request, at=at, address=self._address("act", quote(str(row.pk)), act.name))
            for act in self.acts
        ]
        return self._shown(request, type(self).page_of(row), offers=offers)

    def overview_view(self, request: HttpRequest, overview_name: str) -> HttpResponse:
        """Show a page about all rows."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        overview = _named(self.overviews, overview_name)
        return self._shown(request, overview.page(permissions_of(request.user)))

    def act_view(self, request: HttpRequest, object_id: str, act_name: str) -> HttpResponse:
        """Show what an act would do to a row, or do it."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        back = self._address("change", quote(str(row.pk)))
        page: HttpResponse = act_page(request, self, _named(self.acts, act_name), row, back=back, where=self._where())
        return page

    def list_act_view(self, request: HttpRequest, act_name: str) -> HttpResponse:
        """Show what an act would do to rows that its form describes, or do it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        act = _named(self.list_acts, act_name)
        page: HttpResponse = act_page(request, self, act, None, back=self.list_address, where=self._where())
        return page

    def _shown(self, request: HttpRequest, page: Page, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        around = self.admin_site.each_context(request) | self._where()
        return TemplateResponse(request, "ninja/page.html", around | {"page": page} | context)

    @property
    def list_address(self) -> str:
        """The address of the list."""
        return self._address("changelist")

    def _address(self, kind: str, *arguments: str) -> str:
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{kind}"
        return reverse(name, args=arguments)

    def _where(self) -> dict[str, Any]:
        return {"title": self.title, "list_title": self.title, "list_address": self.list_address}


def _named(known: Sequence[Named], name: str) -> Named:
    """:raises Http404: there is nothing of this name here."""
    for each in known:
        if each.name == name:
            return each
    raise Http404


@dataclass(frozen=True, slots=True)
class Lookup:
    """A search by index: the rows of `model` that have exactly these values, and which of their columns is wanted."""

    model: type[Model]
    wanted: str
    having: dict[str, object]

    def can_match(self) -> bool:
        """Return whether the fields can have such values at all: no number is `abc`."""
        try:
            for name, value in self.having.items():
                if "__" not in name:
                    field: Any = self.model._meta.pk if name == "pk" else self.model._meta.get_field(name)
                    field.to_python(value)
        except ValidationError:
            return False
        return True

    def query(self) -> QuerySet[Any]:
        return self.model._default_manager.filter(**self.having).order_by().values(self.wanted)


def any_of(lookups: Iterable[Lookup]) -> QuerySet[Any] | None:
    """
    Return one query for the union of these lookups; None when none of them can match.

    A union, not an OR: PostgreSQL then asks each index once instead of reading a table.
    """
    queries = [lookup.query() for lookup in lookups if lookup.can_match()]
    return queries[0].union(*queries[1:]) if queries else None
