"""Identifiers in Stripe's shape: a prefix that tells the kind, then random letters and digits."""

import random
import string

ALPHABET = string.ascii_letters + string.digits
LENGTH = {"cus": 14, "prod": 14, "si": 14, "req": 14}
_random = random.SystemRandom()


def new_id(prefix: str) -> str:
    """Return a new identifier such as `cus_Qx…`; customers, products and items are short, the rest has 24 letters."""
    return f"{prefix}_{random_text(LENGTH.get(prefix, 24))}"


def random_text(length: int) -> str:
    """Return `length` letters and digits nobody can guess."""
    return "".join(_random.choices(ALPHABET, k=length))
