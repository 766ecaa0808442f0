"""What comes in: bodies are bounded and are JSON, and a field has exactly the type it should."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

LARGEST_BODY_BYTES = 1024 * 1024


class BodyTooLarge(APIException):
    """More was announced than is ever read."""

    status_code = 413
    default_detail = "The body is larger than 1 MB."
    default_code = "body_too_large"


class BoundedJSONParser(JSONParser):
    """JSON of at most LARGEST_BODY_BYTES, by the announced length: the server reads no more than was announced."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """
        Return what the body says.

        :raises ParseError: it is no JSON, or so deeply nested that nobody can have meant it.
        """
        try:
            parsed: dict[str, Any] = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error
        return parsed


class AlwaysJson(BaseContentNegotiation):
    """Answer in JSON, whatever `Accept` asks for: clients send all sorts."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the parser for the content type, None if it is not JSON."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002  the framework's signature, as below
        renderers: Any,
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        """Return the one renderer there is."""
        return renderers[0], renderers[0].media_type


def refuse_large_body(request: Request) -> None:
    """
    Look at the announced length, before a byte is read.

    :raises BodyTooLarge: it is over the limit.
    :raises ValidationError: a body comes without its length; it would not be read.
    """
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise serializers.ValidationError(["Send it with a Content-Length, not in chunks."])
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isdecimal() and int(announced) > LARGEST_BODY_BYTES:
        raise BodyTooLarge


class ExactString(serializers.CharField):
    """A string; numbers and booleans are none."""

    def to_internal_value(self, data: Any) -> str:
        """Return the string."""
        if not isinstance(data, str):
            raise serializers.ValidationError("This must be a string.")
        return super().to_internal_value(data)


class ExactInteger(serializers.IntegerField):
    """A whole number; `"5"`, `5.0` and `true` are none."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if not isinstance(data, int) or isinstance(data, bool):
            raise serializers.ValidationError("This must be a whole number.")
        return data


class ExactBoolean(serializers.BooleanField):
    """`true` or `false`; words and numbers are neither."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the boolean."""
        if not isinstance(data, bool):
            raise serializers.ValidationError("This must be true or false.")
        return data
