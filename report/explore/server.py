"""The explorer's page and its questions over HTTP, on this machine only.

All paths lie below a secret one that is in the URL that the command prints, so that other users of the machine, and
pages of other sites, can neither read the run nor mark its rows. The answers hold untrusted text as JSON; the page
shows it as text, and its policy would not let it run.
"""

from __future__ import annotations

import hmac
import json
import math
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
from pyarrow import fs as pafs
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from core.page_policy import page_headers
from report.explore.index import FACETS
from report.explore.marks import FILE, Mark, read_marks, write_mark
from report.explore.rows import PAGE_ROWS, Explorer, Filter

PAGE = Path(__file__).with_name("page.html").read_bytes()
HEADERS = {name.decode(): value.decode() for name, value in page_headers(PAGE)}
LOCAL = {"127.0.0.1", "localhost"}
MAX_BODY_BYTES = 64_000

Prompt = Callable[[str, str], Mapping[str, Any]]
"""(task, id of raw code) → role → messages; raises `ValueError` where they cannot be made again."""


class ExplorerServer:
    """One run, and perhaps another one beside it."""

    def __init__(
        self,
        run: Explorer,
        other: Explorer | None = None,
        prompt: Prompt | None = None,
        marked_in: tuple[pafs.FileSystem, str] | None = None,
    ) -> None:
        """Take what is shown.

        Args:
            run: shown.
            other: compared with it.
            prompt: makes the messages of a row again.
            marked_in: filesystem and path of the run directory that keeps the marks; None takes the one that is shown.
        """
        self._run, self._other, self._prompt = run, other, prompt
        self.secret = secrets.token_urlsafe(16)
        self._fs, self._root = marked_in or (pafs.LocalFileSystem(), str(run.files.root))
        self._marks = self._show_marks(read_marks(self._fs, self._root))

    def show(self, run: Explorer, other: Explorer | None) -> None:
        """Show all rows of the run of which the first rows have been shown."""
        run.set_marks({id_: mark.mark for id_, mark in self._marks.items()})
        self._run, self._other = run, other

    def app(self) -> Starlette:
        """The application."""
        answers = {"about": self._about, "rows": self._rows, "counts": self._counts, "row": self._row,
                   "neighbours": self._neighbours, "map": self._map, "prompt": self._prompts}  # fmt: skip
        routes = [Route("/{secret}/", self._page)]
        routes += [Route(f"/{{secret}}/api/{name}", self._answering(answer)) for name, answer in answers.items()]
        routes.append(Route("/{secret}/api/mark", self._mark, methods=["POST"]))
        return Starlette(routes=routes)

    def _refused(self, request: Request) -> Response | None:
        """A name that a foreign site may have pointed at this address, or a wrong secret: nothing is here."""
        host = request.headers.get("host", "").rpartition(":")[0]
        right = hmac.compare_digest(request.path_params["secret"].encode(), self.secret.encode())
        return None if right and host in LOCAL else _json({"error": "not found"}, 404)

    async def _page(self, request: Request) -> Response:
        return self._refused(request) or Response(PAGE, media_type="text/html; charset=utf-8", headers=HEADERS)

    def _answering(self, answer: Callable[[Mapping[str, str]], Any]) -> Callable[[Request], Any]:
        async def answered(request: Request) -> Response:
            refused = self._refused(request)
            if refused is not None:
                return refused
            try:
                return _json(await run_in_threadpool(answer, request.query_params))
            except ValueError as error:
                return _json({"error": str(error)}, 400)
            except OSError as error:
                return _json({"error": f"the run cannot be read: {error}"}, 500)
            except duckdb.Error as error:  # a question beyond the memory limit, or a file that went away
                return _json({"error": f"the run could not be asked: {str(error).splitlines()[0]}"}, 500)

        return answered

    async def _mark(self, request: Request) -> Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return _json({"error": "a mark is application/json"}, 415)
        try:
            asked = json.loads(await _body(request))
            id_, mark, note = (str(asked.get(name, "")) for name in ("id", "mark", "note"))
            marks = await run_in_threadpool(write_mark, self._fs, self._root, id_, mark, note)
        except ClientDisconnect:
            return Response(status_code=499)
        except OSError as error:  # a run that may only be read, or a full disk
            where, why = f"{self._root}/{FILE}", os.strerror(error.errno) if error.errno else str(error)
            return _json({"error": f"the mark is not saved: {where} cannot be written ({why})"}, 500)
        except (ValueError, AttributeError) as error:
            return _json({"error": str(error)}, 400)
        self._marks = self._show_marks(marks)
        return _json({"marked": len(marks)})

    def _show_marks(self, marks: dict[str, Mark]) -> dict[str, Mark]:
        self._run.set_marks({id_: mark.mark for id_, mark in marks.items()})
        return marks

    def _about(self, _: Mapping[str, str]) -> Any:
        other = self._other
        facets = [name for name in FACETS if name != "beside" or other]
        return {"run": self._root, "rows": self._run.total, "whole": self._run.whole, "indexed": self._run.indexed,
                "facets": facets, "other": str(other.files.root) if other else None}  # fmt: skip

    def _rows(self, asked: Mapping[str, str]) -> Any:
        start = asked.get("start", "0")
        if not start.isdecimal():
            raise ValueError(f"start is {start!r}; it is a number of rows")
        return self._run.page(_filter(asked), int(start), PAGE_ROWS, asked.get("sort", "rank"))

    def _counts(self, asked: Mapping[str, str]) -> Any:
        counted = dict(self._run.counts(_filter(asked), at_once="at_once" in asked))
        counted["marks"] = {kind: sum(mark.mark == kind for mark in self._marks.values()) for kind in ("keep", "drop")}
        return counted

    def _row(self, asked: Mapping[str, str]) -> Any:
        found = self._run.row(asked.get("raw_id", ""))
        if found is None:
            raise ValueError(f"there is no row {asked.get('raw_id', '')!r}")
        mark = self._marks.get(found["row"]["id"])
        other = self._other.row(asked["raw_id"]) if self._other else None
        return found | {"mark": mark.__dict__ if mark else None, "other": other}

    def _neighbours(self, asked: Mapping[str, str]) -> Any:
        return {"rows": self._all_rows().neighbours(asked.get("raw_id", ""))}

    def _map(self, asked: Mapping[str, str]) -> Any:
        return self._all_rows().points(asked.get("color", "state"))

    def _all_rows(self) -> Explorer:
        if not self._run.whole:
            raise ValueError("this comes when all rows are indexed; ask again in a minute")
        return self._run

    def _prompts(self, asked: Mapping[str, str]) -> Any:
        if self._prompt is None:
            raise ValueError("this run has no config.yaml, from which the prompt could be made again")
        return self._prompt(asked.get("task", ""), asked.get("raw_id", ""))


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise ValueError(f"the body is larger than {MAX_BODY_BYTES} bytes")
    return body


def _filter(asked: Mapping[str, str]) -> Filter:
    values = {name: asked[name] for name in (*FACETS, "mark") if name in asked}
    return Filter(values, asked.get("text", "")[:500], (_number(asked, "least"), _number(asked, "most")))


def _number(asked: Mapping[str, str], name: str) -> float | None:
    try:
        return float(asked[name]) if asked.get(name) else None
    except ValueError:
        raise ValueError(f"{name} is {asked[name]!r}; it is a number") from None


def _json(value: Any, status: int = 200) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    text = json.dumps(_finite(value), default=str, ensure_ascii=True)
    return Response(text, status, headers, "application/json")


def _finite(value: Any) -> Any:
    """Without NaN and the infinities, which browsers' JSON does not know."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value
