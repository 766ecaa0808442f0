"""iAPI: what happened, from any point on."""

import re

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.envelope import answer
from accounts.api.paging import InvalidQuery
from accounts.api.scope import ApiView
from accounts.journal_feed import of_account, of_all
from accounts.roles import Scope

LARGEST_PAGE = 1000
_ID = re.compile("[0-9a-f]{32}")


class JournalView(ApiView):
    """`/internal/v1/journal`: the events of one account after a `sequence`, or of all after a `next` of before."""

    needs = {"GET": Scope.JOURNAL_READ}

    def get(self, request: Request) -> Response:
        after = _number(request, "after", 0, largest=2**63 - 1)
        limit = _number(request, "limit", 100, largest=LARGEST_PAGE, smallest=1)
        account_id = request.query_params.get("account_id")
        if account_id is None:
            page = of_all(after=after, limit=limit)
        elif _ID.fullmatch(account_id.lower()):
            page = of_account(account_id.lower(), after=after, limit=limit)
        else:
            raise InvalidQuery("account_id must be an account's id, of 32 hexadecimal digits.")
        return answer({"events": page.events, "next": page.next, "has_more": page.has_more})


def _number(request: Request, name: str, default: int, *, largest: int, smallest: int = 0) -> int:
    text: str = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and smallest <= int(text) <= largest):
        raise InvalidQuery(f"{name} must be a whole number, {smallest} to {largest}.")
    return int(text)
