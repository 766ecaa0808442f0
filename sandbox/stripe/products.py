"""Products."""

from typing import Any

from sandbox.world import World

from .errors import invalid
from .events import emit
from .find import find_live, newest
from .ids import new_id
from .lists import page, within
from .params import PAGE, TIME_RANGE, Params, boolean, clearable, group, many, merged_metadata, metadata, text

Object = dict[str, Any]

SAID = {
    "active": boolean,
    "description": clearable(text),
    "metadata": metadata,
    "statement_descriptor": text,
    "tax_code": clearable(text),
    "unit_label": clearable(text),
    "url": clearable(text),
}
CREATE = group({"name": text}, id=text, **SAID)
UPDATE = group(name=text, default_price=clearable(text), **SAID)
RETRIEVE = group()
LIST = group(active=boolean, created=TIME_RANGE, ids=many(text), **PAGE)


def create(world: World, params: Params) -> Object:
    """Create a product, under the caller's `id` when one is given."""
    product_id = params.pop("id", None) or new_id("prod")
    if world.documents.get("product", product_id) is not None:
        raise invalid("Product already exists.", param="id", code="resource_already_exists")
    product = world.add(
        {
            "id": product_id,
            "object": "product",
            "active": True,
            "created": world.now(),
            "default_price": None,
            "description": None,
            "images": [],
            "livemode": False,
            "marketing_features": [],
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": None,
            "tax_code": None,
            "tax_details": None,
            "type": "service",
            "unit_label": None,
            "updated": world.now(),
            "url": None,
            **params,
            "metadata": merged_metadata({}, params.get("metadata")),
        }
    )
    emit(world, "product.created", product)
    return product


def retrieve(world: World, _params: Params, product_id: str) -> Object:
    return find_live(world, "product", product_id)


def update(world: World, params: Params, product_id: str) -> Object:
    product = world.edit(find_live(world, "product", product_id))
    merged = merged_metadata(product["metadata"], params.get("metadata"))
    product.update({**params, "metadata": merged, "updated": world.now()})
    emit(world, "product.updated", product)
    return product


def list_products(world: World, params: Params) -> Object:
    found = (
        product
        for product in newest(world, "product")
        if product["active"] == params.get("active", product["active"])
        and product["id"] in params.get("ids", (product["id"],))
        and within(product["created"], params.get("created"))
    )
    return page(found, params, "/v1/products")
