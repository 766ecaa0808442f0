"""How an account pays: its stored methods, and adding, editing, choosing and removing them."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.body import ExactBoolean, ExactString
from accounts.api.envelope import answer, page_of
from accounts.api.paging import paging_of
from accounts.api.scope import AccountView
from accounts.roles import Permission
from config import clock

from ..cfstripe.method_shapes import read_holder
from ..models.methods import PaymentMethod
from ..models.stripe_mirror import StripeMirror
from ..payments import manage_methods

# The kinds that can be added here, by the name that the API has for them.
KINDS = {"card": "CREDIT_CARD", "link": "LINK", "paypal": "PAYPAL"}
ADDED_HERE = ("CREDIT_CARD", "LINK")


class _Text(ExactString):
    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, allow_blank=True, max_length=200, **options)


class MethodBody(serializers.Serializer[Any]):
    """What a method is added or edited with. What banks and wallets of other kinds need is left aside."""

    payment_nonce = _Text()
    type = serializers.ChoiceField(choices=ADDED_HERE, required=False)
    default = ExactBoolean(required=False, default=False)
    first_name = _Text()
    last_name = _Text()
    payment_email = _Text()
    address = _Text()
    address2 = _Text()
    city = _Text()
    state = _Text()
    zipcode = _Text()
    country = _Text()

    def holder(self) -> dict[str, object]:
        """Return name, e-mail and address as the processor calls them; only what was sent."""
        said = self.validated_data
        address = {theirs: said[ours] for ours, theirs in ADDRESS.items() if ours in said}
        name = " ".join(said[part] for part in ("first_name", "last_name") if said.get(part))
        return {
            **({"name": name} if name else {}),
            **({"email": said["payment_email"]} if said.get("payment_email") else {}),
            **({"address": address} if address else {}),
        }


ADDRESS = {
    "address": "line1",
    "address2": "line2",
    "city": "city",
    "state": "state",
    "zipcode": "postal_code",
    "country": "country",
}


class ClientSecretView(AccountView):
    """`/accounts/{account_id}/client-secret`: begin to add a method; the browser goes on with the secret."""

    needs = {"POST": Permission.PAY}

    def post(self, _request: Request, account_id: str) -> Response:
        return answer({"client_secret": manage_methods.begin_adding(account_id, now=clock.now())})


class PaymentMethodsView(AccountView):
    """`/accounts/{account_id}/payment-methods`: what is stored, the primary one first; add one."""

    needs = {"GET": Permission.READ, "POST": Permission.PAY}

    def get(self, request: Request, account_id: str) -> Response:
        paging = paging_of(request)
        stored = manage_methods.stored_methods(account_id)
        return page_of(
            _shapes(stored[paging.start : paging.end]),
            page=paging.page,
            per_page=paging.per_page,
            total_count=len(stored),
        )

    def post(self, request: Request, account_id: str) -> Response:
        body = MethodBody(data=request.data)
        body.is_valid(raise_exception=True)
        nonce = body.validated_data.get("payment_nonce", "")
        if not nonce:
            raise serializers.ValidationError({"payment_nonce": ["This field is required."]})
        now = clock.now()
        method = manage_methods.add_method(
            account_id, nonce=nonce, as_default=body.validated_data["default"], actor=self.caller.actor, now=now
        )
        if body.holder():
            method = manage_methods.edit_method(
                account_id, method.pk, details=body.holder(), as_default=False, actor=self.caller.actor, now=now
            )
        return answer(_shapes([method])[0])


class PaymentMethodView(AccountView):
    """`/accounts/{account_id}/payment-methods/{method_id}`: one method; edit who holds it; remove it."""

    needs = {"GET": Permission.READ, "PUT": Permission.PAY, "DELETE": Permission.PAY}

    def get(self, _request: Request, account_id: str, method_id: str) -> Response:
        return answer(_shapes([manage_methods.the_method(account_id, method_id)])[0])

    def put(self, request: Request, account_id: str, method_id: str) -> Response:
        body = MethodBody(data=request.data)
        body.is_valid(raise_exception=True)
        method = manage_methods.edit_method(
            account_id,
            method_id,
            details=body.holder(),
            as_default=body.validated_data["default"],
            actor=self.caller.actor,
            now=clock.now(),
        )
        return answer(_shapes([method])[0])

    def delete(self, _request: Request, account_id: str, method_id: str) -> Response:
        manage_methods.remove_method(account_id, method_id, actor=self.caller.actor, now=clock.now())
        return answer({"id": method_id})


class DefaultMethodView(AccountView):
    """`/accounts/{account_id}/payment-methods/{method_id}/set-as-default`: what is charged from now on."""

    needs = {"POST": Permission.PAY}

    def post(self, _request: Request, account_id: str, method_id: str) -> Response:
        manage_methods.choose_default(account_id, method_id, actor=self.caller.actor, now=clock.now())
        return answer({"id": method_id})


def _shapes(methods: list[PaymentMethod]) -> list[dict[str, Any]]:
    """Methods as the API writes them; who holds them stands in the mirror. One statement for all."""
    seen = StripeMirror.objects.in_bulk([method.processor_id for method in methods])
    return [_shape(method, seen.get(method.processor_id)) for method in methods]


def _shape(method: PaymentMethod, seen: StripeMirror | None) -> dict[str, Any]:
    holder = read_holder(seen.payload) if seen else {}
    first, _, last = (holder.get("name") or "").partition(" ")
    expiry = f"{method.expiry_month:02}/{method.expiry_year}" if method.expiry_month else None
    return {
        "id": method.pk,
        "type": KINDS.get(method.kind),
        "default": method.is_default,
        "last_four": method.last4 or None,
        "expiration_date": expiry,
        "first_name": first or None,
        "last_name": last or None,
        "payment_email": holder.get("email"),
        **{ours: holder.get(theirs) for ours, theirs in ADDRESS.items()},
    }
