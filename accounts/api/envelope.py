"""The envelope of every answer under `/client/v4`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rest_framework.response import Response


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of `errors`; `pointer` is the JSON pointer of the field that is wrong, "" where it is none."""

    code: int
    message: str
    documentation_url: str
    pointer: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the entry as it is sent."""
        entry: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "documentation_url": self.documentation_url,
        }
        return entry | ({"source": {"pointer": self.pointer}} if self.pointer else {})


def answer(result: Any) -> Response:
    """Return a success that carries one thing."""
    return Response({"success": True, "errors": [], "messages": [], "result": result})


def whole_list(results: Sequence[Any]) -> Response:
    """Return all of a list that has no pages: the client asks once."""
    return page_of(results, page=1, per_page=max(len(results), 1), total_count=len(results))


def page_of(results: Sequence[Any], *, page: int, per_page: int, total_count: int) -> Response:
    """Return one page of a list; pages count from 1, and one past the end is an empty success."""
    response = answer(list(results))
    response.data["result_info"] = {
        "page": page,
        "per_page": per_page,
        "count": len(results),
        "total_count": total_count,
        "total_pages": -(-total_count // per_page),
    }
    return response


def refusal(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the body of an answer that says no, for every reason there is."""
    return {"success": False, "errors": [problem.to_json() for problem in problems], "messages": [], "result": None}


def rfc3339(moment: datetime | None) -> str | None:
    """Return a moment as the API writes it: UTC, with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
