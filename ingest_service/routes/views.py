"""Saved views: listed, opened, saved, changed and deleted."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request

from ingest_service.caller import Caller
from ingest_service.reading import caller_of
from ingest_service.replies import JsonReply
from logstream.errors import FilterError, Forbidden, NotFound
from logstream.filter import Choice
from logstream.ports import LogReader
from logstream.saved_view import KEPT, NOBODY, SavedView, ViewDraft, read_id
from logstream.wiring import Store

router = APIRouter(tags=["views"])
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name", "state"],
    "properties": {
        "name": {"type": "string"},
        "owner": {"type": "string", "default": NOBODY},
        "team": {"type": "boolean", "default": True},
        "state": {
            "type": "object",
            "description": f"URL parameters of a page, of these: {', '.join(KEPT)}.",
            "additionalProperties": {"type": "string"},
        },
    },
}
_Draft = Annotated[dict[str, Any], Body(json_schema_extra=_SCHEMA)]


@router.get("/views", summary="Saved views, by name")
def views(
    request: Request,
    owner: Annotated[
        str, Query(max_length=100, description="Also this one's personal views.")
    ] = "",
) -> JsonReply:
    """`{"views": [{"id", "name", "owner", "team", "state", "createdAt", "updatedAt"}]}`.

    Those of the team. A personal view is in nobody else's list; its link opens for everyone.
    """
    caller = caller_of(request)
    found = _reader(request).saved_views()
    shown = [view for view in found if view.is_team or view.owner == owner]
    return JsonReply({"views": [view.to_api() for view in shown if _may_see(caller, view)]})


@router.get("/views/{view_id}", summary="One saved view")
def view(request: Request, view_id: str) -> JsonReply:
    """404 when there is none (any more)."""
    return JsonReply(find_view(_reader(request), view_id, caller_of(request)).to_api())


@router.post("/views", summary="Save a view", status_code=201)
def save(request: Request, draft: _Draft) -> JsonReply:
    """The view with its id: `view=ID` opens it, on every page and in every GET."""
    kept = _store(request).views.add(_checked(request, draft))
    return JsonReply(kept.to_api(), status_code=201)


@router.put("/views/{view_id}", summary="Change a saved view")
def change(request: Request, view_id: str, draft: _Draft) -> JsonReply:
    """Everything of it is replaced, but what is left out of name, owner and team."""
    own = _find_own(request, view_id)
    usual = {"name": own.name, "owner": own.owner, "team": own.is_team, "state": dict(own.state)}
    kept = _store(request).views.change(own.id, _checked(request, {**usual, **draft}))
    if kept is None:
        raise _missing(view_id)
    return JsonReply(kept.to_api())


@router.delete("/views/{view_id}", summary="Delete a saved view")
def delete(request: Request, view_id: str) -> JsonReply:
    """Links to it say from then on that it is gone."""
    own = _find_own(request, view_id)
    if not _store(request).views.remove(own.id):
        raise _missing(view_id)
    return JsonReply({"deleted": own.id})


def find_view(reader: LogReader, view_id: str, caller: Caller) -> SavedView:
    """The view with this id that the caller may see; raises FilterError, NotFound."""
    found = reader.saved_view(read_id(view_id))
    if found is None or not _may_see(caller, found):
        raise _missing(view_id)
    return found


def _may_see(caller: Caller, view: SavedView) -> bool:
    """A view of no particular environment shows each caller its own."""
    return all(caller.may_read(name) for name in view.environments)


def _find_own(request: Request, view_id: str) -> SavedView:
    """A view that the caller may change: with a key for one environment, one of that."""
    caller = caller_of(request)
    found = find_view(_reader(request), view_id, caller)
    if caller.environment is not None and not found.environments:
        raise Forbidden(
            f"view {found.id} is of every environment, key {caller.key} of "
            f"'{caller.environment}' only",
            "use a key made with --environment all",
        )
    return found


def _checked(request: Request, given: dict[str, Any]) -> ViewDraft:
    # Another site's page can send a form, but no JSON that is called so.
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise FilterError(
            "content-type",
            f"content-type '{content_type[:80]}' is not application/json",
            "send the view as a JSON object",
        )
    unknown = set(given) - {"name", "owner", "team", "state"}
    if unknown:
        raise FilterError(
            "view", f"a view has no '{min(unknown)[:40]}'", "give name, owner, team and state"
        )
    draft = ViewDraft.checked(
        given.get("name"), given.get("state"), given.get("owner", NOBODY), given.get("team", True)
    )
    caller = caller_of(request)
    if caller.environment is None:
        return draft
    only = Choice.from_url(draft.state.get("env", "")).only
    caller.check_environments(only)
    state = {**draft.state, "env": Choice((caller.environment,)).to_url()}
    return ViewDraft(draft.name, state, draft.owner, draft.is_team)


def _missing(view_id: str) -> NotFound:
    return NotFound(
        f"there is no saved view '{view_id[:40]}' (any more)", "list them with GET /views"
    )


def _reader(request: Request) -> LogReader:
    reader: LogReader = request.app.state.reader
    return reader


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store
