"""Pages of JSON that the local cloud has beside AWS's services."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from mpe.local.ministack.http import App, Scope, answer


def serve(app: App, pages: Mapping[str, Callable[[], Any]]) -> App:
    """Answer at the paths of pages; hand all other requests on."""

    async def served(scope: Scope, receive: Any, send: Any) -> None:
        page = pages.get(scope["path"]) if scope["type"] == "http" else None
        if page is None:
            await app(scope, receive, send)
        else:
            await answer(send, 200, "application/json", json.dumps(page()).encode())

    return served
