"""Which regions there are, and where a resource type exists, by cfn-lint's bundled schemas."""

from functools import lru_cache

from cfnlint.helpers import REGIONS
from cfnlint.schema._exceptions import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER


def exists(region: str) -> bool:
    """Say whether cfn-lint knows the region."""
    return region in REGIONS


@lru_cache(maxsize=512)
def has_type(region: str, resource_type: str) -> bool:
    """Say whether a resource type exists in a region.

    True for regions of which cfn-lint has no schemas of its own: it answers for them with those
    of us-east-1 (in 1.58: me-south-1, the ISO regions, eusc-de-east-1).
    """
    try:
        PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, resource_type)
    except ResourceNotFoundError:
        return False
    return True
