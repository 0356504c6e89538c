"""Description of views where they say nothing themselves."""

import re

from drf_spectacular.openapi import AutoSchema as BaseAutoSchema


class AutoSchema(BaseAutoSchema):
    def get_operation_id(self) -> str:
        """Name an operation after its path: ``opa_bundles_key_id_active``."""
        path = self.path.removeprefix("/api/v1/").removesuffix(".tar.gz")
        return re.sub(r"[^a-z]+", "_", path).strip("_")
