"""The APIs described as OpenAPI 3.1: what the URLconf has, and what `operations.py` says of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import get_resolver
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from accounts.api.scope import ApiView
from accounts.roles import Permission, Scope

from . import examples
from .operations import DASHBOARD, INTERNAL, Operation, Query

Schema = dict[str, Any]
NO_CONTENT: Operation = Operation(result={})


@dataclass(frozen=True, slots=True, eq=False)
class Api:
    """One of the two APIs: where it stands, what it is called, and what is said of its operations."""

    prefix: str
    title: str
    says: str
    operations: dict[tuple[str, str], Operation]


DASHBOARD_API = Api("/client/v4", "Dashboard API", "Billing for customers and their tools.", DASHBOARD)
INTERNAL_API = Api("/internal/v1", "Internal API", "Changes and reads for our own services.", INTERNAL)


class Bearer(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Both APIs take a bearer token."""

    target_class = "accounts.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> Schema:  # noqa: ARG002  the framework's signature
        """Return how the token is sent."""
        return {"type": "http", "scheme": "bearer"}


class Described(AutoSchema):
    """One operation, put together from its view and its row in `operations.py`."""

    view: ApiView  # type: ignore[override]

    @property
    def said(self) -> tuple[Api, Operation]:
        api = next(api for api in (DASHBOARD_API, INTERNAL_API) if self.path.startswith(api.prefix))
        return api, api.operations.get((self.method, self.path.removeprefix(api.prefix)), NO_CONTENT)

    def get_operation_id(self) -> str:
        """Return the method and the path in words: no two are alike."""
        words = re.sub(r"[{}]", "", self.path.removeprefix(self.said[0].prefix))
        return f"{self.method.lower()}{re.sub(r'[^a-zA-Z0-9]+', '_', words)}"

    def get_tags(self) -> list[str]:
        """Return the first word of the path."""
        return [self.path.removeprefix(self.said[0].prefix).strip("/").partition("/")[0]]

    def get_summary(self) -> str:
        """Return what the view says of itself, first of all."""
        return _sentences(self.view)[0]

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular's own
        """Return the rest of it, and what the operation needs."""
        needed = self.view.needs.get(self.method)
        return "\n\n".join([*_sentences(self.view)[1:], f"Needs: {_in_words(needed)}."])

    def get_override_parameters(self) -> list[Any]:
        """None: parameters are added as they are, see `get_operation`."""
        return []

    def get_request_serializer(self) -> Any:
        """Leave the body to `get_operation`: it is shown by an example."""
        return None

    def get_response_serializers(self) -> Any:
        """Leave the answers to `get_operation`."""
        return None

    def get_filter_backends(self) -> list[Any]:
        """No view has any."""
        return []

    def get_operation(self, *args: Any, **kwargs: Any) -> Schema | None:
        """Return the operation, with its query, body and answers."""
        operation: Schema | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        said = self.said[1]
        operation["parameters"] = [*operation.get("parameters", ()), *map(_parameter, said.query)]
        if not operation["parameters"]:
            del operation["parameters"]
        if said.body is not None:
            operation["requestBody"] = {"required": True, "content": _json(_schema_of(said.body), said.body)}
        envelope = {"success": True, "errors": [], "messages": [], "result": said.result}
        operation["responses"] = {
            "200": {"description": "Done.", "content": _json(_schema_of(envelope), envelope)},
            **{status: _refusal(says) for status, says in REFUSALS.items()},
        }
        return operation


REFUSALS = {
    "400": "It makes no sense, or a rule forbids it; `errors` says which, and asking again changes nothing.",
    "401": "No token, or none that is valid.",
    "402": "The payment was refused, and nothing was changed.",
    "403": "The token may not do this here.",
    "404": "There is nothing here that the token may see.",
    "413": "The body is too large.",
    "429": "Too many requests, or the account is being changed this moment: wait as long as Retry-After says.",
    "503": "The service or the payment processor does not answer: ask again after Retry-After.",
}


@cache
def describe(api: Api) -> Schema:
    """Return the whole API as an OpenAPI document; made once in each process."""
    generator = SchemaGenerator(title=api.title, description=api.says, version="1.0", patterns=_patterns(api))  # type: ignore[no-untyped-call]
    document: Schema = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    document["info"] = {"title": api.title, "description": api.says, "version": "1.0"}
    return document


def document_of(api: Api) -> Callable[[HttpRequest], HttpResponse]:
    """Return the view that answers an API's document."""

    @require_safe
    def document(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  Django's signature
        return JsonResponse(describe(api))

    return document


@require_safe
def reference_page(request: HttpRequest) -> HttpResponse:
    """Show the Dashboard API's operations to people, as plain HTML: it loads nothing but one style sheet of ours."""
    document = describe(DASHBOARD_API)
    operations = [
        {"path": path, "method": method.upper(), **operation, "body": _shown(operation.get("requestBody"))}
        | {"result": _shown(operation["responses"]["200"])}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return render(request, "docs/reference.html", {"api": DASHBOARD_API, "operations": operations})


def _in_words(need: Permission | Scope | None) -> str:
    match need:
        case Permission():
            return f"a role that may {need.value}"
        case Scope():
            return f"a service's token with the scope {need.value}"
    return "any valid token"


def _patterns(api: Api) -> list[Any]:
    """The URLconf's patterns that lead to this API's views, its own pages left out."""
    return [
        pattern
        for pattern in get_resolver().url_patterns
        if f"/{pattern.pattern}".startswith(f"{api.prefix}/") and hasattr(pattern, "url_patterns")
    ]


def _parameter(query: Query) -> Schema:
    schema: Schema = {"type": "integer", "minimum": 1} if query.is_number else {"type": "string"}
    if query.choices:
        schema |= {"enum": list(query.choices), "default": query.choices[0]}
    return {"in": "query", "name": query.name, "description": query.says, "schema": schema}


def _refusal(says: str) -> Schema:
    return {"description": says, "content": _json(_schema_of(examples.REFUSAL), examples.REFUSAL)}


def _json(schema: Schema, example: Any) -> Schema:
    return {"application/json": {"schema": schema, "example": example}}


def _schema_of(example: Any) -> Schema:
    """Return what the example shows as a schema; any value of an answer may be null, and what is null be anything."""
    match example:
        case None:
            return {}
        case bool():
            return {"type": ["boolean", "null"]}
        case int() | float():
            return {"type": ["number", "null"]}
        case str():
            return {"type": ["string", "null"]}
        case list():
            return {"type": ["array", "null"], "items": _schema_of(example[0]) if example else {}}
        case _:
            properties = {name: _schema_of(value) for name, value in example.items()}
            return {"type": ["object", "null"], "properties": properties}


def _shown(part: Schema | None) -> Any:
    return part["content"]["application/json"]["example"] if part else None


def _sentences(view: ApiView) -> list[str]:
    """A view's docstring: what comes after the path it begins with, then each further paragraph."""
    parts = [" ".join(part.split()) for part in re.split(r"\n\s*\n", type(view).__doc__ or "")]
    first = re.sub(r"^(`[^`]+`(, )?)+(:|\.)?\s*", "", parts[0])
    return [first[:1].upper() + first[1:] or "See the path.", *parts[1:]]
