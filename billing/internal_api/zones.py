"""iAPI: a domain goes to another account."""

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.body import ExactString
from accounts.api.envelope import answer
from accounts.api.scope import ApiView
from accounts.models import Zone
from accounts.roles import Scope
from config import clock

from ..move_zone import move_zone


class Destination(serializers.Serializer[Any]):
    account_id = ExactString()


class ZoneMoveView(ApiView):
    """`/internal/v1/zones/{moved_id}/move`: another account serves the domain, under a new id. Safe to repeat."""

    needs = {"POST": Scope.CHANGES_WRITE}

    def post(self, request: Request, moved_id: str) -> Response:
        body = Destination(data=request.data)
        body.is_valid(raise_exception=True)
        zone = Zone.objects.filter(pk=moved_id).first()
        if zone is None:
            raise Http404
        account_id = body.validated_data["account_id"].lower()
        moved = move_zone(zone, account_id, actor=self.caller.actor, now=clock.now())
        return answer({"id": moved.pk, "name": moved.name, "account_id": moved.account_id})
