"""What a query may say: pages of lists, and choices."""

from dataclasses import dataclass

from rest_framework.exceptions import APIException
from rest_framework.request import Request

LARGEST_PAGE = 50
LAST_PAGE = 10_000_000


class InvalidQuery(APIException):
    """A query parameter that makes no sense."""

    status_code = 400
    default_code = "invalid_query"


def refuse_strange_query(request: Request) -> None:
    """
    Refuse what no value in the database can be compared with.

    :raises InvalidQuery: a NUL character is in the query.
    """
    if any("\0" in text for name, values in request.query_params.lists() for text in (name, *values)):
        raise InvalidQuery("A query can't hold the NUL character.")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is wanted; pages count from 1."""

    page: int
    per_page: int

    @property
    def start(self) -> int:
        return (self.page - 1) * self.per_page

    @property
    def end(self) -> int:
        return self.start + self.per_page


def paging_of(request: Request, *, default_per_page: int = 20) -> Paging:
    """
    Return the page that is asked for. More than LARGEST_PAGE a page is answered with LARGEST_PAGE.

    :raises InvalidQuery: `page` or `per_page` is no whole number from 1.
    """
    per_page = _positive(request, "per_page", default_per_page)
    return Paging(page=min(_positive(request, "page", 1), LAST_PAGE), per_page=min(per_page, LARGEST_PAGE))


def choice_of(request: Request, name: str, choices: tuple[str, ...]) -> str:
    """
    Return the value of a query parameter; the first choice is the default.

    :raises InvalidQuery: it is none of the choices.
    """
    value: str = request.query_params.get(name, choices[0])
    if value not in choices:
        raise InvalidQuery(f"{name} must be one of {', '.join(choices)}.")
    return value


def _positive(request: Request, name: str, default: int) -> int:
    text: str = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) >= 1):
        raise InvalidQuery(f"{name} must be a whole number, 1 or more.")
    return int(text)
