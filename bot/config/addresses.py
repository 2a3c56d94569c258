"""Settings that are addresses: a wrong one is refused at the start, not by the first call."""

from __future__ import annotations

from typing import TypeVar

from pydantic import AfterValidator, SecretStr
from pydantic_core import PydanticCustomError

NOT_AN_ADDRESS = "not_an_address"
T = TypeVar("T", str, SecretStr)


def starts_with(*schemes: str) -> AfterValidator:
    """Return what refuses an address of another kind; an empty setting stays empty."""

    def checked(value: T) -> T:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        scheme = next((one for one in schemes if text.startswith(one)), None)
        if text and (scheme is None or len(text) == len(scheme) or any(map(str.isspace, text))):
            raise PydanticCustomError(NOT_AN_ADDRESS, "not an address", {"schemes": schemes})
        return value

    return AfterValidator(checked)
